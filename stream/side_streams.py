"""Everything of a film that is not its pictures: sound, subtitles, data, attachments, covers, chapters, metadata."""

from __future__ import annotations

import io
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
from av.audio.codeccontext import AudioCodecContext
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.error import FFmpegError, InvalidDataError
from av.packet import Packet
from av.stream import AttachmentStream, DataStream, Discard, Disposition, Stream
from av.subtitles.stream import SubtitleStream
from av.video.stream import VideoStream

from .clock import MILLISECOND
from .film_input import open_input
from .labels import is_cover, label_file, label_stream, lost_labels, main_video
from .packet_times import cut_to, shift
from .span import Cut
from .timeline import Timeline

AUDIO_ENCODERS = {"webm": "libopus"}  # where a copy does not fit; AAC elsewhere
AHEAD_S = 0.5  # muxers like streams interleaved about this closely
COVER_ENDINGS = {"mjpeg": "jpg", "png": "png", "bmp": "bmp", "gif": "gif", "webp": "webp"}
NO_TEXT = b"\0\0"  # as a subtitle of MP4
WITH_TIMECODE = ("mp4", "mov")  # their muxer makes a timecode track from the film's metadata


@dataclass(slots=True)
class _Track:
    source: Stream
    target: Stream
    encode: bool
    timeline: Timeline


