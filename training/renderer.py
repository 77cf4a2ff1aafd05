"""Refocus as the kernels do it, with a gradient that reaches the depth: a twin of `kernels.api.Kernels.refocus`.

The same planes, and in the same order: cut out with soft shares, filled in behind nearer ones, blurred with their
coverage by their own circle of confusion, and laid over each other, far to near, in linear light. Here everything is
at full size and no plane is limited to where it lies, so it is also the plain form of what `kernels/cpu/refocus.py`
does fast. The lens is a disc.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise

import torch
from scipy.fft import next_fast_len
from torch import Tensor
from torch.nn import functional

from ..kernels.cpu.planes import SHARP_PX, Planes

SUBPIXELS = 8
SMALLEST_PX = 4  # of the coarsest grid that hidden values are guessed on
TINY = 1e-6


def refocus(
    image: Tensor, inverse_depth: Tensor, focus: Tensor, reach_px: float, planes: Planes, dead_zone: float = 0.0
) -> Tensor:
    """What a lens shows of each picture: `b 3 h w` sRGB in [0, 1], as `image`.

    inverse_depth: `b 1 h w`. focus: b, the inverse depth in focus of each. reach_px and dead_zone: as `Lens`'s.
    planes: where all pictures are cut; what has a larger radius than the last plane on its side lies on that plane.
    """
    radii = signed_radii(inverse_depth, focus, reach_px, dead_zone)
    covered = torch.cat((to_light(image), torch.ones_like(radii)), dim=1)
    radii_px = (*reversed(planes.front), 0.0, *planes.back)
    nearer = torch.zeros_like(radii)
    layers: list[Tensor] = []
    for radius_px, reached in zip(radii_px, _reached(radii, planes), strict=True):
        share = reached - nearer
        if share.any():
            seen = covered * share
            layers.append(blurred(filled(seen, 1.0 - nearer) if nearer.any() else seen, radius_px))
        nearer = reached
    total = torch.zeros_like(image)
    for layer in reversed(layers):
        total = layer[:, :3] + (1.0 - layer[:, 3:]) * total
    return to_srgb(total)


def signed_radii(inverse_depth: Tensor, focus: Tensor, reach_px: float, dead_zone: float = 0.0) -> Tensor:
    """The radius of every pixel's circle of confusion in pixels, positive before the focus, negative behind it."""
    apart = inverse_depth - focus.view(-1, 1, 1, 1)
    return reach_px * (apart - apart.clamp(-dead_zone, dead_zone))


def _reached(radii: Tensor, planes: Planes) -> list[Tensor]:
    """For each plane, near to far, the share of every pixel that lies on it or on a nearer one."""
    front = [_beyond(radii, *pair) for pair in pairwise((SHARP_PX, *planes.front))]
    back = [1.0 - _beyond(-radii, *pair) for pair in pairwise((SHARP_PX, *planes.back))]
    return [*reversed(front), *back, torch.ones_like(radii)]


def _beyond(radii: Tensor, inner_px: float, outer_px: float) -> Tensor:
    """The share that lies on the planes from `outer_px` on outward; `inner_px` is the plane before it."""
    return ((radii - inner_px) / (outer_px - inner_px)).clamp(0.0, 1.0)


def filled(seen: Tensor, visible: Tensor) -> Tensor:
    """`seen` with its surroundings where it was hidden, by pull-push (Gortler et al. 1996, doi:10.1145/237170.237200).

    seen: `b c h w`, each value times the share of its pixel that could be seen. visible: `b 1 h w`, that share.
    """
    height, width = visible.shape[-2:]
    guess = functional.interpolate(_surroundings(seen, visible), scale_factor=2, mode="bilinear", align_corners=False)
    return seen + (1.0 - visible) * guess[..., :height, :width]


def _surroundings(seen: Tensor, visible: Tensor) -> Tensor:
    """A smooth guess at every hidden value, at half the size of `seen`."""
    cells, share = _halved(seen), _halved(visible)
    known = (4.0 * share).clamp_max(1.0)  # cells that are partly seen are known nearly as well as whole ones
    cells = cells / share.clamp_min(0.25)
    if min(share.shape[-2:]) >= SMALLEST_PX:
        return filled(cells, known)
    mean = cells.sum(dim=(2, 3), keepdim=True) / known.sum(dim=(2, 3), keepdim=True).clamp_min(TINY)
    return cells + (1.0 - known) * mean


def _halved(x: Tensor) -> Tensor:
    return functional.avg_pool2d(x, 2, ceil_mode=True, count_include_pad=False)


def blurred(x: Tensor, radius_px: float) -> Tensor:
    """`b c h w` blurred by a disc; the border is mirrored. Through Fourier space, so all radii cost the same."""
    if not radius_px:
        return x
    height, width = x.shape[-2:]
    size_hw = _roomy(height, radius_px), _roomy(width, radius_px)
    top, left = (size_hw[0] - height) // 2, (size_hw[1] - width) // 2
    room = _mirrored(_mirrored(x, -2, top, size_hw[0]), -1, left, size_hw[1])
    spectrum = torch.fft.rfft2(room) * _transfer(radius_px, size_hw).to(x)
    return torch.fft.irfft2(spectrum, s=size_hw)[..., top : top + height, left : left + width]


def _roomy(side: int, radius_px: float) -> int:
    """Room for the blur at both ends, and a size that the transform is quick at."""
    size = next_fast_len(side + 2 * (int(radius_px) + 1), real=True)
    assert size is not None
    return int(size)


def _mirrored(x: Tensor, axis: int, before: int, size: int) -> Tensor:
    """`x` continued by its mirror image to `size` along an axis, `before` of it before its start."""
    after = size - before - x.shape[axis]
    while before or after:
        length = x.shape[axis]
        ahead, behind = min(before, length), min(after, length)
        x = torch.cat(
            (x.narrow(axis, 0, ahead).flip(axis), x, x.narrow(axis, length - behind, behind).flip(axis)), axis
        )
        before, after = before - ahead, after - behind
    return x


@lru_cache(maxsize=64)
def _transfer(radius_px: float, size_hw: tuple[int, int]) -> Tensor:
    """The transform of a disc around (0, 0), which is real."""
    disc = _disc(radius_px)
    reach = disc.shape[0] // 2
    room = torch.zeros(size_hw, dtype=disc.dtype)
    room[: disc.shape[0], : disc.shape[1]] = disc
    return torch.fft.rfft2(room.roll((-reach, -reach), (0, 1))).real


def _disc(radius_px: float) -> Tensor:
    """The image of a point of light: anti-aliased, of sum 1, with the second moment of an ideal disc."""
    radius = max(0.25, radius_px**2 - 1.0 / 3.0) ** 0.5  # a pixel's own square has a variance too
    reach = int(radius) + 1
    across = (torch.arange((2 * reach + 1) * SUBPIXELS, dtype=torch.float64) + 0.5) / SUBPIXELS - reach - 0.5
    inside = (across[:, None].square() + across.square() <= radius**2).double()
    disc = functional.avg_pool2d(inside[None, None], SUBPIXELS)[0, 0]
    return disc / disc.sum()


def to_light(srgb: Tensor) -> Tensor:
    """sRGB in [0, 1] → linear light (IEC 61966-2-1)."""
    return torch.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)


def to_srgb(light: Tensor) -> Tensor:
    """Linear light in [0, 1] → sRGB; its slope is finite everywhere."""
    curve = 1.055 * light.clamp_min(0.0031308) ** (1 / 2.4) - 0.055
    return torch.where(light <= 0.0031308, 12.92 * light, curve)
