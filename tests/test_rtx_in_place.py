"""TensorRT for RTX takes pictures on the card in place where that gives the same depth, and else says why it does not.

ONNX Runtime is the real one, on memory of the CPU; the plug-in's stream is a lane of the tests' card.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from pullfocus.engines.compiled import CompiledEngine
from pullfocus.engines.gpu import Gpu
from pullfocus.engines.rtx_net import RtxNet
from pullfocus.engines.rtx_runtime import PLUGIN as PLUGIN_PACKAGE
from pullfocus.engines.rtx_runtime import RtxRuntime
from pullfocus.engines.runtime import facts_of
from pullfocus.engines.store import Store
from pullfocus.engines.there import PictureThere
from pullfocus.kernels.cuda import CudaKernels
from pullfocus.kernels.cuda.launch import Launcher
from pullfocus.kernels.errors import EngineError, InputError
from pullfocus.stream.frame import Rendered

from .card_films import SETTINGS, Film, stages_of, through
from .cuda_shim.card import LateBranch, LateCard
from .cuda_shim.launcher import ShimLauncher
from .fake_onnxruntime import PLUGIN, FakeOnnxRuntime, brightness_model
from .parity import photo

GPU = Gpu("NVIDIA Test 1", (8, 9), (13, 0))
SIZE_HW = (64, 96)
THROUGH_MAIN_MEMORY = "tensorrt-rtx takes pictures through main memory, not in place on the GPU: "


def loaded(library: FakeOnnxRuntime, said: list[str]) -> RtxNet:
    return RtxRuntime(GPU, library, PLUGIN, said.append).load(brightness_model(SIZE_HW), SIZE_HW)


def there(card: LateCard, seed: int, size_hw: tuple[int, int] = SIZE_HW) -> PictureThere:
    """On its way to the card; within a lane."""
    return PictureThere(card.kernels.upload(photo(size_hw, seed)), card.kernels)


@pytest.mark.parametrize("early", [(), ("compute",), ("branch",), ("compute", "branch")])
def test_pictures_are_taken_in_place_in_their_turn_and_nobody_waits(shim: ShimLauncher, early: tuple[str, ...]) -> None:
    card, said = LateCard(shim, early), list[str]()
    library = FakeOnnxRuntime(card=card)
    net = loaded(library, said)
    with card.compute.queue():
        assert net.in_place(there(card, 0)) is not None
        assert said == []
        card.log.clear()
        copies = list[Any]()
        for seed in range(3):
            depth = net.in_place(there(card, seed))
            assert depth is not None
            copies.append(card.kernels.launcher.copy(depth.array))
        assert card.log == ["branch after compute", "compute after branch"] * 3
        for seed, copy in enumerate(copies):
            np.testing.assert_array_equal(card.kernels.download(copy), net(photo(SIZE_HW, seed)))
    assert library.opened == [{}, {"has_user_compute_stream": "1", "user_compute_stream": "1"}]


@pytest.mark.parametrize("early", [(), ("compute", "branch")])
def test_it_has_its_turn_among_recorded_work(shim: ShimLauncher, early: tuple[str, ...]) -> None:
    card, said, large = LateCard(shim, early), list[str](), (2 * SIZE_HW[0], 2 * SIZE_HW[1])
    net, plain, results = loaded(FakeOnnxRuntime(card=card), said), CudaKernels(shim), list[Any]()
    with card.compute.queue():
        for seed in range(5):
            with card.recording.frame():
                depth = net.in_place(there(card, seed, large))
                assert depth is not None
                results.append(card.kernels.finite(depth.array))
        depths = [card.kernels.download(each) for each in results]
    assert (said, len(card.recording.graphs)) == ([], 2)
    for seed, ours in enumerate(depths):
        seen: Any = plain.shrink_exactly(plain.upload(photo(large, seed)), SIZE_HW)
        np.testing.assert_array_equal(ours, net(seen))


def test_onnx_runtime_reads_and_writes_our_own_memory(shim: ShimLauncher) -> None:
    kernels, said = CudaKernels(shim), list[str]()
    net, picture = loaded(FakeOnnxRuntime(), said), photo(SIZE_HW, 5)
    depth = net.in_place(PictureThere(kernels.upload(picture), kernels))
    assert depth is not None
    assert (depth.array.shape, depth.array.dtype, said) == (SIZE_HW, np.float32, [])
    np.testing.assert_array_equal(cast(Any, depth.array), net(picture))
    again = net.in_place(PictureThere(kernels.upload(photo(SIZE_HW, 6)), kernels))
    assert again is not None
    assert again.array is depth.array  # the same memory, with the next picture's
    np.testing.assert_array_equal(cast(Any, again.array), net(photo(SIZE_HW, 6)))


def test_a_larger_picture_is_shrunk_on_the_card(card: LateCard) -> None:
    net = loaded(FakeOnnxRuntime(card=card), [])
    with card.compute.queue():
        picture = there(card, 3, (200, 300))
        depth = net.in_place(picture)
        assert depth is not None
        np.testing.assert_array_equal(card.kernels.download(depth.array), net(picture.here(SIZE_HW)))


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("cannot be opened", "it fails: user_compute_stream has no associated CUDA context"),
        ("cannot run", "it fails: CUDA failure 700: an illegal memory access was encountered"),
        ("keeps the first picture", "its depth is off by max "),
    ],
)
def test_what_fails_or_differs_is_one_line_and_main_memory_stays(card: LateCard, fault: str, words: str) -> None:
    said, library = list[str](), FakeOnnxRuntime(card=card, fault=fault)
    net = loaded(library, said)
    with card.compute.queue():
        assert [net.in_place(there(card, seed)) for seed in range(3)] == [None] * 3
    assert len(said) == 1
    assert said[0].startswith(THROUGH_MAIN_MEMORY + words)
    assert "\n" not in said[0]
    assert len(library.opened) == 2, "it is tried once"
    assert net(photo(SIZE_HW)).shape == SIZE_HW


def test_a_wait_that_is_left_out_is_noticed_by_the_trial(shim: ShimLauncher, monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def too_early(branch: LateBranch, callers: Launcher) -> Generator[None]:
        yield
        with callers.queue() as lane:
            lane.after(branch.lane.mark())

    @contextmanager
    def read_too_early(branch: LateBranch, callers: Launcher) -> Generator[None]:
        with callers.queue() as lane:
            branch.lane.after(lane.mark())
        yield

    for turn, early in ((too_early, "branch"), (read_too_early, "compute")):
        monkeypatch.setattr(LateBranch, "turn", turn)
        card, said = LateCard(shim, (early,)), list[str]()
        net = loaded(FakeOnnxRuntime(card=card), said)
        with card.compute.queue():
            assert net.in_place(there(card, 0)) is None
        assert said[0].startswith(f"{THROUGH_MAIN_MEMORY}its depth is off by max ")


class _OfAnother(ShimLauncher):
    """Memory of which ONNX Runtime knows that the net, on a CPU, is not there; or of another GPU."""

    def __init__(self, folder: Path, torch_device: str, device_id: int) -> None:
        super().__init__(folder)
        self.torch_device, self._device_id = torch_device, device_id

    @property
    def device_id(self) -> int:
        return self._device_id


@pytest.mark.parametrize(("torch_device", "device_id"), [("cuda", 0), ("cpu", 1)])
def test_memory_that_onnx_runtime_would_copy_is_not_bound(tmp_path: Path, torch_device: str, device_id: int) -> None:
    """A picture would be copied when it is bound: on another stream, before it is there."""
    kernels, said = CudaKernels(_OfAnother(tmp_path, torch_device, device_id)), list[str]()
    net = loaded(FakeOnnxRuntime(), said)
    assert net.in_place(PictureThere(kernels.upload(photo(SIZE_HW)), kernels)) is None
    (line,) = said
    assert line.startswith(f"{THROUGH_MAIN_MEMORY}ONNX Runtime ")
    assert line.endswith(f"device {device_id}, type 0, the net is on vendor 0x0000, device 0, type 0")


def test_a_failure_later_is_an_error(card: LateCard) -> None:
    library, said = FakeOnnxRuntime(card=card), list[str]()
    net = loaded(library, said)
    with card.compute.queue():
        assert net.in_place(there(card, 0)) is not None
        library.fault = "cannot run"
        with pytest.raises(EngineError, match="tensorrt-rtx on pictures on the GPU: CUDA failure 700") as caught:
            net.in_place(there(card, 1))
    assert "\n" not in str(caught.value)
    assert said == []


def test_a_picture_of_another_type_is_refused_before_it_is_read(shim: ShimLauncher) -> None:
    kernels = CudaKernels(shim)
    net = loaded(FakeOnnxRuntime(), [])
    with pytest.raises(InputError, match=r"got a picture of shape .*uint16; expected 64 96 3, uint8"):
        net.in_place(PictureThere(kernels.upload(photo(SIZE_HW).astype(np.uint16)), kernels))


FILM = Film(5, 3, size_hw=(200, 264))  # larger than the net's pictures: to grow, they come down


def _engine(place: Path, library: FakeOnnxRuntime, said: list[str]) -> CompiledEngine:
    """Ready for the film."""
    model, store, net_hw = place / "net.safetensors", Store(place / "store"), (192, 256)
    model.write_bytes(b"weights")
    store.put(facts_of("tensorrt-rtx", GPU, model, net_hw), brightness_model(net_hw), {})
    engine = CompiledEngine(RtxRuntime(GPU, library, PLUGIN, said.append), GPU, model, store=store)
    assert engine.prepare(FILM.size_hw) is None
    return engine


def _film(shim: ShimLauncher, place: Path, fault: str) -> tuple[list[Rendered], list[str], int]:
    """What a compiled engine's film on a card is, what was said, and how often a thread waited for the compute lane."""
    card, said = LateCard(shim), list[str]()
    engine = _engine(place, FakeOnnxRuntime(card=card, fault=fault), said)
    stages, (first, *others) = stages_of(SETTINGS, card, engine), FILM.frames()
    done = through(stages, [first])
    card.log.clear()  # of the trial
    done += through(stages, others)
    return done, said, card.log.count("wait compute")


