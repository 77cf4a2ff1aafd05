"""What the live window draws over a picture: how the run stands, a mark where the user clicked, short messages."""

from __future__ import annotations

from dataclasses import dataclass, field
from time import monotonic

import cv2
import numpy as np

from ..kernels.api import Picture
from .controls import Turned
from .lettering import WHITE, Colour, lay, line_height, plate, plate_mask, shortened, text_width, write
from .report import Moment
from .targets import Fixed, LayerNumber, Point, read_target

TEXT_SHARE = 0.03  # the text's size, as a share of the picture's height
SMALLEST_PX, LARGEST_PX = 14, 48
MARK_S, TOAST_S = 1.0, 1.8
FADE_S = 0.4  # how long a mark or a message takes to go
RED: Colour = (70, 70, 240)


@dataclass(frozen=True, slots=True)
class Look:
    """What is to be drawn.

    moment: None before it is known. recorded_s: how long the recording is, None without one. mark: a click's place
    (x, y) in pixels of the picture; toast: a message; each with its opacity in (0, 1].
    """

    turned: Turned
    moment: Moment | None = None
    recorded_s: float | None = None
    mark: tuple[int, int, float] | None = None
    toast: tuple[str, float] | None = None


@dataclass(slots=True)
class Fading:
    """Something that is shown for a while and then fades."""

    text: str = ""
    ends_s: float = field(default=-1.0)

    def show(self, text: str = "", for_s: float = TOAST_S) -> None:
        self.text, self.ends_s = text, monotonic() + for_s

    @property
    def opacity(self) -> float:
        """Now; 0 when it has gone."""
        return min(1.0, max(0.0, (self.ends_s - monotonic()) / FADE_S))


def text_px(picture: Picture) -> int:
    """The size of the overlay's text for a picture of this height."""
    return min(LARGEST_PX, max(SMALLEST_PX, round(picture.shape[0] * TEXT_SHARE)))


def draw(picture: Picture, look: Look) -> None:
    """Into `picture` (`h w 3` uint8 BGR), in place."""
    if look.mark is not None:
        draw_mark(picture, *look.mark)
    top = draw_status(picture, look)
    if look.toast is not None:
        draw_toast(picture, *look.toast, bottom=top)


def draw_status(picture: Picture, look: Look) -> int:
    """A line at the bottom left, where no view has a caption; where it begins. What does not fit is left out."""
    size = text_px(picture)
    pad, gap, height = size // 2, size, line_height(size)
    words = list[str]()
    width = pad + (size if look.recorded_s is not None else 0)
    for word in _words(look):
        width += text_width(word, size) + (gap if words else 0)
        if width + 2 * pad > picture.shape[1] and words:
            width -= text_width(word, size) + gap
            break
        words.append(word)
    x, y = pad, picture.shape[0] - height - 2 * pad
    plate(picture, x, y - pad // 2, width + pad, height + pad)
    x += pad
    if look.recorded_s is not None:
        dot = plate_mask(*[round(size * 0.6)] * 2, size)
        lay(picture, dot, x, y + (height - dot.shape[0]) // 2, RED)
        x += size
    for word in words:
        x = write(picture, word, x, y, size) + gap
    return y - pad // 2


def _words(look: Look) -> list[str]:
    """Of the status line, the most important first."""
    turned, moment = look.turned, look.moment
    words = list[str]()
    if look.recorded_s is not None:
        words.append(f"REC {int(look.recorded_s) // 60}:{int(look.recorded_s) % 60:02d}")
    if moment is not None and moment.fps:
        words += [f"{moment.fps:.0f} fps", f"{moment.latency_ms:.0f} ms"]
    return [*words, focus_words(turned), f"aperture {turned.aperture:g}", f"{turned.layers} layers"]


def focus_words(turned: Turned) -> str:
    """What is in focus, in words."""
    if turned.held:
        return "focus held"
    match read_target(turned.focus):
        case LayerNumber(number):
            return f"layer {number}"
        case Fixed(inverse_depth):
            return f"depth {inverse_depth:.2f}"
        case Point():
            return "point"
        case _:
            return "subject" if turned.focus == "auto" else turned.focus


def draw_toast(picture: Picture, text: str, opacity: float, bottom: int) -> None:
    """A message in the middle, above `bottom`."""
    size = text_px(picture)
    pad, height = size // 2, line_height(size)
    text = shortened(text, size, picture.shape[1] - 4 * pad)
    width = text_width(text, size)
    x, y = (picture.shape[1] - width) // 2, bottom - height - 2 * pad
    plate(picture, x - pad, y - pad // 2, width + 2 * pad, height + pad, 0.62 * opacity)
    write(picture, text, x, y, size, WHITE, opacity)


def draw_mark(picture: Picture, x: int, y: int, opacity: float) -> None:
    """A ring and a point at (x, y), light with a dark rim."""
    radius = max(12, picture.shape[0] // 28)
    line = max(1, radius // 12)
    reach = radius + 2 * line + 2
    for colour, thickness in (((0, 0, 0), 3 * line), (WHITE, line)):
        ring = np.zeros((2 * reach + 1, 2 * reach + 1), np.uint8)
        cv2.circle(ring, (reach, reach), radius, (255,), thickness, cv2.LINE_AA)
        cv2.circle(ring, (reach, reach), thickness, (255,), cv2.FILLED, cv2.LINE_AA)
        lay(picture, ring, x - reach, y - reach, colour, opacity * (0.55 if thickness > line else 1.0))
