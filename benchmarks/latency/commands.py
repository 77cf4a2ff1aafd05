"""`pullfocus bench`: the command line finds `app` as an entry point, for `stream` may not import it.

Nothing heavy is imported here.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, TypeAlias

import typer
from typer.core import TyperGroup

from ...engines.atomic import check_distinct, check_target
from ...engines.checkpoint import MODELS
from ...engines.finding import require
from ...stream import options as o
from ..quality.commands import quality
from .request import WARM_UP, Lists, RowRequest

REGRESSION = 1  # exit code
PLAIN = "run"  # what `pullfocus bench` without a command does

Sizes: TypeAlias = Annotated[
    list[str] | None, typer.Option("--size", metavar="WxH", help="picture size, such as 1280x720; repeatable")
]
Engines: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--engine", metavar="auto|tensorrt|tensorrt-rtx|torch|openvino|plane", help="what runs the net; repeatable"
    ),
]
Models: TypeAlias = Annotated[
    list[str] | None, typer.Option("--model", metavar=MODELS, help="shipped net, or a weight file; repeatable")
]
Qualities: TypeAlias = Annotated[
    list[str] | None, typer.Option("--quality", metavar="fast|fine", help="of net and blur; repeatable")
]
LayerCounts: TypeAlias = Annotated[
    list[int] | None, typer.Option("--layers", metavar="K", help="number of depth layers, 2–16; repeatable")
]
Apertures: TypeAlias = Annotated[
    list[float] | None,
    typer.Option("--aperture", help="blur-circle radius, % of picture height; repeatable", show_default="7"),
]
Tolerance: TypeAlias = Annotated[
    float,
    typer.Option(
        min=0.0, max=10.0, help="share by which two runs of the same program differ anyway; no difference below it"
    ),
]


class BenchGroup(TyperGroup):
    """`pullfocus bench` alone, or with options only, is `pullfocus bench run`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        return super().parse_args(ctx, [PLAIN, *args] if not args or args[0].startswith("-") else args)


app = typer.Typer(
    cls=BenchGroup,
    help="Measure latency per frame (run, the default); compare two results (compare); measure quality (quality).",
)
app.command()(quality)


@app.command()
def run(
    source: o.SourceOption = "synthetic",
    size: Sizes = None,
    frames: Annotated[int, typer.Option(metavar="N", min=1, help="how many frames are measured")] = 200,
    warm_up: Annotated[
        int, typer.Option("--warm-up", metavar="N", min=0, help="frames before them, left out of all figures")
    ] = WARM_UP,
    repeat: Annotated[
        int, typer.Option(metavar="N", min=1, help="measure every row N times, in turns: to compare, 5 or more")
    ] = 1,
    focus: o.Focus = None,
    focus_script: o.FocusScriptFile = None,
    face_model: o.FaceModel = None,
    aperture: Apertures = None,
    kernel: o.Kernel = "disc",
    layers: LayerCounts = None,
    smooth: o.Smooth = "none",
    net_every: o.NetEvery = 1,
    steady: o.Steady = True,
    quality: Qualities = None,
    depth_range: o.DepthRange = "fixed",
    device: o.Device = "auto",
    engine: Engines = None,
    model: Models = None,
    json: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="write figures and every frame's series here")
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="write plots (PNG) and a page that holds everything (index.html) here"),
    ] = None,
    gate: Annotated[
        Path | None,
        typer.Option(metavar="BASELINE", help="compare with this result of --json; exit code 1 where it is slower now"),
    ] = None,
    tolerance: Tolerance = 0.05,
    overwrite: o.Overwrite = False,
) -> None:
    """Measure latency per frame: every frame through all stages as fast as it goes, into nothing.

    Options that may be repeated give a row for each combination. `pullfocus bench compare A.json B.json` compares two
    results.
    """
    alike = RowRequest(
        source=source, frames=frames, warm_up=warm_up, device=device, kernel=kernel, smooth=smooth,
        net_every=net_every, steady=steady, depth_range=depth_range,
        focus=focus, focus_script=_text(focus_script), face_model=_text(face_model),
    )  # fmt: skip
    lists = Lists(size or (), engine or (), model or (), quality or (), layers or (), aperture or ())
    requests = lists.rows(alike)
    _check_targets(json, report, gate, overwrite)
    from .job import BenchJob
    from .table import wide_console

    job = BenchJob(requests, repeat, json, report, gate, tolerance, overwrite)
    if job.run(wide_console()):
        raise typer.Exit(REGRESSION)


@app.command()
def compare(
    before: Annotated[Path, typer.Argument(metavar="A.json", help="what `bench --json` wrote before")],
    after: Annotated[Path, typer.Argument(metavar="B.json", help="what it wrote afterwards")],
    gate: Annotated[bool, typer.Option("--gate", help="exit code 1 where B is slower beyond noise")] = False,
    tolerance: Tolerance = 0.05,
) -> None:
    """Say of every row whether B is faster or slower than A beyond noise (bootstrap, 95 % intervals)."""
    from .job import tell_comparison
    from .result import Result
    from .table import wide_console

    if tell_comparison(Result.read(before), Result.read(after), tolerance, wide_console(), gate) and gate:
        raise typer.Exit(REGRESSION)


def _check_targets(json: Path | None, report: Path | None, gate: Path | None, overwrite: bool) -> None:
    """Raises InputError, MissingExtraError: before hours are spent on a run that leaves nothing."""
    check_distinct((json, report, gate))
    if json is not None:
        check_target(json, overwrite)
    if report is not None:
        require("matplotlib", "bench", "pullfocus bench --report")
        from .report import check_folder

        check_folder(report, overwrite)


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)
