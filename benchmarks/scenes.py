"""Scenes to refocus whose every surface is known: people with hair, twigs, blobs, lamps, slanted ground.

Surfaces are painted with noise of a natural spectrum and with plain shapes, so that blur has something to lose
and leaking colour shows. Everything is drawn from a seed: TUNING for choosing settings, REPORTING for figures.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from .thin_lens import Light, Scene, Sheet, to_linear

SIZE_HW = (540, 960)
TUNING, REPORTING = (11, 12, 13), (101, 102, 103)
APERTURE = 6.0
FINER = 4  # coverage is drawn so many times finer, then averaged
Coverage = NDArray[np.float32]


def scene(family: str, seed: int) -> Scene:
    """One scene of a family of FAMILIES."""
    return FAMILIES[family](np.random.default_rng((seed, list(FAMILIES).index(family))))


def _person(rng: Generator) -> Scene:
    """A head with loose hair before a room, in focus; sometimes the room is."""
    near = float(rng.uniform(0.55, 0.7))
    room = _backdrop(rng, float(rng.uniform(0.08, 0.15)))
    shelf = Sheet(_paint(rng), _boxes(rng, 5), float(rng.uniform(0.25, 0.35)))
    body = Sheet(_paint(rng, calm=True), _body(rng), near)
    hair = Sheet(_paint(rng, dark=True), _hair(rng), near)
    focus = near if rng.random() < 0.67 else room.depth
    return Scene("person", (room, shelf, body, hair), focus, APERTURE)


def _twigs(rng: Generator) -> Scene:
    near = float(rng.uniform(0.45, 0.6))
    sheets = (_backdrop(rng, 0.1), Sheet(_paint(rng, dark=True), _branches(rng), near))
    return Scene("twigs", sheets, near if rng.random() < 0.5 else 0.1, APERTURE)


def _blobs(rng: Generator) -> Scene:
    depths = np.sort(rng.uniform(0.15, 0.85, 9))
    sheets = [_backdrop(rng, 0.08)] + [Sheet(_paint(rng), _blob(rng), float(depth)) for depth in depths]
    return Scene("blobs", tuple(sheets), float(depths[rng.integers(2, 7)]), APERTURE)


def _overlap(rng: Generator) -> Scene:
    """Two near things, one before the other, and the farther one, or what is behind both, in focus."""
    far, near = float(rng.uniform(0.4, 0.5)), float(rng.uniform(0.75, 0.9))
    sheets = (
        _backdrop(rng, 0.12),
        Sheet(_paint(rng), _union(_blob(rng), _blob(rng), _blob(rng)), far),
        Sheet(_paint(rng), _union(_blob(rng), _blob(rng)), near),
    )
    return Scene("overlap", sheets, far if rng.random() < 0.5 else 0.12, APERTURE)


def _lamps(rng: Generator) -> Scene:
    """Night: small lights far behind a thing in focus."""
    room = _backdrop(rng, 0.05, dark=True)
    height, width = SIZE_HW
    lit = np.zeros((height * 2, width * 2), np.uint8)
    for _ in range(40):
        at = (int(rng.integers(0, 2 * width)), int(rng.integers(0, 2 * height)))
        cv2.circle(lit, at, int(rng.integers(3, 9)), 255, -1)
    lights = cv2.resize(lit, (width, height), interpolation=cv2.INTER_AREA).astype(np.float32)[..., None] / np.float32(
        255.0
    )
    colour = rng.uniform(0.6, 1.0, 3).astype(np.float32)
    glow = (room.light + (colour - room.light) * lights).astype(np.float32, copy=False)
    near = float(rng.uniform(0.5, 0.6))
    things = _union(_blob(rng), _blob(rng), _boxes(rng, 2))
    return Scene("lamps", (Sheet(glow, room.coverage, room.depth), Sheet(_paint(rng), things, near)), near, APERTURE)


def _ground(rng: Generator) -> Scene:
    """A slanted floor that runs through the focus, and a post on it."""
    floor = Sheet(_paint(rng), np.ones(SIZE_HW, np.float32), 0.4, slope=0.7)
    posts = [Sheet(_paint(rng), _boxes(rng, 2), float(depth)) for depth in np.sort(rng.uniform(0.3, 0.7, 3))]
    return Scene("ground", (floor, *posts), float(rng.uniform(0.3, 0.6)), APERTURE)


FAMILIES: dict[str, Callable[[Generator], Scene]] = {
    "person": _person,
    "twigs": _twigs,
    "blobs": _blobs,
    "overlap": _overlap,
    "lamps": _lamps,
    "ground": _ground,
}


def _backdrop(rng: Generator, depth: float, dark: bool = False) -> Sheet:
    return Sheet(_paint(rng, dark=dark), np.ones(SIZE_HW, np.float32), depth)


def _paint(rng: Generator, dark: bool = False, calm: bool = False) -> Light:
    """A picture of noise whose octaves fall with their frequency, under shapes of one colour: `h w 3` linear."""
    height, width = SIZE_HW
    strength = 0.11 if calm else 0.18
    image = np.tile(rng.uniform(0.25, 0.75, 3).astype(np.float32), (height, width, 1))
    for cells in (2, 4, 8, 16, 32, 64, 128, 256):
        noise = 0.3 * rng.standard_normal((cells, 2 * cells, 3)) + rng.standard_normal((cells, 2 * cells, 1))
        noise = (strength * cells**-0.25 * noise).astype(np.float32)
        image += cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)
    for _ in range(0 if calm else 14):
        colour = rng.uniform(0.05, 0.95, 3).tolist()
        corner = (int(rng.integers(-50, width)), int(rng.integers(-50, height)))
        far = (corner[0] + int(rng.integers(8, 220)), corner[1] + int(rng.integers(8, 160)))
        cv2.rectangle(image, corner, far, colour, -1)
    image = np.clip(image, 0.02, 0.98)
    return to_linear(image * 0.45 if dark else image)


def _canvas() -> NDArray[np.uint8]:
    return np.zeros((SIZE_HW[0] * FINER, SIZE_HW[1] * FINER), np.uint8)


def _averaged(fine: NDArray[np.uint8]) -> Coverage:
    small = cv2.resize(fine, SIZE_HW[::-1], interpolation=cv2.INTER_AREA)
    return small.astype(np.float32) / np.float32(255.0)


def _body(rng: Generator) -> Coverage:
    canvas = _canvas()
    height, width = canvas.shape
    middle = int(width * rng.uniform(0.4, 0.6))
    cv2.ellipse(canvas, (middle, int(0.42 * height)), (int(0.115 * width), int(0.27 * height)), 0, 0, 360, 255, -1)
    cv2.ellipse(canvas, (middle, int(1.05 * height)), (int(0.27 * width), int(0.42 * height)), 0, 0, 360, 255, -1)
    return _averaged(canvas)


def _hair(rng: Generator) -> Coverage:
    """A cap of hair and single strands, some a pixel thick."""
    canvas = _canvas()
    height, width = canvas.shape
    middle = np.array([width * 0.5, height * 0.3])
    cv2.ellipse(canvas, tuple(int(v) for v in middle), (int(0.13 * width), int(0.18 * height)), 0, 180, 360, 255, -1)
    for _ in range(260):
        angle = rng.uniform(np.pi * 0.95, np.pi * 2.05)
        root = middle + np.array([0.125 * width * np.cos(angle), 0.17 * height * np.sin(angle)])
        _strand(
            canvas,
            rng,
            root,
            angle + rng.normal(0, 0.5),
            0.12 * height * rng.uniform(0.2, 1.0),
            int(rng.integers(2, 6)),
        )
    return _averaged(canvas)


def _strand(
    canvas: NDArray[np.uint8], rng: Generator, start: NDArray[np.float64], angle: float, length: float, thick: int
) -> list[NDArray[np.float64]]:
    """A line that wanders, drawn onto the fine canvas; its points."""
    points = [start]
    for _ in range(8):
        angle += rng.normal(0.0, 0.25)
        points.append(points[-1] + length / 8.0 * np.array([np.cos(angle), np.sin(angle)]))
    cv2.polylines(canvas, [np.rint(points).astype(np.int32)], False, 255, thick)
    return points


def _branches(rng: Generator) -> Coverage:
    canvas = _canvas()
    height, width = canvas.shape
    for _ in range(14):
        start = np.array([rng.uniform(0, width), height * rng.uniform(0.6, 1.1)])
        up = -np.pi / 2 + rng.normal(0.0, 0.4)
        stem = _strand(canvas, rng, start, up, height * rng.uniform(0.5, 0.9), int(rng.integers(16, 40)))
        for _ in range(7):
            fork = stem[int(rng.integers(1, len(stem)))]
            _strand(
                canvas, rng, fork, up + rng.normal(0.0, 0.8), height * rng.uniform(0.1, 0.4), int(rng.integers(3, 12))
            )
    return _averaged(canvas)


def _blob(rng: Generator) -> Coverage:
    """A closed, wavy outline round a random place."""
    angles = np.linspace(0.0, 2.0 * np.pi, 240, endpoint=False)
    waves = sum(rng.normal(0.0, 0.12 / k) * np.cos(k * angles + rng.uniform(0, 6.3)) for k in range(2, 9))
    radius = FINER * SIZE_HW[0] * rng.uniform(0.16, 0.3) * np.exp(waves)
    middle = np.array([rng.uniform(0.2, 0.8) * SIZE_HW[1], rng.uniform(0.2, 0.8) * SIZE_HW[0]]) * FINER
    outline = middle + radius[:, None] * np.stack((np.cos(angles), np.sin(angles)), axis=1)
    canvas = _canvas()
    cv2.fillPoly(canvas, [np.rint(outline).astype(np.int32)], 255)
    return _averaged(canvas)


def _union(*coverages: Coverage) -> Coverage:
    return np.maximum.reduce(coverages)


def _boxes(rng: Generator, count: int) -> Coverage:
    canvas = _canvas()
    height, width = canvas.shape
    for _ in range(count):
        left, top = int(rng.uniform(0.0, 0.8) * width), int(rng.uniform(0.1, 0.4) * height)
        cv2.rectangle(canvas, (left, top), (left + int(rng.uniform(0.05, 0.2) * width), int(0.9 * height)), 255, -1)
    return _averaged(canvas)
