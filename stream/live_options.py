"""The options that only `pullfocus live` has."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from .web.address import DEFAULT_ADDRESS

Adaptive: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--adaptive", help="hold the rate: as good a picture as the machine has time for, said whenever it changes"
    ),
]
Sinks: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--sink",
        metavar="window|FILE|URL|virtual|-|null",
        show_default="window, or only the page of --web",
        help="where frames go, may be given several times; URL: rtmp, rtsp, udp, srt, http(s)://….m3u8; "
        "-: raw video (y4m) on standard output; "
        "virtual[:DEVICE]: a camera for other programs",
    ),
]
Takes: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        metavar="FOLDER",
        help="for recordings and stills made on the way",
        show_default="your folders for videos and pictures",
    ),
]
SettingsFile: TypeAlias = Annotated[
    Path | None,
    typer.Option("--settings", metavar="FILE", help="values for these options by their names, as TOML"),
]
Fresh: TypeAlias = Annotated[
    bool, typer.Option("--fresh", help="ignore what was turned last in the window, and forget it")
]
Web: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--web",
        metavar="[HOST:PORT]",
        help=f"show and control it in a browser; alone: at {DEFAULT_ADDRESS}, for this machine only",
        show_default=False,
    ),
]
Mirror: TypeAlias = Annotated[bool, typer.Option("--mirror", help="mirror the picture, as in a looking glass")]
Fps: TypeAlias = Annotated[float | None, typer.Option(metavar="N", help="frames a second to ask for")]
