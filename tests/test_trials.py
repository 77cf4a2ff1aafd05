"""The table of a study's short nets."""

from __future__ import annotations

from pathlib import Path

import pytest
from pullfocus.kernels.errors import InputError
from pullfocus.training.trials import HEADS, Trial, Trials, as_markdown, for_terminal
from rich.console import Console

ROOT = Path(__file__).parents[1]
ORDER, SHARP = HEADS.index("NYU: order"), HEADS.index("people: edges")


def trials() -> Trials:
    """Two seeds of one row and one of another, out of order; a third row was not trained."""

    def trial(row: str, seed: int, order: float) -> Trial:
        nyu: dict[str, float | None] = {"pair_order": order, "delta1": None}
        return Trial(row, seed, 10 - seed, 1.0, {"nyu_labeled_1449": nyu, "people_teacher": {"edge_ratio": 2.0}})

    study = {"rows": {"plain": [], "deep": [], "wide": []}}
    return Trials(study, [trial("deep", 0, 0.5), trial("plain", 0, 0.8), trial("plain", 1, 0.9)], [])


def test_a_row_is_the_mean_of_its_seeds_and_how_far_they_are_from_it() -> None:
    plain, deep = trials().lines()
    assert (plain[:3], deep[:3]) == (["plain", "2", "10, 9"], ["deep", "1", "10"])
    assert (plain[ORDER], deep[ORDER]) == ("0.850 ± 0.050", "0.500")
    assert (plain[ORDER + 1], plain[SHARP]) == ("–", "2.00 ± 0.00")


def test_both_tables_hold_every_cell() -> None:
    console = Console(width=200, record=True)
    console.print(for_terminal(trials()))
    shown = console.export_text()
    written = as_markdown(trials())
    assert all(cell in shown and cell in written for line in trials().lines() for cell in line)
    assert {line.count("|") for line in written.splitlines()} == {len(HEADS) + 1}


def test_a_trial_more_is_kept_in_the_studys_order(tmp_path: Path) -> None:
    path = tmp_path / "table.json"
    trials().with_one_more(Trial("wide", 0, 1, 1.0, {})).write(path)
    found = Trials.read(path)
    assert [(t.row, t.seed) for t in found.trials] == [("plain", 0), ("deep", 0), ("wide", 0), ("plain", 1)]
    assert found.has("wide", 0)
    assert not found.has("wide", 1)
    assert len(found.with_one_more(Trial("wide", 1, 1, 1.0, {})).environments) == 1  # the same machine


@pytest.mark.parametrize("text", ["", "[]", '{"study": {}, "environments": []}', '{"study": {}, "trials": [{}]}'])
def test_what_is_no_table_is_said(tmp_path: Path, text: str) -> None:
    path = tmp_path / "table.json"
    path.write_text(text)
    with pytest.raises(InputError, match=r"table\.json: not a table of this tool"):
        Trials.read(path)


def test_the_ablation_that_is_told_is_that_of_its_file() -> None:
    told = (ROOT / "training" / "recipes.md").read_text(encoding="utf-8")
    assert as_markdown(Trials.read(ROOT / "benchmarks" / "results" / "ablation.json")) in told
