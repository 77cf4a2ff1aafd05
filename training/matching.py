"""Which pixels show the same point: in the frame before, or in the other view of a stereo camera."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

LARGEST_DISPARITY = 0.22  # of the width; Middlebury's reach 0.2
BLOCK_PX = 5
TIE_PX = 1.0  # matches from the left and from the right must agree so closely


def optical_flow(now: NDArray[np.uint8], before: NDArray[np.uint8]) -> NDArray[np.float32]:
    """`h w 2` in px: what to add to a pixel's (x, y) in `now` to find it in `before`; both `h w 3` uint8 RGB.

    DIS (Kroeger et al. 2016, arXiv:1603.03590).
    """
    grey_now, grey_before = (cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) for image in (now, before))
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    flow = np.zeros((*now.shape[:2], 2), np.float32)
    return np.asarray(search.calc(grey_now, grey_before, flow), np.float32)


def stereo_disparities(
    left: NDArray[np.uint8], right: NDArray[np.uint8]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Disparity in px of the left and of the right view, `h w` float32, NaN = no sure match; both `h w 3` uint8 RGB.

    A point at x in the left view is at x − disparity in the right one. Semi-global matching (Hirschmüller 2008,
    doi:10.1109/TPAMI.2007.1166); only what both directions agree on counts.
    """
    of_left = _matched(left, right)
    of_right = _matched(right[:, ::-1], left[:, ::-1])[:, ::-1]
    return _agreed(of_left, of_right, -1), _agreed(of_right, of_left, 1)


def _matched(image: NDArray[np.uint8], other: NDArray[np.uint8]) -> NDArray[np.float32]:
    count = -(-int(LARGEST_DISPARITY * image.shape[1]) // 16) * 16  # the matcher takes multiples of 16
    matcher = cv2.StereoSGBM.create(
        minDisparity=0,
        numDisparities=count,
        blockSize=BLOCK_PX,
        P1=8 * 3 * BLOCK_PX**2,  # OpenCV's advice for pictures of three channels
        P2=32 * 3 * BLOCK_PX**2,
        uniquenessRatio=5,
        mode=cv2.STEREO_SGBM_MODE_HH,
    )
    # What lies left of the picture has no match: room for it, so that no column is lost.
    padded = [cv2.copyMakeBorder(np.ascontiguousarray(x), 0, 0, count, 0, cv2.BORDER_REPLICATE) for x in (image, other)]
    steps = matcher.compute(*padded)[:, count:]
    return np.where(steps >= 0, steps / np.float32(16.0), np.float32(np.nan)).astype(np.float32)


def _agreed(mine: NDArray[np.float32], other: NDArray[np.float32], sign: int) -> NDArray[np.float32]:
    y, x = np.mgrid[: mine.shape[0], : mine.shape[1]].astype(np.float32)
    there = x + sign * mine
    theirs = cv2.remap(other, there, y, cv2.INTER_NEAREST, borderValue=(np.nan,))
    return np.where(np.abs(mine - theirs) < TIE_PX, mine, np.float32(np.nan)).astype(np.float32)
