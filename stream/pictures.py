"""Still pictures on disk."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from ..engines.atomic import written_aside
from ..kernels.api import AnyPicture, Picture
from ..kernels.errors import InputError
from .frame import Alpha

ENDINGS = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff")
ENDINGS_16 = (".png", ".tif", ".tiff")  # what holds 16 bits
ENDINGS_ALPHA = (".png", ".webp")  # OpenCV does not mark a TIFF's alpha as such
JPEG_QUALITY = 95


def read_picture(path: Path) -> Picture:
    """`h w 3` uint8 RGB, upright. Raises InputError."""
    if not path.is_file():
        raise InputError(f"{path} does not exist")
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR_RGB)
    if picture is None:
        raise InputError(f"{path}: not a readable picture; expected {', '.join(ENDINGS)}")
    return cast(Picture, picture)


def way_to_read(first: Path) -> int:
    """OpenCV's flags for pictures such as `first`, of whatever depth.

    With alpha, unless the file says that it is to be turned upright, which OpenCV does only without.
    """
    upright, as_it_is = cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH, cv2.IMREAD_UNCHANGED
    if first.suffix.lower() not in (".png", ".tif", ".tiff", ".webp"):
        return upright
    with suppress(cv2.error):
        seen, stored = cv2.imread(str(first), upright), cv2.imread(str(first), as_it_is)
        if seen is not None and stored is not None and not _same_way_up(seen, stored):
            return upright
    return as_it_is


def _same_way_up(colour: NDArray[Any], stored: NDArray[Any]) -> bool:
    return np.array_equal(colour[..., 0], stored if stored.ndim == 2 else stored[..., 0])


def read_whole(path: Path, flags: int) -> tuple[AnyPicture, Alpha | None]:
    """`h w 3` RGB, uint8 or uint16 as the file has it, and alpha `h w` if it has that. Raises InputError.

    flags: see `way_to_read`.
    """
    try:
        pixels = cv2.imread(str(path), flags)
    except cv2.error as error:
        raise InputError(f"{path}: not a readable picture ({error.err})") from error
    if pixels is None:
        raise InputError(f"{path}: not a readable picture; expected {', '.join(ENDINGS)}")
    if str(pixels.dtype) not in ("uint8", "uint16"):
        raise InputError(f"{path}: got {pixels.dtype} pixels, expected whole numbers of 8 or 16 bits")
    return with_alpha_apart(pixels)


def with_alpha_apart(pixels: NDArray[Any]) -> tuple[AnyPicture, Alpha | None]:
    """Of grey, BGR or BGRA pixels, as OpenCV has them."""
    channels = pixels.shape[2] if pixels.ndim == 3 else 1
    ways = {1: cv2.COLOR_GRAY2RGB, 3: cv2.COLOR_BGR2RGB, 4: cv2.COLOR_BGRA2RGB}
    alpha = np.ascontiguousarray(pixels[..., 3]) if channels == 4 else None
    return cast(AnyPicture, cv2.cvtColor(pixels, ways[channels])), alpha


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
