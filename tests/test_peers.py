"""Other ways to blur by depth: each does what it is said to do, and what is measured of them means what it says."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pullfocus.benchmarks.peers import drawn, ffmpeg, measure, ours, plain, plug_in, selfie
from pullfocus.benchmarks.peers.__main__ import main
from pullfocus.benchmarks.peers.api import Means, MissingPeerError, Peer, Shot
from pullfocus.benchmarks.peers.streamed import FrameProgram
from pullfocus.benchmarks.truth import BAND_PX, edge_band
from pullfocus.kernels.errors import InputError

from .command import assert_one_line

ROOT = Path(__file__).parents[1]
SIZE_HW = (96, 160)
NOTHING = Means(Path("nowhere"), download=False)


@pytest.fixture(scope="module")
def truth(tmp_path_factory: pytest.TempPathFactory) -> drawn.Truth:
    """A red thing in focus before a green wall, small."""
    folder = tmp_path_factory.mktemp("truths")
    drawn.write_truth(folder, drawn.BLEED, drawn.bleed_scene(SIZE_HW), samples=64)
    return next(drawn.read_truths(folder))


def slope(focus: float = 0.5, aperture: float = 10.0) -> Shot:
    """Far at the left, near at the right."""
    return Shot(np.tile(np.linspace(0.1, 0.9, 256, dtype=np.float32), (256, 1)), focus, aperture)


def square() -> np.ndarray:
    """White, 21 px wide, in the middle of 256 × 256."""
    picture = np.zeros((256, 256, 3), np.uint8)
    picture[118:139, 118:139] = 255
    return picture


def spread_px(result: np.ndarray) -> float:
    """Standard deviation, along x, of what has been done to the square."""
    share = result[..., 1].sum(axis=0, dtype=np.float64)
    share /= share.sum()
    x = np.arange(share.size)
    return float(np.sqrt(max((share * (x - (share * x).sum()) ** 2).sum() - (21**2 - 1) / 12, 0.0)))


def begun(peer: ffmpeg.Ffmpeg, shot: Shot) -> ffmpeg.Ffmpeg:
    try:
        peer.prepare(shot)
    except MissingPeerError as error:
        pytest.skip(str(error))
    return peer


# ---- what the peers do


@pytest.mark.parametrize("make", [ffmpeg.with_varblur, ffmpeg.with_layers])
def test_ffmpeg_blurs_as_much_as_the_lens_and_not_what_is_in_focus(make: Callable[[Means], ffmpeg.Ffmpeg]) -> None:
    shot = slope(focus=0.4)
    peer = begun(make(NOTHING), shot)
    try:
        sharp, blurred = (
            measure.rendered_still(peer, square(), np.full((256, 256), depth, np.float32)) for depth in (0.4, 0.8)
        )
        assert spread_px(sharp) < 0.6  # varblur's narrowest box is two pixels wide
        assert spread_px(blurred) == pytest.approx(shot.lens.radius_px(0.8) / 2.0, rel=0.2)
    finally:
        peer.close()


def test_ffmpeg_gives_each_frame_its_own_picture() -> None:
    peer = begun(ffmpeg.with_varblur(NOTHING), slope())
    depth = np.full((256, 256), 0.5, np.float32)
    greys = [np.full((256, 256, 3), 20 * k, np.uint8) for k in range(6)]
    try:
        shown = [peer.render(picture, depth)[0, 0, 0] for picture in greys]
        assert shown[peer.delay_frames :] == [20 * k for k in range(6 - peer.delay_frames)]
    finally:
        peer.close()


def test_focal_blur_stops_at_each_pixels_own_distance() -> None:
    distance = np.zeros((256, 256), np.float32)
    once = plug_in.focal_blur(square(), distance, 5)
    assert once[117, 117].tolist() == [16] * 3  # pass 0 reaches all: 255 / 16 at a corner
    assert spread_px(once) == pytest.approx(plug_in.spread_px(1), abs=0.05)
    distance[:] = 0.5
    assert spread_px(plug_in.focal_blur(square(), distance, 5)) == pytest.approx(plug_in.spread_px(3), abs=0.05)
    assert plug_in.done(0.5, 5) == 3


def test_the_plug_ins_sliders_are_set_by_the_lens() -> None:
    shot = slope()
    value = np.float32(plug_in.GAIN) * (1.0 - shot.first)
    point, passes = plug_in.set_sliders(shot, value)
    assert point == pytest.approx(plug_in.GAIN * 0.5, abs=0.01)
    assert plug_in.spread_px(plug_in.done(0.5, passes)) == pytest.approx(shot.widest_px() / 2.0, rel=0.25)


def test_one_copy_leaves_what_is_in_focus(truth: drawn.Truth) -> None:
    peer = plain.OneBlur(NOTHING)
    peer.prepare(truth.shot())
    result = peer.render(truth.picture, truth.inverse_depth)
    sharp = truth.inverse_depth == np.float32(truth.focus)
    assert np.array_equal(result[sharp], truth.picture[sharp])
    assert not np.array_equal(result, truth.picture)


# ---- what is not here


def test_what_is_missing_is_said() -> None:
    for peer, told in ((plug_in.PlugIn(NOTHING), "--tcmonodepth FILE"), (selfie.Selfie(NOTHING), "mediapipe==0.10.14")):
        with pytest.raises(MissingPeerError, match=told):
            peer.prepare(slope())


def test_ffmpeg_without_a_filter_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MissingPeerError, match=r"no filter nosuchfilter|not installed"):
        ffmpeg.Ffmpeg(ffmpeg.layered, "nosuchfilter").prepare(slope())
    monkeypatch.setenv("PATH", "")
    with pytest.raises(MissingPeerError, match="ffmpeg is not installed"):
        ffmpeg.with_layers(NOTHING).prepare(slope())


def test_a_program_that_ends_is_told_with_its_own_words() -> None:
    program = FrameProgram([sys.executable, "-c", "raise SystemExit('no model')"], (2, 2))
    with pytest.raises(MissingPeerError, match="it ended: no model"):
        program.take()
    program.close()
    with pytest.raises(MissingPeerError, match="cannot be started"):
        FrameProgram(["/no/such/program"], (2, 2))


# ---- what is measured


def test_leaked_is_0_for_the_lens_and_1_where_all_is_the_subjects(truth: drawn.Truth) -> None:
    band = edge_band(truth.inverse_depth, BAND_PX)
    assert drawn.leaked(truth.lens, truth, band) == 0.0
    subject = truth.picture[truth.inverse_depth == np.float32(truth.focus)].max(axis=0)
    assert drawn.leaked(np.broadcast_to(subject, truth.picture.shape), truth, band) == pytest.approx(1.0, abs=0.1)


def test_ours_leaks_less_than_one_copy_and_than_a_gather(truth: drawn.Truth) -> None:
    scores = {}
    for name, peer in (
        ("ours", ours.fine(NOTHING)),
        ("copy", plain.OneBlur(NOTHING)),
        ("gather", plain.Gather(NOTHING)),
    ):
        scores[name] = measure.truth_scores(peer, [truth])[drawn.BLEED]["leaked"]
    assert scores["ours"] < 0.5 * min(scores["copy"], scores["gather"])


def test_visible_change_is_the_share_that_changes() -> None:
    still = np.full((64, 128, 3), 100, np.uint8)
    flashing = still.copy()
    flashing[:, :64] = 180
    assert measure.visible_change([still] * 4, 1) == 0.0
    assert measure.visible_change([still, flashing] * 2, 1) == pytest.approx(0.55, abs=0.04)  # smoothed: a little more
    noisy = [still + np.random.default_rng(k).normal(0, 4, still.shape).astype(np.int8) for k in range(3)]
    assert measure.visible_change([frame.astype(np.uint8) for frame in noisy], 0) < 0.001


def test_latency_counts_the_frames_that_are_held_back(tmp_path: Path) -> None:
    from pullfocus.benchmarks.peers.stored import store

    class Late(plain.Untouched):
        delay_frames = 2

    rng = np.random.default_rng(0)
    frames = [(rng.integers(0, 255, (64, 64, 3), np.uint8), np.zeros((64, 64), np.float32)) for _ in range(9)]
    clip = store("noise", tmp_path / "clip", frames, 0.5, 7.0, 0.0)
    late: Peer = Late(NOTHING)
    cost, picture = measure.cost(late, clip, hand_in=True, budget_s=60.0)
    assert cost.frames == 9 - measure.WARM_UP
    assert cost.latency_ms == pytest.approx(cost.median_ms + 2000.0 / 30.0)
    assert np.array_equal(picture, frames[measure.KEPT + 2][0])


def test_from_the_command_line(tmp_path: Path) -> None:
    small = ("--size", "160x96", "--frames", "3", "--scenes", "0", "--samples", "4")
    peers = [part for name in ("one Gaussian copy", "MediaPipe selfie") for part in ("--peer", name)]
    kept = (
        "--json",
        tmp_path / "peers.json",
        "--pictures",
        tmp_path / "pictures",
        "--cache",
        tmp_path,
        "--no-download",
    )
    done = run_peers(*small, *peers, *kept)
    assert done.returncode == 0, done.stderr
    assert "MediaPipe selfie: missing: mediapipe==0.10.14 is not in" in done.stdout
    result = json.loads((tmp_path / "peers.json").read_text())
    measured = result["peers"]["one Gaussian copy"]
    assert measured["clips"]["panned photo"]["whole"] is None
    assert measured["clips"]["panned photo"]["blur"]["median_ms"] > 0.0
    assert [path.name for path in (tmp_path / "pictures").iterdir()] == ["panned photo_one_Gaussian_copy.jpg"]


def test_bad_input_ends_in_one_line() -> None:
    assert_one_line(run_peers("nosuch.mp4"), "nosuch.mp4")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--tcmonodepth", "nosuch.onnx"), "nosuch.onnx: no such file"),
        (("--json", "no/such/folder/a.json"), "create it first"),
        (("--markdown", "nosuch.json"), "expected a file that --json of this program wrote"),
        (("--peer", "ours"), "got 'ours'; expected one of ours, fast; ours, fine;"),
    ],
)
def test_what_was_asked_for_is_checked_first(
    arguments: tuple[str, ...], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["peers", *arguments])
    with pytest.raises(InputError, match=told):
        main()


@pytest.mark.parametrize("text", ['{"rows": []}', '{"clips": {"a": {"size": "1x1"}}, "peers": {"y": {}}}'])
def test_another_files_tables_are_refused(tmp_path: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.json"
    path.write_text(text)
    monkeypatch.setattr(sys, "argv", ["peers", "--markdown", str(path)])
    with pytest.raises(InputError, match=r"a\.json: .* where a peer's figures should be"):
        main()


def run_peers(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pullfocus.benchmarks.peers", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
