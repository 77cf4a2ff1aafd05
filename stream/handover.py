"""Pictures that stay on the card until they are encoded there: when they can, and whether it works here.

They can where nothing is left for the CPU to do: 8 bits in 4:2:0, not to be turned, of even sides and known colours.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

import av
import numpy as np
from av.codec.context import CodecContext
from av.video.codeccontext import VideoCodecContext
from numpy.typing import NDArray

from ..engines.api import Say, to_stderr
from ..engines.cuda_errors import library_failures
from ..kernels.api import AnyPicture, Picture
from ..kernels.cuda import YuvSystem
from ..kernels.cuda.card import Card
from ..kernels.errors import PullfocusError
from .card import nv12_there
from .card_frames import CardFrames, FramesThere
from .decoder_planes import system_of
from .encoding import Encoding, choose_encoding
from .encoding_wish import EncodingWish
from .frame import Frame
from .gpu_encoding import software_of
from .picture_encoder import PictureEncoder
from .video_info import VideoInfo

HANDED_OVER = "yuv420p"  # of what an encoding asks for: NV12 has the same values
WAY, ON_CARD, THROUGH_MEMORY = "way to the encoder", "on the card", "through main memory"  # as a job remembers it
TRIAL_FRAMES = 4
PATCHES = 5
MOST_APART = 4.0  # of 255, on average: rounding, and what an encoder makes of it

OpenFrames: TypeAlias = Callable[[int], FramesThere]


@dataclass(frozen=True, slots=True)
class Handover:
    """How pictures stay on the card. system: of their NV12. frames: makes the encoder's frames of them."""

    system: YuvSystem
    frames: FramesThere


def way_of(handover: Handover | None) -> str:
    """For the job: each way rounds colours by its own, so a film's frames all go the same."""
    return THROUGH_MEMORY if handover is None else ON_CARD


def handed_over(
    wish: EncodingWish, container: str, info: VideoInfo, card: Card | None, say: Say = to_stderr,
    opened: OpenFrames = CardFrames,
) -> Handover | None:  # fmt: skip
    """How a film's pictures stay on `card`, tried out; None: they come to main memory.

    wish: whose encoder starts here. info: of what is written. `say` is told where it could be and fails. opened: makes
    the frames, given CUDA's number of the GPU. Raises InputError for wishes that cannot be met.
    """
    if card is None or software_of(wish) is None:
        return None
    encoding, system = choose_encoding(container, info, info.size_hw, wish), system_of(info)
    if system is None or encoding.pix_fmt != HANDED_OVER or info.bits > 8:
        return None
    handover = Handover(system, opened(card.kernels.launcher.device_id))
    why = _why_not(encoding, info, card, handover)
    if why is None:
        return handover
    say(f"--codec {wish.codec}: pictures reach it through main memory, and not on {card.name}: {why}")
    return None


def _why_not(encoding: Encoding, info: VideoInfo, card: Card, handover: Handover) -> str | None:
    """A few pictures are encoded both ways, and decoded."""
    drawn = [_drawn(info.size_hw, index) for index in range(TRIAL_FRAMES)]
    try:
        with library_failures(f"{encoding.codec} does not take them there"):
            there = [nv12_there(card, _sent(card, picture), handover.system) for picture in drawn]
            card.compute.mark().wait()
            headers, ours = _encoded(encoding, info, there, handover.frames)
            own_headers, others = _encoded(encoding, info, drawn)
    except PullfocusError as error:
        return str(error)
    if headers != own_headers:
        return f"{encoding.codec} writes other headers then"  # the file's are those of main memory
    if ours.shape != others.shape:
        return f"{encoding.codec} gives {len(ours)} frames of {TRIAL_FRAMES}"
    apart = float(np.abs(ours.astype(np.int16) - others).mean(axis=(1, 2)).max())
    return None if apart <= MOST_APART else f"a trial gave other pictures, {apart:.0f} of 255 off on average"


def _drawn(size_hw: tuple[int, int], index: int) -> Picture:
    """Patches of plain colours, which any quality keeps; others in each picture."""
    patches = np.random.default_rng(index).integers(0, 256, (PATCHES, PATCHES, 3), np.uint8)
    row, column = (np.arange(length) * PATCHES // length for length in size_hw)
    return cast(Picture, patches[row[:, None], column])


def _sent(card: Card, picture: Picture) -> Any:
    with card.compute.queue():
        return card.kernels.launcher.upload(picture)


def _encoded(
    encoding: Encoding, info: VideoInfo, pictures: Sequence[Any], frames: FramesThere | None = None
) -> tuple[bytes | None, NDArray[np.uint8]]:
    """The codec's headers, and what a decoder of the CPU gives: `n 3h/2 w`."""
    step = max(1, round(1 / (info.rate * info.time_base)))
    with av.open(os.devnull, "w", format=encoding.container) as nowhere:
        encoder = PictureEncoder(nowhere, encoding, info, info.size_hw, frames)
        packets = [
            packet
            for index, picture in enumerate(pictures)
            for packet in encoder.encode(picture, _timed(picture, index, info, step))
        ]
        packets += encoder.flush()
        context = encoder.stream.codec_context
        headers, name = context.extradata, context.codec.canonical_name
    decoder = CodecContext.create(name, "r")
    assert isinstance(decoder, VideoCodecContext)
    decoder.extradata = headers
    decoded = [frame for packet in (*packets, None) for frame in decoder.decode(packet)]
    return headers, np.stack([cast("NDArray[np.uint8]", frame.to_ndarray()) for frame in decoded])


def _timed(picture: AnyPicture, index: int, info: VideoInfo, step: int) -> Frame:
    return Frame(picture, index, info.first_pts + index * step, info.time_base, step)
