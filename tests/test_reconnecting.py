"""Inputs that stall, go away, come back in another size, never come, or end."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from threading import Event, Thread
from time import monotonic, sleep

import av
import numpy as np
import pytest
from pullfocus.engines.build import EngineRequest
from pullfocus.engines.plane import PlaneEngine
from pullfocus.kernels import load
from pullfocus.kernels.errors import InputError
from pullfocus.stream.clock import MILLISECOND
from pullfocus.stream.config import Settings
from pullfocus.stream.fitting import fitted
from pullfocus.stream.frame import Frame, Sensed
from pullfocus.stream.live_job import run_live
from pullfocus.stream.live_request import LiveRequest
from pullfocus.stream.pipeline import Interrupted
from pullfocus.stream.reconnecting import LiveInput, Reconnecting
from pullfocus.stream.report import Report
from pullfocus.stream.stages import DepthStage, NetDepth

from .command import wait_for
from .flaky import FlakyCamera

pytestmark = pytest.mark.real_time

STALL_S = 0.3
PLANE = Settings(engine=EngineRequest("plane"))


class Watched:
    """A source for `run_live` and what it told the user, as the test opens it."""

    def __init__(self, camera: FlakyCamera) -> None:
        self.told: list[str] = []
        self.source = Reconnecting("camera 7", camera.opened, own_size=True, tell=self.told.append, stall_s=STALL_S)

    def open(self, stack: ExitStack, request: LiveRequest) -> Reconnecting:
        stack.callback(self.source.close)
        return self.source

    def says(self, *words: str) -> bool:
        return any(all(word in line for word in words) for line in self.told)


def lived(watched: Watched, request: LiveRequest, script: Callable[[], object]) -> Report:
    """Run until `script`, in a thread beside it, is done; it ends the run as its user does, by Ctrl-C."""
    failed: list[BaseException] = []

    def work() -> None:
        try:
            script()
        except BaseException as error:
            failed.append(error)
        finally:
            os.kill(os.getpid(), signal.SIGINT)

    beside = Thread(target=work, daemon=True)
    beside.start()
    with pytest.raises(Interrupted) as caught:
        run_live(request, PLANE, watched.open)
    beside.join()
    assert not failed, failed
    return caught.value.report


def test_a_run_outlives_a_lost_a_stalled_and_a_changed_camera(tmp_path: Path) -> None:
    camera, out = FlakyCamera(), tmp_path / "out.mkv"
    watched = Watched(camera)

    def script() -> None:
        wait_for(lambda: camera.given > 20)
        camera.unplug()
        wait_for(lambda: watched.source.is_away)
        camera.plug((120, 128))
        wait_for(lambda: watched.says("back"))
        given = camera.given
        wait_for(lambda: camera.given > given + 10)
        camera.is_running.clear()
        wait_for(lambda: sum("waiting" in line for line in watched.told) == 2)
        camera.is_running.set()
        wait_for(lambda: sum("back" in line for line in watched.told) == 2)
        given = camera.given
        wait_for(lambda: camera.given > given + 10)

    report = lived(watched, LiveRequest("7", (str(out),)), script)
    assert watched.told[0] == "camera 7 gives 128×96"
    assert watched.source.first_hw == (96, 128)  # also after it came back in another size
    assert watched.says("camera 7 gave no picture for 0.3 s", "stopped giving pictures", "waiting for it")
    assert watched.says("camera 7 gives 128×120")
    assert report.losses == 2
    assert report.away_s >= 2 * STALL_S
    assert "the source was away" in report.summary()
    assert camera.closes >= 2
    with av.open(str(out)) as container:
        frames = [(frame.time or 0.0, frame.to_ndarray(format="rgb24")) for frame in container.decode(video=0)]
    assert len(frames) == report.frames > 30
    assert {picture.shape for _, picture in frames} == {(96, 128, 3)}
    # The taller picture is fitted in: bars at its sides. Its middle is not black.
    assert frames[-1][1][:, :8].mean() < 10 < frames[-1][1][:, 40:88].mean()
    times_s = [time_s for time_s, _ in frames]
    assert times_s == sorted(times_s)
    assert max(np.diff(times_s)) < 1.0  # repeated meanwhile
    assert times_s[-1] == pytest.approx(report.elapsed_s, abs=1.5)  # a loss is as long as it was


def test_ctrl_c_is_heard_while_the_camera_is_away_and_its_driver_blocks() -> None:
    camera = FlakyCamera()
    watched = Watched(camera)

    def script() -> None:
        wait_for(lambda: camera.given > 3)
        camera.is_running.clear()
        wait_for(lambda: watched.source.is_away)

    started_s = monotonic()
    report = lived(watched, LiveRequest("7", ("null",)), script)
    assert monotonic() - started_s < 20
    assert report.losses == 1
    camera.is_running.set()


def test_a_camera_that_is_not_there_at_the_start_is_an_error() -> None:
    camera = FlakyCamera()
    camera.unplug()
    with pytest.raises(InputError, match="camera 7 cannot be opened"):
        Reconnecting("camera 7", camera.opened)
    assert camera.opens == 1


def test_a_camera_without_a_first_picture_is_an_error() -> None:
    camera = FlakyCamera()
    camera.is_running.clear()
    with pytest.raises(InputError, match=r"camera 7: no picture within 0\.2 s"):
        Reconnecting("camera 7", camera.opened, start_s=0.2)
    camera.is_running.set()


class Film:
    """Five frames; `breaks`: then an error. Faster than anybody reads."""

    ends = True
    notes: list[str] = []  # noqa: RUF012

    def __init__(self, breaks: bool = False) -> None:
        self._breaks = breaks

    def frames(self) -> Iterator[Frame]:
        for index in range(5):
            yield Frame(np.zeros((16, 16, 3), np.uint8), index, 40 * index, MILLISECOND)
        if self._breaks:
            raise InputError("the pipe is damaged")

    def close(self) -> None:
        pass


def test_what_is_not_live_loses_nothing_and_ends() -> None:
    source = Reconnecting("-", Film, live=False)
    sleep(0.05)  # nobody reads yet
    assert [frame.pts for frame in source.frames()] == [0, 40, 80, 120, 160]


def test_an_input_that_ends_and_breaks_is_not_waited_for() -> None:
    source = Reconnecting("-", lambda: Film(breaks=True), live=False)
    with pytest.raises(InputError, match="the pipe is damaged"):
        list(source.frames())


def test_what_is_live_drops_what_is_old() -> None:
    source = Reconnecting("-", Film, live=True)
    wait_for(lambda: not source._reader.is_alive())  # pyright: ignore[reportPrivateUsage]
    assert [frame.pts for frame in source.frames()] == [160]


def test_a_defect_in_reading_is_raised_in_the_run() -> None:
    go = Event()

    class Defect(Film):
        def frames(self) -> Iterator[Frame]:
            yield next(super().frames())
            go.wait(10)
            raise ZeroDivisionError

    def opened() -> LiveInput:
        return Defect()

    source = Reconnecting("x", opened)
    frames = source.frames()
    next(frames)
    go.set()
    with pytest.raises(ZeroDivisionError):
        list(frames)


@pytest.mark.parametrize(
    ("of", "bars"), [((40, 40), (slice(None), slice(0, 20))), ((10, 80), (slice(0, 15), slice(None)))]
)
def test_a_picture_is_fitted_whole_and_undistorted(of: tuple[int, int], bars: tuple[slice, slice]) -> None:
    out = fitted(np.full((*of, 3), 200, np.uint8), (40, 80))
    assert out.shape == (40, 80, 3)
    assert not out[bars].any()
    assert (out[20, 40] == 200).all()
    assert (out == out[::-1, ::-1]).all()
    assert (out == 200).mean() == pytest.approx(0.5 if of == (40, 40) else 0.25)


def test_a_picture_that_fits_is_left_alone() -> None:
    picture = np.zeros((40, 80, 3), np.uint16)
    assert fitted(picture, (40, 80)) is picture


@pytest.mark.parametrize("known", [None, ()])
def test_another_size_begins_another_scene(known: tuple[int, ...] | None) -> None:
    stage, camera = DepthStage(NetDepth(PlaneEngine(), load("cpu"), Settings(net_every=4)), known), FlakyCamera()

    def sensed(index: int) -> Sensed:
        return stage(Frame(camera.picture(), index, 40 * index, MILLISECOND))

    assert not any(sensed(index).cut for index in range(2))
    camera.size_hw = (160, 120)
    assert sensed(2).cut
    after = sensed(3)
    assert not after.cut
    assert after.inverse_depth.shape == (160, 120)
