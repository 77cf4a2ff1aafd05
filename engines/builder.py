"""Build one engine and put it into the store; as a program, in a process of its own.

    python -m pullfocus.engines.builder '{"engine": "tensorrt", "model": "…", "net_hw": [192, 352], …}'

A process, for a compiler works for a minute, may crash, and must die with the program that asked for it. It tells the
stage it is at in lines of JSON; what libraries print goes to stderr, which is the log.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread
from time import monotonic

from ..kernels.api import Quality
from ..kernels.errors import PullfocusError
from .api import Engine
from .finding import find_torch, version_of
from .gpu import find_gpu
from .parity import Parity, check
from .runtime import CompiledName, GpuRuntime, Tell, facts_of, runtime_of
from .shape import SHORT_SIDE_PX
from .store import Facts, Store


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be built. model: a weight file; net_hw: the size that the net looks at, in pixels."""

    engine: CompiledName
    model: Path
    net_hw: tuple[int, int]
    store: Path

    def written(self) -> str:
        """As `read` takes it."""
        return json.dumps({**asdict(self), "model": str(self.model), "store": str(self.store)})

    @staticmethod
    def read(text: str) -> Order:
        said = json.loads(text)
        height, width = said["net_hw"]
        return Order(said["engine"], Path(said["model"]), (int(height), int(width)), Path(said["store"]))

    @property
    def quality(self) -> Quality:
        """The quality whose nets have this size."""
        return "fast" if min(self.net_hw) == SHORT_SIDE_PX["fast"] else "fine"


Reference = Callable[[Path, Quality], Engine]


def reference(model: Path, quality: Quality) -> Engine:
    """The net in float32 on the CPU: by PyTorch, or by OpenVINO, which tests hold within 1e-4 of it."""
    if find_torch().usable:
        from .torch_engine import TorchEngine

        return TorchEngine(model, "cpu", quality)
    from .openvino_engine import OpenVinoEngine

    return OpenVinoEngine(model, quality, "f32")


def build_into_store(
    order: Order, runtime: GpuRuntime, facts: Facts, tell: Tell, make_reference: Reference | None = None
) -> Parity | None:
    """Build, compare, keep. None: another process had built it by then.

    An engine that does not compute what our net does, as `make_reference` makes it, is not kept. Raises EngineError,
    CheckpointError, OutputError.
    """
    store = Store(order.store)
    tell("waiting for another build")
    with store.locked(facts):
        if store.find(facts) is not None:
            return None
        started_s = monotonic()
        data = runtime.compile(order.model, order.net_hw, tell)
        tell("comparing it with float32")
        expected = (make_reference or reference)(order.model, order.quality)
        parity = check(runtime.load(data, order.net_hw), expected.infer, order.net_hw)
        store.put(facts, data, _notes(order, parity, monotonic() - started_s))
    return parity


def _notes(order: Order, parity: Parity, took_s: float) -> dict[str, str]:
    return {
        "model": str(order.model.resolve()),
        "built": datetime.now(UTC).isoformat(timespec="seconds"),
        "took": f"{took_s:.0f} s",
        "parity": str(parity),
        "python": sys.version.split()[0],
        "numpy": version_of("numpy") or "none",
    }


def main(argument: str) -> int:
    """The program; 0 when the engine is in the store, 2 when it said why not."""
    spoken = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8", buffering=1)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # libraries print what they like

    def say(what: str, text: str) -> None:
        spoken.write(json.dumps({what: text}) + "\n")

    Thread(target=_die_with_parent, daemon=True).start()
    order = Order.read(argument)
    try:
        gpu = find_gpu()
        facts = facts_of(order.engine, gpu, order.model, order.net_hw)
        build_into_store(order, runtime_of(order.engine, gpu), facts, lambda stage: say("stage", stage))
    except PullfocusError as error:
        say("error", str(error))
        return 2
    return 0


def _die_with_parent() -> None:
    # Never written to: it ends when the other side is gone. Not `sys.stdin`: Python aborts at its end while a thread
    # holds that lock.
    os.read(0, 1)
    os._exit(1)


if __name__ == "__main__":
    code = main(sys.argv[1])
    sys.stderr.flush()
    os._exit(code)  # what is stored is whole; native libraries like to crash when Python ends
