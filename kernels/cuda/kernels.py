"""All kernels behind one object, which holds what runs them."""

from __future__ import annotations

from ..api import Centres, Lens, RefocusStyle
from . import depth, refocus
from .launch import DeviceArray, Launcher


class CudaKernels:
    """Meets `...api.Kernels` with arrays on the GPU. launcher: what runs them, and on which stream."""

    def __init__(self, launcher: Launcher) -> None:
        self.launcher = launcher

    def resize(self, inverse_depth: DeviceArray, size_hw: tuple[int, int]) -> DeviceArray:
        with self.launcher.queue():
            return depth.resize(self.launcher, inverse_depth, size_hw)

    def smooth(self, inverse_depth: DeviceArray, median_px: int, gaussian_px: int) -> DeviceArray:
        with self.launcher.queue():
            return depth.smooth(self.launcher, inverse_depth, median_px, gaussian_px)

    def cluster_update(
        self, samples: DeviceArray, centres: DeviceArray, weights: DeviceArray
    ) -> tuple[DeviceArray, DeviceArray]:
        with self.launcher.queue():
            return depth.cluster_update(self.launcher, samples, centres, weights)

    def assign(self, inverse_depth: DeviceArray, centres: DeviceArray) -> DeviceArray:
        with self.launcher.queue():
            return depth.assign(self.launcher, inverse_depth, centres)

    def refocus(
        self, picture: DeviceArray, inverse_depth: DeviceArray, centres: Centres, lens: Lens, style: RefocusStyle
    ) -> DeviceArray:
        """centres: in main memory."""
        with self.launcher.queue():
            return refocus.refocus(self.launcher, picture, inverse_depth, centres, lens, style)
