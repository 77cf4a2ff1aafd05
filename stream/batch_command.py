"""`pullfocus batch`: its options, and how it ends."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from ..engines.atomic import make_folder
from ..engines.interrupts import StoppedError
from ..kernels.errors import InputError
from . import options as o
from .bare_option import filled_in
from .config import Settings
from .option_groups import FilmOptions, spread
from .progress import progress
from .reporting import ReportFile

if TYPE_CHECKING:
    from .batch import Outcome
    from .batch_plan import Task

SOME_FAILED = 1  # exit code
ADDRESS = re.compile(r"auto|local|[\w.\-\[\]:]+:\d+")
ANY_CLUSTER = "any"  # of a bare --ray


class BatchCommand(TyperCommand):
    """Lets `--ray` stand alone; what follows it is its value only if it is an address."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        return super().parse_args(ctx, filled_in(args, "--ray", ADDRESS, ANY_CLUSTER))


@spread
def batch(
    inputs: Annotated[list[str], typer.Argument(metavar="IN...", help="video files, folders, quoted globs")],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FOLDER", help="where the results go")],
    film: FilmOptions,
    recursive: Annotated[bool, typer.Option("--recursive", "-r", help="look into folders of folders, too")] = False,
    ray: Annotated[
        str | None,
        typer.Option(
            "--ray",
            metavar="[ADDRESS]",
            help="spread the work over a Ray cluster: host:port, auto (the one of this machine) or local; without an "
            "address that of RAY_ADDRESS, else local",
            show_default=False,
        ),
    ] = None,
    json: o.Json = None,
    overwrite: o.Overwrite = False,
) -> None:
    """Refocus many videos: results that exist are skipped, an error stops only its own film, a summary ends it."""
    from . import batch as work
    from .batch_plan import plan

    settings = film.settings()
    if ray is not None and settings.depth_range == "shot":
        raise InputError("--depth-range shot looks through a film first, which --ray does not: use fixed or auto")
    tasks = plan(inputs, out, recursive)
    ReportFile(json, True, tuple(path for task in tasks for path in (task.source, task.target))).check()
    work.check_once(tasks, settings)
    make_folder(out)
    state = work.Batch(len(tasks))
    try:
        if ray is None:
            work.run_here(tasks, settings, overwrite, state.add)
        else:
            _run_on_ray(tasks, settings, overwrite, state.add, None if ray == ANY_CLUSTER else ray)
    except KeyboardInterrupt as stop:
        state.finish(json)
        raise StoppedError("interrupted; what is done is kept, and the same command goes on") from stop
    state.finish(json)
    if state.count("failed"):
        raise typer.Exit(SOME_FAILED)


def _run_on_ray(
    tasks: list[Task], settings: Settings, overwrite: bool, add: Callable[[Outcome], None], address: str | None
) -> None:
    from .film_steps import Lengths
    from .ray_workers import ray_workers
    from .spread import Spread, everywhere

    with (
        ray_workers(address, cuda=settings.engine.device == "cuda") as workers,
        progress(f"pieces of {len(tasks)} films", None, "a second") as on_piece,
    ):
        Spread(workers, add, on_piece).run(tasks, everywhere(settings, workers.cpus), overwrite, Lengths())
