"""A job that was broken off goes on where it was, and makes what it would have made without a break."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from threading import Thread
from typing import Any

import av
import numpy as np
import pytest
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from pullfocus.engines.build import EngineRequest
from pullfocus.engines.locks import lock
from pullfocus.kernels.errors import InputError
from pullfocus.stream.config import Settings
from pullfocus.stream.job_folder import JobFolder, job_folder
from pullfocus.stream.join import decode_times
from pullfocus.stream.packet_file import Facts, PacketFile, PacketWriter
from pullfocus.stream.report import Report
from pullfocus.stream.targets import Point
from pullfocus.stream.video_job import depth_of_video, refocus_video

from .clip import write_clip
from .command import assert_one_line, run, wait_for
from .probe import decode_all, probe

SEGMENT = 12
FRAMES = 2 * SEGMENT + 5
SIZE_WH = (64, 48)
SETTINGS = Settings(focus=Point(0.5, 0.4), depth_range="auto", net_every=3, engine=EngineRequest("plane"))
JOB = f"""
import resource, sys
from pathlib import Path
from pullfocus.engines.build import EngineRequest
from pullfocus.kernels.errors import PullfocusError
from pullfocus.stream.config import Settings
from pullfocus.stream.targets import Point
from pullfocus.stream.video_job import refocus_video
folder, room = Path(sys.argv[1]), int(sys.argv[2])
if room:
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))
settings = Settings(focus=Point(0.5, 0.4), depth_range="auto", net_every=3, engine=EngineRequest("plane"))
files = dict(source_path=str(folder / "in.mp4"), target=folder / "out.mp4", depth_out=folder / "depth.mkv")
try:
    refocus_video(settings=settings, **files, resume=True, segment_frames={SEGMENT})
except PullfocusError as error:
    sys.exit(f"pullfocus: {{error}}")
