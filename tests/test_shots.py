"""A film's shots are found in a first pass, and a shot's range holds from its first frame to its last."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.frame import VideoFrame
from pullfocus.engines.build import EngineRequest
from pullfocus.kernels import load
from pullfocus.kernels.api import InverseDepth, Picture
from pullfocus.kernels.errors import InputError
from pullfocus.kernels.grey16 import from_grey16
from pullfocus.stream import Refocuser, prepare
from pullfocus.stream.config import Settings
from pullfocus.stream.depth_range import Shot, ShotRange
from pullfocus.stream.frame import Frame
from pullfocus.stream.shots import survey
from pullfocus.stream.video_job import depth_of_video

from .probe import decode_all

RATE = 10
KERNELS = load("cpu")


class Brightness:
    """An engine whose inverse depth is the red channel; it counts how often it was asked."""

    name = "brightness"
    detail = ""

    def __init__(self) -> None:
        self.asked = 0

    def infer(self, picture: Picture) -> InverseDepth:
        self.asked += 1
        return picture[..., 0].astype(np.float32) / np.float32(255.0)


def pattern(seed: int, low: int, high: int) -> Picture:
    """Random tiles, red within [low, high]: another scene for every seed."""
    tiles = np.random.default_rng(seed).integers(0, 256, (18, 32, 3))
    tiles[..., 0] = low + tiles[..., 0] * (high - low) // 255
    return tiles.repeat(6, axis=0).repeat(6, axis=1).astype(np.uint8)


def film() -> list[Frame]:
    pictures = [pattern(1, 51, 102)] * 12 + [pattern(2, 102, 204)] * 8
    return [Frame(picture, index, index, Fraction(1, RATE)) for index, picture in enumerate(pictures)]


def test_every_shot_is_found_with_its_own_range() -> None:
    engine = Brightness()
    first, second = survey(film(), engine)
    assert (first.start_s, second.start_s) == (0.0, 1.2)
    assert 0.2 <= first.low < first.high <= 0.4
    assert 0.4 <= second.low < second.high <= 0.8
    assert engine.asked < 10  # of 20 frames


def test_the_survey_tells_how_far_it_is() -> None:
    seen: list[int] = []
    survey(film(), Brightness(), seen.append)
    assert seen == list(range(1, 21))


@pytest.mark.parametrize(("time_s", "expected"), [(0.0, 0.5), (1.19, 0.5), (1.2, 0.0), (9.0, 0.0)])
def test_a_shot_keeps_its_range_from_first_to_last_frame(time_s: float, expected: float) -> None:
    shots = ShotRange([Shot(0.0, 0.1, 0.3), Shot(1.2, 0.2, 0.8)])
    assert shots.apply(np.full((2, 2), 0.2, np.float32), time_s, KERNELS) == pytest.approx(np.full((2, 2), expected))


def test_a_flat_shot_is_not_stretched_into_noise() -> None:
    out = ShotRange([Shot(0.0, 0.4, 0.4)]).apply(np.array([[0.4, 0.402]], np.float32), 0.0, KERNELS)
    assert out[0, 1] < 0.2


def test_what_lies_outside_the_range_is_clipped() -> None:
    out = ShotRange([Shot(0.0, 0.2, 0.4)]).apply(np.array([[0.0, 1.0]], np.float32), 0.0, KERNELS)
    assert out.tolist() == [[0.0, 1.0]]


def test_a_film_of_two_shots_has_each_stretched_as_a_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clip, depth = write_pictures(tmp_path / "in.mkv"), tmp_path / "depth.mkv"
    monkeypatch.setattr(prepare, "build", lambda _: Brightness())  # pyright: ignore[reportUnknownLambdaType]
    depth_of_video(str(clip), depth, Settings(depth_range="shot", steady=False))
    maps = [from_grey16(frame.to_ndarray()) for frame in decode_all(depth)]
    assert len(maps) == len(film())
    for index in (0, 11, 12, 19):
        assert np.percentile(maps[index], (2, 98)) == pytest.approx((0.0, 1.0), abs=0.1)


def test_what_has_no_end_cannot_be_looked_through() -> None:
    with pytest.raises(InputError, match="--depth-range shot looks through a film first"):
        Refocuser(Settings(depth_range="shot", engine=EngineRequest("plane")))


def write_pictures(path: Path) -> Path:
    """`film` as a lossless file."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=RATE)
        stream.codec_context.height, stream.codec_context.width = film()[0].size_hw
        stream.codec_context.pix_fmt = "bgr0"
        for given in film():
            frame = VideoFrame.from_ndarray(given.picture8, format="rgb24")
            frame.pts, frame.time_base = given.pts, given.time_base
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path
