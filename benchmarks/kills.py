"""Does a run that is killed at any moment go on to the same film?

    .venv/bin/python -m pullfocus.benchmarks.kills [CLIP] --kills 200 --json OUT
    .venv/bin/python -m pullfocus.benchmarks.kills [CLIP] --kills 40 --name film/%05d.png

Kills `pullfocus video` with SIGKILL at random moments, over and over until it comes to its end by `--resume`,
and compares the film with that of a run left alone: every picture, every time, every packet of sound.
Exit code 1 if anything is wrong.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from rich.progress import Progress

from ..engines.atomic import write_text
from ..training.tool import one_line_errors
from .arguments import count
from .commands import KILLED, Ending, run_command
from .digests import digest
from .flash_clip import write_clip
from .machine import describe_machine

LIMIT_S = 300.0
FILM = "film.mp4"
KILLS_A_JOB = 4  # then it is left to come to its end
DRAWN_S, DRAWN_HW = 10, (96, 128)
# Each in turn: what a job carries from segment to segment differs.
LOOKS: tuple[list[str], ...] = (
    ["--focus", "auto"],
    ["--focus", "0.4,0.6", "--depth-range", "auto"],
    ["--focus", "layer:2", "--net-every", "3"],
    ["--focus", "nearest", "--no-steady"],
)


@dataclass(frozen=True, slots=True)
class KillResult:
    """kills: runs that were ended by SIGKILL. jobs: films that came to their end in spite of it."""

    kills: int
    jobs: int
    faults: list[str] = field(default_factory=list[str])


@dataclass(frozen=True, slots=True)
class Job:
    """One film to make: its command line without the target, and what it is when nothing disturbs it.

    name: of the target in a folder; a film, an animation, or numbered pictures in a folder below that one.
    """

    clip: Path
    options: list[str]
    wanted: str  # digest
    seconds: float
    name: str = FILM

    @classmethod
    def undisturbed(cls, clip: Path, options: list[str], folder: Path, name: str = FILM) -> Job:
        """Made once to its end."""
        with TemporaryDirectory(dir=folder) as place:
            target = Path(place) / name
            ending = run_command(_line(clip, options, target), folder / "log.txt", LIMIT_S)
            if ending.code != 0:
                raise SystemExit(f"{clip}: cannot be used ({ending.said.strip()})")
            return cls(clip, options, digest(target), ending.seconds, name)


def kill_and_resume(
    clip: Path, kills: int, seed: int, folder: Path, looks: Sequence[list[str]], name: str = FILM
) -> KillResult:
    """Run in `folder`, until `kills` runs have been killed. looks: options of the films, in turn. name: as of `Job`."""
    jobs = [Job.undisturbed(clip, look, folder, name) for look in looks]
    rng = np.random.default_rng(seed)
    done, films, faults = 0, 0, list[str]()
    with Progress(disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task("kills", total=kills)
        while done < kills:
            job = jobs[films % len(jobs)]
            count, fault = make_disturbed(job, min(KILLS_A_JOB, kills - done), rng, folder)
            done, films = done + count, films + 1
            faults += [f"film {films} ({' '.join(job.options)}): {fault}"] if fault else []
            progress.update(task, completed=done)
    return KillResult(done, films, faults)


def make_disturbed(job: Job, kills: int, rng: np.random.Generator, folder: Path) -> tuple[int, str | None]:
    """Make a film, killing it up to `kills` times. How often it was killed, and what is wrong in the end."""
    place = folder / "job"
    place.mkdir()
    target, done = place / job.name, 0
    line = [*_line(job.clip, job.options, target), "--resume"]
    try:
        while done < kills:
            ending = run_command(line, folder / "log.txt", LIMIT_S, float(rng.uniform(0.0, job.seconds)))
            if ending.code != KILLED:
                return done, _fault(ending, target, place, job.wanted)
            done += 1
            if _result(target, place).exists():  # killed between the last step and its own end
                return done, None if digest(target) == job.wanted else "a broken film stands under the final name"
        return done, _fault(run_command(line, folder / "log.txt", LIMIT_S), target, place, job.wanted)
    finally:
        shutil.rmtree(place)


def _line(clip: Path, options: list[str], target: Path) -> list[str]:
    return ["video", *options, "-o", str(target), str(clip)]


def _result(target: Path, place: Path) -> Path:
    """What appears in `place`: the file, or the folder of numbered pictures."""
    return place / target.relative_to(place).parts[0]


def _fault(ending: Ending, target: Path, place: Path, wanted: str) -> str | None:
    if ending.code != 0:
        return f"ended with code {ending.code}: {ending.said.strip()}"
    if digest(target) != wanted:
        return "the film differs from that of an undisturbed run"
    left = sorted(path.name for path in place.iterdir() if path != _result(target, place))
    return f"left behind: {', '.join(left)}" if left else None


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("clip", nargs="?", type=Path, metavar="CLIP", help="a drawn one without")
    parser.add_argument("--kills", type=count, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--engine", default="plane", help="as in `pullfocus video`; plane = no net")
    parser.add_argument("--name", default=FILM, help="what is made: also film.gif, film.webp or film/%%05d.png")
    parser.add_argument("--json", type=Path, help="write the figures here")
    options = parser.parse_args()
    with TemporaryDirectory() as name:
        folder = Path(name)
        clip = options.clip or drawn(folder)
        result = kill_and_resume(
            clip,
            options.kills,
            options.seed,
            folder,
            [["--engine", options.engine, *look] for look in LOOKS],
            options.name,
        )
    if options.json is not None:
        facts = {"clip": clip.name, "name": options.name, "seed": options.seed, "engine": options.engine}
        facts |= {"result": asdict(result), "environment": describe_machine()}
        write_text(options.json, json.dumps(facts, indent=1) + "\n")
    print(f"{result.kills} kills, {result.jobs} films")
    print("\n".join(f"FAULT {fault}" for fault in result.faults) or "kills: all well")
    return 1 if result.faults else 0


def drawn(folder: Path) -> Path:
    """A small clip of several segments, with sound."""
    write_clip(folder / "clip.mp4", DRAWN_S, DRAWN_HW)
    return folder / "clip.mp4"


if __name__ == "__main__":
    with one_line_errors():
        sys.exit(main())
