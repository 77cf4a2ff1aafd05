"""Write clips that hold more than pictures and sound: covers, chapters, metadata, subtitles, edit lists."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from av.packet import Packet
from av.stream import Disposition
from av.video.frame import VideoFrame

from .clip import RATE, SAMPLES_PER_S, draw, tone

MILLISECOND = Fraction(1, 1000)
LINES = ((200, 400, "first line"), (700, 500, "second line"))  # start and length in ms
CHAPTERS = (("one", 0, 500), ("two", 500, 1200))


def write_rich_clip(
    path: Path, *, frames: int = 30, first: int = 0, keys: int = 250, more_metadata: dict[str, str] | None = None
) -> Path:
    """H.264 and a German AAC tone, forced subtitles, two chapters, metadata, a cover, and in Matroska a font.

    first: frame number of the first picture; keys: most frames between key frames.
    """
    container = av.open(str(path), "w")
    size_wh = (96, 64)
    video = container.add_stream("libx264", rate=RATE, options={"crf": "10", "preset": "ultrafast", "g": str(keys)})
    video.codec_context.width, video.codec_context.height = size_wh
    video.codec_context.pix_fmt = "yuv420p"
    audio = container.add_stream("aac", rate=SAMPLES_PER_S)
    audio.metadata.update({"language": "deu", "title": "Ton"})
    audio.disposition = Disposition.default
    matroska = path.suffix == ".mkv"
    text = container.add_mux_stream("subrip" if matroska else "mov_text", time_base=MILLISECOND)
    text.metadata["language"] = "fra"
    text.disposition = Disposition.default | Disposition.forced
    container.metadata.update(
        {"title": "A film", "artist": "Somebody", "comment": "made for a test", **(more_metadata or {})}
    )
    container.set_chapters(
        [
            {"id": i + 1, "start": start, "end": end, "time_base": MILLISECOND, "metadata": {"title": name}}
            for i, (name, start, end) in enumerate(CHAPTERS)
        ]
    )
    cover = cover_picture()
    if matroska:
        container.add_attachment("cover.jpg", "image/jpeg", cover)
        container.add_attachment("font.ttf", "font/ttf", b"not much of a font")
    else:
        picture = container.add_mux_stream("mjpeg", width=40, height=40, time_base=MILLISECOND)
        picture.disposition = Disposition.attached_pic
        packet = Packet(cover)
        packet.stream = picture
        container.mux(packet)
    for index in range(frames):
        frame = VideoFrame.from_ndarray(draw(index, size_wh), format="rgb24")
        frame.pts, frame.time_base = first + index, Fraction(1, RATE)
        container.mux(video.encode(frame))
        sound = tone(index)
        sound.pts = (first + index) * SAMPLES_PER_S // RATE
        container.mux(audio.encode(sound))
    container.mux(video.encode(None))
    container.mux(audio.encode(None))
    for start, length, line in LINES:
        data = line.encode()
        packet = Packet(data if matroska else len(data).to_bytes(2, "big") + data)
        packet.stream, packet.time_base = text, MILLISECOND
        packet.pts = packet.dts = start + 1000 * first // RATE
        packet.duration = length
        container.mux(packet)
    container.close()
    return path


def cover_picture() -> bytes:
    """A JPEG file."""
    return cv2.imencode(".jpg", np.full((40, 40, 3), 90, np.uint8))[1].tobytes()
