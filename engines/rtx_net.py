"""A loaded net of TensorRT for RTX: for pictures in main memory, and for those on the GPU in place.

The latter is tried before it is used, on this very net, against the path through main memory: nobody has seen it run
yet. It has a session of its own, whose plug-in works on a stream that we give it, so that the other stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import numpy as np

from ..kernels.api import InverseDepth, Picture
from ..kernels.cuda import CudaKernels
from ..kernels.cuda.launch import Branch, DeviceArray, Launcher, expect
from ..kernels.errors import EngineError, PullfocusError
from . import onnx_graph
from .api import Say
from .cuda_errors import library_failures
from .parity import compare, fixed_pictures
from .there import DepthThere, PictureThere

# Else ONNX Runtime waits for the GPU at the end of every run.
NO_WAIT = ("disable_synchronize_execution_providers", "1")

OpenSession = Callable[[int], Any]  # a session that works on this `cudaStream_t` alone


class RtxNet:
    """`h w 3` uint8 of the very size → `h w` float32. One thread."""

    def __init__(
        self, library: Any, session: Any, size_hw: tuple[int, int], open_session: OpenSession, say: Say
    ) -> None:
        """library: `onnxruntime`; open_session: raises what it likes; say: is told why pictures stay in main memory."""
        self._library, self._session, self._size_hw, self._say = library, session, size_hw, say
        self._open_session: OpenSession | None = open_session  # None: in place was tried; it holds the engine's bytes
        # In this order, in which they are let go of: the plug-in may touch its stream when its session ends.
        self._in_place: _InPlace | None = None
        self._branch: Branch | None = None

    def __call__(self, picture: Picture) -> InverseDepth:
        with library_failures("tensorrt-rtx"):
            given = {onnx_graph.PICTURE: np.ascontiguousarray(picture)[None]}
            depth = self._session.run([onnx_graph.DEPTH], given)[0]
        return np.array(depth[0, 0], np.float32)

    def in_place(self, picture: PictureThere) -> DepthThere | None:
        """None: it does not take pictures on the GPU, and `say` was told why. Waits for nothing after the first call.

        Raises EngineError where it fails later.
        """
        if self._open_session is not None:
            opened, self._open_session = self._open_session, None
            self._in_place = self._tried(picture.kernels, opened)
        if self._in_place is None:
            return None
        with library_failures("tensorrt-rtx on pictures on the GPU"):
            return DepthThere(self._in_place(picture.shrunk(self._size_hw), picture.kernels.launcher))

    def _tried(self, kernels: CudaKernels, open_session: OpenSession) -> _InPlace | None:
        try:
            with library_failures("it fails"), kernels.launcher.queue(), kernels.launcher.at_once():
                self._branch = kernels.launcher.branch()
                session = open_session(self._branch.handle)
                found = _InPlace(self._library, session, self._branch, self._size_hw, kernels.launcher)
                self._check(found, kernels)
        except PullfocusError as error:
            self._say(f"tensorrt-rtx takes pictures through main memory, not in place on the GPU: {error}")
            return None
        return found

    def _check(self, net: _InPlace, kernels: CudaKernels) -> None:
        """Raises EngineError unless it gives the depth of the path through main memory."""
        # One after another without waiting, as in a run.
        gpu = kernels.launcher
        copies = [gpu.copy(net(kernels.upload(each), gpu)) for each in fixed_pictures(self._size_hw)]
        depths = iter([cast(InverseDepth, kernels.download(each)) for each in copies])
        parity = compare(lambda _picture: next(depths), self, self._size_hw)
        if not parity.is_close:
            raise EngineError(f"its depth is off by {parity} there")


class _InPlace:
    """From `h w 3` uint8 to `h w` float32 that the next call overwrites, both on the GPU.

    It outlives the launcher that it was tried with: the next film of a folder has one of its own.
    """

    def __init__(
        self, library: Any, session: Any, branch: Branch, size_hw: tuple[int, int], launcher: Launcher
    ) -> None:
        """session: works on the stream of `branch`. Raises EngineError where it would copy what it is given."""
        _check_memory(library, session, launcher)
        self._session, self._branch, self._size_hw = session, branch, size_hw
        self._binding: Any = session.io_binding()
        self._place = launcher.torch_device, launcher.device_id  # ONNX Runtime's names are PyTorch's
        self._depth = launcher.empty(size_hw, np.float32)
        shape, address = [1, 1, *size_hw], launcher.address(self._depth)
        self._binding.bind_output(onnx_graph.DEPTH, *self._place, np.float32, shape, address)
        self._options: Any = library.RunOptions()
        self._options.add_run_config_entry(*NO_WAIT)

    def __call__(self, picture: DeviceArray, launcher: Launcher) -> DeviceArray:
        """launcher: of the picture."""
        height, width = self._size_hw
        expect("a picture", picture, f"{height} {width} 3", np.uint8)
        shape, address = [1, height, width, 3], launcher.address(picture)
        with self._branch.turn(launcher):
            self._binding.bind_input(onnx_graph.PICTURE, *self._place, np.uint8, shape, address)
            self._session.run_with_iobinding(self._binding, self._options)
        return self._depth


def _check_memory(library: Any, session: Any, launcher: Launcher) -> None:
    """Raises EngineError unless ONNX Runtime takes our arrays for memory of the kind that the net reads and writes.

    It would copy them: a picture when it is bound, and on a stream that knows nothing of ours.
    """
    ours: Any = library.OrtDevice.make(launcher.torch_device, launcher.device_id)
    got = ours.device_vendor_id(), ours.device_id(), ours.device_mem_type()
    for info in (*session.get_input_memory_infos(), *session.get_output_memory_infos()):
        wanted = info.device_vendor_id, info.device_id, int(info.device_mem_type)
        if got != wanted:
            kinds = f"{_kind(got)}, the net is on {_kind(wanted)}"
            raise EngineError(f"ONNX Runtime {library.__version__} takes our pictures for memory of {kinds}")


def _kind(device: tuple[int, int, int]) -> str:
    vendor, number, memory = device
    return f"vendor {vendor:#06x}, device {number}, type {memory}"
