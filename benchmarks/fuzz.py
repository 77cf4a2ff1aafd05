"""Does any damaged input hang the program, crash it, or make it say more than a line?

    .venv/bin/python -m pullfocus.benchmarks.fuzz [CLIP...] --mutants 2000 --json OUT

Makes damaged copies of clips and of depth videos, and hands each to `pullfocus video`. A mutant is either
refocused into a file that can be read, or refused: exit code 2, one line, and no file under the final name.
Without CLIP small clips are drawn. Exit code 1 if anything is wrong.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from rich.progress import track

from ..engines.atomic import write_text
from ..training.tool import one_line_errors
from .arguments import count
from .commands import HUNG, Ending, run_command
from .digests import readable
from .flash_clip import write_clip
from .machine import describe_machine
from .mutants import mutant

LIMIT_S = 20.0
DEPTH_SHARE = 0.3  # of the mutants are depth videos
DRAWN = (("clip.mp4", (96, 128)), ("clip.mkv", (90, 120)))


@dataclass(frozen=True, slots=True)
class Victim:
    """A clip, and its depth video."""

    clip: Path
    depth: Path


@dataclass(frozen=True, slots=True)
class FuzzResult:
    """How often mutants were refocused, and how often refused; and one line for each fault."""

    mutants: int
    refocused: int
    refused: int
    slowest_s: float
    faults: list[str] = field(default_factory=list[str])


def fuzz(clips: Sequence[Path], mutants: int, seed: int, folder: Path, keep: Path | None = None) -> FuzzResult:
    """Run in `folder`. keep: where mutants that showed a fault are copied to."""
    victims = [_victim(clip, folder, number) for number, clip in enumerate(clips or drawn(folder))]
    endings, slowest_s, faults = Counter[str](), 0.0, list[str]()
    for number in track(range(mutants), "mutants", disable=not sys.stderr.isatty()):
        rng = np.random.default_rng((seed, number))
        victim = victims[int(rng.integers(len(victims)))]
        place = folder / "run"
        place.mkdir()
        damaged, arguments = _damaged(victim, place, rng)
        ending = run_command(arguments, folder / "log.txt", LIMIT_S)
        slowest_s = max(slowest_s, ending.seconds)
        endings["refocused" if ending.code == 0 else "refused"] += 1
        fault = find_fault(ending, place / "out.mkv")
        if fault is not None:
            faults.append(f"mutant {number} of {damaged.name}: {fault}")
            if keep is not None:
                shutil.copy(damaged, keep / f"{number}-{damaged.name}")
        shutil.rmtree(place)
    return FuzzResult(mutants, endings["refocused"], endings["refused"], slowest_s, faults)


def drawn(folder: Path) -> list[Path]:
    """Small clips, a second each, with sound."""
    for name, size_hw in DRAWN:
        write_clip(folder / name, 1, size_hw)
    return [folder / name for name, _ in DRAWN]


def _victim(clip: Path, folder: Path, number: int) -> Victim:
    depth = folder / f"depth{number}.mkv"
    arguments = ["depth", "--engine", "plane", "-o", str(depth), "--", str(clip)]
    ending = run_command(arguments, folder / "log.txt", 60.0)
    if ending.code != 0:
        raise SystemExit(f"{clip}: cannot be used ({ending.said.strip()})")
    return Victim(clip, depth)


def _damaged(victim: Victim, place: Path, rng: np.random.Generator) -> tuple[Path, list[str]]:
    """The damaged file, and the command line that reads it."""
    arguments = ["video", "--engine", "plane", "-o", str(place / "out.mkv")]
    if rng.random() < DEPTH_SHARE:
        damaged = place / "depth.mkv"
        damaged.write_bytes(mutant(victim.depth.read_bytes(), rng))
        return damaged, [*arguments, "--depth-in", str(damaged), "--", str(victim.clip)]
    damaged = place / f"mutant{victim.clip.suffix}"
    damaged.write_bytes(mutant(victim.clip.read_bytes(), rng))
    return damaged, [*arguments, "--", str(damaged)]


def find_fault(ending: Ending, target: Path) -> str | None:
    """What is wrong with how a run ended, in a line; None when nothing is."""
    said = ending.said.strip()
    last = said.rpartition("\n")[2]
    if ending.code == HUNG:
        return f"still running after {LIMIT_S:g} s"
    if ending.code < 0:
        return f"ended by signal {-ending.code}; {last}"
    if "Traceback" in said:
        return f"a traceback: {last}"
    if ending.code == 0:
        return None if readable(target) else "exit code 0, but the output cannot be read"
    if ending.code != 2:
        return f"exit code {ending.code}; {last}"
    if len(_complaints(said)) != 1:
        return f"exit code 2 with {len(_complaints(said))} lines of complaint: {said!r}"
    return "exit code 2, but there is a file under the final name" if target.exists() else None


def _complaints(said: str) -> list[str]:
    return [line for line in said.splitlines() if line.startswith("pullfocus: ")]


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("clips", nargs="*", type=Path, metavar="CLIP")
    parser.add_argument("--mutants", type=count, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, help="folder for the mutants that show a fault")
    parser.add_argument("--json", type=Path, help="write the figures here")
    options = parser.parse_args()
    with TemporaryDirectory() as folder:
        result = fuzz(options.clips, options.mutants, options.seed, Path(folder), options.keep)
    if options.json is not None:
        facts = {"clips": [clip.name for clip in options.clips] or [name for name, _ in DRAWN], "seed": options.seed}
        facts |= {"result": asdict(result), "environment": describe_machine()}
        write_text(options.json, json.dumps(facts, indent=1) + "\n")
    print(f"{result.mutants} mutants: {result.refocused} refocused, {result.refused} refused in a line, "
          f"slowest {result.slowest_s:.1f} s")  # fmt: skip
    print("\n".join(f"FAULT {fault}" for fault in result.faults) or "fuzz: all well")
    return 1 if result.faults else 0


if __name__ == "__main__":
    with one_line_errors():
        sys.exit(main())
