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
from .depth import resize
from .grids import AnyArray, Blocks, Plane, shrunk

REACH_PX = 3  # half of the widest ramp, in pixels of the depth
COLOURS_PX = 1.6  # σ of the neighbourhood whose colours are compared
SURE = 0.3  # this near to one of the two depths, as a share of the step, a pixel surely shows that surface
LEAST_SLOPE = 0.3  # of the step, over two pixels of the depth: a ramp has more
MIDDLE = 0.2  # this far from half-way, as a share of the step, a pixel is on neither ramp nor third surface
STEP = 0.03  # of inverse depth: a smaller one is no edge
ALIKE = 0.1  # squared distance of two colours in sRGB, 0–1 a channel, that tells no more than depth does
BLOCK_HW = (24, 64)  # in pixels; small, for most blocks hold no edge
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
    colours = shrunk(_framed(picture, (calm.shape[0] * scale, calm.shape[1] * scale)), scale)
    planes = (np.float32(1.0) - edge, edge * least, edge * step, *_colour_line(calm, least, step, colours))
    return _with_edges(out, picture, planes, scale)


def _with_edges(inverse_depth: InverseDepth, picture: Picture, planes: Sequence[Plane], scale: int) -> InverseDepth:
    """Inverse depth, of the picture's size, with each pixel near an edge on one surface or the other.

    planes: in cells of `scale` pixels: the share of what was there, the farther surface and the step to the nearer,
    both times the rest, and `_colour_line`.
    """
    height, width = inverse_depth.shape
    block_hw = tuple(max(1, side // scale) for side in BLOCK_HW)
    grid_hw = tuple(-(-side // cells) * cells for side, cells in zip(planes[0].shape, block_hw, strict=True))
    size_hw = grid_hw[0] * scale, grid_hw[1] * scale
    blocks = Blocks.of(size_hw, (block_hw[0] * scale, block_hw[1] * scale), scale)
    grids = [_framed(plane, (grid_hw[0], grid_hw[1])) for plane in planes]
    out, picture = _framed(inverse_depth, size_hw), _framed(picture, size_hw)
    at = np.nonzero(blocks.greatest_near(np.float32(1.0) - grids[0]) > 0.0)
    kept, least, step, *weights, share = (blocks.enlarge(grid, at) for grid in grids)
    colours = blocks.take(picture, at)
    for index, weight in enumerate(weights):
        share += weight * colours[..., index]
    np.clip(share, 0.0, 1.0, out=share)
    share *= step
    share += least
    share += kept * blocks.take(out, at)
    blocks.put(out, at, share)
    return np.ascontiguousarray(out[:height, :width])


def _framed(full: AnyArray, size_hw: tuple[int, int]) -> AnyArray:
    """Continued to the right and below, so that whole blocks cover it."""
    below, right = (size - side for size, side in zip(size_hw, full.shape, strict=False))
    if not below and not right:
        return full
    return cast(AnyArray, cv2.copyMakeBorder(full, 0, below, 0, right, cv2.BORDER_REPLICATE))


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
    between = high - low
    return cast(Plane, low), cast(Plane, between), edge * _on_a_ramp(depth, cast(Plane, low), cast(Plane, between))


def _on_a_ramp(depth: InverseDepth, least: Plane, step: Plane) -> Plane:
    """How sure it is that a pixel half-way between two surfaces is on the ramp between them, and not on a third."""
    step = np.maximum(step, np.float32(1e-3))
    small = np.ones((3, 3), np.uint8)
    slope = (cv2.dilate(depth, small) - cv2.erode(depth, small)) / step
    away = np.abs((depth - least) / step - np.float32(0.5))
    steep = np.clip((slope - np.float32(LEAST_SLOPE)) * np.float32(5.0), 0.0, 1.0)
    beside = np.clip((away - np.float32(MIDDLE)) * np.float32(10.0), 0.0, 1.0)
    return np.maximum(steep, beside)


def _colour_line(depth: InverseDepth, least: Plane, step: Plane, colours: Picture) -> list[Plane]:
    """Weights of R, G and B in 0–255, and a constant: their sum is the share of the nearer surface, made steep.

    colours: of the cells. `h w` each.
    """
    share = np.clip((depth - least) / np.maximum(step, np.float32(1e-3)), 0.0, 1.0)
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
    steep = [cast(Plane, weight * np.float32(STEEPNESS / 255.0)) for weight in weights]
    return [*steep, cast(Plane, (constant - np.float32(0.5)) * np.float32(STEEPNESS) + np.float32(0.5))]


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
