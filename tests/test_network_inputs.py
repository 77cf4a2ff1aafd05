"""Networks as sources, with real senders."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from time import monotonic, sleep

import av
import numpy as np
import pytest
from pullfocus.kernels.errors import InputError
from pullfocus.stream.network_in import StreamInput
from pullfocus.stream.reconnecting import Reconnecting

from .clip import write_clip
from .command import assert_one_line, run, wait_for
from .rtsp_server import RtspServer
from .senders import LIVE, Mjpeg, ffmpeg, free_port, pattern, sender, serving

pytestmark = pytest.mark.real_time


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
        assert_one_line(result, "http://***@127.0.0.1")
        assert "secret" not in result.stderr
    assert monotonic() - started_s < 15  # 10 s, and the program's own start on a busy machine


def hls(folder: Path) -> list[str]:
    """A playlist of the last four segments of a second each, which begins at 0 whenever the sender does."""
    form = ("-f", "hls", "-hls_time", "1", "-hls_list_size", "4", "-hls_flags", "delete_segments+temp_file")
    return ["-re", *pattern(), "-c:v", "libx264", "-preset", "ultrafast", "-g", "20", *form, str(folder / "x.m3u8")]


def test_an_hls_stream_comes_smoothly_and_is_taken_up_when_its_server_is_back(tmp_path: Path) -> None:
    port, playlist, told = free_port(), tmp_path / "x.m3u8", list[str]()
    url = f"http://127.0.0.1:{port}/x.m3u8"
    with sender(*hls(tmp_path)):
        wait_for(lambda: playlist.exists() and playlist.read_text().count("#EXTINF") >= 3)
        with serving(tmp_path, port):
            source = Reconnecting(url, lambda: StreamInput(url), tell=told.append, stall_s=1.5)
            frames = source.frames()
            times_s = [next(frames).time_s for _ in range(30)]
            assert times_s == sorted(times_s)
            assert times_s[-1] < 4.0  # of each second's twenty frames no burst has overtaken most
            assert np.median(np.diff(times_s)) < 0.15
        try:
            while not source.is_away:
                next(frames)
            with serving(tmp_path, port):
                while source.is_away:
                    assert next(frames).size_hw == (120, 160)
            assert "is back after" in told[-1]
            assert source.absence.losses == 1
        finally:
            source.close()


def test_a_playlist_that_gets_its_end_ends_the_run(tmp_path: Path) -> None:
    form = ("-f", "hls", "-hls_time", "1", "-hls_list_size", "0", str(tmp_path / "x.m3u8"))
    report = tmp_path / "report.json"
    made = ffmpeg(*pattern(seconds=3), "-c:v", "libx264", "-preset", "ultrafast", "-g", "20", *form)
    subprocess.run(made, check=True)
    playlist = tmp_path / "x.m3u8"
    whole = playlist.read_text()
    playlist.write_text(whole.replace("#EXT-X-ENDLIST\n", ""))
    with serving(tmp_path) as address:
        command = [*LIVE, "--source", f"{address}/x.m3u8", "--sink", "null", "--json", str(report)]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as live:
            sleep(3.0)
            playlist.write_text(whole)
            _, said = live.communicate(timeout=60)
    assert live.returncode == 0, said
    assert 20 < json.loads(report.read_text())["frames"] <= 62  # all three seconds once, and repeats while it waits
