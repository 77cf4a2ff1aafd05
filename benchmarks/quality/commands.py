"""`pullfocus bench quality`: nothing heavy is imported here."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeAlias, cast

import typer

from ...engines.atomic import check_distinct, check_target
from ...engines.checkpoint import MODELS
from ...stream import options as o

WORSE = 1  # exit code

Suites: TypeAlias = Annotated[
    list[str] | None,
    typer.Option("--suite", metavar="lens|edges|temporal|depth", help="only this one; repeatable"),
]
Data: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        metavar="FOLDER", help="holds test_edges.csv, test_kitchen.csv and test_nyu654.csv with their pictures"
    ),
]


def quality(
    suite: Suites = None,
    small: Annotated[
        bool, typer.Option("--small", help="fewer and smaller scenes, for a check in under a minute")
    ] = False,
    seed: Annotated[int, typer.Option(metavar="N", min=0, help="of the drawn scenes")] = 101,
    model: Annotated[str, typer.Option(metavar=MODELS, help="shipped net, or a weight file")] = "resnet18",
    precision: Annotated[
        str, typer.Option(metavar="f32|int8", help="of the net; the same on every processor only in f32")
    ] = "f32",
    data: Data = None,
    json: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="write the figures here")] = None,
    gate: Annotated[
        Path | None,
        typer.Option(
            metavar="BASELINE", help="compare with this result of --json; exit code 1 where a figure is worse"
        ),
    ] = None,
    overwrite: o.Overwrite = False,
) -> None:
    """Measure quality: refocus against a thin lens, depth edges, steadiness, and what the net knows of depth."""
    check_distinct((json, gate))
    if json is not None:
        check_target(json, overwrite)
    from ..latency.table import wide_console
    from .job import QualityJob
    from .request import NetPrecision, Request, Settings, Suite

    settings = Settings(small, seed, model, cast(NetPrecision, precision))
    request = Request(settings, tuple(cast(Suite, name) for name in suite or ()), data)
    if QualityJob(request, json, gate).run(wide_console()):
        raise typer.Exit(WORSE)
