"""What every reader yields: a list of `Sample`s, each of which decodes to a `Pair`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from ...kernels.errors import PullfocusError

# metric: inverse depth in known units. disparity: of unknown scale and offset. none: no depth at all.
DepthKind = Literal["metric", "disparity", "none"]
Split = Literal["train", "test"]


class DataError(PullfocusError):
    """A training set is missing, incomplete or malformed; the message lists what is wrong."""


@dataclass(frozen=True, slots=True, repr=False)
class Pair:
    """A decoded sample.

    image: `h w 3` uint8 RGB.
    target: `h w` float32 inverse depth in [0, 1], NaN = no measurement.
    metric: 1.0 is 0.5 m or nearer; otherwise scale and offset are unknown, or all is NaN.
    """

    image: NDArray[np.uint8]
    target: NDArray[np.float32]
    metric: bool

    def __repr__(self) -> str:
        return f"Pair({self.image.shape[1]}×{self.image.shape[0]}, metric={self.metric})"


class Stored(Protocol):
    """Where a sample lies. Implementations are frozen values that pickle, so that worker processes can read them."""

    @property
    def paths(self) -> tuple[Path, ...]:
        """Every file that `read` needs."""
        ...

    def read(self) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """(image, target) as in `Pair`. Raises DataError; may be called from several threads at once."""
        ...


@dataclass(frozen=True, slots=True)
class Sample:
    """One picture of a set, not decoded yet.

    name: unique within its source. source: the dataset it comes from, by which sampling is weighted.
    sequence: the scene, clip or recording; its pictures resemble each other.
    """

    name: str
    source: str
    kind: DepthKind
    sequence: str
    stored: Stored

    def read(self) -> Pair:
        """Decode it. Raises DataError when a file is missing, broken or of the wrong type."""
        image, target = self.stored.read()
        return Pair(image, target, self.kind == "metric")