"""


def refocus(
    folder: Path, out: Path, settings: Settings = SETTINGS, resume: bool = False, overwrite: bool = False
) -> Report:
    return refocus_video(
        str(folder / "in.mp4"),
        out,
        settings,
        depth_out=out.with_name("depth.mkv"),
        overwrite=overwrite,
        resume=resume,
        segment_frames=SEGMENT,
    )


def frames_of(path: Path) -> list[bytes]:
    return [frame.to_ndarray().tobytes() for frame in decode_all(path)]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@dataclass(frozen=True)
class Broken:
    """A folder with in.mp4, and an unfinished job out.mp4 + depth.mkv of two whole segments."""

    folder: Path
    whole: Path  # another folder, with both files as an unbroken run writes them

    @property
    def out(self) -> Path:
        return self.folder / "out.mp4"

    @property
    def job(self) -> Path:
        return self.folder / ".out.mp4.pullfocus"

    def resume(self, settings: Settings = SETTINGS) -> list[str]:
        return refocus(self.folder, self.out, settings, resume=True).notes

    def assert_as_unbroken(self) -> None:
        assert self.out.read_bytes() == (self.whole / "out.mp4").read_bytes()
        assert frames_of(self.folder / "depth.mkv") == frames_of(self.whole / "depth.mkv")
        assert names(self.folder) == ["depth.mkv", "in.mp4", "out.mp4"]


@pytest.fixture(scope="module")
def broken_once(tmp_path_factory: pytest.TempPathFactory) -> Broken:
    made = Broken(tmp_path_factory.mktemp("broken"), tmp_path_factory.mktemp("whole"))
    write_clip(made.folder / "in.mp4", frames=FRAMES, size_wh=SIZE_WH, sound=True)
    refocus(made.folder, made.whole / "out.mp4")
    interrupter = Thread(target=interrupt_when_there, args=(made.job / "000002.state",))
    interrupter.start()
    with pytest.raises(KeyboardInterrupt) as stop:
        refocus(made.folder, made.out)
    interrupter.join()
    assert "--resume goes on" in stop.value.__notes__[-1]
    shutil.copytree(made.job, made.whole / "job")
    return made


@pytest.fixture
def broken(broken_once: Broken) -> Iterator[Broken]:
    shutil.rmtree(broken_once.job, ignore_errors=True)
    shutil.copytree(broken_once.whole / "job", broken_once.job)
    yield broken_once
    for name in ("out.mp4", "depth.mkv"):
        (broken_once.folder / name).unlink(missing_ok=True)


def _nothing(_: JobFolder) -> None:
    """Does nothing."""


def interrupt_when_there(path: Path) -> None:
    wait_for(path.exists)
    os.kill(os.getpid(), signal.SIGINT)


def test_it_goes_on_from_the_last_whole_segment(broken: Broken) -> None:
    assert broken.resume() == [f"went on from frame {2 * SEGMENT}"]
    broken.assert_as_unbroken()
    assert probe(broken.out).times_s == probe(broken.folder / "in.mp4").times_s
    assert probe(broken.out).sound == probe(broken.folder / "in.mp4").sound


@pytest.mark.parametrize(
    ("damaged", "first"), [("000001.video", 1), ("000001.depth", 1), ("000002.state", 1), ("000000.video", 0)]
)
def test_what_is_damaged_is_made_again(damaged: str, first: int, broken: Broken) -> None:
    path = broken.job / damaged
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 4
    path.write_bytes(content)
    assert broken.resume() == ([f"went on from frame {first * SEGMENT}"] if first else [])
    broken.assert_as_unbroken()


def test_it_is_refused_unless_asked_for_and_overwrite_starts_anew(broken: Broken) -> None:
    with pytest.raises(InputError, match="unfinished job: --resume goes on with it, --overwrite starts anew"):
        refocus(broken.folder, broken.out)
    assert (broken.job / "000002.state").is_file()
    report = refocus(broken.folder, broken.out, overwrite=True)
    assert report.frames == FRAMES
    broken.assert_as_unbroken()


def test_another_job_does_not_go_on_with_it(broken: Broken) -> None:
    clip = broken.folder / "in.mp4"
    before, facts = clip.read_bytes(), clip.stat()
    with pytest.raises(InputError, match=r"begun with another setting of aperture; .*--overwrite"):
        broken.resume(replace(SETTINGS, aperture=3.0))
    clip.write_bytes(before[:-1] + b"?")
    os.utime(clip, ns=(facts.st_atime_ns, facts.st_mtime_ns))  # the same size and time: the content tells
    with pytest.raises(InputError, match="begun with another input"):
        broken.resume()
    clip.write_bytes(before)
    os.utime(clip, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    broken.resume()
    broken.assert_as_unbroken()


def test_two_runs_do_not_write_into_one_folder(broken: Broken) -> None:
    held = lock(broken.job / "lock")
    assert held is not None
    with pytest.raises(InputError, match="another run of this job is at work"):
        broken.resume()
    held.release()
    broken.resume()
    broken.assert_as_unbroken()


def test_two_new_runs_at_once_leave_the_first_one_alone(broken: Broken) -> None:
    """The second one has looked before the first one made its folder."""
    shutil.rmtree(broken.job)
    with job_folder([broken.out], resume=False, overwrite=False) as first:
        second = job_folder([broken.out], resume=False, overwrite=False)
        job = second.__enter__()
        first.begin({"input": "x"}, overwrite=False)
        with pytest.raises(InputError, match="another run of this job is at work") as refused:
            job.begin({"input": "x"}, overwrite=False)
        assert not second.__exit__(InputError, refused.value, None)
        assert (broken.job / "job.json").is_file()
        first.remove()


def test_a_vanished_input_destroys_nothing(broken: Broken) -> None:
    clip, away = broken.folder / "in.mp4", broken.whole / "in.mp4"
    clip.rename(away)
    with pytest.raises(InputError, match=r"in\.mp4 does not exist"):
        broken.resume()
    away.rename(clip)
    broken.resume()
    broken.assert_as_unbroken()


def test_a_kill_between_delivery_and_tidying_up_leaves_a_finished_job(
    broken: Broken, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a SIGKILL just before the folder's removal: the files are known as its own by inode, size and time."""
    broken.resume()
    job = JobFolder([broken.out, broken.folder / "depth.mkv"])
    shutil.copytree(broken.whole / "job", broken.job)
    for target in job.targets:
        target.rename(job.results.aside(target))
    with monkeypatch.context() as killed:
        killed.setattr(JobFolder, "remove", _nothing)
        job.deliver()
    assert broken.resume() == [f"{broken.out} was finished already"]
    broken.assert_as_unbroken()


