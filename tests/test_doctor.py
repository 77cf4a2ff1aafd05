"""`pullfocus doctor`."""

from __future__ import annotations

import importlib.metadata
import io
import re

import pytest
from pullfocus.stream.doctor import show
from rich.console import Console


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
