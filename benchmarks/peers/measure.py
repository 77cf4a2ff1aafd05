"""One peer's figures: cost and latency on clips, nearness to a lens on drawn scenes, flicker before a still camera."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import cv2
import numpy as np
from numpy.typing import NDArray

from ...kernels.api import InverseDepth, Picture
from .api import Peer
from .drawn import BLEED, Truth, leaked
from .stored import Clip

WARM_UP = 3
KEPT = 5  # the frame whose picture is kept
RATE = 30.0  # frames a second of a live source, for what a peer holds back
STILL_SIGMA_PX, SETTLED = 4.0, 10
VISIBLE = 2.0  # of 255; a sensor's noise leaves five times less of itself in the smoothed picture


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one frame.

    median_ms, q3_ms: from its being handed in until a picture comes back. cpu_ms: mean user + system time of all
    threads. latency_ms: until the frame's own picture comes back, at RATE. peak_mb: of the process. None: not known.
    """

    frames: int
    median_ms: float
    q3_ms: float
    cpu_ms: float | None
    latency_ms: float
    peak_mb: float | None


def cost(peer: Peer, clip: Clip, hand_in: bool, budget_s: float) -> tuple[Cost, Picture]:
    """The cost, and the picture of frame KEPT. hand_in: the depth too. budget_s: after that no more are begun."""
    peer.prepare(clip.shot())
    took_ms: list[float] = []
    started_s, cpu_s, kept = perf_counter(), 0.0, np.zeros((*clip.size_hw, 3), np.uint8)
    for index, (frame, depth) in enumerate(clip.frames()):
        if index > KEPT + peer.delay_frames and perf_counter() - started_s > budget_s:
            break
        before_s, begun_s = _cpu_s(peer), perf_counter()
        picture = peer.render(frame, depth if hand_in else None)
        if index >= min(WARM_UP, clip.count - 1):
            took_ms.append((perf_counter() - begun_s) * 1e3)
            cpu_s += _cpu_s(peer) - before_s
        kept = picture if index <= KEPT + peer.delay_frames else kept
    q3, median = (float(np.percentile(took_ms, q)) for q in (75, 50))
    latency_ms, cpu_ms = median + peer.delay_frames * 1e3 / RATE, cpu_s * 1e3 / len(took_ms)
    known_ms = None if np.isnan(cpu_ms) else cpu_ms
    return Cost(len(took_ms), median, q3, known_ms, latency_ms, _peak_mb(peer)), kept


def truth_scores(peer: Peer, truths: Iterable[Truth]) -> dict[str, dict[str, float]]:
    """Scene → PSNR against the lens in dB, everywhere and near depth edges; of one the leaked colour."""
    from ..truth import BAND_PX, edge_band, psnr_db  # with scikit-learn: not while a peer's memory is measured

    scores: dict[str, dict[str, float]] = {}
    for truth in truths:
        peer.prepare(truth.shot())
        result = rendered_still(peer, truth.picture, truth.inverse_depth)
        band = edge_band(truth.inverse_depth, BAND_PX)
        areas = {"all": np.ones_like(band), "edge band": band}
        if truth.name == BLEED:
            scores[BLEED] = {"leaked": leaked(result, truth, band)}
        else:
            scores[truth.name] = {name: psnr_db(result, truth.lens, area) for name, area in areas.items()}
    return scores


def rendered_still(peer: Peer, picture: Picture, inverse_depth: InverseDepth) -> Picture:
    """One picture, handed in as often as the peer needs to give it back."""
    for _ in range(peer.delay_frames):
        peer.render(picture, inverse_depth)
    return peer.render(picture, inverse_depth)


def flicker(peer: Peer, clip: Clip, hand_in: bool) -> float:
    """As `visible_change`, of a clip in which nothing happens but a sensor's noise."""
    peer.prepare(clip.shot())
    pictures = (peer.render(frame, depth if hand_in else None) for frame, depth in clip.frames())
    return visible_change(pictures, min(SETTLED, clip.count // 2))


def visible_change(pictures: Iterable[Picture], skip: int) -> float:
    """Share of the pixels that change by more than VISIBLE from picture to picture; the first `skip` do not count.

    Pictures are smoothed first, so that noise itself does not count: what is left is blur that comes and goes.
    """
    before: NDArray[np.float32] | None = None
    changes: list[float] = []
    for index, picture in enumerate(pictures):
        if index < skip:
            continue
        now = np.asarray(cv2.GaussianBlur(picture.astype(np.float32), (0, 0), STILL_SIGMA_PX), np.float32)
        if before is not None:
            changes.append(float(np.mean(np.abs(now - before).max(axis=2) > VISIBLE)))
        before = now
    return float(np.mean(changes))


def _cpu_s(peer: Peer) -> float:
    """User + system time of all threads of the process that works."""
    process = peer.working_process()
    if process is None:
        times = os.times()
        return times.user + times.system
    try:
        fields = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return float("nan")  # no Linux
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _peak_mb(peer: Peer) -> float | None:
    """Most memory that the process that works has held; None where there is no /proc."""
    try:
        lines = Path(f"/proc/{peer.working_process() or 'self'}/status").read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    return next(int(line.split()[1]) / 1024.0 for line in lines if line.startswith("VmHWM"))
