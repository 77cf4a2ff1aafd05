"""How `pullfocus bench` compares two results: simulated series, of which the answer is known."""

from __future__ import annotations

import numpy as np
from pullfocus.benchmarks.latency.comparing import block_length, bootstrap, compare_results, compare_series
from pullfocus.benchmarks.latency.machine_state import Conditions
from pullfocus.benchmarks.latency.row import Row

from .bench_rows import correlated, result, row

SERIES = 40  # simulated pairs of runs


def test_frames_that_tell_of_the_next_are_drawn_together() -> None:
    alone, alike = (float(np.mean([block_length(correlated(s, rho=rho)) for s in range(10)])) for rho in (0.0, 0.8))
    assert alone < 4 < 12 < alike


def test_the_interval_holds_the_truth_as_often_as_it_says() -> None:
    """95 % of intervals are to hold the true ratio; drawing single frames would miss it far more often."""
    held = {True: 0, False: 0}
    for seed in range(SERIES):
        before, after = correlated(2 * seed, rho=0.8), correlated(2 * seed + 1, median_us=22_000, rho=0.8)
        random = np.random.default_rng(0)
        single = np.median(random.choice(after, (300, len(after))), axis=1)
        single = single / np.median(random.choice(before, (300, len(before))), axis=1)
        found = compare_series([before], [after], 50, draws=300)
        held[True] += found.low <= 1.1 <= found.high
        held[False] += bool(np.percentile(single, 2.5) <= 1.1 <= np.percentile(single, 97.5))
    assert held[True] / SERIES > 0.85
    assert held[False] / SERIES < held[True] / SERIES - 0.1


def test_the_same_program_is_no_regression_and_a_slower_one_is() -> None:
    same = [
        compare_series([correlated(seed)], [correlated(seed + 500)], 50, 0.05, draws=300).verdict for seed in range(25)
    ]
    assert set(same) == {"no difference beyond noise"}
    for percent in (50, 95):
        slower = compare_series([correlated(1)], [correlated(2, median_us=25_000)], percent, 0.05)
        faster = compare_series([correlated(2, median_us=25_000)], [correlated(1)], percent, 0.05)
        assert (slower.verdict, faster.verdict) == ("slower", "faster")
        assert slower.low < 1.25 < slower.high


def test_a_difference_below_the_tolerance_is_none() -> None:
    before, after = [correlated(1, 4000, noise=0.01)], [correlated(2, 4000, 20_600, noise=0.01)]
    assert compare_series(before, after, 50).verdict == "slower"
    assert compare_series(before, after, 50, tolerance=0.05).verdict == "no difference beyond noise"


def test_a_tail_alone_is_a_regression() -> None:
    after = correlated(2)
    after[::10] *= 3
    found = compare_results(result(row(correlated(1))), result(row(after)), 0.05).rows[0]
    assert found.median.verdict == "no difference beyond noise"
    assert found.verdict == "slower"
    assert "95th percentile" in found.regression


def test_the_same_files_give_the_same_answer() -> None:
    before, after = [correlated(1)], [correlated(2)]
    assert compare_series(before, after, 50) == compare_series(before, after, 50)
    drawn = bootstrap(before, 50, np.random.default_rng(1), draws=150)
    assert drawn.shape == (150,)
    assert before[0].min() <= drawn.min() < drawn.max() <= before[0].max()


def test_what_differs_from_run_to_run_is_noise_too() -> None:
    """Five runs each of one program, whose medians differ by 4 %: as one long run they look like two programs."""
    false = {True: 0, False: 0}
    for seed in range(SERIES):
        levels = np.random.default_rng(seed).normal(20_000, 800, 10)
        runs = [correlated(1000 * seed + index, 100, level, rho=0.3) for index, level in enumerate(levels)]
        before, after = runs[:5], runs[5:]
        false[True] += compare_series(before, after, 50, draws=300).verdict != "no difference beyond noise"
        alone = compare_series([np.concatenate(before)], [np.concatenate(after)], 50, draws=300)
        false[False] += alone.verdict != "no difference beyond noise"
    assert false[True] / SERIES <= 0.15  # 0.115 in 200 pairs; nominally 0.05, which five runs are too few for
    assert false[False] / SERIES >= 0.3


def test_runs_are_joined_into_a_row_and_told_apart_again() -> None:
    quiet, busy = row(correlated(1, 100)), row(correlated(2, 120) * 2, Conditions(0.5, 0.9, 0.3))
    joined = Row.joined([quiet, busy])
    assert (joined.frames, joined.runs) == (220, (100, 120))
    assert [len(run) for run in joined.of_runs(joined.latency_us)] == [100, 120]
    assert joined.conditions == Conditions(0.1, 0.9, 0.3)
    assert joined.steadiness.from_frame == 0  # each run is, though the second is slower
    rising = [row(np.rint(correlated(3) * np.linspace(1.0, top, 300)).astype(np.int64)) for top in (1.3, 1.9, 1.6)]
    assert Row.joined(rising).steadiness == rising[1].steadiness


def test_rows_are_matched_by_settings_and_not_by_length_or_order() -> None:
    small, large = row(correlated(1), size="320x240"), row(correlated(2), size="640x480")
    longer = row(correlated(3, 500), size="320x240", frames=500)
    other = row(correlated(4), size="640x480", aperture=3.0)
    found = compare_results(result(small, large), result(other, longer), 0.05)
    assert [one.name for one in found.rows] == ["320x240"]
    assert ["size 640x480" in name for name in (*found.only_before, *found.only_after)] == [True, True]
    assert "aperture 3.0" in found.only_after[0]


def test_the_slowest_stage_is_named() -> None:
    before, slow = row(correlated(1)), row(correlated(2, median_us=30_000))
    (found,) = compare_results(result(before), result(slow), 0.05).rows
    assert "above all depth × 1." in found.regression
    assert "sink" not in found.stages  # 3 µs: too coarse in whole µs


def test_too_few_frames_are_no_verdict() -> None:
    found = compare_results(result(row(correlated(1, 8))), result(row(correlated(2, 8))), 0.05).rows[0]
    assert (found.verdict, found.regression) == ("too few frames", "")
