"""`pullfocus image` and `pullfocus depth` on pictures: one, or a folder in one process."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from time import monotonic
from typing import TypeVar

from ..engines.api import Engine, label, to_stderr
from ..engines.atomic import check_distinct, check_keeps_input, check_target, make_folder
from ..engines.build import build
from ..kernels.api import AnyPicture, InverseDepth, load
from ..kernels.cuda.card import Card
from ..kernels.errors import EngineError, InputError
from .card_choice import OpenCard, choose_card
from .config import Settings
from .depth_file import read_depth_picture, write_depth_picture
from .focus import FocusPuller
from .frame import Frame
from .parts import Parts, halves, kernels_of, net_parts, through, told_of
from .pictures import check_ending, list_pictures, read_picture, write_picture
from .progress import progress
from .report import Meter, Report
from .stages import GivenDepth

T = TypeVar("T")
FROM_FILES = "none (depth from files)"
# A card has to be started, and its kernels compiled at their first use; on two cores 12 megapixels take two seconds.
FEWEST_ON_CARD = 8


def refocus_pictures(
    source: Path,
    target: Path,
    settings: Settings,
    *,
    depth_in: Path | None = None,
    depth_out: Path | None = None,
    overwrite: bool = False,
    opened: OpenCard | None = None,
) -> Report:
    """Refocus a picture or every picture of a folder. Raises InputError, OutputError, EngineError.

    opened: makes the GPU that the pictures of a folder are on; None: CuPy's.
    """
    work = _pairs(source, target, overwrite)
    for _, path in work:
        check_ending(path)
    if depth_in is not None and depth_in.is_dir():
        _check_stems([path for path, _ in work], depth_in)
    depth_outs = dict(_pairs(source, depth_out, overwrite, ending=".png")) if depth_out else {}
    check_distinct([*(out for _, out in work), *depth_outs.values()])
    run = _Run(settings, depth_in, work, ["read", "depth", "layers", "refocus", "write"], opened)

    def refocus_one(path: Path, out: Path, frame: Frame) -> None:
        depth = run.depth(frame, path)
        picture = run.render(frame, depth)
        with run.timed("write"):
            write_picture(out, picture)
        if path in depth_outs:
            make_folder(depth_outs[path].parent)
            write_depth_picture(depth_outs[path], load("cpu").resize(depth, frame.size_hw))

    return run.over(source.name, refocus_one)


def depth_of_pictures(
    source: Path, target: Path, settings: Settings, *, overwrite: bool = False, opened: OpenCard | None = None
) -> Report:
    """Write the inverse depth of a picture, or of every picture of a folder, as 16-bit PNG of its size.

    opened: as of `refocus_pictures`.
    """
    work = _pairs(source, target, overwrite, ending=".png")
    check_distinct([out for _, out in work])
    run = _Run(settings, None, work, ["read", "depth", "write"], opened)

    def write_one(path: Path, out: Path, frame: Frame) -> None:
        depth = run.depth(frame, path)
        with run.timed("write"):
            write_depth_picture(out, depth)

    return run.over(source.name, write_one)


def _check_stems(pictures: list[Path], depth_in: Path) -> None:
    # A depth picture is found by the name without its ending.
    stems = [path.stem for path in pictures]
    for path in pictures:
        if stems.count(path.stem) > 1:
            raise InputError(f"--depth-in {depth_in}: {path.stem}.png would be the depth of two pictures; rename one")


class _Run:
    """What all pictures of a run share. Stages are made or reset for every picture: nothing may leak."""

    def __init__(
        self,
        settings: Settings,
        depth_in: Path | None,
        work: Sequence[tuple[Path, Path]],
        stages: list[str],
        opened: OpenCard | None,
    ) -> None:
        """work: as of `_pairs`. opened: as of `choose_card`."""
        self._settings, self._depth_in, self._work = settings, depth_in, work
        self._puller = FocusPuller(settings)
        self._card: Card | None = None
        if len(work) >= FEWEST_ON_CARD:
            self._card = choose_card(settings, read_picture(work[0][0]).shape[:2], opened=opened)
        self._engine = build(settings.engine) if depth_in is None else None
        self._meter = Meter(stages)

    def over(self, title: str, each: Callable[[Path, Path, Frame], None]) -> Report:
        with progress(title, len(self._work)) as on_frame:
            for path, out in self._work:
                with self.timed("read"):
                    frame = Frame(read_picture(path), 0, 0, Fraction(1), 0, monotonic())
                make_folder(out.parent)
                each(path, out, frame)
                self._meter.frames += 1
                self._meter.latencies_s.append(monotonic() - frame.captured_s)
                on_frame(self._meter.frames)
        return self._meter.report([], (label(self._engine) if self._engine else FROM_FILES) + told_of(self._card), [])

    @contextmanager
    def timed(self, stage: str) -> Generator[None]:
        started_s = monotonic()
        yield
        self._meter.durations_s[stage].append(monotonic() - started_s)

    def depth(self, frame: Frame, path: Path) -> InverseDepth:
        engine = self._engine
        with self.timed("depth"):
            if engine is not None:
                return self._where_it_can(lambda: self._sense(engine, frame))
            assert self._depth_in is not None
            folder = self._depth_in.is_dir()
            return read_depth_picture(self._depth_in / f"{path.stem}.png" if folder else self._depth_in)

    def render(self, frame: Frame, depth: InverseDepth) -> AnyPicture:
        return self._where_it_can(lambda: self._refocus(frame, depth))

    def _sense(self, engine: Engine, frame: Frame) -> InverseDepth:
        parts = net_parts(engine, self._settings, card=self._card)
        return through(replace(parts, cuts=()).depth_stages(), frame).inverse_depth

    def _refocus(self, frame: Frame, depth: InverseDepth) -> AnyPicture:
        self._puller.reset()
        kernels = kernels_of(self._card)
        parts = Parts(kernels, GivenDepth(kernels, depth), FROM_FILES, (), self._card)
        before, after = halves(parts.stages(self._settings, self._puller))
        with self.timed("layers"):
            layered = through(before, frame)
        with self.timed("refocus"):
            return through(after, layered).picture

    def _where_it_can(self, step: Callable[[], T]) -> T:
        """On the card; after its first failure on the CPU, for a larger picture than the first may be too much for it.

        Raises EngineError where the card was demanded, or where it is not to blame.
        """
        try:
            return step()
        except EngineError as error:
            if self._card is None or self._settings.engine.device == "cuda":
                raise
            self._card = None
            to_stderr(f"{error}; the CPU takes over")
            return step()


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
