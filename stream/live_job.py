"""`pullfocus live`."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from typing import TypeAlias

from .adaptation import Adaptation
from .adjusted import Adjusted
from .config import Settings
from .controls import Controls
from .fan import Fan
from .focus import FocusPuller
from .frame import for_card
from .idle import Gate
from .live_request import LiveRequest
from .live_sinks import open_sinks
from .live_sources import LiveSource, open_source
from .pipeline import Interrupted, run
from .prepare import prepared
from .report import Moment, Report

Listener: TypeAlias = Callable[[Callable[[], Moment]], None]
OpenSource: TypeAlias = Callable[[ExitStack, LiveRequest], LiveSource]
OpenSinks: TypeAlias = Callable[[Fan, LiveRequest, Controls], None]


def run_live(
    request: LiveRequest,
    settings: Settings,
    opened: OpenSource = open_source,
    sinks: OpenSinks = open_sinks,
) -> Report:
    """Run until the source ends, the user quits or Ctrl-C. Raises InputError, OutputError, EngineError.

    opened: opens the source that is asked for; sinks: the sinks.
    """
    fan = Fan()
    try:
        report = _run(request, settings, fan, opened, sinks)
    except Interrupted as stop:
        raise Interrupted(fan.told(stop.report)) from stop
    return fan.told(report)


def _run(request: LiveRequest, settings: Settings, fan: Fan, opened: OpenSource, sinks: OpenSinks) -> Report:
    puller = FocusPuller(settings)
    controls = Controls(settings, puller, request.mirror)
    with ExitStack() as stack:
        stack.enter_context(fan)
        sinks(fan, request, controls)
        source = opened(stack, request)
        fan.can_wait = not source.live
        size_hw = None if source.own_size else request.size_hw
        gate = Gate(Adjusted(source, size_hw, lambda: controls.mirror, request.frames), lambda: fan.watched)
        # Compiling the net for a size takes long: a film would be half over, and a recording begin late.
        warm_up_hw = size_hw or source.first_hw
        parts = stack.enter_context(prepared(settings, warm_up_hw=warm_up_hw, controls=controls))
        for_card(source, parts.card is not None)
        adaptation = Adaptation(controls, request.rate) if request.adaptive else None
        on_frame = None if adaptation is None else adaptation.handed_over
        on_start = fan.started if adaptation is None else _both(fan.started, adaptation.started)
        stages = parts.stages(settings, puller, controls)
        try:
            report = run(gate, stages, fan, engine=parts.engine, on_frame=on_frame, on_idle=fan.idle, on_start=on_start)
        except Interrupted as stop:
            raise Interrupted(_told(stop.report, source, gate, adaptation)) from stop
        return _told(report, source, gate, adaptation)


def _both(first: Listener, second: Listener) -> Listener:
    def started(now: Callable[[], Moment]) -> None:
        first(now)
        second(now)

    return started


def _told(report: Report, source: LiveSource, gate: Gate, adaptation: Adaptation | None) -> Report:
    choices = [] if adaptation is None else adaptation.choices
    absence, worked_s = source.absence, report.elapsed_s - gate.idle_s
    return replace(
        report.with_notes(source.notes),
        fps=report.frames / worked_s if worked_s > 0.0 else 0.0,
        idle_s=gate.idle_s,
        choices=choices,
        damage=source.damage,
        losses=absence.losses,
        away_s=absence.away_s,
    )
