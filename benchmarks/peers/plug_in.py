"""The focal blur of the plug-in "Background Removal" of OBS Studio, with its depth net TCMonoDepth-small.

Reproduced of it: the net's input (the frame at 320 × 192, RGB, 0–255), ONNX Runtime on the CPU; its output stretched
to 0–1 in every frame, taken to 8 bits and turned round, mixed 85 : 15 with the mask before; the focal blur, in which
pass i of N replaces each pixel by the mean of four points (i + ½) px off along both diagonals, as long as i / N is
below the pixel's distance from the focus; and that this distance is taken on 1.25 times the mean of five points of the
mask, 1 % of the picture apart. Not reproduced: the GPU. The plug-in blurs in a shader; here the same sums are made by
OpenCV on the CPU, so of its time only the net's part is the plug-in's own. Its sliders (focus and N, up to 20) are set
as a user would: sharp at the shot's focus, and with the lens's blur where the first frame is farthest from it.
"""

from __future__ import annotations

from typing import Any, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from ...kernels.api import InverseDepth, Picture
from .api import InProcess, Means, MissingPeerError, Shot

NEW_SHARE = 0.85  # of a new mask, its default
MOST_PASSES = 20  # of its slider
POINTS = ((0.0, 0.0), (0.01, 0.01), (-0.01, 0.01), (0.01, -0.01), (-0.01, -0.01))  # shares of width and height
GAIN = 1.25  # the shader sums five points and divides by four
Mask = NDArray[np.uint8]


class PlugIn(InProcess):
    """See above."""

    sees, takes = "depth", "depth"

    def __init__(self, means: Means) -> None:
        self._path = means.tcmonodepth
        self._net: Any = None

    def prepare(self, shot: Shot) -> None:
        if self._net is None:
            self._net = self._load()
        self._shot = shot
        self._before: Mask | None = None
        self._sliders: tuple[float, int] | None = None

    def render(self, picture: Picture, inverse_depth: InverseDepth | None) -> Picture:
        depth = self._infer(picture) if inverse_depth is None else inverse_depth
        low, high = float(depth.min()), float(depth.max())
        stretched = (depth - low) / max(high - low, 1e-6)
        mask = np.asarray(255 - np.rint(255.0 * stretched).astype(np.uint8), np.uint8)
        mask = np.asarray(cv2.resize(mask, picture.shape[1::-1], interpolation=cv2.INTER_LINEAR), np.uint8)
        if self._before is not None:
            mask = np.asarray(cv2.addWeighted(mask, NEW_SHARE, self._before, 1.0 - NEW_SHARE, 0.0), np.uint8)
        self._before = mask
        value = _softened(mask)
        if self._sliders is None:
            self._sliders = set_sliders(self._shot, value)
        focus, passes = self._sliders
        return focal_blur(picture, np.minimum(np.abs(value - np.float32(focus)), np.float32(1.0)), passes)

    def _load(self) -> Any:
        if self._path is None or not self._path.is_file():
            raise MissingPeerError(
                "its net is not here: pass --tcmonodepth FILE (tcmonodepth_tcsmallnet_192x320.onnx, MIT licence)"
            )
        try:
            import onnxruntime as ort
        except ImportError:
            raise MissingPeerError("ONNX Runtime is not installed: pip install onnxruntime") from None
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1  # the plug-in's default
        return ort.InferenceSession(str(self._path), options, providers=["CPUExecutionProvider"])

    def _infer(self, picture: Picture) -> InverseDepth:
        put = self._net.get_inputs()[0]
        height, width = put.shape[2:]
        small = cv2.resize(picture, (width, height), interpolation=cv2.INTER_LINEAR).astype(np.float32)
        return np.squeeze(self._net.run(None, {put.name: small.transpose(2, 0, 1)[None]})[0])


def set_sliders(shot: Shot, value: NDArray[np.float32]) -> tuple[float, int]:
    """Focus point and number of passes for the shot's first frame. value: as `_softened` gives it."""
    point = min(float(np.median(value[shot.in_focus()])), 1.0)
    farthest = min(float(np.percentile(np.abs(value - point), 99)), 1.0)
    wanted_px = shot.widest_px() / 2.0  # a disc of radius r spreads as a Gaussian of sigma r / 2 does
    errors = [abs(spread_px(done(farthest, n)) - wanted_px) for n in range(1, MOST_PASSES + 1)]
    return point, 1 + int(np.argmin(errors))


def done(distance: float, passes: int) -> int:
    """How many of the passes reach a pixel at this distance from the focus."""
    return min(int(distance * passes) + 1, passes)


def spread_px(passes: int) -> float:
    """Standard deviation, along one axis, of what the first passes do to a point."""
    return float(np.sqrt(sum((i + 0.5) ** 2 + 0.25 for i in range(passes))))


def focal_blur(picture: Picture, distance: NDArray[np.float32], passes: int) -> Picture:
    """distance: `h w` in [0, 1]. Every pass rounds to 8 bits, as the plug-in's textures do."""
    out = picture
    for i in range(passes):
        taps = np.zeros(2 * i + 3, np.float32)
        for place in (0, 1, -2, -1):  # half a pixel between two: a quarter of the sum each, both twice in pass 0
            taps[place] += 0.25
        blurred = cv2.sepFilter2D(out, -1, taps, taps, borderType=cv2.BORDER_REPLICATE)
        stays = np.float32(i / passes) > distance
        if stays.any():
            np.copyto(blurred, out, where=stays[..., None])
        out = cast(Picture, blurred)
    return out


def _softened(mask: Mask) -> NDArray[np.float32]:
    """What the shader takes for a pixel's depth, `h w` in [0, 1.25]."""
    height, width = mask.shape
    total = np.zeros(mask.shape, np.float32)
    for x, y in POINTS:
        moved = np.array([[1.0, 0.0, x * width], [0.0, 1.0, y * height]])
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        total += cv2.warpAffine(mask, moved, (width, height), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return total / np.float32(4.0 * 255.0)
