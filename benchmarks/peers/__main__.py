"""How do other ways to blur a video by depth compare with ours, on the same frames, in cost and in quality?

    .venv/bin/python -m pullfocus.benchmarks.peers [CLIP...] --tcmonodepth FILE --json OUT --pictures FOLDER

Each peer runs in a process of its own. docs/benchmark_peers.md says what each one is and what the figures mean.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console

from ...engines.atomic import check_target, make_folder, write_text
from ...kernels.errors import InputError
from ...training.tool import one_line_errors
from ..arguments import between, count
from ..machine import describe_machine
from ..result_file import read_object
from ..scenes import REPORTING
from .table import HEADS, as_markdown, for_terminal, missing, rows
from .work import Plan, described, make_work
from .worker import PEERS, Job, run_apart


def compare(plan: Plan, job: Job, peers: list[str]) -> dict[str, Any]:
    """Peer → figures or what is missing, and what they were measured on. job: of every peer, but for its folder."""
    with tempfile.TemporaryDirectory(prefix="pullfocus_peers_") as folder:
        clips = make_work(plan, Path(folder))
        found: dict[str, Any] = {}
        for name in peers:
            load = os.getloadavg()[0]
            found[name] = run_apart(replace(job, peer=name, work=folder)) | {"load_1_min": round(load, 1)}
            print(f"{name}: {found[name].get('missing', 'measured')}", flush=True)
    asked = {
        "scenes_of_each_family": plan.seeds,
        "samples_of_the_lens": plan.samples,
        "still_frames": plan.still_frames,
    }
    return {"clips": described(clips), **asked, "peers": found, "environment": describe_machine()}


def main() -> None:
    """Print the table, and write it as JSON."""
    options = _options()
    if options.markdown is not None:
        print(_markdown(options.markdown))
        return
    _check(options)
    pictures = str(options.pictures) if options.pictures else ""
    plan = Plan(tuple(options.clips), options.frames, options.size, options.scenes, options.samples)
    net = str(options.tcmonodepth or "")
    job = Job("", "", pictures, options.seconds, str(options.cache), net, not options.no_download)
    result = compare(plan, job, options.peer or list(PEERS))
    Console(width=180).print(for_terminal(HEADS, rows(result)))
    print(*missing(result), sep="\n")
    if options.json is not None:
        write_text(options.json, json.dumps(result, indent=1) + "\n")


def _markdown(path: Path) -> str:
    """Raises InputError for what `--json` did not write."""
    expected = "expected a file that --json of this program wrote"
    facts = read_object(path, expected)
    try:
        return as_markdown(facts)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, StopIteration) as error:
        raise InputError(f"{path}: {error!r} where a peer's figures should be; {expected}") from error


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="peers", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "clips", type=Path, nargs="*", metavar="CLIP", help="videos to measure on, after a panned photo"
    )
    names = "; ".join(PEERS)
    parser.add_argument("--peer", action="append", metavar="NAME", help=f"only this one; repeatable: {names}")
    parser.add_argument("--frames", type=count, default=40, help="of each clip")
    parser.add_argument("--size", type=_size, default=(720, 1280), help="of the panned photo, as 1280x720")
    seconds = between("seconds", 0.1, 3600.0)
    parser.add_argument("--seconds", type=seconds, default=20.0, help="after which a slow peer is begun no more frames")
    drawn = "drawn scenes of each family; with 0 the one for the leak is smaller, too"
    counts = range(len(REPORTING) + 1)
    parser.add_argument("--scenes", type=int, choices=counts, default=len(REPORTING), help=drawn)
    parser.add_argument("--samples", type=count, default=400, help="points of the aperture in the true pictures")
    parser.add_argument("--tcmonodepth", type=Path, help="the plug-in's net (tcmonodepth_tcsmallnet_192x320.onnx)")
    parser.add_argument("--cache", type=Path, default=Path(".cache/peers"), help="for environments of peers' own")
    parser.add_argument("--no-download", action="store_true", help="a peer that needs a package is named as missing")
    parser.add_argument("--pictures", type=Path, help="folder for one picture of each peer and clip")
    parser.add_argument("--json", type=Path, help="write the figures here")
    parser.add_argument("--markdown", type=Path, metavar="JSON", help="measure nothing; print the tables of this file")
    return parser.parse_args()


def _check(options: argparse.Namespace) -> None:
    """What would be found out only after minutes. Raises InputError and OutputError."""
    unknown = [name for name in options.peer or () if name not in PEERS]
    if unknown:
        raise InputError(f"--peer: got {unknown[0]!r}; expected one of {'; '.join(PEERS)}")
    if options.tcmonodepth is not None and not options.tcmonodepth.is_file():
        raise InputError(f"--tcmonodepth {options.tcmonodepth}: no such file; expected the plug-in's net as ONNX")
    if options.json is not None:
        check_target(options.json, overwrite=True)
    if options.pictures is not None:
        make_folder(options.pictures)


def _size(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"(\d+)x(\d+)", text)
    if found is None or min(int(found[1]), int(found[2])) < 64:
        raise argparse.ArgumentTypeError(f"got {text!r}, expected WIDTHxHEIGHT of 64 or more, as 1280x720")
    return int(found[2]), int(found[1])


if __name__ == "__main__":
    with one_line_errors():
        main()
