"""What `pullfocus live` records, and what is kept of it however the run ends."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import av
import numpy as np
import pytest
from pullfocus.kernels.errors import InputError
from pullfocus.stream.adjusted import Adjusted
from pullfocus.stream.frame import Frame, Rendered
from pullfocus.stream.live_info import live_info
from pullfocus.stream.pipeline import Interrupted
from pullfocus.stream.pipeline import run as run_pipeline
from pullfocus.stream.recording import Recording
from pullfocus.stream.synthetic import SyntheticSource
from pullfocus.stream.video_out import video_sink

from .clip import write_clip
from .command import PULLFOCUS, assert_one_line
from .live_run import SMALL, decoded, live, report_of
from .unchanged import Render, rendered


def test_a_recording_is_encoded_as_wished_or_refused(tmp_path: Path) -> None:
    out = tmp_path / "out.mkv"
    made = live("--source", "synthetic", "--sink", out, *SMALL, "--frames", "3", "--codec", "ffv1")
    assert made.returncode == 0, made.stderr
    with av.open(str(out)) as container:
        assert container.streams.video[0].codec_context.name == "ffv1"
    refused = live("--source", "synthetic", "--sink", tmp_path / "out.mp4", "--frames", "3", "--codec", "prores")
    assert refused.returncode == 2
    assert "--codec prores does not go into mp4" in refused.stderr


@pytest.mark.parametrize(
    ("sink", "options", "words"),
    [
        ("null", ("--crf", "20"), "--crf: a recording (and a take of the window or the page) is encoded by it, and no"),
        ("-", ("--preset", "slow"), "--preset: a recording"),
        ("udp://127.0.0.1:9", ("--codec", "h264", "--crf", "20"), "--codec: a recording (and a take of the window or"),
        ("udp://127.0.0.1:9", ("--pix-fmt", "yuv420p"), "a stream only --crf and --bitrate"),
    ],
)
def test_a_wish_that_no_sink_is_written_by_is_refused(sink: str, options: tuple[str, ...], words: str) -> None:
    assert_one_line(live("--source", "synthetic", "--sink", sink, *options), words)


class Unplugged:
    """Gives ten frames, then breaks, as a camera does whose cable is pulled."""

    live = False

    def frames(self) -> Iterator[Frame]:
        yield from SyntheticSource((96, 128), live=False, frames=10).frames()
        raise InputError("camera 0 stopped giving pictures")


def test_mirror_and_timestamps_of_a_recording(tmp_path: Path) -> None:
    out = tmp_path / "out.mp4"
    report = report_of(
        tmp_path, "--source", "synthetic", "--sink", out, *SMALL, "--mirror", "--aperture", "0", "--frames", "25"
    )
    frames = decoded(out)
    assert len(frames) == report["frames"]
    time_s, picture = frames[-1]
    assert time_s == pytest.approx(24 / 30, abs=0.04)
    expected = list(SyntheticSource((120, 160), live=False, frames=25).frames())[round(time_s * 30)].picture.astype(int)
    assert np.abs(picture - expected[:, ::-1]).mean() < 5
    assert np.abs(picture - expected).mean() > 10


def test_size_is_honoured_for_a_file(tmp_path: Path) -> None:
    clip, out = write_clip(tmp_path / "clip.mp4", frames=5), tmp_path / "out.mkv"
    report = report_of(tmp_path, "--source", clip, "--sink", out, "--size", "200x128")
    assert len(frames := decoded(out)) == report["frames"] > 0
    assert frames[0][1].shape == (128, 200, 3)


def test_ctrl_c_keeps_the_recording(tmp_path: Path) -> None:
    out = tmp_path / "out.mp4"
    command = [PULLFOCUS, "live", "--engine", "plane", "--source", "synthetic", "--sink", str(out), *SMALL]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        end_s = monotonic() + 30
        while not list(tmp_path.iterdir()) and monotonic() < end_s:  # the file being written
            sleep(0.05)
        sleep(1.0)
        process.send_signal(signal.SIGINT)
        asked_s = monotonic()
        _, stderr = process.communicate(timeout=30)
        took_s = monotonic() - asked_s
    assert process.returncode == 130
    assert took_s < 2.0
    assert len(frames := decoded(out)) > 10
    assert f"kept {out}: {len(frames)} frames" in stderr
    assert list(tmp_path.iterdir()) == [out]


def test_an_unplugged_camera_leaves_what_was_recorded(tmp_path: Path) -> None:
    out = tmp_path / "out.mp4"
    with pytest.raises(InputError, match="stopped"), Recording(out, video_sink(out, live_info(30))) as sink:
        run_pipeline(Adjusted(Unplugged(), None, lambda: False, 0), [Render()], sink)
    # The error discards what is under way between the threads, so not all ten arrive.
    assert len(decoded(out)) > 0


def test_an_unexpected_error_keeps_the_recording_too(tmp_path: Path) -> None:
    out = tmp_path / "out.mp4"
    frames = list(Adjusted(SyntheticSource((96, 128), live=False, frames=4), None, lambda: False, 0).frames())
    with pytest.raises(ZeroDivisionError), Recording(out, video_sink(out, live_info(30))) as sink:
        _ = [sink.write(rendered(frame)) for frame in frames] + [1 // 0 == 1]
    assert len(decoded(out)) == 4


def test_ctrl_c_on_a_stalled_stream_keeps_the_recording(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    out, report = tmp_path / "out.mp4", tmp_path / "report.json"
    command = [str(PULLFOCUS), "live", "--engine", "plane", "--source", f"udp://127.0.0.1:{port}?fifo_size=50000"]
    command += ["--sink", str(out), "--json", str(report)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        # The file has a header as soon as a frame has come through.
        send_stream(port, until=lambda: any(path.stat().st_size for path in tmp_path.glob(".out.*")))
        sleep(1.0)  # now nothing comes, and a thread waits inside FFmpeg
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=30)
    assert process.returncode == 130, stderr
    assert len(decoded(out)) > 0
    assert json.loads(report.read_text())["frames"] == len(decoded(out))


def send_stream(port: int, until: Callable[[], bool], more: int = 60, limit_s: float = 60.0) -> None:
    """An MPEG-TS stream over UDP at about its own pace, and `more` frames after `until`."""
    end_s = monotonic() + limit_s
    with av.open(f"udp://127.0.0.1:{port}?pkt_size=1316", "w", format="mpegts") as output:
        stream = output.add_stream("libx264", rate=30, options={"tune": "zerolatency", "g": "10"})
        stream.height, stream.width, stream.pix_fmt = 128, 160, "yuv420p"
        for frame in SyntheticSource((128, 160), live=False).frames():
            output.mux(stream.encode(av.VideoFrame.from_ndarray(frame.picture8, format="rgb24")))
            more -= until()
            if not more:
                return
            assert monotonic() < end_s
            sleep(1 / 60)


def test_ctrl_c_before_the_first_frame_leaves_nothing(tmp_path: Path) -> None:
    out = tmp_path / "out.mp4"
    with pytest.raises(KeyboardInterrupt), Recording(out, video_sink(out, live_info(30))):
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_within_a_frame_waits_for_its_end(tmp_path: Path) -> None:
    out = tmp_path / "out.mp4"
    source = Adjusted(SyntheticSource((96, 128), live=False, frames=6), None, lambda: False, 0)
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(Interrupted) as caught, Recording(out, InterruptingFile(out)) as sink:
        run_pipeline(source, [Render()], sink)
    assert signal.getsignal(signal.SIGINT) is before
    assert caught.value.report.frames == 3
    assert len(decoded(out)) == 3


class InterruptingFile:
    """A video file; Ctrl-C comes at the start of writing its third frame."""

    def __init__(self, path: Path) -> None:
        self._file = video_sink(path, live_info(30))
        self._count = 0

    def __enter__(self) -> InterruptingFile:
        self._sink = self._file.__enter__()
        return self

    def write(self, item: Rendered) -> bool:
        self._count += 1
        if self._count == 3:
            os.kill(os.getpid(), signal.SIGINT)
        return self._sink.write(item)

    def __exit__(self, *error: Any) -> None:
        self._file.__exit__(*error)


def test_recorded_timestamps_start_at_zero_and_rise() -> None:
    class Stream:
        live = True

        def frames(self) -> Iterator[Frame]:
            picture = np.zeros((16, 16, 3), np.uint8)
            for pts in (9000, 9090, 9090, 9000, 9270):
                yield Frame(picture, 0, pts, Fraction(1, 90_000), 90)

    frames = list(Adjusted(Stream(), None, lambda: False, 0).frames())
    assert [(frame.index, frame.pts, frame.duration) for frame in frames] == [(k, k, 1) for k in range(5)]
    assert {frame.time_base for frame in frames} == {Fraction(1, 1000)}


def test_frames_stops_without_waiting_for_one_more() -> None:
    # The source breaks when an eleventh frame is asked for.
    assert len(list(Adjusted(Unplugged(), None, lambda: False, 10).frames())) == 10
