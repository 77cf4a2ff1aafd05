"""Broken and interlaced films: concealed or made whole, counted and said; --strict stops instead."""

from __future__ import annotations

import json
import subprocess
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.filter import Graph
from av.video.frame import VideoFrame
from pullfocus.kernels.errors import InputError, OutputError
from pullfocus.stream.results import Results
from pullfocus.stream.video_in import VideoSource
from pullfocus.stream.video_job import refocus_video

from .clip import draw, write_clip
from .command import PULLFOCUS, assert_one_line, run
from .probe import probe
from .senders import serving
from .test_side_streams import PLANE


def break_some(clip: Path, out: Path) -> Path:
    """Flip every bit of two bytes in the middle of some compressed pictures."""
    data = bytearray(clip.read_bytes())
    with av.open(str(clip)) as container:
        packets = [p for p in container.demux(video=0) if p.size and p.pos is not None]
    for packet in packets[7::10]:
        at = (packet.pos or 0) + packet.size // 2
        data[at : at + 2] = bytes(byte ^ 0xFF for byte in data[at : at + 2])
    out.write_bytes(data)
    return out


def test_damage_is_concealed_and_counted_and_strict_stops_at_it(tmp_path: Path) -> None:
    whole = write_clip(tmp_path / "whole.mp4", frames=40, size_wh=(320, 192))
    broken = break_some(whole, tmp_path / "broken.mp4")
    out = tmp_path / "out.mp4"
    with VideoSource(str(broken)) as source:
        frames = len(list(source.frames()))
        damage = source.damage
    assert damage.concealed > 0
    assert frames + damage.skipped >= 40
    report = refocus_video(str(broken), out, PLANE)
    assert set(damage.notes()) <= set(report.notes)
    assert report.damage == damage
    assert len(probe(out).times_s) == frames
    out.unlink()
    assert_one_line(
        run("video", broken, "-o", out, "--strict", "--engine", "plane"), "broken.mp4: damaged at", "leave out --strict"
    )
    assert sorted(p.name for p in tmp_path.iterdir()) == ["broken.mp4", "whole.mp4"]
    with VideoSource(str(whole), strict=True) as source:
        assert len(list(source.frames())) == 40


@pytest.mark.parametrize("source", ["file", "pipe", "url"])
def test_live_counts_what_is_broken_in_a_file_a_pipe_and_a_stream(source: str, tmp_path: Path) -> None:
    broken = break_some(write_clip(tmp_path / "whole.mkv", frames=40, size_wh=(320, 192)), tmp_path / "broken.mkv")
    report, out = tmp_path / "r.json", tmp_path / "out.mkv"
    with serving(tmp_path) as address:
        name = {"file": str(broken), "pipe": "-", "url": f"{address}/broken.mkv"}[source]
        command = ("live", "--engine", "plane", "--source", name, "--sink", str(out), "--json", str(report))
        with broken.open("rb") as pipe:
            subprocess.run([PULLFOCUS, *command], stdin=pipe, check=True, timeout=60, capture_output=True)
    told = json.loads(report.read_text())
    assert told["damage"]["concealed"] + told["damage"]["skipped"] > 0
    assert any("of the input that were" in note for note in told["notes"])


def test_live_cannot_know_of_damage_where_nothing_is_decoded(tmp_path: Path) -> None:
    line = ("live", "--engine", "plane", "--source", "synthetic", "--sink", "null", "--frames", "3", "--json")
    assert run(*line, tmp_path / "r.json").returncode == 0
    assert json.loads((tmp_path / "r.json").read_text())["damage"] is None


def test_damage_is_a_field_of_the_report_also_when_only_joining_was_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = break_some(write_clip(tmp_path / "whole.mp4", frames=40, size_wh=(320, 192)), tmp_path / "broken.mp4")
    line = ("video", broken, "-o", tmp_path / "out.mp4", "--engine", "plane", "--json", tmp_path / "r.json")
    assert run(*line).returncode == 0
    told = json.loads((tmp_path / "r.json").read_text())["damage"]
    assert told.keys() == {"skipped", "partial", "concealed", "ends_early"}
    assert told["concealed"] > 0

    def full(_: Results) -> None:
        raise OutputError("disk full")

    with monkeypatch.context() as failing:
        failing.setattr(Results, "deliver", full)
        with pytest.raises(OutputError, match="disk full"):
            refocus_video(str(broken), tmp_path / "again.gif", PLANE)
    report = refocus_video(str(broken), tmp_path / "again.gif", PLANE, resume=True)
    assert report.damage is not None
    assert (report.frames, asdict(report.damage)) == (0, told)


def test_strict_sees_a_film_that_breaks_off(tmp_path: Path) -> None:
    whole = write_clip(tmp_path / "whole.ts", frames=40, size_wh=(320, 192))
    data = whole.read_bytes()
    (tmp_path / "cut.ts").write_bytes(data[: len(data) * 6 // 10])
    with (
        pytest.raises(InputError, match=r"cut\.ts: damaged"),
        VideoSource(str(tmp_path / "cut.ts"), strict=True) as source,
    ):
        list(source.frames())


def write_interlaced(path: Path, frames: int = 12) -> Path:
    """MPEG-2, top field first; the fields are pictures of two moments."""
    size_wh = (160, 96)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg2video", rate=25, options={"flags": "+ildct+ilme", "qscale": "2"})
        stream.codec_context.width, stream.codec_context.height = size_wh
        stream.codec_context.pix_fmt = "yuv420p"
        stream.codec_context.bit_rate = 4_000_000
        for index in range(frames):
            woven = draw(4 * index, size_wh).copy()
            woven[1::2] = draw(4 * index + 2, size_wh)[1::2]
            graph = Graph()  # only a filter can mark a frame as interlaced
            source = graph.add("buffer", video_size="160x96", pix_fmt="rgb24", time_base="1/25")
            chain = (graph.add("format", "yuv420p"), graph.add("setfield", "tff"), graph.add("buffersink"))
            graph.link_nodes(source, *chain).configure()
            frame = VideoFrame.from_ndarray(woven, format="rgb24")
            frame.pts, frame.time_base = index, Fraction(1, 25)
            graph.vpush(frame)
            container.mux(stream.encode(graph.vpull()))
        container.mux(stream.encode(None))
    return path


def combing(picture: np.ndarray) -> float:
    """How much odd lines differ from the even ones around them."""
    grey = picture.astype(float).mean(axis=2)
    return float(np.abs(grey[1:-1:2] - (grey[0:-2:2] + grey[2::2]) / 2).mean())


def test_interlaced_films_are_made_whole_one_frame_for_one(tmp_path: Path) -> None:
    clip = write_interlaced(tmp_path / "in.mkv")
    with av.open(str(clip)) as container:
        woven = list(container.decode(video=0))
    assert all(frame.interlaced_frame for frame in woven)
    with VideoSource(str(clip)) as source:
        frames = list(source.frames())
        assert source.notes == ["interlaced frames of the input that were deinterlaced: 12"]
    assert [frame.time_s for frame in frames] == [frame.time for frame in woven]
    before, after = (np.mean([combing(p) for p in pictures[2:]]) for pictures in (
        [frame.to_ndarray(format="rgb24") for frame in woven], [frame.picture for frame in frames],
    ))  # fmt: skip
    assert after < before / 3
