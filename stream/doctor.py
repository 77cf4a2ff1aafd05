"""`pullfocus doctor`: what is there, what is not, and why."""

from __future__ import annotations

import os
import platform
import sys

from rich.console import Console
from rich.markup import escape

from ..engines.build import EngineRequest, build
from ..engines.checkpoint import SHIPPED, load, locate
from ..engines.finding import Finding, find_engines, find_package
from ..kernels.errors import PullfocusError
from .camera_search import find_cameras

PACKAGES = {
    "numpy": "",
    "opencv-python": "",
    "av": "",
    "openvino": "",
    "torch": "train",
    "torchvision": "train",
    "cupy-cuda13x": "cuda",
    "matplotlib": "bench",
    "pyvirtualcam": "virtual",
    "ray": "ray",
    "aiohttp": "web",
    "aiortc": "web",
}


def findings() -> dict[str, list[Finding]]:
    """All findings by topic."""
    return {
        "machine": [Finding("system", True, _system())],
        "packages": [find_package(name, extra) for name, extra in PACKAGES.items()],
        "engines": find_engines(),
        "models": [_model(name) for name in SHIPPED],
        "video": [_display(), _cameras(), *_codecs()],
    }


def show(console: Console) -> None:
    """Print the findings, a line each; long lines are not broken, so that commands can be pasted."""
    for topic, found in findings().items():
        console.print(f"[bold]{topic}[/bold]")
        for one in found:
            mark = "[green]yes[/green]" if one.usable else "[yellow]no [/yellow]"
            console.print(f"  {escape(one.name):<16} {mark}  {escape(one.why)}", soft_wrap=True, highlight=False)


def _system() -> str:
    return f"{platform.platform()}, Python {platform.python_version()}, {os.cpu_count()} CPUs"


def _model(name: str) -> Finding:
    try:
        size = load(locate(name)).size / 1e6
        taken = build(EngineRequest(model=name), say=_silent).detail
        return Finding(name, True, f"{size:.1f} M numbers; --engine auto takes {taken}")
    except PullfocusError as error:
        return Finding(name, False, str(error))


def _silent(_line: str) -> None:
    """The engines' own lines have said it."""


def _display() -> Finding:
    if sys.platform != "linux":
        return Finding("window", True, "untested on this system")
    name = os.environ.get("DISPLAY")  # OpenCV's windows speak X11 only
    return Finding("window", bool(name), f"display {name}" if name else "DISPLAY is not set; --sink null or FILE work")


def _cameras() -> Finding:
    found = find_cameras()
    return Finding("cameras", bool(found), ", ".join(map(str, found)) or "none found; `pullfocus cameras` lists them")


def _codecs() -> list[Finding]:
    import av

    names = {"H.264": "libx264", "VP9": "libvpx-vp9", "depth (FFV1)": "ffv1"}
    available = av.codecs_available
    return [Finding(what, name in available, f"encoder {name}, PyAV {av.__version__}") for what, name in names.items()]
