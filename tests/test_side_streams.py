"""All that a film holds beside its pictures goes along, or is named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.stream import Disposition
from pullfocus.engines.build import EngineRequest
from pullfocus.stream.config import Settings
from pullfocus.stream.video_job import refocus_video

from .probe import probe
from .rich_clip import CHAPTERS, LINES, cover_picture, write_rich_clip

PLANE = Settings(engine=EngineRequest("plane"))


@pytest.fixture(scope="module", params=[".mkv", ".mp4"])
def clip(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_rich_clip(tmp_path_factory.mktemp("rich") / f"in{request.param}")


def contents(path: Path) -> dict[str, Any]:
    """What is in a file beside its film, in words that every container shares."""
    with av.open(str(path)) as container:
        found: dict[str, Any] = {
            "chapters": [
                (c["metadata"]["title"], *(round(c[at] * c["time_base"] * 1000) for at in ("start", "end")))
                for c in container.chapters()
                if c["time_base"] is not None
            ],
            "metadata": {key.lower(): value for key, value in container.metadata.items()},
            "cover": None,
            "fonts": [stream.data for stream in container.streams.attachments],
            "lines": [],
        }
        for stream in container.streams:
            if stream.type in ("audio", "subtitle"):
                title = stream.metadata.get("title", stream.metadata.get("name"))
                found[stream.type] = (stream.language, title, stream.disposition)
        for packet in container.demux([s for s in container.streams if s.type in ("video", "subtitle")]):
            if packet.stream.type == "subtitle" and packet.size > 2:
                times_ms = [round((t or 0) * packet.time_base * 1000) for t in (packet.pts, packet.duration)]
                found["lines"].append((*times_ms, bytes(packet).removeprefix(bytes([0, packet.size - 2])).decode()))
            elif packet.stream.disposition & Disposition.attached_pic and packet.size:
                found["cover"] = bytes(packet)
    return found


def refocused(clip: Path, out: Path) -> str:
    return "\n".join(refocus_video(str(clip), out, PLANE).notes)


def test_a_film_of_its_own_kind_holds_all_that_it_held(clip: Path, tmp_path: Path) -> None:
    out = tmp_path / f"out{clip.suffix}"
    assert refocused(clip, out) == ""
    before, after = contents(clip), contents(out)
    assert before["lines"] == list(LINES)
    assert [name for name, _, _ in before["chapters"]] == [name for name, _, _ in CHAPTERS]
    assert before["cover"] == cover_picture()
    assert {**before["metadata"], "encoder": ""}.items() <= {**after["metadata"], "encoder": ""}.items()
    assert {**after, "metadata": {}} == {**before, "metadata": {}}
    source, result = probe(clip), probe(out)
    assert result.times_s == source.times_s
    assert result.sound == source.sound


def test_what_another_container_cannot_hold_is_named(clip: Path, tmp_path: Path) -> None:
    other = {".mkv": ".mp4", ".mp4": ".mkv"}[clip.suffix]
    out = tmp_path / f"out{other}"
    notes = refocused(clip, out)
    before, after = contents(clip), contents(out)
    for kept in ("chapters", "audio", "cover"):
        assert after[kept] == before[kept]
    assert {"title": "A film", "artist": "Somebody", "comment": "made for a test"}.items() <= after["metadata"].items()
    assert after["lines"] == after["fonts"] == []
    assert "left out: subtitle stream 2" in notes
    assert ("font.ttf" in notes) == (clip.suffix == ".mkv")
    webm, mov = tmp_path / "out.webm", tmp_path / "out.mov"
    notes = refocused(clip, webm)
    assert all(word in notes for word in ("subtitle stream 2", "a cover picture", "another codec"))
    assert "a cover picture" in refocused(clip, mov)
    assert contents(mov)["audio"][:2] == ("ger", "Ton")  # QuickTime's code for the same language
    assert contents(webm)["chapters"] == contents(mov)["chapters"] == before["chapters"]


@pytest.mark.parametrize("first", [0, 25])
@pytest.mark.parametrize("ending", [".mp4", ".mkv", ".mov"])
def test_sound_and_picture_keep_their_times(first: int, ending: str, tmp_path: Path) -> None:
    """MP4 hides an encoder's priming, and whatever comes before the first picture, in edit lists."""
    clip = write_rich_clip(tmp_path / "in.mp4", first=first)
    out = tmp_path / f"out{ending}"
    refocused(clip, out)
    before, after = probe(clip), probe(out)
    assert before.times_s[0] == first / 25
    np.testing.assert_allclose(after.times_s, before.times_s, atol=0.0006)
    assert after.sound == before.sound
    np.testing.assert_allclose(sound_times_s(out), sound_times_s(clip), atol=0.0006)


def sound_times_s(path: Path) -> list[float]:
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux(audio=0) if packet.pts is not None]
        return [float((packet.pts or 0) * packet.time_base) for packet in packets]


def test_metadata_without_a_place_in_mp4_is_kept_in_free_keys_or_named(tmp_path: Path) -> None:
    clip = write_rich_clip(tmp_path / "in.mkv", more_metadata={"com.example.lens": "50 mm f/1.2"})
    out = tmp_path / "out.mp4"
    assert "metadata" not in refocused(clip, out)
    kept = contents(out)["metadata"]
    assert kept["com.example.lens"] == "50 mm f/1.2"
    assert kept["title"] == "A film"


DOCS = Path(__file__).resolve().parents[1] / "docs" / "files.md"


@pytest.mark.parametrize("ending", [".mp4", ".mov", ".mkv", ".webm"])
def test_the_table_of_containers_says_what_happens(ending: str, tmp_path: Path) -> None:
    sources = [write_rich_clip(tmp_path / f"in{kind}") for kind in (".mkv", ".mp4")]
    outs = [tmp_path / f"{source.suffix[1:]}{ending}" for source in sources]
    for source, out in zip(sources, outs, strict=True):
        refocused(source, out)
    before = [contents(source) for source in sources]
    found = [contents(out) for out in outs]
    forced = [Disposition.forced in each["subtitle"][2] for each in found if "subtitle" in each]
    labels = [
        all(b["metadata"][key] == f["metadata"].get(key) for key in ("title", "artist", "comment"))
        and f["audio"][:2] in (("deu", "Ton"), ("ger", "Ton"))
        for b, f in zip(before, found, strict=True)
    ]

    def held(key: str) -> list[bool]:
        return [b[key] == f[key] for b, f in zip(before, found, strict=True)]

    cells = [
        "copied" if all(probe(s).sound == probe(o).sound for s, o in zip(sources, outs, strict=True)) else "as Opus",
        *("copied" if same else "no" for same in held("lines")),
        "kept" if any(forced) else "no",
        *("kept" if all(held(key)) else "no" for key in ("chapters", "cover", "fonts")),
        "kept" if all(labels) else "no",
    ]
    assert f"| {ending} | {' | '.join(cells)} |" in DOCS.read_text(encoding="utf-8")
