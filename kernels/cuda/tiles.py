"""Several pictures as one, with captions. See `...api.Kernels`."""

from __future__ import annotations

import numpy as np

from ..cpu.tiles import DARKER, caption
from .launch import DeviceArray, Kernel, Recordable

PASTE, CAPTION = Kernel("tiles.cu", "paste"), Kernel("tiles.cu", "caption")


def tiled(gpu: Recordable, columns: int, *pictures: DeviceArray) -> DeviceArray:
    """pictures: of one size, row after row."""
    height, width = pictures[0].shape[:2]
    wide = columns * width
    out = gpu.empty((len(pictures) // columns * height, wide, 3), np.uint8)
    for place, picture in enumerate(pictures):
        row, column = divmod(place, columns)
        gpu.launch(PASTE, (width, height), picture, height, width, out, wide, row * height, column * width)
    return out


def captioned(gpu: Recordable, picture: DeviceArray, text: str) -> DeviceArray:
    height, width = picture.shape[:2]
    lettering = caption(text, height, width)
    if lettering is None:
        return gpu.copy(picture)
    plate, out = gpu.table(("caption", text, height), lambda: lettering), gpu.empty(picture.shape, np.uint8)
    gpu.launch(CAPTION, (width, height), picture, height, width, plate, *plate.shape, DARKER, out)
    return out
