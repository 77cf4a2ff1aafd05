"""Encoders on a GPU: tried before a film is begun, and replaced by the CPU's where they do not start.

All segments of a film must come from one encoder, so it is chosen once, and is part of what the job is.
"""

from __future__ import annotations

import os
from dataclasses import replace

import av
import numpy as np
from av.error import FFmpegError

from ..engines.api import Say, to_stderr
from ..engines.gpu import OpenLibrary, find_gpu, open_driver
from ..kernels.errors import EncoderLostError, EngineError
from .codecs import ENCODERS, CodecName
from .encoding import Encoding, choose_encoding
from .encoding_wish import EncodingWish
from .frame import Frame
from .picture_encoder import PictureEncoder
from .video_info import VideoInfo

SAME_ON_CPU = {"p010le": "yuv420p10le"}
NO_ENCODER = "it has no encoder, all its sessions are in use, or it does not take this size or format"


def settled(
    wish: EncodingWish, container: str, info: VideoInfo, size_hw: tuple[int, int], say: Say = to_stderr,
    driver: OpenLibrary = open_driver,
) -> EncodingWish:  # fmt: skip
    """`wish`; where its encoder needs a GPU and does not start, the same wish for the CPU, which `say` is told.

    size_hw: of the coded pictures. Raises InputError for wishes that cannot be met.
    """
    if software_of(wish) is None:
        return wish
    encoding = choose_encoding(container, info, size_hw, wish)
    why = _why_not(encoding, info, size_hw, driver)
    if why is None:
        return wish
    instead = on_cpu(wish)
    say(f"--codec {wish.codec}: {why}; {instead.codec} on the CPU is used instead")
    return instead


def software_of(wish: EncodingWish) -> CodecName | None:
    """What does the same without a GPU; None for wishes that need none."""
    return None if wish.codec is None else ENCODERS[wish.codec].software


def on_cpu(wish: EncodingWish) -> EncodingWish:
    """The same wish without a GPU; `wish` where it needs none. Presets have other names there."""
    if software_of(wish) is None:
        return wish
    form = None if wish.pix_fmt is None else SAME_ON_CPU.get(wish.pix_fmt, wish.pix_fmt)
    return replace(wish, codec=software_of(wish), preset=None, pix_fmt=form)


def _why_not(encoding: Encoding, info: VideoInfo, size_hw: tuple[int, int], driver: OpenLibrary) -> str | None:
    """Why an encoder does not start here, None when it does: one black picture is encoded."""
    try:
        gpu = find_gpu(driver)
    except EngineError as error:
        return str(error)
    black = np.zeros((*size_hw, 3), np.uint8)
    frame = Frame(info.orientation.upright(black), 0, info.first_pts, info.time_base)
    try:
        with av.open(os.devnull, "w", format=encoding.container) as nowhere:
            encoder = PictureEncoder(nowhere, encoding, info, size_hw)
            encoder.encode(frame.picture, frame)
            encoder.flush()
    except (FFmpegError, OSError, EncoderLostError) as error:
        return f"{gpu.name} does not start it ({error}): {NO_ENCODER}"
    return None
