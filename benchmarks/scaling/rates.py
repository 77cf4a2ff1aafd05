"""How fast this machine moves bytes and multiplies: the floors of everything that runs on its processor."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter, process_time
from typing import Any, Literal

import numpy as np
import openvino as ov
from numpy.typing import NDArray
from openvino import opset13 as op

Kind = Literal["f32", "bf16", "int8"]
KINDS: tuple[Kind, ...] = ("f32", "bf16", "int8")
REPEATS = 4  # the best counts: a rate is what the machine can do, and other programs only make it less
LLC_FACTOR = 2  # an array is this many times the last-level cache; two of them are copied
LEAST_MB, LARGEST_SHARE = 256, 8  # of free memory an array takes one eighth at most
FRAME_BYTES = 3 * 1280 * 720


@dataclass(frozen=True, slots=True)
class Rates:
    """copy: GB/s, read and written bytes together, as STREAM counts. multiply: 10⁹ multiply-adds a second by kind.

    threads: how many took part. array_mb: size of each of the two arrays; cache_mb: the last-level cache. cached_copy:
    of arrays as large as a 720p picture.
    """

    threads: int
    copy_gb_s: float
    cached_copy_gb_s: float
    gmac_s: dict[str, float]
    array_mb: int
    cache_mb: int

    def __post_init__(self) -> None:
        if min(self.copy_gb_s, self.cached_copy_gb_s, *self.gmac_s.values()) <= 0.0:
            raise ValueError(f"rates of 0 or less: {self}")

    def facts(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def beyond_cache(self) -> bool:
        """Whether what was copied fits into no cache."""
        return self.array_mb > self.cache_mb


def best(rates: Sequence[Rates]) -> Rates:
    """The best of each rate in several rounds with the same number of threads."""
    first = rates[0]
    gmac_s = {kind: max(each.gmac_s[kind] for each in rates) for kind in first.gmac_s}
    copy, cached = max(each.copy_gb_s for each in rates), max(each.cached_copy_gb_s for each in rates)
    return Rates(first.threads, copy, cached, gmac_s, max(each.array_mb for each in rates), first.cache_mb)


def measure_rates(threads: int, copy_mb: int = 0, matrix: int = 1536) -> Rates:
    """copy_mb: size of an array, 0 = larger than the last-level cache as far as memory allows."""
    cache_mb = last_level_cache_mb()
    array_mb = copy_mb or _array_mb(cache_mb, free_mb())
    copied = copy_rate(array_mb << 20, threads)
    cached = copy_rate(FRAME_BYTES, threads, inner=64)
    gmac_s = {kind: round(multiply_rate(kind, threads, matrix), 2) for kind in KINDS}
    return Rates(threads, round(copied, 3), round(cached, 3), gmac_s, array_mb, cache_mb)


def _array_mb(cache_mb: int, free: int) -> int:
    return min(max(LEAST_MB, LLC_FACTOR * cache_mb), max(LEAST_MB, free // LARGEST_SHARE))


def copy_rate(size: int, threads: int, inner: int = 1) -> float:
    """GB/s of NumPy's copy of `size` bytes to another place, by that many threads with a part each."""
    source, target = np.ones(size, np.uint8), np.zeros(size, np.uint8)  # both touched: no page faults are timed
    sources, targets = np.array_split(source, threads), np.array_split(target, threads)
    with ThreadPoolExecutor(threads) as pool:
        seconds = _best_s(lambda: list(pool.map(_copy, sources, targets, [inner] * threads)), threads)
    return 2.0 * size * inner / seconds / 1e9


def _copy(source: NDArray[np.uint8], target: NDArray[np.uint8], times: int) -> None:
    for _ in range(times):
        np.copyto(target, source)  # lets other threads go on meanwhile


def multiply_rate(kind: Kind, threads: int, side: int) -> float:
    """10⁹ multiply-adds a second of a product of two square matrices in OpenVINO, which runs the net too."""
    options = {
        "INFERENCE_PRECISION_HINT": "bf16" if kind == "bf16" else "f32",
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_NUM_THREADS": str(threads),
    }
    request = ov.Core().compile_model(_product(kind, side), "CPU", options).create_infer_request()
    values = np.random.default_rng(1).uniform(-1.0, 1.0, (side, side)).astype(np.float32)
    request.infer([values])
    return side**3 / _best_s(lambda: request.infer([values]), threads) / 1e9


def _product(kind: Kind, side: int) -> ov.Model:
    left = op.parameter([side, side], np.float32, name="left")
    values = np.random.default_rng(2).uniform(-1.0, 1.0, (side, side)).astype(np.float32)
    right = op.constant(values)
    if kind == "int8":
        product = op.matmul(_in_steps(left, 256), _in_steps(right, 255), False, False)
    else:
        product = op.matmul(left, right, False, False)
    return ov.Model([product], [left], f"product-{kind}")  # pyright: ignore


def _in_steps(values: ov.Node, levels: int) -> ov.Node:
    low, high = (op.constant(np.full((1, 1), end, np.float32)) for end in (-1.0, 1.0))
    return op.fake_quantize(values, low, high, low, high, levels)


def _best_s(work: Callable[[], object], threads: int) -> float:
    """The shortest time of several. Of one thread it is CPU time, which no other program takes part of."""
    clock = process_time if threads == 1 else perf_counter
    work()
    found = list[float]()
    for _ in range(REPEATS):
        started_s = clock()
        work()
        found.append(clock() - started_s)
    return min(found)


def last_level_cache_mb(root: Path = Path("/sys/devices/system/cpu/cpu0/cache")) -> int:
    """The largest cache that Linux tells of; 0 where it tells nothing."""
    units = {"K": 1 / 1024, "M": 1.0, "G": 1024.0}
    sizes = [path.read_text(encoding="utf-8").strip() for path in root.glob("index*/size")]
    return round(max((int(size[:-1]) * units[size[-1]] for size in sizes if size[-1:] in units), default=0))


def free_mb() -> int:
    """Memory that is free now; 4 GB where the system does not tell."""
    if not hasattr(os, "sysconf") or "SC_AVPHYS_PAGES" not in os.sysconf_names:
        return 4096
    return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") >> 20
