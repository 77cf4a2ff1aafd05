"""An 8-bit sRGB rendition of any picture, for all that looks at pictures but does not write them.

HDR is brought to the range of SDR by the curve of BT.2390-11, section 5.4 (its EETF), for a master of 1,000 cd/m² on
a display whose white is diffuse white (203 cd/m², BT.2408), and from BT.2020's primaries to BT.709's. HLG is first
brought to light on a display of 1,000 cd/m² (BT.2100's OOTF, channel by channel). Faces and walls so get the code
values that they would have in SDR; highlights are rolled off.
"""

from __future__ import annotations

from functools import lru_cache
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from ..api import AnyPicture, Picture, Transfer
from .light import Light, coding_of
from .transfer import FUNCTIONS

PQ_PEAK = 10_000.0  # cd/m²
MASTER_PEAK, WHITE = 1000.0, 203.0
HLG_SYSTEM_GAMMA = 1.2
BT2020_TO_BT709 = np.array(  # BT.2087-0, the inverse of its equation 1
    [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]], np.float32
)
_ONE_PIXEL = np.zeros((1, 1, 3), np.uint8)


def to_8_bits(picture: AnyPicture, transfer: Transfer = "srgb") -> Picture:
    if transfer != "srgb":
        return _from_hdr(picture, transfer)
    if picture.dtype == np.uint8:
        return cast(Picture, picture)
    return cast(Picture, cv2.convertScaleAbs(picture, alpha=1.0 / 257.0))


def _from_hdr(picture: AnyPicture, transfer: Transfer) -> Picture:
    toned = tone_table(transfer)[picture if picture.dtype == np.uint16 else picture * np.uint16(257)]
    light = cast(Light, cv2.transform(toned, BT2020_TO_BT709))
    return cast(Picture, coding_of(_ONE_PIXEL).codes_of(light))


@lru_cache(maxsize=2)
def tone_table(transfer: Transfer) -> NDArray[np.float32]:
    """The light on an SDR display, 1 = white, of every 16-bit code value of HDR."""
    light = FUNCTIONS[transfer].decode(np.arange(65536) / 65535.0)
    shown = light * PQ_PEAK if transfer == "pq" else light**HLG_SYSTEM_GAMMA * MASTER_PEAK
    pq = FUNCTIONS["pq"]
    peak, white = pq.encode(np.array([MASTER_PEAK, WHITE]) / PQ_PEAK)
    rolled = _rolled_off(np.minimum(pq.encode(shown / PQ_PEAK) / peak, 1.0), float(white / peak))
    return (pq.decode(rolled * peak) * (PQ_PEAK / WHITE)).astype(np.float32)


def _rolled_off(code: NDArray[np.float64], most: float) -> NDArray[np.float64]:
    """PQ code values, 1 = the master's peak, with all above a knee bent under `most`: a Hermite spline."""
    knee = 1.5 * most - 0.5
    t = (code - knee) / (1.0 - knee)
    bent = (2 * t**3 - 3 * t**2 + 1) * knee + (t**3 - 2 * t**2 + t) * (1 - knee) + (3 * t**2 - 2 * t**3) * most
    return np.where(code < knee, code, bent)
