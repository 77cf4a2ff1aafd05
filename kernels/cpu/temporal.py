"""Depth that holds still while the picture does. The specification is `..api.Kernels`.

A Kalman filter for every pixel (Kalman 1960, doi:10.1115/1.3662552) whose prediction is the last estimate, moved
along with the picture by optical flow (DIS: Kroeger et al. 2016, arXiv:1603.03590). Its gain rises with the picture's
change, and with innovations that keep one sign, as they do when depth really changes (Trigg & Leach 1967,
doi:10.2307/3010768). Only depth itself is kept at full size: what is seen of motion is coarse, and so is the gain.
"""

from __future__ import annotations

from functools import lru_cache
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from ..api import InverseDepth, Picture
from ..belief import Belief, Motion

Map = NDArray[np.float32]

LEVELS = np.arange(256, dtype=np.float32)  # of the difference to the picture before
NEW = np.clip((LEVELS - 4.0) / 8.0, 0.0, 1.0)  # motion compensated: what is new
LEAST_SIDES = (32, 92)  # of what OpenCV searches in for motion; on less it was seen to crash
STIRRED = np.clip((LEVELS - 3.0) / 5.0, 0.0, 1.0)  # not compensated
STIRRED_REACH_PX = 3  # a net's edge is a ramp: depth changes this far around what moves
LONGEST = 8.0  # frames' worth of past that a pixel may hold
DRIFT_RATE = 0.3
OUTLIER_SIGMAS = 2.5  # of noise: what a single frame can add to the drift
DRIFT_SIGMAS = 1.5  # of the drift that noise alone makes
BURST_SIGMAS = 3.0  # of noise: an innovation beyond it, where something is stirred, is no noise
NOISE_RATE = 0.1
NOISE_RANGE = (0.002, 0.012)  # inverse depth
SETTLED = 2.0  # frames' worth; with less a pixel tells nothing of the noise
LEAST_SAMPLES = 50  # of settled pixels


def shrink(picture: Picture, size_hw: tuple[int, int]) -> Picture:
    # Four bilinear samples a pixel, at a tenth of the cost of a true mean.
    height, width = size_hw
    twice = cv2.resize(picture, (2 * width, 2 * height), interpolation=cv2.INTER_LINEAR)
    return cast(Picture, cv2.resize(twice, (width, height), interpolation=cv2.INTER_AREA))


def first_belief(inverse_depth: InverseDepth, grid_hw: tuple[int, int]) -> Belief:
    return Belief.first(inverse_depth, grid_hw)


