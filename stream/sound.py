"""Everything of a video file that is not video, copied into the output as it is."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from av.audio.codeccontext import AudioCodecContext
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.error import FFmpegError, InvalidDataError
from av.packet import Packet
from av.stream import Stream

from .video_in import open_input

COPIED = ("audio", "subtitle")
AUDIO_ENCODERS = {"webm": "libopus"}  # where a copy does not fit; AAC elsewhere
AHEAD_S = 0.5  # muxers like streams interleaved about this closely


@dataclass(slots=True)
class _Track:
    source: Stream
    target: Stream
    encode: bool


class SoundTrack:
    """Reads the input a second time, for its sound and subtitles only, in step with the video written."""

    def __init__(self, location: str, output: OutputContainer) -> None:
        """Adds one output stream per track that the container can hold; `left_out` names the others."""
        self._input = open_input(location)
        self._output = output
        self.left_out: list[str] = []
        self.notes: list[str] = []
        self._tracks: dict[int, _Track] = {}
        for stream in self._input.streams:
            self._add(stream)
        self._packets = self._input.demux([t.source for t in self._tracks.values()]) if self._tracks else iter(())
        self._next: Packet[Stream] | None = None

    def _add(self, stream: Stream) -> None:
        if stream.type == "video":
            return
        codec = stream.codec_context.name if stream.type in COPIED else ""
        if stream.type in COPIED and codec in self._output.supported_codecs:
            self._tracks[stream.index] = _Track(stream, self._output.add_stream_from_template(stream), encode=False)
        elif isinstance(stream, AudioStream):
            self._tracks[stream.index] = _Track(stream, self._encoder_for(stream), encode=True)
            self.notes.append(f"sound: {codec} does not fit into this container, written as another codec")
        else:
            self.left_out.append(f"{stream.type} stream {stream.index} {codec}".strip())

    def _encoder_for(self, stream: AudioStream) -> Stream:
        name = AUDIO_ENCODERS.get(self._output.format.name, "aac")
        rate = 48_000 if name == "libopus" else stream.codec_context.sample_rate
        target = self._output.add_stream(name, rate=rate)
        assert isinstance(target.codec_context, AudioCodecContext)
        target.codec_context.layout = stream.codec_context.layout
        return target

    def write_until(self, time_s: float) -> None:
        """Mux every packet that plays before `time_s` + a little."""
        while True:
            packet = self._next or self._read()
            self._next = None
            if packet is None:
                return
            if packet.dts is None:
                self._write(packet)  # a flush packet, at the end of a stream
                continue
            if float(packet.dts * (packet.time_base or Fraction(1))) > time_s + AHEAD_S:
                self._next = packet
                return
            self._write(packet)

    def _read(self) -> Packet[Stream] | None:
        try:
            return next(self._packets, None)
        except FFmpegError as error:
            self.notes.append(f"sound: ends early, the input is damaged ({error.strerror})")
            self._packets = iter(())
            return None

    def _write(self, packet: Packet[Stream]) -> None:
        track = self._tracks[packet.stream.index]
        if not track.encode:
            if packet.dts is not None:
                packet.stream = track.target
                self._output.mux(packet)
            return
        target = track.target.codec_context
        assert isinstance(target, AudioCodecContext)
        try:
            frames = packet.decode()
        except InvalidDataError:
            return
        for frame in frames:
            self._output.mux(target.encode(frame))  # pyright: ignore[reportArgumentType]
        if packet.dts is None:
            self._output.mux(target.encode(None))

    def finish(self) -> None:
        """Mux what is left."""
        self.write_until(float("inf"))

    def close(self) -> None:
        self._input.close()
