"""The baseline is what the report describes, the comparison runs, and what refocus costs does not grow."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path
from time import process_time

import numpy as np
import pytest
import torch
from pullfocus.benchmarks import report_recipe
from pullfocus.benchmarks.against_report import compare
from pullfocus.benchmarks.machine import describe_machine
from pullfocus.benchmarks.nets import measure, multiply_adds
from pullfocus.benchmarks.pictures_720p import panned_photo
from pullfocus.benchmarks.program import PULLFOCUS
from pullfocus.engines import checkpoint
from pullfocus.engines.torch_engine import load_net
from pullfocus.kernels.api import Centres, InverseDepth, Lens, Picture, Quality, RefocusStyle, load
from pullfocus.stream.layers import LayerTracker
from pullfocus.stream.process import share_cores
from torch.utils.flop_counter import FlopCounterMode

ROUNDS_OF_RATIO = 12
HEIGHT_PX, WIDTH_PX = 720, 1280


@pytest.fixture(scope="module")
def picture() -> Picture:
    return panned_photo(1)[0].picture8


@pytest.fixture(scope="module")
def depth() -> InverseDepth:
    """A floor that comes nearer, with two things standing on it, at the net's size."""
    out = np.repeat(np.linspace(0.0, 0.9, 192, dtype=np.float32)[:, None], 320, axis=1)
    out[60:150, 40:110] = 0.35
    out[40:180, 180:260] = 0.7
    return out


def five_steps() -> InverseDepth:
    """Five bands, nearest at the right, 96 × 200."""
    return np.repeat(np.linspace(0.1, 0.9, 5, dtype=np.float32), 40)[None].repeat(96, axis=0)


def noise_picture() -> Picture:
    return np.random.default_rng(0).integers(0, 256, (96, 200, 3), np.uint8)


# ---- the report's recipe


def test_recipe_orders_layers_by_nearness() -> None:
    labels = report_recipe.layers(report_recipe.grey_depth(five_steps()))
    assert labels[48, 20::40].tolist() == [4, 3, 2, 1, 0]


@pytest.mark.parametrize("sharp", range(5))
def test_recipe_leaves_its_sharp_layer_untouched(sharp: int) -> None:
    picture = noise_picture()
    labels = report_recipe.layers(report_recipe.grey_depth(five_steps()))
    out = report_recipe.composite(picture, labels, sharp)
    assert np.array_equal(out[labels == sharp], picture[labels == sharp])
    assert all(np.any(out[labels == layer] != picture[labels == layer]) for layer in range(5) if layer != sharp)


def test_recipe_blurs_more_with_distance_from_the_sharp_layer() -> None:
    picture = noise_picture()
    out = report_recipe.refocus(picture, five_steps())
    contrast = [float(out[:, 40 * band + 5 : 40 * band + 35].std()) for band in range(5)]
    assert contrast == sorted(contrast)


def test_recipe_is_deterministic_and_keeps_its_inputs() -> None:
    picture, depth = noise_picture(), five_steps()
    first, second = report_recipe.refocus(picture, depth), report_recipe.refocus(picture, depth)
    assert np.array_equal(first, second)
    assert np.array_equal(picture, noise_picture())
    assert np.array_equal(depth, five_steps())


# ---- the comparison


def test_comparison_gives_the_ratio_of_medians() -> None:
    result = compare(panned_photo(2), threads=1)
    assert set(result.costs) == {"report", "ours", "depth", "layers", "refocus", "net", "rest"}
    assert result.costs["net"].median_ms < result.costs["depth"].median_ms
    assert result.ratio == pytest.approx(result.costs["report"].median_ms / result.costs["ours"].median_ms)


def test_photo_pans_within_its_frame() -> None:
    frames = panned_photo(200)
    assert {frame.size_hw for frame in frames} == {(HEIGHT_PX, WIDTH_PX)}
    assert np.array_equal(frames[0].picture[:, 2:], frames[1].picture[:, :-2])


