"""Find a camera by its number, its path or a part of its name."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path

import cv2

from ..kernels.errors import InputError
from .cameras import Camera

_NUMBER = re.compile(r"[0-9]{1,3}")
_NODE = re.compile(r"/dev/video([0-9]{1,3})")


def find_cameras() -> list[Camera]:
    """All that this system has, by number. Off Linux without modes, and with none but for `pullfocus[cameras]`."""
    if sys.platform == "linux":
        from .v4l2 import list_v4l2

        return list_v4l2()
    try:
        from cv2_enumerate_cameras import enumerate_cameras
    except ImportError:
        return []
    backend = cv2.CAP_DSHOW if sys.platform == "win32" else cv2.CAP_AVFOUNDATION
    return [Camera(found.index, found.path or "", found.name) for found in enumerate_cameras(backend)]


def camera_number(text: str) -> int | None:
    """The number of the camera that `text` gives by number or path, None for anything else."""
    if _NUMBER.fullmatch(text):
        return int(text)
    # /dev/v4l/by-id/… are links that keep their name wherever the camera is plugged in.
    node = _NODE.fullmatch(str(Path(text).resolve()) if text.startswith("/dev/v4l/") else text)
    return int(node[1]) if node else None


def pick(text: str, cameras: Sequence[Camera]) -> Camera:
    """The camera that `text` gives by number, path or a part of its name. Raises InputError."""
    number = camera_number(text)
    if number is not None:
        # One that is not listed may be there all the same where no list can be had.
        return next((camera for camera in cameras if camera.number == number), Camera(number))
    wanted = text.casefold()
    named = [camera for camera in cameras if wanted in camera.name.casefold()]
    exact = [camera for camera in named if camera.name.casefold() == wanted]
    found = exact if len(exact) == 1 else named
    if len(found) > 1:
        raise InputError(f"--source {text}: {listed(found)} have that name; give more of it, or the number")
    if not found:
        raise InputError(
            f"--source {text}: no such file, and no camera of that name (there is {listed(cameras) or 'none'}); "
            "expected a camera's number or name, a file, a URL, screen, - or synthetic"
        )
    return found[0]


def again(camera: Camera, cameras: Sequence[Camera]) -> Camera:
    """The same camera, which may have come back under another number. Raises InputError when it is not there."""
    if not camera.name:
        return camera  # nothing to know it by
    same = [other for other in cameras if other.name == camera.name]
    # Two of a kind are told apart by where they are plugged in.
    at_its_place = [other for other in same if other.bus == camera.bus]
    if not same:
        raise InputError(f"{camera} is not there")
    return (at_its_place or same)[0]


def listed(cameras: Sequence[Camera]) -> str:
    """In one line."""
    return ", ".join(map(str, cameras))