def test_a_film_in_place_is_that_through_main_memory_with_fewer_waits(shim: ShimLauncher, tmp_path: Path) -> None:
    in_place, said, waits = _film(shim, tmp_path, "")
    assert (said, waits) == ([], 4)  # for the glimpse of each frame's depth
    through_main_memory, said, waits = _film(shim, tmp_path, "cannot run")
    assert (len(said), waits) == (1, 8)
    for ours, theirs in zip(in_place, through_main_memory, strict=True):
        np.testing.assert_array_equal(ours.picture, theirs.picture)
    assert len({each.picture.tobytes() for each in in_place}) == len(in_place)


@pytest.mark.parametrize("early", [(), ("compute", "branch")])
def test_the_next_film_of_a_folder_has_a_card_of_its_own(
    shim: ShimLauncher, tmp_path: Path, early: tuple[str, ...]
) -> None:
    cards, said = [LateCard(shim, early) for _ in "ab"], list[str]()
    library = FakeOnnxRuntime(card=cards[0])
    engine = _engine(tmp_path, library, said)
    first, second = (through(stages_of(SETTINGS, card, engine), FILM.frames()) for card in cards)
    for ours, expected in zip(second, first, strict=True):
        np.testing.assert_array_equal(ours.picture, expected.picture)
    assert (said, len(library.opened)) == ([], 2)
    assert len(cards[1].recording.graphs) >= 3


def test_the_plug_in_has_the_options_that_we_choose() -> None:
    found = importlib.util.find_spec(PLUGIN_PACKAGE)
    if found is None or found.origin is None:
        pytest.skip(f"{PLUGIN_PACKAGE} is not installed")
    header = Path(found.origin).with_name("tensorrt_rtx_provider_options.h").read_text(encoding="utf-8")
    for option in ("has_user_compute_stream", "user_compute_stream"):
        assert f'= "{option}";' in header
