"""A clip that shows whether picture and sound stay in step: a white flash and a beep, once a second."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from ..kernels.api import Picture
from ..stream.synthetic import SyntheticSource

RATE = 30
SOUND_RATE = 48_000
FLASH_AT = 0.5  # of every second
BEEP_S, BEEP_HZ = 0.06, 1000.0
SOUND_FRAME = 1024  # samples; what AAC codes at once
FLASH_LUMA = 215.0  # mean of a frame, 0–255; the moving picture stays below 160
BEEP_LEVEL = 0.1  # root mean square of a millisecond, full scale = 1
ONSET_STEP = SOUND_RATE // 1000


@dataclass(frozen=True, slots=True)
class Signals:
    """What a clip holds, exactly as its timestamps say, in seconds.

    flashes_s: start of each white frame. beeps_s: onset of each beep, to about a millisecond.
    """

    frames_s: list[Fraction]
    video_s: Fraction
    sound_s: Fraction
    flashes_s: list[float]
    beeps_s: list[float]

    def worst_step_s(self) -> float:
        """The largest distance between a flash and the beep of the same number; infinite if one is missing."""
        if len(self.flashes_s) != len(self.beeps_s) or not self.flashes_s:
            return float("inf")
        return max(abs(flash - beep) for flash, beep in zip(self.flashes_s, self.beeps_s))


def write_clip(path: Path, seconds: int, size_hw: tuple[int, int]) -> None:
    """Write `seconds` of H.264 at 30 fps with AAC sound at 48 kHz."""
    with av.open(str(path), "w") as output:
        video = output.add_stream("libx264", rate=RATE, options={"preset": "ultrafast", "crf": "20"})
        video.height, video.width = size_hw
        video.pix_fmt = "yuv420p"
        sound = output.add_stream("aac", rate=SOUND_RATE, layout="mono")
        _write_seconds(output, video, sound, seconds, size_hw)
        output.mux(video.encode(None))
        output.mux(sound.encode(None))


def _write_seconds(
    output: OutputContainer, video: VideoStream, sound: AudioStream, seconds: int, size_hw: tuple[int, int]
) -> None:
    beeps = _sound_frames(seconds)
    for index, picture in enumerate(_pictures(seconds * RATE, size_hw)):
        frame = VideoFrame.from_ndarray(picture, format="rgb24")
        frame.pts, frame.time_base = index, Fraction(1, RATE)
        output.mux(video.encode(frame))
        for samples in beeps:
            output.mux(sound.encode(samples))
            if samples.pts is not None and samples.pts * RATE > index * SOUND_RATE:
                break  # the sound is as far as the picture


def _pictures(count: int, size_hw: tuple[int, int]) -> Iterator[Picture]:
    """A ball that swings before a wall that drifts; white at every flash."""
    white = np.full((*size_hw, 3), 255, np.uint8)
    for frame in SyntheticSource(size_hw, Fraction(RATE), live=False, frames=count).frames():
        is_flash = frame.index % RATE == round(FLASH_AT * RATE)
        yield white if is_flash else np.roll(frame.picture8, frame.index, axis=1)


def _sound_frames(seconds: int) -> Iterator[AudioFrame]:
    for start in range(0, seconds * SOUND_RATE, SOUND_FRAME):
        time_s = np.arange(start, min(start + SOUND_FRAME, seconds * SOUND_RATE)) / SOUND_RATE
        since_s = (time_s - FLASH_AT) % 1.0
        tone = 0.7 * np.sin(2.0 * np.pi * BEEP_HZ * since_s) * (since_s < BEEP_S)
        frame = AudioFrame.from_ndarray(tone[None].astype(np.float32), format="fltp", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = SOUND_RATE, start, Fraction(1, SOUND_RATE)
        yield frame


def read_signals(path: Path) -> Signals:
    """Decode a clip and find its frames, flashes and beeps."""
    with av.open(str(path)) as clip:
        video, sound = clip.streams.video[0], clip.streams.audio[0]
        video_s, sound_s = _duration_s(video), _duration_s(sound)
        frames_s: list[Fraction] = []
        flashes_s: list[float] = []
        for frame in clip.decode(video):
            time_s = (frame.pts or 0) * Fraction(frame.time_base or 1)
            frames_s.append(time_s)
            if frame.to_ndarray(format="gray").mean() > FLASH_LUMA:
                flashes_s.append(float(time_s))
    return Signals(frames_s, video_s, sound_s, flashes_s, _beeps(path))


def _duration_s(stream: VideoStream | AudioStream) -> Fraction:
    return (stream.duration or 0) * (stream.time_base or Fraction(1))


def _beeps(path: Path) -> list[float]:
    """Onsets: the first loud millisecond after at least 0.1 s without one."""
    onsets: list[float] = []
    last_loud_s = float("-inf")
    with av.open(str(path)) as clip:
        for frame in clip.decode(audio=0):
            for time_s in _loud_s(frame.to_ndarray()[0], float((frame.pts or 0) * Fraction(frame.time_base or 1))):
                if time_s - last_loud_s > 0.1:
                    onsets.append(time_s)
                last_loud_s = time_s
    return onsets


def _loud_s(samples: NDArray[np.float32], start_s: float) -> list[float]:
    """Times of the milliseconds that are loud, in one decoded frame of sound."""
    starts = range(0, len(samples), ONSET_STEP)
    levels = [float(np.sqrt(np.mean(samples[at : at + ONSET_STEP] ** 2))) for at in starts]
    return [start_s + at / SOUND_RATE for at, level in zip(starts, levels) if level > BEEP_LEVEL]
