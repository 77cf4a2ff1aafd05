"""Smoothing, K-Means and views against references; blur as optics has it."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import cast

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from pullfocus.kernels import Kernels, RefocusStyle, load
from pullfocus.kernels.api import Device, KernelShape
from pullfocus.kernels.cpu.blur import blur
from pullfocus.kernels.errors import InputError
from scipy import ndimage
from sklearn.cluster import KMeans, MiniBatchKMeans

SHAPES: list[KernelShape] = ["disc", "gaussian", "polygon"]
GPU_LESS = SimpleNamespace(  # CuPy on a machine without a GPU
    cuda=SimpleNamespace(runtime=SimpleNamespace(getDeviceCount=lambda: 0, CUDARuntimeError=RuntimeError))
)
INNER = (slice(4, -4), slice(4, -4))  # border rules differ between libraries


def mixture(rng: np.random.Generator, count: int) -> NDArray[np.float32]:
    """A wall, a floor that comes nearer, a person."""
    parts = (
        rng.normal(0.08, 0.02, count // 3),
        rng.uniform(0.1, 0.7, count // 3),
        rng.normal(0.55, 0.03, count - count // 3 * 2),
    )
    return rng.permutation(np.clip(np.concatenate(parts), 0, 1)).astype(np.float32)


def inertia(samples: NDArray[np.float32], centres: NDArray[np.float64]) -> float:
    return float(np.min((samples[:, None] - centres) ** 2, axis=1).sum())


@pytest.mark.parametrize("size", [3, 5])
def test_median_is_scipys(kernels: Kernels, rng: np.random.Generator, size: int) -> None:
    depth = rng.random((40, 50), np.float32)
    np.testing.assert_array_equal(
        kernels.smooth(depth, size, 0)[INNER], ndimage.median_filter(depth, size, mode="mirror")[INNER]
    )


@pytest.mark.parametrize("size", [3, 5, 9])
def test_gaussian_is_a_convolution_with_opencvs_kernel(kernels: Kernels, rng: np.random.Generator, size: int) -> None:
    depth = rng.random((40, 50), np.float32)
    row = cv2.getGaussianKernel(size, 0)
    expected = ndimage.convolve(depth, row @ row.T, mode="mirror")
    np.testing.assert_allclose(kernels.smooth(depth, 0, size), expected, atol=1e-5)


def test_both_filters_run_median_first(kernels: Kernels, rng: np.random.Generator) -> None:
    depth = rng.random((40, 50), np.float32)
    both = kernels.smooth(depth, 5, 5)
    np.testing.assert_array_equal(both, kernels.smooth(kernels.smooth(depth, 5, 0), 0, 5))
    assert np.abs(both - kernels.smooth(kernels.smooth(depth, 0, 5), 5, 0)).max() > 0.01


@given(st.floats(0, 1, width=32), st.sampled_from([0, 3, 5]), st.sampled_from([0, 3, 5]))
def test_constant_depth_stays_constant(value: float, median_px: int, gaussian_px: int) -> None:
    depth = np.full((9, 13), value, np.float32)
    np.testing.assert_allclose(load("cpu").smooth(depth, median_px, gaussian_px), depth, atol=1e-6)


def test_smoothing_off_changes_nothing(kernels: Kernels, rng: np.random.Generator) -> None:
    depth = rng.random((8, 8), np.float32)
    np.testing.assert_array_equal(kernels.smooth(depth, 0, 0), depth)


@pytest.mark.parametrize("sizes", [(7, 0), (2, 0), (0, 4)])
def test_sizes_that_the_filters_lack_are_refused(kernels: Kernels, sizes: tuple[int, int]) -> None:
    with pytest.raises(InputError, match="odd"):
        kernels.smooth(np.zeros((8, 8), np.float32), *sizes)


@pytest.mark.parametrize("count", [2, 6, 16])
def test_cluster_update_is_scikit_learns(kernels: Kernels, rng: np.random.Generator, count: int) -> None:
    start = np.linspace(0.95, 0.05, count)
    # A reassignment ratio of 0: scikit-learn's random restart of small clusters is no part of the rule.
    model = MiniBatchKMeans(count, init=start[:, None], n_init=1, reassignment_ratio=0.0)  # pyright: ignore[reportArgumentType]
    centres, weights = start, np.zeros(count)
    for _ in range(20):
        batch = mixture(rng, 500)
        model.partial_fit(batch[:, None].astype(np.float64))
        centres, weights = kernels.cluster_update(batch, centres, weights)
        assert np.all(np.diff(centres) < 0)
    np.testing.assert_allclose(centres, np.ravel(model.cluster_centers_), atol=1e-6)
    assert weights.sum() == 20 * 500


def test_centre_without_samples_stays(kernels: Kernels) -> None:
    centres, weights = kernels.cluster_update(
        np.array([0.1, 0.3], np.float32), np.array([0.9, 0.2]), np.array([5.0, 0.0])
    )
    np.testing.assert_allclose(centres, [0.9, 0.2], atol=1e-7)
    np.testing.assert_array_equal(weights, [5.0, 2.0])


@pytest.mark.parametrize("count", [3, 6])
def test_many_updates_come_close_to_full_k_means(kernels: Kernels, rng: np.random.Generator, count: int) -> None:
    samples = mixture(rng, 30_000)
    centres = np.quantile(samples, (np.arange(count)[::-1] + 0.5) / count).astype(np.float64)
    full = KMeans(count, init=centres[:, None], n_init=1, tol=0.0).fit(samples[:, None])  # pyright: ignore[reportArgumentType]
    weights = np.zeros(count)
    for _ in range(1500):
        centres, weights = kernels.cluster_update(rng.choice(samples, 1024), centres, np.minimum(weights, 4000.0))
    assert inertia(samples, centres) < 1.02 * inertia(samples, np.ravel(full.cluster_centers_))


@given(st.lists(st.floats(0, 1, width=32), min_size=1, max_size=40), st.integers(2, 16))
def test_assign_picks_the_nearest_centre(values: list[float], count: int) -> None:
    centres = np.linspace(1.0, 0.0, count) ** 2  # uneven gaps
    depth = np.array(values, np.float32)[None]
    labels = load("cpu").assign(depth, centres)
    assert labels.dtype == np.uint8
    apart = np.abs(depth[..., None] - centres)
    chosen = np.take_along_axis(apart, labels[..., None].astype(np.intp), axis=-1)[..., 0]
    np.testing.assert_allclose(chosen, apart.min(axis=-1), atol=1e-6)


def test_resize_keeps_a_ramp_straight(kernels: Kernels) -> None:
    ramp = np.linspace(0, 1, 40, dtype=np.float32)[None].repeat(10, axis=0)
    big = kernels.resize(ramp, (20, 80))
    assert big.shape == (20, 80)
    np.testing.assert_allclose(np.diff(big[5, 2:-2]), 1 / 39 / 2, atol=1e-4)
    assert kernels.resize(ramp, (10, 40)) is ramp


def test_views_paint_near_warm_and_far_cool(kernels: Kernels) -> None:
    depth = np.array([[0.1, 0.9]], np.float32)
    far, near = kernels.colour_depth(depth, (1, 2))[0].astype(int)
    assert near[0] > near[2]
    assert far[2] > far[0]
    colours = kernels.colour_layers(np.array([[0, 1, 2]], np.uint8), 3, (2, 6))
    assert colours.shape == (2, 6, 3)
    assert len(np.unique(colours.reshape(-1, 3), axis=0)) == 3  # hard borders: no mixed colour
    assert int(colours[0, 0, 0]) > int(colours[0, 0, 2])


def test_device_without_kernels_is_refused() -> None:
    with pytest.raises(InputError, match="'tpu'; expected 'cpu' or 'cuda'"):
        load(cast(Device, "tpu"))


@pytest.mark.parametrize(("module", "said"), [(None, "pip install 'pullfocus\\[cuda\\]'"), (GPU_LESS, "nvidia-smi")])
def test_cuda_without_cupy_or_without_a_gpu_is_refused_in_one_line(
    monkeypatch: pytest.MonkeyPatch, module: object, said: str
) -> None:
    monkeypatch.setitem(sys.modules, "cupy", module)
    with pytest.raises(InputError, match=said) as failure:
        load("cuda")
    assert "\n" not in str(failure.value)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("radius_px", [0.5, 2.0, 3.9, 6.0, 15.0, 40.0])
def test_blur_keeps_energy_and_stays_positive(rng: np.random.Generator, shape: KernelShape, radius_px: float) -> None:
    planes = rng.random((4, 96, 128), np.float32)
    out = blur(planes, radius_px, RefocusStyle(shape))
    np.testing.assert_allclose(out.mean(axis=(1, 2)), planes.mean(axis=(1, 2)), rtol=0.02)
    assert out.min() >= 0.0
    assert out.max() <= planes.max() + 1e-5


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("radius_px", [1.0, 2.5, 4.0, 7.0, 12.0, 30.0])
def test_blurred_point_has_the_width_of_a_disc(shape: KernelShape, radius_px: float) -> None:
    size = 257
    point = np.zeros((2, size, size), np.float32)
    # An even spot 4 px wide: halving must not depend on where a single pixel falls.
    point[:, 126:130, 126:130] = 1.0
    spread = blur(point, radius_px, RefocusStyle(shape))[0]
    axis = np.arange(size) - (spread.sum(axis=0) @ np.arange(size)) / spread.sum()
    variance = float(spread.sum(axis=0) @ axis**2 / spread.sum())
    own = (4**2 - 1) / 12
    # A disc of radius r has the variance r²/4 along an axis.
    assert np.sqrt(variance - own) == pytest.approx(radius_px / 2, rel=0.04, abs=0.05)


@pytest.mark.parametrize("shape", SHAPES)
def test_larger_radius_leaves_less_detail(rng: np.random.Generator, shape: KernelShape) -> None:
    planes = rng.random((2, 96, 96), np.float32)
    detail = [
        float(blur(planes, radius, RefocusStyle(shape)).std()) for radius in (0.0, 0.5, 1, 2, 3.5, 4.5, 8, 16, 32)
    ]
    assert detail == sorted(detail, reverse=True)


def test_disc_is_flat_inside_and_zero_outside() -> None:
    point = np.zeros((2, 21, 21), np.float32)
    point[:, 10, 10] = 1.0
    out = blur(point, 3.0, RefocusStyle("disc"))[0]
    y, x = np.mgrid[-10:11, -10:11]
    distance = np.hypot(x, y)
    assert np.ptp(out[distance <= 2.0]) < 1e-6
    assert out[distance > 4.1].max() == 0.0
