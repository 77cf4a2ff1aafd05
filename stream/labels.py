"""What a file says about itself: metadata, languages, dispositions and chapters, carried from one file to another.

Each container has room for some of it. What a written file has lost is found by reading it again, and named.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import av
from av.container import InputContainer, OutputContainer
from av.stream import Disposition, Stream
from av.video.stream import VideoStream

from .span import Cut

if TYPE_CHECKING:  # a class of PyAV's stubs only
    from av.container.core import Chapter

# Facts about the input's bytes or its maker, which would be untrue of the output.
_NOT_CARRIED = ("major_brand", "minor_version", "compatible_brands", "encoder", "duration", "vendor_id", "alpha_mode")
_STATISTICS = ("bps", "number_of_", "_statistics_")  # of Matroska's packets
# What MP4 has a place of its own for; anything else needs QuickTime's free keys, which fewer programs read.
_MP4_KEYS = re.compile(
    "title|artist|album_artist|composer|album|date|encoder|comment|genre|copyright|grouping|lyrics|description|"
    "synopsis|show|episode_id|network|keywords|episode_sort|season_number|media_type|hd_video|gapless_playback|"
    "compilation|track|disc|location|creation_time|timecode",
    re.IGNORECASE,
)
# ISO 639-2 has two codes for some languages; QuickTime's table, as FFmpeg has it, knows the older ones.
_QUICKTIME_LANGUAGES = {
    "bod": "tib", "ces": "cze", "cym": "wel", "deu": "ger", "ell": "gre", "eus": "baq", "fas": "per", "hye": "arm",
    "isl": "ice", "kat": "geo", "mkd": "mac", "mri": "mao", "msa": "may", "mya": "bur", "nld": "dut", "ron": "rum",
    "slk": "slo", "sqi": "alb", "zho": "chi",
}  # fmt: skip
UNKNOWN_LANGUAGE = "und"


def muxer_options(container: str, metadata: Mapping[str, str]) -> dict[str, str]:
    """FFmpeg's options for an output that is to hold `metadata`. container: FFmpeg's name of the muxer."""
    if container in ("matroska", "webm"):
        # Sound that is to be decoded and not heard lies before zero; Matroska would shift the whole film for it.
        return {"avoid_negative_ts": "disabled"}
    if not all(_MP4_KEYS.fullmatch(key) for key in carried(metadata)):
        return {"movflags": "use_metadata_tags"}
    return {}


def carried(metadata: Mapping[str, str]) -> dict[str, str]:
    """The entries that are as true of a copy."""
    names = {key.casefold() for key in metadata}
    kept = {}
    for key, value in metadata.items():
        name = key.casefold()
        in_a_language = "-" in name and name.rpartition("-")[0] in names  # MP4 says `location-eng` and `location`
        if name not in _NOT_CARRIED and not name.startswith(_STATISTICS) and not in_a_language:
            kept[key] = value
    return kept


def label_file(source: InputContainer, output: OutputContainer, cut: Cut | None) -> None:
    """Give the output the metadata and the chapters of its source."""
    output.metadata.update(carried(source.metadata))
    chapters = source.chapters()
    output.set_chapters(chapters if cut is None else _chapters_within(chapters, cut))


def label_stream(source: Stream, target: Stream, cut: Cut | None) -> None:
    """Give a stream the metadata, the language and the disposition of its source."""
    labels = carried(source.metadata)
    if "name" in labels:  # so MP4 reads what it writes as `title`
        labels.setdefault("title", labels.pop("name"))
    if cut is not None:
        labels.pop("timecode", None)  # of a frame that is not the first any more
    if isinstance(target.container, OutputContainer) and target.container.format.name == "mov":
        language = labels.get("language", UNKNOWN_LANGUAGE)
        labels["language"] = _QUICKTIME_LANGUAGES.get(language, language)
    target.metadata.update(labels)
    target.disposition = source.disposition


def main_video(streams: Iterable[VideoStream]) -> VideoStream | None:
    """The film itself: the first video that is not a cover picture."""
    return next((stream for stream in streams if not is_cover(stream)), None)


def is_cover(stream: Stream) -> bool:
    """Whether a video stream is a single attached picture."""
    return bool(stream.disposition & Disposition.attached_pic)


def lost_labels(source: InputContainer, streams: Iterable[Stream], written: Path) -> list[str]:
    """What `written` no longer says of what its source said. streams: of the source, those it holds, in order."""
    with av.open(f"file:{written.absolute()}", metadata_errors="replace") as result:
        notes = _lost(carried(source.metadata), result.metadata, "metadata")
        if source.chapters() and not result.chapters():
            notes.append("left out: chapters, which do not fit into this container")
        seen: dict[str, int] = {}
        for before in streams:
            number = seen.get(before.type, 0)
            seen[before.type] = number + 1
            alike = [s for s in result.streams if s.type == before.type and not is_cover(s)]
            if number < len(alike):
                notes += _lost_of_stream(before, alike[number])
    return notes


def _lost_of_stream(before: Stream, after: Stream) -> list[str]:
    name = f"{before.type} stream {before.index}"
    labels = carried(before.metadata)
    labels.pop("handler_name", None)  # who wrote the track, in MP4; every writer says its own
    if labels.get("language") == UNKNOWN_LANGUAGE:
        del labels["language"]
    flags = before.disposition & ~after.disposition & ~Disposition.default
    lost = [flag.name or "" for flag in Disposition if flag in flags and flag]
    return [
        *_lost(labels, after.metadata, f"metadata of {name}"),
        *([f"left out: disposition of {name}: {', '.join(lost)}"] if lost else []),
    ]


def _lost(wanted: Mapping[str, str], kept: Mapping[str, str], what: str) -> list[str]:
    names = {key.casefold() for key in kept}
    # A container may have another name for a thing, or another way to write it.
    lost = [key for key, value in wanted.items() if key.casefold() not in names and value not in kept.values()]
    return [f"left out: {what}: {', '.join(sorted(lost))}"] if lost else []


def _chapters_within(chapters: list[Chapter], cut: Cut) -> list[Chapter]:
    kept: list[Chapter] = []
    for chapter in chapters:
        unit = chapter["time_base"]
        if unit is None:
            continue
        first = round(cut.start_s / unit)
        start = max(chapter["start"] - first, 0)
        end = chapter["end"] - first if cut.end_s is None else min(chapter["end"], round(cut.end_s / unit)) - first
        if end > start:
            kept.append({**chapter, "start": start, "end": end})
    return kept
