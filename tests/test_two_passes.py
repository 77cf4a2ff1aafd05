"""A second pass over stored depth makes the frames of the first, without a net and without looking for cuts."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from av.video.frame import VideoFrame
from pullfocus.kernels.api import InverseDepth, Picture
from pullfocus.kernels.errors import InputError
from pullfocus.stream import prepare
from pullfocus.stream.config import Settings
from pullfocus.stream.cuts import CutDetector
from pullfocus.stream.depth_file import CUTS_TAG, DepthVideo
from pullfocus.stream.frame import Frame
from pullfocus.stream.targets import Nearest, Point
from pullfocus.stream.video_job import refocus_video

FRAMES, CUTS = 26, (9, 17)
SIZE_WH = (160, 96)


class GreyEngine:
    """Bright is near: depth that changes with the picture."""

    name, detail = "grey", "a test's"

    def infer(self, picture: Picture) -> InverseDepth:
        grey = cv2.cvtColor(cv2.resize(picture, (80, 48), interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)
        return (grey / 255.0).astype(np.float32)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three shots of blurred noise that moves, at an uneven pace."""
    path = tmp_path_factory.mktemp("clip") / "in.mkv"
    width, height = SIZE_WH
    rng = np.random.default_rng(3)
    shots = [cv2.GaussianBlur(rng.random((height, width + FRAMES, 3)), (0, 0), 3) for _ in range(len(CUTS) + 1)]
    shots = [cv2.normalize(shot, np.empty_like(shot), 0, 255, cv2.NORM_MINMAX).astype(np.uint8) for shot in shots]
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"crf": "10", "preset": "ultrafast"})
        stream.codec_context.width, stream.codec_context.height = SIZE_WH
        stream.codec_context.pix_fmt = "yuv420p"
        for index in range(FRAMES):
            shot = shots[sum(index >= cut for cut in CUTS)]
            frame = VideoFrame.from_ndarray(np.ascontiguousarray(shot[:, index : index + width]), format="rgb24")
            frame.pts, frame.time_base = 40 * index + 7 * (index % 3), Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (Settings(depth_range="auto"), Settings()),
        (Settings(net_every=2), Settings()),
        (Settings(steady=False, smooth="both", focus=Nearest()), Settings(focus=Nearest())),
        (Settings(focus=Point(0.4, 0.5), net_every=3, depth_range="auto"), Settings(focus=Point(0.4, 0.5))),
    ],
    ids=["auto,range", "net-every", "smooth,nearest", "point,net-every,range"],
)
def test_the_same_frames_come_out_byte_for_byte(
    first: Settings, second: Settings, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as engine:
        engine.setattr(prepare, "build", lambda _: GreyEngine())  # pyright: ignore[reportUnknownLambdaType]
        refocus_video(str(clip), tmp_path / "1.mkv", first, depth_out=tmp_path / "depth.mkv", segment_frames=10)
    monkeypatch.setattr(prepare, "build", _no_engine)
    monkeypatch.setattr(CutDetector, "is_cut", _no_detector)
    refocus_video(str(clip), tmp_path / "2.mkv", second, depth_in=tmp_path / "depth.mkv", segment_frames=10)
    assert frames_of(tmp_path / "1.mkv") == frames_of(tmp_path / "2.mkv")
    video = DepthVideo(tmp_path / "depth.mkv")
    assert video.cuts == set(CUTS)
    sensed = video.sense(Frame(np.zeros((SIZE_WH[1], SIZE_WH[0], 3), np.uint8), 0, 0, Fraction(1, 1000)))
    assert sensed.small is not None
    assert sensed.small.shape == (48, 80)  # the engine's size: cheap to read
    assert sensed.inverse_depth.shape == SIZE_WH[::-1]
    video.close()


def frames_of(path: Path) -> list[tuple[float, bytes]]:
    with av.open(str(path)) as container:
        return [(frame.time or 0.0, frame.to_ndarray().tobytes()) for frame in container.decode(video=0)]


def _no_engine(request: object) -> GreyEngine:
    raise AssertionError(f"a second pass needs no engine, got {request}")


def _no_detector(detector: CutDetector, picture: Picture) -> bool:
    raise AssertionError(f"the cuts are known, and {detector} was asked about {picture.shape}")


def test_stored_depth_goes_on_at_its_place(tmp_path: Path) -> None:
    """And says so where it is shorter than it should be."""
    path = write_depth(tmp_path / "depth.mkv", None, frames=5)
    through, resumed = DepthVideo(path), DepthVideo(path)
    frames = [Frame(np.zeros((24, 32, 3), np.uint8), i, i, Fraction(1, 25)) for i in range(5)]
    depths = [through.sense(frame).inverse_depth.copy() for frame in frames[:3]]
    resumed.restore(through.state())
    for frame in frames[3:]:
        np.testing.assert_array_equal(resumed.sense(frame).inverse_depth, through.sense(frame).inverse_depth)
    assert len({float(depth[0, 0]) for depth in depths}) == 3
    with pytest.raises(InputError, match="ends before frame 5"):
        resumed.sense(replace(frames[4], index=5))
    for video in (through, resumed):
        video.close()


@pytest.mark.parametrize(("tag", "cuts"), [(None, None), ("none", frozenset[int]()), ("3 14", frozenset({3, 14}))])
def test_the_tag_says_the_cuts_or_that_it_does_not_know(
    tag: str | None, cuts: frozenset[int] | None, tmp_path: Path
) -> None:
    video = DepthVideo(write_depth(tmp_path / "depth.mkv", tag))
    assert video.cuts == cuts
    video.close()


def test_a_tag_that_makes_no_sense_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"got CUTS '3 x', expected the numbers of frames"):
        DepthVideo(write_depth(tmp_path / "depth.mkv", "3 x"))


def write_depth(path: Path, tag: str | None, frames: int = 1) -> Path:
    with av.open(str(path), "w") as container:
        if tag is not None:
            container.metadata[CUTS_TAG] = tag
        stream = container.add_stream("ffv1", rate=25)
        stream.codec_context.width, stream.codec_context.height = 32, 24
        stream.codec_context.pix_fmt = "gray16le"
        for index in range(frames):
            frame = VideoFrame.from_ndarray(np.full((24, 32), 1000 * index, np.uint16), format="gray16le")
            frame.pts, frame.time_base = index, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path
