"""From a container's packets to whole frames in order of time, whatever is broken or interlaced."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from threading import Lock
from time import monotonic

from av.codec import CodecContext
from av.container import InputContainer
from av.error import ExitError, FFmpegError, InvalidDataError
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from ..kernels.errors import InputError
from .damage import Damage
from .deinterlace import Deinterlacer
from .gpu_decoding import CardDecoding, CardLostError, reason_of
from .timeline import Timeline

DEFAULT_RATE = Fraction(30)
MOST_BAD_PACKETS = 200  # in a row
# FFmpeg's own decoders of these pass over alpha.
ALPHA_DECODERS = {"vp8": "libvpx", "vp9": "libvpx-vp9"}


class Decoder:
    """One video stream on its way from packets to frames. One thread reads it; `close` may be another's."""

    def __init__(
        self,
        location: str,
        container: InputContainer,
        stream: VideoStream,
        strict: bool,
        card: CardDecoding | None = None,
    ) -> None:
        """location: its name for errors. strict: the first damage is an InputError.

        card: the stream is decoded on a GPU; `frames` raises CardLostError where that comes to an end.
        """
        self.stream = stream
        self.time_base = stream.time_base or 1 / DEFAULT_RATE
        self.rate = stream.average_rate or stream.guessed_rate or DEFAULT_RATE
        self.damage = Damage()
        self.deinterlacer = Deinterlacer()
        self.waited_s = 0.0  # for data, in all
        self._location, self._container, self._strict, self._card = location, container, strict, card
        self._decoder = _alpha_decoder(stream) or stream
        self._context = stream.codec_context if isinstance(self._decoder, VideoStream) else self._decoder
        self._reading = Lock()

    def frames(self) -> Iterator[tuple[VideoFrame, int]]:
        """Frames and their timestamps, which rise."""
        timeline, last_pts = Timeline(self.time_base), None
        for frame in self.deinterlacer.over(self._decode()):
            pts = frame.pts if frame.pts is not None else self._guessed_pts(last_pts)
            last_pts = pts
            yield frame, timeline.follow(pts, frame.duration or 0)

    def _guessed_pts(self, last_pts: int | None) -> int:
        step = round(1 / (self.rate * self.time_base))
        return 0 if last_pts is None else last_pts + max(step, 1)

    def check(self, frame: VideoFrame, pts: int) -> None:
        """Count a frame that is used and was concealed. Raises InputError where damage is not to be lived with."""
        if frame.is_corrupt:
            self._damaged("a broken frame", pts)
            self.damage.concealed += 1

    def _decode(self) -> Iterator[VideoFrame]:
        """Every frame that can be decoded; damaged packets are skipped and counted."""
        bad_in_a_row = 0
        for packet in self._packets():
            if self._card is not None:
                yield from self._decoded_on_card(self._card, packet)
                continue
            if packet is not None and packet.is_corrupt:
                self._damaged("an incomplete packet", packet.pts)
                self.damage.partial += 1
            try:
                yield from self._decoder.decode(packet)
                bad_in_a_row = 0
            except InvalidDataError as error:
                self._damaged("a packet that cannot be decoded", None if packet is None else packet.pts)
                self.damage.skipped += 1
                bad_in_a_row += 1
                if bad_in_a_row >= MOST_BAD_PACKETS:
                    raise InputError(f"{self._location}: {bad_in_a_row} damaged packets in a row") from error
            except FFmpegError as error:
                raise InputError(f"{self._location}: cannot read on ({reason(error)})") from error

    def _decoded_on_card(self, card: CardDecoding, packet: Packet[VideoStream] | None) -> Iterator[VideoFrame]:
        if packet is not None and packet.is_corrupt:
            raise CardLostError("a packet is damaged")
        try:
            for frame in self._decoder.decode(packet):
                yield card.handed_on(frame)
        except (FFmpegError, OSError) as error:
            raise CardLostError(reason_of(error)) from error

    def _packets(self) -> Iterator[Packet[VideoStream] | None]:
        """The video's packets, and at the end what flushes the decoder."""
        packets = self._container.demux(self.stream)
        while True:
            try:
                started_s = monotonic()
                with self._reading:
                    packet = next(packets, None)
                self.waited_s += monotonic() - started_s
            except InvalidDataError:
                # The demuxer cannot find its way on; the decoder still holds whole frames.
                self._damaged("its rest cannot be found", None)
                self.damage.ends_early = True
                yield None
                return
            except FFmpegError as error:
                raise InputError(f"{self._location}: cannot read on ({reason(error)})") from error
            if packet is None:
                return
            yield packet

    def hurry(self, hurries: bool) -> None:
        """Decode key frames only, or all again."""
        self._context.skip_frame = "NONKEY" if hurries else "DEFAULT"

    def _damaged(self, what: str, pts: int | None) -> None:
        if self._strict:
            where = "" if pts is None else f" at {float(pts * self.time_base):.3f} s"
            raise InputError(f"{self._location}: damaged{where}, {what}; leave out --strict to have it concealed")

    def close(self) -> None:
        """Close the container."""
        # FFmpeg frees what a thread that is still reading uses, which crashes. Such a thread has outlasted its
        # deadline (a dead network); the process is about to end and takes the input with it.
        if self._reading.acquire(blocking=False):
            self._container.close()


def _alpha_decoder(stream: VideoStream) -> VideoCodecContext | None:
    """What decodes the alpha that a stream says it has, None where the usual decoder will do."""
    own = stream.codec_context
    name = ALPHA_DECODERS.get(own.name) if stream.metadata.get("alpha_mode") == "1" else None
    if name is None:
        return None
    decoder = CodecContext.create(name, "r")
    assert isinstance(decoder, VideoCodecContext)
    decoder.extradata, decoder.thread_type = own.extradata, "AUTO"
    decoder.color_primaries, decoder.color_trc = own.color_primaries, own.color_trc
    decoder.colorspace, decoder.color_range = own.colorspace, own.color_range
    return decoder


def reason(error: Exception) -> str:
    """What FFmpeg or the system says is wrong, in a few words."""
    if isinstance(error, ExitError):  # its own words are "Immediate exit requested"
        return "no data came in time"
    return getattr(error, "strerror", None) or str(error)
