"""Code values and light: sRGB (IEC 61966-2-1), PQ (SMPTE ST 2084) and HLG (BT.2100-2), all on [0, 1].

Light is what is linear in each system: for PQ what the display shows, 1 = 10,000 cd/m²; for HLG what the camera
saw, 1 = its peak. Lenses blur either without a difference that could be seen.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..api import Transfer

Curve = Callable[[NDArray[np.float64]], NDArray[np.float64]]

# ST 2084, section 5.
PQ_M1, PQ_M2 = 2610 / 16384, 2523 / 4096 * 128
PQ_C1, PQ_C2, PQ_C3 = 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32
# BT.2100-2, table 5.
HLG_A = 0.17883277
HLG_B = 1.0 - 4.0 * HLG_A
HLG_C = 0.5 - HLG_A * np.log(4.0 * HLG_A)


@dataclass(frozen=True, slots=True)
class TransferFunction:
    """decode: code value → light; encode: the inverse. roots: how many square roots of light come near `encode`."""

    decode: Curve
    encode: Curve
    roots: int


def _srgb_decoded(code: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(code <= 0.04045, code / 12.92, ((code + 0.055) / 1.055) ** 2.4)


def _srgb_encoded(light: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


def _pq_decoded(code: NDArray[np.float64]) -> NDArray[np.float64]:
    power = code ** (1.0 / PQ_M2)
    return (np.maximum(power - PQ_C1, 0.0) / (PQ_C2 - PQ_C3 * power)) ** (1.0 / PQ_M1)


def _pq_encoded(light: NDArray[np.float64]) -> NDArray[np.float64]:
    power = light**PQ_M1
    return ((PQ_C1 + PQ_C2 * power) / (1.0 + PQ_C3 * power)) ** PQ_M2


def _hlg_decoded(code: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(code <= 0.5, code**2 / 3.0, (np.exp((code - HLG_C) / HLG_A) + HLG_B) / 12.0)


def _hlg_encoded(light: NDArray[np.float64]) -> NDArray[np.float64]:
    bright = np.maximum(12.0 * light - HLG_B, 1.0 - HLG_B)
    return np.where(light <= 1.0 / 12.0, np.sqrt(3.0 * light), HLG_A * np.log(bright) + HLG_C)


FUNCTIONS: dict[Transfer, TransferFunction] = {
    "srgb": TransferFunction(_srgb_decoded, _srgb_encoded, roots=1),
    "pq": TransferFunction(_pq_decoded, _pq_encoded, roots=2),
    "hlg": TransferFunction(_hlg_decoded, _hlg_encoded, roots=1),
}
