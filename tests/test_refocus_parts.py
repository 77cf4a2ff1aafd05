"""What refocus is made of: planes, light, and a fill behind what is near."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pullfocus.kernels import Lens
from pullfocus.kernels.cpu.fill import filled
from pullfocus.kernels.cpu.light import coding_of
from pullfocus.kernels.cpu.planes import Ramps, place, share_beyond, signed_radii


@given(st.integers(2, 16), st.integers(0, 2**31), st.floats(0, 1), st.floats(0, 80))
def test_shares_of_the_planes_sum_to_one(count: int, seed: int, focus: float, reach_px: float) -> None:
    rng = np.random.default_rng(seed)
    depth = rng.random((9, 11), np.float32)
    lens = Lens(focus, reach_px, 0.05)
    planes = place(np.sort(rng.random(count))[::-1], lens, smallest_px=1.0, height_px=540)
    radii = signed_radii(depth, lens)
    shares = [Ramps.of(planes, lens).in_focus(depth)[0]]
    for sign, side in ((1.0, planes.front), (-1.0, planes.back)):
        reached = [share_beyond(np.float32(sign) * radii, a, b) for a, b in pairwise((0.5, *side))]
        shares += [a - b for a, b in pairwise([*reached, np.zeros_like(depth)])]
    np.testing.assert_allclose(sum(shares), 1.0, atol=1e-5)
    assert min(float(share.min()) for share in shares) >= -1e-6


def test_planes_lie_at_the_circles_of_confusion_of_the_centres() -> None:
    lens = Lens(0.5, 40.0, dead_zone=0.1)
    planes = place(np.array([0.9, 0.55, 0.3, 0.1]), lens, smallest_px=1.0, height_px=540)
    assert planes.front == pytest.approx((12.0,))  # 40 · (0.4 − 0.1); 0.55 is in focus
    assert planes.back == pytest.approx((4.0, 12.0))


def test_planes_that_look_the_same_are_one() -> None:
    planes = place(np.linspace(1.0, 0.0, 16), Lens(0.0, 30.0), smallest_px=3.0, height_px=720)
    assert not planes.back
    assert len(planes.front) < 9
    assert min(planes.front) >= 3.0
    assert min(b - a for a, b in pairwise(planes.front)) >= 720 / 270


def test_pixel_between_two_planes_is_shared_between_them() -> None:
    radii = np.array([[0.2, 4.0, 7.0, 10.0, 30.0]], np.float32)
    np.testing.assert_allclose(share_beyond(radii, 4.0, 10.0), [[0.0, 0.0, 0.5, 1.0, 1.0]], atol=1e-6)


def test_light_and_back_is_the_same_picture() -> None:
    ramp = np.arange(256, dtype=np.uint8)[None, :, None].repeat(3, axis=2)
    coding = coding_of(ramp)
    light = coding.to_light(ramp)
    assert light.shape == (3, 1, 256)
    assert light[0, 0, 188] == pytest.approx(0.5029, abs=1e-3)  # IEC 61966-2-1
    np.testing.assert_array_equal(coding.codes_of(light)[0], ramp[..., 0])


def test_fill_keeps_what_was_seen_and_guesses_the_rest_from_around_it(rng: np.random.Generator) -> None:
    seen = rng.random((2, 40, 60), np.float32)
    seen[0] = 0.3
    visible = np.ones((40, 60), np.float32)
    visible[10:30, 20:45] = 0.0
    out = filled(seen * visible, visible)
    np.testing.assert_array_equal(out[:, visible == 1.0], seen[:, visible == 1.0])
    np.testing.assert_allclose(out[0], 0.3, atol=1e-5)
    hidden = out[1][visible == 0.0]
    assert seen[1].min() < hidden.min() <= hidden.max() < seen[1].max()
