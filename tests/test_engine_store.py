"""The store of engines: what was built is found again, and nothing else is ever loaded."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread

import pytest
from pullfocus.engines.builder import Order, build_into_store
from pullfocus.engines.gpu import Gpu
from pullfocus.engines.runtime import Tell, facts_of, why_stale
from pullfocus.engines.store import FILE, MANIFEST, Store, default_place
from pullfocus.kernels.errors import EngineError, OutputError

from .fake_runtime import GOOD, GPU, NAN, OFF, FakeRuntime, plane_reference

SIZE_HW = (192, 352)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "net.safetensors"
    path.write_bytes(b"weights")
    return path


@pytest.fixture
def facts(model: Path) -> dict[str, str]:
    return facts_of("tensorrt", GPU, model, SIZE_HW)


def build(tmp_path: Path, model: Path, facts: dict[str, str], runtime: FakeRuntime) -> Store:
    order = Order("tensorrt", model, SIZE_HW, tmp_path / "store")
    build_into_store(order, runtime, facts, lambda _stage: None, plane_reference)
    return Store(order.store)


def folder_of(store: Store) -> Path:
    (entry,) = store.entries()
    return entry.folder


def test_an_engine_is_built_once(tmp_path: Path, model: Path, facts: dict[str, str]) -> None:
    runtime = FakeRuntime()
    store = build(tmp_path, model, facts, runtime)
    build(tmp_path, model, facts, runtime)
    assert runtime.compiled == [SIZE_HW]
    stored = store.find(facts)
    assert stored is not None
    assert stored.data == GOOD
    (entry,) = store.entries()
    assert entry.manifest is not None
    assert entry.damage() is None
    assert why_stale(entry.manifest, GPU) is None
    assert entry.manifest.notes["parity"] == "max 0.0000, mean 0.00000"
    assert entry.folder.stat().st_mode & 0o077 == 0


def cut_short(folder: Path) -> None:
    (folder / FILE).write_bytes(GOOD[:2])


def one_bit(folder: Path) -> None:
    (folder / FILE).write_bytes(b"goof")


def no_file(folder: Path) -> None:
    (folder / FILE).unlink()


def no_manifest(folder: Path) -> None:
    (folder / MANIFEST).unlink()


def cut_manifest(folder: Path) -> None:
    (folder / MANIFEST).write_text((folder / MANIFEST).read_text()[:40])


def list_manifest(folder: Path) -> None:
    (folder / MANIFEST).write_text("[1, 2]")


def other_format(folder: Path) -> None:
    said = json.loads((folder / MANIFEST).read_text())
    (folder / MANIFEST).write_text(json.dumps({**said, "format": 99}))


def open_to_others(folder: Path) -> None:
    folder.chmod(0o777)


@pytest.mark.parametrize(
    "harm", [cut_short, one_bit, no_file, no_manifest, cut_manifest, list_manifest, other_format, open_to_others]
)
def test_what_is_damaged_is_not_loaded(
    tmp_path: Path, model: Path, facts: dict[str, str], harm: Callable[[Path], None]
) -> None:
    store = build(tmp_path, model, facts, FakeRuntime())
    harm(folder_of(store))
    assert store.find(facts) is None
    (entry,) = store.entries()
    assert entry.damage() is not None
    folder_of(store).chmod(0o700)
    runtime = FakeRuntime()
    build(tmp_path, model, facts, runtime)
    assert store.find(facts) is not None


def test_an_engine_under_another_ones_name_is_not_loaded(tmp_path: Path, model: Path, facts: dict[str, str]) -> None:
    store = build(tmp_path, model, facts, FakeRuntime())
    newer = {**facts, "torch": "9.9"}
    build(tmp_path, model, newer, FakeRuntime([GOOD]))
    ours, other = (entry.folder for entry in store.entries())
    assert store.find(facts) is not None
    for name in (FILE, MANIFEST):
        (ours / name).unlink()
        (other / name).rename(ours / name)
    assert store.find(facts) is None
    assert store.find(newer) is None


@pytest.mark.parametrize(
    ("now", "why"),
    [
        (Gpu("NVIDIA Test 2", (8, 9), (13, 0)), "GPU: built with NVIDIA Test 1, now NVIDIA Test 2"),
        (Gpu("NVIDIA Test 1", (9, 0), (13, 0)), "compute capability: built with 8.9, now 9.0"),
    ],
)
def test_an_engine_for_another_card_is_stale(
    tmp_path: Path, model: Path, facts: dict[str, str], now: Gpu, why: str
) -> None:
    store = build(tmp_path, model, facts, FakeRuntime())
    (entry,) = store.entries()
    assert entry.manifest is not None
    assert why_stale(entry.manifest, now) == why
    assert store.find(facts_of("tensorrt", now, model, SIZE_HW)) is None


def test_other_weights_and_versions_make_it_stale(
    tmp_path: Path, model: Path, facts: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    store = build(tmp_path, model, facts, FakeRuntime())
    (entry,) = store.entries()
    assert entry.manifest is not None
    monkeypatch.setattr("pullfocus.engines.runtime.RECIPE", "2")
    assert why_stale(entry.manifest, GPU) == "recipe: built with 1, now 2"
    monkeypatch.undo()
    model.write_bytes(b"learnt more")
    assert "have changed" in str(why_stale(entry.manifest, GPU))
    assert store.find(facts_of("tensorrt", GPU, model, SIZE_HW)) is None
    model.unlink()
    assert "is gone" in str(why_stale(entry.manifest, GPU))


@pytest.mark.parametrize(("data", "words"), [(OFF, "max 0.1000, mean 0.10000"), (NAN, "max nan")])
def test_an_engine_that_computes_something_else_is_refused(
    tmp_path: Path, model: Path, facts: dict[str, str], data: bytes, words: str
) -> None:
    with pytest.raises(EngineError, match=f"off by {words}.*it is not used"):
        build(tmp_path, model, facts, FakeRuntime([data]))
    assert Store(tmp_path / "store").find(facts) is None


def test_two_builders_build_once(tmp_path: Path, model: Path, facts: dict[str, str]) -> None:
    """The second waits for the first, and finds what it built."""
    building, go_on = Event(), Event()

    class Slow(FakeRuntime):
        def compile(self, model: Path, size_hw: tuple[int, int], tell: Tell) -> bytes:
            building.set()
            assert go_on.wait(60)
            return super().compile(model, size_hw, tell)

    first, second = Slow(), FakeRuntime()
    threads = [Thread(target=build, args=(tmp_path, model, facts, runtime)) for runtime in (first, second)]
    threads[0].start()
    assert building.wait(60)
    threads[1].start()
    go_on.set()
    for thread in threads:
        thread.join(60)
    assert (len(first.compiled), len(second.compiled)) == (1, 0)


def test_leftovers_of_a_killed_builder_are_deleted(tmp_path: Path, model: Path, facts: dict[str, str]) -> None:
    store = Store(tmp_path / "store")
    left = store.log_path(facts).parent / f".{Path(FILE).stem}.0123.part.bin"
    left.write_bytes(b"half")
    build(tmp_path, model, facts, FakeRuntime())
    assert not left.exists()
    assert store.find(facts) is not None


def test_folders_that_are_not_ours_are_no_engines(tmp_path: Path, model: Path, facts: dict[str, str]) -> None:
    """`--store ~` with `clear` must not empty a home."""
    store = build(tmp_path, model, facts, FakeRuntime())
    for name in ("photos", "tensorrt-models", f"tensorrt-192x352-{'g' * 16}"):
        (store.place / name).mkdir()
    assert len(store.entries()) == 1


def test_a_place_that_is_a_file_is_one_line(tmp_path: Path, model: Path, facts: dict[str, str]) -> None:
    (tmp_path / "store").write_text("a file")
    with pytest.raises(OutputError, match="cannot make this folder"):
        build(tmp_path, model, facts, FakeRuntime())


def test_the_place_can_be_moved(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("PULLFOCUS_ENGINES", raising=False)
    assert default_place().parts[-2:] == ("pullfocus", "engines")
    monkeypatch.setenv("PULLFOCUS_ENGINES", str(tmp_path))
    assert Store().place == tmp_path
    assert os.fspath(Store(tmp_path / "b").place) == str(tmp_path / "b")
