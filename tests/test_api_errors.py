"""What the Python interface refuses, and how it says so."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from pullfocus.kernels.errors import InputError
from pullfocus.stream import EngineRequest, Refocuser, Settings, refocus
from pullfocus.stream.targets import LayerNumber

from .api_pictures import PLANE, frame, ramp


@pytest.fixture
def refocuser() -> Refocuser:
    return Refocuser(Settings(engine=PLANE, aperture=20.0))


HOLES = ramp()
HOLES[3, :5] = np.nan
BAD_DEPTHS: dict[str, tuple[Any, str]] = {
    "integers": ((ramp() * 65535).astype(np.uint16), "48 80 uint16, expected h w floats in \\[0, 1\\]"),
    "channels": (np.zeros((4, 5, 1), np.float32), "4 5 1 float32"),
    "a list": ([[0.0, 1.0]], "got list"),
    "empty": (np.zeros((0, 5), np.float32), "0 5 float32"),
    "holes": (HOLES, "5 values that are NaN"),
    "metres": (ramp() * 4, "got 0 to 4, expected"),
    "negative": (ramp() - 0.5, "got -0.5 to 0.5"),
}


@pytest.mark.parametrize("name", BAD_DEPTHS)
def test_a_depth_that_cannot_be_used_is_told(name: str) -> None:
    depth, words = BAD_DEPTHS[name]
    with pytest.raises(InputError, match=words):
        refocus(frame(), depth, 0.5)


BAD_PICTURES: dict[str, tuple[Any, str]] = {
    "floats": (frame() / 255.0, "96 160 3 float64, expected h w 3 uint8"),
    "grey": (frame()[..., 0], "96 160 uint8"),
    "alpha": (np.zeros((4, 5, 4), np.uint8), "4 5 4 uint8"),
    "empty": (np.zeros((0, 5, 3), np.uint8), "0 5 3 uint8"),
    "nothing": (None, "NoneType"),
}


@pytest.mark.parametrize("name", BAD_PICTURES)
def test_a_picture_that_cannot_be_used_is_told_and_leaves_no_trace(refocuser: Refocuser, name: str) -> None:
    picture, words = BAD_PICTURES[name]
    with pytest.raises(InputError, match=words):
        refocus(picture, ramp(), 0.5)
    with pytest.raises(InputError, match=words):
        refocuser(picture, 100.0)
    refocuser(frame(), 0.0)


ANYTHING: Any = "star"
ANY_NONE: Any = None
ANY_HALF: Any = 2.5
BAD_CALLS: dict[str, tuple[Callable[[], Any], str]] = {
    "focus": (lambda: refocus(frame(), ramp(), 1.5), "expected auto, nearest"),
    "focus nan": (lambda: refocus(frame(), ramp(), float("nan")), "--focus nan"),
    "focus words": (lambda: refocus(frame(), ramp(), "me"), "--focus me"),
    "aperture": (lambda: refocus(frame(), ramp(), 0.5, -1.0), "--aperture: got -1, expected 0 to 50"),
    "dead zone": (lambda: refocus(frame(), ramp(), 0.5, dead_zone=float("nan")), "--dead-zone: got nan"),
    "focus none": (lambda: refocus(frame(), ramp(), ANY_NONE), "focus: got NoneType, expected an inverse depth"),
    "aperture text": (lambda: refocus(frame(), ramp(), 0.5, ANYTHING), "--aperture: got 'star', expected a number"),
    "half a layer": (lambda: Settings(layers=ANY_HALF), "--layers: got 2.5, expected a whole number"),
    "layers": (lambda: refocus(frame(), ramp(), 0.5, layers=1), "--layers"),
    "blades": (lambda: refocus(frame(), ramp(), 0.5, blades=5), "expected polygon"),
    "kernel": (lambda: refocus(frame(), ramp(), 0.5, kernel=ANYTHING), "--kernel: got 'star', expected disc, gau"),
    "quality": (lambda: Settings(engine=EngineRequest(quality=ANYTHING)), "--quality: got 'star', expected fast, fine"),
    "view": (lambda: Settings(view=ANYTHING), "--view: got 'star', expected refocus"),
}


@pytest.mark.parametrize("name", BAD_CALLS)
def test_values_out_of_range_are_told(name: str) -> None:
    call, words = BAD_CALLS[name]
    with pytest.raises(InputError, match=re.escape(words)):
        call()


def test_time_never_goes_back(refocuser: Refocuser) -> None:
    refocuser(frame(), 1.0)
    refocuser(frame(), 1.0)  # a paused video
    with pytest.raises(InputError, match=r"got 0\.5 after 1, expected a time that never goes back; call reset"):
        refocuser(frame(), 0.5)
    with pytest.raises(InputError, match="got nan, expected seconds"):
        refocuser(frame(), float("nan"))
    refocuser.reset()
    refocuser(frame(), 0.5)


def test_focus_is_checked_when_it_is_set(refocuser: Refocuser) -> None:
    for target in ("layer:7", LayerNumber(7), -0.1, "0.5,2"):
        with pytest.raises(InputError, match="--focus"):
            refocuser.focus_on(target)
    refocuser.focus_on("layer:6")
