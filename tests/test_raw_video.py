"""`--sink -`: raw video for a program behind a pipe."""

from __future__ import annotations

import io
import shutil
import subprocess
from pathlib import Path

import av
import numpy as np
import pytest
from pullfocus.stream.clock import MILLISECOND
from pullfocus.stream.frame import Frame
from pullfocus.stream.live_info import nominal_rate
from pullfocus.stream.synthetic import SyntheticSource
from pullfocus.stream.y4m import Y4mSink

from .command import PULLFOCUS
from .unchanged import rendered

LIVE = [str(PULLFOCUS), "live", "--engine", "plane", "--source", "synthetic", "--sink", "-"]


class Memory(io.BytesIO):
    """A file that takes a part of what it is given, and can be read after it was closed."""

    def write(self, data: memoryview, /) -> int:  # type: ignore[override]
        return super().write(bytes(data[:1000]))

    def close(self) -> None:
        self.kept = self.getvalue()


def decoded(data: bytes, tmp_path: Path) -> np.ndarray:
    """`n h w 3`, by FFmpeg's own reader."""
    path = tmp_path / "out.y4m"
    path.write_bytes(data)
    with av.open(str(path)) as container:
        frames = [frame.to_ndarray(format="rgb24", src_colorspace=1) for frame in container.decode(video=0)]
    return np.stack(frames)


def written(frames: list[Frame], rate: float | None = None) -> bytes:
    file = Memory()
    with Y4mSink(file, rate) as sink:
        assert all(sink.write(rendered(frame)) for frame in frames)
    return file.kept


def test_colours_and_size_survive(tmp_path: Path) -> None:
    frames = list(SyntheticSource((96, 128), live=False, frames=3).frames())
    back = decoded(written(frames), tmp_path)
    assert back.shape == (3, 96, 128, 3)
    expected = np.stack([frame.picture8 for frame in frames]).astype(int)
    assert np.abs(back - expected).mean() < 2.0
    # BT.601 instead of BT.709 would shift the ball's orange by about ten levels.
    assert np.abs(back[0, 50:60, 60:70].mean((0, 1)) - expected[0, 50:60, 60:70].mean((0, 1))).max() < 4.0


def test_missing_frames_are_repeated_and_surplus_ones_left_out(tmp_path: Path) -> None:
    frames = list(SyntheticSource((32, 48), live=False, frames=12).frames())
    came = [frames[index] for index in (0, 1, 5, 6, 11)]
    back = decoded(written(came), tmp_path)
    assert len(back) == 12
    assert (back[1] == back[4]).all()
    assert (back[4] != back[5]).any()
    assert len(decoded(written(frames[:11], rate=15.0), tmp_path)) == 6


def test_a_run_whose_first_frames_were_dropped_is_as_long_as_its_source(tmp_path: Path) -> None:
    """Where a busy machine starts late: time counts from the source's first frame, not from the first that is left."""
    frames = list(SyntheticSource((32, 48), live=False, frames=12).frames())
    back = decoded(written(frames[2:]), tmp_path)
    assert len(back) == 12
    assert (back[0] == back[2]).all()
    assert (back[2] != back[-1]).any()


def test_another_size_is_fitted_and_an_odd_one_made_even(tmp_path: Path) -> None:
    first = next(SyntheticSource((33, 47), live=False).frames())
    wide = Frame(np.full((20, 80, 3), 200, np.uint8), 1, 1, first.time_base, 1)
    back = decoded(written([first, wide]), tmp_path)
    assert back.shape == (2, 32, 46, 3)
    assert back[1, 16].mean() > 190
    assert back[1, :8].mean() < 10  # letterboxed


@pytest.mark.parametrize(
    ("ms", "asked", "rate"), [(33, None, 30), (40, None, 25), (42, None, 24), (0, None, 30), (33, 12.5, 12.5)]
)
def test_the_rate_that_a_stream_promises(ms: int, asked: float | None, rate: float) -> None:
    frame = Frame(np.zeros((16, 16, 3), np.uint8), 0, 0, MILLISECOND, ms)
    assert nominal_rate(frame, asked) == rate


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="the program ffmpeg is not installed")
def test_ffmpeg_reads_what_is_piped_to_it(tmp_path: Path) -> None:
    out = tmp_path / "out.mkv"
    with subprocess.Popen(
        [*LIVE, "--size", "160x120", "--frames", "30"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as live:
        reader = ["ffmpeg", "-loglevel", "error", "-i", "-", "-c:v", "ffv1", str(out)]
        read = subprocess.run(reader, stdin=live.stdout, capture_output=True, text=True, timeout=60, check=False)
        assert live.stderr is not None
        said = live.stderr.read().decode()
    assert (live.returncode, read.returncode, read.stderr) == (0, 0, "")
    assert said.startswith("sent to standard output: ")
    with av.open(str(out)) as container:
        stream = container.streams.video[0]
        assert (stream.height, stream.width, stream.average_rate) == (120, 160, 30)
        assert sum(1 for _ in container.decode(stream)) == 30


def test_a_reader_that_goes_ends_the_run_cleanly() -> None:
    with subprocess.Popen([*LIVE, "--size", "160x120"], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as live:
        assert live.stdout is not None
        assert live.stderr is not None
        assert live.stdout.read(10) == b"YUV4MPEG2 "
        live.stdout.close()
        said = live.stderr.read().decode()
        assert live.wait(timeout=30) == 0
    assert said.count("\n") == 1
    assert said.startswith("sent to standard output: ")
