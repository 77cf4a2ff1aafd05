"""`pullfocus video` and `pullfocus depth` on video files, as their user runs them."""

from __future__ import annotations

import json
import resource
import signal
import subprocess
import time
from pathlib import Path

import av
import numpy as np
import pytest

from .clip import write_clip
from .command import PULLFOCUS, assert_one_line, run, run_here, wait_for
from .probe import decode_all, probe

PLANE = ("--engine", "plane")


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return write_clip(tmp_path / "in.mp4", sound=True)


def pictures(path: Path) -> list[np.ndarray]:
    return [frame.to_ndarray(format="rgb24") for frame in decode_all(path)]


def test_sound_timestamps_and_frames_are_kept_and_the_report_says_what_was_measured(clip: Path, tmp_path: Path) -> None:
    out, report = tmp_path / "out.mp4", tmp_path / "report.json"
    result = run("video", clip, "-o", out, *PLANE, "--json", report)
    assert result.returncode == 0, result.stderr
    source, written = probe(clip), probe(out)
    assert written.times_s == source.times_s
    assert written.sound == source.sound
    data = json.loads(report.read_text())
    assert (data["frames"], data["dropped"]) == (20, 0)
    assert set(data["stages"]) == {"source", "depth", "layers", "refocus", "sink"}
    assert all(s["p50_ms"] <= s["p95_ms"] <= s["p99_ms"] for s in data["stages"].values())
    assert set(data["waits"]) == {"source→depth", "depth→layers", "layers→refocus", "refocus→sink"}


def test_blur_happens_where_the_depth_is_away_from_the_focus(clip: Path, tmp_path: Path) -> None:
    """The plane engine puts the top of the picture far and the bottom near."""
    far, near = tmp_path / "far.mp4", tmp_path / "near.mp4"
    for out, focus in ((far, "0.0"), (near, "1.0")):
        assert run("video", clip, "-o", out, *PLANE, "--focus", focus, "--aperture", "20").returncode == 0
    source, far_sharp, near_sharp = (pictures(path)[10].astype(float) for path in (clip, far, near))
    top, bottom = slice(0, 8), slice(-8, None)
    for sharp, blurred, result in ((top, bottom, far_sharp), (bottom, top, near_sharp)):
        error = np.abs(source - result)
        assert error[sharp].mean() < 5.0 < 10.0 < error[blurred].mean()


def test_rotation_is_kept_and_the_net_sees_the_picture_upright(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "in.mp4", rotation=90)
    out, depth = tmp_path / "out.mp4", tmp_path / "depth.mkv"
    assert run("video", clip, "-o", out, *PLANE, "--depth-out", depth).returncode == 0
    assert probe(clip).matrix is not None
    assert probe(out).matrix == probe(clip).matrix
    height, width = decode_all(depth)[0].to_ndarray().shape
    assert height > width  # a landscape clip on its side is a portrait


def test_every_view_is_written_and_side_and_panel_are_larger(clip: Path, tmp_path: Path) -> None:
    sizes = {"refocus": (160, 96), "depth": (160, 96), "layers": (160, 96), "side": (320, 96), "panel": (320, 192)}
    for view, size in sizes.items():
        out = tmp_path / f"{view}.mp4"
        assert run("video", clip, "-o", out, *PLANE, "--view", view).returncode == 0
        assert probe(out).size_wh == size


@pytest.mark.parametrize("ending", [".mp4", ".webm"])  # copied sound, and sound that is encoded anew
def test_joined_files_go_on_at_their_pace(ending: str, tmp_path: Path) -> None:
    part = write_clip(tmp_path / "part.ts", frames=60, sound=True).read_bytes()
    (tmp_path / "joined.ts").write_bytes(part + part)  # timestamps start again half-way
    out = tmp_path / f"out{ending}"
    result = run("video", tmp_path / "joined.ts", "-o", out, *PLANE)
    assert result.returncode == 0, result.stderr
    steps = np.diff(probe(out).times_s)
    assert len(steps) == 119
    np.testing.assert_allclose(steps, 0.04, atol=0.01)
    with av.open(str(out)) as container:
        sound = [float(frame.time or 0.0) for frame in container.decode(audio=0)]
    assert sound[-1] == pytest.approx(4.8, abs=0.2)
    assert (np.diff(sound) > 0).all()


def test_depth_written_and_read_again_gives_the_same_frames(clip: Path, tmp_path: Path) -> None:
    depth, first, second = tmp_path / "depth.mkv", tmp_path / "first.mp4", tmp_path / "second.mp4"
    same = ("--focus", "0.7")
    assert run("video", clip, "-o", first, *PLANE, *same, "--depth-out", depth).returncode == 0
    assert run("video", clip, "-o", second, "--depth-in", depth, *same).returncode == 0
    assert first.read_bytes() == second.read_bytes()


def test_depth_command_writes_lossless_grey16_with_the_clips_timestamps(clip: Path, tmp_path: Path) -> None:
    out = tmp_path / "depth.mkv"
    assert run("depth", clip, "-o", out, *PLANE).returncode == 0
    frames = decode_all(out)
    assert frames[0].format.name == "gray16le"
    np.testing.assert_allclose([f.time for f in frames], probe(clip).times_s, atol=0.001)
    column = frames[5].to_ndarray()[:, 0]
    assert frames[5].to_ndarray().shape == probe(clip).size_wh[::-1]
    assert column[0] < 400  # the first row's middle lies half a row below the top
    assert column[-1] > 65135
    assert (np.diff(column.astype(int)) > 0).all()


