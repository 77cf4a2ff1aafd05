"""Live streams to servers and receivers that are really there, are not, or go away."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import av
import pytest
from pullfocus.kernels.errors import InputError, OutputError
from pullfocus.stream import network_out
from pullfocus.stream.destinations import destination_of
from pullfocus.stream.encoding_wish import EncodingWish
from pullfocus.stream.live_request import LiveRequest
from pullfocus.stream.report import SinkFacts, Spread
from pullfocus.stream.sink_names import kind_of, what_was_done
from pullfocus.stream.synthetic import SyntheticSource
from pullfocus.stream.urls import host_of

from .command import PULLFOCUS, assert_one_line, run, wait_for
from .unchanged import Render

pytestmark = pytest.mark.real_time

LIVE = ("live", "--engine", "plane", "--source", "synthetic", "--size", "160x120")
needs_ffmpeg = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="the program ffmpeg is not installed")


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@dataclass
class Ended:
    """What a run left, once it has ended."""

    code: int = -1
    said: str = ""


@contextmanager
def running(*sinks: str | Path, report: Path | None = None) -> Generator[Ended]:
    """An endless live run; ended by a terminal's Ctrl-C, which reaches the sending processes too.

    It must not take long, whatever the servers do.
    """
    command = [str(PULLFOCUS), *LIVE, *(word for sink in sinks for word in ("--sink", str(sink)))]
    command += ["--json", str(report)] if report else []
    ended = Ended()
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        try:
            yield ended
            os.killpg(process.pid, signal.SIGINT)
            _, ended.said = process.communicate(timeout=20)
            ended.code = process.returncode
            assert "Traceback" not in ended.said
        finally:
            process.kill()


def received(options: list[str], url: str, out: Path, frames: int = 10) -> subprocess.Popen[bytes]:
    """ffmpeg as the server: it takes one stream, keeps `frames` of it and ends."""
    command = [
        "ffmpeg",
        "-loglevel",
        "error",
        "-analyzeduration",
        "300000",
        *options,
        "-i",
        url,
        "-frames:v",
        str(frames),
        "-c",
        "copy",
        str(out),
    ]
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)


def assert_h264(path: str | Path, least: int = 10) -> None:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        context = stream.codec_context
        assert (context.name, context.pix_fmt, context.height, context.width) == ("h264", "yuv420p", 120, 160)
        assert context.has_b_frames == 0
        for count, frame in enumerate(container.decode(stream)):
            assert frame.colorspace == 1
            if count + 1 == least:
                return
    pytest.fail(f"fewer than {least} frames")


def test_a_receiver_over_udp_and_a_playlist_with_segments(tmp_path: Path) -> None:
    port, report, playlist = free_port(socket.SOCK_DGRAM), tmp_path / "report.json", tmp_path / "live.m3u8"
    with running(f"udp://127.0.0.1:{port}", playlist, report=report) as live:
        assert_h264(f"udp://127.0.0.1:{port}?fifo_size=50000&timeout=60000000")
        wait_for(lambda: playlist.exists() and playlist.read_text().count("#EXTINF") >= 2)
        assert "#EXT-X-ENDLIST" not in playlist.read_text()
    assert live.code == 130
    facts: dict[str, Any] = json.loads(report.read_text())["sinks"]
    assert facts[f"udp://127.0.0.1:{port}"]["frames"] >= 10
    assert 0 < facts[str(playlist)]["latency"]["p50_ms"] < 5000
    names = [line for line in playlist.read_text().splitlines() if line.endswith(".ts")]
    assert len(names) >= 2
    assert all((tmp_path / name).stat().st_size > 0 for name in names)
    assert "#EXT-X-ENDLIST" in playlist.read_text()
    assert_h264(playlist)
    with pytest.raises(InputError, match="--overwrite"):
        destination_of(str(playlist), overwrite=False)


@needs_ffmpeg
def test_servers_receive_and_one_that_goes_and_comes_back_is_found_again(tmp_path: Path) -> None:
    rtmp, rtsp, srt = (f"{scheme}://127.0.0.1:{free_port()}/live/secret" for scheme in ("rtmp", "rtsp", "srt"))
    with ExitStack() as stack:
        servers = [
            stack.enter_context(received(["-listen", "1"], rtmp, tmp_path / "rtmp.mkv")),
            stack.enter_context(received(["-rtsp_flags", "listen"], rtsp, tmp_path / "rtsp.mkv")),
            stack.enter_context(received([], f"{srt}?mode=listener", tmp_path / "srt.mkv")),
        ]
        wait_for(lambda: not (is_free(rtmp) or is_free(rtsp)))
        with running(rtmp, rtsp, srt, "null") as live:
            assert [server.wait(timeout=60) for server in servers] == [0, 0, 0]
            with received(["-listen", "1"], rtmp, tmp_path / "again.mkv") as again:
                assert again.wait(timeout=60) == 0
    assert live.code == 130
    for name in ("rtmp", "rtsp", "srt", "again"):
        assert_h264(tmp_path / f"{name}.mkv")
    assert "secret" not in live.said
    assert f"--sink {host_of(rtmp)}: cannot send" in live.said
    assert "; trying again until the run ends" in live.said
    assert f"{host_of(rtmp)} is connected again" in live.said


def is_free(url: str) -> bool:
    """Whether nobody listens on the port of a URL."""
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", int(url.split(":")[2].split("/")[0])))
        except OSError:
            return False
        return True


def test_a_server_that_is_not_there_is_one_line() -> None:
    url = f"rtmp://127.0.0.1:{free_port()}/live/secret"
    result = run(*LIVE, "--sink", url)
    assert_one_line(result, "--sink rtmp://127.0.0.1:", "cannot send (Connection refused)")
    assert "secret" not in result.stderr


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_server_for_hls_that_is_not_there_is_one_line(scheme: str) -> None:
    done = run(*LIVE, "--frames", "20", "--sink", f"{scheme}://127.0.0.1:1/live.m3u8")
    assert_one_line(done, f"--sink {scheme}://127.0.0.1:1: cannot send (Connection refused)")


def test_a_sink_that_was_never_connected_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its frames lie in a pipe to a program that is still trying when the run ends."""
    never = Mock(spec=network_out.Sender, send=Mock(return_value=False))
    monkeypatch.setattr(network_out, "Sender", Mock(return_value=never))
    frame = next(SyntheticSource((120, 160), live=False).frames())
    rendered = Render()(frame)
    sink = network_out.NetworkSink(destination_of("srt://127.0.0.1:1", False), 30.0, EncodingWish())
    with pytest.raises(OutputError, match="no connection until the end"), sink:
        sink.write(rendered)