def test_machine_is_described() -> None:
    machine = describe_machine()
    assert {"cpu", "cores", "threads", "commit", "python"} <= set(machine)
    is_known = sys.platform == "linux" and platform.machine() == "x86_64"
    assert re.fullmatch(r"\d+ \d+" if is_known else "unknown", machine["cpu_model"])


# ---- what the parts cost


Case = tuple[InverseDepth, Centres, Lens]


def _ratio(picture: Picture, quality: Quality, dear: Case, cheap: Case) -> float:
    """CPU time of one case over that of another: the median over rounds in which they take turns.

    A busy machine slows both alike; the least time of each, taken apart, is a matter of luck there.
    """
    share_cores()  # as the program does: OpenCV's threads waiting for each other are no cost of the kernels
    rounds = [(_cost_s(picture, quality, dear), _cost_s(picture, quality, cheap)) for _ in range(ROUNDS_OF_RATIO)]
    return float(np.median([more / less for more, less in rounds]))


def _cost_s(picture: Picture, quality: Quality, case: Case) -> float:
    depth, centres, lens = case
    started_s = process_time()
    load("cpu").refocus(picture, depth, centres, lens, RefocusStyle("disc", quality))
    return process_time() - started_s


@pytest.mark.real_time
@pytest.mark.parametrize("quality", ["fast", "fine"])
def test_cost_is_flat_in_radius(picture: Picture, quality: Quality) -> None:
    height, width = picture.shape[:2]
    halves = np.where(np.arange(width) < width // 2, 0.9, 0.1).astype(np.float32)[None].repeat(height, axis=0)
    ten, forty = ((halves, np.array([0.9, 0.1]), Lens(0.9, radius / 0.8)) for radius in (10.0, 40.0))
    assert _ratio(picture, quality, forty, ten) < 1.3


@pytest.mark.real_time
@pytest.mark.parametrize("quality", ["fast", "fine"])
def test_cost_is_flat_in_layers(picture: Picture, depth: InverseDepth, quality: Quality) -> None:
    lens = Lens.of_aperture(0.6, 6.0, HEIGHT_PX, dead_zone=0.04)
    few, many = ((depth, LayerTracker(load("cpu"), k).update(depth), lens) for k in (4, 16))
    assert _ratio(picture, quality, many, few) < 1.6


def test_a_net_costs_what_torch_counts(random_model: Path) -> None:
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        load_net(random_model)(torch.zeros(1, 3, 64, 96))
    assert multiply_adds(checkpoint.load(random_model), (64, 96)) == counter.get_total_flops() // 2


def test_nets_are_timed_on_every_engine(random_model: Path) -> None:
    cost = measure([str(random_model)], passes=2)[str(random_model)]
    assert {"openvino f32", "torch f32, CPU"} <= set(cost.latency_ms)
    assert "openvino int8" not in cost.latency_ms  # no ranges in this file
    assert all(value > 0 for value in cost.latency_ms.values())
    assert cost.size_hw == (192, 352)
    assert cost.numbers > 10_000_000


def test_a_benchmark_without_its_data_ends_in_one_line() -> None:
    command = [sys.executable, "-m", "pullfocus.benchmarks.edges", "/no/such/set.csv"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 2
    assert ended.stderr.startswith("pullfocus: cannot read /no/such/set.csv: there is no such file")
    assert ended.stderr.count("\n") == 1


def test_a_benchmark_starts_what_its_user_starts(tmp_path: Path) -> None:
    (script,) = entry_points(group="console_scripts", name="pullfocus")
    assert PULLFOCUS[-1] == f"from {script.module} import {script.attr}; {script.attr}()"
    (tmp_path / "typing.py").write_text("raise SystemExit('the wrong one')")  # as a checkout's folder `kernels` might
    unsafe = {name: value for name, value in os.environ.items() if name != "PYTHONSAFEPATH"}
    told = subprocess.check_output([*PULLFOCUS, "--version"], cwd=tmp_path, env=unsafe, text=True, timeout=60)
    assert told.startswith("pullfocus ")
