"""What can be shown of a frame: the refocused picture, depth, layers, several of them, or where the focus is."""

from __future__ import annotations

from dataclasses import replace

from ..kernels.api import AnyPicture, Kernels, Lens, Picture, RefocusStyle
from .config import View
from .frame import Layered
from .targets import Point

TILES: dict[View, tuple[int, int]] = {"side": (2, 1), "panel": (2, 2)}  # columns and rows of a view


def show(view: View, layered: Layered, kernels: Kernels, style: RefocusStyle) -> AnyPicture:
    """The picture of `view`; `side` is twice as wide, `panel` twice as wide and high.

    `refocus` gives a picture of the frame's type and transfer function, all others 8-bit sRGB.
    """
    source = layered.sensed.frame.picture8
    match view:
        case "refocus":
            return refocused(layered, kernels, style)
        case "depth":
            return depth_view(layered, kernels)
        case "layers":
            return layers_view(layered, kernels)
        case "side":
            return kernels.tiled(((source, _refocused8(layered, kernels, style)),))
        case "panel":
            return _panel(layered, kernels, style)
        case "peaking":
            return kernels.mark_in_focus(source, layered.sensed.inverse_depth, _lens(layered))
        case "zone":
            return kernels.tint_by_focus(source, layered.sensed.inverse_depth, _lens(layered))


def point_in(view: View, x: float, y: float) -> Point:
    """The point of the frame that is shown at x, y of `view`'s picture; all in [0, 1] from the top left."""
    columns, rows = TILES.get(view, (1, 1))
    return Point(x * columns % 1.0 if x < 1.0 else 1.0, y * rows % 1.0 if y < 1.0 else 1.0)


def refocused(layered: Layered, kernels: Kernels, style: RefocusStyle) -> AnyPicture:
    sensed, frame = layered.sensed, layered.sensed.frame
    style = replace(style, transfer=frame.transfer)
    return kernels.refocus(frame.picture, sensed.inverse_depth, layered.centres, _lens(layered), style)


def _refocused8(layered: Layered, kernels: Kernels, style: RefocusStyle) -> Picture:
    return kernels.to_8_bits(refocused(layered, kernels, style), layered.sensed.frame.transfer)


def _lens(layered: Layered) -> Lens:
    return layered.plan.lens(layered.sensed.frame.size_hw[0])


def depth_view(layered: Layered, kernels: Kernels) -> Picture:
    return kernels.colour_depth(layered.sensed.inverse_depth, layered.sensed.frame.size_hw)


def layers_view(layered: Layered, kernels: Kernels) -> Picture:
    labels = kernels.assign(layered.sensed.inverse_depth, layered.centres)
    return kernels.colour_layers(labels, len(layered.centres), layered.sensed.frame.size_hw)


def _panel(layered: Layered, kernels: Kernels, style: RefocusStyle) -> Picture:
    panels = (
        ("source", layered.sensed.frame.picture8),
        ("inverse depth", depth_view(layered, kernels)),
        (f"{len(layered.centres)} layers", layers_view(layered, kernels)),
        ("refocused", _refocused8(layered, kernels, style)),
    )
    a, b, c, d = (kernels.captioned(picture, text) for text, picture in panels)
    return kernels.tiled(((a, b), (c, d)))
