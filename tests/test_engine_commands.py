"""`pullfocus engine`: what is kept, what no longer fits and why."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pullfocus.engines.builder import Order, build_into_store
from pullfocus.engines.finding import Finding
from pullfocus.engines.gpu import Gpu
from pullfocus.engines.plane import PlaneEngine
from pullfocus.engines.runtime import facts_of
from pullfocus.engines.store import FILE, Store
from pullfocus.kernels.api import Quality
from pullfocus.stream.cli import run_cli

from .fake_runtime import GPU, OFF, FakeRuntime, plane_reference

SIZES = [(192, 352), (192, 256), (352, 192)]


def plane(_model: Path, quality: Quality) -> PlaneEngine:
    return PlaneEngine(quality)


@pytest.fixture
def runtime(monkeypatch: pytest.MonkeyPatch) -> FakeRuntime:
    """The one that the commands get, on a GPU on which TensorRT works."""
    played = FakeRuntime()
    found = [Finding("tensorrt", True, "here"), Finding("tensorrt-rtx", False, "not installed")]

    def runtime_of(_name: str, _gpu: Gpu) -> FakeRuntime:
        return played

    commands = "pullfocus.stream.engine_commands"
    monkeypatch.setattr(f"{commands}.find_gpu", lambda: GPU)
    monkeypatch.setattr(f"{commands}.find_gpu_engines", lambda: found)
    monkeypatch.setattr(f"{commands}.runtime_of", runtime_of)
    monkeypatch.setattr(f"{commands}.reference", plane)
    monkeypatch.setattr("pullfocus.engines.builder.reference", plane)
    return played


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store with one engine that fits, one for another card, and one that was cut short."""
    monkeypatch.setenv("PULLFOCUS_ENGINES", str(tmp_path / "store"))
    monkeypatch.setenv("COLUMNS", "200")
    model = tmp_path / "net.safetensors"
    model.write_bytes(b"weights")
    cards = [GPU, Gpu("NVIDIA Test 2", (8, 9), (13, 0)), GPU]
    for size_hw, card in zip(SIZES, cards):
        facts = facts_of("tensorrt", card, model, size_hw)
        order = Order("tensorrt", model, size_hw, tmp_path / "store")
        build_into_store(order, FakeRuntime(), facts, lambda _stage: None, plane_reference)
    tall = next(entry.folder for entry in Store(tmp_path / "store").entries() if "352x192" in entry.folder.name)
    (tall / FILE).write_bytes(b"go")
    return tmp_path / "store"


def told(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)


@pytest.mark.usefixtures("runtime")
def test_list_says_what_fits_and_why_others_do_not(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_cli(["engine", "list", "--json"]) == 0
    listed = told(capsys)
    assert listed["store"] == str(place)
    states = {row["net"]: row["state"] for row in listed["engines"]}
    assert states == {
        "192 × 352": "fits",
        "192 × 256": "stale: GPU: built with NVIDIA Test 2, now NVIDIA Test 1",
        "352 × 192": "damaged: engine.bin has 2 bytes, expected 4",
    }
    assert run_cli(["engine", "list"]) == 0
    table = capsys.readouterr().out
    assert "NVIDIA Test 2" in table
    assert "float16" in table


def test_check_runs_what_fits(place: Path, runtime: FakeRuntime, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_cli(["engine", "check", "--json"]) == 1  # one is damaged
    states = {row["net"]: row["state"] for row in told(capsys)["engines"]}
    assert states["192 × 352"] == "fits; off by max 0.0000, mean 0.00000"
    assert len(runtime.loaded) == 1
    assert run_cli(["engine", "clear", "--stale"]) == 0
    assert "deleted 2 engines" in capsys.readouterr().out
    assert run_cli(["engine", "check", "--json"]) == 0
    capsys.readouterr()
    (entry,) = Store(place).entries()
    assert entry.manifest is not None
    Store(place).put(entry.manifest.facts, OFF, entry.manifest.notes)
    assert run_cli(["engine", "check", "--json"]) == 1
    assert told(capsys)["engines"][0]["state"].startswith("fails: its depth is off by max 0.1000")


@pytest.mark.usefixtures("runtime")
def test_clear_deletes_all(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_cli(["engine", "clear", "--json"]) == 0
    assert len(told(capsys)["deleted"]) == 3
    assert list(place.iterdir()) == []
    assert run_cli(["engine", "list"]) == 0
    assert capsys.readouterr().out == f"no engines in {place}\n"


def test_build_builds_once(
    tmp_path: Path, runtime: FakeRuntime, random_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["engine", "build", "--model", str(random_model), "--size", "640x480", "--store", str(tmp_path)]
    assert run_cli(command) == 0
    out, err = capsys.readouterr()
    assert out == "tensorrt 192 × 256: built; off by max 0.0000, mean 0.00000 from float32\n"
    assert err.count("\n") == 2
    assert run_cli([*command, "--json"]) == 0
    assert told(capsys) == {"engine": "tensorrt", "net": "192x256", "result": "was built already"}
    assert runtime.compiled == [(192, 256)]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--engine", "tensorrt-rtx"), "--engine tensorrt-rtx: not installed"),
        (("--size", "3"), "--size 3: expected WxH"),
        (("--model", "absent.safetensors"), "no such file"),
        (("--engine", "openvino"), "openvino"),
    ],
)
@pytest.mark.usefixtures("runtime")
def test_what_cannot_be_built_is_one_line(
    tmp_path: Path, arguments: tuple[str, ...], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_cli(["engine", "build", "--store", str(tmp_path / "store"), *arguments]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert words in err
    assert list(tmp_path.iterdir()) == []


def test_a_build_that_fails_is_one_line(
    tmp_path: Path, runtime: FakeRuntime, random_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runtime.fault = "cannot be built: no converter"
    assert run_cli(["engine", "build", "--model", str(random_model), "--store", str(tmp_path)]) == 2
    assert capsys.readouterr().err.splitlines()[-1] == "pullfocus: tensorrt: cannot be built: no converter"
