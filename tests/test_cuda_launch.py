"""The seam between the CUDA kernels' Python side and what runs them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from pullfocus.kernels import Kernels, RefocusStyle
from pullfocus.kernels.api import Lens
from pullfocus.kernels.belief import Belief
from pullfocus.kernels.cpu.planes import place
from pullfocus.kernels.cuda import CudaKernels
from pullfocus.kernels.cuda.device import CupyLauncher
from pullfocus.kernels.cuda.launch import Kernel, files, grid_of, source_of
from pullfocus.kernels.cuda.layout import BACK, FRONT, HIDDEN, cuts_of
from pullfocus.kernels.errors import InputError

from .cuda_shim.launcher import KERNEL, check
from .fake_cupy import FakeArray, FakeCupy
from .parity import photo, same, scene_depth
from .ported import Ported

DARK, FLAT, CENTRES = np.zeros((4, 5, 3), np.uint8), np.zeros((4, 5), np.float32), np.array([0.9, 0.1])


@pytest.mark.parametrize("extent", [(1,), (700,), (33, 9), (1, 500), (64, 8, 5)])
def test_blocks_cover_every_thread(extent: tuple[int, ...]) -> None:
    blocks, threads = grid_of(extent)
    covered = np.multiply(blocks, threads)
    wanted = (*extent, 1, 1)[:3]
    assert np.all(covered >= wanted)
    assert np.all(covered - wanted < threads)
    assert np.prod(threads) <= 1024


def test_source_holds_each_header_once_and_nothing_is_left_to_find() -> None:
    for file in files():
        code = source_of(file)
        assert "#include" not in code
        assert code.count("inline int thread_x()") == 1
    names = [name for file in files() for name in KERNEL.findall(source_of(file))]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    "arguments",
    [
        (np.zeros(3, np.float64), 1, 1.0),  # the kernel reads floats
        (np.zeros(3, np.float32), 1.0, 1.0),
        (np.zeros(3, np.float32), 1, 1),
        (np.zeros(3, np.float32), 1),
    ],
)
def test_the_tests_see_arguments_that_cuda_would_misread(arguments: tuple[Any, ...]) -> None:
    check("k", ["p4", "i4", "f4"], (np.zeros(3, np.float32), 1, 1.0))
    with pytest.raises(AssertionError, match=r"k, argument|takes 3"):
        check("k", ["p4", "i4", "f4"], arguments)


def test_a_file_is_compiled_once_for_each_set_of_macros(cupy: FakeCupy) -> None:
    gpu, array = CupyLauncher(), FakeArray(True)
    for name in ("pull", "push", "pull"):
        gpu.launch(Kernel("fill.cu", name), (70, 9), array, 3, 0.5)  # pyright: ignore[reportArgumentType]
    gpu.launch(Kernel("fill.cu", "pull", ("DEEP",)), (1,), array)  # pyright: ignore[reportArgumentType]
    gpu.launch(Kernel("fill.cu", "pull"), (0, 9))  # CUDA refuses an empty grid
    assert cupy.compiled == [("--std=c++17",), ("--std=c++17", "-DDEEP")]
    assert [call[0] for call in cupy.launched] == ["pull", "push", "pull", "pull"]
    name, grid, block, arguments = cupy.launched[0]
    assert (grid, block) == ((3, 2, 1), (32, 8, 1))
    assert [type(argument) for argument in arguments] == [FakeArray, np.int32, np.float32]


class _Plane:
    def __dlpack__(self, *, stream: int) -> np.ndarray:
        assert stream == 5
        return np.arange(8, dtype=np.uint8).reshape(2, 2, 2)


def test_a_decoder_s_plane_is_copied_when_the_default_stream_has_written_it(cupy: FakeCupy) -> None:
    log, target = list[str](), np.zeros((4, 4), np.uint8)

    def event(disable_timing: bool) -> Any:
        assert disable_timing
        return SimpleNamespace(record=record)

    def record(stream: str) -> None:
        log.append(f"record on {stream}")

    def wait_event(_event: Any) -> None:
        log.append("wait")

    def from_dlpack(plane: _Plane) -> np.ndarray:
        log.append("read")
        return plane.__dlpack__(stream=5)

    cupy.cuda.Event, cupy.cuda.Stream, cupy.from_dlpack = event, SimpleNamespace(null="default"), from_dlpack
    cupy.current = SimpleNamespace(ptr=5, wait_event=wait_event)
    CupyLauncher().paste(_Plane(), target, 2)  # pyright: ignore[reportArgumentType]
    assert log == ["record on default", "wait", "read"]
    np.testing.assert_array_equal(target, [[0] * 4, [0] * 4, [0, 1, 2, 3], [4, 5, 6, 7]])


@pytest.mark.parametrize("chosen", [0, 5])
@pytest.mark.parametrize("in_use", [True, False, None])
def test_work_goes_to_pytorchs_stream_where_pytorch_uses_the_gpu_and_none_of_cupys_was_chosen(
    cupy: FakeCupy, monkeypatch: pytest.MonkeyPatch, in_use: bool | None, chosen: int
) -> None:
    current = SimpleNamespace(cuda_stream=77)
    cuda = SimpleNamespace(is_initialized=lambda: in_use, current_stream=lambda: current)
    monkeypatch.setitem(sys.modules, "torch", None if in_use is None else SimpleNamespace(cuda=cuda))
    cupy.current.ptr = chosen
    assert CupyLauncher().queue() == (77 if in_use and not chosen else cupy.current)


def test_arrays_are_where_cupy_says(cupy: FakeCupy) -> None:
    cupy.cuda.runtime.getDevice = lambda: 3
    array: Any = SimpleNamespace(data=SimpleNamespace(ptr=0x7F00))
    gpu = CupyLauncher()
    assert (gpu.device_id, gpu.address(array)) == (3, 0x7F00)


def test_a_gpu_that_does_not_answer_cupy_is_one_line_with_the_reason(cupy: FakeCupy) -> None:
    cupy.cuda.runtime.getDeviceCount = lambda: 0
    with pytest.raises(InputError, match=r"no NVIDIA GPU answers CuPy \(it counts none\)"):
        CupyLauncher()

    def older() -> int:
        raise RuntimeError("cudaErrorInsufficientDriver: CUDA driver version is insufficient for CUDA runtime version")

    cupy.cuda.runtime.getDeviceCount = older
    with pytest.raises(InputError, match=r"\(cudaErrorInsufficientDriver: .*\); check nvidia-smi, or install the CuPy"):
        CupyLauncher()


@pytest.mark.parametrize(("argument", "said"), [(np.zeros(3), "main memory"), (FakeArray(False), "C-contiguous")])
def test_arrays_that_a_kernel_cannot_read_are_refused(cupy: FakeCupy, argument: Any, said: str) -> None:
    gpu, place = CupyLauncher(), FakeArray(True)
    with pytest.raises(InputError, match=said):
        gpu.launch(Kernel("fill.cu", "pull"), (1,), argument)
    with pytest.raises(InputError, match=said):
        gpu.overwrite(place, argument)  # pyright: ignore[reportArgumentType]


MISFITS: list[tuple[Callable[[Any], object], str]] = [
    (
        lambda k: k.smooth(np.zeros((4, 5)), 3, 0),
        r"inverse depth of shape \(4, 5\), float64; expected h w, float32",
    ),
    (lambda k: k.shrink(np.zeros((4, 5, 4), np.uint8), (2, 2)), "expected h w 3, uint8"),
    (lambda k: k.refocus(DARK.astype(np.int32), FLAT, CENTRES, Lens(0.5, 9.0), RefocusStyle()), "uint8 or uint16"),
    (lambda k: k.cluster_update(FLAT.ravel(), CENTRES, np.zeros(3)), "weights of shape .*expected 2, float64"),
    (lambda k: k.motion(DARK, DARK[:2].copy()), "the picture before of shape .*expected 4 5 3, uint8"),
    (lambda k: k.fuse(Belief.first(FLAT, (2, 2)), FLAT[:2].copy()), "new depth of shape .*expected 4 5, float32"),
]


@pytest.mark.parametrize(("call", "said"), MISFITS)
def test_arrays_that_a_kernel_would_misread_are_refused(
    both_ways: tuple[Ported, Ported], call: Callable[[Any], object], said: str
) -> None:
    with pytest.raises(InputError, match=said):
        call(both_ways[0])


def test_planes_before_the_focus_come_outermost_first() -> None:
    """`compose.cu` adds them up in this order."""
    planes = place(np.array([0.9, 0.7, 0.3, 0.1]), Lens(0.5, 40.0), 1.0, 540)
    cuts = cuts_of(planes, 1, RefocusStyle())
    assert [cut.side for cut in cuts] == [FRONT, FRONT, BACK, BACK, HIDDEN]
    assert [cut.outer_px for cut in cuts[:4]] == pytest.approx([16.0, 8.0, 16.0, 8.0])
    assert [cut.beyond_px for cut in cuts[:4]] == pytest.approx([0.0, 16.0, 0.0, 16.0])


@pytest.mark.gpu
def test_tensors_go_there_and_back_on_pytorchs_stream_uncopied(on_gpu: CudaKernels) -> None:
    import torch

    gpu, stream = on_gpu.launcher, torch.cuda.Stream()
    assert isinstance(gpu, CupyLauncher)
    with torch.cuda.stream(stream):
        depth = torch.full((40, 50), 0.25, device="cuda")
        small = gpu.to_torch(on_gpu.resize(gpu.of_torch(depth), (20, 25)))
        doubled = small * 2  # on the same stream: no wait is needed
    stream.synchronize()
    assert small.shape == (20, 25)
    assert torch.all(doubled == 0.5)
    assert gpu.to_torch(gpu.of_torch(depth)).data_ptr() == depth.data_ptr()


@pytest.mark.gpu
def test_refocus_of_a_full_hd_frame_is_the_cpus(kernels: Kernels, on_gpu: CudaKernels) -> None:
    cuda = Ported(on_gpu)
    picture, depth = photo((1080, 1920)), scene_depth((1080, 1920))
    arguments = depth, np.array([0.8, 0.45, 0.3, 0.12]), Lens.of_aperture(0.3, 8.0, 1080), RefocusStyle()
    same("refocus_fast", cuda.refocus(picture, *arguments), kernels.refocus(picture, *arguments))
