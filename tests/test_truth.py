"""The thin lens that refocus is measured against, held to what optics says of plain cases."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from pullfocus.benchmarks import truth
from pullfocus.benchmarks.scenes import FAMILIES, REPORTING, SIZE_HW, TUNING, scene
from pullfocus.benchmarks.thin_lens import Scene, Sheet, photograph, to_linear, to_srgb

HEIGHT, WIDTH = 96, 128
FULL = np.ones((HEIGHT, WIDTH), np.float32)


def grey(level: float) -> np.ndarray:
    return np.full((HEIGHT, WIDTH, 3), level, np.float32)


def noise() -> np.ndarray:
    rough = np.random.default_rng(0).random((HEIGHT, WIDTH, 3), np.float32)
    return cv2.GaussianBlur(rough, (0, 0), 1.5)


def test_srgb_and_light_are_inverse() -> None:
    levels = np.arange(256, dtype=np.uint8).reshape(-1, 1, 1).repeat(3, axis=2)
    np.testing.assert_array_equal(to_srgb(to_linear(levels / np.float32(255.0))), levels)
    assert to_linear(np.array([0.5]))[0] == pytest.approx(0.2140, abs=1e-4)


def test_what_is_in_focus_stays_as_it_is() -> None:
    shot = Scene("flat", (Sheet(noise(), FULL, 0.4),), focus=0.4, aperture=10.0)
    np.testing.assert_allclose(photograph(shot, 16), shot.picture(), atol=1)  # sums round


def test_a_point_becomes_a_disc_of_the_circle_of_confusion() -> None:
    light = grey(0.0)
    light[47:50, 63:66] = 1.0
    # 10 % of 96 px at a difference of 0.5: a radius of 4.8 px; a disc's mean squared radius is half its square.
    shot = Scene("point", (Sheet(light, FULL, 0.9),), focus=0.4, aperture=10.0)
    seen = to_linear(photograph(shot, 400) / np.float32(255.0))[..., 0]
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    away2 = (rows - 48.0) ** 2 + (columns - 64.0) ** 2
    assert seen.sum() == pytest.approx(9.0, rel=0.03)
    assert (seen * away2).sum() / seen.sum() == pytest.approx(4.8**2 / 2 + 2 * 2 / 3, rel=0.05)
    assert seen[away2 > 8.0**2].max() == 0.0


def test_a_near_edge_spreads_over_what_is_in_focus() -> None:
    half = FULL.copy()
    half[:, WIDTH // 2 :] = 0.0
    shot = Scene("edge", (Sheet(grey(0.0), FULL, 0.2), Sheet(grey(1.0), half, 0.8)), focus=0.2, aperture=10.0)
    row = to_linear(photograph(shot, 400) / np.float32(255.0))[48, :, 0]
    assert row[WIDTH // 2 - 8] == pytest.approx(1.0, abs=0.01)  # the radius is 5.8 px
    assert row[WIDTH // 2 - 1] + row[WIDTH // 2] == pytest.approx(1.0, abs=0.05)
    assert row[WIDTH // 2 + 2] > 0.2
    assert row[WIDTH // 2 + 8] == 0.0


def test_a_far_surface_does_not_reach_over_a_near_edge_in_focus() -> None:
    half = FULL.copy()
    half[:, WIDTH // 2 :] = 0.0
    shot = Scene("edge", (Sheet(noise(), FULL, 0.2), Sheet(grey(1.0), half, 0.8)), focus=0.8, aperture=10.0)
    seen = photograph(shot, 64)
    assert seen[:, : WIDTH // 2].min() == 255


def test_a_slanted_surface_is_sharp_only_where_it_crosses_the_focus() -> None:
    shot = Scene("floor", (Sheet(noise(), FULL, 0.5, slope=0.8),), focus=0.5, aperture=10.0)
    seen, sharp = photograph(shot, 128).astype(float), shot.picture().astype(float)
    error = np.abs(seen - sharp).mean(axis=(1, 2))
    assert error[46:50].max() < 1.0
    assert error[:10].min() > 3.0
    # Row 9 is 0.32 away from the focus, a radius of 3.08 px: as a flat surface there.
    flat = Scene("flat", (Sheet(noise(), FULL, 0.5 + 0.8 * (9.5 / HEIGHT - 0.5)),), focus=0.5, aperture=10.0)
    np.testing.assert_allclose(seen[9], photograph(flat, 128)[9], atol=4.0)


@pytest.mark.parametrize("family", list(FAMILIES))
def test_scenes_are_drawn_from_their_seed(family: str) -> None:
    shot = scene(family, TUNING[0])
    np.testing.assert_array_equal(shot.picture(), scene(family, TUNING[0]).picture())
    depth = shot.inverse_depth()
    assert depth.shape == SIZE_HW
    assert 0.0 <= depth.min() < depth.max() <= 1.0
    assert set(TUNING).isdisjoint(REPORTING)
    where = truth.areas(shot, depth)
    assert where["edge band"].any()
    assert not (where["edge band"] & where["in focus"]).any()


def test_psnr_of_a_constant_error() -> None:
    one, other = np.zeros((4, 4, 3), np.uint8), np.full((4, 4, 3), 5, np.uint8)
    everywhere = np.ones((4, 4), np.bool_)
    assert truth.psnr_db(one, other, everywhere) == pytest.approx(20 * np.log10(255 / 5))
    assert truth.psnr_db(one, one, everywhere) == 99.0
    assert np.isnan(truth.psnr_db(one, other, ~everywhere))


def test_a_scene_made_smaller_keeps_what_it_shows() -> None:
    shot = Scene("floor", (Sheet(noise(), FULL, 0.5, slope=0.8),), focus=0.5, aperture=10.0)
    small = shot.shrunk(2)
    assert small.picture().shape == (HEIGHT // 2, WIDTH // 2, 3)
    by_area = cv2.resize(shot.sheets[0].light, (WIDTH // 2, HEIGHT // 2), interpolation=cv2.INTER_AREA)
    np.testing.assert_allclose(small.sheets[0].light, by_area, atol=1e-6)
    np.testing.assert_allclose(
        small.inverse_depth()[:, 0], shot.inverse_depth()[:, 0].reshape(-1, 2).mean(axis=1), atol=1e-6
    )


def test_a_moved_camera_shifts_what_is_not_in_focus() -> None:
    half = FULL.copy()
    half[:, WIDTH // 2 :] = 0.0
    shot = Scene("edge", (Sheet(noise(), FULL, 0.4), Sheet(grey(1.0), half, 0.9)), focus=0.4, aperture=10.0)
    moved = shot.moved(1.0, 0.0)  # 10 % of 96 px at a difference of 0.5: 4.8 px
    np.testing.assert_array_equal(moved.sheets[0].light, shot.sheets[0].light)
    edges = [float(one.inverse_depth()[40].argmin()) for one in (shot, moved)]
    assert abs(edges[1] - edges[0]) == pytest.approx(4.8, abs=0.6)
    np.testing.assert_array_equal(shot.moved(0.0, 0.0).picture(), shot.picture())


def test_a_look_says_what_is_measured() -> None:
    look = truth.Look(("fast",), samples=6, smaller=4, processes=1)
    rows = truth.measure(("twigs",), (TUNING[0],), look)
    assert rows.keys() == {"twigs"}
    assert truth.means(rows) == rows["twigs"]
    assert rows["twigs"].keys() == {"fast"}
    assert 15.0 < rows["twigs"]["fast"]["edge band"] <= rows["twigs"]["fast"]["all"] < 40.0


def test_gather_blurs_a_flat_depth_by_its_circle() -> None:
    picture = to_srgb(noise())
    shot = Scene("flat", (Sheet(noise(), FULL, 0.9),), focus=0.4, aperture=10.0)
    close = truth.gather(shot, picture, shot.inverse_depth())
    assert truth.psnr_db(close, photograph(shot, 400), np.ones((HEIGHT, WIDTH), np.bool_)) > 38.0
