"""A decoder's own pictures, and an encoder's, on the card."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import numpy as np
import pytest
from pullfocus.kernels.api import Picture
from pullfocus.kernels.cuda import DevicePicture
from pullfocus.stream.focus import FocusPuller
from pullfocus.stream.frame import Frame, Rendered
from pullfocus.stream.parts import net_parts
from pullfocus.stream.targets import Point

from .card_films import (
    SETTINGS,
    SYSTEM,
    BrightnessThere,
    Film,
    check_same,
    decoded_here,
    decoded_there,
    nv12_of,
    stages_of,
    through,
    turned,
)
from .cuda_shim.card import LateCard
from .cuda_shim.launcher import ShimLauncher


@pytest.mark.parametrize("decoded", [decoded_there, decoded_here])
@pytest.mark.parametrize("early", [(), ("upload",)])
def test_a_decoder_s_pictures_are_turned_to_rgb_on_the_card(
    shim: ShimLauncher, decoded: Callable[[Frame, ShimLauncher], Frame], early: tuple[str, ...]
) -> None:
    settings = replace(SETTINGS, focus=Point(0.4, 0.4))  # which looks at the picture in main memory
    given = (decoded(frame, shim) for frame in Film(6, 4).frames())
    card = LateCard(shim, early)
    upload, *rest = stages_of(settings, card)
    ours = list[Rendered]()
    for frame in given:
        item: Any = upload(frame)
        del frame  # the decoder's memory is used again as soon as nobody holds it
        ours += through(rest, [item])
    expected = through(stages_of(settings, None), [turned(frame, shim) for frame in Film(6, 4).frames()])
    check_same(ours, expected)


def test_an_encoder_on_the_card_gets_its_picture_there(shim: ShimLauncher, card: LateCard) -> None:
    parts = net_parts(BrightnessThere(), SETTINGS, card=card)
    stages = parts.stages(SETTINGS, FocusPuller(SETTINGS), nv12=SYSTEM)
    frames = [decoded_there(frame, shim) for frame in Film(4, 9).frames()]
    fetched = len(card.log)
    ours = through(stages, frames)
    here = through(stages_of(SETTINGS, LateCard(shim)), frames)
    for there, expected in zip(ours, here, strict=True):
        picture: Any = there.picture
        assert isinstance(picture, DevicePicture)
        planes = np.vstack([np.from_dlpack(plane) for plane in (picture.luma, picture.chroma)])
        np.testing.assert_array_equal(planes, nv12_of(cast(Picture, expected.picture), shim))
    sizes = [line for line in card.log[fetched:] if line == "download fetch"]
    assert len(sizes) == len(frames)  # the small depth alone
