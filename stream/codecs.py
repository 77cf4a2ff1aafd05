"""The codecs that pictures can be written with: which encoder, in which containers, with which options.

PyAV is imported only when it is asked: the command line reads this before a window may open (see `window`).
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal, get_args

import cv2

from ..kernels.errors import InputError

CodecName = Literal["h264", "hevc", "av1", "vp9", "prores", "ffv1", "h264_nvenc", "hevc_nvenc"]
CODEC_NAMES: tuple[CodecName, ...] = get_args(CodecName)

# x264's AVX-512 code gives different bytes from run to run (seen in macroblock-tree rate control); AVX2 does not.
CV_CPU_AVX_512F = 13  # OpenCV's number; its Python names of these differ between versions
UP_TO_AVX2 = "asm=MMX2,SSE2,SSSE3,SSE4.2,AVX,FMA3,BMI2,AVX2"
# x265 gives the same bytes every time for one number of frame threads, which it would choose by the number of cores.
SAME_BYTES_OF_X265 = ("frame-threads=2", "lookahead-slices=0", "log-level=none")
X26_PRESETS = ("ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow")
APPLES_HEVC = "hvc1"  # what Apple's players ask for
NVENC_PRESETS = tuple(f"p{speed}" for speed in range(1, 8))  # the fastest first
PRORES_PROFILES = {"proxy": "0", "lt": "1", "standard": "2", "hq": "3", "4444": "4", "4444xq": "5"}
PRORES_TAGS = {"apco": "proxy", "apcs": "lt", "apcn": "standard", "apch": "hq", "ap4h": "4444", "ap4x": "4444xq"}
_FORMAT = re.compile(r"(?:yuv(?P<alpha>a?)(?P<chroma>420|422|444)p|gray)(?:(?P<bits>\d+)le)?")
# What NVENC takes and we write; it lists formats of 16 bits too, of which it would keep 10.
NVENC_FORMATS = {"h264_nvenc": ("yuv420p", "yuv444p"), "hevc_nvenc": ("yuv420p", "yuv444p", "p010le")}


@dataclass(frozen=True, slots=True)
class Encoder:
    """One codec. name: FFmpeg's of its encoder. crf: the range of its constant quality, None = it has none.

    constant: the option that takes that quality; preset: the one that takes one of `presets`. options: the defaults, of
    quality and speed. tag: its four letters in MP4 and MOV, None = the muxer's choice. software: what does the same
    without a GPU; None: it needs none itself.
    """

    name: str
    containers: tuple[str, ...]
    crf: tuple[int, int] | None
    presets: tuple[str, ...]
    preset: str = "preset"
    quality: dict[str, str] = field(default_factory=dict[str, str])
    options: dict[str, str] = field(default_factory=dict[str, str])
    has_bitrate: bool = True
    halves_odd: bool = True  # chroma of odd sizes
    constant: str = "crf"
    tag: str | None = None
    software: CodecName | None = None


def _nvenc(software: CodecName, tag: str | None = None) -> Encoder:
    """On an NVIDIA GPU. In vbr without a bitrate `cq` is constant quality; 0 would leave it to the encoder."""
    return Encoder(
        f"{software}_nvenc", ("mp4", "mov", "matroska"), (1, 51), NVENC_PRESETS, constant="cq", software=software,
        tag=tag, quality={"cq": "19", "b": "0"}, options={"preset": "p5", "rc": "vbr"}, halves_odd=False,
    )  # fmt: skip


ENCODERS: dict[CodecName, Encoder] = {
    "h264": Encoder(
        "libx264", ("mp4", "mov", "matroska"), (0, 51), X26_PRESETS,
        quality={"crf": "18"}, options={"preset": "veryfast"}, halves_odd=False,
    ),
    "hevc": Encoder(
        "libx265", ("mp4", "mov", "matroska"), (0, 51), X26_PRESETS,
        quality={"crf": "18"}, options={"preset": "veryfast"}, halves_odd=False, tag=APPLES_HEVC,
    ),
    "av1": Encoder(
        "libsvtav1", ("mp4", "matroska", "webm"), (1, 63), tuple(map(str, range(14))),
        quality={"crf": "20"}, options={"preset": "8"},
    ),
    "vp9": Encoder(
        "libvpx-vp9", ("mp4", "matroska", "webm"), (0, 63), tuple(map(str, range(9))), "cpu-used",
        quality={"crf": "24", "b": "0"}, options={"deadline": "realtime", "cpu-used": "6", "row-mt": "1"},
    ),
    "prores": Encoder("prores_ks", ("mov", "matroska"), None, tuple(PRORES_PROFILES), "profile", has_bitrate=False),
    "ffv1": Encoder("ffv1", ("matroska",), None, (), options={"level": "3", "slicecrc": "1"}, has_bitrate=False),
    "h264_nvenc": _nvenc("h264"),
    "hevc_nvenc": _nvenc("hevc", APPLES_HEVC),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class PixelFormat:
    """A planar YUV or grey format. chroma: 0 = none, 420, 422 or 444."""

    name: str
    chroma: int
    bits: int
    alpha: bool

    @classmethod
    def parse(cls, name: str) -> PixelFormat | None:
        """None for formats that no encoder here is given."""
        if name == "p010le":
            return cls(name, 420, 10, False)
        match = _FORMAT.fullmatch(name)
        return match and cls(name, int(match["chroma"] or 0), int(match["bits"] or 8), match["alpha"] == "a")


@lru_cache(maxsize=len(CODEC_NAMES))
def formats_of(codec: CodecName) -> tuple[PixelFormat, ...]:
    """What the codec's encoder takes; nothing when this FFmpeg does not have it."""
    from av.codec import Codec
    from av.codec.codec import UnknownCodecError

    try:
        names = [each.name for each in Codec(ENCODERS[codec].name, "w").video_formats or ()]
    except UnknownCodecError:
        return ()
    names = [name for name in names if name in NVENC_FORMATS.get(codec, names)]
    known = [form for name in names if (form := PixelFormat.parse(name)) is not None]
    # x265 lists formats with alpha, and refuses them unless it was built for them.
    return tuple(form for form in known if codec != "hevc" or not form.alpha)


def check_available(codec: CodecName) -> None:
    """Raises InputError."""
    if not formats_of(codec):
        there = ", ".join(name for name in CODEC_NAMES if formats_of(name))
        raise InputError(f"--codec {codec}: this FFmpeg has no {ENCODERS[codec].name}; it has encoders for {there}")


def nearest_format(
    formats: Sequence[PixelFormat], chroma: int, bits: int, alpha: bool, full_chroma: bool
) -> PixelFormat:
    """What loses least: alpha first, then bits, then chroma. full_chroma: only formats that do not halve it will do."""
    fitting = [form for form in formats if form.chroma and (form.chroma == 444 or not full_chroma)]
    if not fitting:
        raise InputError("the codec halves chroma, which an odd size does not allow; take another --codec")

    def loss(form: PixelFormat) -> tuple[bool, int, int, int, int]:
        wanted = 444 if full_chroma else chroma
        return (
            form.alpha != alpha,
            max(0, bits - form.bits),
            max(0, wanted - form.chroma),
            form.chroma - wanted,
            form.bits - bits,
        )

    return min(fitting, key=loss)


def x264_params() -> dict[str, str]:
    return {"x264-params": UP_TO_AVX2} if cv2.checkHardwareSupport(CV_CPU_AVX_512F) else {}


def quieten() -> None:
    """SVT-AV1 talks on stderr unless its environment says otherwise."""
    os.environ.setdefault("SVT_LOG", "1")