def motion(now: Picture, before: Picture, fine: bool = False) -> Motion:
    flow = _flow(now, before, fine)
    x, y = _sources(flow, now.shape[:2])
    moved = cv2.remap(before, *cv2.convertMaps(x, y, cv2.CV_16SC2), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    # Blurred, for what is smaller than a pixel moves without a trace.
    calm_now, calm_before, calm_moved = (cv2.blur(picture, (3, 3)) for picture in (now, before, moved))
    left, still = _difference(calm_now, calm_moved), _difference(calm_now, calm_before)
    # Flow is a guess where there is nothing to see; taken at its word it would smear depth that stands still.
    flow = cast(Map, cv2.copyTo(flow, cv2.compare(still, left, cv2.CMP_GT)))
    new = np.maximum(cast(Map, cv2.LUT(cv2.min(left, still), NEW)), _outside(x, y))
    around = np.ones((2 * STIRRED_REACH_PX + 1,) * 2, np.uint8)
    return Motion(flow, new, cast(Map, cv2.LUT(cv2.dilate(still, around), STIRRED)))


def carry(belief: Belief, motion: Motion) -> Belief:
    x, y = _sources(motion.flow, belief.depth.shape)
    depth = cv2.remap(belief.depth, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    x, y = _sources(motion.flow, belief.weight.shape)
    held = cv2.merge([belief.weight, belief.drift])
    weight, drift = cv2.split(cv2.remap(held, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))
    weight -= weight * motion.new
    drift -= drift * motion.new
    stirred = np.maximum(belief.stirred, motion.stirred)
    return Belief(cast(InverseDepth, depth), cast(Map, weight), cast(Map, drift), stirred, belief.noise)


def fuse(belief: Belief, new: InverseDepth) -> Belief:
    innovation = new - belief.depth
    height, width = belief.weight.shape
    coarse = cast(Map, cv2.resize(innovation, (width, height), interpolation=cv2.INTER_AREA))
    noise = _noise(belief, coarse)
    tame = np.clip(coarse, -OUTLIER_SIGMAS * noise, OUTLIER_SIGMAS * noise)
    drift = cast(Map, cv2.addWeighted(belief.drift, 1.0 - DRIFT_RATE, tame, DRIFT_RATE, 0.0))
    gain = _gain(belief, coarse, drift, noise)
    fine = cv2.resize(gain, belief.depth.shape[::-1], interpolation=cv2.INTER_LINEAR)
    innovation *= fine
    innovation += belief.depth
    weight = np.minimum(np.float32(1.0) / gain, np.float32(LONGEST))
    return Belief(innovation, weight, drift, np.zeros_like(weight), noise)


def _flow(now: Picture, before: Picture, fine: bool) -> Map:
    flow = np.zeros((*now.shape[:2], 2), np.float32)
    if min(now.shape[:2]) < LEAST_SIDES[0] or max(now.shape[:2]) < LEAST_SIDES[1]:
        return flow
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
    search.setFinestScale(1 if fine else 2)
    search.setPatchStride(4 if fine else 6)  # of patches of 8 pixels
    grey_now, grey_before = (cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY) for picture in (now, before))
    return cast(Map, search.calc(grey_now, grey_before, flow))


def _gain(belief: Belief, innovation: Map, drift: Map, noise: float) -> Map:
    """The share of the innovation to believe, `h' w'`, above 0."""
    gain = np.float32(1.0) / (belief.weight + np.float32(1.0))
    # What noise alone makes of a running mean is known; what is beyond it is real, and is caught up with.
    usual = np.float32(DRIFT_SIGMAS * noise * (DRIFT_RATE / (2.0 - DRIFT_RATE)) ** 0.5)
    lag = np.abs(cast(Map, cv2.blur(drift, (3, 3), borderType=cv2.BORDER_REFLECT)))
    np.maximum(gain, 1.0 - usual / np.maximum(lag, usual), out=gain)
    burst = np.clip(np.abs(innovation) / np.float32(BURST_SIGMAS * noise) - np.float32(1.0), 0.0, 1.0)
    return np.maximum(gain, burst * belief.stirred, out=gain)


def _noise(belief: Belief, innovation: Map) -> float:
    """The net's noise, followed slowly by the median innovation (1.48: of a normal distribution) where all is calm."""
    some = slice(None, None, 4)
    strayed = np.abs(innovation[some, some] - belief.drift[some, some])
    settled = strayed[belief.weight[some, some] > SETTLED]
    if settled.size < LEAST_SAMPLES:
        return belief.noise
    now = float(np.clip(1.48 * np.median(settled), *NOISE_RANGE))
    return belief.noise + NOISE_RATE * (now - belief.noise)


def _sources(flow: Map, shape: tuple[int, ...]) -> tuple[Map, Map]:
    """Where each pixel of a map of `shape` comes from: x and y, in its own pixels."""
    height, width = shape
    x, y = _grid((height, width))
    flow_x, flow_y = cv2.split(flow)
    if flow_x.shape == shape:
        return cast(Map, flow_x + x), cast(Map, flow_y + y)
    flow_x *= np.float32(width / flow.shape[1])
    flow_y *= np.float32(height / flow.shape[0])
    there_x, there_y = (cv2.resize(part, (width, height), interpolation=cv2.INTER_LINEAR) for part in (flow_x, flow_y))
    there_x += x
    there_y += y
    return cast(Map, there_x), cast(Map, there_y)


@lru_cache(maxsize=8)
def _grid(size_hw: tuple[int, int]) -> tuple[Map, Map]:
    y, x = np.mgrid[: size_hw[0], : size_hw[1]].astype(np.float32)
    return x, y


def _outside(x: Map, y: Map) -> NDArray[np.bool_]:
    """Where a pixel comes from beyond the border."""
    height, width = x.shape
    return (x < -0.5) | (x > width - 0.5) | (y < -0.5) | (y > height - 0.5)


def _difference(a: cv2.typing.MatLike, b: cv2.typing.MatLike) -> NDArray[np.uint8]:
    """The largest difference of a channel, `h w`."""
    red, green, blue = cv2.split(cv2.absdiff(a, b))
    return cast(NDArray[np.uint8], cv2.max(cv2.max(red, green), blue))
