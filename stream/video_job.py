"""`pullfocus video` and `pullfocus depth` on a video file."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from ..engines.api import Engine
from ..engines.atomic import check_distinct, check_target
from .config import Settings
from .depth_file import depth_video_sink
from .encoding import container_of
from .focus import FocusPuller
from .pipeline import Sink, Stage, run
from .prepare import prepared
from .progress import progress
from .report import Report
from .sinks import TeeSink
from .stages import DepthStage
from .video_in import VideoSource
from .video_out import video_sink


def refocus_video(
    source_path: str,
    target: Path,
    settings: Settings,
    *,
    depth_in: Path | None = None,
    depth_out: Path | None = None,
    overwrite: bool = False,
    engine: Engine | None = None,
    title: str | None = None,
) -> Report:
    """Refocus a video file into `target`. Raises InputError, OutputError, EngineError.

    engine: one that is there already, as `settings` ask for it. title: of the progress bar, else the file's name.
    """
    container_of(target)
    check_distinct((target, depth_out))
    check_distinct((Path(source_path), depth_out))
    for path in (target, depth_out):
        if path is not None:
            check_target(path, overwrite)
    puller = FocusPuller(settings)
    with ExitStack() as stack:
        source = stack.enter_context(VideoSource(source_path))
        parts = stack.enter_context(prepared(settings, depth_in, engine=engine))
        video = stack.enter_context(video_sink(target, source.info, sound_from=source_path))
        sinks: list[Sink] = [video]
        if depth_out is not None:
            sinks.append(stack.enter_context(depth_video_sink(depth_out, source.info)))
        stages = parts.stages(settings, puller)
        on_frame = stack.enter_context(progress(title or Path(source_path).name, source.info.frames))
        report = run(source, stages, TeeSink(sinks), engine=parts.engine, on_frame=on_frame)
    return report.with_notes([*_source_notes(source), *video.notes])


def depth_of_video(source_path: str, target: Path, settings: Settings, *, overwrite: bool = False) -> Report:
    """Write the depth of a video file as a depth video. Raises InputError, OutputError, EngineError."""
    check_target(target, overwrite)
    with ExitStack() as stack:
        source = stack.enter_context(VideoSource(source_path))
        parts = stack.enter_context(prepared(settings))
        sink = stack.enter_context(depth_video_sink(target, source.info))
        stages: list[Stage] = [DepthStage(parts.depth)]
        on_frame = stack.enter_context(progress(Path(source_path).name, source.info.frames))
        report = run(source, stages, sink, engine=parts.engine, on_frame=on_frame)
    return report.with_notes(_source_notes(source))


def _source_notes(source: VideoSource) -> list[str]:
    more = source.info.bits > 8
    return [*source.notes, *([f"the input has {source.info.bits} bits; the output has 8"] if more else [])]
