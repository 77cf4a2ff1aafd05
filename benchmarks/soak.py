"""Does a long run stay in step, keep every timestamp, and use no more memory at the end than at the start?

    .venv/bin/python -m pullfocus.benchmarks.soak --minutes 10 --json OUT

Writes a clip of that length with a flash and a beep once a second, runs `pullfocus video` on it in its
own process, watches that process's memory and compares the output with the input. Exit code 1 if
anything is wrong.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic

import numpy as np
import psutil

from ..engines.atomic import write_text
from ..training.tool import one_line_errors
from .flash_clip import RATE, Signals, read_signals, write_clip
from .machine import describe_machine
from .program import PULLFOCUS


@dataclass(frozen=True, slots=True)
class SoakRequest:
    """What to run. memory_tolerance: how far the peak may lie above the median, as a share of it."""

    seconds: int
    size_hw: tuple[int, int] = (240, 320)
    engine: str = "auto"
    sample_every_s: float = 1.0
    warm_up_share: float = 0.2
    memory_tolerance: float = 0.05


@dataclass(frozen=True, slots=True)
class Memory:
    """Resident memory of `pullfocus video`, in MiB, of the samples after the warm-up.

    slope_mb_per_min: of the straight line through them (least squares).
    """

    samples: int
    median_mb: float
    highest_mb: float
    slope_mb_per_min: float

    @property
    def excess(self) -> float:
        """How far the highest sample lies above the median, as a share of the median."""
        return self.highest_mb / self.median_mb - 1.0 if self.samples else float("inf")


@dataclass(frozen=True, slots=True)
class SoakResult:
    """Figures, and one line for everything that is wrong."""

    clip_s: float
    elapsed_s: float
    frames_in: int
    frames_out: int
    flashes: int
    beeps: int
    worst_step_in_s: float
    worst_step_out_s: float
    memory: Memory
    faults: list[str] = field(default_factory=list[str])


def soak(request: SoakRequest, folder: Path) -> SoakResult:
    """Run in `folder` (left full of clips). Raises CalledProcessError when `pullfocus video` fails."""
    source, target = folder / "in.mp4", folder / "out.mp4"
    write_clip(source, request.seconds, request.size_hw)
    command = [*PULLFOCUS, "video", str(source), "-o", str(target), "--engine", request.engine]
    samples, elapsed_s = watch(command, request.sample_every_s)
    memory = summarise(samples, elapsed_s * request.warm_up_share)
    before, after = read_signals(source), read_signals(target)
    memory_faults = _memory_faults(memory, request.memory_tolerance, elapsed_s / 60.0)
    return SoakResult(
        clip_s=float(before.video_s),
        elapsed_s=elapsed_s,
        frames_in=len(before.frames_s),
        frames_out=len(after.frames_s),
        flashes=len(after.flashes_s),
        beeps=len(after.beeps_s),
        worst_step_in_s=before.worst_step_s(),
        worst_step_out_s=after.worst_step_s(),
        memory=memory,
        faults=[*find_faults(before, after, request.seconds), *memory_faults],
    )


def watch(command: Sequence[str], every_s: float) -> tuple[list[tuple[float, float]], float]:
    """Run a command; (seconds since start, MiB resident with children) at regular times, and seconds in all."""
    samples: list[tuple[float, float]] = []
    started_s = monotonic()
    with psutil.Popen(command, stdout=subprocess.DEVNULL) as process:
        while process.poll() is None:
            try:
                family = [process, *process.children(recursive=True)]
                resident = sum(member.memory_info().rss for member in family)
            except psutil.Error:
                break  # it has just ended
            samples.append((monotonic() - started_s, resident / 2**20))
            try:
                process.wait(every_s)
            except psutil.TimeoutExpired:
                continue
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return samples, monotonic() - started_s


def summarise(samples: Sequence[tuple[float, float]], after_s: float) -> Memory:
    """The samples taken later than `after_s`."""
    kept = np.array([sample for sample in samples if sample[0] > after_s]).reshape(-1, 2)
    if len(kept) < 2:
        return Memory(0, 0.0, 0.0, 0.0)
    slope = float(np.polyfit(kept[:, 0] / 60.0, kept[:, 1], 1)[0])
    return Memory(len(kept), float(np.median(kept[:, 1])), float(kept[:, 1].max()), slope)


def find_faults(before: Signals, after: Signals, seconds: int) -> list[str]:
    """What differs between input and output, a line each."""
    frame_s = 1.0 / RATE
    first = next((i for i, (a, b) in enumerate(zip(before.frames_s, after.frames_s)) if a != b), None)
    checks = {
        f"frames: {len(before.frames_s)} in, {len(after.frames_s)} out": len(before.frames_s) != len(after.frames_s),
        f"timestamps differ from frame {first} on": first is not None,
        f"video lasts {before.video_s} s in, {after.video_s} s out": before.video_s != after.video_s,
        f"sound lasts {before.sound_s} s in, {after.sound_s} s out": before.sound_s != after.sound_s,
        f"{seconds} flashes drawn, {len(after.flashes_s)} found": len(after.flashes_s) != seconds,
        f"{seconds} beeps sounded, {len(after.beeps_s)} found": len(after.beeps_s) != seconds,
        f"a flash and its beep are {after.worst_step_s():.4f} s apart, more than a frame of {frame_s:.4f} s": (
            after.worst_step_s() > frame_s
        ),
    }
    return [text for text, is_fault in checks.items() if is_fault]


def _memory_faults(memory: Memory, tolerance: float, minutes: float) -> list[str]:
    faults: list[str] = []
    if memory.excess > tolerance:
        faults.append(
            f"memory: highest {memory.highest_mb:.1f} MiB, median {memory.median_mb:.1f} MiB after the warm-up "
            f"({memory.samples} samples): {memory.excess:.1%} above, more than {tolerance:.0%}"
        )
    if memory.slope_mb_per_min * minutes > tolerance * memory.median_mb:
        faults.append(
            f"memory: grows by {memory.slope_mb_per_min:.2f} MiB a minute, over {minutes:.0f} minutes more than "
            f"{tolerance:.0%} of its median of {memory.median_mb:.1f} MiB"
        )
    return faults


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=10.0, help="length of the clip")
    parser.add_argument("--engine", default="auto", help="as in `pullfocus video`; plane = no net")
    parser.add_argument("--json", type=Path, help="write the figures here")
    options = parser.parse_args()
    request = SoakRequest(seconds=max(2, round(options.minutes * 60)), engine=options.engine)
    try:
        with TemporaryDirectory() as folder:
            result = soak(request, Path(folder))
    except subprocess.CalledProcessError as error:
        print(f"FAULT pullfocus video ended with code {error.returncode}")
        return 1
    if options.json is not None:
        _write(options.json, request, result)
    memory, step_ms = result.memory, result.worst_step_out_s * 1e3
    print(f"{result.frames_out} frames in {result.elapsed_s:.0f} s; flash and beep at most {step_ms:.1f} ms apart")
    print(f"memory: median {memory.median_mb:.0f} MiB, highest {memory.highest_mb:.0f} MiB ({memory.excess:+.1%})")
    print("\n".join(f"FAULT {fault}" for fault in result.faults) or "soak: all well")
    return 1 if result.faults else 0


def _write(path: Path, request: SoakRequest, result: SoakResult) -> None:
    facts = {
        "request": asdict(request),
        "result": asdict(result),
        "memory_excess": result.memory.excess,
        "environment": describe_machine(),
    }
    write_text(path, json.dumps(facts, indent=1) + "\n")


if __name__ == "__main__":
    with one_line_errors():
        sys.exit(main())
