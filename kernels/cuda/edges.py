"""Depth enlarged so that its edges are those of the picture: the steps of `..cpu.edges`. See `...api.Kernels.upsample`.

Unlike there, nothing waits to learn whether there is an edge at all.
"""

from __future__ import annotations

import numpy as np

from .depth import MEDIAN, resize
from .launch import DeviceArray, Kernel, Recordable

ON_GRID, EXTREMES, SURFACES = (Kernel("edges.cu", name) for name in ("on_grid", "extremes", "surfaces"))
COLOURS, SURE, MEANS, LINE, ENLARGE = (
    Kernel("colour_line.cu", name)
    for name in ("cell_colours", "sure_colours", "mean_colours", "colour_line", "with_edges")
)


def upsample(gpu: Recordable, inverse_depth: DeviceArray, picture: DeviceArray) -> DeviceArray:
    (high, wide), (height, width) = inverse_depth.shape, picture.shape[:2]
    if high >= height or wide >= width:
        return resize(gpu, inverse_depth, (height, width))
    scale = max(2, round(height / high))
    grid_hw = -(-height // scale), -(-width // scale)
    surfaces = _surfaces(gpu, _calm(gpu, inverse_depth, (height, width), scale, grid_hw))
    colours = gpu.empty((*grid_hw, 4), np.float32)
    gpu.launch(COLOURS, grid_hw[::-1], picture, height, width, scale, surfaces, colours, *grid_hw)
    depths, weights = _colour_line(gpu, surfaces, colours)
    out = gpu.empty((height, width), np.float32)
    gpu.launch(ENLARGE, (width, height), inverse_depth, high, wide, picture, height, width, scale, depths, weights,
               *grid_hw, out)  # fmt: skip
    return out


def _calm(
    gpu: Recordable, inverse_depth: DeviceArray, size_hw: tuple[int, int], scale: int, grid_hw: tuple[int, int]
) -> DeviceArray:
    """In cells of `scale` pixels, without noise of single cells."""
    grid = inverse_depth
    if grid.shape != grid_hw:
        grid = gpu.empty(grid_hw, np.float32)
        gpu.launch(ON_GRID, grid_hw[::-1], inverse_depth, *inverse_depth.shape, *size_hw, scale, grid, *grid_hw)
    calm = gpu.empty(grid_hw, np.float32)
    gpu.launch(MEDIAN[3], grid_hw[::-1], grid, calm, *grid_hw)
    return calm


def _surfaces(gpu: Recordable, depth: DeviceArray) -> DeviceArray:
    """The two surfaces that meet near each cell, `h w 4`: see `edges.cu`."""
    grid_hw = depth.shape
    least, greatest, edge = (gpu.empty(grid_hw, np.float32) for _ in range(3))
    gpu.launch(EXTREMES, grid_hw[::-1], depth, *grid_hw, least, greatest, edge)
    surfaces = gpu.empty((*grid_hw, 4), np.float32)
    gpu.launch(SURFACES, grid_hw[::-1], depth, *grid_hw, least, greatest, edge, surfaces)
    return surfaces


def _colour_line(gpu: Recordable, surfaces: DeviceArray, colours: DeviceArray) -> tuple[DeviceArray, DeviceArray]:
    """Depths and weights of colours for each cell, `h w 4`: see `colour_line.cu`."""
    rows, columns = surfaces.shape[:2]
    half_hw = max(rows // 2, 1), max(columns // 2, 1)  # the means are smooth
    sums = [gpu.empty((*half_hw, 4), np.float32) for _ in range(2)]
    gpu.launch(SURE, half_hw[::-1], colours, rows, columns, *sums, *half_hw)
    means = [gpu.empty((*half_hw, 4), np.float32) for _ in range(2)]
    for sums_of_one, means_of_one in zip(sums, means, strict=True):
        gpu.launch(MEANS, half_hw[::-1], sums_of_one, *half_hw, means_of_one)
    depths, weights = (gpu.empty((rows, columns, 4), np.float32) for _ in range(2))
    gpu.launch(LINE, (columns, rows), surfaces, rows, columns, *means, *half_hw, depths, weights)
    return depths, weights
