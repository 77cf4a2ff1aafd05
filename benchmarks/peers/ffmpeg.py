"""What ffmpeg's own filters make of a picture and its depth. One ffmpeg runs for each shot.

A frame goes in as one picture twice as high, the inverse depth (8 bits) below the picture, so that the two cannot part.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from functools import cache

import numpy as np

from ...kernels.api import InverseDepth, Picture
from .api import Means, MissingPeerError, Shot
from .streamed import FrameProgram, InProgram

LAYERS = 6
LARGEST_RADIUS = 255  # of varblur
HELD, MOST_HELD = 2, 8  # frames that ffmpeg holds back: 5.1 one or two, as it happens; other versions may hold more
WAIT_S = 15.0  # for a picture to come out before one more is handed in
SPLIT = "[0:v]format=gbrp,split[both0][both1];[both0]crop={w}:{h}:0:0[picture];[both1]crop={w}:{h}:0:{h}[depth];"
Graph = Callable[[Shot], str]


def varblur(shot: Shot) -> str:
    """`varblur`: each pixel the mean of a box whose half width follows the depth.

    A box of half width b spreads as a disc of radius r does where b = r √3 / 2.
    """
    reach_px = shot.lens.reach_px * 3.0**0.5 / 2.0 / box_per_radius()
    largest = min(max(1, round(reach_px * max(shot.focus, 1.0 - shot.focus))), LARGEST_RADIUS)
    away = f"max(abs(val/255-{shot.focus:.5f})-{shot.dead_zone:.5f},0)"
    radius = f"clip({away}*{reach_px * 255 / largest:.4f},0,255)"
    mapped = f"[depth]lutrgb=r='{radius}':g='{radius}':b='{radius}'[radius];"
    return f"{mapped}[picture][radius]varblur=min_r=0:max_r={largest}[out]"


@cache
def box_per_radius() -> float:
    """Half width of the box for a `max_r` of 1, measured on a white square: it is not 1 (ffmpeg 5.1: about 4)."""
    size, white, radius = 160, 20, 4
    both = np.zeros((2 * size, size), np.uint8)
    both[(size - white) // 2 : (size + white) // 2, (size - white) // 2 : (size + white) // 2] = 255
    both[size:] = 255
    shape = ["-f", "rawvideo", "-pix_fmt", "gray", "-video_size", f"{size}x{2 * size}", "-i", "pipe:0"]
    graph = f"split[a][b];[a]crop={size}:{size}:0:0[p];[b]crop={size}:{size}:0:{size}[r];[p][r]varblur=max_r={radius}"
    command = [_program("varblur"), "-loglevel", "error", *shape, "-filter_complex", graph, "-f", "rawvideo", "pipe:1"]
    done = subprocess.run(command, input=both.tobytes(), stdout=subprocess.PIPE, check=False).stdout  # noqa: S603
    if len(done) != size * size:
        raise MissingPeerError("this ffmpeg's varblur gave no picture")
    lit = np.nonzero(np.frombuffer(done, np.uint8).reshape(size, size)[size // 2])[0]
    return max((int(lit[-1] - lit[0]) + 1 - white) / 2.0, 1.0) / radius


def layered(shot: Shot) -> str:
    """A Gaussian-blurred copy for each of LAYERS equal steps of depth, pasted together by `maskedmerge`."""
    edges = [round(256 * k / LAYERS) for k in range(LAYERS + 1)]
    numbers = range(1, LAYERS)  # each laid over the ones before; layer 0 is what they are laid on
    pictures, depths = "".join(f"[p{k}]" for k in range(LAYERS)), "".join(f"[d{k}]" for k in numbers)
    parts = [f"[picture]split={LAYERS}{pictures}", f"[depth]split={LAYERS - 1}{depths}"]
    parts += [f"[p{k}]{_layer_blur(shot, edges[k], edges[k + 1])}[b{k}]" for k in range(LAYERS)]
    for k in numbers:
        mask = f"255*gte(val,{edges[k]})*lt(val,{edges[k + 1]})"
        below, name = ("b0" if k == 1 else f"o{k - 1}"), ("out" if k == LAYERS - 1 else f"o{k}")
        parts.append(f"[d{k}]lutrgb=r='{mask}':g='{mask}':b='{mask}'[m{k}]")
        parts.append(f"[{below}][b{k}][m{k}]maskedmerge[{name}]")
    return ";".join(parts)


def _layer_blur(shot: Shot, first: int, end: int) -> str:
    """The filter for the layer of 8-bit depths from `first` up to `end`; that of the focus stays sharp."""
    sigma_px = shot.lens.radius_px((first + end - 1) / 2.0 / 255.0) / 2.0
    holds_focus = first <= 255.0 * shot.focus < end
    return "null" if holds_focus or sigma_px == 0.0 else f"gblur=sigma={sigma_px:.3f}:steps=2"


class Ffmpeg(InProgram):
    """One of the graphs above. It holds frames back; how many at most is found out when a shot begins."""

    sees, takes = "", "depth"

    def __init__(self, graph: Graph, *filters: str) -> None:
        self._graph, self._filters = graph, filters
        self.delay_frames = 0

    def prepare(self, shot: Shot) -> None:
        self.close()
        self._shot = shot
        command = _command(_program(*self._filters), self._graph(shot), shot.size_hw)
        self._program = FrameProgram(command, shot.size_hw)
        blank = bytes(shot.size_hw[0] * 2 * shot.size_hw[1] * 3)
        for _ in range(HELD):
            self._program.put(blank)
        for held in range(HELD, MOST_HELD + 1):
            self._program.put(blank)
            try:
                self._program.take(WAIT_S)
            except TimeoutError:
                continue
            self.delay_frames = held
            return
        raise MissingPeerError(f"ffmpeg gave no picture after {MOST_HELD} frames")

    def render(self, picture: Picture, inverse_depth: InverseDepth | None) -> Picture:
        assert self._program is not None
        assert inverse_depth is not None
        grey = np.rint(255.0 * np.clip(inverse_depth, 0.0, 1.0)).astype(np.uint8)
        self._program.put(picture.tobytes() + np.repeat(grey[..., None], 3, axis=2).tobytes())
        return self._program.take()


def with_varblur(means: Means) -> Ffmpeg:
    """See `varblur`."""
    del means
    return Ffmpeg(varblur, "varblur")


def with_layers(means: Means) -> Ffmpeg:
    """See `layered`."""
    del means
    return Ffmpeg(layered, "maskedmerge", "gblur")


def _program(*filters: str) -> str:
    """ffmpeg's path. Raises MissingPeerError where it, or one of the filters, is not there."""
    program = shutil.which("ffmpeg")
    if program is None:
        raise MissingPeerError("ffmpeg is not installed")
    asked = [program, "-hide_banner", "-filters"]
    known = subprocess.run(asked, stdout=subprocess.PIPE, text=True, check=False).stdout  # noqa: S603
    if lacking := [name for name in filters if f" {name} " not in known]:
        raise MissingPeerError(f"this ffmpeg has no filter {' and no filter '.join(lacking)}")
    return program


def _command(program: str, graph: str, size_hw: tuple[int, int]) -> list[str]:
    height, width = size_hw
    quiet = ["-nostdin", "-hide_banner", "-loglevel", "error"]
    at_once = ["-probesize", "32", "-analyzeduration", "0"]
    shape = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-video_size", f"{width}x{2 * height}", "-framerate", "30"]
    filtering = SPLIT.format(w=width, h=height) + graph + ";[out]format=rgb24[rgb]"
    out = ["-map", "[rgb]", "-fps_mode", "passthrough", "-f", "rawvideo", "-flush_packets", "1", "pipe:1"]
    return [program, *quiet, *at_once, *shape, "-i", "pipe:0", "-filter_complex", filtering, *out]
