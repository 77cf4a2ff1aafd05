"""From one engine to another: while one is built, when one fails, and where nothing else may take over."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pullfocus.engines.api import Engine, label
from pullfocus.engines.store import FILE
from pullfocus.kernels.api import Picture
from pullfocus.kernels.errors import EngineError

from .fake_runtime import OFF, FakeRuntime, Setting, names

WIDE, TALL = np.zeros((192, 352, 3), np.uint8), np.zeros((352, 192, 3), np.uint8)
ENOUGH = 10


def run(engine: Engine, frames: int = ENOUGH, picture: Picture = WIDE) -> list[str]:
    """Which engine each frame came from."""
    came_from = list[str]()
    for _ in range(frames):
        assert engine.infer(picture).shape == picture.shape[:2]
        came_from.append(engine.name)
    return came_from


def test_live_another_engine_runs_until_it_is_built(tmp_path: Path) -> None:
    setting = Setting(tmp_path, FakeRuntime())
    assert run(setting.engine(live=True)) == ["slow"] * 3 + ["tensorrt"] * (ENOUGH - 3)
    assert names(setting.said, "slow (it always works) runs while tensorrt is built", "is ready and has taken over")
    assert len(setting.builds.started) == 1
    assert setting.builds.started[0].net_hw == (192, 352)


def test_a_file_waits_so_that_all_frames_come_from_one_engine(tmp_path: Path) -> None:
    setting = Setting(tmp_path, FakeRuntime())
    assert run(setting.engine(live=False)) == ["tensorrt"] * ENOUGH
    assert (setting.said, setting.slow.asked) == ([], 0)


def test_what_was_built_is_loaded_at_once(tmp_path: Path) -> None:
    first, second = Setting(tmp_path, FakeRuntime()), Setting(tmp_path, FakeRuntime())
    before = first.engine(live=False)
    run(before)
    again = second.engine(live=True)
    assert run(again) == ["tensorrt"] * ENOUGH
    assert (second.builds.started, second.said) == ([], [])
    assert label(before) == label(again)
    assert ", built " in again.detail  # another build rounds differently, and `--resume` must know


def test_a_new_size_is_built_while_the_other_engine_runs_again(tmp_path: Path) -> None:
    setting = Setting(tmp_path, FakeRuntime())
    engine = setting.engine(live=True)
    run(engine)
    assert run(engine, picture=TALL) == ["slow"] * 3 + ["tensorrt"] * (ENOUGH - 3)
    assert run(engine) == ["tensorrt"] * ENOUGH
    assert [order.net_hw for order in setting.builds.started] == [(192, 352), (352, 192)]


@pytest.mark.parametrize("live", [True, False])
@pytest.mark.parametrize("runtime", [FakeRuntime(fault="cannot be built: no converter"), FakeRuntime([OFF])])
def test_an_engine_that_cannot_be_built_gives_way(tmp_path: Path, live: bool, runtime: FakeRuntime) -> None:
    setting = Setting(tmp_path, runtime)
    assert run(setting.engine(live)) == ["slow"] * ENOUGH
    assert "slow (it always works) takes over" in setting.said[-1]
    assert len(setting.said) == (2 if live else 1)
    assert len(setting.builds.started) == 1  # and is not tried again


@pytest.mark.parametrize("live", [True, False])
def test_an_engine_that_was_demanded_does_not_give_way(tmp_path: Path, live: bool) -> None:
    engine = Setting(tmp_path, FakeRuntime(fault="cannot be built")).engine(live, demanded=True)
    with pytest.raises(EngineError, match="tensorrt: cannot be built"):
        run(engine)


def test_live_a_gpu_without_memory_gives_way(tmp_path: Path) -> None:
    setting = Setting(tmp_path, FakeRuntime(fails_from=4))
    assert run(setting.engine(live=True)) == ["slow"] * 3 + ["tensorrt"] * 4 + ["slow"] * 3
    assert "out of GPU memory" in setting.said[-1]


def test_in_the_middle_of_a_file_no_other_engine_goes_on(tmp_path: Path) -> None:
    setting = Setting(tmp_path, FakeRuntime(fails_from=4))
    with pytest.raises(EngineError, match=r"out of GPU memory.*in the middle of a file"):
        run(setting.engine(live=False))
    assert setting.slow.asked == 0


def test_before_its_first_frame_a_file_may_take_another_engine(tmp_path: Path) -> None:
    before, setting = Setting(tmp_path, FakeRuntime()), Setting(tmp_path, FakeRuntime(fails_from=0))
    run(before.engine(live=False))  # so that the next one only loads
    assert run(setting.engine(live=False)) == ["slow"] * ENOUGH
    assert names(setting.said, "out of GPU memory")


def test_settling_builds_before_the_first_frame(tmp_path: Path) -> None:
    setting = Setting(tmp_path, FakeRuntime())
    engine = setting.engine(live=False)
    engine.settle((192, 352))
    assert len(setting.runtime.compiled) == 1
    assert ", built " in engine.detail
    failing = Setting(tmp_path / "failing", FakeRuntime(fault="cannot be built"))
    engine = failing.engine(live=False)
    engine.settle((192, 352))
    assert engine.name == "slow"  # the report names what gave the depth


def test_each_film_may_take_another_engine_before_its_first_frame(tmp_path: Path) -> None:
    setting = Setting(tmp_path, FakeRuntime())
    engine = setting.engine(live=False)
    run(engine)
    setting.runtime.fault = "cannot be built"
    engine.settle((352, 192))  # the next film of a batch stands upright
    assert run(engine, picture=TALL) == ["slow"] * ENOUGH
    assert names(setting.said, "takes over")


def test_a_stored_engine_that_is_not_taken_is_built_again_once(tmp_path: Path) -> None:
    setting = Setting(tmp_path, FakeRuntime())
    run(setting.engine(live=False))
    (entry,) = setting.store.entries()
    assert entry.manifest is not None
    setting.store.put(entry.manifest.facts, b"of another driver", {})
    again = Setting(tmp_path, FakeRuntime())
    assert run(again.engine(live=False)) == ["tensorrt"] * ENOUGH
    assert len(again.builds.started) == 1
    assert (entry.folder / FILE).read_bytes() == b"good"
