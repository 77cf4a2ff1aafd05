"""The page and the plots that `pullfocus bench --report` makes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pullfocus.benchmarks.latency.plots import pareto_front, plots_of, quality_figures
from pullfocus.kernels.errors import InputError
from pullfocus.stream.cli import run_cli

from .bench_rows import correlated, result, row


def test_the_report_is_one_page_and_its_plots(tmp_path: Path) -> None:
    rows = [
        row(correlated(seed, median_us=20_000 + 9000 * seed), size=size, quality=quality, aperture=aperture)
        for seed, (size, quality, aperture) in enumerate(
            [("320x240", "fast", 7.0), ("320x240", "fine", 7.0), ("640x480", "fast", 7.0), ("640x480", "fast", 3.0)]
        )
    ]
    from pullfocus.benchmarks.latency.report import write_report

    folder = tmp_path / "report"
    assert write_report(result(*rows, cpu="<Z80>"), folder, overwrite=False) == []
    names = {path.name for path in folder.iterdir()}
    plots = {"histogram.png", "stages.png", "frames.png", "size.png", "aperture.png", "pareto.png"}
    assert names == {"index.html", *plots}
    text = (folder / "index.html").read_text(encoding="utf-8")
    assert text.count("data:image/png;base64,") == 2 * len(plots)  # light and dark
    assert not re.search(r"(src|href)=\"(?!data:)", text)  # nothing is fetched
    assert "&lt;Z80&gt;" in text
    assert "<Z80>" not in text
    assert "prefers-color-scheme: dark" in text
    with pytest.raises(InputError, match="exists; pass --overwrite"):
        write_report(result(*rows), folder, overwrite=False)
    write_report(result(rows[0]), folder, overwrite=True)
    assert {path.name for path in folder.iterdir()} == {"index.html", "histogram.png", "stages.png", "frames.png"}


def test_plots_are_those_that_have_something_to_show() -> None:
    assert [plot.name for plot in plots_of([row(correlated(1))])] == ["histogram", "stages", "frames"]
    assert quality_figures(Path("nowhere.json")) == {}
    assert quality_figures()["fine"] > quality_figures()["fast"] > 30.0


def test_the_front_is_what_no_other_beats() -> None:
    assert pareto_front([(2, 1), (1, 1), (3, 5), (2, 4), (4, 5)]) == [(1, 1), (2, 4), (3, 5)]


def test_a_missing_matplotlib_is_one_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def version_of(*_packages: str) -> None:
        pass

    monkeypatch.setattr("pullfocus.engines.finding.version_of", version_of)
    assert run_cli(["bench", "--report", "anywhere"]) == 2
    assert "needs matplotlib, which is not installed; run: pip install 'pullfocus[bench]'" in capsys.readouterr().err
