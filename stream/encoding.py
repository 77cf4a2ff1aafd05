"""How pictures become the packets of a video stream: codec, pixel format, colour tags, timestamps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from av.container import OutputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from ..kernels.api import AnyPicture
from ..kernels.errors import EncoderLostError, InputError
from .codecs import (
    ENCODERS,
    NVENC_FORMATS,
    PRORES_PROFILES,
    PRORES_TAGS,
    SAME_BYTES_OF_X265,
    CodecName,
    PixelFormat,
    formats_of,
    nearest_format,
    quieten,
    x264_params,
)
from .colour import ColourConverter
from .decoding import reason
from .encoding_wish import EncodingWish
from .frame import Alpha, Frame
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


class PictureEncoder:
    """The video stream of an output container, tagged as the source is.

    FFmpeg's errors pass through, but for those of an encoder on a GPU: EncoderLostError.
    """

    def __init__(self, output: OutputContainer, encoding: Encoding, info: VideoInfo, size_hw: tuple[int, int]) -> None:
        """size_hw: of the coded pictures."""
        self._info, self._encoding = info, encoding
        self._converter = ColourConverter(info.tags)
        form = PixelFormat.parse(encoding.pix_fmt)
        self._keeps_alpha = form is not None and form.alpha
        self._lost_alpha = False
        self._durations: dict[int, int] = {}
        self.stream = _open_stream(output, encoding, info, size_hw)

    @property
    def notes(self) -> list[str]:
        """What of the source was lost so far."""
        lost = (
            f"the input's alpha is not kept: {self._encoding.codec} in {self._encoding.container} has no place for it"
        )
        return [*self._encoding.notes, *([lost] if self._lost_alpha else [])]

    def encode(self, picture: AnyPicture, frame: Frame) -> list[Packet[VideoStream]]:
        """picture: upright, as `frame` is, whose time and alpha it gets."""
        turned, alpha = self._info.orientation.coded(picture), self._alpha(frame)
        coded = self._converter.from_rgb(turned, self._encoding.pix_fmt, alpha)
        pts = frame.pts - self._info.first_pts
        coded.pts, coded.time_base = pts, self._info.time_base
        self._durations[pts] = frame.duration
        return self._timed(self._encoded(coded))

    def _alpha(self, frame: Frame) -> Alpha | None:
        if frame.alpha is None or not self._info.alpha:
            return None
        self._lost_alpha |= not self._keeps_alpha
        return self._info.orientation.coded(frame.alpha) if self._keeps_alpha else None

    def flush(self) -> list[Packet[VideoStream]]:
        """The packets that the encoder still held."""
        return self._timed(self._encoded(None))

    def _encoded(self, frame: VideoFrame | None) -> list[Packet[VideoStream]]:
        try:
            return self.stream.encode(frame)
        except FFmpegError as error:
            if self._encoding.codec not in NVENC_FORMATS:
                raise
            raise EncoderLostError(f"{self._encoding.codec}: {reason(error)}") from error

    def _timed(self, packets: list[Packet[VideoStream]]) -> list[Packet[VideoStream]]:
        for packet in packets:
            # Encoders do not keep a frame's duration; without it the last frame of a file would have none.
            duration = self._durations.pop(packet.pts, 0) if packet.pts is not None else 0
            if duration:
                packet.duration = round(duration * self._info.time_base / packet.time_base)
        return packets


def _open_stream(output: OutputContainer, encoding: Encoding, info: VideoInfo, size_hw: tuple[int, int]) -> VideoStream:
    quieten()
    rate: Fraction = info.rate.limit_denominator(1 << 16)
    stream = output.add_stream(encoding.codec, rate=rate, options=encoding.options)
    assert isinstance(stream, VideoStream)
    context, tags = stream.codec_context, info.tags
    context.height, context.width = size_hw
    context.pix_fmt = encoding.pix_fmt
    context.time_base = stream.time_base = info.time_base
    context.color_range = 2 if tags.full_range else 1
    context.color_primaries, context.color_trc, context.colorspace = tags.primaries, tags.transfer, tags.matrix
    if encoding.bitrate is not None:
        context.bit_rate = encoding.bitrate
    if encoding.tag is not None:
        context.codec_tag = encoding.tag
    if info.sample_aspect:
        context.sample_aspect_ratio = info.sample_aspect
    if info.matrix:
        stream.set_display_matrix(info.matrix)
    return stream
