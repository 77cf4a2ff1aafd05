"""`pullfocus video` and `pullfocus depth` on a video file."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from ..engines.atomic import check_distinct, check_target
from .config import Settings
from .depth_file import depth_video_sink
from .films import Film, check_film_target, film_sink, left_out, open_film, script_for
from .focus import FocusPuller
from .pipeline import Sink, Stage, run
from .prepare import prepared
from .progress import progress
from .report import Report
from .sinks import TeeSink
from .span import Span
from .stages import DepthStage


def refocus_video(
    source_path: str,
    target: Path,
    settings: Settings,
    *,
    depth_in: Path | None = None,
    depth_out: Path | None = None,
    span: Span | None = None,
    rate: float | None = None,
    strict: bool = False,
    overwrite: bool = False,
) -> Report:
    """Refocus a film into `target`, or the part of it within `span`. Raises InputError, OutputError, EngineError.

    rate: pictures a second, of a sequence of pictures. strict: stop at the first damage.
    """
    check_distinct((target, depth_out))
    check_distinct((Path(source_path), depth_out))
    check_film_target(target, overwrite)
    if depth_out is not None:
        check_target(depth_out, overwrite)
    with ExitStack() as stack:
        source = stack.enter_context(open_film(source_path, span=span, rate=rate, strict=strict))
        settings = script_for(settings, source)
        puller = FocusPuller(settings)
        parts = stack.enter_context(prepared(settings, depth_in, from_s=_from_s(source)))
        video = stack.enter_context(film_sink(target, source, source_path))
        sinks: list[Sink] = [video]
        if depth_out is not None:
            sinks.append(stack.enter_context(depth_video_sink(depth_out, source.info)))
        stages = parts.stages(settings, puller)
        on_frame = stack.enter_context(progress(Path(source_path).name, source.info.frames))
        report = run(source, stages, TeeSink(sinks), engine=parts.engine, on_frame=on_frame)
    return report.with_notes([*_source_notes(source), *video.notes, *left_out(target, source_path, source)])


def depth_of_video(
    source_path: str,
    target: Path,
    settings: Settings,
    *,
    span: Span | None = None,
    rate: float | None = None,
    strict: bool = False,
    overwrite: bool = False,
) -> Report:
    """Write the depth of a video file as a depth video. Raises InputError, OutputError, EngineError."""
    check_target(target, overwrite)
    with ExitStack() as stack:
        source = stack.enter_context(open_film(source_path, span=span, rate=rate, strict=strict))
        parts = stack.enter_context(prepared(settings))
        sink = stack.enter_context(depth_video_sink(target, source.info))
        stages: list[Stage] = [DepthStage(parts.depth)]
        on_frame = stack.enter_context(progress(Path(source_path).name, source.info.frames))
        report = run(source, stages, sink, engine=parts.engine, on_frame=on_frame)
    return report.with_notes(_source_notes(source))


def _from_s(source: Film) -> float | None:
    return None if source.info.cut is None else float(source.info.cut.start_s)


def _source_notes(source: Film) -> list[str]:
    more = source.info.bits > 8
    return [*source.notes, *([f"the input has {source.info.bits} bits; the output has 8"] if more else [])]
