"""Recordings and stills made while a live run goes on: they play, replace nothing, and cost the run nothing."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from itertools import count
from pathlib import Path
from shutil import disk_usage
from time import monotonic

import av
import cv2
import numpy as np
import pytest
from pullfocus.kernels.errors import OutputError
from pullfocus.stream import take_file
from pullfocus.stream.clock import MILLISECOND
from pullfocus.stream.config import Settings
from pullfocus.stream.encoding_wish import EncodingWish
from pullfocus.stream.fitting import fitted
from pullfocus.stream.frame import FocusPlan, Frame, Layered, Rendered, Sensed
from pullfocus.stream.takes import Takes

from .clip import draw
from .command import wait_for
from .scene import CENTRES

STEP_MS = 40
DEPTH = np.zeros((12, 16), np.float32)


def rendered(index: int, size_wh: tuple[int, int] = (160, 96), first_ms: int = 7000) -> Rendered:
    """A square that moves, in a run that has gone on for a while."""
    picture = draw(index, size_wh)
    frame = Frame(picture, index, first_ms + index * STEP_MS, MILLISECOND)
    return Rendered(Layered(Sensed(frame, DEPTH), CENTRES, FocusPlan(0.5, 7.0, 0.0)), picture)


def make(folder: Path | None, wish: EncodingWish | None = None) -> Takes:
    return Takes(folder, Settings(encoding=wish or EncodingWish()), rate=25.0)


def play(path: Path) -> list[tuple[float, np.ndarray]]:
    with av.open(str(path)) as container:
        return [(frame.time or 0.0, frame.to_ndarray(format="rgb24")) for frame in container.decode(video=0)]


def feed(takes: Takes, frames: list[Rendered]) -> None:
    for frame in frames:
        takes.write(frame)


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """No frame is dropped, however slow the encoder is."""
    monkeypatch.setattr(take_file, "CAPACITY", 1000)


@pytest.mark.usefixtures("patient")
def test_a_recording_holds_the_frames_between_its_two_requests_with_their_times(tmp_path: Path) -> None:
    takes = make(tmp_path / "new" / "folder")
    feed(takes, [rendered(0)])
    assert takes.recording is None
    assert takes.record(False) is None
    path = takes.record(True)
    assert path is not None
    assert takes.recording == path == takes.record(True)
    feed(takes, [rendered(index) for index in range(1, 21)])
    assert not path.exists()  # not before it is whole
    assert takes.record(False) == path
    feed(takes, [rendered(99)])
    takes.close()
    frames = play(path)
    assert [time_s for time_s, _ in frames] == pytest.approx([index * 0.04 for index in range(20)])
    for index in (0, 19):
        assert np.abs(frames[index][1].astype(int) - draw(1 + index, (160, 96))).mean() < 3
    assert takes.news() == [f"saved {path} (20 frames)"]
    assert takes.news() == []
    assert list(path.parent.iterdir()) == [path]


def test_stills_are_the_next_frame_exactly_and_names_do_not_repeat(tmp_path: Path) -> None:
    takes = make(tmp_path)
    paths = [takes.still(), takes.still()]
    for path in paths:
        assert path.name.startswith("pullfocus-20")
    takes.write(rendered(3))
    takes.write(rendered(4))
    takes.close()
    assert len(set(paths)) == 2
    assert sorted(tmp_path.iterdir()) == sorted(paths)
    for path in paths:
        np.testing.assert_array_equal(cv2.imread(str(path), cv2.IMREAD_COLOR_RGB), draw(3, (160, 96)))


@pytest.mark.usefixtures("patient")
def test_two_recordings_in_one_second_are_two_files_also_from_two_sinks(tmp_path: Path) -> None:
    both = [make(tmp_path), make(tmp_path)]
    for takes in both:
        takes.record(True)
        feed(takes, [rendered(0), rendered(1)])
        takes.record(False)
        takes.record(True)
        feed(takes, [rendered(2), rendered(3), rendered(4)])
    for takes in both:
        takes.close()  # which also ends what is being recorded
    assert sorted(len(play(path)) for path in tmp_path.iterdir()) == [2, 2, 3, 3]


@pytest.mark.usefixtures("patient")
def test_another_view_is_fitted_into_the_recording_that_goes_on(tmp_path: Path) -> None:
    takes = make(tmp_path)
    path = takes.record(True)
    feed(takes, [rendered(0), rendered(1, (320, 96)), rendered(2)])
    takes.close()
    assert path is not None
    first, wide, last = (picture for _, picture in play(path))
    assert first.shape == wide.shape == last.shape == (96, 160, 3)
    assert wide[:20].max() < 12
    assert wide[76:].max() < 12
    assert wide[30:66].std() > 20


def test_fitting_keeps_the_ratio_and_centres() -> None:
    white = np.full((10, 20, 3), 255, np.uint8)
    wide = fitted(white, (40, 40))
    assert (wide[10:30] == 255).all()
    assert wide.sum() == 255 * 3 * 20 * 40
    assert fitted(white, (10, 20)) is white


def test_a_slow_encoder_does_not_hold_up_the_run(tmp_path: Path) -> None:
    takes = make(tmp_path)
    large = draw(0, (1280, 720))
    frames = [replace(rendered(index), picture=large) for index in range(400)]
    takes.record(True)
    started_s = monotonic()
    feed(takes, frames)
    took_s = monotonic() - started_s
    takes.close()
    said = takes.news()[-1]
    assert "dropped" in said  # 400 large frames at once are more than any encoder takes
    kept, lost = (int(word) for word in said.replace("(", " ").split() if word.isdecimal())
    assert kept + lost == 400
    assert took_s < 4.0
    (path,) = tmp_path.iterdir()
    assert len(play(path)) == kept


@pytest.mark.usefixtures("patient")
def test_a_nearly_full_disk_ends_the_recording_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(take_file, "RESERVE_BYTES", disk_usage(tmp_path).total + 1)
    takes = make(tmp_path)
    path = takes.record(True)
    assert path is not None
    index = count()

    def has_ended() -> bool:
        takes.write(rendered(next(index)))
        return takes.recording is None

    wait_for(has_ended)
    takes.close()
    assert takes.news() == [f"the disk is nearly full: recording ended, saved {path} ({take_file.CHECK_EVERY} frames)"]
    assert len(play(path)) == take_file.CHECK_EVERY


FULL_DISK = """
import resource, signal, sys
from pathlib import Path
import numpy as np
from tests.test_takes import make, rendered
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))
takes = make(Path(sys.argv[1]))
takes.record(True)
takes.still()
for index in range(200):
    takes.write(rendered(index, (320, 240)))