def test_depth_of_another_video_is_refused(clip: Path, tmp_path: Path) -> None:
    depth = tmp_path / "depth.mkv"
    other = write_clip(tmp_path / "other.mp4", frames=7)
    assert run("depth", other, "-o", depth, *PLANE).returncode == 0
    result = run("video", clip, "-o", tmp_path / "out.mp4", "--depth-in", depth)
    assert_one_line(result, "ends before frame 7")
    assert not (tmp_path / "out.mp4").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("video", "missing.mp4", "-o", "out.mp4"), ("missing.mp4 does not exist",)),
        (("video", ".", "-o", "out.mp4"), ("is a folder",)),
        (("video", "in.mp4", "-o", "out.txt"), ("'.txt'", ".mp4, .m4v, .mov, .mkv, .webm")),
        (("video", "in.mp4", "-o", "nowhere/out.mp4"), ("folder nowhere does not exist",)),
        (("video", "in.mp4", "-o", "in.mp4"), ("in.mp4 is the input", "another name")),
        (("video", "in.mp4", "-o", "out.mp4", "--depth-in", "in.mp4"), ("yuv420p", "expected grey16")),
        (("video", "in.mp4", "-o", "out.mp4", "--depth-in", "x.png"), ("needs a depth video",)),
        (("video", "in.mp4", "-o", "out.mp4", "--depth-out", "x.mp4", *PLANE), (".mkv",)),
        (("video", "in.mp4", "-o", "out.mp4", "--model", "resnet99"), ("--model resnet99", "resnet18")),
        (("video", "in.mp4", "-o", "out.mp4", "--model", "in.mp4"), ("not a readable safetensors file",)),
        (("video", "in.mp4", "-o", "out.mp4", "--frobnicate"), ("--frobnicate",)),
        (("video", "in.mp4", "-o", "out.mp4", "--focus", "layer:9"), ("6 layers",)),
        (("depth", "in.mp4", "-o", "out.mp4", *PLANE), ("lossless Matroska", ".mkv")),
        (("video", "in.mp4", "-o", "x.mkv", "--depth-out", "x.mkv", *PLANE), ("x.mkv is named for two files",)),
        (("video", "in.mp4", "-o", "out.mp4", "--json", "out.mp4", *PLANE), ("out.mp4 is named for two files",)),
        (("video", "in.mp4", "-o", "out.mp4", "--json", "in.mp4", *PLANE), ("in.mp4 exists", "--overwrite")),
        (("video", "in.mp4", "-o", "out.mp4", "--json", "nowhere/r.json", *PLANE), ("folder nowhere",)),
        (("video", "in.mp4", "-o", "o.mp4", "--json", "in.mp4", "--overwrite", *PLANE), ("in.mp4 is named for two",)),
        (("video", "in.mp4", "-o", "out.mp4", "--depth-in", "x.mkv", "--smooth", "both"), ("untouched", "--smooth")),
    ],
)
def test_bad_input_is_one_line_and_nothing_is_written(
    arguments: tuple[str, ...],
    words: tuple[str, ...],
    clip: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    before = clip.read_bytes()
    assert_one_line(run_here(capfd, *arguments), *words)
    assert [p.name for p in tmp_path.iterdir()] == ["in.mp4"]
    assert clip.read_bytes() == before


@pytest.mark.parametrize("command", ["video", "depth"])
def test_the_input_is_never_replaced(command: str, clip: Path, tmp_path: Path) -> None:
    before = clip.read_bytes()
    source = clip if command == "video" else clip.rename(tmp_path / "in.mkv")
    link = tmp_path / f"link{source.suffix}"
    link.symlink_to(source)
    for target in (source, link):
        result = run(command, source, "-o", target, "--overwrite", "--engine", "plane")
        assert_one_line(result, f"{target} is the input")
    assert source.read_bytes() == before


def test_a_full_disk_is_one_line_and_leaves_what_was_there(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "in.mp4", frames=60, size_wh=(640, 480))
    out = tmp_path / "out.mp4"
    out.write_bytes(b"precious")

    def no_room() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (2_000, 2_000))

    command = [str(PULLFOCUS), "video", str(clip), "-o", str(out), "--overwrite", *PLANE]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, preexec_fn=no_room)
    assert_one_line(result, "cannot write", "it was not changed")
    assert out.read_bytes() == b"precious"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in.mp4", "out.mp4"]


@pytest.mark.parametrize(
    ("number", "sign", "is_left"),
    [(signal.SIGINT, ".000000.video.part", False), (signal.SIGTERM, "000001.state", True)],
)
def test_an_interrupted_run_ends_soon_with_130_and_leaves_only_what_can_be_gone_on_with(
    number: int, sign: str, is_left: bool, tmp_path: Path
) -> None:
    clip = write_clip(tmp_path / "in.mp4", frames=1500, size_wh=(320, 240))
    command = [str(PULLFOCUS), "video", str(clip), "-o", str(tmp_path / "out.mp4"), *PLANE]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    job = tmp_path / ".out.mp4.pullfocus"
    wait_for((job / sign).exists)
    process.send_signal(number)
    started_s = time.monotonic()
    _, stderr = process.communicate(timeout=20)
    assert time.monotonic() - started_s < 5
    assert process.returncode == 130
    assert stderr.count("\n") == 1
    assert ("interrupted after frame 1" in stderr and "--resume goes on" in stderr) == is_left
    assert sorted(p.name for p in tmp_path.iterdir()) == [*([job.name] if is_left else []), "in.mp4"]
    if is_left:
        assert_one_line(run(*command[1:]), "unfinished job", "--resume", "--overwrite")
        assert_one_line(run(*command[1:], "--resume", "--aperture", "3"), "begun with another setting of aperture")
