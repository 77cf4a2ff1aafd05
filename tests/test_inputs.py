"""Networks, pipes and screens as sources, with real senders."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from time import monotonic, sleep

import av
import cv2
import numpy as np
import pytest
from pullfocus.kernels.errors import InputError
from pullfocus.stream.live_request import LiveRequest
from pullfocus.stream.network_in import StreamInput, shown
from pullfocus.stream.piped import RawForm
from pullfocus.stream.reconnecting import Reconnecting
from pullfocus.stream.screen import Region

from .clip import RATE, write_clip
from .command import PULLFOCUS, assert_one_line, run, wait_for
from .rtsp_server import RtspServer

pytestmark = pytest.mark.real_time

LIVE = (str(PULLFOCUS), "live", "--engine", "plane")


def free_port(kind: int = socket.SOCK_STREAM) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def ffmpeg(*arguments: str) -> list[str]:
    return ["ffmpeg", "-v", "error", "-nostdin", *arguments]


def pattern(size: str = "160x120", rate: int = 20, seconds: int = 60) -> tuple[str, ...]:
    return ("-f", "lavfi", "-i", f"testsrc=size={size}:rate={rate}:duration={seconds}")


@contextmanager
def sender(*arguments: str) -> Generator[subprocess.Popen[bytes]]:
    """FFmpeg, sending until the block ends."""
    with subprocess.Popen(ffmpeg(*arguments), stdin=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            process.kill()


class Mjpeg(ThreadingHTTPServer):
    """Pictures over HTTP as cheap network cameras give them, at 20 a second until it is stopped."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, port: int, size_hw: tuple[int, int] = (96, 128)) -> None:
        super().__init__(("127.0.0.1", port), Pictures)
        self.size_hw, self.stopped = size_hw, Event()
        Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def stop(self) -> None:
        self.stopped.set()
        self.shutdown()
        self.server_close()


class Pictures(BaseHTTPRequestHandler):
    server: Mjpeg  # pyright: ignore[reportIncompatibleVariableOverride]

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=next")
        self.end_headers()
        number = 0
        while not self.server.stopped.wait(0.05):
            picture = np.full((*self.server.size_hw, 3), 60, np.uint8)
            cv2.circle(picture, (20 + number % 80, 40), 15, (255, 255, 255), -1)
            jpeg = cv2.imencode(".jpg", picture)[1].tobytes()
            head = f"--next\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
            self.wfile.write(head.encode() + jpeg + b"\r\n")
            number += 1

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
        pass


def sizes(frames: Iterator, size_hw: tuple[int, int], most: int = 400) -> bool:  # pyright: ignore
    """Whether a frame of that size comes."""
    return any(next(frames).size_hw == size_hw for _ in range(most))


def test_an_http_camera_is_waited_for_and_taken_up_in_another_size() -> None:
    port = free_port()
    server = Mjpeg(port)
    told: list[str] = []
    url = f"http://127.0.0.1:{port}/video"
    source = Reconnecting(url, lambda: StreamInput(url), tell=told.append)
    frames = source.frames()
    try:
        assert sizes(frames, (96, 128))
        server.stop()
        while not source.is_away:
            next(frames)  # the last picture, again and again
        assert f"{url} gave no picture for 2 s" in told[0]
        server, back_s = Mjpeg(port, (120, 160)), monotonic()
        assert sizes(frames, (120, 160))
        assert monotonic() - back_s < 10  # 2 s on an idle machine
        next(frames)  # two are a return
        assert "is back after" in told[1]
        assert source.absence.losses == 1
    finally:
        source.close()
        server.stop()


