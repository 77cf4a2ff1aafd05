"""What the pictures of a film are encoded as: container, codec, pixel format, options."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..kernels.errors import InputError
from .codecs import (
    ENCODERS,
    PRORES_PROFILES,
    PRORES_TAGS,
    SAME_BYTES_OF_X265,
    CodecName,
    PixelFormat,
    formats_of,
    nearest_format,
    x264_params,
)
from .encoding_wish import EncodingWish
from .video_info import VideoInfo

CONTAINERS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska", ".webm": "webm"}
PLAYABLE_BITS = 10  # hardly a player shows more
NO_WISHES = EncodingWish()


@dataclass(frozen=True, slots=True)
class Encoding:
    """What the pictures of a file are written as. container and codec: FFmpeg's names of muxer and encoder.

    tag: the codec's four letters in the container, None = the muxer's choice. notes: what of the source is lost.
    """

    container: str
    codec: str
    pix_fmt: str
    options: dict[str, str]
    bitrate: int | None = None
    tag: str | None = None
    notes: tuple[str, ...] = ()


def container_of(path: Path) -> str:
    """The container that a file name asks for. Raises InputError."""
    try:
        return CONTAINERS[path.suffix.lower()]
    except KeyError:
        raise InputError(f"{path}: got the ending {path.suffix!r}, expected {', '.join(CONTAINERS)}") from None


def choose_encoding(
    container: str, info: VideoInfo, size_hw: tuple[int, int], wish: EncodingWish = NO_WISHES
) -> Encoding:
    """What fits the container and the wishes and comes nearest to the source.

    size_hw: of the coded pictures to be written. Raises InputError for wishes that cannot be met.
    """
    wish.check(container)
    codec = _codec(container, info, wish)
    pix_fmt = _pixel_format(codec, info, size_hw, wish)
    return Encoding(
        container,
        ENCODERS[codec].name,
        pix_fmt.name,
        _options(codec, pix_fmt, info, wish),
        bitrate=wish.bitrate,
        tag=ENCODERS[codec].tag if container in ("mp4", "mov") else None,
        notes=tuple(_losses(codec, pix_fmt, info)),
    )


def _codec(container: str, info: VideoInfo, wish: EncodingWish) -> CodecName:
    """ProRes stays ProRes; more than 8 bits go where they are kept; the rest where it is usual."""
    form = PixelFormat.parse(wish.pix_fmt or "")
    fitting: list[CodecName] = [codec for codec in wish.codecs(container) if wish.complaint(codec) is None]
    bits = _bits_within_reach(fitting, info.bits_to_keep if form is None else form.bits)

    def unfit(codec: CodecName) -> tuple[bool, bool, bool]:
        keeps = any(form.bits >= bits and (form.alpha or not info.alpha) for form in formats_of(codec))
        held = codec == "h264" and bits > 8  # hardly a player shows it
        return (codec == "prores") != (info.codec == "prores"), not keeps, held

    return sorted(fitting, key=unfit)[0]


def _bits_within_reach(codecs: Sequence[CodecName], bits: int) -> int:
    """`bits` where one of the codecs has as many; else some are lost in any case, and the rest is to be playable."""
    has = any(form.bits >= bits for codec in codecs for form in formats_of(codec))
    return bits if has else min(bits, PLAYABLE_BITS)


def _pixel_format(codec: CodecName, info: VideoInfo, size_hw: tuple[int, int], wish: EncodingWish) -> PixelFormat:
    height, width = size_hw
    formats, halves_odd = formats_of(codec), ENCODERS[codec].halves_odd
    if wish.pix_fmt is not None:
        form = next(form for form in formats if form.name == wish.pix_fmt)
        if not halves_odd and form.chroma in (420, 422) and _is_odd(height, width, form.chroma):
            raise InputError(f"--pix-fmt {form.name}: {codec} does not halve {width}×{height}; expected a 444 format")
        return form
    full = not halves_odd and _is_odd(height, width, info.chroma)
    return nearest_format(formats, info.chroma, _bits_within_reach([codec], info.bits_to_keep), info.alpha, full)


def _is_odd(height: int, width: int, chroma: int) -> bool:
    return width % 2 == 1 or (height % 2 == 1 and chroma == 420)


def _options(codec: CodecName, pix_fmt: PixelFormat, info: VideoInfo, wish: EncodingWish) -> dict[str, str]:
    encoder = ENCODERS[codec]
    options = dict(encoder.options)
    if wish.bitrate is None:
        options |= encoder.quality
    if wish.crf is not None:
        options[encoder.constant] = f"{wish.crf:g}"
    if wish.preset is not None:
        options[encoder.preset] = wish.preset
    match codec:
        case "h264":
            options |= x264_params()
        case "hevc":
            options["x265-params"] = ":".join([*SAME_BYTES_OF_X265, *info.hdr.x265_params()])
        case "av1":
            params = info.hdr.svt_params()
            options |= {"svtav1-params": ":".join(params)} if params else {}
        case "vp9":
            options |= {"auto-alt-ref": "0"} if pix_fmt.alpha else {}  # libvpx refuses it beside alpha
        case "prores":
            options["profile"] = PRORES_PROFILES[wish.preset or _prores_profile(pix_fmt, info)]
        case "ffv1" | "h264_nvenc" | "hevc_nvenc":
            pass
    return options


def _prores_profile(pix_fmt: PixelFormat, info: VideoInfo) -> str:
    usual = "4444" if pix_fmt.chroma == 444 else "hq"
    own = PRORES_TAGS.get(info.codec_tag, usual)
    return own if own.startswith("4444") == (pix_fmt.chroma == 444) else usual


def _losses(codec: CodecName, pix_fmt: PixelFormat, info: VideoInfo) -> list[str]:
    """What the encoding does not keep of the source, in a line each."""
    notes = list[str]()
    if info.bits > pix_fmt.bits:
        notes.append(f"the input has {info.bits} bits; the output has {pix_fmt.bits}")
    if info.hdr.dolby_vision:
        notes.append("the input is Dolby Vision; its base layer is kept, without what Dolby Vision adds to it")
    if (info.hdr.mastering or info.hdr.content) and codec not in ("hevc", "av1"):
        notes.append(f"HDR's mastering display and light levels are not kept: {codec} has no place for them")
    return notes
