"""The package as pip sees it."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
TOP_PACKAGES = ("benchmarks", "engines", "entry", "kernels", "stream", "training")

BLOCKER = """
import sys
class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {blocked}:
            raise ModuleNotFoundError("blocked: " + name)
sys.meta_path.insert(0, Blocker())
"""


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def package_files() -> list[Path]:
    return [path for top in TOP_PACKAGES for path in sorted((ROOT / top).rglob("*.py"))]


def run_blocked(blocked: set[str], code: str) -> str:
    script = BLOCKER.format(blocked=blocked) + code
    done = subprocess.run([sys.executable, "-P", "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_package_on_disk_is_listed(project: dict[str, Any]) -> None:
    on_disk = {path.parent.relative_to(ROOT) for path in package_files() if path.name == "__init__.py"}
    names = {"pullfocus." + ".".join(folder.parts): str(folder) for folder in on_disk}
    assert set(project["tool"]["setuptools"]["packages"]) == set(names)
    assert project["tool"]["setuptools"]["package-dir"] == names


def test_every_package_at_the_root_is_explained(project: dict[str, Any]) -> None:
    told = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    rows = {line.split("`")[1].rstrip("/") for line in told.splitlines() if line.startswith("| `")}
    roots = {package.split(".")[1] for package in project["tool"]["setuptools"]["packages"]}
    assert rows == roots == set(TOP_PACKAGES)


def test_every_folder_with_code_is_a_package() -> None:
    assert [str(p) for p in package_files() if not (p.parent / "__init__.py").is_file()] == []


def test_the_page_goes_with_its_package(project: dict[str, Any]) -> None:
    patterns = project["tool"]["setuptools"]["package-data"]["pullfocus.stream.web"]
    beside = [path for path in (ROOT / "stream" / "web").iterdir() if path.is_file() and path.suffix != ".py"]
    assert {path.name for path in beside} >= {"index.html", "style.css", "page.js"}
    assert [path.name for path in beside if not any(path.match(pattern) for pattern in patterns)] == []


def test_the_style_of_the_report_goes_with_its_package(project: dict[str, Any]) -> None:
    patterns = project["tool"]["setuptools"]["package-data"]["pullfocus.benchmarks.latency"]
    beside = [path for path in (ROOT / "benchmarks" / "latency").iterdir() if path.is_file() and path.suffix != ".py"]
    assert "report.css" in {path.name for path in beside}
    assert [path.name for path in beside if not any(path.match(pattern) for pattern in patterns)] == []


def test_commands_of_other_packages_are_where_their_entry_points_say(project: dict[str, Any]) -> None:
    declared = project["project"]["entry-points"]["pullfocus.commands"]
    assert "bench" in declared
    for target in declared.values():
        module, _, name = target.partition(":")
        assert callable(getattr(import_module(module), name))


def test_root_is_no_package() -> None:
    assert not (ROOT / "__init__.py").exists()


@pytest.mark.parametrize("top", TOP_PACKAGES)
def test_every_package_says_that_it_is_typed(top: str) -> None:
    assert (ROOT / top / "py.typed").is_file()


def test_packages_import_each_other_relatively() -> None:
    absolute: list[str] = []
    by_pytest = {"conftest.py", *(path.name for path in (ROOT / "benchmarks" / "micro").glob("test_*.py"))}
    for path in (path for path in package_files() if path.name not in by_pytest):  # it imports those by their path
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and not node.level and node.module:
                names = [node.module]
            absolute += [f"{path}: {name}" for name in names if name.split(".")[0] == "pullfocus"]
    assert absolute == []


def test_command_line_imports_without_the_heavy_packages() -> None:
    heavy = {"torch", "torchvision", "av", "openvino", "sklearn", "cupy"}
    code = "from pullfocus.stream.cli import run_cli; print(run_cli(['--version']))"
    assert run_blocked(heavy, code).split()[0] == "pullfocus"


def test_base_install_refocuses_without_torch() -> None:
    code = """
import numpy as np
from pullfocus.engines.build import EngineRequest, build
depth = build(EngineRequest("openvino")).infer(np.zeros((64, 64, 3), np.uint8))
print(depth.shape, "torch" in sys.modules)
"""
    assert run_blocked({"torch", "torchvision"}, code).strip() == "(192, 192) False"


def test_base_install_does_not_name_torch(project: dict[str, Any]) -> None:
    base = " ".join(project["project"]["dependencies"])
    assert "torch" not in base
    assert "openvino" in base
