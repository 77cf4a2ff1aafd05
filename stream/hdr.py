"""HDR's static metadata: the display it was mastered on (SMPTE ST 2086) and its content's light levels (CTA-861.3)."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from fractions import Fraction

from av.video.frame import VideoFrame

_RATIONALS = 10  # x and y of red, green, blue and white, then the least and the greatest luminance


@dataclass(frozen=True, slots=True)
class Mastering:
    """Chromaticities (x, y) of red, green, blue and white; luminance in cd/m²."""

    red: tuple[Fraction, Fraction]
    green: tuple[Fraction, Fraction]
    blue: tuple[Fraction, Fraction]
    white: tuple[Fraction, Fraction]
    least: Fraction
    greatest: Fraction

    @classmethod
    def parse(cls, data: bytes) -> Mastering | None:
        """From AVMasteringDisplayMetadata; None when it is not complete."""
        numbers = struct.unpack(f"={2 * _RATIONALS + 2}i", data[: 8 * _RATIONALS + 8])
        pairs = list(zip(numbers[0:-2:2], numbers[1:-2:2], strict=True))
        if not (numbers[-2] and numbers[-1]) or any(denominator == 0 for _, denominator in pairs):
            return None
        values = [Fraction(*pair) for pair in pairs]
        red, green, blue, white = (_pair(values, at) for at in (0, 2, 4, 6))
        return cls(red, green, blue, white, values[8], values[9])

    def text(self, per_unit: int, per_nit: int) -> str:
        """As encoders want it; so many steps to a chromaticity of 1 and to 1 cd/m²; 0 = plain numbers."""
        places = {"G": self.green, "B": self.blue, "R": self.red, "WP": self.white}
        parts = [f"{name}({_number(x, per_unit)},{_number(y, per_unit)})" for name, (x, y) in places.items()]
        return "".join(parts) + f"L({_number(self.greatest, per_nit)},{_number(self.least, per_nit)})"


@dataclass(frozen=True, slots=True)
class HdrMetadata:
    """What a stream says of its light. content: the greatest of a pixel and of a frame's mean, in cd/m²."""

    mastering: Mastering | None = None
    content: tuple[int, int] | None = None
    dolby_vision: bool = False

    @classmethod
    def of(cls, frame: VideoFrame) -> HdrMetadata:
        side = frame.side_data
        mastering, content = side.get("MASTERING_DISPLAY_METADATA"), side.get("CONTENT_LIGHT_LEVEL")
        return cls(
            None if mastering is None else Mastering.parse(bytes(mastering)),
            None if content is None else struct.unpack("=2I", bytes(content)[:8]),
            side.get("DOVI_METADATA") is not None or side.get("DOVI_RPU_BUFFER") is not None,
        )

    def x265_params(self) -> list[str]:
        params = [] if self.mastering is None else [f"master-display={self.mastering.text(50_000, 10_000)}"]
        return [*params, *([] if self.content is None else [f"max-cll={self.content[0]},{self.content[1]}"])]

    def svt_params(self) -> list[str]:
        params = [] if self.mastering is None else [f"mastering-display={self.mastering.text(0, 0)}"]
        return [*params, *([] if self.content is None else [f"content-light={self.content[0]},{self.content[1]}"])]


def _pair(values: list[Fraction], at: int) -> tuple[Fraction, Fraction]:
    return values[at], values[at + 1]


def _number(value: Fraction, steps: int) -> str:
    return str(round(value * steps)) if steps else f"{float(value):.5f}"