def test_a_server_that_never_answers_does_not_hold_up_ctrl_c_or_a_recording(tmp_path: Path) -> None:
    out = tmp_path / "out.mp4"
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        silent.settimeout(60)
        with running(f"rtmp://127.0.0.1:{silent.getsockname()[1]}/live", out) as live:
            silent.accept()  # and not a word more
            wait_for(lambda: any(path.stat().st_size for path in tmp_path.glob(".out.*")))
    assert live.code == 130
    assert f"kept {out}: " in live.said
    with av.open(str(out)) as container:
        assert sum(1 for _ in container.decode(video=0)) > 0


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("ftp://host/x", "got ftp://, expected rtmp://, rtsp://, udp://, srt:// or http(s)://….m3u8"),
        ("http://host/x.mp4", "ends in .m3u8"),
        ("rtmp:///x", "there is no host in it"),
        ("nowhere/live.m3u8", "the folder nowhere does not exist"),
    ],
)
def test_destinations_that_cannot_be(name: str, words: str) -> None:
    with pytest.raises(InputError) as caught:
        destination_of(name, overwrite=False)
    assert words in str(caught.value)


def test_what_ffmpeg_is_told() -> None:
    assert destination_of("udp://h:1?ttl=2", False).url == "udp://h:1?ttl=2&pkt_size=1316"
    assert destination_of("https://h/live/a.M3U8", False).options["method"] == "PUT"
    assert destination_of("rtmps://h/app/key", False).container == "flv"


def test_names_hold_no_secrets() -> None:
    assert kind_of("a.m3u8") == kind_of("SRT://h:1") == "network"
    told = what_was_done(("a.mp4", "rtmp://h/key", "window"), {})
    assert told == "wrote a.mp4; sent to rtmp://h; shown in a window"
    with pytest.raises(InputError) as caught:
        LiveRequest(sinks=("rtmp://h/key", "rtmp://h/key"))
    assert "key" not in str(caught.value)


def test_the_closing_line_leaves_out_sinks_that_failed_or_took_nothing() -> None:
    took, failed = SinkFacts(9, 0, Spread.of([0.1])), SinkFacts(9, 0, Spread.of([0.1]), "refused")
    names = ("rtmp://h/a", "rtmp://h/b", "srt://h:1", "n.mp4")
    sinks = {"rtmp://h": took, "rtmp://h (2)": failed, "srt://h:1": SinkFacts(0, 0, Spread.of([])), "n.mp4": took}
    assert what_was_done(names, sinks) == "wrote n.mp4; sent to rtmp://h"
