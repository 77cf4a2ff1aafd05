"""Options that belong together, as one parameter of several commands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass
from functools import wraps
from inspect import Parameter, Signature, signature
from typing import Any, get_type_hints

from ..engines.build import EngineRequest
from . import options as o
from .config import DEFAULT_APERTURE, DEFAULT_BLADES, NET_DEAD_ZONE, Settings
from .span import Reading, Span


@dataclass(frozen=True, kw_only=True)
class LensOptions:
    """What is in focus, and how the rest is blurred."""

    focus: o.Focus = None
    focus_script: o.FocusScriptFile = None
    face_model: o.FaceModel = None
    aperture: o.Aperture = DEFAULT_APERTURE
    kernel: o.Kernel = "disc"
    blades: o.Blades = DEFAULT_BLADES
    rotation: o.Rotation = 0.0
    dead_zone: o.DeadZone = None
    layers: o.Layers = 6


@dataclass(frozen=True, kw_only=True)
class DepthOptions:
    """Where depth comes from, and what is done to it in time."""

    smooth: o.Smooth = "none"
    net_every: o.NetEvery = 1
    steady: o.Steady = True
    quality: o.QualityOption = "fast"
    depth_range: o.DepthRange = "fixed"
    device: o.Device = "auto"
    engine: o.EngineOption = "auto"
    model: o.Model = "resnet18"

    def settings(self, default_dead_zone: float = NET_DEAD_ZONE, live: bool = False) -> Settings:
        """Checked settings. live: as of `EngineRequest`. Raises InputError."""
        given = {option.name: getattr(self, option.name) for option in fields(self)}
        engine = EngineRequest(*(given.pop(name) for name in ("engine", "device", "model", "quality")), live=live)
        return o.settings_from(**given, default_dead_zone=default_dead_zone, engine=engine)


@dataclass(frozen=True, kw_only=True)
class EncodingOptions:
    """What a film is written as."""

    codec: o.CodecOption = None
    crf: o.Crf = None
    bitrate: o.Bitrate = None
    preset: o.Preset = None
    pix_fmt: o.PixFmt = None


@dataclass(frozen=True, kw_only=True)
class FilmOptions(EncodingOptions, DepthOptions, LensOptions):
    """All that decides how a film will look."""

    view: o.ViewOption = "refocus"


@dataclass(frozen=True, kw_only=True)
class ReadingOptions:
    """What is to be read of a film."""

    start: o.Start = None
    end: o.End = None
    rate: o.Rate = None
    strict: o.Strict = False
    decode: o.Decode = "auto"

    def reading(self) -> Reading:
        """Raises InputError."""
        return Reading(Span.parse(self.start, self.end), self.rate, self.strict, self.decode)


def spread(command: Callable[..., None]) -> Callable[..., None]:
    """The command as typer is to see it: each parameter that is a group of options, spread into its options."""
    hints = get_type_hints(command, include_extras=True)
    parameters, groups = list[Parameter](), dict[str, Any]()
    for parameter in signature(command).parameters.values():
        kind = hints[parameter.name]
        if is_dataclass(kind):
            groups[parameter.name] = kind
            parameters += _options_of(kind)
        else:
            parameters.append(parameter.replace(annotation=kind, kind=Parameter.KEYWORD_ONLY))

    @wraps(command)
    def flat(**given: Any) -> None:
        for name, group in groups.items():
            given[name] = group(**{option.name: given.pop(option.name) for option in fields(group)})
        command(**given)

    flat.__dict__["__signature__"] = Signature(parameters)
    flat.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return flat


def _options_of(group: Any) -> list[Parameter]:
    hints = get_type_hints(group, include_extras=True)
    return [
        Parameter(option.name, Parameter.KEYWORD_ONLY, default=option.default, annotation=hints[option.name])
        for option in fields(group)
    ]
