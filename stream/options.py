"""The options that several commands share, and how they become `Settings`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from ..engines.build import DeviceChoice, EngineChoice, EngineRequest
from ..engines.checkpoint import MODELS
from ..kernels.api import KernelShape, Quality
from ..kernels.errors import InputError
from .codecs import CodecName
from .config import DEFAULT_APERTURE, DEFAULT_BLADES, NET_DEAD_ZONE, Settings, Smoothing, View
from .depth_range import RangeMode
from .encoding_wish import wish_from
from .focus_script import read_focus_script
from .span import DecodeChoice
from .targets import parse_focus

Focus: TypeAlias = Annotated[
    str | None,
    typer.Option(
        metavar="auto|nearest|layer:N|FLOAT|X,Y",
        help="what is sharp: the subject, the nearest layer, layer N (1 = nearest), an inverse depth 0–1 "
        "(0 = infinity, 1 = 0.5 m), or what is at a point in relative picture coordinates, followed when it moves",
        show_default="auto",
    ),
]
FocusScriptFile: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--focus-script", metavar="FILE", help="what is sharp when, and how long each pull takes: TOML or JSON"
    ),
]
FaceModel: TypeAlias = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="YuNet model (.onnx): --focus auto then takes the largest face"),
]
Aperture: TypeAlias = Annotated[
    float, typer.Option(help="blur-circle radius, % of picture height at an inverse-depth difference of 1")
]
Kernel: TypeAlias = Annotated[
    KernelShape,
    typer.Option(help="shape of the blur: a lens's disc, a Gaussian, or the polygon of a stopped-down lens"),
]
Blades: TypeAlias = Annotated[int, typer.Option(metavar="N", help="corners of --kernel polygon, 3–12")]
Rotation: TypeAlias = Annotated[float, typer.Option(metavar="DEGREES", help="turns --kernel polygon")]
DeadZone: TypeAlias = Annotated[
    float | None,
    typer.Option(
        help="inverse-depth difference that stays sharp",
        show_default=f"{NET_DEAD_ZONE}; 0 for image and with --depth-in, unless --depth-out wrote it",
    ),
]
Layers: TypeAlias = Annotated[int, typer.Option(metavar="K", help="number of depth layers, 2–16")]
Smooth: TypeAlias = Annotated[
    Smoothing, typer.Option(help="smooth depth: median 5 px, Gaussian 5 px at the net's size")
]
NetEvery: TypeAlias = Annotated[
    int,
    typer.Option(
        metavar="N", help="run the net on every N-th frame and at cuts; between, depth moves along with the picture"
    ),
]
Steady: TypeAlias = Annotated[
    bool, typer.Option("--steady/--no-steady", help="hold the net's depth steady in time where the picture is")
]
QualityOption: TypeAlias = Annotated[
    Quality, typer.Option("--quality", help="fast: net at 192 px short side; fine: 256 px and a finer blur grid")
]
DepthRange: TypeAlias = Annotated[
    RangeMode,
    typer.Option(
        help="fixed: 0 = infinity, 1 = 0.5 m; auto: the clip's steady 2nd–98th percentile becomes 0–1; "
        "shot: that of each whole shot, found in a first pass (films only)"
    ),
]
Device: TypeAlias = Annotated[DeviceChoice, typer.Option(help="where the net runs")]
EngineOption: TypeAlias = Annotated[
    EngineChoice,
    typer.Option(
        "--engine", help="what runs the net; auto takes the fastest that works here and says why not a better one"
    ),
]
Model: TypeAlias = Annotated[str, typer.Option(metavar=MODELS, help="shipped net, or a weight file")]
DepthIn: TypeAlias = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="use this depth, untouched: 16-bit PNG (65535 = 1.0), or what `depth` wrote"),
]
DepthOut: TypeAlias = Annotated[
    Path | None, typer.Option(metavar="FILE", help="also write the depth, for another pass with --depth-in")
]
ViewOption: TypeAlias = Annotated[
    View,
    typer.Option(
        "--view",
        help="what to show; panel: source, depth, layers, refocused; peaking: edges in focus are marked; "
        "zone: what is before the focus is warm, behind it cool",
    ),
]
CodecOption: TypeAlias = Annotated[
    CodecName | None,
    typer.Option(
        "--codec",
        help="what OUT is encoded with; h264_nvenc and hevc_nvenc on an NVIDIA GPU, on the CPU where it cannot",
        show_default="h264; hevc above 8 bits and for HDR; vp9 in .webm, av1 there above 8 bits; prores from ProRes",
    ),
]
Crf: TypeAlias = Annotated[
    float | None,
    typer.Option(metavar="N", help="constant quality, lower is better", show_default="18; nvenc 19, av1 20, vp9 24"),
]
Bitrate: TypeAlias = Annotated[
    str | None, typer.Option(metavar="8M", help="bits a second, instead of constant quality", show_default=False)
]
Preset: TypeAlias = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="the codec's own: ultrafast … veryslow (h264, hevc), 0–13 (av1), 0–8 (vp9), p1 … p7 (nvenc), "
        "a profile such as hq (prores)",
        show_default="veryfast; av1 8, vp9 6, nvenc p5, prores as the source",
    ),
]
PixFmt: TypeAlias = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="pixel format, such as yuv422p10le", show_default="the nearest to the source's"),
]
Json: TypeAlias = Annotated[
    Path | None, typer.Option("--json", metavar="REPORT", help="write latencies, waits and drops here")
]
Resume: TypeAlias = Annotated[
    bool, typer.Option("--resume", help="go on with what an interrupted run of the same command has left")
]
Overwrite: TypeAlias = Annotated[bool, typer.Option("--overwrite", help="replace existing files")]
Output: TypeAlias = Annotated[Path, typer.Option("--out", "-o", metavar="OUT", help="file (or folder) to write")]
Size: TypeAlias = Annotated[str | None, typer.Option(metavar="WxH", help="picture size in pixels, such as 1280x720")]
SourceOption: TypeAlias = Annotated[
    str,
    typer.Option(
        "--source",
        metavar="0|NAME|URL|FILE|screen|-|synthetic",
        help="where frames come from: a camera's number, path or a part of its name; screen:WxH+X,Y; - is a pipe",
    ),
]
Start: TypeAlias = Annotated[
    str | None, typer.Option(metavar="TIME", help="first time of the film to take: seconds, or HH:MM:SS.mmm")
]
End: TypeAlias = Annotated[str | None, typer.Option(metavar="TIME", help="time of the film to stop before")]
Preview: TypeAlias = Annotated[
    str | None,
    typer.Option(metavar="TIME", help="write one frame as PNG: source, depth, layers and refocused side by side"),
]
Decode: TypeAlias = Annotated[
    DecodeChoice,
    typer.Option(help="where the film is decoded: cuda = on an NVIDIA GPU, where it can; auto = on the CPU"),
]
Strict: TypeAlias = Annotated[bool, typer.Option("--strict", help="stop at the first damage instead of concealing it")]
Rate: TypeAlias = Annotated[
    float | None, typer.Option(metavar="N", help="pictures a second of an image sequence", show_default="25")
]

_SIZE = re.compile(r"(\d{1,9})x(\d{1,9})")  # Python reads no number of any length


def settings_from(
    *,
    focus: str | None = None,
    focus_script: Path | None = None,
    face_model: Path | None = None,
    aperture: float = DEFAULT_APERTURE,
    kernel: KernelShape = "disc",
    blades: int = DEFAULT_BLADES,
    rotation: float = 0.0,
    dead_zone: float | None = None,
    default_dead_zone: float = NET_DEAD_ZONE,
    layers: int = 6,
    smooth: Smoothing = "none",
    net_every: int = 1,
    steady: bool = True,
    depth_range: RangeMode = "fixed",
    view: View = "refocus",
    codec: CodecName | None = None,
    crf: float | None = None,
    bitrate: str | None = None,
    preset: str | None = None,
    pix_fmt: str | None = None,
    engine: EngineRequest,
) -> Settings:
    """Checked settings. Raises InputError."""
    if focus is not None and focus_script is not None:
        raise InputError(f"got --focus {focus} and --focus-script, expected one: a script says itself what is in focus")
    return Settings(
        focus=parse_focus("auto" if focus is None else focus),
        script=read_focus_script(focus_script) if focus_script is not None else None,
        face_model=face_model,
        aperture=aperture,
        kernel=kernel,
        blades=blades,
        rotation=rotation,
        dead_zone=default_dead_zone if dead_zone is None else dead_zone,
        layers=layers,
        smooth=smooth,
        net_every=net_every,
        steady=steady,
        depth_range=depth_range,
        view=view,
        encoding=wish_from(codec, crf, bitrate, preset, pix_fmt),
        engine=engine,
    )


def check_untouched(settings: Settings, depth_in: Path | None) -> None:
    """Raises InputError for options that would change a depth that is to be used as it is."""
    changes = {
        "--smooth": settings.smooth != "none",
        "--depth-range": settings.depth_range != "fixed",
        "--net-every": settings.net_every != 1,
        "--no-steady": not settings.steady,
    }
    given = [option for option, changed in changes.items() if changed]
    if depth_in is not None and given:
        raise InputError(f"--depth-in is used untouched, so {', '.join(given)} would have no effect; leave it out")


def parse_size(text: str | None) -> tuple[int, int] | None:
    """`WxH` → (h, w). Raises InputError."""
    if text is None:
        return None
    match = _SIZE.fullmatch(text.lower())
    if match is None or not all(16 <= int(side) <= 16384 for side in match.groups()):
        raise InputError(f"--size {text}: expected WxH in pixels, 16 to 16384 each, such as 1280x720")
    return int(match[2]), int(match[1])
