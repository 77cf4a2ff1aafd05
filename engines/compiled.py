"""An engine whose net is compiled for the GPU, one for each size, and kept in the store."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import cast

from ..kernels.api import InverseDepth, Picture, Quality
from ..kernels.errors import EngineError
from .build_process import BuildProcess, Job
from .builder import Order
from .gpu import Gpu
from .runtime import GpuRuntime, Net, facts_of
from .shape import net_size, shrunk_to
from .store import Store
from .there import PictureThere, PlacedNet, TensorNet, is_there

StartBuild = Callable[[Order, Path], Job]


class CompiledEngine:
    """Runs what is in the store; `prepare` puts it there. One thread calls it."""

    def __init__(
        self,
        runtime: GpuRuntime,
        gpu: Gpu,
        model: Path,
        quality: Quality = "fast",
        store: Store | None = None,
        start: StartBuild = BuildProcess,
    ) -> None:
        self._runtime, self._gpu, self._model, self._quality = runtime, gpu, model, quality
        self._store, self._start = store or Store(), start
        self._nets: dict[tuple[int, int], Net] = {}
        self._jobs: dict[tuple[int, int], Job] = {}
        self._refused = set[tuple[int, int]]()  # sizes whose stored engine could not be loaded
        self._marks: dict[tuple[int, int], str] = {}
        self.name: str = runtime.name

    @property
    def detail(self) -> str:
        """With the marks of the engines that run: two builds on one GPU may round differently."""
        marks = "".join(f", built {mark}" for mark in self._marks.values())
        return f"{self._runtime.detail}{marks}"

    def prepare(self, picture_hw: tuple[int, int]) -> Job | None:
        """None: ready for pictures of this size. Else the build that must end first; then ask again.

        Raises EngineError when it cannot be built or loaded.
        """
        size_hw = net_size(*picture_hw, self._quality)
        if size_hw in self._nets:
            return None
        job = self._jobs.get(size_hw)
        if job is not None and not job.poll():
            return job
        if self._load(size_hw):
            return None
        if job is not None:
            raise EngineError(f"{self.name}: its engine was built, and is not in {self._store.place}")
        facts = facts_of(self._runtime.name, self._gpu, self._model, size_hw)
        order = Order(self._runtime.name, self._model, size_hw, self._store.place)
        self._jobs[size_hw] = self._start(order, self._store.log_path(facts))
        return self._jobs[size_hw]

    def infer(self, picture: Picture) -> InverseDepth:
        """Raises EngineError for a size that was not prepared."""
        size_hw = net_size(picture.shape[0], picture.shape[1], self._quality)
        if size_hw not in self._nets:
            raise EngineError(f"{self.name}: not built for pictures of {picture.shape[0]} × {picture.shape[1]}")
        net = self._nets[size_hw]
        if is_there(picture, "cuda") and isinstance(net, TensorNet):
            return picture.depth(net.there(picture.tensor(size_hw)))
        if isinstance(picture, PictureThere) and isinstance(net, PlacedNet):
            depth = net.in_place(picture)
            if depth is not None:
                return cast(InverseDepth, depth)
        return self._nets[size_hw](shrunk_to(picture, size_hw))

    def _load(self, size_hw: tuple[int, int]) -> bool:
        """False: it is not in the store, or its runtime does not take it and it must be built again, once."""
        facts = facts_of(self._runtime.name, self._gpu, self._model, size_hw)
        stored = self._store.find(facts)
        if stored is None:
            return False
        try:
            self._nets[size_hw] = self._runtime.load(stored.data, size_hw)
        except EngineError:
            if size_hw in self._refused:
                raise
            self._refused.add(size_hw)
            self._store.drop(facts)
            return False
        self._marks[size_hw] = stored.mark
        return True
