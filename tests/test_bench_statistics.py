"""What `pullfocus bench` makes of its series: simulated ones, of which the answer is known."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from pullfocus.benchmarks.latency.machine_state import Reading, busy_seconds
from pullfocus.benchmarks.latency.result import Result
from pullfocus.benchmarks.latency.row import row_of
from pullfocus.benchmarks.latency.statistics import Spread, iqr_ms, jitter_ms, steadiness, theil_sen
from pullfocus.kernels.errors import InputError
from pullfocus.stream.bench_job import BenchRun, Series
from pullfocus.stream.report import Meter

from .bench_rows import correlated, result, row


def test_percentiles_and_the_largest_in_milliseconds() -> None:
    spread = Spread.of(np.arange(101) * 1000)
    assert spread == Spread(50.0, 90.0, 95.0, 99.0, 100.0, 101)
    assert Spread.of(np.array([], np.int64)) == Spread(0.0, 0.0, 0.0, 0.0, 0.0, 0)


def test_jitter_is_the_deviation_of_intervals() -> None:
    assert jitter_ms(np.full(50, 33_000)) == 0.0
    assert jitter_ms(np.array([30_000, 36_000] * 25)) == pytest.approx(3.0)
    assert iqr_ms(np.arange(101) * 1000) == pytest.approx(50.0)


# ---- steady state


def test_the_slope_is_not_the_outliers() -> None:
    line = 3.0 * np.arange(40.0)
    line[::5] += 1000.0
    assert theil_sen(line) == pytest.approx(3.0, abs=0.2)
    assert theil_sen(np.array([1.0])) == 0.0


@pytest.mark.parametrize("rho", [0.0, 0.5])
def test_noise_is_steady(rho: float) -> None:
    found = [steadiness(correlated(seed, 200, rho=rho)) for seed in range(40)]
    assert sum(one.from_frame == 0 for one in found) >= 36


def test_a_warm_up_that_was_too_short_is_seen() -> None:
    series = correlated(3, 400)
    series[:90] *= 2
    found = steadiness(series)
    assert found.from_frame == 100  # a quarter
    assert found.words == "from 100"


@pytest.mark.parametrize(
    "trend", [np.linspace(1.0, 1.6, 300), np.linspace(1.6, 1.0, 300), 1.0 + (np.arange(300) > 220)]
)
def test_a_drift_or_a_late_step_is_no_steady_state(trend: np.ndarray) -> None:
    found = steadiness(np.rint(correlated(4) * trend).astype(np.int64))
    assert found.from_frame is None
    assert found.is_known
    assert np.sign(found.drift) == np.sign(trend[-1] - trend[0])
    assert found.words.startswith("no ")


def test_few_frames_say_nothing() -> None:
    found = steadiness(correlated(1, 12))
    assert (found.is_known, found.words) == (False, "?")


# ---- rows


def run_of(frames: int) -> BenchRun:
    clock = np.arange(1, frames + 1, dtype=np.float64) * 0.01
    stages = {name: np.full(frames, 0.004) for name in ("source", "depth", "sink")}
    rising = np.arange(frames, dtype=np.float64) * 1e-3 + 0.02
    series = Series(rising, clock, clock * 1.5, stages, np.full(frames // 2, 0.002))
    return BenchRun(Meter(list(stages)).report([], "plane", []), series, (240, 320), 1e-5)


def test_the_warm_up_is_left_out_of_every_figure() -> None:
    measured = row_of(run_of(60), {"net_every": 2}, 20, row(correlated(1)).conditions)
    assert (measured.left_out, measured.frames) == (20, 40)
    assert measured.latency_us[0] == 40_000
    assert len(measured.interval_us) == 40
    assert measured.fps == pytest.approx(100.0)
    assert measured.cpu_ms_per_frame == pytest.approx(15.0)
    assert measured.gpu is not None
    assert (measured.gpu.count, measured.gpu.p50_ms) == (20, 2.0)  # the net ran on every second frame
    assert measured.measuring == pytest.approx(1e-3)
    assert measured.settings["size"] == "320x240"


@pytest.mark.parametrize(("frames", "left_out"), [(1, 0), (5, 1), (24, 6), (40, 20)])
def test_a_short_film_keeps_three_quarters(frames: int, left_out: int) -> None:
    measured = row_of(run_of(frames), {"net_every": 1}, 20, row(correlated(1)).conditions)
    assert (measured.left_out, measured.frames) == (left_out, frames - left_out)


def test_a_result_is_read_as_it_was_written(tmp_path: Path) -> None:
    written = result(row(correlated(1, 50)), row(correlated(2, 60), aperture=3.0))
    written.write(tmp_path / "a.json")
    read = Result.read(tmp_path / "a.json")
    assert [one.facts() for one in read.rows] == [one.facts() for one in written.rows]
    assert read.environment == written.environment
    text = (tmp_path / "a.json").read_text()
    assert max(map(len, text.splitlines())) > 200 > len(text.splitlines()) / 4  # a series is one line


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "not JSON"),
        ("[1]", "not a JSON object; expected a file that pullfocus bench --json has written"),
        ("[" * 100_000, "not JSON"),
        ("{}", "no result of pullfocus bench"),
        ('{"stages": {}, "latency": {}, "fps": 1}', "written by an older pullfocus bench"),
        ('{"format": "pullfocus bench 2", "rows": [], "environment": {}}', "holds no row"),
        ('{"format": "pullfocus bench 2", "rows": [{"settings": {}}], "environment": {}}', "damaged"),
        ('{"format": "pullfocus bench 2", "rows": 7, "environment": {}}', "damaged"),
        ('{"format": "pullfocus bench 2", "rows": [], "environment": []}', "damaged"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "a.json"
    path.write_text(text)
    with pytest.raises(InputError, match=said) as caught:
        Result.read(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("spoilt", [[-1, 2], [1.5, 2], ["a"], [[1], [2]], 7, []])
def test_a_series_that_is_none_is_damage(tmp_path: Path, spoilt: object) -> None:
    path = tmp_path / "a.json"
    result(row(correlated(1, 50))).write(path)
    facts = json.loads(path.read_text())
    facts["rows"][0]["series_us"]["latency"] = spoilt
    path.write_text(json.dumps(facts))
    with pytest.raises(InputError, match="damaged"):
        Result.read(path)


def test_the_committed_results_of_before_are_refused_in_one_line() -> None:
    with pytest.raises(InputError, match="measure again with pullfocus bench --json"):
        Result.read(Path(__file__).parents[1] / "benchmarks" / "results" / "bench_720p_zen3.json")


# ---- the machine


def test_what_others_took_is_what_was_busy_without_us() -> None:
    tick = busy_seconds("cpu  100 0 0 500 0 0 0 0 0 0\n")
    assert tick is not None
    assert busy_seconds("cpu  100 0 50 500 10 0 0 50 0 0\n") == pytest.approx(2 * tick)
    assert busy_seconds("") is None
    before, after = Reading(0.5, 100.0, 10.0, 0.0), Reading(1.5, 118.0, 18.0, 10.0)
    found = before.until(after)
    assert (found.load_before, found.load_after) == (0.5, 1.5)
    assert found.others is not None
    assert found.others > 0.0
    assert Reading(None, None, 0.0, 0.0).until(Reading(None, None, 1.0, 1.0)).others is None


def test_recording_a_frame_costs_less_than_a_hundredth_of_a_short_one() -> None:
    """What a run's clocks and lists take, against 5 ms: the least that a frame has been seen to need."""
    from pullfocus.stream import bench_job

    costs_s = min(bench_job._measuring_s(["source", "depth", "layers", "refocus", "sink"]) for _ in range(5))  # pyright: ignore[reportPrivateUsage]
    assert 1e-7 < costs_s < 0.01 * 0.005  # a dozen looks at clocks are in it
