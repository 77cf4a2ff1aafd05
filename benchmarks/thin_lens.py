"""A thin lens, sampled: what a wide aperture really shows of a scene whose every surface is known.

Each point of the aperture sees the scene with every surface shifted by its share of its own circle of
confusion; what the points see is added in linear light (distributed ray tracing, Cook et al. 1984,
doi:10.1145/800031.808590). Nothing is guessed, so it is the truth that a renderer of one picture and one
depth map is measured against.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from ..kernels.api import InverseDepth, Picture

SAMPLES = 400  # points of the aperture
GOLDEN_ANGLE = np.pi * (3.0 - 5.0**0.5)
Light = NDArray[np.float32]


@dataclass(frozen=True, slots=True, repr=False)
class Sheet:
    """One surface, flat in inverse depth.

    light: `h w 3` linear. coverage: `h w` in [0, 1]. Its inverse depth is `depth` at the picture's middle row and
    `depth + slope / 2` at the last.
    """

    light: Light
    coverage: NDArray[np.float32]
    depth: float
    slope: float = 0.0

    def inverse_depth(self) -> InverseDepth:
        """`h w`."""
        height, width = self.coverage.shape
        rows = self.depth + self.slope * ((np.arange(height, dtype=np.float32) + 0.5) / height - 0.5)
        return np.broadcast_to(rows[:, None].astype(np.float32), (height, width))

    def shrunk(self, times: int) -> Sheet:
        """So many times smaller."""
        height, width = self.coverage.shape
        size_wh = width // times, height // times
        light, coverage = (
            np.asarray(cv2.resize(plane, size_wh, interpolation=cv2.INTER_AREA), np.float32)
            for plane in (self.light, self.coverage)
        )
        return replace(self, light=light, coverage=coverage)


@dataclass(frozen=True, slots=True, repr=False)
class Scene:
    """Sheets from far to near; the farthest covers everything. focus: an inverse depth. aperture: as `pullfocus`'s."""

    name: str
    sheets: tuple[Sheet, ...]
    focus: float
    aperture: float

    def picture(self) -> Picture:
        """What a pinhole sees, `h w 3` sRGB."""
        return to_srgb(_composite([(sheet.light, sheet.coverage) for sheet in self.sheets]))

    def inverse_depth(self) -> InverseDepth:
        """Of the nearest surface that covers at least half of a pixel, `h w`."""
        depth = self.sheets[0].inverse_depth().copy()
        for sheet in self.sheets[1:]:
            covered = sheet.coverage >= 0.5
            depth[covered] = sheet.inverse_depth()[covered]
        return depth

    def shrunk(self, times: int) -> Scene:
        """So many times smaller; the aperture goes by the picture's height."""
        return replace(self, sheets=tuple(sheet.shrunk(times) for sheet in self.sheets))

    def moved(self, x: float, y: float) -> Scene:
        """From a pinhole at a point of the aperture's plane (1 = its rim): what is in focus stays, the rest shifts.

        Of flat sheets only: a slanted one's depth moves with its rows.
        """
        seen = ((sheet, *_seen_from(sheet, self, x, y)) for sheet in self.sheets)
        return replace(
            self, sheets=tuple(replace(sheet, light=light, coverage=covered) for sheet, light, covered in seen)
        )


def photograph(scene: Scene, samples: int = SAMPLES) -> Picture:
    """What the lens shows, `h w 3` sRGB. Outside its border the scene is mirrored, as the kernels take it to be."""
    total = np.zeros_like(scene.sheets[0].light)
    for x, y in _aperture_points(samples):
        total += _composite([_seen_from(sheet, scene, x, y) for sheet in scene.sheets])
    return to_srgb(total / np.float32(samples))


def _aperture_points(count: int) -> NDArray[np.float64]:
    """`count 2` points of the unit disc, of equal weight (Vogel 1979, doi:10.1016/0025-5564(79)90080-4)."""
    index = np.arange(count) + 0.5
    radius, angle = np.sqrt(index / count), index * GOLDEN_ANGLE
    return np.stack((radius * np.cos(angle), radius * np.sin(angle)), axis=1)


def _seen_from(sheet: Sheet, scene: Scene, x: float, y: float) -> tuple[Light, NDArray[np.float32]]:
    """Light and coverage of a sheet from one point of the aperture: a shift that grows linearly with inverse depth."""
    height = sheet.coverage.shape[0]
    reach_px = scene.aperture / 100.0 * height
    middle_px, growth = reach_px * (sheet.depth - scene.focus), reach_px * sheet.slope / height
    if middle_px == 0.0 and growth == 0.0:
        return sheet.light, sheet.coverage
    # Row r moves by (middle + growth · (r − centre)) · (x, y); solved for where a pixel comes from.
    centre = (height - 1) / 2.0
    base_px = middle_px - growth * centre
    down = 1.0 / (1.0 + growth * y)
    matrix = np.array(
        [[1.0, -x * growth * down, -x * (base_px - growth * down * base_px * y)], [0.0, down, -base_px * y * down]]
    )
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    size = sheet.coverage.shape[::-1]
    stacked = np.dstack((sheet.light, sheet.coverage))
    seen = cv2.warpAffine(stacked, matrix, size, flags=flags, borderMode=cv2.BORDER_REFLECT)
    return cast(Light, seen[..., :3]), cast(Light, seen[..., 3])  # overshoots stay: clipped they would add light


def _composite(layers: Sequence[tuple[Light, NDArray[np.float32]]]) -> Light:
    out = layers[0][0]
    for light, coverage in layers[1:]:
        out = out + (light - out) * coverage[..., None]
    return out.astype(np.float32, copy=False)


def to_srgb(light: Light) -> Picture:
    """Linear light in [0, 1] → sRGB (IEC 61966-2-1), uint8."""
    light = np.clip(light, 0.0, 1.0)
    encoded = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return np.rint(255.0 * encoded).astype(np.uint8)


def to_linear(srgb: NDArray[np.floating]) -> Light:
    """sRGB in [0, 1] → linear light (IEC 61966-2-1), float32."""
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4).astype(np.float32)
