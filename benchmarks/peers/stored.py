"""Frames and their depth on disk, so that each peer's process holds only the frame at hand."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...kernels.api import InverseDepth, Picture
from .api import Shot


@dataclass(frozen=True, slots=True)
class Clip:
    """`count` frames of one size in two files of raw numbers beside each other, and the lens for them."""

    name: str
    folder: Path
    count: int
    size_hw: tuple[int, int]
    focus: float
    aperture: float
    dead_zone: float

    def frames(self) -> Iterator[tuple[Picture, InverseDepth]]:
        """Every picture with its inverse depth."""
        height, width = self.size_hw
        with (self.folder / "pictures").open("rb") as pictures, (self.folder / "depths").open("rb") as depths:
            for _ in range(self.count):
                picture = np.fromfile(pictures, np.uint8, height * width * 3).reshape(height, width, 3)
                yield picture, np.fromfile(depths, np.float32, height * width).reshape(height, width)

    def shot(self) -> Shot:
        """What peers are asked for."""
        _, first = next(self.frames())
        return Shot(first, self.focus, self.aperture, self.dead_zone)

    @classmethod
    def read(cls, folder: Path) -> Clip:
        """What `store` wrote."""
        facts = json.loads((folder / "facts.json").read_text(encoding="utf-8"))
        return cls(folder=folder, **facts | {"size_hw": tuple(facts["size_hw"])})


def store(
    name: str,
    folder: Path,
    frames: Iterable[tuple[Picture, InverseDepth]],
    focus: float,
    aperture: float,
    dead_zone: float,
) -> Clip:
    """Write frames and their inverse depth, both `h w`, into a new folder."""
    folder.mkdir(parents=True)
    count, size_hw = 0, (0, 0)
    with (folder / "pictures").open("wb") as pictures, (folder / "depths").open("wb") as depths:
        for picture, inverse_depth in frames:
            picture.tofile(pictures)
            inverse_depth.astype(np.float32, copy=False).tofile(depths)
            count, size_hw = count + 1, (picture.shape[0], picture.shape[1])
    facts = {"name": name, "count": count, "size_hw": size_hw, "focus": focus, "aperture": aperture}
    (folder / "facts.json").write_text(json.dumps(facts | {"dead_zone": dead_zone}), encoding="utf-8")
    return Clip.read(folder)
