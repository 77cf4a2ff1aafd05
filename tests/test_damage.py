"""Broken and interlaced films: concealed or made whole, counted and said; --strict stops instead."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.filter import Graph
from av.video.frame import VideoFrame
from pullfocus.kernels.errors import InputError
from pullfocus.stream.video_in import VideoSource
from pullfocus.stream.video_job import refocus_video

from .clip import draw, write_clip
from .command import assert_one_line, run
from .probe import probe
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
    notes = refocus_video(str(broken), out, PLANE).notes
    assert set(damage.notes()) <= set(notes)
    assert len(probe(out).times_s) == frames
    out.unlink()
    assert_one_line(
        run("video", broken, "-o", out, "--strict", "--engine", "plane"), "broken.mp4: damaged at", "leave out --strict"
    )
    assert sorted(p.name for p in tmp_path.iterdir()) == ["broken.mp4", "whole.mp4"]
    with VideoSource(str(whole), strict=True) as source:
        assert len(list(source.frames())) == 40


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
