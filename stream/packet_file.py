"""A segment on disk: encoded packets with their exact times, before they are joined into a file that players know.

A zip archive, uncompressed, of the packets one after another and a JSON index. Containers for video would round times
to their own units or refuse those before zero; and a zip's check sums tell a whole segment from a damaged one.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from typing import IO, Any, cast, get_args

from av.packet import Packet, PacketSideData, PktSideDataT
from av.stream import Stream
from av.video.stream import VideoStream

from ..kernels.errors import InputError

PACKETS, INDEX = "packets", "index.json"
CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Facts:
    """What a segment's packets have in common. size_hw: of the pictures that went in; extradata: the codec's headers.

    cuts: the numbers, counted from the file's first frame, of those that begin a scene. notes: what of the source the
    encoder could not keep.
    """

    size_hw: tuple[int, int]
    time_base: Fraction
    extradata: bytes
    cuts: tuple[int, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """A packet without its bytes. pts and duration in units of the segment's time base; sides: kind and size."""

    size: int
    pts: int
    duration: int
    is_keyframe: bool
    sides: tuple[tuple[str, int], ...] = ()


class PacketWriter:
    """A segment being written. Raises OSError."""

    def __init__(self, path: Path) -> None:
        self._archive = zipfile.ZipFile(path, "w")
        self._packets = self._archive.open(PACKETS, "w", force_zip64=True)
        self._entries: list[Entry] = []

    def write(self, packets: list[Packet[VideoStream]]) -> None:
        for packet in packets:
            assert packet.pts is not None, "encoders keep a frame's time"
            sides = [(side.data_type, bytes(side)) for side in packet.iter_sidedata()]
            for part in (packet, *(data for _, data in sides)):
                self._packets.write(part)
            kinds = tuple((kind, len(data)) for kind, data in sides)
            self._entries.append(Entry(packet.size, packet.pts, packet.duration or 0, packet.is_keyframe, kinds))

    def finish(self, facts: Facts) -> None:
        self._packets.close()
        index = asdict(facts) | {
            "time_base": str(facts.time_base),
            "extradata": facts.extradata.hex(),
            "packets": [asdict(entry) for entry in self._entries],
        }
        self._archive.writestr(INDEX, json.dumps(index))
        self._archive.close()

    def abandon(self) -> None:
        """Let go of the file, which is of no use then."""
        for file in (self._packets, self._archive):
            with suppress(OSError, ValueError):  # a full disk fails here again
                file.close()


class PacketFile:
    """A segment to read."""

    def __init__(self, path: Path) -> None:
        """Reads the index. Raises InputError where the file is missing or damaged."""
        self.path = path
        try:
            with zipfile.ZipFile(path) as archive:
                index = json.loads(archive.read(INDEX))
            self.facts = Facts(
                size_hw=tuple(index["size_hw"]),
                time_base=Fraction(index["time_base"]),
                extradata=bytes.fromhex(index["extradata"]),
                cuts=tuple(index["cuts"]),
                notes=tuple(index["notes"]),
            )
            self.entries = [_entry(packet) for packet in index["packets"]]
        except (OSError, EOFError, ValueError, KeyError, TypeError, RuntimeError, zipfile.BadZipFile) as error:
            raise InputError(f"{path}: this segment is damaged or incomplete ({error})") from error

    def check(self) -> None:
        """Read it all. Raises InputError where a byte is wrong."""
        try:
            with zipfile.ZipFile(self.path) as archive, archive.open(PACKETS) as packets:
                while packets.read(CHUNK_BYTES):
                    pass
        except (OSError, EOFError, ValueError, zipfile.BadZipFile) as error:
            raise InputError(f"{self.path}: this segment is damaged ({error})") from error

    def packets(self) -> Iterator[Packet[Stream]]:
        """In the order in which they are to be decoded, each with pts, duration and time base, without dts.

        Raises InputError where a byte is wrong.
        """
        try:
            with zipfile.ZipFile(self.path) as archive, archive.open(PACKETS) as content:
                for entry in self.entries:
                    yield self._packet(entry, content)
        except (EOFError, zipfile.BadZipFile) as error:
            raise InputError(f"{self.path}: this segment is damaged ({error})") from error

    def _packet(self, entry: Entry, content: IO[bytes]) -> Packet[Stream]:
        packet = Packet(content.read(entry.size))
        packet.time_base = self.facts.time_base
        packet.pts, packet.duration, packet.is_keyframe = entry.pts, entry.duration, entry.is_keyframe
        for kind, size in entry.sides:
            packet.set_sidedata(_side_data(kind, content.read(size)))
        return packet


def _entry(packet: Any) -> Entry:
    sides = tuple((str(kind), int(size)) for kind, size in packet["sides"])
    return Entry(packet["size"], packet["pts"], packet["duration"], packet["is_keyframe"], sides)


def _side_data(kind: str, data: bytes) -> PacketSideData:
    make = cast(Any, PacketSideData)  # PyAV's stubs do not tell how one is made
    side = make(get_args(PktSideDataT).index(kind), len(data))
    side.update(data)
    return cast(PacketSideData, side)
