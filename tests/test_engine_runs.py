"""Compiled engines within whole runs: films wait for them, live does not, and what was demanded is one line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pullfocus.benchmarks.latency.request import RowRequest
from pullfocus.engines.build import EngineRequest
from pullfocus.engines.finding import find_gpu_engines
from pullfocus.kernels.errors import EngineError
from pullfocus.stream.cli import run_cli
from pullfocus.stream.config import Settings
from pullfocus.stream.live_request import LiveRequest
from pullfocus.stream.report import Report
from pullfocus.stream.video_job import refocus_video

from .clip import write_clip
from .fake_runtime import FakeRuntime, Setting
from .probe import decode_all

FRAMES = 6


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return write_clip(tmp_path / "in.mp4", frames=FRAMES)


def use(monkeypatch: pytest.MonkeyPatch, setting: Setting, live: bool = False, demanded: bool = False) -> None:
    """Give a run the engine of `setting`."""

    def build(_request: EngineRequest) -> Any:
        return setting.engine(live, demanded)

    monkeypatch.setattr("pullfocus.stream.prepare.build", build)


def test_a_film_waits_before_its_first_frame(clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    setting = Setting(tmp_path / "engines", FakeRuntime())
    use(monkeypatch, setting)
    report = refocus_video(str(clip), tmp_path / "out.mp4", Settings())
    assert report.engine.startswith("tensorrt (a played runtime, built ")
    assert (report.frames, setting.slow.asked, setting.said) == (FRAMES, 0, [])
    assert setting.runtime.compiled == [(192, 320)]


def test_the_report_names_the_engine_that_took_over(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    setting = Setting(tmp_path / "engines", FakeRuntime(fault="cannot be built"))
    use(monkeypatch, setting)
    report = refocus_video(str(clip), tmp_path / "out.mp4", Settings())
    assert report.engine == "slow (it always works)"
    assert setting.slow.asked == FRAMES


def test_a_film_whose_gpu_fails_can_be_gone_on_with(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, Setting(tmp_path / "engines", FakeRuntime(fails_from=4)))
    out = tmp_path / "out.mp4"
    with pytest.raises(EngineError, match="in the middle of a file"):
        refocus_video(str(clip), out, Settings(), segment_frames=2)
    assert not out.exists()
    again = Setting(tmp_path / "engines", FakeRuntime())
    use(monkeypatch, again)
    report = refocus_video(str(clip), out, Settings(), segment_frames=2, resume=True)
    assert again.builds.started == []  # the same engine, from the store: else --resume would be refused
    assert report.engine.startswith("tensorrt (a played runtime, built ")
    assert len(list(decode_all(out))) == FRAMES


def test_only_live_does_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = list[bool]()

    def run(_request: LiveRequest, settings: Settings) -> Report:
        asked.append(settings.engine.live)
        raise EngineError("seen enough")

    monkeypatch.setattr("pullfocus.stream.live_job.run_live", run)
    assert run_cli(["live", "--source", "synthetic", "--frames", "1"]) == 2
    assert asked == [True]
    assert not RowRequest().settings().engine.live


@pytest.mark.parametrize("engine", ["tensorrt", "tensorrt-rtx"])
def test_a_demanded_engine_that_is_missing_is_one_line(
    clip: Path, tmp_path: Path, engine: str, capsys: pytest.CaptureFixture[str]
) -> None:
    found = {one.name: one for one in find_gpu_engines()}[engine]
    if found.usable:
        pytest.skip(f"{engine} works here")
    assert run_cli(["video", str(clip), "-o", str(tmp_path / "out.mp4"), "--engine", engine]) == 2
    out, err = capsys.readouterr()
    assert (out, err) == ("", f"pullfocus: --engine {engine}: {found.why}; use --device cpu or auto\n")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.mp4"]
