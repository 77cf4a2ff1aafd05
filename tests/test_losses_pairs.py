"""Terms over two pictures of one scene, depth from defocus, and the matches that they stand on."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from pullfocus.kernels import Kernels, Lens, RefocusStyle
from pullfocus.training.batches import Batches
from pullfocus.training.config import Config
from pullfocus.training.data import Sample
from pullfocus.training.losses import pairwise
from pullfocus.training.losses.defocus import APERTURE, PLANES, defocus, defocused
from pullfocus.training.losses.similarity import photometric_error
from pullfocus.training.matching import optical_flow, stereo_disparities
from pullfocus.training.pairs import find_pairs
from torch import Tensor

HEIGHT, WIDTH = 96, 160
FAR_PX, NEAR_PX = 4, 16  # disparities of the wall and of what stands before it
NEAR = np.s_[24:72, 60:110]  # where it stands in the left view


def texture(seed: int, height: int = HEIGHT, width: int = WIDTH) -> NDArray[np.uint8]:
    noise = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    blurred = cv2.GaussianBlur(noise, (0, 0), 1.5).astype(np.float32)
    return np.clip((blurred - 128.0) * 3.0 + 128.0, 0, 255).astype(np.uint8)


def stereo_views() -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.float32], NDArray[np.float32]]:
    """(left, right, disparity of the left, of the right): a box before a wall."""
    wall, box = texture(0, width=WIDTH + FAR_PX), texture(1)
    left, right = wall[:, :WIDTH].copy(), wall[:, FAR_PX:].copy()
    of_left, of_right = (np.full((HEIGHT, WIDTH), FAR_PX, np.float32) for _ in range(2))
    rows, columns = NEAR
    shifted = rows, slice(columns.start - NEAR_PX, columns.stop - NEAR_PX)
    left[NEAR], of_left[NEAR] = box[NEAR], NEAR_PX
    right[shifted], of_right[shifted] = box[NEAR], NEAR_PX
    return left, right, of_left, of_right


def as_batch(picture: NDArray[Any]) -> Tensor:
    if picture.ndim == 2:
        return torch.from_numpy(picture)[None, None]
    return torch.from_numpy(picture).permute(2, 0, 1)[None].float() / 255.0


def test_stereo_matching_finds_the_disparities_of_both_views() -> None:
    left, right, *true = stereo_views()
    for found, expected in zip(stereo_disparities(left, right), true):
        known = np.isfinite(found)
        assert known.mean() > 0.7
        assert np.mean(np.abs(found - expected)[known] < 0.5) > 0.97
    hidden = stereo_disparities(left, right)[0][30:66, 48:58]  # of the wall, behind the box for the right eye
    assert np.isnan(hidden).mean() > 0.6


def test_flow_points_to_where_a_pixel_was() -> None:
    wide = texture(2, width=WIDTH + 6)
    flow = optical_flow(wide[:, :WIDTH], wide[:, 6:])
    np.testing.assert_allclose(np.median(flow[20:-20, 20:-20], axis=(0, 1)), [-6.0, 0.0], atol=0.2)


def stereo_case() -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
    left, right, *true = stereo_views()
    return (as_batch(left), as_batch(right)), (as_batch(true[0]), as_batch(true[1]))


@pytest.mark.parametrize("term", [pairwise.stereo, pairwise.photometric])
def test_stereo_terms_prefer_the_true_depth_at_any_scale_and_shift(term: Any) -> None:
    images, disparities = stereo_case()
    true = float(term((disparities[0] * 0.01 + 0.3, disparities[1] * 0.01 + 0.3), images, disparities))
    again = float(term((disparities[0] * 0.03 + 0.1, disparities[1] * 0.03 + 0.1), images, disparities))
    flat = float(term((0.5 + 0.01 * images[0][:, :1], 0.5 + 0.01 * images[1][:, :1]), images, disparities))
    assert true == pytest.approx(again, abs=0.02)
    assert true < 0.5 * flat


def test_photometric_pulls_the_prediction_to_the_true_depth() -> None:
    images, disparities = stereo_case()
    shape = disparities[0].shape
    maps = [torch.full(shape, 0.2) + 0.002 * d for d in disparities]  # the box hardly stands out
    predictions = [m.clone().requires_grad_() for m in maps]
    # Matches of the box's border only, so that pictures, not matches, decide within it.
    known = tuple(torch.where((d == NEAR_PX) | (torch.rand(shape) < 0.2), d, torch.nan) for d in disparities)
    before = pairwise.photometric((predictions[0], predictions[1]), images, (known[0], known[1]))
    before.sum().backward()
    assert all(p.grad is not None and torch.isfinite(p.grad).all() and p.grad.abs().sum() > 0 for p in predictions)


def test_without_any_match_stereo_terms_stay_finite() -> None:
    images, disparities = stereo_case()
    none = (torch.full_like(disparities[0], torch.nan), torch.full_like(disparities[1], torch.nan))
    for term in (pairwise.stereo, pairwise.photometric):
        prediction = torch.rand_like(disparities[0]).requires_grad_()
        value = term((prediction, prediction), images, none)
        value.sum().backward()
        assert torch.isfinite(value).all()
        assert prediction.grad is not None
        assert torch.isfinite(prediction.grad).all()


def test_temporal_sees_flicker_but_not_motion() -> None:
    wide = torch.from_numpy(texture(3, width=WIDTH + 6)).permute(2, 0, 1)[None].float() / 255.0
    depth = wide.mean(dim=1, keepdim=True)
    now, before = wide[..., :WIDTH], wide[..., 6:]
    flow = torch.zeros(1, 2, HEIGHT, WIDTH)
    flow[:, 0] = -6.0
    still = pairwise.temporal((depth[..., :WIDTH], depth[..., 6:]), (now, before), flow)
    assert float(still) == pytest.approx(0.0, abs=1e-5)
    spread = float((depth[..., :WIDTH] - depth[..., :WIDTH].mean()).abs().mean())
    flickering = pairwise.temporal((depth[..., :WIDTH], depth[..., 6:] + 0.1), (now, before), flow)
    assert float(flickering) == pytest.approx(0.1 / spread, rel=1e-3)


def test_temporal_forgives_what_came_into_view() -> None:
    """Other colours than before: another thing, whose depth may jump."""
    depth, later = torch.zeros(1, 1, 8, 8), torch.zeros(1, 1, 8, 8)
    later[..., 4:] = 1.0
    now, before = torch.zeros(1, 3, 8, 8), torch.zeros(1, 3, 8, 8)
    now[..., 4:] = 1.0
    assert float(pairwise.temporal((later, depth), (now, before), torch.zeros(1, 2, 8, 8))) < 1e-6


def test_photometric_error_by_hand_on_flat_pictures() -> None:
    """No structure: SSIM is (2ab + C1) / (a² + b² + C1)."""
    a, b = 0.2, 0.6
    one, other = torch.full((1, 3, 6, 6), a), torch.full((1, 3, 6, 6), b)
    ssim = (2 * a * b + 1e-4) / (a * a + b * b + 1e-4)
    expected = 0.85 * (1 - ssim) / 2 + 0.15 * abs(a - b)
    np.testing.assert_allclose(photometric_error(one, other), np.full((1, 1, 6, 6), expected), rtol=1e-4)
    assert float(photometric_error(one, one).abs().max()) < 1e-6


def test_defocus_shows_the_lens_of_its_aperture(kernels: Kernels) -> None:
    """On two flat pictures at once: one in focus, one as far out of it as the outer planes lie."""
    picture = texture(4)
    image, depth = as_batch(picture).expand(2, -1, -1, -1), torch.full((2, 1, HEIGHT, WIDTH), 0.5)
    lens = Lens(0.5 - PLANES.front[-1] / (APERTURE * HEIGHT), APERTURE * HEIGHT)
    out = defocused(image, depth, torch.tensor([0.5, lens.focus]))
    np.testing.assert_allclose(out[0], image[0], atol=1e-5)
    theirs = kernels.refocus(picture, depth[1, 0].numpy(), np.array([0.5]), lens, RefocusStyle(quality="fine"))
    assert np.abs(out[1].permute(1, 2, 0).numpy() - theirs / 255.0).mean() < 0.01
    assert np.abs(picture / 255.0 - theirs / 255.0).mean() > 0.1


@pytest.mark.usefixtures("one_thread")
def test_defocus_pulls_a_wrong_depth_to_the_measured_one() -> None:
    """Nothing but the blur of the picture says how deep it is."""
    torch.manual_seed(0)
    image = as_batch(texture(5))
    target = torch.linspace(0.1, 0.9, WIDTH).expand(1, 1, HEIGHT, WIDTH).clone()
    target[..., :8, :] = torch.nan
    level = torch.full((1, 1, 1, WIDTH), 0.45, requires_grad=True)
    optimiser = torch.optim.Adam([level], lr=0.03)
    start = float((level.detach() - target[:, :, -1:]).abs().mean())
    for _ in range(60):
        optimiser.zero_grad()
        defocus(level.expand(1, 1, HEIGHT, WIDTH), target, image).sum().backward()
        optimiser.step()
    assert float((level.detach() - target[:, :, -1:]).abs().mean()) < 0.25 * start


def test_defocus_knows_nothing_of_what_was_not_measured() -> None:
    """Whatever is predicted there: a right prediction costs nothing, and only measured pixels are pushed."""
    image = as_batch(texture(6))
    truth = torch.rand(1, 1, 6, 10).repeat_interleave(16, -2).repeat_interleave(16, -1)
    target = truth.clone()
    target[..., 30:60, 40:90] = torch.nan
    hole = torch.isnan(target)
    guess = torch.where(hole, torch.rand_like(truth), truth)
    assert float(defocus(guess, target, image)) < 1e-5
    wrong = (0.5 * guess).requires_grad_()
    defocus(wrong, target, image).sum().backward()
    assert wrong.grad is not None
    assert float(wrong.grad[hole].abs().max()) == 0.0
    assert float(wrong.grad[~hole].abs().max()) > 0.0


def test_defocus_without_measurements_is_zero() -> None:
    target = torch.full((2, 1, 16, 16), torch.nan)
    assert torch.equal(defocus(torch.rand(2, 1, 16, 16), target, torch.rand(2, 3, 16, 16)), torch.zeros(2))


class Stored:
    paths = ()

    def __init__(self, value: int) -> None:
        self.value = value

    def read(self) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        return np.full((64, 64, 3), self.value, np.uint8), np.full((64, 64), 0.5, np.float32)


def sample(name: str, source: str, sequence: str, value: int = 0) -> Sample:
    return Sample(name, source, "metric", sequence, Stored(value))


SCENES = [
    sample("middlebury_Art_view5", "middlebury_2003_2006", "m", 1),
    sample("middlebury_Art_view1", "middlebury_2003_2006", "m", 2),
    sample("middlebury_Cones_im2", "middlebury_2003_2006", "m", 3),
    sample("middlebury_Cones_im6", "middlebury_2003_2006", "m", 4),
    sample("middlebury_Wood1_view1", "middlebury_2003_2006", "m", 5),
    sample("piv_a_00002", "piv_ist_kinect", "a", 12),
    sample("piv_a_00001", "piv_ist_kinect", "a", 11),
    sample("piv_a_00009", "piv_ist_kinect", "a", 19),
    sample("piv_b_00010", "piv_ist_kinect", "b", 20),
    sample("nyu_00001", "nyu_labeled_1449", "n", 31),
    sample("nyu_00002", "nyu_labeled_1449", "n", 32),
]


def test_pairs_are_found_by_name() -> None:
    assert sorted(find_pairs(SCENES, "stereo")) == [(1, 0), (2, 3)]
    assert find_pairs(SCENES, "temporal") == [(5, 6)]  # (now, before), no gap, no other clip, no NYU


def test_a_batch_starts_with_its_pairs_untouched() -> None:
    config = Config.model_validate(
        {"pairs": {"temporal": 0.1, "stereo": 0.1}, "batch": 6, "sizes": [{"height": 64, "width": 64}]}
    )
    with Batches(SCENES, config, torch.device("cpu")) as batches:
        batch = next(batches.steps(1, 1))
    temporal, stereo = batch.links
    values = (255 * batch.image[:, 0, 0, 0]).round().int().tolist()
    assert [values[i] for i in (*temporal.firsts, *temporal.seconds)] == [12, 11]
    assert [values[i] for i in (*stereo.firsts, *stereo.seconds)] in ([2, 1], [3, 4])
    assert temporal.matches[0].shape == (1, 2, 64, 64)
    assert [d.shape for d in stereo.matches] == [(1, 1, 64, 64)] * 2
