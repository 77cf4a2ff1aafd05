"""What a run measured, in numbers and as JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pullfocus.kernels.errors import OutputError
from pullfocus.stream.channel import Channel
from pullfocus.stream.report import RECENT_FRAMES, Meter, Report, Spread


def measured() -> Report:
    meter = Meter(["source", "depth", "sink"])
    meter.durations_s["source"].extend([0.001] * 10)
    meter.durations_s["depth"].extend([0.020] * 10)
    meter.durations_s["sink"].extend([0.001] * 9 + [0.9])
    meter.latencies_s.extend([0.03] * 10)
    meter.frames = 10
    channel = Channel[int]("source→depth", capacity=1, newest_wins=True)
    for item in range(4):
        channel.put(item)
    return meter.report([channel], "plane (a ramp)", ["a note"])


def test_spread_is_percentiles_in_milliseconds() -> None:
    spread = Spread.of([i / 1000 for i in range(101)])
    assert (spread.p50_ms, spread.p95_ms, spread.p99_ms, spread.count) == pytest.approx((50, 95, 99, 101))
    assert Spread.of([]) == Spread(0.0, 0.0, 0.0, 0)


def test_bottleneck_is_the_largest_median_not_the_largest_outlier() -> None:
    assert measured().bottleneck == "depth"


def test_summary_and_table_hold_the_figures() -> None:
    report = measured()
    assert "10 frames" in report.summary()
    assert "3 dropped, depth: plane (a ramp), slowest stage: depth" in report.summary()
    assert report.table().row_count == 4  # three stages and the latency


def test_report_is_written_as_json(tmp_path: Path) -> None:
    report = measured().with_notes(["another"])
    report.write(tmp_path / "r.json")
    read = json.loads((tmp_path / "r.json").read_text())
    assert read["frames"] == 10
    assert read["dropped"] == read["waits"]["source→depth"]["dropped"] == 3
    assert read["stages"]["depth"]["p50_ms"] == pytest.approx(20)
    assert read["latency"]["count"] == 10
    assert read["bottleneck"] == "depth"
    assert read["notes"] == ["a note", "another"]
    assert read["peak_memory_mb"] > 10
    assert {"platform", "python", "pullfocus", "numpy"} <= read["environment"].keys()


def test_report_that_cannot_be_written_is_an_output_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(OutputError, match=r"r\.json: cannot write \(No space left on device\)"):
        measured().write(tmp_path / "r.json")


def test_report_of_no_frames_has_no_division_by_zero() -> None:
    report = Meter(["source"]).report([], "", [])
    assert (report.frames, report.fps) == (0, 0.0)
    assert "0 frames" in report.summary()


def test_long_runs_need_no_more_memory() -> None:
    meter = Meter(["source"])
    meter.durations_s["source"].extend([0.0] * (RECENT_FRAMES + 5))
    assert len(meter.durations_s["source"]) == RECENT_FRAMES
