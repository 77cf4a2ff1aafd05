"""Cuts are found at their first frame; light, turns and things that pass are no cuts."""

from __future__ import annotations

from fractions import Fraction
from importlib.resources import as_file, files
from itertools import islice

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from pullfocus.kernels import Kernels
from pullfocus.kernels.api import InverseDepth, Picture
from pullfocus.stream.config import Settings
from pullfocus.stream.cuts import CutDetector
from pullfocus.stream.focus import FocusPuller, Point
from pullfocus.stream.frame import Frame, Sensed
from pullfocus.stream.pictures import read_picture
from pullfocus.stream.stages import DepthStage, LayersStage, NetDepth
from pullfocus.stream.state import State
from pullfocus.stream.synthetic import SyntheticSource

from .test_media import MEDIA, require_media


def photo(name: str) -> Picture:
    with as_file(files("sklearn.datasets").joinpath("images", name)) as path:
        return read_picture(path)


@pytest.fixture(scope="module")
def temple() -> Picture:
    return photo("china.jpg")


@pytest.fixture(scope="module")
def flower() -> Picture:
    return photo("flower.jpg")


def cuts(*pictures: Picture) -> list[int]:
    detector = CutDetector()
    return [index for index, picture in enumerate(pictures) if detector.is_cut(picture)]


def lit(picture: Picture, gain: float | NDArray[np.float32], offset: float = 0.0) -> Picture:
    return np.clip(picture * np.asarray(gain, np.float32) + np.float32(offset), 0, 255).astype(np.uint8)


def turned(picture: Picture, share: float) -> Picture:
    """What a camera sees that has turned to the right by a share of its width."""
    width = int(0.6 * picture.shape[1])
    left = int(share * width)
    return np.ascontiguousarray(picture[:, left : left + width])


def test_a_cut_is_found_at_its_first_frame_and_once(temple: Picture, flower: Picture) -> None:
    assert cuts(temple, temple, flower, flower, flower, temple) == [2, 5]


def test_the_first_frame_is_no_cut(temple: Picture) -> None:
    assert cuts(temple) == []


def test_size_does_not_matter(temple: Picture, flower: Picture) -> None:
    assert cuts(temple, np.asarray(cv2.resize(temple, (160, 90)), np.uint8), flower[::3, ::3].copy()) == [2]


def test_a_cut_between_dark_scenes_is_found(temple: Picture, flower: Picture) -> None:
    assert cuts(lit(temple, 0.15), lit(flower, 0.15)) == [1]


@pytest.mark.parametrize(
    ("gain", "offset"), [(2.0, 0.0), (0.5, 0.0), (1.4, 0.0), (1.5, 100.0), (1.5, 160.0), (0.0, 255.0), (0.0, 0.0)]
)
def test_flashes_exposure_steps_and_black_frames_are_no_cuts(temple: Picture, gain: float, offset: float) -> None:
    other = lit(temple, gain, offset)
    assert cuts(temple, temple, other, temple, other, other, temple) == []


def test_a_flash_from_one_side_is_no_cut(temple: Picture) -> None:
    x = np.linspace(0, 1, temple.shape[1], dtype=np.float32)[None, :, None]
    assert cuts(temple, lit(temple, 1 + 2 * (1 - x), 0.0), temple) == []


@pytest.mark.parametrize("share", [0.02, 0.05, 0.1, 0.15])
def test_a_turn_is_no_cut(temple: Picture, share: float) -> None:
    steps = [turned(temple, share * step) for step in range(int(0.6 / share))]
    assert cuts(*steps, *reversed(steps)) == []


def test_a_hand_before_the_lens_is_no_cut(temple: Picture) -> None:
    hidden = temple.copy()
    hidden[100:, 150:330] = (150, 110, 90)
    assert cuts(temple, hidden, temple) == []


def test_a_fade_over_black_to_another_scene_is_a_cut(temple: Picture, flower: Picture) -> None:
    levels = np.linspace(1, 0, 8)
    fade = [lit(temple, level) for level in levels] + [lit(flower, level) for level in levels[::-1]]
    assert len(cuts(*fade)) == 1
    same = [lit(temple, level) for level in levels] + [lit(temple, level) for level in levels[::-1]]
    assert cuts(*same) == []


def test_noise_in_the_dark_is_no_cut(temple: Picture, rng: np.random.Generator) -> None:
    assert cuts(*(np.clip(temple * 0.15 + rng.normal(0, 6, temple.shape), 0, 255).astype(np.uint8) for _ in "12")) == []


def test_a_small_thing_that_wanders_over_nothing_is_no_cut() -> None:
    dots = (
        cv2.circle(np.zeros((200, 300, 3), np.uint8), (140 + 3 * x, 100 + x), 12, (255, 0, 0), -1) for x in range(9)
    )
    assert cuts(*(np.asarray(dot, np.uint8) for dot in dots)) == []


def test_test_pictures_hold_no_cut() -> None:
    assert cuts(*(frame.picture8 for frame in SyntheticSource(live=False, frames=60).frames())) == []


