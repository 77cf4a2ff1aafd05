"""Depth enlarged so that its edges are those of the picture. The specification is `..api.Kernels.upsample`.

A net's depth is small and its edges are ramps. Across such a ramp there are two surfaces and nothing between.
Their depths are the least and the greatest around; their colours, the means of the pixels on either side that
surely belong to one. Where a pixel's colour lies between the two says which surface it shows (the colour line of
matting: Chuang et al. 2001, doi:10.1109/CVPR.2001.990970); where the colours are alike, depth itself decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import cv2
import numpy as np

from ..api import InverseDepth, Picture
from .compose import tiles
from .depth import resize
from .fill import Plane, cells, enlarged
from .light import Light

REACH_PX = 3  # half of the widest ramp, in pixels of the depth
COLOURS_PX = 3.0  # σ of the neighbourhood whose colours are compared
SURE = 0.3  # this near to one of the two depths, as a share of the step, a pixel surely shows that surface
STEP = 0.03  # of inverse depth: a smaller one is no edge
ALIKE = 0.1  # squared distance of two colours in sRGB, 0–1 a channel, that tells no more than depth does
TILE_HW = (48, 160)
STEEPNESS = 8.0  # pixels half-way are few: a real edge is one pixel wide


def upsample(inverse_depth: InverseDepth, picture: Picture) -> InverseDepth:
    size_hw = picture.shape[0], picture.shape[1]
    out = resize(inverse_depth, size_hw)
    if out is inverse_depth or inverse_depth.shape[0] >= size_hw[0] or inverse_depth.shape[1] >= size_hw[1]:
        return out
    scale = max(2, round(size_hw[0] / inverse_depth.shape[0]))
    calm = cast(InverseDepth, cv2.medianBlur(_on_grid(inverse_depth, size_hw, scale), 3))
    least, step, edge = _surfaces(calm)
    if edge.max() <= 0.0:
        return out
    planes = np.stack((least, step, edge, *_colour_line(calm, least, step, picture)))
    for tile in tiles((slice(0, calm.shape[0] * scale), slice(0, calm.shape[1] * scale)), scale, TILE_HW):
        if edge[cells(tile, scale, calm.shape)].max() > 0.0:
            _draw(out[tile], picture[tile], enlarged(planes, tile, scale))
    return out


def _on_grid(inverse_depth: InverseDepth, size_hw: tuple[int, int], scale: int) -> InverseDepth:
    """Inverse depth in cells of `scale` × `scale` pixels of a picture, which it covers."""
    (high, wide), (height, width) = inverse_depth.shape, size_hw
    down, across = high * scale / height, wide * scale / width
    matrix = np.array([[across, 0.0, 0.5 * across - 0.5], [0.0, down, 0.5 * down - 0.5]])
    cells_wh = (-(-width // scale), -(-height // scale))
    if cells_wh == (wide, high):
        return inverse_depth
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    grid = cv2.warpAffine(inverse_depth, matrix, cells_wh, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return cast(InverseDepth, grid)


def _surfaces(depth: InverseDepth) -> tuple[Plane, Plane, Plane]:
    """The farther of the two surfaces that meet near each pixel, the step to the nearer, and how sure it is one."""
    narrow, wide = (np.ones((2 * reach + 1,) * 2, np.uint8) for reach in (REACH_PX, 2 * REACH_PX))
    least, greatest = cv2.erode(depth, narrow), cv2.dilate(depth, narrow)
    size = (2 * REACH_PX - 1,) * 2
    low, high = cv2.blur(least, size), cv2.blur(greatest, size)
    # Over twice the distance a slope doubles its step, an edge does not; and a slope goes on beyond the border.
    margin = 2 * REACH_PX
    on = np.pad(depth, margin, mode="reflect", reflect_type="odd")
    step = 2.0 * (cv2.dilate(on, narrow) - cv2.erode(on, narrow)) - (cv2.dilate(on, wide) - cv2.erode(on, wide))
    edge = np.clip(step[margin:-margin, margin:-margin] / np.float32(STEP) - np.float32(1.0), 0.0, 1.0)
    return cast(Plane, low), cast(Plane, high - low), edge


def _colour_line(depth: InverseDepth, least: Plane, step: Plane, picture: Picture) -> list[Plane]:
    """Weights of R, G and B in 0–255, and a constant: their sum is the share of the nearer surface. `h w` each."""
    share = np.clip((depth - least) / np.maximum(step, np.float32(1e-3)), 0.0, 1.0)
    colours = cv2.resize(picture, depth.shape[::-1], interpolation=cv2.INTER_AREA)
    channels = [grey.astype(np.float32) / np.float32(255.0) for grey in cv2.split(colours)]
    near, far = (_means(channels, mask.astype(np.float32)) for mask in (share > 1.0 - SURE, share < SURE))
    apart = [a - b for a, b in zip(near, far, strict=True)]
    distance = apart[0] ** 2 + apart[1] ** 2 + apart[2] ** 2
    # Nothing is gained where one surface is sure, and little where colours are alike.
    trust = distance / (distance + np.float32(ALIKE)) * np.float32(4.0) * share * (1.0 - share)
    factor = trust / np.maximum(distance, np.float32(1e-6))
    weights = [factor * difference for difference in apart]
    constant = share * (1.0 - trust)
    for weight, colour in zip(weights, far, strict=True):
        constant -= weight * colour
    return [cast(Plane, weight / np.float32(255.0)) for weight in weights] + [cast(Plane, constant)]


def _means(channels: Sequence[Plane], mask: Plane) -> list[Plane]:
    """The mean of each channel around every pixel, over the pixels of a mask."""
    height, width = mask.shape
    small = (max(width // 2, 1), max(height // 2, 1))  # the means are smooth

    def spread(plane: Plane) -> Plane:
        cells = cv2.resize(plane, small, interpolation=cv2.INTER_AREA)
        return cast(Plane, cv2.GaussianBlur(cells, (0, 0), COLOURS_PX / 2.0, borderType=cv2.BORDER_REFLECT))

    count = spread(mask) + np.float32(1e-4)
    means = (spread(channel * mask) / count for channel in channels)
    return [cast(Plane, cv2.resize(mean, (width, height), interpolation=cv2.INTER_LINEAR)) for mean in means]


def _draw(out: InverseDepth, picture: Picture, planes: Light) -> None:
    """Put each pixel of a tile on one surface or the other, as far as there is an edge. Tiles may reach beyond."""
    least, step, edge, *weights, share = planes[:, : out.shape[0], : out.shape[1]]
    for weight, grey in zip(weights, cv2.split(picture), strict=True):
        share += weight * grey
    share -= np.float32(0.5)
    share *= np.float32(STEEPNESS)
    share += np.float32(0.5)
    np.clip(share, 0.0, 1.0, out=share)
    step *= share
    step += least
    step -= out
    step *= edge
    out += step
