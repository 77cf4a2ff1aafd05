"""The files that a film's job makes: the film itself, and its depth."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from av.container import OutputContainer

from ..kernels.api import AnyPicture, InverseDepth, Picture, load
from .animation_out import ANIMATIONS, plays_of, write_animation
from .config import Settings
from .depth_file import DepthEncoder, cut_tags, small_tags
from .encoding import choose_encoding, container_of
from .films import Film, is_video, left_out, result_of
from .frame import Rendered
from .handover import Handover
from .join import join
from .picture_encoder import PictureEncoder
from .pictures import ENDINGS_16, ENDINGS_ALPHA
from .progress import progress
from .segments import Track
from .side_streams import SideStreams
from .stills_out import is_numbered, write_sequence
from .stored import LosslessEncoder, StoredFrame, stored_frames, summary
from .video_in import VideoSource
from .video_info import VideoInfo


def film_track(
    target: Path, film: Film, source_path: str, settings: Settings, handover: Handover | None = None
) -> Track:
    """The film itself: a video file, an animation or numbered pictures, as the name `target` asks.

    handover: of a video whose pictures come from the card's `DownloadStage` as they are for an encoder there.
    """
    if is_video(target):
        return _video_track(target, film, source_path, settings, handover)
    return _pictures_track(target, film, source_path, settings)


def _video_track(target: Path, film: Film, source_path: str, settings: Settings, handover: Handover | None) -> Track:
    """Encoded as `settings` wish, with what else the source's file holds."""
    container, info = container_of(target), film.info.shown_as(settings.view)
    frames = None if handover is None else handover.frames
    sides = partial(_sides, source_path, info) if isinstance(film, VideoSource) else None

    def encoder(output: Any, upright_hw: tuple[int, int]) -> PictureEncoder:
        size_hw = info.orientation.upright_hw(upright_hw)  # a turn by a quarter is its own inverse for sizes
        encoding = choose_encoding(container, info, size_hw, settings.encoding)
        return PictureEncoder(output, encoding, info, size_hw, frames)

    return Track("video", target, container, _picture, encoder, join, sides, info)


def _pictures_track(target: Path, film: Film, source_path: str, settings: Settings) -> Track:
    """Kept without loss until all frames are there: an animation has no parts, and pictures appear together."""
    info = film.info.shown_as(settings.view)
    bits = 16 if info.bits_to_keep > 8 and target.suffix.lower() in ENDINGS_16 else 8
    holds_alpha = target.suffix.lower() in (*ENDINGS_ALPHA, *ANIMATIONS)
    notes = [*left_out(target, source_path, film), *_losses(info, bits)]

    def encoder(output: OutputContainer, size_hw: tuple[int, int]) -> LosslessEncoder:
        return LosslessEncoder(output, info, size_hw, bits, holds_alpha)

    def assemble(track: Track, segments: Sequence[Path], aside: Path) -> list[str]:
        count, lost = summary(segments)
        with progress(f"writing {track.target.name}", count) as on_frame:
            frames = _counted(stored_frames(segments, bits), on_frame)
            if is_numbered(target):
                write_sequence(target, frames, aside)
            else:
                lost += write_animation(target, frames, aside, plays_of(Path(source_path)))
        return [*lost, *notes]

    return Track("pictures", result_of(target), "nut", _picture if bits == 16 else _picture8, encoder, assemble)


def _counted(frames: Iterator[StoredFrame], on_frame: Callable[[int], None]) -> Iterator[StoredFrame]:
    for number, frame in enumerate(frames, 1):
        yield frame
        on_frame(number)


def _losses(info: VideoInfo, bits: int) -> list[str]:
    """What pictures of so many bits do not keep of the source, in a line each."""
    notes = list[str]()
    if info.bits > bits:
        notes.append(f"the input has {info.bits} bits; the output has {bits}")
    if info.hdr.dolby_vision:
        notes.append("the input is Dolby Vision; its base layer is kept, without what Dolby Vision adds to it")
    if info.tags.light != "srgb":
        shown = "the output is its SDR rendition" if bits == 8 else "the pictures hold its code values, untagged"
        notes.append(f"the input is HDR ({info.tags.light}); {shown}")
    return notes


def _picture8(rendered: Rendered) -> Picture:
    """The rendition of a deeper picture; views have 8 bits already."""
    picture, transfer = rendered.picture, rendered.frame.transfer
    return load("cpu").to_8_bits(picture, "srgb" if picture.dtype == np.uint8 else transfer)


def _sides(source_path: str, info: VideoInfo, output: OutputContainer) -> SideStreams:
    return SideStreams(source_path, output, info.cut)


def _picture(rendered: Any) -> AnyPicture:
    return rendered.picture


def small_depth_track(target: Path, info: VideoInfo) -> Track:
    """For a second pass: depth before it gets the picture's edges, a tenth of the size and of the time to read."""
    return replace(depth_track(target, info), array=_small_depth, tags=small_tags)


def _small_depth(rendered: Rendered) -> InverseDepth:
    sensed = rendered.layered.sensed
    return sensed.inverse_depth if sensed.small is None else sensed.small


def depth_track(target: Path, info: VideoInfo) -> Track:
    return Track(
        "depth",
        target,
        "matroska",
        lambda item: item.inverse_depth,
        lambda output, size_hw: DepthEncoder(output, info, size_hw),
        join,
        tags=cut_tags,
    )
