"""The renderer with a gradient is the kernel's twin, and its gradient is one."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from pullfocus.kernels import Kernels, Lens, RefocusStyle
from pullfocus.kernels.api import InverseDepth, Picture
from pullfocus.kernels.cpu.planes import SHARP_PX, Planes, place
from pullfocus.training import renderer
from torch import Tensor

pytestmark = pytest.mark.usefixtures("one_thread")

HEIGHT, WIDTH = 96, 128
FINE = RefocusStyle("disc", "fine")
CENTRES = np.linspace(0.95, 0.05, 6)
Y, X = np.mgrid[:HEIGHT, :WIDTH]


def smooth_picture() -> Picture:
    waves = (np.sin(X / 17 + Y / 23), np.cos(X / 11), np.sin(Y / 13))
    return np.stack([128 + 100 * wave for wave in waves], axis=-1).astype(np.uint8)


def noise_picture() -> Picture:
    noise = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
    calm = cv2.GaussianBlur(noise, (0, 0), 1.5).astype(np.float32)
    return np.clip((calm - 128.0) * 3.0 + 128.0, 0, 255).astype(np.uint8)


PICTURES = {"smooth": smooth_picture(), "noise": noise_picture()}
FLOOR = np.linspace(0.0, 1.0, HEIGHT, dtype=np.float32)[:, None].repeat(WIDTH, axis=1)
OVERLAP = FLOOR * np.float32(0.5)
OVERLAP[30:70, 20:60], OVERLAP[50:90, 50:100] = 0.7, 0.95
DEPTHS: dict[str, InverseDepth] = {
    "disc": np.where(np.hypot(Y - 48, X - 64) < 26, 0.8, 0.2).astype(np.float32),
    "floor": FLOOR,
    "steps": np.repeat(np.array([0.1, 0.35, 0.6, 0.9], np.float32), 32)[None].repeat(HEIGHT, axis=0),
    "overlap": OVERLAP,
}


def as_batch(picture: NDArray[np.uint8]) -> Tensor:
    return torch.from_numpy(picture).permute(2, 0, 1)[None].float() / 255.0


def twin(picture: Picture, depth: InverseDepth, lens: Lens) -> Picture:
    planes = place(CENTRES, lens, smallest_px=1.0, height_px=picture.shape[0])
    inverse_depth, focus = torch.from_numpy(depth)[None, None], torch.tensor([lens.focus])
    out = renderer.refocus(as_batch(picture), inverse_depth, focus, lens.reach_px, planes, lens.dead_zone)
    return (out[0].permute(1, 2, 0).numpy() * 255.0).round().clip(0, 255).astype(np.uint8)


def psnr_db(one: Picture, other: Picture) -> float:
    return float(-10.0 * np.log10(np.mean(((one.astype(float) - other) / 255.0) ** 2) + 1e-12))


@pytest.mark.parametrize("focus", [0.2, 0.5, 0.8])
@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("picture", PICTURES)
def test_it_shows_what_the_kernel_shows(kernels: Kernels, picture: str, depth: str, focus: float) -> None:
    for reach_px, least_db in ((6.0, 48.0), (12.0, 43.0), (25.0, 38.0)):  # the kernel's grids get coarser with radius
        lens = Lens(focus, reach_px, dead_zone=0.04)
        theirs = kernels.refocus(PICTURES[picture], DEPTHS[depth], CENTRES, lens, FINE)
        ours = twin(PICTURES[picture], DEPTHS[depth], lens)
        assert psnr_db(ours, theirs) > least_db
        assert psnr_db(PICTURES[picture], theirs) < psnr_db(ours, theirs) - 8.0  # and something was blurred


@pytest.mark.parametrize("depth", ["disc", "steps"])
def test_what_is_in_focus_is_the_same_to_the_bit(kernels: Kernels, depth: str) -> None:
    picture, inverse_depth = PICTURES["noise"], DEPTHS[depth]
    lens = Lens(float(inverse_depth.max()), 25.0)  # nothing lies before the focus
    sharp = lens.reach_px * (lens.focus - inverse_depth) <= SHARP_PX
    ours = twin(picture, inverse_depth, lens)
    np.testing.assert_array_equal(ours[sharp], picture[sharp])
    np.testing.assert_array_equal(ours[sharp], kernels.refocus(picture, inverse_depth, CENTRES, lens, FINE)[sharp])


def test_no_radius_gives_the_picture_itself() -> None:
    np.testing.assert_array_equal(twin(PICTURES["noise"], FLOOR, Lens(0.5, 0.0)), PICTURES["noise"])


def test_a_point_becomes_a_disc_and_light_is_kept_at_the_border() -> None:
    for radius_px in (1.0, 2.5, 4.0, 12.0):
        point = torch.zeros(1, 1, 41, 47)
        point[..., 20, 23] = 1.0
        out = renderer.blurred(point, radius_px)[0, 0].numpy()
        y, x = np.mgrid[-20:21, -23:24]
        away2 = x**2 + y**2
        assert out.sum() == pytest.approx(1.0, abs=1e-5)
        assert (out * away2).sum() == pytest.approx(radius_px**2 / 2, abs=0.35)  # a disc's mean squared radius
        assert np.abs(out[away2 > (radius_px + 1.0) ** 2]).max() < 1e-6
        noise = torch.rand(2, 3, 9, 7)
        assert float(renderer.blurred(noise, radius_px).sum()) == pytest.approx(float(noise.sum()), rel=1e-4)


def test_the_gradient_is_that_of_finite_differences() -> None:
    torch.manual_seed(0)
    image = torch.rand(2, 3, 9, 12, dtype=torch.float64)
    depth = torch.rand(2, 1, 9, 12, dtype=torch.float64).requires_grad_()
    planes, focus = Planes((2.0, 5.0), (2.0, 5.0)), torch.tensor([0.3, 0.7], dtype=torch.float64)

    def loss(inverse_depth: Tensor) -> Tensor:
        out = renderer.refocus(image, inverse_depth, focus, 7.0, planes, dead_zone=0.02)
        return (out - image.flip(0)).square().sum()

    assert torch.autograd.gradcheck(loss, (depth,), eps=1e-6, atol=1e-6)
    (push,) = torch.autograd.grad(loss(depth), depth)
    assert float((push.abs() > 1e-4).double().mean()) > 0.5


@pytest.mark.parametrize("start", [-0.12, 0.12])
def test_descent_finds_how_far_off_the_depth_is(start: float) -> None:
    """From one defocused picture, of a scene with edges, before and behind the focus."""
    image, truth = (
        as_batch(PICTURES["noise"]),
        torch.from_numpy(OVERLAP * np.float32(0.6) + np.float32(0.2))[None, None],
    )
    focus, planes = torch.tensor([0.5]), Planes((2.0, 5.0, 9.0), (2.0, 5.0, 9.0))
    photograph = renderer.refocus(image, truth, focus, 30.0, planes)
    offset = torch.tensor(start, requires_grad=True)
    optimiser = torch.optim.Adam([offset], lr=0.02)
    slower = torch.optim.lr_scheduler.ExponentialLR(optimiser, 0.94)
    for _ in range(40):
        optimiser.zero_grad()
        (renderer.refocus(image, truth + offset, focus, 30.0, planes) - photograph).square().mean().backward()
        optimiser.step()
        slower.step()
    assert abs(float(offset.detach())) < 0.005


def test_a_batch_gives_what_its_pictures_give_alone() -> None:
    torch.manual_seed(0)
    images, depths, focus = torch.rand(3, 3, 31, 22), torch.rand(3, 1, 31, 22), torch.tensor([0.0, 0.4, 1.0])
    planes = Planes((3.0,), (3.0, 8.0))
    together = renderer.refocus(images, depths, focus, 12.0, planes)
    for i in range(3):
        one = slice(i, i + 1)
        alone = renderer.refocus(images[one], depths[one], focus[one], 12.0, planes)
        np.testing.assert_allclose(together[one], alone, atol=1e-5)


@pytest.mark.parametrize("size_hw", [(1, 1), (1, 17), (2, 3), (5, 40), (33, 31)])
def test_any_size_and_extreme_light_stay_finite(size_hw: tuple[int, int]) -> None:
    torch.manual_seed(0)
    planes = Planes((2.0, 20.0), (2.0, 20.0))
    for image in (torch.zeros(1, 3, *size_hw), torch.ones(1, 3, *size_hw), torch.full((1, 3, *size_hw), 0.4)):
        depth = torch.rand(1, 1, *size_hw).requires_grad_()
        out = renderer.refocus(image, depth, torch.tensor([0.5]), 50.0, planes)
        np.testing.assert_allclose(out.detach(), image, atol=2e-3)  # one colour stays
        out.sum().backward()
        assert depth.grad is not None
        assert torch.isfinite(depth.grad).all()
