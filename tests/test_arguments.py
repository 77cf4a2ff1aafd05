"""What the benchmarks' programs take as numbers."""

from __future__ import annotations

from argparse import ArgumentTypeError

import pytest
from pullfocus.benchmarks import against_report
from pullfocus.benchmarks.arguments import between, count


def test_numbers_within_bounds_are_taken() -> None:
    assert [count(text) for text in ("1", "300")] == [1, 300]
    assert [between("hours", 0.5, 24.0)(text) for text in ("0.5", "24")] == [0.5, 24.0]


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "", "many"])
def test_what_is_no_count_is_said(text: str) -> None:
    with pytest.raises(ArgumentTypeError, match="expected a whole number of 1 or more"):
        count(text)


@pytest.mark.parametrize("text", ["0.4", "25", "nan", "inf", "soon"])
def test_what_is_beyond_the_bounds_is_said(text: str) -> None:
    with pytest.raises(ArgumentTypeError, match=r"expected hours, 0.5 to 24"):
        between("hours", 0.5, 24.0)(text)


def test_a_program_without_frames_ends_at_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["against_report", "--frames", "0"])
    with pytest.raises(SystemExit) as ended:
        against_report.main()
    assert ended.value.code == 2
    assert "--frames: got '0'" in capsys.readouterr().err
