"""`pullfocus image` and `pullfocus depth` on pictures: one, or a folder in one process."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from time import monotonic

from ..engines.api import label
from ..engines.atomic import check_distinct, check_keeps_input, check_target, make_folder
from ..engines.build import build
from ..kernels.api import AnyPicture, InverseDepth, load
from ..kernels.errors import InputError
from .config import Settings
from .depth_file import read_depth_picture, write_depth_picture
from .focus import FocusPuller
from .frame import Frame, Sensed
from .pictures import check_ending, list_pictures, read_picture, write_picture
from .progress import progress
from .report import Meter, Report
from .stages import LayersStage, NetDepth, RefocusStage

FROM_FILES = "none (depth from files)"


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
    if depth_in is not None and depth_in.is_dir():
        _check_stems([path for path, _ in work], depth_in)
    depth_outs = dict(_pairs(source, depth_out, overwrite, ending=".png")) if depth_out else {}
    check_distinct([*(out for _, out in work), *depth_outs.values()])
    run = _Run(settings, depth_in, ["read", "depth", "layers", "refocus", "write"])

    def refocus_one(path: Path, out: Path, frame: Frame) -> None:
        depth = run.depth(frame, path)
        picture = run.render(frame, depth)
        with run.timed("write"):
            write_picture(out, picture)
        if path in depth_outs:
            make_folder(depth_outs[path].parent)
            write_depth_picture(depth_outs[path], run.kernels.resize(depth, frame.size_hw))

    return run.over(work, source.name, refocus_one)


def depth_of_pictures(source: Path, target: Path, settings: Settings, *, overwrite: bool = False) -> Report:
    """Write the inverse depth of a picture, or of every picture of a folder, as 16-bit PNG of its size."""
    work = _pairs(source, target, overwrite, ending=".png")
    check_distinct([out for _, out in work])
    run = _Run(settings, None, ["read", "depth", "write"])

    def write_one(path: Path, out: Path, frame: Frame) -> None:
        full = run.kernels.resize(run.depth(frame, path), frame.size_hw)
        with run.timed("write"):
            write_depth_picture(out, full)

    return run.over(work, source.name, write_one)


def _check_stems(pictures: list[Path], depth_in: Path) -> None:
    # A depth picture is found by the name without its ending.
    stems = [path.stem for path in pictures]
    for path in pictures:
        if stems.count(path.stem) > 1:
            raise InputError(f"--depth-in {depth_in}: {path.stem}.png would be the depth of two pictures; rename one")


class _Run:
    """What all pictures of a run share. Stages are made or reset for every picture: nothing may leak."""

    def __init__(self, settings: Settings, depth_in: Path | None, stages: list[str]) -> None:
        self._settings, self._depth_in = settings, depth_in
        self._puller = FocusPuller(settings)
        self._engine = build(settings.engine) if depth_in is None else None
        self._meter = Meter(stages)
        self.kernels = load("cpu")

    def over(self, work: list[tuple[Path, Path]], title: str, each: Callable[[Path, Path, Frame], None]) -> Report:
        with progress(title, len(work)) as on_frame:
            for path, out in work:
                with self.timed("read"):
                    frame = Frame(read_picture(path), 0, 0, Fraction(1), 0, monotonic())
                make_folder(out.parent)
                each(path, out, frame)
                self._meter.frames += 1
                self._meter.latencies_s.append(monotonic() - frame.captured_s)
                on_frame(self._meter.frames)
        return self._meter.report([], label(self._engine) if self._engine else FROM_FILES, [])

    @contextmanager
    def timed(self, stage: str) -> Generator[None]:
        started_s = monotonic()
        yield
        self._meter.durations_s[stage].append(monotonic() - started_s)

    def depth(self, frame: Frame, path: Path) -> InverseDepth:
        with self.timed("depth"):
            if self._engine is not None:
                return NetDepth(self._engine, self.kernels, self._settings).sense(frame).inverse_depth
            assert self._depth_in is not None
            folder = self._depth_in.is_dir()
            return read_depth_picture(self._depth_in / f"{path.stem}.png" if folder else self._depth_in)

    def render(self, frame: Frame, depth: InverseDepth) -> AnyPicture:
        with self.timed("layers"):
            self._puller.reset()
            stage = LayersStage(self.kernels, self._settings, self._puller)
            layered = stage(Sensed(frame, depth))
        with self.timed("refocus"):
            return RefocusStage(self.kernels, self._settings)(layered).picture


def _pairs(source: Path, target: Path, overwrite: bool, ending: str | None = None) -> list[tuple[Path, Path]]:
    """(input, output) paths; a folder maps to a folder and names are kept."""
    if not source.is_dir():
        if ending is not None and target.suffix.lower() != ending:
            raise InputError(f"{target}: depth of a picture is a 16-bit PNG; expected the ending {ending}")
        check_target(target, overwrite)
        check_keeps_input(source, target)
        return [(source, target)]
    if target.exists() and not target.is_dir():
        raise InputError(f"{target} is a file; the input {source} is a folder, so expected a folder")
    pictures = list_pictures(source)
    pairs = [(path, target / (path.stem + ending if ending else path.name)) for path in pictures]
    if target.is_dir():
        for _, out in pairs:
            check_target(out, overwrite)
        for path, out in pairs:
            check_keeps_input(path, out)
    return pairs
