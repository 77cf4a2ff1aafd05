"""`pullfocus image` and `pullfocus depth` on pictures: one, or a folder in one process."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from time import monotonic
from typing import TypeVar

from ..engines.api import Engine
from ..engines.build import build
from ..kernels.api import InverseDepth, Kernels, Picture, load
from ..kernels.errors import InputError
from .atomic import check_target
from .config import Settings
from .depth_file import read_depth_picture, write_depth_picture
from .focus import FocusPuller
from .frame import Frame, Sensed
from .pictures import check_ending, list_pictures, read_picture, write_picture
from .progress import progress
from .report import Meter, Report
from .stages import LayersStage, NetDepth, RefocusStage

T = TypeVar("T")


def refocus_pictures(
    source: Path,
    target: Path,
    settings: Settings,
    *,
    depth_in: Path | None = None,
    depth_out: Path | None = None,
    overwrite: bool = False,
) -> Report:
    """Refocus a picture or every picture of a folder. Raises InputError, OutputError, EngineError."""
    work = _pairs(source, target, overwrite)
    for _, path in work:
        check_ending(path)
    depth_outs = dict(_pairs(source, depth_out, overwrite, ending=".png")) if depth_out else {}
    kernels = load("cpu")
    engine = build(settings.engine) if depth_in is None else None
    meter = Meter(["read", "depth", "layers", "refocus", "write"])
    with progress(source.name, len(work)) as on_frame:
        for path, out in work:
            frame = _timed(meter, "read", lambda path=path: _frame(path))
            depth = _timed(
                meter, "depth", lambda frame=frame, path=path: _depth(frame, path, engine, depth_in, kernels, settings)
            )
            picture = _render(frame, depth, kernels, settings, meter)
            _timed(meter, "write", lambda out=out, picture=picture: write_picture(out, picture))
            if path in depth_outs:
                write_depth_picture(depth_outs[path], kernels.resize(depth, frame.size_hw))
            _count(meter, frame, on_frame)
    return meter.report([], _engine_name(engine), [])


def depth_of_pictures(source: Path, target: Path, settings: Settings, *, overwrite: bool = False) -> Report:
    """Write the inverse depth of a picture, or of every picture of a folder, as 16-bit PNG of its size."""
    work = _pairs(source, target, overwrite, ending=".png")
    kernels = load("cpu")
    engine = build(settings.engine)
    meter = Meter(["read", "depth", "write"])
    with progress(source.name, len(work)) as on_frame:
        for path, out in work:
            frame = _timed(meter, "read", lambda path=path: _frame(path))
            depth = _timed(
                meter, "depth", lambda frame=frame, path=path: _depth(frame, path, engine, None, kernels, settings)
            )
            full = kernels.resize(depth, frame.size_hw)
            _timed(meter, "write", lambda out=out, full=full: write_depth_picture(out, full))
            _count(meter, frame, on_frame)
    return meter.report([], _engine_name(engine), [])


def _pairs(source: Path, target: Path, overwrite: bool, ending: str | None = None) -> list[tuple[Path, Path]]:
    """(input, output) paths; a folder maps to a folder and names are kept."""
    if not source.is_dir():
        if ending is not None and target.suffix.lower() != ending:
            raise InputError(f"{target}: depth of a picture is a 16-bit PNG; expected the ending {ending}")
        check_target(target, overwrite)
        return [(source, target)]
    if target.exists() and not target.is_dir():
        raise InputError(f"{target} is a file; the input {source} is a folder, so expected a folder")
    pictures = list_pictures(source)
    target.mkdir(parents=True, exist_ok=True)
    pairs = [(path, target / (path.stem + ending if ending else path.name)) for path in pictures]
    for _, out in pairs:
        check_target(out, overwrite)
    return pairs


def _frame(path: Path) -> Frame:
    return Frame(read_picture(path), 0, 0, Fraction(1), 0, monotonic())


def _depth(
    frame: Frame, path: Path, engine: Engine | None, depth_in: Path | None, kernels: Kernels, settings: Settings
) -> InverseDepth:
    if engine is not None:
        return NetDepth(engine, kernels, settings).depth_of(frame)
    assert depth_in is not None
    return read_depth_picture(depth_in / f"{path.stem}.png" if depth_in.is_dir() else depth_in)


def _render(frame: Frame, depth: InverseDepth, kernels: Kernels, settings: Settings, meter: Meter) -> Picture:
    # New stages for every picture: nothing of one may leak into the next.
    layers = LayersStage(kernels, settings, FocusPuller(settings.focus))
    layered = _timed(meter, "layers", lambda: layers(Sensed(frame, depth)))
    return _timed(meter, "refocus", lambda: RefocusStage(kernels, settings)(layered)).picture


def _timed(meter: Meter, stage: str, work: Callable[[], T]) -> T:
    started_s = monotonic()
    result = work()
    meter.durations_s[stage].append(monotonic() - started_s)
    return result


def _count(meter: Meter, frame: Frame, on_frame: Callable[[int], None]) -> None:
    meter.frames += 1
    meter.latencies_s.append(monotonic() - frame.captured_s)
    on_frame(meter.frames)


def _engine_name(engine: Engine | None) -> str:
    return f"{engine.name} ({engine.detail})" if engine is not None else "none (depth from files)"
