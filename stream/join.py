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
from .side_streams import SideStreams
from .video_out import open_output, writing


def join(track: Track, segments: Sequence[Path], aside: Path) -> list[str]:
    """Write the file of `track` to `aside`; returns what there is to say of it.

    Raises OutputError, and InputError where a segment is damaged.
    """
    first = PacketFile(segments[0]).facts
    with writing(track.target):
        output = _opened(track, aside)
        sides: SideStreams | None = None
        try:
            encoder = track.encoder(output, first.size_hw)  # says what the stream is; encodes nothing
            sides = track.sides(output) if track.sides is not None else None
            shown, cuts, notes = _survey(track, segments)
            if track.tags is not None:
                output.metadata.update(track.tags(cuts))
            output.start_encoding()
            if encoder.stream.codec_context.extradata != (first.extradata or None):
                raise _other_headers(track, segments[0])
            _copy(output, encoder, segments, decode_times(shown), sides, _start_s(track))
            output.close()
            return [*notes, *([*sides.notes, *sides.lost(aside)] if sides is not None else [])]
        finally:
            if sides is not None:
                sides.close()
            with suppress(FFmpegError):  # a full disk fails here again; the first error is on its way
                output.close()


def _opened(track: Track, aside: Path) -> OutputContainer:
    if track.info is not None:
        return open_output(aside, track.container, track.info)
    return av.open(f"file:{aside.absolute()}", "w", format=track.container)


def _start_s(track: Track) -> float:
    """The time of the film that is 0 in the file."""
    return float(track.info.cut.start_s) if track.info is not None and track.info.cut is not None else 0.0


def _survey(track: Track, segments: Sequence[Path]) -> tuple[list[int], list[int], list[str]]:
    """When each packet is shown, the frames that begin a scene, and the encoders' notes.

    Raises OutputError for headers that differ.
    """
    shown, cuts, notes, first = list[int](), list[int](), list[str](), PacketFile(segments[0]).facts
    for path in segments:  # one at a time: a long film has many packets
        file = PacketFile(path)
        if (file.facts.extradata, file.facts.size_hw) != (first.extradata, first.size_hw):
            raise _other_headers(track, path)
        shown += (entry.pts for entry in file.entries)
        cuts += file.facts.cuts
        notes += (note for note in file.facts.notes if note not in notes)
    return shown, cuts, notes


def _other_headers(track: Track, path: Path) -> OutputError:
    """One stream has one set of headers: a segment with others would be decoded into something else."""
    return OutputError(
        f"{track.target}: segment {path.name} was encoded with other headers than the rest of the file; --overwrite "
        "without --resume starts anew"
    )


def _copy(
    output: OutputContainer,
    encoder: Encoder,
    segments: Sequence[Path],
    decoded: Sequence[int],
    sides: SideStreams | None,
    start_s: float,
) -> None:
    """decoded: when to decode each packet. start_s: the time of the film that is 0 in the file."""
    packets = chain.from_iterable(PacketFile(path).packets() for path in segments)
    for packet, dts in zip(packets, decoded, strict=True):
        packet.dts = dts
        if sides is not None:
            sides.write_until(start_s + float(dts * packet.time_base))
        packet.stream = encoder.stream
        output.mux(packet)
    if sides is not None:
        sides.finish()


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
