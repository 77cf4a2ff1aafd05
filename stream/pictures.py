"""Still pictures on disk."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from ..engines.atomic import written_aside
from ..kernels.api import Picture
from ..kernels.errors import InputError

ENDINGS = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff")
ENDINGS_16 = (".png", ".tif", ".tiff")  # what holds 16 bits
ENDINGS_ALPHA = (*ENDINGS_16, ".webp")
JPEG_QUALITY = 95


def read_picture(path: Path) -> Picture:
    """`h w 3` uint8 RGB, upright. Raises InputError."""
    if not path.is_file():
        raise InputError(f"{path} does not exist")
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR_RGB)
    if picture is None:
        raise InputError(f"{path}: not a readable picture; expected {', '.join(ENDINGS)}")
    return cast(Picture, picture)


def write_picture(path: Path, pixels: NDArray[np.uint8 | np.uint16]) -> None:
    """RGB or grey pixels, in the format that the ending names. Raises InputError, OutputError."""
    check_ending(path)
    with written_aside(path) as aside:
        aside.write_bytes(encoded(path.suffix, pixels))


def encoded(ending: str, pixels: NDArray[np.uint8 | np.uint16]) -> bytes:
    """The file of `h w` grey, `h w 3` RGB or `h w 4` RGBA pixels; ending: one of ENDINGS that holds as much."""
    ways = {3: cv2.COLOR_RGB2BGR, 4: cv2.COLOR_RGBA2BGRA}
    bgr = cv2.cvtColor(pixels, ways[pixels.shape[2]]) if pixels.ndim == 3 else pixels
    options = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY] if ending.lower() in (".jpg", ".jpeg") else []
    _, data = cv2.imencode(ending.lower(), bgr, options)
    return data.tobytes()


def check_ending(path: Path) -> None:
    """Raises InputError when `path` does not end like a picture."""
    if path.suffix.lower() not in ENDINGS:
        raise InputError(f"{path}: got the ending {path.suffix!r}, expected {', '.join(ENDINGS)}")


def list_pictures(folder: Path) -> list[Path]:
    """The pictures in a folder, by name. Raises InputError when there are none."""
    found = sorted(p for p in folder.iterdir() if p.suffix.lower() in ENDINGS and not p.name.startswith("."))
    if not found:
        raise InputError(f"{folder} holds no pictures; expected files ending in {', '.join(ENDINGS)}")
    return found
