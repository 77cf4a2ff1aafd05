"""Segments into one file: packets are copied, together with the sound, and nothing is encoded again."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from itertools import chain
from pathlib import Path

import av
from av.container import OutputContainer
from av.error import FFmpegError

from ..kernels.errors import OutputError
from .packet_file import PacketFile
from .segments import Encoder, Track
from .sound import SoundTrack
from .video_out import writing


def join(track: Track, segments: Sequence[PacketFile], aside: Path) -> list[str]:
    """Write the file of `track` to `aside`; returns what there is to say of its sound. Raises OutputError."""
    with writing(track.target):
        output = av.open(f"file:{aside.absolute()}", "w", format=track.container)
        sound: SoundTrack | None = None
        try:
            encoder = track.encoder(output, segments[0].facts.size_hw)  # says what the stream is; encodes nothing
            sound = track.sound(output) if track.sound is not None else None
            if track.tags is not None:
                output.metadata.update(track.tags(_cuts(segments)))
            output.start_encoding()
            _check_headers(track, encoder, segments)
            _copy(output, encoder, segments, sound)
            output.close()
            return sound.notes if sound is not None else []
        finally:
            if sound is not None:
                sound.close()
            with suppress(FFmpegError):  # a full disk fails here again; the first error is on its way
                output.close()


def _cuts(segments: Sequence[PacketFile]) -> list[int]:
    return [cut for segment in segments for cut in segment.facts.cuts]


def _check_headers(track: Track, encoder: Encoder, segments: Sequence[PacketFile]) -> None:
    """One stream has one set of headers: a segment with others would be decoded into something else."""
    wanted = encoder.stream.codec_context.extradata or b""
    for segment in segments:
        if segment.facts.extradata != wanted or segment.facts.size_hw != segments[0].facts.size_hw:
            raise OutputError(
                f"{track.target}: segment {segment.path.name} was encoded with other headers than the encoder writes "
                "now; --overwrite without --resume starts anew"
            )


def _copy(output: OutputContainer, encoder: Encoder, segments: Sequence[PacketFile], sound: SoundTrack | None) -> None:
    times = iter(decode_times([entry.pts for segment in segments for entry in segment.entries]))
    for packet in chain.from_iterable(segment.packets() for segment in segments):
        packet.dts = next(times)
        if sound is not None:
            sound.write_until(float(packet.dts * packet.time_base))
        packet.stream = encoder.stream
        output.mux(packet)
    if sound is not None:
        sound.finish()


def decode_times(shown: Sequence[int]) -> list[int]:
    """When to decode each packet, for packets in decoding order that are shown at `shown`.

    Frames are decoded in the order in which others are shown, as far ahead as the most delayed one needs: rising, and
    never after the packet's own time.
    """
    ordered = sorted(shown)
    place = {pts: index for index, pts in enumerate(ordered)}
    delay = max(index - place[pts] for index, pts in enumerate(shown))
    step = max(1, ordered[1] - ordered[0]) if len(ordered) > 1 else 1
    before = [ordered[0] - step * ahead for ahead in range(delay, 0, -1)]
    return [*before, *ordered][: len(shown)]
