"""Which pictures are drawn, and how often."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from . import nyu
from .sample import DataError, Sample

NYU = "nyu"  # the key of all sources of NYU Depth v2 together
OTHER = "other"


def sampling_weights(samples: Sequence[Sample], shares: Mapping[str, float]) -> NDArray[np.float64]:
    """The probability of each sample, float64, summing to 1: equal within a source, sources as in `shares`.

    shares: source → share of a batch. "nyu" stands for all NYU sources that have no key of their own, "other" for
    every source without one; where there is no "other", those are never drawn. A source that is absent leaves its
    share to the others, in proportion.
    Raises DataError when a share is negative or none is left.
    """
    groups = [_group(sample.source, shares) for sample in samples]
    counts = Counter(groups)
    weights = np.array([shares.get(group, 0.0) / counts[group] for group in groups])
    if not len(weights) or weights.min() < 0 or weights.sum() <= 0:
        raise DataError(
            f"got shares {dict(shares)} for the sources {sorted({sample.source for sample in samples})}; "
            "expected shares of 0 or more, and one above 0"
        )
    return weights / weights.sum()


def evenly(samples: Sequence[Sample], count: int) -> Sequence[Sample]:
    """`count` of the samples, evenly spaced, so that every room and source stays in proportion."""
    return [samples[i * len(samples) // count] for i in range(count)]


def _group(source: str, shares: Mapping[str, float]) -> str:
    if source in shares:
        return source
    return NYU if source in nyu.SOURCES and NYU in shares else OTHER
