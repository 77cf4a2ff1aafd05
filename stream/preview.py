"""`pullfocus video --preview T`: one frame of a film as it will be, without the rest."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from time import monotonic

from ..engines.atomic import check_keeps_input, check_target
from ..kernels.errors import InputError
from .config import Settings
from .films import open_film, script_for
from .focus import FocusPuller
from .frame import Frame, for_card
from .parts import halves, through
from .pictures import write_picture
from .prepare import prepared
from .report import Meter, Report
from .span import Reading, Span

WARM_UP_S = Fraction(1)  # depth, layers and focus settle within about this time
ENDING = ".png"


def preview_frame(
    location: str,
    target: Path,
    settings: Settings,
    time_s: Fraction,
    *,
    depth_in: Path | None = None,
    reading: Reading | None = None,
    overwrite: bool = False,
) -> Report:
    """Write the frame that is shown at `time_s` as four panels. Raises InputError, OutputError, EngineError."""
    if target.suffix.lower() != ENDING:
        raise InputError(f"{target}: a preview is one picture; got the ending {target.suffix!r}, expected {ENDING}")
    check_target(target, overwrite)
    check_keeps_input(Path(location), target)
    with ExitStack() as stack:
        span = Span(max(time_s - WARM_UP_S, Fraction(0)), option="--preview")
        film = stack.enter_context(open_film(location, replace(reading or Reading(), span=span)))
        settings = replace(script_for(settings, film), view="panel")
        start_s = None if film.info.cut is None else float(film.info.cut.start_s)
        parts = stack.enter_context(prepared(settings, depth_in, from_s=start_s, film_hw=film.info.upright_hw))
        for_card(film, parts.card is not None)
        until_layers, from_layers = halves(parts.stages(settings, FocusPuller(settings)))
        meter = Meter(["depth and layers", "refocus"])
        started_s, layered = monotonic(), None
        for frame in _until(film.frames(), location, time_s):
            layered = through(until_layers, frame)
            now_s = monotonic()
            meter.durations_s["depth and layers"].append(now_s - started_s)
            started_s = now_s
        picture = through(from_layers, layered).picture
        meter.durations_s["refocus"].append(monotonic() - started_s)
        write_picture(target, picture)
        meter.frames = 1
        return meter.report([], parts.engine, []).of_input(film.notes, film.damage)


def _until(frames: Iterator[Frame], location: str, time_s: Fraction) -> Iterator[Frame]:
    """The frames up to the one that is shown at `time_s`. Raises InputError when the film has ended by then."""
    end_s, seen = Fraction(0), False
    for frame in frames:
        if seen and frame.pts * frame.time_base > time_s:
            return
        yield frame
        seen, end_s = True, (frame.pts + frame.duration) * frame.time_base
    if time_s >= end_s:
        raise InputError(f"--preview {float(time_s):g}: {location} ends at {float(end_s):.3f} s")
