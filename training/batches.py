"""Batches for training: decoded ahead on threads, the same for a given seed and step."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray
from torch import Tensor

from ..kernels.errors import InputError
from .augment import View, draw, render
from .config import Config
from .data import Pair, Sample, sampling_weights
from .disturb import with_jpeg
from .matching import optical_flow, stereo_disparities
from .pairs import PairKind, find_pairs
from .predict import normalised

AHEAD = 3  # batches being decoded while one trains
CACHE_BYTES = 6 * 2**30  # decoded pictures kept in memory
SMALL = 2 / 3  # of a side, for the first `small_share` of a run
JPEG_QUALITY = (15, 60)


@dataclass(frozen=True, slots=True, repr=False)
class Link:
    """Which pictures of a batch show one scene: `firsts` and `seconds` as in `pairs.find_pairs`, by position.

    matches: what `matching` found between them. Of temporal pairs the flow, `n 2 h w`; of stereo views the
    disparities of the left and of the right, `n 1 h w` each.
    """

    kind: PairKind
    firsts: list[int]
    seconds: list[int]
    matches: tuple[Tensor, ...]


@dataclass(frozen=True, slots=True, repr=False)
class Batch:
    """`image` b 3 h w in [0, 1]; `target` b 1 h w inverse depth, NaN = none; `metric` b bool."""

    image: Tensor
    target: Tensor
    metric: Tensor
    links: tuple[Link, ...] = ()

    def normalised(self) -> Tensor:
        """What the net takes, channels-last."""
        return normalised(self.image).contiguous(memory_format=torch.channels_last)


Work: TypeAlias = Future[tuple[Pair, View]]


@dataclass(frozen=True, slots=True)
class _Item:
    """One picture to be: which sample, and where its dice start."""

    index: int
    seed: int
    whole: bool = False  # of a pair: seen as it is


class Batches:
    """The batches of a run from `first_step` on, for one of `world` processes that share every batch."""

    def __init__(
        self, samples: Sequence[Sample], config: Config, device: torch.device, rank: int = 0, world: int = 1
    ) -> None:
        if 2 * config.pair_count * len(config.pairs) > config.batch // world:
            raise InputError(f"pair_count: got {config.pair_count}, expected pairs that fit into a batch")
        self._samples, self._config, self._device = samples, config, device
        self._rank, self._world = rank, world
        self._weights = sampling_weights(samples, config.shares)
        self._pairs: dict[PairKind, list[tuple[int, int]]] = {
            kind: _known_pairs(samples, kind) for kind in config.pairs
        }
        self._pool = ThreadPoolExecutor(4 if device.type == "cuda" else 2)
        self._read = lru_cache(maxsize=_cache_size(samples))(self._decode_sample)

    def __enter__(self) -> Batches:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def steps(self, first: int, last: int) -> Iterator[Batch]:
        """Batches `first` … `last`, counted from 1."""
        ahead: deque[tuple[tuple[int, int], list[Work]]] = deque()
        for step in range(first, last + 1 + AHEAD):
            if step <= last:
                ahead.append(self._submit(step, last))
            if step >= first + AHEAD:
                size_hw, futures = ahead.popleft()
                yield self._join([future.result() for future in futures], size_hw)

    def _submit(self, step: int, last: int) -> tuple[tuple[int, int], list[Work]]:
        # A generator of its own for each step: a resumed run draws what the first would have drawn.
        rng = np.random.default_rng((self._config.seed, step))
        size_hw = _size(self._config, step / last, rng)
        picks = rng.choice(len(self._samples), size=self._config.batch, p=self._weights)
        items = [_Item(int(pick), int(seed)) for pick, seed in zip(picks, rng.integers(0, 2**63, len(picks)))]
        mine = self._with_pairs(items[self._rank :: self._world], step)
        return size_hw, [self._pool.submit(self._decode, item, size_hw) for item in mine]

    def _with_pairs(self, items: list[_Item], step: int) -> list[_Item]:
        """`items`, the first of them replaced by pairs: for each kind its firsts, then their seconds."""
        rng = np.random.default_rng((self._config.seed, step, 1 + self._rank))
        paired: list[_Item] = []
        for pairs in self._pairs.values():
            picks = rng.integers(len(pairs), size=self._config.pair_count)
            paired += [_Item(pairs[pick][side], 0, whole=True) for side in (0, 1) for pick in picks]
        return paired + items[len(paired) :]

    def _decode_sample(self, index: int) -> Pair:
        return self._samples[index].read()

    def _decode(self, item: _Item, size_hw: tuple[int, int]) -> tuple[Pair, View]:
        rng = np.random.default_rng(item.seed)
        pair = self._read(item.index)
        if item.whole:
            return pair, View(0, 0, *pair.target.shape, mirror=False)
        view = draw(pair.target.shape, size_hw, self._config.views, rng)
        if rng.random() < self._config.views.compression:
            pair = Pair(with_jpeg(pair.image, int(rng.integers(*JPEG_QUALITY))), pair.target, pair.metric)
        return pair, view

    def _join(self, work: list[tuple[Pair, View]], size_hw: tuple[int, int]) -> Batch:
        views = [
            render(self._upload(pair.image).permute(2, 0, 1), self._upload(pair.target), pair.metric, view, size_hw)
            for pair, view in work
        ]
        images, targets = zip(*views)
        metric = torch.tensor([pair.metric for pair, _ in work], device=self._device)
        image = torch.stack(images)
        return Batch(image, torch.stack(targets), metric, self._links(image))

    def _links(self, image: Tensor) -> tuple[Link, ...]:
        """What `_with_pairs` has put at the start of a batch."""
        links: list[Link] = []
        count = self._config.pair_count
        for index, kind in enumerate(self._pairs):
            first = 2 * count * index
            firsts, seconds = list(range(first, first + count)), list(range(first + count, first + 2 * count))
            links.append(Link(kind, firsts, seconds, _matches(kind, image[firsts], image[seconds])))
        return tuple(links)

    def _upload(self, array: NDArray[Any]) -> Tensor:
        tensor = torch.from_numpy(array)
        return tensor.pin_memory().to(self._device, non_blocking=True) if self._device.type == "cuda" else tensor


def _cache_size(samples: Sequence[Sample]) -> int:
    """How many decoded pairs fit into the cache, judged by the first."""
    pair = samples[0].read()
    return min(len(samples), CACHE_BYTES // (pair.image.nbytes + pair.target.nbytes))


def _known_pairs(samples: Sequence[Sample], kind: PairKind) -> list[tuple[int, int]]:
    found = find_pairs(samples, kind)
    if not found:
        raise InputError(f"pairs: got no pictures for {kind}; expected neighbouring frames or stereo views in the sets")
    return found


def _matches(kind: PairKind, firsts: Tensor, seconds: Tensor) -> tuple[Tensor, ...]:
    pictures = [(255.0 * part).round().byte().permute(0, 2, 3, 1).cpu().numpy() for part in (firsts, seconds)]
    if kind == "temporal":
        flow = np.stack([optical_flow(now, before) for now, before in zip(*pictures)])
        return (torch.from_numpy(flow).permute(0, 3, 1, 2).to(firsts),)
    found = [stereo_disparities(left, right) for left, right in zip(*pictures)]
    return tuple(torch.from_numpy(np.stack(side))[:, None].to(firsts) for side in zip(*found))


def _size(config: Config, progress: float, rng: Generator) -> tuple[int, int]:
    shares = np.array([size.share for size in config.sizes])
    size = config.sizes[rng.choice(len(shares), p=shares / shares.sum())]
    scale = SMALL if progress < config.small_share else 1.0
    return _to_side(size.height * scale), _to_side(size.width * scale)


def _to_side(px: float) -> int:
    """The nearest size that the encoder can halve five times."""
    return max(32, round(px / 32) * 32)


def whole_picture(pair: Pair, config: Config, device: torch.device) -> Batch:
    """`pair` as a batch of one, untouched, at the first of the config's sizes."""
    size_hw = config.sizes[0].height, config.sizes[0].width
    image, target = torch.from_numpy(pair.image).to(device), torch.from_numpy(pair.target).to(device)
    view = View(0, 0, *pair.target.shape, mirror=False)
    image, target = render(image.permute(2, 0, 1), target, pair.metric, view, size_hw)
    return Batch(image[None], target[None], torch.tensor([pair.metric], device=device))
