"""`pullfocus video` and `pullfocus depth` on a video file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

from ..engines.api import Engine
from ..engines.atomic import check_distinct
from ..kernels.api import AnyPicture
from .config import Settings
from .depth_file import DepthEncoder, check_ending, cut_tags
from .encoding import PictureEncoder, choose_encoding, container_of
from .focus import FocusPuller
from .frame import Frame
from .job_folder import SEGMENT_FRAMES, JobFolder, job_folder
from .job_identity import job_identity
from .join import join
from .pipeline import Stage, run
from .prepare import Parts, prepared
from .progress import progress
from .report import Meter, Report
from .segments import SegmentedSink, Snapshots, Track, remembering
from .sound import SoundTrack
from .stages import DepthStage
from .video_in import VideoInfo, VideoSource


def refocus_video(
    source_path: str,
    target: Path,
    settings: Settings,
    *,
    depth_in: Path | None = None,
    depth_out: Path | None = None,
    overwrite: bool = False,
    resume: bool = False,
    segment_frames: int = SEGMENT_FRAMES,
    engine: Engine | None = None,
    title: str | None = None,
) -> Report:
    """Refocus a video file into `target`. Raises InputError, OutputError, EngineError.

    resume: go on with what an interrupted run of the same job has left, of which no more than `segment_frames` frames
    are lost. engine: one that is there already, as `settings` ask for it. title: of the progress bar, else the file's
    name.
    """
    settings.encoding.check(container_of(target))
    targets = [target] if depth_out is None else [target, depth_out]
    if depth_out is not None:
        check_ending(depth_out)
    check_distinct(targets)
    check_distinct((Path(source_path), depth_out))

    def tracks(info: VideoInfo) -> list[Track]:
        depth = [_depth_track(depth_out, info)] if depth_out is not None else []
        return [picture_track(target, info, source_path, settings), *depth]

    def stages(parts: Parts) -> list[Stage]:
        return parts.stages(settings, FocusPuller(settings))

    inputs = {"input": source_path, "depth-in": depth_in, "face model": settings.face_model}
    with job_folder(targets, resume=resume, overwrite=overwrite, segment_frames=segment_frames) as job:
        file_job = _FileJob(job, source_path, settings, inputs, overwrite, engine, title)
        return file_job.run(tracks, stages, depth_in)


def depth_of_video(
    source_path: str, target: Path, settings: Settings, *, overwrite: bool = False, resume: bool = False
) -> Report:
    """Write the depth of a video file as a depth video. Raises InputError, OutputError, EngineError."""
    check_ending(target)
    with job_folder([target], resume=resume, overwrite=overwrite) as job:
        return _FileJob(job, source_path, settings, {"input": source_path}, overwrite).run(
            lambda info: [_depth_track(target, info)],
            lambda parts: [DepthStage(parts.depth)],
        )


class _FileJob:
    """One run of a job whose folder is `job`: the rest of what is to be done, or all of it."""

    def __init__(
        self,
        job: JobFolder,
        source_path: str,
        settings: Settings,
        inputs: Mapping[str, Path | str | None],
        overwrite: bool,
        engine: Engine | None = None,
        title: str | None = None,
    ) -> None:
        self._engine, self._title = engine, title or Path(source_path).name
        self._job, self._source_path, self._settings = job, source_path, settings
        self._inputs, self._overwrite = inputs, overwrite

    def run(
        self,
        tracks_of: Callable[[VideoInfo], list[Track]],
        stages_of: Callable[[Parts], list[Stage]],
        depth_in: Path | None = None,
    ) -> Report:
        """Encode what is missing, then join. Raises InputError, OutputError, EngineError."""
        job = self._job
        if job.is_finished:
            return Meter([]).report([], "", [f"{job.targets[0]} was finished already"])
        with ExitStack() as stack:
            source = stack.enter_context(VideoSource(self._source_path))
            parts = stack.enter_context(prepared(self._settings, depth_in, engine=self._engine))
            tracks = tracks_of(source.info)
            model = {"model": self._settings.engine.model} if depth_in is None else {}
            made_from = {**self._inputs, **model}
            more = {"output": [str(target.resolve()) for target in job.targets]}
            job.begin(job_identity(made_from, self._settings, parts.engine, more), self._overwrite)
            names = [track.name for track in tracks]
            done = job.completed(names)
            if done is None:
                segments, report = self._encode(source, stages_of(parts), tracks, parts.engine)
            else:
                segments, report = done[0], Meter([]).report([], parts.engine, done[1])
        return report.with_notes(self._deliver(tracks, segments))

    def _encode(
        self, source: VideoSource, stages: Sequence[Stage], tracks: Sequence[Track], engine: str
    ) -> tuple[int, Report]:
        """The number of segments that there are then, and the report of this run."""
        segment, state = self._job.resume_point([track.name for track in tracks])
        first = segment * self._job.segment_frames
        snapshots = Snapshots()
        sink = SegmentedSink(self._job, tracks, snapshots, first)
        notes = [f"went on from frame {first}"] if first else []
        try:
            with progress(self._title, source.info.frames) as on_frame:
                report = run(
                    _Rest(source, first),
                    remembering(stages, snapshots, first, self._job.segment_frames, state),
                    sink,
                    engine=engine,
                    notes=notes,
                    on_frame=lambda done: on_frame(first + done),
                )
            segments = sink.finish(source.notes)
        finally:
            sink.close()
        return segments, report.with_notes(source.notes)

    def _deliver(self, tracks: Sequence[Track], segments: int) -> list[str]:
        """Join the segments of each track, and give the files their names; returns what is to be said of the sound."""
        notes = list[str]()
        for track in tracks:
            paths = [self._job.segment(number, track.name) for number in range(segments)]
            notes += join(track, paths, self._job.aside(track.target))
        self._job.deliver()
        return notes


class _Rest:
    """The frames of a video file from one on."""

    live = False

    def __init__(self, source: VideoSource, first: int) -> None:
        self._source, self._first = source, first

    def frames(self) -> Iterator[Frame]:
        return self._source.frames(self._first)


def picture_track(target: Path, info: VideoInfo, source_path: str, settings: Settings) -> Track:
    """The film itself, encoded as `settings` wish."""
    container = container_of(target)
    info = info if settings.view == "refocus" else info.in_8_bits()

    def encoder(output: Any, upright_hw: tuple[int, int]) -> PictureEncoder:
        size_hw = info.orientation.upright_hw(upright_hw)  # a turn by a quarter is its own inverse for sizes
        return PictureEncoder(output, choose_encoding(container, info, size_hw, settings.encoding), info, size_hw)

    return Track("video", target, container, _picture, encoder, sound=partial(SoundTrack, source_path))


def _picture(rendered: Any) -> AnyPicture:
    return rendered.picture


def _depth_track(target: Path, info: VideoInfo) -> Track:
    return Track(
        "depth",
        target,
        "matroska",
        lambda item: item.inverse_depth,
        lambda output, size_hw: DepthEncoder(output, info, size_hw),
        tags=cut_tags,
    )