def test_a_udp_stream_whose_sender_is_killed_is_taken_up_again(tmp_path: Path) -> None:
    port, out, report = free_port(socket.SOCK_DGRAM), tmp_path / "out.mp4", tmp_path / "report.json"
    url = f"udp://127.0.0.1:{port}"
    sends = ("-re", *pattern(), "-c:v", "libx264", "-tune", "zerolatency", "-g", "10", "-f", "mpegts")
    command = [*LIVE, "--source", url, "--sink", str(out), "--json", str(report)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as process:
        assert process.stderr is not None
        with sender(*sends, f"{url}?pkt_size=1316"):
            wait_for(lambda: any(path.stat().st_size for path in tmp_path.glob(".out.*")))
            sleep(0.5)  # some frames more
        assert "gave no picture for 2 s" in process.stderr.readline()
        with sender(*sends, f"{url}?pkt_size=1316"):
            assert "is back after" in process.stderr.readline()
            sleep(0.5)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
    facts = json.loads(report.read_text())
    assert facts["losses"] == 1
    assert facts["away_s"] >= 2.0
    with av.open(str(out)) as container:
        times_s = [frame.time or 0.0 for frame in container.decode(video=0)]
    assert times_s[-1] >= facts["away_s"]
    assert max(np.diff(times_s)) < 2.0


def test_an_rtsp_stream_comes_over_tcp_and_is_taken_up_again(tmp_path: Path) -> None:
    server = RtspServer(tmp_path)
    url, told = f"rtsp://127.0.0.1:{server.port}/live", list[str]()
    source = Reconnecting(url, lambda: StreamInput(url), tell=told.append, stall_s=1.0)
    frames = source.frames()
    try:
        times_s = [next(frames).time_s for _ in range(20)]
        assert times_s == sorted(times_s)
        assert "RTP/AVP/TCP" in server.transports[0]
        server.stop()
        while not source.is_away:
            next(frames)
        server = RtspServer(tmp_path, server.port)
        while source.is_away:
            assert next(frames).size_hw == (120, 160)
        assert "is back after" in told[-1]
    finally:
        source.close()
        server.stop()


def test_a_machine_that_is_too_slow_does_not_fall_behind() -> None:
    port = free_port()
    sends = ("-re", *pattern(), "-c:v", "libx264", "-tune", "zerolatency", "-g", "10", "-f", "mpegts")
    with sender(*sends, f"tcp://127.0.0.1:{port}?listen=1"):
        source = opened_when_it_listens(f"tcp://127.0.0.1:{port}")
        frames = source.frames()
        first = next(frames)
        shown_s, late_s = list[float](), 0.0
        while not shown_s or shown_s[-1] < 5.0:
            sleep(0.15)  # six frames a second of twenty
            frame = next(frames)
            shown_s.append(frame.time_s - first.time_s)
            late_s = frame.captured_s - first.captured_s - shown_s[-1]
        source.close()
    assert len(shown_s) < 60  # of a hundred
    assert late_s < 3.0  # else 8 s


def opened_when_it_listens(url: str) -> StreamInput:
    end_s = monotonic() + 20
    while True:
        try:
            return StreamInput(url)
        except InputError:
            assert monotonic() < end_s
            sleep(0.1)


def test_an_rtsp_server_that_is_not_there_is_an_error() -> None:
    url = f"rtsp://127.0.0.1:{free_port()}/live"
    with pytest.raises(InputError, match=f"{url}: cannot be opened as a stream"):
        StreamInput(url)


def test_a_film_over_http_is_paced_and_ends(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mkv", frames=26)
    data = clip.read_bytes()

    class Film(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Film)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        url = f"http://127.0.0.1:{server.server_address[1]}/clip.mkv"
        report = tmp_path / "report.json"
        result = run("live", "--engine", "plane", "--source", url, "--sink", "null", "--json", report)
    finally:
        server.shutdown()
        server.server_close()
    assert result.returncode == 0, result.stderr
    facts = json.loads(report.read_text())
    assert 0 < facts["frames"] + facts["dropped"] <= 26
    assert facts["losses"] == 0


def test_a_server_that_says_nothing_is_one_line_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        started_s = monotonic()
        url = f"http://user:secret@127.0.0.1:{silent.getsockname()[1]}/x"
        result = run(*LIVE[1:], "--source", url, "--sink", "null")
        assert_one_line(result, "http://user:***@127.0.0.1")
        assert "secret" not in result.stderr
    assert monotonic() - started_s < 15  # 10 s, and the program's own start on a busy machine


def test_passwords_are_not_shown() -> None:
    assert shown("rtsp://me:pa:ss@cam/1?x=2") == "rtsp://me:***@cam/1?x=2"
    assert shown("rtsp://cam:554/1") == "rtsp://cam:554/1"


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


def test_which_sinks_are_files() -> None:
    assert LiveRequest(sinks=("null", "a/out.mp4")).is_recorded
    assert not LiveRequest(sinks=("null", "window")).is_recorded


def test_regions_of_a_screen() -> None:
    assert Region.parse("screen") == Region()
    assert Region.parse("screen:1280x720") == Region((1280, 720))
    assert Region.parse("screen:1280x720+100,50") == Region((1280, 720), (100, 50))


@contextmanager
def x_server() -> Generator[str]:
    """A display of 320 × 240 whose ground is drawn in orange."""
    process = subprocess.Popen(
        ["Xvfb", "-displayfd", "1", "-screen", "0", "320x240x24", "-noreset"],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        display = f":{process.stdout.readline().strip()}"
        subprocess.run(["xsetroot", "-display", display, "-solid", "#ff8000"], check=True)
        yield display
    finally:
        process.kill()
        process.wait()


@pytest.mark.display
def test_a_part_of_the_screen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "out.mkv"
    with x_server() as display:
        monkeypatch.setenv("DISPLAY", display)
        source = ("--source", "screen:160x120+20,30", "--frames", "5", "--aperture", "0")
        result = run(*LIVE[1:], *source, "--sink", out, "--codec", "ffv1")
        assert result.returncode == 0, result.stderr
        outside = run(*LIVE[1:], "--source", "screen:300x200+100,100", "--sink", "null")
    assert_one_line(outside, "300x200+100,100 does not fit", "320x240")
    with av.open(str(out)) as container:
        picture = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)][-1]
    assert picture.shape == (120, 160, 3)
    assert np.abs(picture.reshape(-1, 3).mean(axis=0) - (255, 128, 0)).max() < 8


def test_no_display_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    assert_one_line(run(*LIVE[1:], "--source", "screen", "--sink", "null"), "DISPLAY is not set")
