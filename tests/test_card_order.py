"""What the card does and when: nothing is read or written too early, and no more memory is asked for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pullfocus.kernels.cuda import DevicePicture
from pullfocus.kernels.cuda.card import Mark
from pullfocus.kernels.cuda.memory import Lease
from pullfocus.stream.frame import Rendered
from pullfocus.stream.upload import MOST_HELD, UploadStage

from .card_films import SETTINGS, Film, check_same, decoded_there, stages_of, through, turned
from .cuda_shim.card import LateCard, LateLane, LateMark
from .cuda_shim.launcher import ShimLauncher


def test_the_order_of_one_frame_s_work(card: LateCard) -> None:
    stages = stages_of(SETTINGS, card)
    through(stages, Film(4, 9).frames())
    # The net's picture, depth and refocus. The first two frames know less of the past; the third came but once.
    assert card.log.count("capture") == 3
    card.log.clear()
    through(stages, list(Film(5, 9).frames())[4:])
    assert card.log == [
        "upload after compute",  # the piece of memory has been another frame's
        "upload send",
        "compute after upload",
        "compute fetch",  # what layers and focus look at
        "wait compute",
        "download after compute",
        "download fetch",
        "download fetch",
        "wait download",
    ]


def test_no_memory_is_asked_for_once_it_runs(card: LateCard) -> None:
    """But for CuPy's pool, which the GPU's own test counts."""
    stages, kept = stages_of(SETTINGS, card), list[Rendered]()
    frames = list(Film(9, 99).frames())
    for frame in frames[:4]:
        kept = [*kept, *through(stages, [frame])][-2:]  # a sink that holds two
    pinned = card.pinned_count
    for frame in frames[4:]:
        kept = [*kept, *through(stages, [frame])][-2:]
    assert card.pinned_count == pinned


def _depth_of_dropped(card: LateCard) -> Rendered:
    """The last of some frames, of which all others were dropped after the depth stage, as live frames may be."""
    upload, depth, *rest = stages_of(SETTINGS, card)
    frames = list(Film(5, 9).frames())
    for frame in frames[:-1]:
        depth(upload(frame))
    return through([upload, depth, *rest], frames[-1:])[0]


def _pictures_of_dropped(shim: ShimLauncher) -> list[Any]:
    """What the card has of a decoder's frames that were dropped as soon as they were sent: more than are held."""
    card = LateCard(shim)
    upload = stages_of(SETTINGS, card)[0]
    there = [upload(decoded_there(frame, shim)) for frame in Film(MOST_HELD + 3, 9).frames()]
    card.upload.mark().wait()
    return [frame.picture for frame in there]


def test_a_decoder_s_picture_is_held_until_the_card_has_read_it(
    shim: ShimLauncher, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = [turned(frame, shim).picture for frame in Film(MOST_HELD + 3, 9).frames()]
    np.testing.assert_array_equal(_pictures_of_dropped(shim), expected)

    def forgotten(self: UploadStage, ready: Mark, picture: DevicePicture) -> None:
        del self, ready, picture

    monkeypatch.setattr(UploadStage, "_hold", forgotten)
    assert not np.array_equal(_pictures_of_dropped(shim)[-1], expected[-1]), "the test would not see it"


def test_what_a_dropped_frame_leaves_behind_is_not_used_too_early(
    shim: ShimLauncher, monkeypatch: pytest.MonkeyPatch
) -> None:
    early = ("upload",)  # it overwrites as soon as it may
    all_frames = through(stages_of(SETTINGS, None), Film(5, 9).frames())
    dropped = _depth_of_dropped(LateCard(shim, early))
    small, expected = dropped.layered.sensed.small, all_frames[-1].layered.sensed.small
    assert small is not None
    assert expected is not None
    assert np.abs(small - expected).mean() <= 0.002

    def forgotten(self: Lease, until: Mark) -> None:
        del self, until

    monkeypatch.setattr(Lease, "busy", forgotten)
    spoilt = _depth_of_dropped(LateCard(shim, early)).layered.sensed.small
    assert spoilt is not None
    assert np.abs(spoilt - expected).mean() > 0.004, "the test would not see it"


@pytest.mark.parametrize("lane", ["upload", "compute"])
def test_the_card_of_the_tests_sees_a_wait_that_is_missing(
    card: LateCard, monkeypatch: pytest.MonkeyPatch, lane: str
) -> None:
    before = through(stages_of(SETTINGS, None), Film(3, 9).frames())

    def forgotten(self: LateLane, mark: Mark) -> None:
        if not isinstance(mark, LateMark) or mark.lane.name != lane:
            after(self, mark)

    after = LateLane.after
    monkeypatch.setattr(LateLane, "after", forgotten)
    with pytest.raises(AssertionError):
        check_same(through(stages_of(SETTINGS, card), Film(3, 9).frames()), before)
