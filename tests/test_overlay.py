"""What the live window draws over a picture: where it is, that it can be read, and what it says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from pullfocus.stream import lettering
from pullfocus.stream.controls import Turned
from pullfocus.stream.lettering import line_height, shortened, text_mask, text_width
from pullfocus.stream.overlay import Fading, Look, draw, draw_status, focus_words, text_px
from pullfocus.stream.overlay_panels import COLOURS, draw_help, draw_statistics
from pullfocus.stream.report import Moment

TURNED = Turned("auto", False, 7.5, 6, "refocus", False)
MOMENT = Moment(24.8, 52.0, {"source": 31.0, "depth": 30.0, "layers": 1.0, "refocus": 10.0, "sink": 9.0}, 412, 37)
SIZES = [(240, 320), (480, 640), (720, 1280)]
GROUNDS = {"black": 0, "grey": 128, "white": 255}


def ground(size_hw: tuple[int, int], value: int = 128) -> np.ndarray:
    return np.full((*size_hw, 3), value, np.uint8)


def changed(picture: np.ndarray, value: int = 128) -> tuple[int, int, int, int]:
    """Top, bottom, left and right of what was drawn."""
    rows, columns = np.nonzero((picture != value).any(axis=2))
    return rows.min(), rows.max() + 1, columns.min(), columns.max() + 1


@pytest.mark.parametrize("size_hw", SIZES)
@pytest.mark.parametrize("value", GROUNDS.values(), ids=GROUNDS)
def test_the_status_line_is_at_the_bottom_left_and_readable_on_any_ground(size_hw: tuple[int, int], value: int) -> None:
    picture = ground(size_hw, value)
    top = draw_status(picture, Look(TURNED, MOMENT))
    first, last, left, right = changed(picture, value)
    size = text_px(picture)
    assert top <= first < last <= size_hw[0]
    assert last - first <= line_height(size) + size  # one line
    assert left < 2 * size
    assert right <= size_hw[1]
    drawn = picture[first:last, left:right]
    assert drawn.max() > 240
    assert np.median(drawn) < 120  # the plate


def test_the_text_grows_with_the_picture_within_limits() -> None:
    assert [text_px(ground(size_hw)) for size_hw in [(120, 160), *SIZES[1:], (4320, 7680)]] == [14, 14, 22, 48]


def test_what_does_not_fit_is_left_out_from_the_end() -> None:
    widths = []
    for width in (1280, 320, 200, 110):
        picture = ground((480, width))
        draw_status(picture, Look(TURNED, MOMENT))
        widths.append(changed(picture)[3])
        assert widths[-1] <= width
    assert widths == sorted(widths, reverse=True)
    assert len(set(widths)) == 4


def test_a_recording_is_seen_by_a_red_dot_and_its_time() -> None:
    plain, recording, later = ground((480, 640)), ground((480, 640)), ground((480, 640))
    draw_status(plain, Look(TURNED, MOMENT))
    draw_status(recording, Look(TURNED, MOMENT, recorded_s=83.2))
    draw_status(later, Look(TURNED, MOMENT, recorded_s=84.2))

    def is_red(picture: np.ndarray) -> np.ndarray:
        return (picture[..., 2].astype(int) - picture[..., 1]) > 100

    assert not is_red(plain).any()
    rows, columns = np.nonzero(is_red(recording))
    assert rows.min() > 440
    assert columns.max() < 40
    assert not np.array_equal(recording, later)


@pytest.mark.parametrize(
    ("focus", "held", "words"),
    [
        ("auto", False, "subject"),
        ("nearest", False, "nearest"),
        ("layer:2", False, "layer 2"),
        ("0.35", False, "depth 0.35"),
        ("0.2,0.7", False, "point"),
        ("auto", True, "focus held"),
    ],
)
def test_focus_in_words(focus: str, held: bool, words: str) -> None:
    assert focus_words(replace(TURNED, focus=focus, held=held)) == words


def test_a_click_is_marked_where_it_was_and_the_mark_fades() -> None:
    strengths = []
    for opacity in (1.0, 0.5, 0.1):
        picture, plain = ground((480, 640)), ground((480, 640))
        draw(picture, Look(TURNED, mark=(500, 100, opacity)))
        draw(plain, Look(TURNED))
        difference = np.abs(picture.astype(int) - plain).max(axis=2)
        rows, columns = np.nonzero(difference)
        assert (rows.min() + rows.max(), columns.min() + columns.max()) == (200, 1000)
        strengths.append(int(difference.max()))
    assert strengths[0] > 100
    assert strengths == sorted(strengths, reverse=True)


def test_a_mark_at_the_border_is_cut() -> None:
    for x, y in ((0, 0), (639, 479), (-5, 240), (700, 500)):
        draw(ground((480, 640)), Look(TURNED, mark=(x, y, 1.0)))


def test_a_message_stands_in_the_middle_above_the_status_line() -> None:
    picture, plain = ground((480, 640)), ground((480, 640))
    look = Look(TURNED, MOMENT, toast=("aperture 7.5", 1.0))
    draw(plain, replace(look, toast=None))
    draw(picture, look)
    rows, columns = np.nonzero((picture != plain).any(axis=2))
    assert abs((columns.min() + columns.max()) / 2 - 320) <= 1
    assert rows.max() < changed(plain)[0]
    assert rows.min() > 400


def test_a_long_message_keeps_its_ends() -> None:
    text = "saved /home/someone/a/long/way/down/pullfocus-2026-11-26-141500.mp4 (2051 frames)"
    short = shortened(text, 14, 300)
    assert text_width(short, 14) <= 300
    assert short.startswith("saved /home")
    assert short.endswith("frames)")
    assert "..." in short
    assert shortened("short", 14, 300) == "short"


def test_the_bar_of_the_statistics_shows_the_stages_shares() -> None:
    picture = ground((480, 640))
    draw_statistics(picture, MOMENT)
    top, bottom, left, right = changed(picture)
    assert (top < 20, bottom < 300, left > 320, right > 620) == (True, True, True, True)
    # The row of the bar is the one with most of the first stage's colour.
    is_depth = (picture == COLOURS[0]).all(axis=2)
    row = picture[is_depth.sum(axis=1).argmax()]
    parts = [int((row == colour).all(axis=1).sum()) for colour in COLOURS[:4]]
    shares = np.array(parts) / sum(parts)
    np.testing.assert_allclose(shares, [0.6, 0.02, 0.2, 0.18], atol=0.03)  # without the wait for the source


def test_statistics_before_the_first_frame_are_empty_and_many_stages_have_colours_too() -> None:
    draw_statistics(ground((480, 640)), Moment(0.0, 0.0, {"source": 0.0, "depth": 0.0}, 0, 0))
    draw_statistics(ground((480, 640)), Moment(1.0, 1.0, {f"stage {number}": 1.0 for number in range(9)}, 1, 0))


@pytest.mark.parametrize("size_hw", [*SIZES, (96, 128)])
def test_the_help_is_in_the_middle_and_fits(size_hw: tuple[int, int]) -> None:
    picture = ground(size_hw)
    draw_help(picture)
    top, bottom, left, right = changed(picture)
    if size_hw[0] >= 240:
        assert top > 0
        assert bottom < size_hw[0]
        assert left > 0
        assert right < size_hw[1]
        assert abs((left + right) / 2 - size_hw[1] / 2) <= 1
        assert picture.max() > 240


@pytest.mark.parametrize("size_px", [8, 14, 17, 22, 48])
def test_text_is_not_cut(size_px: int, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "Happy [gj] (Q)"
    mask = text_mask(text, size_px)
    monkeypatch.setattr(lettering, "ASCENT", 2.0)
    monkeypatch.setattr(lettering, "DESCENT", 2.0)
    text_mask.cache_clear()
    roomy = text_mask(text, size_px)
    text_mask.cache_clear()
    assert roomy.shape[0] > mask.shape[0]
    assert mask.sum(dtype=int) == roomy.sum(dtype=int) > 0


def test_what_fades_is_whole_first_and_then_gone() -> None:
    toast = Fading()
    assert toast.opacity == 0.0
    toast.show("text", for_s=100.0)
    assert toast.opacity == 1.0
    toast.show("text", for_s=0.2)
    assert 0.0 < toast.opacity < 1.0
    toast.show("text", for_s=-1.0)
    assert toast.opacity == 0.0
