"""Everything of a video file that is not video, copied into the output as it is."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import cast

from av.audio.codeccontext import AudioCodecContext
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.error import FFmpegError, InvalidDataError
from av.packet import Packet
from av.stream import Stream

from .clock import MILLISECOND
from .timeline import Timeline
from .video_in import open_input

COPIED = ("audio", "subtitle")
AUDIO_ENCODERS = {"webm": "libopus"}  # where a copy does not fit; AAC elsewhere
AHEAD_S = 0.5  # muxers like streams interleaved about this closely


@dataclass(slots=True)
class _Track:
    source: Stream
    target: Stream
    encode: bool
    timeline: Timeline | None  # subtitles may share a timestamp


class SoundTrack:
    """Reads the input a second time, for its sound and subtitles only, in step with the video written."""

    def __init__(self, location: str, output: OutputContainer) -> None:
        """Adds one output stream per track that the container can hold; `notes` name the others."""
        self._input = open_input(location)
        self._output = output
        self.notes: list[str] = []
        self._tracks: dict[int, _Track] = {}
        for stream in self._input.streams:
            self._add(stream)
        self._packets = self._input.demux([t.source for t in self._tracks.values()]) if self._tracks else iter(())
        self._next: Packet[Stream] | None = None

    def _add(self, stream: Stream) -> None:
        if stream.type == "video":
            return
        name = f"{stream.type} stream {stream.index}"
        # FFmpeg may know a track's kind and have no decoder for it: then there is no codec context.
        if stream.type not in COPIED or cast(object, stream.codec_context) is None:
            self.notes.append(f"left out: {name}, which cannot be copied")
            return
        codec = stream.codec_context.name
        timeline = Timeline(stream.time_base or MILLISECOND) if isinstance(stream, AudioStream) else None
        if codec in self._output.supported_codecs:
            target = self._output.add_stream_from_template(stream)
            self._tracks[stream.index] = _Track(stream, target, encode=False, timeline=timeline)
        elif isinstance(stream, AudioStream):
            self._tracks[stream.index] = _Track(stream, self._encoder_for(stream), encode=True, timeline=timeline)
            self.notes.append(f"sound: {codec} does not fit into this container, written as another codec")
        else:
            self.notes.append(f"left out: {name}, {codec} does not fit into this container")

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
                self._copy(packet, track)
            return
        target = track.target  # not its codec context, whose packets would not know their stream
        assert isinstance(target, AudioStream)
        try:
            frames = packet.decode()
        except InvalidDataError:
            return
        for frame in frames:
            assert isinstance(frame, AudioFrame)
            if track.timeline is not None and frame.pts is not None:
                frame.pts = track.timeline.follow(frame.pts)
            self._output.mux(target.encode(frame))
        if packet.dts is None:
            self._output.mux(target.encode(None))

    def _copy(self, packet: Packet[Stream], track: _Track) -> None:
        # Joined files step back in time; the picture's timeline does the same there.
        if track.timeline is not None and packet.dts is not None:
            shift = track.timeline.follow(packet.dts, packet.duration or 0) - packet.dts
            packet.dts += shift
            packet.pts = packet.pts + shift if packet.pts is not None else packet.dts
        packet.stream = track.target
        self._output.mux(packet)

    def finish(self) -> None:
        """Mux what is left."""
        self.write_until(float("inf"))

    def close(self) -> None:
        self._input.close()