takes.close()
takes.write(rendered(0))
print("the run goes on")
"""


def test_a_full_disk_is_told_and_the_run_goes_on(tmp_path: Path) -> None:
    """A real one: the system refuses bytes beyond the limit, as it does when no room is left."""
    root = Path(__file__).parent.parent
    code = f"import sys; sys.path.append({str(root)!r}){FULL_DISK}"
    command = [sys.executable, "-c", code, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "the run goes on\n"
    assert "recording lost: " in done.stderr
    assert "still lost: " in done.stderr
    assert done.stderr.count("cannot write") == done.stderr.count("\n") == 2
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_an_output_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    takes = make(tmp_path / "file" / "takes")
    for ask in (lambda: takes.record(True), takes.still):
        with pytest.raises(OutputError, match="cannot make this folder"):
            ask()
    assert takes.recording is None


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize(
    ("wish", "codec"), [(EncodingWish(codec="hevc"), "hevc"), (EncodingWish(codec="prores"), "h264")]
)
def test_a_wish_for_the_output_is_met_where_mp4_can(wish: EncodingWish, codec: str, tmp_path: Path) -> None:
    takes = make(tmp_path, wish)
    path = takes.record(True)
    feed(takes, [rendered(index) for index in range(12)])
    takes.close()
    with av.open(str(path)) as container:
        assert container.streams.video[0].codec_context.name == codec


def test_without_a_folder_takes_go_where_the_user_keeps_such_things(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("VIDEOS", "PICTURES"):
        monkeypatch.setenv(f"XDG_{name}_DIR", str(tmp_path / name))
    takes = make(None)
    recording, still = takes.record(True), takes.still()
    feed(takes, [rendered(0)])
    takes.close()
    assert recording is not None
    assert (recording.parent.name, still.parent.name) == ("VIDEOS", "PICTURES")
    assert recording.is_file()
    assert still.is_file()
