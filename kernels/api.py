"""The specification of every kernel; `cpu` (NumPy + OpenCV) meets it as a module.

Conventions: pictures are `h w 3` uint8 sRGB; inverse depth is `h w` float32 in [0, 1], 1 = nearest;
lengths end in `_px`. The border is mirrored. No kernel changes its inputs.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from .errors import InputError

Picture = NDArray[np.uint8]
InverseDepth = NDArray[np.float32]
Labels = NDArray[np.uint8]
Centres = NDArray[np.float64]

Device = Literal["cpu", "cuda"]
KernelShape = Literal["disc", "gaussian"]
Quality = Literal["fast", "fine"]


@dataclass(frozen=True, slots=True)
class RefocusStyle:
    """How blur looks: `disc` is a lens, `gaussian` the report's; `fine` works on a finer grid than `fast`."""

    shape: KernelShape = "disc"
    quality: Quality = "fast"


class Kernels(Protocol):
    """What an implementation module offers."""

    def resize(self, inverse_depth: InverseDepth, size_hw: tuple[int, int]) -> InverseDepth:
        """Bilinear resize to (h, w)."""
        ...

    def smooth(self, inverse_depth: InverseDepth, median_px: int, gaussian_px: int) -> InverseDepth:
        """Median, then Gaussian filter; sizes are odd, 0 = off, the median at most 5."""
        ...

    def cluster_update(
        self, samples: NDArray[np.float32], centres: Centres, weights: NDArray[np.float64]
    ) -> tuple[Centres, NDArray[np.float64]]:
        """One mini-batch K-Means step on scalars (Sculley 2010, doi:10.1145/1772690.1772862).

        samples: n. centres: k, descending. weights: k, how many samples each centre has seen.
        A centre moves to the mean of all it has seen; one without samples stays.
        Returns the new centres (still descending) and weights.
        """
        ...

    def assign(self, inverse_depth: InverseDepth, centres: Centres) -> Labels:
        """Index of the nearest of the descending centres for every pixel: `h w`, 0 = nearest layer."""
        ...

    def refocus(
        self,
        picture: Picture,
        inverse_depth: InverseDepth,
        centres: Centres,
        radii_px: Sequence[float],
        focus: float,
        style: RefocusStyle,
    ) -> Picture:
        """Blur every depth layer by its own radius and composite far to near.

        inverse_depth may be smaller than the picture. centres: k, descending (near → far).
        radii_px: k blur-circle radii in picture pixels; below about one pixel a layer stays sharp.
        focus: the inverse depth in focus; nearer layers spread over what is behind them.
        """
        ...

    def colour_depth(self, inverse_depth: InverseDepth, size_hw: tuple[int, int]) -> Picture:
        """False colours (Turbo), near = warm, at the given size."""
        ...

    def colour_layers(self, labels: Labels, layers: int, size_hw: tuple[int, int]) -> Picture:
        """One colour a layer, near = warm, at the given size, with hard borders."""
        ...


def load(device: Device) -> Kernels:
    """The kernels for `device`. Raises InputError for a device without kernels."""
    if device != "cpu":
        raise InputError(f"got device {device!r}; the kernels run on 'cpu' in this version")
    return cast(Kernels, importlib.import_module(".cpu", __package__))