def run_job(folder: Path, room: int = 0) -> subprocess.Popen[str]:
    """The job in a process of its own. room: the largest file that it may write, 0 = any."""
    command = [sys.executable, "-c", JOB, str(folder), str(room)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_a_disk_that_is_full_at_the_end_costs_nothing_but_the_end(broken: Broken) -> None:
    """Every segment fits, the whole file does not."""
    segment = max(path.stat().st_size for path in (broken.whole / "job").glob("*.depth"))
    whole = (broken.whole / "depth.mkv").stat().st_size
    process = run_job(broken.folder, room=(segment + whole) // 2)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 1
    assert stderr.count("\n") == 1
    assert all(words in stderr for words in ("depth.mkv: cannot write", "--resume goes on"))
    assert names(broken.folder) == [".out.mp4.pullfocus", "in.mp4"]
    assert broken.resume() == []  # nothing is encoded again
    broken.assert_as_unbroken()


def kill_somewhere(process: subprocess.Popen[str], job: Path, after_s: float) -> None:
    wait_for(lambda: job.is_dir() or process.poll() is not None)
    time.sleep(after_s)
    process.kill()
    process.communicate()


def test_killed_again_and_again_it_makes_the_same_files(broken_once: Broken, rng: np.random.Generator) -> None:
    shutil.rmtree(broken_once.job, ignore_errors=True)
    for _ in range(5):
        kill_somewhere(run_job(broken_once.folder), broken_once.job, after_s=float(rng.uniform(0.0, 0.3)))
    if not broken_once.out.exists() or broken_once.job.exists():
        _, stderr = run_job(broken_once.folder).communicate(timeout=60)
        assert stderr == ""
    broken_once.assert_as_unbroken()


def test_depth_alone_goes_on_too_and_pictures_have_nothing_to_resume(broken: Broken, tmp_path: Path) -> None:
    source, plain, out = str(broken.folder / "in.mp4"), broken.whole / "plain.mkv", broken.whole / "alone.mkv"
    depth_of_video(source, plain, SETTINGS)
    depth_of_video(source, out, SETTINGS, resume=True)  # nothing there: from the start
    assert frames_of(out) == frames_of(plain)
    assert_one_line(run("depth", tmp_path, "-o", tmp_path / "x", "--resume"), "--resume goes on with a video")


def test_packets_keep_their_bytes_and_times_also_before_zero(tmp_path: Path, rng: np.random.Generator) -> None:
    packets: list[Packet[Any]] = []
    for number in range(30):
        packet = Packet(rng.bytes(int(rng.integers(1, 5000))))
        packet.pts, packet.duration, packet.is_keyframe = number * 7 - 100, number, number % 9 == 0
        packets.append(packet)
    writer = PacketWriter(tmp_path / "segment")
    writer.write(packets)
    facts = Facts((3, 4), Fraction(1001, 30_000), b"\0\1", (0, 7))
    writer.finish(facts)
    file = PacketFile(tmp_path / "segment")
    file.check()
    assert file.facts == facts
    for now, then in zip(file.packets(), packets, strict=True):
        assert bytes(now) == bytes(then)
        assert (now.pts, now.duration, now.is_keyframe) == (then.pts, then.duration, then.is_keyframe)
        assert now.time_base == facts.time_base
    content = (tmp_path / "segment").read_bytes()
    for size in rng.integers(0, len(content), 20):
        (tmp_path / "cut").write_bytes(content[:size])
        with pytest.raises(InputError, match="damaged"):
            PacketFile(tmp_path / "cut")


def test_packets_keep_what_lies_beside_their_bytes(tmp_path: Path, rng: np.random.Generator) -> None:
    """Alpha of VP9 travels as side data."""
    output = av.open(str(tmp_path / "x"), "w", format="webm")
    stream = output.add_stream("libvpx-vp9", rate=25)
    assert isinstance(stream, VideoStream)
    stream.codec_context.width, stream.codec_context.height, stream.codec_context.pix_fmt = 32, 32, "yuva420p"
    frame = VideoFrame.from_ndarray(rng.integers(0, 256, (32, 32, 4), np.uint8), format="rgba")
    packets = [*stream.encode(frame.reformat(format="yuva420p")), *stream.encode(None)]
    writer = PacketWriter(tmp_path / "segment")
    writer.write(packets)
    writer.finish(Facts((32, 32), Fraction(1, 25), b"", ()))
    (then,), (now,) = ([*packets], [*PacketFile(tmp_path / "segment").packets()])
    beside = [(side.data_type, bytes(side)) for side in then.iter_sidedata()]
    assert "matroska_block_additional" in dict(beside)
    assert [(side.data_type, bytes(side)) for side in now.iter_sidedata()] == beside
    assert bytes(now) == bytes(then)


@pytest.mark.parametrize(
    ("shown", "decoded"),
    [([0, 3, 1, 2], [-1, 0, 1, 2]), ([5], [5]), ([0, 40, 10, 20, 90, 80], [-10, 0, 10, 20, 40, 80])],
)
def test_decoding_times_rise_and_none_is_after_what_it_shows(shown: list[int], decoded: list[int]) -> None:
    """I P B B: the P is decoded before the Bs, so all is decoded one frame ahead."""
    assert decode_times(shown) == decoded
    assert all(dts <= pts for dts, pts in zip(decoded, shown))
