"""Samples stored as picture files, and the codes that depth is written in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from .sample import DataError

NEAREST_M = 0.5  # inverse depth 1.0

DepthReader = Callable[[Path], NDArray[np.float32]]
Scalar = TypeVar("Scalar", bound=np.generic)


@dataclass(frozen=True, slots=True)
class Crop:
    """Rows top…bottom and columns left…right, ends excluded, of pictures that are all `size_hw` large."""

    size_hw: tuple[int, int]
    top: int
    bottom: int
    left: int
    right: int

    def of(self, array: NDArray[Scalar], where: Path) -> NDArray[Scalar]:
        """The crop of an `h w …` array, as a copy: the rest need not stay in memory. Raises DataError."""
        if array.shape[:2] != self.size_hw:
            raise DataError(f"{where}: got {_size(array)}; expected {self.size_hw[1]}×{self.size_hw[0]}")
        return array[self.top : self.bottom, self.left : self.right].copy()


@dataclass(frozen=True, slots=True)
class PictureFiles:
    """A colour picture, and its depth in a second file unless it is unlabelled.

    read_depth: a function of a module (it must pickle) from the file to `h w` float32 inverse depth.
    """

    image: Path
    depth: Path | None = None
    read_depth: DepthReader | None = None
    crop: Crop | None = None

    @property
    def paths(self) -> tuple[Path, ...]:
        return (self.image,) if self.depth is None else (self.image, self.depth)

    def read(self) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        image = read_rgb(self.image)
        if self.depth is None or self.read_depth is None:
            target = np.full(image.shape[:2], np.nan, np.float32)
        else:
            target = self.read_depth(self.depth)
        if image.shape[:2] != target.shape:
            raise DataError(f"{self.image}: picture {_size(image)} and depth {_size(target)} differ in size")
        if self.crop is None:
            return image, target
        return self.crop.of(image, self.image), self.crop.of(target, self.image)


def read_rgb(path: Path) -> NDArray[np.uint8]:
    """A colour picture, `h w 3` uint8 RGB, turned upright as its EXIF says. Raises DataError."""
    image = _decode(path, cv2.IMREAD_COLOR_RGB)
    if image is None:
        raise DataError(f"{path}: not a readable picture")
    return image.astype(np.uint8, copy=False)


def read_millimetres(path: Path) -> NDArray[np.float32]:
    """16-bit grey, millimetres, 0 = none → inverse depth. Raises DataError."""
    return inverse_depth(_grey(path, (np.dtype(np.uint16),)), 1000.0 * NEAREST_M)


def read_disparity(path: Path) -> NDArray[np.float32]:
    """16-bit grey, brighter = nearer, 0 = none → the same over its maximum. Raises DataError."""
    raw = _grey(path, (np.dtype(np.uint16),)).astype(np.float32)
    return np.where(raw > 0, raw / max(float(raw.max()), 1.0), np.nan).astype(np.float32)


def read_kaggle_depth(path: Path) -> NDArray[np.float32]:
    """8-bit grey with 255 = 10 m, or 16-bit grey in millimetres; 0 = none → inverse depth. Raises DataError.

    The training files of this layout are of the first kind and its test files of the second
    (Hu et al. 2019, arXiv:1803.08673, whose files they are).
    """
    raw = _grey(path, (np.dtype(np.uint8), np.dtype(np.uint16)))
    return inverse_depth(raw, NEAREST_M * 255.0 / 10.0 if raw.dtype == np.uint8 else 1000.0 * NEAREST_M)


def inverse_depth(depth: NDArray[np.generic], nearest: float) -> NDArray[np.float32]:
    """`nearest / depth` clipped to 1, float32; what is not above 0 or not finite becomes NaN.

    nearest: 0.5 m in the unit of `depth`.
    """
    z = depth.astype(np.float32)
    valid = np.isfinite(z) & (z > 0)
    return np.where(valid, np.minimum(nearest / np.where(valid, z, 1.0), 1.0), np.nan).astype(np.float32)


def _grey(path: Path, dtypes: tuple[np.dtype[np.generic], ...]) -> NDArray[np.generic]:
    depth = _decode(path, cv2.IMREAD_UNCHANGED)
    expected = " or ".join(f"{8 * dtype.itemsize}-bit" for dtype in dtypes) + " grey depth"
    if depth is None:
        raise DataError(f"{path}: not a readable picture; expected {expected}")
    if depth.ndim != 2 or depth.dtype not in dtypes:
        colours = "grey" if depth.ndim == 2 else f"{depth.shape[2]}-channel"
        raise DataError(f"{path}: got {8 * depth.itemsize}-bit {colours}; expected {expected}")
    return depth


def _decode(path: Path, flags: int) -> NDArray[np.generic] | None:
    """The picture, or None. From memory, because OpenCV reads a file that breaks off as if it were whole."""
    try:
        data = np.fromfile(path, np.uint8)
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from error
    try:
        return cv2.imdecode(data, flags) if len(data) else None
    except cv2.error:  # more pixels than OpenCV allows
        return None


def _size(array: NDArray[np.generic]) -> str:
    return f"{array.shape[1]}×{array.shape[0]}"
