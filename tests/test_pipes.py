"""Pipes as sources, with FFmpeg before them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from time import monotonic, sleep

import av
import numpy as np
import pytest
from pullfocus.kernels.errors import InputError
from pullfocus.stream.piped import RawForm

from .clip import RATE, write_clip
from .command import assert_one_line
from .senders import LIVE, ffmpeg, pattern

pytestmark = pytest.mark.real_time


def piped(source: str, sink: str, producer: list[str], *more: str) -> tuple[subprocess.CompletedProcess[str], float]:
    started_s = monotonic()
    with subprocess.Popen(producer, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL) as sends:
        result = subprocess.run(
            [*LIVE, "--source", source, "--sink", sink, *more],
            stdin=sends.stdout, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        sends.kill()
    return result, monotonic() - started_s


def test_a_recorded_pipe_loses_nothing(tmp_path: Path) -> None:
    out = tmp_path / "out.mkv"
    producer = ffmpeg(*pattern(rate=25, seconds=2), "-pix_fmt", "yuv420p", "-f", "yuv4mpegpipe", "-")
    result, _ = piped("-", str(out), producer)
    assert result.returncode == 0, result.stderr
    with av.open(str(out)) as container:
        times_s = [frame.time for frame in container.decode(video=0)]
    assert times_s == pytest.approx([index / 25 for index in range(50)], abs=1e-3)


def test_between_two_programs_no_frame_is_lost_though_the_second_one_is_slow(tmp_path: Path) -> None:
    out = tmp_path / "out.y4m"
    producer = ffmpeg(*pattern(rate=25, seconds=2), "-pix_fmt", "yuv420p", "-f", "yuv4mpegpipe", "-")
    with (
        subprocess.Popen(producer, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL) as sends,
        subprocess.Popen([*LIVE, "--source", "-", "--sink", "-"], stdin=sends.stdout, stdout=subprocess.PIPE) as live,
    ):
        assert live.stdout is not None
        head = live.stdout.read(100)
        sleep(1.0)  # longer than a live run would wait for it
        out.write_bytes(head + live.stdout.read())
    assert live.returncode == 0
    with av.open(str(out)) as container:
        assert sum(1 for _ in container.decode(video=0)) == 50


def test_a_raw_pipe_is_read_as_it_is_described(tmp_path: Path) -> None:
    clip, out = write_clip(tmp_path / "clip.mp4", frames=10), tmp_path / "out.mkv"
    producer = ffmpeg("-i", str(clip), "-f", "rawvideo", "-pix_fmt", "rgb24", "-")
    result, _ = piped("rawvideo:160x96@25:rgb24", str(out), producer, "--codec", "ffv1", "--aperture", "0")
    assert result.returncode == 0, result.stderr
    with av.open(str(out)) as container, av.open(str(clip)) as source:
        pairs = list(zip(container.decode(video=0), source.decode(video=0)))
    assert len(pairs) == 10
    for got, given in pairs:
        assert np.abs(got.to_ndarray(format="rgb24").astype(int) - given.to_ndarray(format="rgb24")).mean() < 3


def test_a_pipe_to_be_seen_is_paced_in_real_time(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    producer = ffmpeg(*pattern(rate=RATE, seconds=2), "-pix_fmt", "yuv420p", "-f", "yuv4mpegpipe", "-")
    result, _ = piped("-", "null", producer, "--json", str(report))
    assert result.returncode == 0, result.stderr
    assert json.loads(report.read_text())["elapsed_s"] > 1.0


@pytest.mark.parametrize(
    ("source", "sink", "words"),
    [
        ("-", "null", ("stdin", "not a readable video", "rawvideo:WxH@FPS:PIX_FMT")),
        ("rawvideo:huge", "null", ("rawvideo:huge", "expected rawvideo:WxH@FPS:PIX_FMT")),
        ("screen:12", "null", ("screen:12", "screen:WxH+X,Y")),
    ],
)
def test_bad_input_is_one_line(source: str, sink: str, words: tuple[str, ...]) -> None:
    result, _ = piped(source, sink, [sys.executable, "-c", "print('no film')"])
    assert_one_line(result, *words)


def test_raw_forms_are_checked() -> None:
    form = RawForm.parse("rawvideo:640x480@30000/1001:yuyv422")
    assert form is not None
    assert form.options() == {"video_size": "640x480", "framerate": "30000/1001", "pixel_format": "yuyv422"}
    assert RawForm.parse("-") is None
    for wrong in ("rawvideo:640x480@30:nonsense", "rawvideo:640x480@1/0:rgb24", "rawvideo:0x480@30:rgb24"):
        with pytest.raises(InputError, match="rawvideo"):
            RawForm.parse(wrong)
