"""Where live frames go, as `--sink` names it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from ..engines.atomic import check_distinct, check_target
from ..kernels.errors import InputError
from .controls import Controls
from .encoding_wish import EncodingWish
from .fan import Fan
from .live_request import DEFAULT_RATE, LiveRequest
from .outlet import OpenSink
from .remembered import Remembered, recall
from .sink_names import Kind, kind_of
from .sinks import NullSink
from .takes import Takes
from .web.address import Address

Opener = Callable[[str, LiveRequest, Controls], OpenSink]


def open_sinks(fan: Fan, request: LiveRequest, controls: Controls) -> None:
    """Open the sinks asked for, in the block of `fan`, which closes them.

    Raises InputError, OutputError, MissingExtraError.
    """
    check_distinct(Path(name) for name in request.sinks if kind_of(name) == "file")
    _check_wish(request, controls.settings.encoding)
    for name in sorted(request.sinks, key=lambda name: kind_of(name) != "window"):  # the window first: see `window`
        kind = kind_of(name)
        add = fan.add_inline if kind in ("window", "null") else fan.add
        opened = _OPENERS[kind](name, request, controls)
        add(replace(opened, name=fan.free_name(opened.name)))
    if request.web is not None:
        fan.add_inline(_page(request.web, request, controls))  # it never waits


def _check_wish(request: LiveRequest, wish: EncodingWish) -> None:
    """Raises InputError for an option that none of the sinks has a use for."""
    kinds = {kind_of(name) for name in request.sinks}
    if kinds & {"file", "window"} or request.web is not None:  # a window and a page record takes
        return
    taken = ("--crf", "--bitrate") if "network" in kinds else ()
    unused = [option for option in wish.given if option not in taken]
    if unused:
        only = ", a stream only --crf and --bitrate" if taken else ""
        raise InputError(
            f"{', '.join(unused)}: a recording (and a take of the window or the page) is encoded by it{only}, and no "
            "--sink is one; leave it out, or add --sink out.mp4"
        )


def _window(name: str, request: LiveRequest, controls: Controls) -> OpenSink:
    from .window import WindowSink

    life = ExitStack()
    takes = Takes(request.takes, controls.settings, request.rate or DEFAULT_RATE)
    window = WindowSink(controls, takes, Remembered() if request.fresh else recall())
    life.callback(window.close)
    return OpenSink(name, window, life)


def _page(address: Address, request: LiveRequest, controls: Controls) -> OpenSink:
    from .web.sink import WebSink

    with ExitStack() as stack:
        takes = Takes(request.takes, controls.settings, request.rate or DEFAULT_RATE)
        stack.callback(takes.close)
        page = WebSink(stack, address, controls, takes)
        return OpenSink("page", page, stack.pop_all())


def _null(name: str, _request: LiveRequest, _controls: Controls) -> OpenSink:
    return OpenSink(name, NullSink())


def _recording(name: str, request: LiveRequest, controls: Controls) -> OpenSink:
    from .encoding import container_of
    from .live_info import live_info
    from .recording import Recording
    from .video_out import video_sink

    target, wish = Path(name), controls.settings.encoding
    wish.check(container_of(target))
    check_target(target, request.overwrite)
    recording = Recording(target, video_sink(target, live_info(request.rate or DEFAULT_RATE), wish))
    return OpenSink(name, recording.__enter__(), recording, keeps=True)


def _stdout(name: str, request: LiveRequest, _controls: Controls) -> OpenSink:
    from .y4m import Y4mSink, take_stdout

    sink = Y4mSink(take_stdout(), request.rate)
    return OpenSink(name, sink, sink, keeps=True)


def _virtual(name: str, request: LiveRequest, _controls: Controls) -> OpenSink:
    from .virtual_camera import VirtualCamera, load_cameras

    sink = VirtualCamera(load_cameras(), name.removeprefix("virtual").removeprefix(":") or None, request.rate)
    return OpenSink(name, sink, sink, goes_out=True)


def _network(name: str, request: LiveRequest, controls: Controls) -> OpenSink:
    from .destinations import destination_of
    from .network_out import NetworkSink

    destination = destination_of(name, request.overwrite)
    sink = NetworkSink(destination, request.rate, controls.settings.encoding)
    return OpenSink(destination.name, sink.__enter__(), sink, goes_out=True)


_OPENERS: dict[Kind, Opener] = {
    "window": _window,
    "null": _null,
    "file": _recording,
    "stdout": _stdout,
    "virtual": _virtual,
    "network": _network,
}
