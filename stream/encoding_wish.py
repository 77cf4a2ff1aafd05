"""What the user wants the output to be encoded as, checked before anything is read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, fields

from ..kernels.errors import InputError
from .codecs import CODEC_NAMES, ENCODERS, CodecName, check_available, formats_of

# What a container is written with when the user names no codec: the first that fits the source and the other wishes.
USUAL_CODECS: dict[str, tuple[CodecName, ...]] = {
    "mp4": ("h264", "hevc"),
    "mov": ("h264", "hevc", "prores"),
    "matroska": ("h264", "hevc", "prores"),
    "webm": ("vp9", "av1"),
}
_UNITS = {"": 1, "k": 1000, "m": 1_000_000}
_BITRATE = re.compile(r"(\d{1,15}(?:\.\d+)?)([km]?)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class EncodingWish:
    """None leaves the choice to the program. bitrate: bits a second. Raises InputError for wishes that exclude others.

    `check` says whether a container can meet them.
    """

    codec: CodecName | None = None
    crf: float | None = None
    bitrate: int | None = None
    preset: str | None = None
    pix_fmt: str | None = None

    def __post_init__(self) -> None:
        if self.crf is not None and self.bitrate is not None:
            raise InputError("got --crf and --bitrate, expected one: either the quality is constant or the size is")
        if self.codec is not None and self.codec not in CODEC_NAMES:
            raise InputError(f"--codec: got {self.codec!r}, expected {', '.join(CODEC_NAMES)}")

    @property
    def given(self) -> list[str]:
        """The options with which something is wished."""
        return [f"--{part.name.replace('_', '-')}" for part in fields(self) if getattr(self, part.name) is not None]

    def check(self, container: str) -> None:
        """Raises InputError when no codec in `container` (FFmpeg's name) meets all of it."""
        if self.codec is not None:
            check_available(self.codec)
            fitting = [name for name in CODEC_NAMES if container in ENCODERS[name].containers]
            if self.codec not in fitting:
                raise InputError(f"--codec {self.codec} does not go into {container}; expected {', '.join(fitting)}")
        complaints = [self.complaint(codec) for codec in self.codecs(container)]
        if all(complaints):
            raise InputError(str(complaints[0]))

    def codecs(self, container: str) -> Sequence[CodecName]:
        """Those among which to choose, the usual first."""
        return USUAL_CODECS[container] if self.codec is None else (self.codec,)

    def complaint(self, codec: CodecName) -> str | None:
        """Why `codec` does not meet the wishes, None when it does."""
        encoder, known = ENCODERS[codec], [form.name for form in formats_of(codec)]
        if self.crf is not None and encoder.crf is None:
            return f"--crf {self.crf:g}: {codec} has no constant quality to choose"
        if self.crf is not None and encoder.crf is not None and not encoder.crf[0] <= self.crf <= encoder.crf[1]:
            return f"--crf: got {self.crf:g}, expected {encoder.crf[0]} to {encoder.crf[1]} for {codec}"
        if self.bitrate is not None and not encoder.has_bitrate:
            return f"--bitrate {self.bitrate}: {codec} has no bitrate to choose"
        if self.preset is not None and self.preset not in encoder.presets:
            return f"--preset {self.preset}: {codec} has {', '.join(encoder.presets) or 'none'}"
        if self.pix_fmt is not None and self.pix_fmt not in known:
            return f"--pix-fmt {self.pix_fmt}: {codec} takes {', '.join(known) or 'none: it is not in this FFmpeg'}"
        return None


def wish_from(
    codec: CodecName | None = None,
    crf: float | None = None,
    bitrate: str | None = None,
    preset: str | None = None,
    pix_fmt: str | None = None,
) -> EncodingWish:
    """From the command line's options. Raises InputError."""
    return EncodingWish(codec, crf, None if bitrate is None else parse_bitrate(bitrate), preset, pix_fmt)


def parse_bitrate(text: str) -> int:
    """`8M`, `800k` or a number → bits a second. Raises InputError."""
    match = _BITRATE.fullmatch(text)
    bits = round(float(match[1]) * _UNITS[match[2].lower()]) if match else 0
    if not 1000 <= bits <= 2_000_000_000:
        raise InputError(f"--bitrate {text}: expected bits a second, 1k to 2000M, such as 8M")
    return bits
