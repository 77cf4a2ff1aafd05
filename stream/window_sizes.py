"""How large the live window is: as its picture, as fits, or as its user wants it."""

from __future__ import annotations

from collections.abc import Sequence

LARGEST_WH = (1280, 720)  # of a window at the start; larger pictures are shown smaller
SMALLEST_PX = 16  # a window that is closing has no size
TOLERANCE_PX = 4  # a window manager may round what it was asked for


class WindowSizes:
    """Pictures of one size get the window that such pictures had last: a wide view comes and goes without a trace."""

    def __init__(self, wanted_wh: tuple[int, int] | None) -> None:
        """wanted_wh: the user's own size, into which pictures are fitted; None = theirs, up to LARGEST_WH."""
        self.wanted_wh = wanted_wh
        self._of_hw: dict[tuple[int, int], tuple[int, int]] = {}
        self._now_hw = (0, 0)
        self._was_reached = False

    def change_to(self, picture_hw: tuple[int, int]) -> tuple[int, int]:
        """The window's width and height for pictures of another size."""
        self._now_hw, self._was_reached = picture_hw, False
        if picture_hw not in self._of_hw:
            self._of_hw[picture_hw] = fitted_wh(picture_hw, self.wanted_wh)
        return self._of_hw[picture_hw]

    def see(self, window_wh: Sequence[int]) -> None:
        """The window's size as it is; where it leaves what was asked for, its user has turned it."""
        width, height = window_wh
        asked_w, asked_h = self._of_hw.get(self._now_hw, (0, 0))
        as_asked = max(abs(width - asked_w), abs(height - asked_h)) <= TOLERANCE_PX
        if not as_asked and self._was_reached and min(width, height) >= SMALLEST_PX:
            self.wanted_wh = self._of_hw[self._now_hw] = (width, height)
        self._was_reached |= as_asked  # it takes a moment until a window has the size asked for


def fitted_wh(picture_hw: tuple[int, int], wanted_wh: tuple[int, int] | None = None) -> tuple[int, int]:
    """A window with the picture's ratio: its size or what fits into LARGEST_WH; the largest that fits `wanted_wh`."""
    height, width = picture_hw
    box_w, box_h = wanted_wh or LARGEST_WH
    scale = min(box_w / width, box_h / height)
    if wanted_wh is None:
        scale = min(1.0, scale)
    return max(1, round(width * scale)), max(1, round(height * scale))