@pytest.mark.parametrize("size_hw", [(1, 1), (2, 3), (16, 16)])
def test_tiny_pictures_are_taken(size_hw: tuple[int, int], rng: np.random.Generator) -> None:
    assert cuts(*(rng.integers(0, 256, (*size_hw, 3), np.uint8) for _ in range(3))) in ([], [1], [1, 2])


# ---- what a cut does


class Telling:
    """An engine that says how often it was asked: 0.3, 0.4, 0.5 … everywhere."""

    name = detail = "telling"
    asked = 0

    def infer(self, picture: Picture) -> InverseDepth:
        self.asked += 1
        return np.full((192, 288), 0.2 + 0.1 * self.asked, np.float32)


def frames(*pictures: Picture) -> list[Frame]:
    return [Frame(picture, index, index, Fraction(1, 30)) for index, picture in enumerate(pictures)]


def test_the_net_is_asked_at_a_cut_and_what_was_known_is_void(
    kernels: Kernels, temple: Picture, flower: Picture
) -> None:
    engine = Telling()
    stage = DepthStage(NetDepth(engine, kernels, Settings(net_every=4)))
    sensed = [stage(frame) for frame in frames(temple, temple, flower, flower, flower, flower, flower)]
    assert [item.cut for item in sensed] == [False, False, True, False, False, False, False]
    assert engine.asked == 3  # frames 0, 2 and, four later, 6
    depths = [float(np.median(item.inverse_depth)) for item in sensed]
    np.testing.assert_allclose(depths[:6], [0.3, 0.3, 0.4, 0.4, 0.4, 0.4], atol=1e-4)
    assert 0.4 < depths[6] < 0.5  # held steady again


def test_the_range_starts_anew_at_a_cut(kernels: Kernels, temple: Picture, flower: Picture) -> None:
    class Sloping:
        name = detail = "sloping"

        def infer(self, picture: Picture) -> InverseDepth:
            ends = (0.0, 0.2) if picture is temple else (0.5, 0.9)
            return np.repeat(np.linspace(*ends, 192, dtype=np.float32)[:, None], 288, axis=1)

    stage = DepthStage(NetDepth(Sloping(), kernels, Settings(depth_range="auto")))
    *_, first = (stage(frame).inverse_depth for frame in frames(*[temple] * 3, flower))
    assert float(np.median(first)) == pytest.approx(0.5, abs=0.02)


def test_given_depth_is_untouched_by_a_cut(temple: Picture, flower: Picture) -> None:
    class Given:
        def sense(self, frame: Frame, cut: bool = False) -> Sensed:
            return Sensed(frame, np.full((2, 2), frame.index / 10, np.float32), cut)

        def state(self) -> State:
            return {}

        def restore(self, state: State) -> None:
            pass

    stage = DepthStage(Given())
    sensed = [stage(frame) for frame in frames(temple, flower, flower)]
    assert [item.cut for item in sensed] == [False, True, False]
    assert [float(item.inverse_depth[0, 0]) for item in sensed] == pytest.approx([0.0, 0.1, 0.2])


def test_layers_and_focus_start_anew_at_a_cut(kernels: Kernels, temple: Picture) -> None:
    before, after = (np.repeat(np.linspace(*ends, 54)[:, None], 96, axis=1) for ends in ((0.0, 0.8), (0.2, 0.9)))
    first, second = frames(temple, temple)

    def stage() -> LayersStage:
        return LayersStage(kernels, Settings(), FocusPuller(Settings(focus=Point(0.5, 0.9))))

    followed, cut, fresh = stage(), stage(), stage()
    for each in (followed, cut):
        each(Sensed(first, before.astype(np.float32)))
    glides = followed(Sensed(second, after.astype(np.float32)))
    starts = cut(Sensed(second, after.astype(np.float32), cut=True))
    expected = fresh(Sensed(second, after.astype(np.float32)))
    assert starts.plan.inverse_depth == pytest.approx(expected.plan.inverse_depth)
    np.testing.assert_allclose(starts.centres, expected.centres, atol=0.01)
    assert glides.plan.inverse_depth < expected.plan.inverse_depth - 0.05


@pytest.mark.media
def test_clips_of_one_scene_hold_no_cut_and_joined_ones_one_each() -> None:
    require_media()
    from pullfocus.stream.video_in import VideoSource

    shots: list[list[Picture]] = []
    for name in (
        "a_talking_head/intel-iot-devkit__walk.mkv",
        "b_people_hands/facebookresearch__01_dog.mp4",
        "d_outdoor/mdn__flower.webm",
        "b_people_hands/intel-iot-devkit__classroom.gif",
        "d_outdoor/androidx__sample_gamma2.2.mp4",
    ):
        with VideoSource(str(MEDIA / name)) as source:
            shots.append([frame.picture8 for frame in islice(source.frames(), 40)])
    starts = np.cumsum([len(shot) for shot in shots[:-1]])
    assert cuts(*(picture for shot in shots for picture in shot)) == starts.tolist()
