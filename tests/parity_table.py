"""How far a kernel of another device may stray from the CPU's, by what it gives.

mean and most: of the absolute difference; in the units of the output: inverse depth, levels of 8 or 16 bits, pixels.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tolerance:
    mean: float
    most: float


EXACT = Tolerance(0.0, 0.0)

PARITY: dict[str, Tolerance] = {
    "resize": Tolerance(1e-7, 1e-6),
    "median": EXACT,
    "gaussian": Tolerance(1e-7, 1e-6),
    "cluster_update": Tolerance(1e-9, 1e-8),
    "assign": EXACT,
    # The CPU blurs large circles by halves, and planes only where they lie.
    "refocus_fast": Tolerance(0.3, 8.0),
    "refocus_fine": Tolerance(0.6, 10.0),
    "refocus_deep": Tolerance(0.4 * 257, 8.0 * 257),
    "yuv": Tolerance(0.5, 2.0),  # OpenCV counts in whole numbers
    "net_input": Tolerance(0.006, 0.05),  # in standard deviations; the engine's picture has whole code values
    "net_input_halved": Tolerance(0.04, 0.4),  # what the engine halves first has its borders off by half a pixel
    "net_input_of_yuv": Tolerance(0.03, 0.2),  # chroma of half the size
    "finite": EXACT,
    "stretched": Tolerance(1e-7, 1e-6),
    "rounded": Tolerance(1e-6, 1.01 / 65535),  # a level may round the other way
    "tiled": EXACT,
    "captioned": Tolerance(0.05, 2.0),  # OpenCV lays stroke over stroke, the kernel all of them at once
    "shrink_exactly": Tolerance(0.2, 1.0),
    "shrink_exactly_halved": Tolerance(1.6, 64.0),  # what the engine halves first has its borders off by half a pixel
    "shrink": Tolerance(0.2, 1.0),  # OpenCV rounds on the way: one value in eight is off by one
    "colour_depth": Tolerance(0.6, 6.0),  # a level may round the other way, and the colours of two differ by so much
    "colour_layers": EXACT,
    "mark_in_focus": EXACT,
    "tint_by_focus": Tolerance(0.1, 1.0),
    "to_8_bits": Tolerance(0.01, 1.0),
    "upsample": Tolerance(1e-4, 0.03),  # of which only pixels beside an edge use any
    "carry": Tolerance(1e-3, 0.03),  # OpenCV knows places to 1/32 of a pixel
    "fuse": Tolerance(1e-5, 1e-4),
    "motion": Tolerance(0.02, 1.0),  # new and stirred, where nothing moves
}
