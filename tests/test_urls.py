"""No password, token or key of a URL is shown to others: in messages, reports, files, or arguments of programs."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
from pathlib import Path
from time import monotonic, sleep

import pytest
from pullfocus.kernels.errors import InputError
from pullfocus.stream.destinations import destination_of
from pullfocus.stream.job_identity import fingerprint
from pullfocus.stream.network_in import StreamInput
from pullfocus.stream.urls import host_of, is_url, without_secrets
from pullfocus.stream.video_in import VideoSource

from .clip import write_clip
from .command import PULLFOCUS, run
from .senders import free_port

SECRET = "seCret0123"  # noqa: S105 - an SRT passphrase has ten characters at least


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("rtsp://me:pa:ss@cam/1?token=x", "rtsp://***@cam/1?***"),
        ("rtsp://cam:554/1", "rtsp://cam:554/1"),
        ("http://token@h:80/a/b.m3u8#part", "http://***@h:80/a/b.m3u8#***"),
        ("RTMP://h/app/key", "RTMP://h"),
        ("rtsp://me:pa/ss@cam/1", "rtsp://***"),
        ("rtsp://me:p@ss@[::1]:5/1", "rtsp://***@[::1]:5/1"),
        ("rtsp://[::1", "rtsp://***"),
        ("srt://h:9?passphrase=x", "srt://h:9?***"),
        ("clips/a:b@c.mp4", "clips/a:b@c.mp4"),
    ],
)
def test_what_is_read_from_is_shown_without_its_secrets(url: str, shown: str) -> None:
    assert without_secrets(url) == shown
    assert is_url(url) == (shown != url or "://" in url)


def test_what_is_sent_to_is_shown_by_its_host() -> None:
    assert host_of("rtmp://user:word@live.example:1935/app/key?x=1") == "rtmp://live.example:1935"
    assert host_of("rtmp://user:wo/rd@live.example/app") == "rtmp://***"
    assert host_of("a.mp4") == "a.mp4"


@pytest.mark.parametrize("url", ["rtmp://[::1/app/seCret0123", "ftp://me:seCret0123@h/x", "http://h/seCret0123"])
def test_a_refused_destination_is_one_line_without_its_secrets(url: str) -> None:
    with pytest.raises(InputError) as caught:
        destination_of(url, overwrite=False)
    assert SECRET not in str(caught.value)


def test_a_film_behind_a_url_is_named_without_its_secrets(tmp_path: Path) -> None:
    url = f"http://me:{SECRET}@127.0.0.1:{free_port()}/a.mp4?token={SECRET}"
    for refused in (lambda: StreamInput(url), lambda: VideoSource(url)):
        with pytest.raises(InputError, match=r"http://\*\*\*@127") as caught:
            refused()
        assert SECRET not in str(caught.value)
    assert SECRET not in fingerprint(url)
    assert fingerprint(url) != fingerprint(url + "x")
    assert fingerprint(str(write_clip(tmp_path / "a.mp4"))).startswith(str(tmp_path))


def descendants(pid: int) -> list[int]:
    """Of processes on Linux: the children of a process, their children, and so on."""
    children = [int(each) for task in Path(f"/proc/{pid}/task").glob("*") for each in _words(task / "children")]
    return [*children, *(deeper for child in children for deeper in descendants(child))]


def _words(path: Path) -> list[str]:
    try:
        return path.read_text().split()
    except OSError:  # it has ended meanwhile
        return []


@pytest.mark.real_time
@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="the program ffmpeg is not installed")
@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="arguments of other programs are read from /proc")
def test_a_run_tells_nobody_the_secrets_of_its_sinks(tmp_path: Path) -> None:
    """SRT with a passphrase, which arrives, and RTMP with a key, where nobody is."""
    srt, report, out = f"srt://127.0.0.1:{free_port(socket.SOCK_DGRAM)}", tmp_path / "report.json", tmp_path / "out.ts"
    receives = ["ffmpeg", "-v", "error", "-nostdin", "-i", f"{srt}?mode=listener&passphrase={SECRET}"]
    sinks = [f"{srt}?passphrase={SECRET}&streamid={SECRET}", f"rtmp://127.0.0.1:{free_port()}/app/{SECRET}", "null"]
    command = [str(PULLFOCUS), "live", "--engine", "plane", "--source", "synthetic", "--size", "160x120"]
    command += [*(word for sink in sinks for word in ("--sink", sink)), "--json", str(report)]
    arguments = set[bytes]()
    with subprocess.Popen([*receives, "-frames:v", "10", "-c", "copy", str(out)]) as receiver:
        with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE) as live:
            end_s = monotonic() + 60
            while receiver.poll() is None and monotonic() < end_s:
                for pid in descendants(live.pid):
                    arguments.update(_words_of_command(pid))
                sleep(0.02)
            live.terminate()
            stdout, stderr = live.communicate(timeout=30)
        receiver.kill()
    assert out.stat().st_size > 0
    assert any(b"srt://127.0.0.1" in word for word in arguments)
    assert not any(SECRET.encode() in word for word in arguments)
    assert b"rtmp://127.0.0.1" in stderr
    assert SECRET.encode() not in stderr + stdout
    assert SECRET not in report.read_text()
    assert set(json.loads(report.read_text())["sinks"]) >= {srt, "null"}


def _words_of_command(pid: int) -> set[bytes]:
    try:
        return set(Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0"))
    except OSError:
        return set()


def test_a_source_that_is_not_there_is_one_line_without_its_secrets() -> None:
    url = f"rtsp://me:{SECRET}@127.0.0.1:{free_port()}/live?key={SECRET}"
    result = run("live", "--engine", "plane", "--source", url, "--sink", "null")
    assert result.returncode == 2
    assert result.stderr.count("\n") == 1
    assert SECRET not in result.stderr + result.stdout
