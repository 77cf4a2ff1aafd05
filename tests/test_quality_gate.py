"""What the gate of the quality bench lets pass, and what it reads."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pullfocus.benchmarks.quality.gate import Compared, compare
from pullfocus.benchmarks.quality.measures import MEASURES
from pullfocus.benchmarks.quality.result import Result
from pullfocus.kernels.errors import InputError

from .quality_result import result

BASELINE = Path(__file__).resolve().parents[1] / "benchmarks" / "results" / "quality_small.json"


@pytest.mark.parametrize("name", list(MEASURES))
def test_worse_is_what_lies_beyond_the_tolerance(name: str) -> None:
    measure = MEASURES[name]
    sign = -1.0 if measure.higher_is_better else 1.0
    for step, is_worse in ((0.99 * measure.tolerance, False), (1.01 * measure.tolerance + 1e-5, True), (-5.0, False)):
        assert Compared(("lens", "any", name), 1.0, 1.0 + sign * step).is_worse is is_worse


def test_a_figure_that_cannot_be_taken_any_more_is_worse() -> None:
    before, after = result(lens={"fine": {"psnr_db": 40.0}}), result(lens={"fine": {"psnr_db": float("nan")}})
    (worse,) = compare(before, after, ("lens",)).worse
    assert worse.words.startswith("lens, fine: PSNR, dB – against 40.00 before")
    assert compare(after, before, ("lens",)).worse == []


def test_figures_of_one_file_are_named_but_not_those_of_other_suites() -> None:
    before = result(lens={"fine": {"psnr_db": 40.0, "leaked": 0.1}}, depth={"drawn": {"pair_order": 0.9}})
    after = result(lens={"fine": {"psnr_db": 40.05}, "fast": {"psnr_db": 30.0}})
    found = compare(before, after, ("lens",))
    assert (found.only_before, found.only_after) == (["lens, fine: leaked colour"], ["lens, fast: PSNR, dB"])
    assert [each.key for each in found.both] == [("lens", "fine", "psnr_db")]
    with pytest.raises(InputError, match="none of the figures"):
        compare(before, result(edges={"drawn": {"mae_near": 0.1}}), ("edges",))


def test_a_result_reads_as_it_was_written(tmp_path: Path) -> None:
    written = result(lens={"fine": {"psnr_db": 40.123456789, "leaked": float("nan")}})
    written.write(tmp_path / "a.json")
    read = Result.read(tmp_path / "a.json")
    assert read == written
    assert read.by_key() == {("lens", "fine", "psnr_db"): 40.123457, ("lens", "fine", "leaked"): None}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (r'"psnr_db": ([\d.]+)', r'"psnr_db": "\1"', "damaged"),
        ('"psnr_db"', '"psnr"', "unknown figure"),
        ('"f32"', '"f8"', "--precision: got 'f8'"),
        ("quality 1", "quality 9", "no result of pullfocus bench quality"),
        (r"\{", "", "not JSON"),
        ('"figures"', '"figure"', "damaged (KeyError: 'figures')"),
    ],
)
def test_a_damaged_baseline_is_named(tmp_path: Path, old: str, new: str, said: str) -> None:
    path = tmp_path / "damaged.json"
    path.write_text(re.sub(old, new, BASELINE.read_text(encoding="utf-8"), count=1))
    with pytest.raises(InputError, match=re.escape(said)) as refused:
        Result.read(path)
    assert str(refused.value).startswith(str(path))
