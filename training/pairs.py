"""Pictures that show one scene at once, or one after the other: the two views of a stereo camera, two frames."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

from .data import Sample

PairKind = Literal["temporal", "stereo", "photometric"]
STEREO_VIEWS = {"view1": "view5", "im2": "im6"}  # left → right in Middlebury's names
VIDEO_SOURCES = ("piv_ist_kinect", "replica_office", "tum_fr3_cabinet")
WIDEST_GAP = 3  # frames that the listing skips between two neighbours


def find_pairs(samples: Sequence[Sample], kind: PairKind) -> list[tuple[int, int]]:
    """Positions in `samples` of (frame, frame before) for `temporal`, of (left, right) for the others."""
    if kind == "temporal":
        return _neighbours(samples)
    position = {sample.name: index for index, sample in enumerate(samples)}
    found: list[tuple[int, int]] = []
    for name, index in position.items():
        stem, _, view = name.rpartition("_")
        right = position.get(f"{stem}_{STEREO_VIEWS.get(view, '')}")
        if right is not None:
            found.append((index, right))
    return found


def _neighbours(samples: Sequence[Sample]) -> list[tuple[int, int]]:
    frames = sorted(
        (sample.source, sample.sequence, number, index)
        for index, sample in enumerate(samples)
        if sample.source in VIDEO_SOURCES and (number := _number(sample.name)) is not None
    )
    return [
        (now[-1], before[-1])
        for before, now in pairwise(frames)
        if now[:2] == before[:2] and now[2] - before[2] <= WIDEST_GAP
    ]


def _number(name: str) -> int | None:
    digits = re.search(r"\d+$", name)
    return int(digits.group()) if digits else None
