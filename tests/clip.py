"""Write small test clips with PyAV alone."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

RATE = 25
SAMPLES_PER_S = 48_000


def write_clip(
    path: Path, *, frames: int = 20, size_wh: tuple[int, int] = (160, 96), sound: bool = False, rotation: int = 0
) -> Path:
    """H.264 with a square that moves right over a striped, shaded ground; with `sound`, a tone beside it."""
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=RATE, options={"crf": "10", "preset": "ultrafast"})
        video.codec_context.width, video.codec_context.height = size_wh
        video.codec_context.pix_fmt = "yuv420p"
        if rotation:
            video.set_display_rotation(rotation)
        audio = container.add_stream("aac", rate=SAMPLES_PER_S) if sound else None
        for index in range(frames):
            frame = VideoFrame.from_ndarray(draw(index, size_wh), format="rgb24")
            frame.pts, frame.time_base = index, Fraction(1, RATE)
            container.mux(video.encode(frame))
            if audio is not None:
                container.mux(audio.encode(tone(index)))
        container.mux(video.encode(None))
        if audio is not None:
            container.mux(audio.encode(None))
    return path


def write_deep_clip(
    path: Path,
    codec: str,
    pix_fmt: str,
    *,
    tags: tuple[int, int, int] = (2, 2, 2),
    options: dict[str, str] | None = None,
    frames: int = 5,
    size_wh: tuple[int, int] = (160, 96),
    opaque: int = -1,
) -> Path:
    """Smooth ramps that move, of more levels than 8 bits have; with alpha in `pix_fmt`, a ramp of it from the left.

    tags: primaries, transfer, matrix. opaque: the number of a frame whose alpha is full.
    """
    with av.open(str(path), "w") as container:
        video = container.add_stream(codec, rate=RATE, options=options or {})
        assert isinstance(video, VideoStream)
        context = video.codec_context
        context.width, context.height = size_wh
        context.pix_fmt, context.color_range = pix_fmt, 1
        context.color_primaries, context.color_trc, context.colorspace = tags
        for index in range(frames):
            whole = draw_deep(index, size_wh)
            if index == opaque:
                whole[..., 3] = 65535
            frame = VideoFrame.from_ndarray(whole, format="gbrap16le").reformat(
                format=pix_fmt, src_color_range=2, dst_color_range=1, dst_colorspace=9 if tags[2] == 9 else 1
            )
            frame.pts, frame.time_base = index, Fraction(1, RATE)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
    return path


def draw_deep(index: int, size_wh: tuple[int, int]) -> np.ndarray:
    """`h w 4` uint16: colour and alpha."""
    width, height = size_wh
    y, x = np.mgrid[:height, :width]
    red = (x + 2 * index) * (60_000 / (width + 40)) + 2_000
    green = y * (50_000 / height) + 5_000
    blue = 40_000 + 15_000 * np.sin((x + y) / 40)
    alpha = 65_535 * np.minimum(1.0, x / (0.8 * width))
    return np.stack((red, green, blue, alpha), axis=-1).astype(np.uint16)


def draw(index: int, size_wh: tuple[int, int]) -> np.ndarray:
    width, height = size_wh
    picture = np.empty((height, width, 3), np.uint8)
    stripes = (np.arange(width) // 4 % 2 * 60).astype(np.uint8)
    picture[:] = (np.linspace(20, 180, width, dtype=np.uint8) + stripes)[None, :, None]
    x = 4 + 3 * index % (width - 30)
    picture[height // 3 : height // 3 + 24, x : x + 24] = (220, 60, 40)
    return picture


def tone(index: int) -> AudioFrame:
    count = SAMPLES_PER_S // RATE
    t = (np.arange(count) + index * count) / SAMPLES_PER_S
    frame = AudioFrame.from_ndarray((0.2 * np.sin(2 * np.pi * 440 * t)).astype(np.float32)[None], "fltp", "mono")
    frame.sample_rate, frame.pts = SAMPLES_PER_S, index * count
    return frame
