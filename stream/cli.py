"""The command line. Commands only read options, call a job and say what it did."""

from __future__ import annotations

import signal
import sys
from importlib.metadata import version as package_version
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from typer.exceptions import TyperException

from ..engines.build import EngineRequest
from ..kernels.errors import PullfocusError
from . import options as o
from .config import DEFAULT_APERTURE, NET_DEAD_ZONE
from .pictures import ENDINGS
from .report import Report

USER_ERROR, INTERRUPTED = 2, 130

app = typer.Typer(
    help="Real-time video refocus: one depth layer stays sharp, the rest melts away as through a fast lens.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


def main() -> None:
    """The console script."""
    sys.exit(run_cli(sys.argv[1:]))


def run_cli(arguments: list[str]) -> int:
    """Run a command line; every expected failure is one line on stderr and exit code 2."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # end as cleanly as at Ctrl-C
    try:
        code = app(arguments, standalone_mode=False)
        if code == INTERRUPTED:
            raise KeyboardInterrupt
        return code if isinstance(code, int) else 0
    except TyperException as error:
        _complain(f"{_usage_message(error).rstrip('.')}. Try --help.")
    except PullfocusError as error:
        _complain(str(error))
    except KeyboardInterrupt:
        print("pullfocus: interrupted; nothing half-finished is left behind", file=sys.stderr)
        return INTERRUPTED
    return USER_ERROR


def _usage_message(error: TyperException) -> str:
    # Usage errors know the option they are about and say so in `format_message` only.
    return str(getattr(error, "format_message", error.__str__)())


def _complain(message: str) -> None:
    print(f"pullfocus: {' '.join(message.split())}", file=sys.stderr)


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"pullfocus {package_version('pullfocus')}")
        raise typer.Exit


@app.callback()
def _common(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="print the version")
    ] = False,
) -> None:
    pass


@app.command()
def video(
    source: Annotated[str, typer.Argument(metavar="IN", help="video file")],
    out: o.Output,
    focus: o.Focus = "auto",
    aperture: o.Aperture = DEFAULT_APERTURE,
    kernel: o.Kernel = "disc",
    dead_zone: o.DeadZone = None,
    layers: o.Layers = 6,
    smooth: o.Smooth = "none",
    net_every: o.NetEvery = 1,
    quality: o.QualityOption = "fast",
    depth_range: o.DepthRange = "fixed",
    device: o.Device = "auto",
    engine: o.EngineOption = "auto",
    model: o.Model = "resnet18",
    depth_in: o.DepthIn = None,
    depth_out: o.DepthOut = None,
    view: o.ViewOption = "refocus",
    json: o.Json = None,
    overwrite: o.Overwrite = False,
) -> None:
    """Refocus a video file; sound, timestamps, rotation and colour tags are kept."""
    from .video_job import refocus_video

    settings = o.settings_from(
        focus=focus, aperture=aperture, kernel=kernel, dead_zone=dead_zone, layers=layers, smooth=smooth,
        net_every=net_every, depth_range=depth_range, view=view,
        default_dead_zone=NET_DEAD_ZONE if depth_in is None else 0.0,
        engine=EngineRequest(engine, device, model, quality),
    )  # fmt: skip
    report = refocus_video(source, out, settings, depth_in=depth_in, depth_out=depth_out, overwrite=overwrite)
    _finish(report, json, f"wrote {out}")


@app.command()
def image(
    source: Annotated[Path, typer.Argument(metavar="IN", help="picture, or folder of pictures")],
    out: o.Output,
    focus: o.Focus = "auto",
    aperture: o.Aperture = DEFAULT_APERTURE,
    kernel: o.Kernel = "disc",
    dead_zone: o.DeadZone = None,
    layers: o.Layers = 6,
    smooth: o.Smooth = "none",
    quality: o.QualityOption = "fast",
    depth_range: o.DepthRange = "fixed",
    device: o.Device = "auto",
    engine: o.EngineOption = "auto",
    model: o.Model = "resnet18",
    depth_in: o.DepthIn = None,
    depth_out: o.DepthOut = None,
    view: o.ViewOption = "refocus",
    json: o.Json = None,
    overwrite: o.Overwrite = False,
) -> None:
    """Refocus a picture, or every picture of a folder."""
    from .image_job import refocus_pictures

    settings = o.settings_from(
        focus=focus, aperture=aperture, kernel=kernel, dead_zone=dead_zone, layers=layers, smooth=smooth,
        depth_range=depth_range, view=view, default_dead_zone=0.0,
        engine=EngineRequest(engine, device, model, quality),
    )  # fmt: skip
    report = refocus_pictures(source, out, settings, depth_in=depth_in, depth_out=depth_out, overwrite=overwrite)
    _finish(report, json, f"wrote {out}")


@app.command()
def depth(
    source: Annotated[str, typer.Argument(metavar="IN", help="video, picture, or folder of pictures")],
    out: o.Output,
    smooth: o.Smooth = "none",
    net_every: o.NetEvery = 1,
    quality: o.QualityOption = "fast",
    depth_range: o.DepthRange = "fixed",
    device: o.Device = "auto",
    engine: o.EngineOption = "auto",
    model: o.Model = "resnet18",
    json: o.Json = None,
    overwrite: o.Overwrite = False,
) -> None:
    """Write inverse depth: 16-bit PNG for pictures, lossless grey16 .mkv for video (65535 = 0.5 m or nearer)."""
    settings = o.settings_from(
        smooth=smooth, net_every=net_every, depth_range=depth_range,
        engine=EngineRequest(engine, device, model, quality),
    )  # fmt: skip
    path = Path(source)
    if path.is_dir() or path.suffix.lower() in ENDINGS:
        from .image_job import depth_of_pictures

        report = depth_of_pictures(path, out, settings, overwrite=overwrite)
    else:
        from .video_job import depth_of_video

        report = depth_of_video(source, out, settings, overwrite=overwrite)
    _finish(report, json, f"wrote {out}")


@app.command()
def live(
    source: o.SourceOption = "0",
    sink: Annotated[str, typer.Option(metavar="window|null|FILE", help="where frames go")] = "window",
    size: o.Size = None,
    fps: o.Fps = None,
    mirror: o.Mirror = False,
    frames: Annotated[int, typer.Option(metavar="N", help="stop after N frames; 0 = go on")] = 0,
    focus: o.Focus = "auto",
    aperture: o.Aperture = DEFAULT_APERTURE,
    kernel: o.Kernel = "disc",
    dead_zone: o.DeadZone = None,
    layers: o.Layers = 6,
    smooth: o.Smooth = "none",
    net_every: o.NetEvery = 1,
    quality: o.QualityOption = "fast",
    depth_range: o.DepthRange = "fixed",
    device: o.Device = "auto",
    engine: o.EngineOption = "auto",
    model: o.Model = "resnet18",
    view: o.ViewOption = "refocus",
    json: o.Json = None,
    overwrite: o.Overwrite = False,
) -> None:
    """Refocus a camera, a stream or a file in real time; click to focus, q to quit."""
    from .live_job import LiveRequest, run_live

    settings = o.settings_from(
        focus=focus, aperture=aperture, kernel=kernel, dead_zone=dead_zone, layers=layers, smooth=smooth,
        net_every=net_every, depth_range=depth_range, view=view,
        engine=EngineRequest(engine, device, model, quality),
    )  # fmt: skip
    request = LiveRequest(source, sink, o.parse_size(size), fps, mirror, frames, overwrite)
    _finish(run_live(request, settings), json, "ended")


@app.command()
def bench(
    source: o.SourceOption = "synthetic",
    size: o.Size = "1280x720",
    frames: Annotated[int, typer.Option(metavar="N", help="how many frames")] = 200,
    focus: o.Focus = "auto",
    aperture: o.Aperture = DEFAULT_APERTURE,
    kernel: o.Kernel = "disc",
    layers: o.Layers = 6,
    smooth: o.Smooth = "none",
    net_every: o.NetEvery = 1,
    quality: o.QualityOption = "fast",
    depth_range: o.DepthRange = "fixed",
    device: o.Device = "auto",
    engine: o.EngineOption = "auto",
    model: o.Model = "resnet18",
    json: o.Json = None,
) -> None:
    """Measure latency per frame: every frame through all stages as fast as it goes, into nothing."""
    from .live_job import LiveRequest, run_bench

    settings = o.settings_from(
        focus=focus, aperture=aperture, kernel=kernel, layers=layers, smooth=smooth, net_every=net_every,
        depth_range=depth_range, engine=EngineRequest(engine, device, model, quality),
    )  # fmt: skip
    report = run_bench(LiveRequest(source, "null", o.parse_size(size), frames=frames), settings)
    Console().print(report.table())
    _finish(report, json, "measured")


@app.command()
def doctor() -> None:
    """Say what is installed, what is not, and why."""
    from .doctor import show

    show(Console())


def _finish(report: Report, json: Path | None, what: str) -> None:
    for note in report.notes:
        print(f"note: {note}")
    print(f"{what}: {report.summary()}")
    if json is not None:
        report.write(json)
