"""`--focus auto` finds the subject and keeps it: on drawn scenes, and on real people with the shipped net."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from pullfocus.engines.build import EngineRequest, build
from pullfocus.kernels import Kernels
from pullfocus.stream.layers import LayerTracker
from pullfocus.stream.subject import (
    BAND,
    SWITCH_S,
    Subject,
    central_mass,
    median_in,
    nearest_visible,
    small_copy,
    subject_scores,
)
from pullfocus.stream.video_in import VideoSource

from .scene import CENTRES, focus_at, puller
from .test_focus import FRAME_S, depth_with
from .test_media import MEDIA, require_media


def subject_over_time(rival_s: float, share: float) -> list[float]:
    """Focus while the subject (left, 0.9) shrinks to `share` of the picture for `rival_s`; the rest is 0.5."""
    puller_, focus = puller("auto"), list[float]()
    for frame in range(120):
        rival_now = 0.5 <= frame * FRAME_S < 0.5 + rival_s
        depth = depth_with(0.9, 0.5, round(96 * (share if rival_now else 0.6)))
        focus.append(focus_at(puller_, depth, frame * FRAME_S))
    return focus


def test_auto_prefers_near_and_central() -> None:
    depth = np.full((54, 96), 0.1, np.float32)
    depth[10:50, 35:60] = 0.9
    assert focus_at(puller("auto"), depth) == pytest.approx(0.9, abs=2e-3)
    aside = np.full((54, 96), 0.1, np.float32)
    aside[:6, :6] = 0.9
    scores = subject_scores(central_mass(aside), CENTRES)
    assert scores[0] < scores[2]


def test_auto_does_not_turn_to_a_short_rival() -> None:
    assert len(set(subject_over_time(SWITCH_S * 0.7, 0.1))) == 1


def test_auto_turns_to_a_stronger_rival_that_lasts() -> None:
    focus = subject_over_time(3.5, 0.1)
    assert focus[round((0.4 + SWITCH_S) / FRAME_S)] == pytest.approx(0.9, abs=2e-3)
    assert focus[-1] == pytest.approx(0.5, abs=0.01)


def test_auto_does_not_turn_to_a_rival_that_is_hardly_stronger() -> None:
    scores = subject_scores(central_mass(depth_with(0.9, 0.5, 40)), CENTRES)
    assert 1.0 < scores[1] / scores[0] < 1.3
    assert len(set(subject_over_time(2.5, 40 / 96))) == 1


def test_layers_that_are_cut_anew_are_no_rivals() -> None:
    """One person from 0.45 to 0.55, whose layers move from frame to frame."""
    person = np.linspace(0.45, 0.55, 60, dtype=np.float32)
    depth = np.full((54, 96), 0.1, np.float32)
    depth[:, 18:78] = person
    subject, rng = Subject(), np.random.default_rng(5)
    found = list[float]()
    for frame in range(60):
        cut = rng.uniform(0.46, 0.54)
        found.append(subject.follow(depth, np.array([cut + 0.03, cut - 0.03, 0.1]), frame * FRAME_S))
    assert np.ptp(found[1:]) < 0.01
    assert found[-1] == pytest.approx(0.5, abs=0.03)


def test_a_subject_that_comes_nearer_is_followed_past_a_rival() -> None:
    subject, found = Subject(), 0.0
    for frame in range(120):
        now = 0.3 + 0.005 * frame
        depth = np.full((54, 96), 0.6, np.float32)
        depth[5:, 20:76] = now
        found = subject.follow(depth, np.array(sorted((now, 0.6, 0.1), reverse=True)), frame * FRAME_S)
    assert found == pytest.approx(0.895, abs=0.01)


def test_nearest_needs_a_visible_size() -> None:
    depth = depth_with(0.5, 0.1)
    depth[:2, :9] = 0.9
    assert nearest_visible(depth, CENTRES) == 0.5
    depth[:3, :9] = 0.9
    assert nearest_visible(depth, CENTRES) == 0.9


def test_median_in_a_box_that_reaches_beyond_the_picture() -> None:
    depth = depth_with(0.9, 0.1)
    assert median_in(depth, -0.5, -0.5, 0.3, 2.0) == pytest.approx(0.9)
    assert median_in(depth, 0.8, 0.9, 1.5, 1.5) == pytest.approx(0.1)
    assert median_in(depth, 1.2, 1.2, 1.4, 1.4) == pytest.approx(0.1)
    assert median_in(depth, 0.3, 0.3, 0.3, 0.3) == pytest.approx(0.9)


def test_small_copy_keeps_shape_and_mean() -> None:
    depth = np.random.default_rng(0).random((192, 320), np.float32)
    small = small_copy(depth)
    assert small.shape == (58, 96)
    assert small.mean() == pytest.approx(depth.mean(), abs=0.01)
    assert small_copy(np.ones((1, 500), np.float32)).shape == (1, 96)


PEOPLE = ("a_talking_head", "b_people_hands")
SECONDS = 10.0
EVERY = 5  # frames


def depth_clip(path: Path, kernels: Kernels) -> tuple[list[NDArray[np.float32]], float]:
    """The shipped net's inverse depth of every fifth frame, small, and the time between two of them."""
    engine, depths, times_s = build(EngineRequest()), list[NDArray[np.float32]](), list[float]()
    with VideoSource(str(path)) as source:
        for frame in source.frames():
            if frame.index % EVERY == 0:
                depths.append(small_copy(np.clip(engine.infer(frame.picture8), 0.0, 1.0)))
                times_s.append(frame.time_s)
    return depths, float(np.median(np.diff(times_s)))


@pytest.mark.media
@pytest.mark.parametrize("folder", PEOPLE)
def test_on_people_auto_changes_its_mind_at_most_once_in_ten_seconds(folder: str, kernels: Kernels) -> None:
    """Short clips go back and forth. Without memory there are up to 24 changes."""
    require_media()
    changes = dict[str, int]()
    for path in sorted((MEDIA / folder).iterdir()):
        depths, step_s = depth_clip(path, kernels)
        there_and_back = [*depths, *depths[::-1]]
        tracker, subject, found = LayerTracker(kernels, 6), Subject(), list[float]()
        for index in range(round(SECONDS / step_s)):
            depth = there_and_back[index % len(there_and_back)]
            found.append(subject.follow(depth, tracker.update(depth), index * step_s))
        changes[path.name] = int(np.count_nonzero(np.abs(np.diff(found)) > BAND / 2))
    assert max(changes.values()) <= 1, changes
