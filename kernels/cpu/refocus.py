"""Layered refocus on the CPU. The specification is `..api.Kernels.refocus`.

The picture is cut into three groups. *Mid*: layers so near to the focus that the working grid could
not show their blur; they keep their own pixels. *Back*: layers behind the focus, blurred on the
working grid each from its own pixels only, so nothing in focus bleeds into them. *Front*: layers
before the focus; their blurred coverage spreads over everything behind.

    out = front + (1 − front coverage) · (mid share · mid + (1 − mid share) · back)

Within a group light is added linearly; this last line works on 8-bit sRGB, at the picture's size.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from ..api import Centres, InverseDepth, Picture, RefocusStyle
from .blur import blur
from .depth import resize

WORKING_HEIGHT_PX = {"fast": 180, "fine": 480}
SOFTNESS = 0.5  # width of the cross-fade between two layers, as a share of the gap between their centres
GAMMA = 2.2  # light is added linearly; sRGB is close to a power of 2.2
EPSILON = np.float32(1e-3)
TINY = np.float32(1e-6)

Coverage = NDArray[np.float32]
Light = NDArray[np.float32]  # h w 3 linear light, or h w 4 with coverage premultiplied

_TO_LINEAR = (np.linspace(0.0, 1.0, 256) ** GAMMA).astype(np.float32)


@dataclass(frozen=True, slots=True)
class _Groups:
    """Layer indices, each near → far."""

    front: list[int]
    mid: list[int]
    back: list[int]


def refocus(
    picture: Picture,
    inverse_depth: InverseDepth,
    centres: Centres,
    radii_px: Sequence[float],
    focus: float,
    style: RefocusStyle,
) -> Picture:
    scale = max(1, round(picture.shape[0] / WORKING_HEIGHT_PX[style.quality]))
    groups = _split(centres, radii_px, focus, sharp_below_px=max(float(scale), 1.0))
    if not groups.front and not groups.back and all(radii_px[k] == 0.0 for k in groups.mid):
        return picture.copy()
    height, width = picture.shape[:2]
    small_hw = (max(1, round(height / scale)), max(1, round(width / scale)))
    light = _linear(picture, small_hw)
    masks = coverages(resize(inverse_depth, small_hw), centres)
    radii = [radius / scale for radius in radii_px]

    behind = _behind(light, masks, radii, groups, style)
    share = _mid_share(resize(inverse_depth, (height, width)), centres, groups)
    sharp = _mid(picture, light, masks, radii_px, groups, float(scale), style)
    out = _blend(sharp, _encode(behind, (height, width)), share)
    if groups.front:
        out = _lay_over(out, _stack(light, masks, radii, groups.front, style))
    return out


def coverages(inverse_depth: InverseDepth, centres: Centres) -> list[Coverage]:
    """Soft layer masks that sum to 1 at every pixel, `h w` float32 in [0, 1], near → far.

    Between two centres the nearer mask fades in over `SOFTNESS` of the gap, so a slanted surface
    goes from one layer's blur to the next without a step.
    """
    nearer = [_nearer_than(inverse_depth, centres, k) for k in range(len(centres) - 1)]
    if not nearer:
        return [np.ones_like(inverse_depth)]
    between = [nearer[k] - nearer[k - 1] for k in range(1, len(nearer))]
    return [nearer[0], *between, 1.0 - nearer[-1]]


def _nearer_than(inverse_depth: InverseDepth, centres: Centres, k: int) -> Coverage:
    """Share of each pixel that belongs to layers 0…k."""
    gap = max(float(centres[k] - centres[k + 1]), 1e-6)
    middle = float(centres[k] + centres[k + 1]) / 2.0
    return np.clip((inverse_depth - middle) / np.float32(SOFTNESS * gap) + np.float32(0.5), 0.0, 1.0)


def _split(centres: Centres, radii_px: Sequence[float], focus: float, sharp_below_px: float) -> _Groups:
    layers = range(len(centres))
    return _Groups(
        front=[k for k in layers if radii_px[k] >= sharp_below_px and centres[k] > focus],
        mid=[k for k in layers if radii_px[k] < sharp_below_px],
        back=[k for k in layers if radii_px[k] >= sharp_below_px and centres[k] <= focus],
    )


def _linear(picture: Picture, size_hw: tuple[int, int]) -> Light:
    small = cv2.resize(picture, (size_hw[1], size_hw[0]), interpolation=cv2.INTER_AREA)
    return cast(Light, cv2.LUT(small, _TO_LINEAR))


def _encode(light: Light, size_hw: tuple[int, int]) -> Picture:
    srgb = cv2.pow(np.maximum(light, 0.0), 1.0 / GAMMA)
    grey = cv2.convertScaleAbs(srgb, alpha=255.0)
    return cast(Picture, cv2.resize(grey, (size_hw[1], size_hw[0]), interpolation=cv2.INTER_LINEAR))


def _premultiplied(light: Light, cover: Coverage) -> Light:
    return np.dstack((light * cover[..., None], cover))


def _together(masks: Sequence[Coverage], layers: Sequence[int]) -> Coverage:
    total = np.zeros_like(masks[0])
    for k in layers:
        total += masks[k]
    return total


def _stack(
    light: Light, masks: list[Coverage], radii: list[float], layers: Sequence[int], style: RefocusStyle
) -> Light:
    """`layers` blurred and composited far to near: `h w 4`, premultiplied linear light and coverage."""
    height, width = light.shape[:2]
    out = np.zeros((height, width, 4), np.float32)
    for k in reversed(layers):
        blurred = blur(_premultiplied(light, masks[k]), radii[k], style.shape)
        out *= np.float32(1.0) - blurred[..., 3:]
        out += blurred
    return out


def _behind(light: Light, masks: list[Coverage], radii: list[float], groups: _Groups, style: RefocusStyle) -> Light:
    """What shows where nothing is in focus: the back group, and under the front group a guess at what it hides."""
    back = _filled(_stack(light, masks, radii, groups.back, style), light) if groups.back else light
    if not groups.front:
        return back
    hidden = _together(masks, groups.front)
    visible = _premultiplied(light, np.float32(1.0) - hidden)
    spread = max(radii[k] for k in groups.front)
    under = _filled(blur(visible, spread, "gaussian"), light)
    return (back + (under - back) * hidden[..., None]).astype(np.float32, copy=False)


def _filled(premultiplied: Light, fallback: Light) -> Light:
    """Colour without its coverage; where nothing covers, the blurred surroundings, then `fallback`."""
    wide = blur(premultiplied, max(premultiplied.shape[:2]) / 16.0, "gaussian")
    colour, cover = premultiplied[..., :3], premultiplied[..., 3:]
    guess = (wide[..., :3] + TINY * fallback) / (wide[..., 3:] + TINY)
    return ((colour + EPSILON * guess) / (cover + EPSILON)).astype(np.float32, copy=False)


def _mid_share(inverse_depth: InverseDepth, centres: Centres, groups: _Groups) -> Coverage:
    """How much of each full-size pixel belongs to the mid group (its layers are neighbours)."""
    if not groups.mid:
        return np.zeros_like(inverse_depth)
    first, last = groups.mid[0], groups.mid[-1]
    share = np.ones_like(inverse_depth) if last == len(centres) - 1 else _nearer_than(inverse_depth, centres, last)
    return share - _nearer_than(inverse_depth, centres, first - 1) if first > 0 else share


def _mid(
    picture: Picture,
    light: Light,
    masks: list[Coverage],
    radii_px: Sequence[float],
    groups: _Groups,
    sharp_below_px: float,
    style: RefocusStyle,
) -> Picture:
    """The mid group's own pixels; a layer on its way to the working grid fades to its blur there."""
    if all(radii_px[k] == 0.0 for k in groups.mid):
        return picture
    cover = _together(masks, groups.mid)
    soft = _filled(blur(_premultiplied(light, cover), 1.0, style.shape), light)
    softness = _together([mask * np.float32(r / sharp_below_px) for mask, r in zip(masks, radii_px)], groups.mid)
    softness /= np.maximum(cover, EPSILON)
    height, width = picture.shape[:2]
    return _blend(_encode(soft, (height, width)), picture, resize(softness, (height, width)))


def _blend(over: Picture, under: Picture, share: Coverage) -> Picture:
    return cast(Picture, cv2.blendLinear(over, under, share, 1.0 - share))


def _lay_over(under: Picture, front: Light) -> Picture:
    """Composite the front group; coverage is interpolated, colours were premultiplied in linear light."""
    height, width = under.shape[:2]
    cover = np.clip(front[..., 3], 0.0, 1.0)
    colour = front[..., :3] / np.maximum(front[..., 3:], EPSILON)
    spread = _encode(colour.astype(np.float32, copy=False), (height, width))
    return _blend(spread, under, resize(cover, (height, width)))
