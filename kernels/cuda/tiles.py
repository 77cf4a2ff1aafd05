"""Several pictures as one, with captions. See `...api.Kernels`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..cpu.tiles import DARKER, caption
from .launch import DeviceArray, Kernel, Launcher

PASTE, CAPTION = Kernel("tiles.cu", "paste"), Kernel("tiles.cu", "caption")


def tiled(gpu: Launcher, rows: Sequence[Sequence[DeviceArray]]) -> DeviceArray:
    height, width = rows[0][0].shape[:2]
    wide = len(rows[0]) * width
    out = gpu.empty((len(rows) * height, wide, 3), np.uint8)
    for i, row in enumerate(rows):
        for j, picture in enumerate(row):
            gpu.launch(PASTE, (width, height), picture, height, width, out, wide, i * height, j * width)
    return out


def captioned(gpu: Launcher, picture: DeviceArray, text: str) -> DeviceArray:
    height, width = picture.shape[:2]
    lettering = caption(text, height, width)
    if lettering is None:
        return gpu.copy(picture)
    plate, out = gpu.table(("caption", text, height), lambda: lettering), gpu.empty(picture.shape, np.uint8)
    gpu.launch(CAPTION, (width, height), picture, height, width, plate, *plate.shape, DARKER, out)
    return out
