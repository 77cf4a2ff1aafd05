"""How large the window is, and when."""

from __future__ import annotations

from pullfocus.stream.window_sizes import LARGEST_WH, WindowSizes, fitted_wh


def test_a_large_picture_starts_in_a_window_that_fits() -> None:
    assert fitted_wh((1440, 2560)) == LARGEST_WH
    assert fitted_wh((480, 640)) == (640, 480)
    assert fitted_wh((1280, 720)) == (405, 720)
    assert fitted_wh((480, 640), wanted_wh=(1000, 960)) == (1000, 750)


def test_a_wide_view_comes_and_goes_and_only_a_size_that_the_user_gave_is_wanted() -> None:
    sizes = WindowSizes(None)
    assert sizes.change_to((720, 1280)) == (1280, 720)
    sizes.see((200, 100))  # the window is not there yet
    sizes.see((1280, 721))
    assert sizes.change_to((720, 2560)) == (1280, 360)
    sizes.see((1280, 360))
    assert sizes.change_to((720, 1280)) == (1280, 720)
    assert sizes.wanted_wh is None
    sizes.see((1280, 720))
    sizes.see((900, 600))
    assert sizes.change_to((720, 2560)) == (1280, 360)
    sizes.see((0, 0))
    assert sizes.change_to((720, 1280)) == sizes.wanted_wh == (900, 600)
