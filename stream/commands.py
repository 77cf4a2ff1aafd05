"""The commands: each reads its options, calls one job and says what it did."""

from __future__ import annotations

from json import dumps
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from ..engines.build import EngineRequest
from ..kernels.errors import InputError
from . import live_options
from . import options as o
from .config import DEFAULT_APERTURE, DEFAULT_BLADES, NET_DEAD_ZONE, Settings
from .option_groups import DepthOptions, FilmOptions, ReadingOptions, spread
from .pictures import ENDINGS
from .report import Report
from .reporting import ReportFile, run_and_tell
from .sink_names import what_was_done
from .span import Reading, parse_time
from .web.address import Address


@spread
def video(
    source: Annotated[
        str,
        typer.Argument(
            metavar="IN", help="video file, animation, or pictures: frames/%05d.png, 'frames/*.png', a folder"
        ),
    ],
    out: o.Output,
    film: FilmOptions,
    reading: ReadingOptions,
    depth_in: o.DepthIn = None,
    depth_out: o.DepthOut = None,
    preview: o.Preview = None,
    json: o.Json = None,
    resume: o.Resume = False,
    overwrite: o.Overwrite = False,
) -> None:
    """Refocus a film; sound, subtitles, times, rotation, colours, bit depth, alpha, chapters and metadata are kept."""
    from .depth_file import is_of_a_net
    from .films import film_target
    from .preview import preview_frame
    from .video_job import refocus_video

    settings = film.settings(NET_DEAD_ZONE if depth_in is None or is_of_a_net(depth_in) else 0.0)
    o.check_untouched(settings, depth_in)
    part, preview_s = reading.reading(), parse_time("--preview", preview)
    if preview_s is not None:
        _check_preview(part, depth_out, resume, settings.encoding.given)
    target = out if preview_s is not None else film_target(source, out)

    def work() -> Report:
        if preview_s is not None:
            return preview_frame(
                source, target, settings, preview_s, depth_in=depth_in, reading=part, overwrite=overwrite
            )  # fmt: skip
        return refocus_video(
            source, target, settings,
            depth_in=depth_in, depth_out=depth_out, reading=part, overwrite=overwrite, resume=resume,
        )  # fmt: skip

    run_and_tell(
        work,
        f"wrote {target}", ReportFile(json, overwrite or resume, (Path(source), target, depth_in, depth_out)),
    )  # fmt: skip


def _check_preview(part: Reading, depth_out: Path | None, resume: bool, encoding: list[str]) -> None:
    """Raises InputError for what a preview has no use for."""
    unused = {"--start and --end": part.span is not None, "--depth-out": depth_out is not None, "--resume": resume}
    given = [*(option for option, is_given in unused.items() if is_given), *encoding]
    if given:
        raise InputError(f"--preview shows one frame of the film, as a PNG; {', '.join(given)}: leave it out")


def image(
    source: Annotated[Path, typer.Argument(metavar="IN", help="picture, or folder of pictures")],
    out: o.Output,
    focus: o.Focus = None,
    face_model: o.FaceModel = None,
    aperture: o.Aperture = DEFAULT_APERTURE,
    kernel: o.Kernel = "disc",
    blades: o.Blades = DEFAULT_BLADES,
    rotation: o.Rotation = 0.0,
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
        focus=focus, face_model=face_model, aperture=aperture, kernel=kernel,
        blades=blades, rotation=rotation, dead_zone=dead_zone, layers=layers, smooth=smooth,
        depth_range=depth_range, view=view, default_dead_zone=0.0,
        engine=EngineRequest(engine, device, model, quality),
    )  # fmt: skip
    o.check_untouched(settings, depth_in)
    run_and_tell(
        lambda: refocus_pictures(source, out, settings, depth_in=depth_in, depth_out=depth_out, overwrite=overwrite),
        f"wrote {out}", ReportFile(json, overwrite, (Path(source), out, depth_in, depth_out)),
    )  # fmt: skip


@spread
def depth(
    source: Annotated[str, typer.Argument(metavar="IN", help="video, picture, or folder of pictures")],
    out: o.Output,
    options: DepthOptions,
    reading: ReadingOptions,
    json: o.Json = None,
    resume: o.Resume = False,
    overwrite: o.Overwrite = False,
) -> None:
    """Write inverse depth: 16-bit PNG for pictures, lossless grey16 .mkv for video (65535 = 0.5 m or nearer)."""
    settings = options.settings()
    run_and_tell(
        lambda: _write_depth(source, out, settings, reading.reading(), overwrite, resume),
        f"wrote {out}", ReportFile(json, overwrite or resume, (Path(source), out)),
    )  # fmt: skip


def _write_depth(source: str, out: Path, settings: Settings, reading: Reading, overwrite: bool, resume: bool) -> Report:
    from .stills import is_sequence

    path = Path(source)
    if path.is_dir() or (path.suffix.lower() in ENDINGS and not is_sequence(source)):
        from .image_job import depth_of_pictures

        if resume:
            raise InputError(f"--resume goes on with a video; {source} is none: leave it out")
        if reading != Reading():
            raise InputError(f"{path}: --start, --end, --rate and --strict are for films, not for pictures")
        return depth_of_pictures(path, out, settings, overwrite=overwrite)
    from .video_job import depth_of_video

    return depth_of_video(source, out, settings, reading=reading, overwrite=overwrite, resume=resume)


@spread
def live(
    film: FilmOptions,
    source: o.SourceOption = "0",
    sinks: live_options.Sinks = None,
    web: live_options.Web = None,
    size: o.Size = None,
    fps: live_options.Fps = None,
    mirror: live_options.Mirror = False,
    frames: Annotated[int, typer.Option(metavar="N", help="stop after N frames; 0 = go on")] = 0,
    takes: live_options.Takes = None,
    settings_file: live_options.SettingsFile = None,
    fresh: live_options.Fresh = False,
    adaptive: live_options.Adaptive = False,
    json: o.Json = None,
    overwrite: o.Overwrite = False,
) -> None:
    """Refocus a camera, a stream or a file in real time; in the window, click to focus and press h for the keys."""
    from .live_job import run_live
    from .live_request import LiveRequest

    del settings_file  # `LiveCommand` has read it
    settings = film.settings(live=True)
    address = None if web is None else Address.parse(web)
    names = tuple(sinks or (() if address is not None else ("window",)))
    request = LiveRequest(
        source, names, o.parse_size(size), fps, mirror, frames, overwrite, takes, fresh, adaptive, address
    )
    file = ReportFile(json, overwrite, (Path(source), *map(Path, names)))
    run_and_tell(lambda: run_live(request, settings), lambda report: what_was_done(names, report.sinks), file)


def cameras(
    json: Annotated[bool, typer.Option("--json", help="as JSON, for other programs")] = False,
) -> None:
    """List cameras: number, path, name, and the sizes, pixel formats and rates that they can be set to."""
    from .camera_search import find_cameras
    from .cameras import camera_table

    found = find_cameras()
    if json:
        print(dumps([camera.facts() for camera in found], indent=1))
    elif found:
        Console().print(camera_table(found))
    else:
        print("no camera was found; --source also takes a file, a URL, screen, - and synthetic")


def doctor() -> None:
    """Say what is installed, what is not, and why."""
    from .doctor import show

    show(Console())
