"""Where live frames go, as `--sink` names it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol, runtime_checkable

from ..engines.atomic import check_target
from .config import Settings
from .controls import Controls
from .live_request import DEFAULT_RATE, LiveRequest
from .pipeline import Sink
from .report import Moment
from .sinks import NullSink


@runtime_checkable
class AnsweringSink(Sink, Protocol):
    """A sink whose user may want something while no frame comes."""

    def idle(self) -> bool:
        """False ends the run."""
        ...


@runtime_checkable
class InformedSink(Sink, Protocol):
    """A sink that shows how the run does."""

    def started(self, now: Callable[[], Moment], /) -> None:
        """The run begins; `now` may be called at any moment, in any thread."""
        ...


def open_sink(stack: ExitStack, request: LiveRequest, controls: Controls) -> Sink:
    """The sink asked for, closed with `stack`. Raises InputError, OutputError."""
    if request.sink == "window":
        from .window import WindowSink

        window = WindowSink(controls)
        stack.callback(window.close)
        return window
    return NullSink() if request.sink == "null" else _recording(stack, request, controls.settings)


def _recording(stack: ExitStack, request: LiveRequest, settings: Settings) -> Sink:
    from .encoding import container_of
    from .live_info import live_info
    from .recording import Recording
    from .video_out import video_sink

    target, wish = Path(request.sink), settings.encoding
    wish.check(container_of(target))
    check_target(target, request.overwrite)
    return stack.enter_context(Recording(target, video_sink(target, live_info(request.rate or DEFAULT_RATE), wish)))
