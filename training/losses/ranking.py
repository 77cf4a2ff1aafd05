"""Losses on the order of pairs of points: which of two is nearer. For sets of every kind."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

from .masked import filled, masked_mean
from .pointwise import LOG_OFFSET

PAIRS = 3000  # a picture, of each kind of pair
APART = math.log(1.15)  # of nearer pairs the order is not asked: as the pair order that nets are judged by
SOFTNESS = 0.1  # in logs: a pair whose order is right by so much still costs ln(1 + 1/e)
REACH_PX = (1.0, 8.0)  # from a depth edge to either point of its pair


def ranking(prediction: Tensor, target: Tensor) -> Tensor:
    """Mean ln(1 + exp(−l·r / SOFTNESS)) over pairs, r their log ratio in the prediction, l = ±1 their order: shape b.

    Half of the pairs lie anywhere, half on the two sides of a depth edge: as in Xian et al. 2020 ("Structure-guided
    ranking loss"), eq. 2, but in logs, without pairs of equal depth, and with edges of the depth, not of the picture.
    Takes `b 1 h w`; pairs with a point that was not measured don't count.
    """
    valid = ~torch.isnan(target)
    true = filled(target, valid)
    places = torch.cat((_anywhere(target), across_edges(true, valid)), dim=2)
    known = _at(valid, places).all(dim=1)
    true_ratio, ratio = (_log_ratio(x, places) for x in (true, prediction))
    counts = known & (true_ratio.abs() > APART)
    return masked_mean(functional.softplus(-true_ratio.sign() * ratio / SOFTNESS), counts)


def _anywhere(target: Tensor) -> Tensor:
    """Places of random pairs: `b 2 PAIRS`, positions in a flattened map."""
    return torch.randint(target[0].numel(), (len(target), 2, PAIRS), device=target.device)


def across_edges(true: Tensor, valid: Tensor) -> Tensor:
    """Places of pairs on both sides of depth edges, the steeper the likelier: `b 2 PAIRS`."""
    height, width = true.shape[-2:]
    slope_x, slope_y = _slopes(true, valid)
    steepness = (slope_x**2 + slope_y**2).sqrt().flatten(1)
    edge = torch.multinomial(steepness + 1e-8, PAIRS, replacement=True)  # a flat picture has pairs anywhere
    across_x, across_y = (slope.flatten(1).gather(1, edge) for slope in (slope_x, slope_y))
    norm = (across_x**2 + across_y**2).sqrt().clamp_min(1e-8)
    reach = torch.empty((len(true), 2, PAIRS), device=true.device).uniform_(*REACH_PX)
    reach[:, 1].neg_()
    x = (edge % width)[:, None] + reach * (across_x / norm)[:, None]
    y = (edge // width)[:, None] + reach * (across_y / norm)[:, None]
    return y.round().long().clamp(0, height - 1) * width + x.round().long().clamp(0, width - 1)


def _slopes(true: Tensor, valid: Tensor) -> tuple[Tensor, Tensor]:
    """Central differences, 0 beside what was not measured and at the border."""
    slopes: list[Tensor] = []
    for axis, pad in ((-1, (1, 1, 0, 0)), (-2, (0, 0, 1, 1))):
        length = true.shape[axis] - 2
        after, before = true.narrow(axis, 2, length), true.narrow(axis, 0, length)
        both = valid.narrow(axis, 2, length) & valid.narrow(axis, 0, length)
        slopes.append(functional.pad((after - before) * both, pad))
    return slopes[0], slopes[1]


def _at(x: Tensor, places: Tensor) -> Tensor:
    return x.flatten(1)[:, None].expand(-1, 2, -1).gather(2, places)


def _log_ratio(x: Tensor, places: Tensor) -> Tensor:
    one, other = torch.log(_at(x, places) + LOG_OFFSET).unbind(dim=1)
    return one - other
