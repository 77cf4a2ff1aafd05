"""Nets in int8: the roundings are NNCF's, the depth stays, the file says what it needs."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import openvino as ov
import pytest
from pullfocus.engines import checkpoint, openvino_engine
from pullfocus.engines.openvino_engine import OpenVinoEngine
from pullfocus.engines.openvino_graph import RANGES, build, read_ranges
from pullfocus.engines.torch_engine import TorchEngine
from pullfocus.kernels.errors import CheckpointError
from pullfocus.training.data import Sample, open_set
from pullfocus.training.quantize import SIZE_HW, measured_ranges, quantized, ranges_of

from .command import assert_one_line, run, run_here
from .sets import write_set

# With roundings, but without products of bytes: with AVX2 alone those saturate, in each graph elsewhere.
IN_FLOATS = {"LP_TRANSFORMS_MODE": "NO"}
INT8_TOLERANCE = 0.1  # largest error of a pixel; random weights are worse off than trained ones


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> list[Sample]:
    return open_set(write_set(tmp_path_factory.mktemp("rooms"), 4))


@pytest.fixture(scope="module", params=["resnet18", "resnet50"])
def int8_model(
    request: pytest.FixtureRequest,
    random_models: dict[str, Path],
    samples: list[Sample],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    saved = checkpoint.load(random_models[request.param])
    ranges = measured_ranges(saved, samples)
    path = tmp_path_factory.mktemp("int8") / f"{request.param}.safetensors"
    checkpoint.store(path, replace(saved, notes={RANGES: json.dumps(ranges)}), "int8")
    return path


def test_depth_in_int8_is_that_in_floats_nearly(int8_model: Path, samples: list[Sample]) -> None:
    picture = samples[0].read().image
    floats = TorchEngine(int8_model).infer(picture)
    steps = OpenVinoEngine(int8_model, precision="int8", threads=1).infer(picture)
    error = np.abs(steps - floats)
    assert np.ptp(floats) > 0.2
    assert 0 < error.max() < INT8_TOLERANCE
    assert error.mean() < INT8_TOLERANCE / 5


def test_all_convolutions_are_computed_in_int8(int8_model: Path) -> None:
    assert set(convolution_precisions(int8_model)) <= {"u8", "i8"}


def test_so_are_those_of_the_shipped_net() -> None:
    assert set(convolution_precisions(checkpoint.locate("resnet18"))) <= {"u8", "i8"}


def convolution_precisions(model: Path) -> list[str]:
    saved = checkpoint.load(model)
    compiled = ov.Core().compile_model(build(saved, (64, 64), read_ranges(saved)), "CPU")
    facts = [node.get_rt_info() for node in compiled.get_runtime_model().get_ordered_ops()]
    found = [str(f["runtimePrecision"].astype(str)) for f in facts if f["layerType"].astype(str) == "Convolution"]
    assert len(found) > 20
    return found


def test_roundings_are_those_of_nncf(random_model: Path, samples: list[Sample], rng: np.random.Generator) -> None:
    saved = checkpoint.load(random_model)
    theirs = quantized(build(saved, SIZE_HW), samples)
    ranges = ranges_of(theirs)
    assert len(ranges) > 30
    ours = build(saved, SIZE_HW, ranges)
    kinds = [[node.get_type_name() for node in model.get_ordered_ops()] for model in (ours, theirs)]
    weights = kinds[0].count("Convolution")  # theirs are stored in steps already
    assert kinds[0].count("FakeQuantize") == kinds[1].count("FakeQuantize") + weights
    picture = rng.integers(0, 256, (1, *SIZE_HW, 3), np.uint8)
    floats, a, b = (
        ov.Core().compile_model(model, "CPU", IN_FLOATS)(picture)[0] for model in (build(saved, SIZE_HW), ours, theirs)
    )
    # Values may fall to the other side of a step where the two divide differently: 0.22 on Zen 5, where ranges that are
    # 5 % wider than theirs give 0.34.
    assert np.abs(a - b).mean() < 0.3 * np.abs(a - floats).mean()


def test_auto_takes_int8_only_where_processor_and_net_are_ready(
    int8_model: Path, random_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for flags, model, expected in (
        ("avx2 avx512_vnni", int8_model, True),
        ("avx2", int8_model, True),
        ("sse4_2", int8_model, False),
        ("avx2 avx512_vnni", random_model, False),
    ):
        monkeypatch.setattr(openvino_engine, "cpu_fact", Mock(return_value=flags))
        assert ("int8" in OpenVinoEngine(model, threads=1).detail) is expected


@pytest.mark.parametrize("note", ["[]", "{", "{}", '{"a": 3}', '{"a": ["a", "b"]}', '{"a": [1, 1]}', '{"a": [0, 1]}'])
def test_damaged_ranges_are_refused(random_model: Path, tmp_path: Path, note: str) -> None:
    path = tmp_path / "x.safetensors"
    checkpoint.store(path, replace(checkpoint.load(random_model), notes={RANGES: note}))
    with pytest.raises(CheckpointError, match=r"ranges for int8 .* pullfocus quantize"):
        OpenVinoEngine(path, precision="int8", threads=1).infer(np.zeros((64, 64, 3), np.uint8))


def test_int8_without_ranges_is_refused(random_model: Path) -> None:
    with pytest.raises(CheckpointError, match="holds no ranges for int8; make them with pullfocus quantize"):
        OpenVinoEngine(random_model, precision="int8")


def test_the_command_writes_a_net_half_the_size(
    random_model: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    data = write_set(tmp_path, 3)
    out = tmp_path / "small.safetensors"
    done = run("quantize", data, "--model", random_model, "-o", out, "--pictures", "2")
    assert done.returncode == 0, done.stderr
    assert out.stat().st_size < 0.55 * random_model.stat().st_size
    assert read_ranges(checkpoint.load(out))
    assert str(out) in done.stdout
    assert checkpoint.load(out).notes["quantized_from"] == "2 pictures, seed 0"
    again = run_here(capfd, "quantize", data, "--model", random_model, "-o", out, "--pictures", "2")
    assert_one_line(again, "exists", "--overwrite")
    for option in ("--pictures", "--seed"):
        wrong = run_here(capfd, "quantize", data, "--model", random_model, "-o", tmp_path / "y", option, "-1")
        assert_one_line(wrong, option, "greater than or equal")
