"""Live pictures on their way to a card: a decoder's own planes, where nothing is to be done to them before."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from pullfocus.engines.build import EngineRequest
from pullfocus.kernels.cuda import HostYuv
from pullfocus.kernels.cuda.card import Card
from pullfocus.stream import prepare
from pullfocus.stream.adjusted import Adjusted
from pullfocus.stream.card_choice import choose_card
from pullfocus.stream.config import Settings
from pullfocus.stream.frame import Frame, for_card
from pullfocus.stream.live_job import run_live
from pullfocus.stream.live_request import LiveRequest
from pullfocus.stream.live_sources import LiveSource, open_source
from pullfocus.stream.network_in import StreamInput
from pullfocus.stream.piped import PipeInput
from pullfocus.stream.reconnecting import Reconnecting
from pullfocus.stream.synthetic import SyntheticSource
from pullfocus.stream.video_in import VideoSource

from .clip import write_clip
from .cuda_shim.card import LateCard
from .fake_card import CountingLauncher
from .flaky import FlakyCamera
from .live_run import decoded

COUNT = 8
SETTINGS = Settings(engine=EngineRequest("plane"), layers=3)


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return write_clip(tmp_path / "in.mp4", frames=COUNT, size_wh=(96, 64))


def planes_in(frames: list[Frame]) -> list[bool]:
    return [isinstance(cast(Any, frame.picture), HostYuv) for frame in frames]


def adjusted(path: Path, size_hw: tuple[int, int] | None, mirror: bool, planes: bool) -> list[Frame]:
    with VideoSource(str(path)) as film:
        for_card(film, planes)
        return list(Adjusted(film, size_hw, lambda: mirror, 0).frames())


@pytest.mark.parametrize(("size_hw", "kept"), [(None, True), ((64, 96), True), ((32, 48), False)])
@pytest.mark.parametrize("mirror", [False, True])
def test_planes_are_kept_unless_pixels_have_to_be_moved(
    clip: Path, size_hw: tuple[int, int] | None, mirror: bool, kept: bool
) -> None:
    ours, theirs = (adjusted(clip, size_hw, mirror, planes) for planes in (True, False))
    assert planes_in(ours) == [kept and not mirror] * COUNT
    for frame, other in zip(ours, theirs, strict=True):
        given: Any = frame.picture
        assert (frame.pts, frame.size_hw) == (other.pts, other.size_hw)
        np.testing.assert_array_equal(given.rgb() if isinstance(given, HostYuv) else given, other.picture)


def test_a_stream_gives_planes_from_when_it_is_asked_to(clip: Path) -> None:
    source = Reconnecting("film", lambda: StreamInput(f"file:{clip}"), live=False, start_s=60.0)
    try:
        for_card(source, True)  # its first picture is there already, and the next may be
        given = planes_in(list(source.frames()))
    finally:
        source.close()
    assert len(given) == COUNT
    assert given[0] is False
    assert all(given[3:])


@pytest.fixture
def piped_clip(tmp_path: Path) -> Iterator[None]:
    """A film on standard input."""
    before = os.dup(0)
    with write_clip(tmp_path / "piped.mkv", frames=COUNT, size_wh=(96, 64)).open("rb") as film:
        os.dup2(film.fileno(), 0)
    yield
    os.dup2(before, 0)
    os.close(before)


@pytest.mark.usefixtures("piped_clip")
def test_a_pipe_gives_planes() -> None:
    pipe = PipeInput(None, live=False)
    for_card(pipe, True)
    assert pipe.for_card
    assert planes_in(list(pipe.frames())) == [True] * COUNT
    pipe.close()


def test_what_has_no_decoder_goes_on_giving_rgb() -> None:
    camera = FlakyCamera()
    source = Reconnecting("camera 7", camera.opened, own_size=True)
    try:
        for_card(source, True)
        frames = source.frames()
        assert planes_in([next(frames) for _ in range(4)]) == [False] * 4
    finally:
        source.close()
    synthetic = SyntheticSource((64, 96), live=False, frames=2)
    for_card(synthetic, True)
    assert planes_in(list(synthetic.frames())) == [False] * 2


class Counted:
    """A card for all runs, which counts its launches."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
        self.launcher = CountingLauncher(folder)

        def chosen(settings: Settings, size_hw: tuple[int, int] | None) -> Card | None:
            card = choose_card(settings, size_hw, opened=lambda: LateCard(self.launcher))
            self.launcher.launched.clear()  # of the trial
            return card

        monkeypatch.setattr(prepare, "choose_card", chosen)


@pytest.mark.parametrize("mirror", [False, True])
def test_a_live_run_on_a_card_sends_it_planes(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest, mirror: bool
) -> None:
    request.getfixturevalue("shim")  # skips without a compiler
    counted = Counted(monkeypatch, request.config.cache.mkdir("cuda_shim"))
    out = tmp_path / "out.mkv"
    report = run_live(LiveRequest(str(clip), (str(out),), mirror=mirror), SETTINGS)
    assert report.engine.endswith("pictures on shim")
    assert report.frames == len(decoded(out)) == COUNT
    assert counted.launcher.launched["rgb_of_yuv"] == (0 if mirror else COUNT)


def test_without_a_card_a_live_run_is_given_rgb(clip: Path, tmp_path: Path) -> None:
    opened = list[LiveSource]()

    def watched(stack: ExitStack, request: LiveRequest) -> LiveSource:
        opened.append(open_source(stack, request))
        return opened[-1]

    run_live(LiveRequest(str(clip), (str(tmp_path / "out.mkv"),)), SETTINGS, watched)
    assert [cast(Any, source).for_card for source in opened] == [False]
