"""The net's shape, and what it wants as input: its size for a picture's shape, and its normalisation."""

from __future__ import annotations

from typing import cast

import cv2

from ..kernels.api import Picture
from .there import PictureThere

MEAN = (0.485, 0.456, 0.406)  # ImageNet, RGB in [0, 1]
STD = (0.229, 0.224, 0.225)
STRIDE = 32
BLOCKS = {"resnet18": (2, 2, 2, 2), "resnet50": (3, 4, 6, 1)}  # of each stage
BN_EPSILON = 1e-5
SHORT_SIDE_PX = {"fast": 192, "fine": 256}
MAX_ASPECT = 2.0  # longer pictures are squeezed: the net has never seen them


def net_size(height: int, width: int, quality: str = "fast") -> tuple[int, int]:
    """(h, w) in pixels at which the net looks at a picture: multiples of 32, nearly the same aspect.

    >>> net_size(720, 1280), net_size(480, 640, "fine")
    ((192, 352), (256, 352))
    """
    short = SHORT_SIDE_PX[quality]
    aspect = min(max(height, width) / min(height, width), MAX_ASPECT)
    long = round(short * aspect / STRIDE) * STRIDE
    return (short, long) if width >= height else (long, short)


def shrunk_to(picture: Picture | PictureThere, size_hw: tuple[int, int]) -> Picture:
    """The picture at the net's size, by means of the pixels under each; in main memory.

    Large ones are halved first: that is exact and quick, and OpenCV's means of uneven areas cost three times as much.
    """
    if isinstance(picture, PictureThere):
        return picture.here(size_hw)
    height, width = picture.shape[:2]
    if height >= 3 * size_hw[0] and width >= 3 * size_hw[1] and height % 2 == width % 2 == 0:
        half = cv2.resize(picture, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
        return shrunk_to(cast(Picture, half), size_hw)
    return cast(Picture, cv2.resize(picture, size_hw[::-1], interpolation=cv2.INTER_AREA))