class SideStreams:
    """Reads the input a second time, for all but the film's pictures, in step with the video written."""

    def __init__(self, location: str, output: OutputContainer, cut: Cut | None = None) -> None:
        """Adds one output stream per track that the container can hold; `notes` name the others.

        output: has its video stream and nothing written yet. cut: the part of the film that is written.
        """
        self._input = open_input(location)
        self._output, self._cut = output, cut
        self._container = output.format.name
        self.notes: list[str] = []
        self._tracks: dict[int, _Track] = {}
        self._covers: list[tuple[Stream, Stream]] = []
        self._label()
        for stream in self._input.streams:
            self._add(stream)
        self._packets = self._input.demux([t.source for t in self._tracks.values()]) if self._tracks else iter(())
        self._next: Packet[Stream] | None = None
        self._write_covers()

    def _label(self) -> None:
        label_file(self._input, self._output, self._cut)
        self._film = main_video(self._input.streams.video)
        if self._film is not None:
            label_stream(self._film, self._output.streams.video[0], self._cut)
            if self._cut is not None and "timecode" in self._film.metadata:
                self.notes.append("left out: the timecode, which is of the whole film")

    def _add(self, stream: Stream) -> None:
        if stream is self._film or stream.discard == Discard.all:  # the latter: MP4's chapters as a text track
            return
        if isinstance(stream, VideoStream):
            self._add_video(stream)
        elif isinstance(stream, DataStream) and "timecode" in stream.metadata and self._container in WITH_TIMECODE:
            return
        # FFmpeg may know a track's kind and not what is in it; a copy would be nothing that anyone can read.
        elif not isinstance(stream, AttachmentStream) and _codec_of(stream) is None:
            self._leave_out(stream, "which cannot be copied")
        elif self._fits(stream):
            target = self._output.add_stream_from_template(stream)
            label_stream(stream, target, self._cut)
            if not isinstance(stream, AttachmentStream):
                self._follow(stream, target, encode=False)
        elif isinstance(stream, AudioStream):
            target = self._encoder_for(stream)
            label_stream(stream, target, self._cut)
            self._follow(stream, target, encode=True)
            self.notes.append(f"sound: {_codec_of(stream)} does not fit into this container, written as another codec")
        else:
            self._leave_out(stream, f"{_codec_of(stream) or 'attachment'} does not fit into this container")

    def _leave_out(self, stream: Stream, why: str) -> None:
        name = f"{stream.type} stream {stream.index}"
        label = stream.metadata.get("title") or stream.metadata.get("filename") or stream.metadata.get("handler_name")
        self.notes.append(f"left out: {name}{f' ({label})' if label else ''}, {why}")

    def _follow(self, stream: Stream, target: Stream, encode: bool) -> None:
        least = 1 if isinstance(stream, AudioStream) else 0  # subtitles may share a timestamp
        self._tracks[stream.index] = _Track(stream, target, encode, Timeline(stream.time_base or MILLISECOND, least))

    def _fits(self, stream: Stream) -> bool:
        """Whether the container takes such a stream: it is asked to write a header for it."""
        if isinstance(stream, AttachmentStream) and self._container == "webm":
            return False  # it takes them and says nothing of them
        try:
            with av.open(io.BytesIO(), "w", format=self._container) as trial:
                trial.add_stream_from_template(stream, opaque=True)
                trial.start_encoding()
        except (FFmpegError, ValueError):
            return False
        return True

    def _encoder_for(self, stream: AudioStream) -> Stream:
        name = AUDIO_ENCODERS.get(self._container, "aac")
        rate = 48_000 if name == "libopus" else stream.codec_context.sample_rate
        target = self._output.add_stream(name, rate=rate)
        assert isinstance(target.codec_context, AudioCodecContext)
        target.codec_context.layout = stream.codec_context.layout
        return target

    def _add_video(self, stream: VideoStream) -> None:
        codec = stream.codec_context.name
        if not is_cover(stream):
            self._leave_out(stream, "a film has one video")
        elif self._container == "matroska" and codec in COVER_ENDINGS:  # there a cover is an attachment
            name = stream.metadata.get("filename", f"cover.{COVER_ENDINGS[codec]}")
            kind = stream.metadata.get("mimetype", f"image/{'jpeg' if codec == 'mjpeg' else codec}")
            self._output.add_attachment(name, kind, _only_packet(stream))
        elif self._container == "mp4" and codec in ("mjpeg", "png", "bmp"):  # MOV's muxer drops it without a word
            target = self._output.add_stream_from_template(stream, opaque=True)
            target.disposition = Disposition.attached_pic
            self._covers.append((stream, target))
        else:
            self._leave_out(stream, f"a cover picture ({codec}) does not fit into this container")

    def _write_covers(self) -> None:
        for stream, target in self._covers:
            packet = Packet(_only_packet(stream))
            packet.stream = target
            self._output.mux(packet)

    def write_until(self, time_s: float) -> None:
        """Mux every packet that plays before `time_s` (of the film) + a little."""
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
        if packet.dts is not None and (_is_gap(packet) or not self._place(packet, track)):
            return
        if not track.encode:
            if packet.dts is not None:
                packet.stream = track.target
                self._output.mux(packet)
            return
        target = track.target  # not its codec context, whose packets would not know their stream
        assert isinstance(target, AudioStream)
        try:
            frames = packet.decode()
        except InvalidDataError:
            return
        for frame in frames:
            assert isinstance(frame, AudioFrame)
            if frame.pts is not None:
                frame.pts = track.timeline.follow(frame.pts)
            self._output.mux(target.encode(frame))
        if packet.dts is None:
            self._output.mux(target.encode(None))

    def _place(self, packet: Packet[Stream], track: _Track) -> bool:
        """Give a packet its time in the output; False where none of it plays there."""
        assert packet.dts is not None
        if not track.encode:  # else its frames are placed
            # Joined files step back in time; the picture's timeline does the same there.
            shift(packet, track.timeline.follow(packet.dts, packet.duration or 0) - packet.dts)
        return self._cut is None or cut_to(packet, self._cut, isinstance(track.source, SubtitleStream))

    def finish(self) -> None:
        """Mux what is left."""
        self.write_until(float("inf"))

    def lost(self, written: Path) -> list[str]:
        """Notes on the metadata and dispositions that the finished file could not hold."""
        film = [self._film] if self._film is not None else []
        return lost_labels(self._input, [*film, *(track.source for track in self._tracks.values())], written)

    def close(self) -> None:
        self._input.close()


def _codec_of(stream: Stream) -> str | None:
    if isinstance(stream, DataStream):
        return stream.name
    context = cast(object, stream.codec_context)  # None where FFmpeg has no decoder
    return None if context is None else stream.codec_context.name


def _only_packet(stream: Stream) -> bytes:
    """The bytes of an attached picture, which a demuxer gives before all else."""
    with open_input(stream.container.name.removeprefix("file:")) as again:
        for packet in again.demux(again.streams[stream.index]):
            return bytes(packet)
    return b""


def _is_gap(packet: Packet[Stream]) -> bool:
    """MP4 fills the time between subtitles with empty ones; its muxer makes them anew."""
    return packet.size == len(NO_TEXT) and _codec_of(packet.stream) == "mov_text" and bytes(packet) == NO_TEXT
