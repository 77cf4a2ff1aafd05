"""720p frames to measure with: of a clip, or of a photo that an installed package carries, which has any size."""

from __future__ import annotations

from fractions import Fraction
from importlib.resources import as_file, files
from itertools import islice
from pathlib import Path
from typing import cast

import cv2
import numpy as np

from ..kernels.api import Picture
from ..stream.frame import Frame
from ..stream.pictures import read_picture
from ..stream.video_in import VideoSource

SIZE_HW = (720, 1280)
PAN_PX = 2  # per frame, of 1280


def frames_720p(clip: Path | None, count: int) -> list[Frame]:
    """Up to `count` frames, decoded in advance, so that no decoder works while others are timed."""
    if clip is None:
        return panned_photo(count)
    with VideoSource(str(clip)) as source:
        return [
            Frame(_fitted(frame.picture8), frame.index, frame.pts, frame.time_base)
            for frame in islice(source.frames(), count)
        ]


def panned_photo(count: int, size_hw: tuple[int, int] = SIZE_HW) -> list[Frame]:
    """scikit-learn's photo of a temple, under which a window of `size_hw` moves to and fro."""
    with as_file(files("sklearn.datasets").joinpath("images", "china.jpg")) as path:
        photo = read_picture(path)
    height, width = size_hw
    large = cast(Picture, cv2.resize(photo, (width * 9 // 8, height * 9 // 8), interpolation=cv2.INTER_CUBIC))
    return [Frame(_window(large, size_hw, index), index, index, Fraction(1, 30)) for index in range(count)]


def _window(large: Picture, size_hw: tuple[int, int], index: int) -> Picture:
    height, width = size_hw
    room = large.shape[1] - width
    step = max(1, round(PAN_PX * width / SIZE_HW[1]))
    x = room - abs(index * step % (2 * room) - room)
    return np.ascontiguousarray(large[:height, x : x + width])


def _fitted(picture: Picture) -> Picture:
    height, width = SIZE_HW
    if picture.shape[:2] == SIZE_HW:
        return picture
    return cast(Picture, cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA))
