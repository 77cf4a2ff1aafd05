"""The files that a film's job makes: the film itself, and its depth."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from av.container import OutputContainer

from ..kernels.api import AnyPicture, InverseDepth
from .config import Settings
from .depth_file import DepthEncoder, cut_tags, small_tags
from .encoding import PictureEncoder, choose_encoding, container_of
from .films import Film
from .frame import Rendered
from .segments import Track
from .side_streams import SideStreams
from .video_in import VideoSource
from .video_info import VideoInfo


def film_track(target: Path, film: Film, source_path: str, settings: Settings) -> Track:
    """The film itself, encoded as `settings` wish, with what else its file holds."""
    container = container_of(target)
    info = film.info if settings.view == "refocus" else film.info.in_8_bits()
    sides = partial(_sides, source_path, info) if isinstance(film, VideoSource) else None

    def encoder(output: Any, upright_hw: tuple[int, int]) -> PictureEncoder:
        size_hw = info.orientation.upright_hw(upright_hw)  # a turn by a quarter is its own inverse for sizes
        return PictureEncoder(output, choose_encoding(container, info, size_hw, settings.encoding), info, size_hw)

    return Track("video", target, container, _picture, encoder, sides, info)


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
        tags=cut_tags,
    )
