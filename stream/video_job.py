"""`pullfocus video` and `pullfocus depth` on a video file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from ..engines.api import Engine, to_stderr
from ..engines.atomic import check_distinct, check_keeps_input
from ..kernels.errors import EncoderLostError
from .completed import Completed
from .config import Settings
from .depth_file import check_ending
from .depth_range import Shot
from .encoding import container_of
from .films import Film, FilmRest, check_result, check_wish, is_video, open_film, pattern_of, result_of, script_for
from .focus import FocusPuller
from .frame import for_card
from .gpu_encoding import on_cpu, settled, software_of
from .handover import THROUGH_MEMORY, WAY, Handover, handed_over, way_of
from .job_folder import SEGMENT_FRAMES, JobFolder
from .job_identity import job_identity
from .job_opening import open_job
from .parts import Parts
from .pipeline import Stage, run
from .prepare import prepared
from .progress import progress
from .report import Meter, Report
from .segments import SegmentedSink, Snapshots, Track, remembering
from .shots import survey
from .span import Reading
from .stills import sequence_facts
from .tracks import depth_track, film_track, small_depth_track


def refocus_video(
    source_path: str,
    target: Path,
    settings: Settings,
    *,
    depth_in: Path | None = None,
    depth_out: Path | None = None,
    reading: Reading | None = None,
    overwrite: bool = False,
    resume: bool = False,
    segment_frames: int = SEGMENT_FRAMES,
    engine: Engine | None = None,
    title: str | None = None,
) -> Report:
    """Refocus a film into `target`, or what `reading` takes of it. Raises InputError, OutputError, EngineError.

    resume: go on with what an interrupted run of the same job has left, of which no more than `segment_frames` frames
    are lost. engine: one that is there already, as `settings` ask for it. title: of the progress bar, else the file's
    name.
    """
    targets = [result_of(target)] if depth_out is None else [result_of(target), depth_out]
    check_distinct(targets)
    for result in targets:
        check_keeps_input(Path(source_path), result)
    FocusPuller(settings)  # reads the model of faces: what is none is said before a film is opened
    source = _Source(source_path, reading or Reading())
    check_wish(target, settings.encoding)
    if depth_out is not None:
        check_ending(depth_out)

    def tracks(film: Film, settings: Settings, handover: Handover | None) -> list[Track]:
        depth = [small_depth_track(depth_out, film.info)] if depth_out is not None else []
        return [film_track(target, film, source_path, settings, handover), *depth]

    def stages(parts: Parts, settings: Settings, handover: Handover | None) -> list[Stage]:
        return parts.stages(settings, FocusPuller(settings), nv12=None if handover is None else handover.system)

    inputs = {
        "input": source_path,
        "depth-in": depth_in,
        "face model": settings.face_model,
        "names": pattern_of(target),
    }
    check = partial(check_result, target)
    with open_job(targets, resume=resume, overwrite=overwrite, segment_frames=segment_frames, check=check) as job:
        try:
            return _FileJob(job, source, settings, inputs, overwrite, engine, title).run(tracks, stages, depth_in)
        except EncoderLostError as lost:
            settings = replace(settings, encoding=on_cpu(settings.encoding))
            to_stderr(f"{lost}; all of it is written again with {settings.encoding.codec} on the CPU")
            job.clear()  # segments of two encoders make no film
        return _FileJob(job, source, settings, inputs, overwrite, engine, title).run(tracks, stages, depth_in)


def depth_of_video(
    source_path: str,
    target: Path,
    settings: Settings,
    *,
    reading: Reading | None = None,
    overwrite: bool = False,
    resume: bool = False,
) -> Report:
    """Write the depth of a film as a depth video. Raises InputError, OutputError, EngineError."""
    check_ending(target)
    check_keeps_input(Path(source_path), target)
    source = _Source(source_path, reading or Reading())
    with open_job([target], resume=resume, overwrite=overwrite) as job:
        return _FileJob(job, source, settings, {"input": source_path}, overwrite).run(
            lambda film, _settings, _handover: [depth_track(target, film.info)],
            lambda parts, _settings, _handover: parts.depth_stages(),
        )


@dataclass(frozen=True, slots=True)
class _Source:
    """The film that a job reads, and what of it."""

    path: str
    reading: Reading

    def open(self) -> AbstractContextManager[Film]:
        return open_film(self.path, self.reading)

    def shots(self, engine: Engine) -> list[Shot]:
        """Look through it once. Raises InputError."""
        with self.open() as film, progress("looking for shots", film.info.frames) as on_frame:
            return survey(film.frames(), engine, on_frame)


class _FileJob:
    """One run of a job whose folder is `job`: the rest of what is to be done, or all of it."""

    def __init__(
        self,
        job: JobFolder,
        source: _Source,
        settings: Settings,
        inputs: Mapping[str, Path | str | None],
        overwrite: bool,
        engine: Engine | None = None,
        title: str | None = None,
    ) -> None:
        self._engine, self._title = engine, title or Path(source.path).name
        self._job, self._source, self._settings = job, source, settings
        self._inputs, self._overwrite = inputs, overwrite

    def run(
        self,
        tracks_of: Callable[[Film, Settings, Handover | None], list[Track]],
        stages_of: Callable[[Parts, Settings, Handover | None], list[Stage]],
        depth_in: Path | None = None,
    ) -> Report:
        """Encode what is missing, then deliver. Raises InputError, OutputError, EngineError."""
        job = self._job
        if job.is_finished:
            return Meter([]).report([], "", [f"{job.targets[0]} was finished already"])
        with ExitStack() as stack:
            film = stack.enter_context(self._source.open())
            self._settings = self._settled(film)
            settings = script_for(self._settings, film)
            parts = stack.enter_context(
                prepared(
                    settings,
                    depth_in,
                    engine=self._engine,
                    from_s=_from_s(film),
                    look_through=self._source.shots,
                    film_hw=film.info.upright_hw,
                )
            )
            for_card(film, parts.card is not None)
            handover = self._handover(film, parts)
            tracks = tracks_of(film, settings, handover)
            model = {"model": self._settings.engine.model} if depth_in is None else {}
            made_from = {**self._inputs, **model, "pictures": sequence_facts(self._source.path)}
            more = {"output": [str(target.resolve()) for target in job.targets], "part": self._source.reading}
            identity = job_identity(made_from, self._settings, parts.engine, more)
            job.begin({**identity, WAY: way_of(handover)}, self._overwrite)
            names = [track.name for track in tracks]
            done = job.completed(names)
            if done is None:
                done, report = self._encode(film, stages_of(parts, settings, handover), tracks, parts)
            else:
                report = Meter([]).report([], parts.engine, [])
        report = report.of_input(done.notes, done.damage)
        return report.with_notes(self._deliver(tracks, done.segments))

    def _settled(self, film: Film) -> Settings:
        """With an encoder that starts here."""
        target, wish = self._job.targets[0], self._settings.encoding
        if software_of(wish) is None or not is_video(target):
            return self._settings
        info = film.info.shown_as(self._settings.view)
        return replace(self._settings, encoding=settled(wish, container_of(target), info, info.size_hw))

    def _handover(self, film: Film, parts: Parts) -> Handover | None:
        """None as well where the job was begun without: that way is always there."""
        target, settings = self._job.targets[0], self._settings
        if not is_video(target) or self._job.begun_with(WAY) == THROUGH_MEMORY:
            return None
        info = film.info.shown_as(settings.view)
        return handed_over(settings.encoding, container_of(target), info, parts.card)

    def _encode(
        self, film: Film, stages: Sequence[Stage], tracks: Sequence[Track], parts: Parts
    ) -> tuple[Completed, Report]:
        """What there is then, and the report of this run."""
        segment, state = self._job.resume_point([track.name for track in tracks])
        first = segment * self._job.segment_frames
        snapshots = Snapshots()
        sink = SegmentedSink(self._job, tracks, snapshots, first)
        notes = [f"went on from frame {first}"] if first else []
        try:
            with progress(self._title, film.info.frames) as on_frame:
                report = run(
                    FilmRest(film, first),
                    remembering(stages, snapshots, first, self._job.segment_frames, state),
                    sink,
                    engine=parts.engine,
                    capacity=parts.capacity,
                    notes=notes,
                    on_frame=lambda done: on_frame(first + done),
                )
            done = Completed(sink.finish(), film.notes, film.damage)
            self._job.complete(done)
        finally:
            sink.close()
        return done, replace(report, before=first)

    def _deliver(self, tracks: Sequence[Track], segments: int) -> list[str]:
        """Make each track's file of its segments, and give them their names; returns what is to be said of them."""
        notes = list[str]()
        for track in tracks:
            paths = [self._job.segment(number, track.name) for number in range(segments)]
            notes += track.finish(paths, self._job.results.aside(track.target))
        self._job.deliver()
        return notes


def _from_s(film: Film) -> float | None:
    return None if film.info.cut is None else float(film.info.cut.start_s)
