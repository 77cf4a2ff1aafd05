"""Where the render planes lie, and which share of a pixel belongs to each.

A plane is placed by its signed radius: the circle of confusion in pixels, positive before the focus. The
middle plane is what is in focus. Every pixel is shared between the two planes around it, in proportion to
its distance from each, so a slanted table goes from one blur to the next without a step.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..api import Centres, InverseDepth, Lens
from .grids import Plane

SHARP_PX = 0.5  # a circle of confusion up to this radius is in focus
# Planes nearer to each other than a share of the picture's height, or than a share of their radius, look the same.
LEAST_GAPS_IN_HEIGHT, LEAST_GAP_OF_RADIUS = 270.0, 0.3


@dataclass(frozen=True, slots=True)
class Planes:
    """Radii in picture pixels of the planes before and behind the focus, each outward from it."""

    front: tuple[float, ...]
    back: tuple[float, ...]


def place(centres: Centres, lens: Lens, smallest_px: float, height_px: int) -> Planes:
    """The planes that the layers' centres ask for. smallest_px: the smallest radius that can be shown."""
    gap_px = height_px / LEAST_GAPS_IN_HEIGHT
    blurred = [float(centre) for centre in centres if lens.radius_px(float(centre)) > SHARP_PX]
    return Planes(
        front=_thinned([lens.radius_px(centre) for centre in blurred if centre > lens.focus], smallest_px, gap_px),
        back=_thinned([lens.radius_px(centre) for centre in blurred if centre < lens.focus], smallest_px, gap_px),
    )


def _thinned(radii_px: Sequence[float], smallest_px: float, gap_px: float) -> tuple[float, ...]:
    """Ascending radii; those that look the same are one, at their mean."""
    groups: list[list[float]] = []
    for radius in sorted(max(radius, smallest_px) for radius in radii_px):
        if groups and radius - groups[-1][0] < max(gap_px, LEAST_GAP_OF_RADIUS * groups[-1][0]):
            groups[-1].append(radius)
        else:
            groups.append([radius])
    return tuple(sum(group) / len(group) for group in groups)


def signed_radii(inverse_depth: InverseDepth, lens: Lens) -> Plane:
    """The radius of every pixel's circle of confusion in pixels, positive before the focus, negative behind it."""
    apart = inverse_depth * np.float32(lens.reach_px)
    apart -= np.float32(lens.focus * lens.reach_px)
    blunt = np.float32(lens.dead_zone * lens.reach_px)
    apart -= np.clip(apart, -blunt, blunt)
    return apart


def share_beyond(radii: Plane, inner_px: float, outer_px: float) -> Plane:
    """The share of each pixel that lies on the planes from `outer_px` on outward; `inner_px` is the plane before it."""
    share = radii - np.float32(inner_px)
    share *= np.float32(1.0 / (outer_px - inner_px))
    return np.clip(share, 0.0, 1.0, out=share)


@dataclass(frozen=True, slots=True)
class Ramps:
    """Where the planes next to the focus take over: between two inverse depths each, linearly.

    front, back: the inverse depth up to which a pixel is wholly in focus, and that from which on it is not any more;
    infinite where there are no planes.
    """

    front: tuple[float, float]
    back: tuple[float, float]

    @classmethod
    def of(cls, planes: Planes, lens: Lens) -> Ramps:
        """For what `place` gave."""

        def ramp(side: tuple[float, ...], sign: float) -> tuple[float, float]:
            if not side:
                return sign * np.inf, sign * np.inf
            first, last = (lens.focus + sign * (lens.dead_zone + px / lens.reach_px) for px in (SHARP_PX, side[0]))
            return first, last

        return cls(ramp(planes.front, 1.0), ramp(planes.back, -1.0))

    def in_focus(self, inverse_depth: InverseDepth) -> tuple[Plane, Plane]:
        """The share of each pixel that is in focus, and the share that is not before the focus."""
        visible, known = (_falling(inverse_depth, *ramp) for ramp in (self.front, self.back))
        known += visible
        known -= np.float32(1.0)
        return known, visible


def _falling(inverse_depth: InverseDepth, first: float, last: float) -> Plane:
    """1 at `first` and on its side, 0 at `last`."""
    if np.isinf(first):
        return np.ones_like(inverse_depth)
    slope = 1.0 / (first - last)
    share = inverse_depth * np.float32(slope)
    share -= np.float32(last * slope)
    return np.clip(share, 0.0, 1.0, out=share)
