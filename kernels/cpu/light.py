"""Code values to linear light and back, through tables.

Back needs a table over light, and light has no 65,536 levels that are fine enough where it is dark and few enough
where it is bright. So 8-bit sRGB, whose levels are far apart, is looked up by light itself, and all else by a root
of light, which lies near to what the code values are: a level of it is at most two of 65,536 code values.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from ..api import AnyPicture, Transfer
from .transfer import FUNCTIONS

Light = NDArray[np.float32]  # c h w: linear light in [0, 1]; a fourth channel is coverage, the first three times it
Levels = NDArray[np.uint16]  # linear light, or a root of it, 65535 = 1
Codes = NDArray[np.uint8 | np.uint16]

_LEVELS = 65535.0  # of linear light: twenty to the step from black to the darkest grey of 8 bits


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Coding:
    """What code values of one depth and one transfer function stand for.

    to_light: the light of each code value. to_code: the code value of each level. roots: how many square roots lead
    from light to levels; 0 = levels of light can be enlarged as they are.
    """

    to_light_table: NDArray[np.float32]
    to_code_table: Codes
    roots: int

    def light_of(self, codes: Codes) -> Light:
        """Code values → linear light, any shape."""
        return cast(Light, _looked_up(codes, self.to_light_table))

    def codes_of(self, light: Light) -> Codes:
        """Linear light → code values, any shape; above 1 is white.

        What `light_of` gave comes back exactly in 8 bits, and within two of 65,536 code values in 16.
        """
        return self.encoded(self.levels_of(light))

    def levels_of(self, light: Light) -> Levels:
        """Linear light on 65,536 levels."""
        flat = light.reshape(-1, light.shape[-1])
        if self.roots:
            flat = cv2.sqrt(np.maximum(flat, np.float32(0.0)))  # a sum of light may round to less than nothing
        for _ in range(self.roots - 1):
            flat = cv2.sqrt(flat)
        # addWeighted rounds and saturates in one pass.
        return cast(Levels, cv2.addWeighted(flat, _LEVELS, flat, 0.0, 0.0, dtype=cv2.CV_16U)).reshape(light.shape)

    def encoded(self, levels: Levels) -> Codes:
        """Levels → code values."""
        return cast(Codes, _looked_up(levels, self.to_code_table))

    def to_light(self, picture: AnyPicture) -> Light:
        """`h w 3` code values as `3 h w` linear light."""
        return np.stack([self.light_of(cast(Codes, channel)) for channel in cv2.split(picture)])


def coding_of(picture: AnyPicture, transfer: Transfer = "srgb") -> Coding:
    """For the code values of `picture`."""
    return coding_for(8 * picture.itemsize, transfer)


@lru_cache(maxsize=8)
def coding_for(bits: int, transfer: Transfer) -> Coding:
    function, most = FUNCTIONS[transfer], 2.0**bits - 1.0
    roots = 0 if (bits, transfer) == (8, "srgb") else function.roots
    to_light = function.decode(np.arange(most + 1.0) / most).astype(np.float32)
    light = (np.arange(65536) / _LEVELS) ** (2.0**roots)
    to_code = np.rint(most * function.encode(light)).astype(np.uint8 if bits == 8 else np.uint16)
    return Coding(to_light, to_code, roots)


def _looked_up(
    codes: Codes, table: NDArray[np.float32 | np.uint8 | np.uint16]
) -> NDArray[np.float32 | np.uint8 | np.uint16]:
    if codes.dtype != np.uint8 and not _WIDE_TABLES:
        return np.take(table, codes)
    flat = codes.reshape(-1, codes.shape[-1])
    return cast(Codes, cv2.LUT(flat, table)).reshape(codes.shape)


def _has_wide_tables() -> bool:
    """Whether this OpenCV looks up 16-bit values (5.0 does)."""
    try:
        cv2.LUT(np.zeros((1, 1), np.uint16), np.zeros(65536, np.uint8))
    except cv2.error:
        return False
    return True


_WIDE_TABLES = _has_wide_tables()
