"""`pullfocus bench` and `pullfocus doctor`."""

from __future__ import annotations

import importlib.metadata
import io
import json
import re
from pathlib import Path

import pytest
from pullfocus.stream.doctor import show
from rich.console import Console

from .clip import write_clip
from .command import assert_one_line, run

PLANE = ("--engine", "plane", "--frames", "12")


def test_bench_measures_every_frame_and_a_true_latency(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    result = run("bench", *PLANE, "--size", "320x240", "--json", path)
    assert result.returncode == 0, result.stderr
    report = json.loads(path.read_text())
    assert (report["frames"], report["dropped"]) == (12, 0)
    stages_ms = sum(report["stages"][name]["p50_ms"] for name in ("depth", "layers", "refocus"))
    assert stages_ms < report["latency"]["p50_ms"] < report["elapsed_s"] * 1e3
    assert "refocus" in result.stdout


def test_bench_takes_a_file_at_its_own_size(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "in.mp4", frames=5, size_wh=(200, 120))
    assert run("bench", "--source", clip, "--engine", "plane").stdout.startswith("measured: 5 frames")


@pytest.mark.parametrize("arguments", [("--frames", "0"), ("--source", "0"), ("--source", "nowhere.mp4")])
def test_bench_refuses_what_it_cannot_measure(arguments: tuple[str, ...]) -> None:
    assert_one_line(run("bench", "--engine", "plane", *arguments))


def test_doctor_prints_commands_that_can_be_pasted(monkeypatch: pytest.MonkeyPatch) -> None:
    known = importlib.metadata.version

    def version(name: str) -> str:
        if name in ("torch", "torchvision"):
            raise importlib.metadata.PackageNotFoundError(name)
        return known(name)

    monkeypatch.setattr(importlib.metadata, "version", version)
    console = Console(file=io.StringIO(), width=60)  # lines are longer, and stay whole
    show(console)
    assert isinstance(console.file, io.StringIO)
    lines = {line.split()[0]: line for line in console.file.getvalue().splitlines() if line.strip()}
    assert "pip install 'pullfocus[train]'" in lines["torch"]
    assert "pip install 'pullfocus[train]'" in lines["torchvision"]
    assert known("openvino") in lines["openvino"]
    assert re.search(r"takes OpenVINO [\d.]+, (int8|bf16|f32), CPU", lines["resnet18"])
