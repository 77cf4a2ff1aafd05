"""Random views keep picture and depth together, and the meaning of metres."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pullfocus.training.augment import View, draw, render
from pullfocus.training.config import Views

NAN = float("nan")
PLAIN = Views(smallest_crop=1.0, aspect_jitter=0.0, mirror=0.0, colours=0.0, blur=0.0, noise=0.0, compression=0.0)
STRONG = Views(smallest_crop=0.5, colours=1.0, blur=1.0, noise=1.0)


def ramp(height: int = 120, width: int = 160) -> tuple[torch.Tensor, torch.Tensor]:
    """A picture that brightens to the right, and inverse depth that rises with it from 0.1 to 0.5."""
    x = torch.linspace(0.0, 1.0, width).expand(height, width)
    return (40 + x * 170).to(torch.uint8).expand(3, height, width).contiguous(), 0.1 + 0.4 * x


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**31), st.sampled_from([(64, 96), (96, 64)]))
def test_view_keeps_picture_and_target_together(seed: int, size_hw: tuple[int, int]) -> None:
    image, target = ramp()
    view = draw((120, 160), size_hw, STRONG, np.random.default_rng(seed))
    picture, depth = render(image, target, False, view, size_hw)
    assert picture.shape == (3, *size_hw)
    assert depth.shape == (1, *size_hw)
    assert 0.0 <= float(picture.min()) <= float(picture.max()) <= 1.0
    assert torch.isin(depth, target).all()  # nearest: no invented depth
    bright, deep = picture.mean(dim=(0, 1)), depth[0].mean(dim=0)
    assert np.corrcoef(bright, deep)[0, 1] > 0.9  # mirrored together, or not at all
    assert float(deep.max() - deep.min()) > 0.08


def test_plain_view_is_the_picture() -> None:
    image, target = ramp(64, 96)
    view = draw((64, 96), (64, 96), PLAIN, np.random.default_rng(0))
    picture, depth = render(image, target, True, view, (64, 96))
    torch.testing.assert_close(picture, image / 255.0)
    torch.testing.assert_close(depth[0], target)


def test_a_band_shows_depth_and_the_rest_the_picture() -> None:
    image, target = ramp(64, 100)
    target[:, 30] = NAN
    plain = View(top=0, left=0, height=64, width=100, mirror=False)
    picture, depth = render(image, target, True, plain, (64, 100))
    banded, same_depth = render(image, target, True, replace(plain, band=(0.2, 0.5)), (64, 100))
    torch.testing.assert_close(same_depth, depth, equal_nan=True)
    torch.testing.assert_close(banded[..., :20], picture[..., :20])
    torch.testing.assert_close(banded[..., 50:], picture[..., 50:])
    torch.testing.assert_close(banded[..., 20:50], depth[..., 20:50].nan_to_num(0.0).expand(3, -1, -1))


def test_a_share_of_the_pictures_has_a_band() -> None:
    views = Views(cut_depth=0.4)
    dice = np.random.default_rng(0)
    bands = [draw((300, 400), (192, 256), views, dice).band for _ in range(2000)]
    drawn = [band for band in bands if band is not None]
    assert len(drawn) / len(bands) == pytest.approx(0.4, abs=0.04)  # 3.6 sigma
    assert all(0 <= left <= right <= 1 for left, right in drawn)


def test_zooming_into_a_metric_picture_brings_it_nearer() -> None:
    image, target = torch.full((3, 100, 200), 100, dtype=torch.uint8), torch.full((100, 200), 0.3)
    half = View(top=10, left=20, height=50, width=100, mirror=False)
    assert float(render(image, target, True, half, (64, 64))[1].max()) == pytest.approx(0.6)
    assert float(render(image, target, False, half, (64, 64))[1].max()) == pytest.approx(0.3)
    quarter = View(top=0, left=0, height=25, width=50, mirror=False)
    assert float(render(image, target, True, quarter, (64, 64))[1].max()) == 1.0  # 0.5 m or nearer


def test_a_share_of_the_pictures_is_seen_whole() -> None:
    views = Views(whole=0.6, smallest_crop=0.5)
    dice = np.random.default_rng(0)
    drawn = [draw((300, 400), (192, 256), views, dice) for _ in range(2000)]
    assert np.mean([(v.height, v.width) == (300, 400) for v in drawn]) == pytest.approx(0.6, abs=0.04)  # 3.6 sigma
    wide = [draw((300, 400), (192, 320), Views(whole=1.0), np.random.default_rng(seed)) for seed in range(20)]
    assert {(view.height, view.width) for view in wide} == {(240, 400)}  # the largest part of that shape


def test_crop_follows_the_wanted_aspect_and_stays_inside() -> None:
    for seed in range(200):
        view = draw((300, 400), (192, 320), Views(smallest_crop=0.6), np.random.default_rng(seed))
        assert 0 <= view.top <= 300 - view.height
        assert 0 <= view.left <= 400 - view.width
        assert 0.88 < view.width / view.height / (320 / 192) < 1.12
        assert view.width > 0.6 * 400 * 0.85


def test_the_same_dice_give_the_same_view() -> None:
    one, same, other = (draw((90, 120), (64, 64), STRONG, np.random.default_rng(seed)) for seed in (5, 5, 6))
    assert one == same
    assert one != other


def test_holes_stay_holes() -> None:
    image, target = ramp()
    target = target.clone()
    target[:, :80] = NAN
    view = View(0, 0, 120, 160, mirror=True)
    depth = render(image, target, True, view, (96, 64))[1]
    assert torch.isnan(depth[..., 32:]).all()
    assert torch.isfinite(depth[..., :32]).all()


def test_rotation_takes_picture_and_depth_along() -> None:
    image, target = ramp()
    view = View(0, 0, 120, 160, mirror=False, rotation=30.0)
    picture, depth = render(image, target, True, view, (120, 160))
    known = torch.isfinite(depth[0])
    assert 0.6 < float(known.float().mean()) < 0.95  # the corners are not known
    assert not known[0, 0]
    inner = np.s_[30:90, 40:120]
    expected = (picture[0] * 255 - 40) / 170 * 0.4 + 0.1
    torch.testing.assert_close(depth[0][inner], expected[inner], atol=0.006, rtol=0)  # half a pixel and a grey step
    slope_x = float((depth[0, 60, 110] - depth[0, 60, 50]) / 60)
    slope_y = float((depth[0, 85, 80] - depth[0, 35, 80]) / 50)
    assert abs(slope_y / slope_x) == pytest.approx(np.tan(np.radians(30)), abs=0.05)


def test_rotation_is_drawn_either_way_up_to_its_limit() -> None:
    views = Views(rotation=5.0)
    drawn = [draw((90, 120), (64, 64), views, np.random.default_rng(seed)).rotation for seed in range(100)]
    assert -5.0 <= min(drawn) < -4.0
    assert 4.0 < max(drawn) <= 5.0


def test_colours_by_hand() -> None:
    image, target = torch.full((3, 8, 8), 51, dtype=torch.uint8), torch.zeros(8, 8)  # 0.2
    view = View(0, 0, 8, 8, mirror=False, gamma=2.0, gains=(1.0, 2.0, 1.0), contrast=0.5, brightness=0.1)
    picture, _ = render(image, target, False, view, (8, 8))
    # 0.2² = 0.04; green × 2 = 0.08; around 0.5 at half contrast, and 0.1 brighter.
    expected = [0.5 + (x - 0.5) * 0.5 + 0.1 for x in (0.04, 0.08, 0.04)]
    np.testing.assert_allclose(picture[:, 0, 0], expected, rtol=1e-4)
    image = torch.tensor([51, 102, 204], dtype=torch.uint8)[:, None, None].expand(3, 8, 8)
    grey, _ = render(image, target, False, View(0, 0, 8, 8, False, saturation=0.0), (8, 8))
    np.testing.assert_allclose(grey[:, 0, 0], [0.299 * 0.2 + 0.587 * 0.4 + 0.114 * 0.8] * 3, rtol=1e-4)
