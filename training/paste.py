"""Put people before rooms: `python -m pullfocus.training.paste ROOMS.csv PEOPLE.csv -o OUT.csv`.

RGB-D sets hold few people, and their silhouettes are soft. A person cut out with a matte and put
nearer than the room behind gives both the order and the edge exactly (cut and paste: Dwibedi et al.
2017, arXiv:1708.01642; for depth: Ishii & Yamashita 2021, CutDepth, arXiv:2107.07684).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import typer
from numpy.random import Generator, default_rng
from numpy.typing import NDArray

from ..kernels.errors import InputError
from .data import DataError, Pair, Sample, open_set, read_rgb, split_validation
from .data.csv_set import check_new_set, pictures_aside, write_listing
from .tool import run_tool, write_picture

SOURCE = "people_pasted"
COVERAGE = (0.06, 0.75)  # share of the picture that a usable person covers
UNDECIDED = 0.25  # of the person's area, at most: else the matte is a guess
IN_ONE = 0.8  # of the person's area lies in one piece, at least
HEIGHT = (0.5, 1.2)  # of the person, in heights of the room's picture
NEARER = (0.06, 0.5)  # of the way from what is behind to 0.5 m
RELIEF = 0.12  # how far a person's own depth reaches, relative to their distance
LIGHT = 0.5  # how far the person's brightness is drawn towards the room's
NEAREST_MM = 500.0  # inverse depth 1


@dataclass(frozen=True, slots=True)
class Cutout:
    """A person, float32: `image` h w 3 in 0…255, `matte` h w in [0, 1], `nearness` h w of no scale."""

    image: NDArray[np.float32]
    matte: NDArray[np.float32]
    nearness: NDArray[np.float32]


def cut_out(image: NDArray[np.uint8], matte: NDArray[np.float32], nearness: NDArray[np.float32]) -> Cutout | None:
    """The person within their bounding box; None when the matte is of nobody, of all, in pieces or undecided."""
    inside = matte > 0.5
    undecided = (matte > 0.1) & (matte < 0.9)
    if not COVERAGE[0] <= inside.mean() <= COVERAGE[1] or undecided.sum() > UNDECIDED * inside.sum():
        return None
    _, _, facts, _ = cv2.connectedComponentsWithStats(inside.astype(np.uint8))
    if facts[1:, cv2.CC_STAT_AREA].max() < IN_ONE * inside.sum():
        return None
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    box = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    return Cutout(image[box].astype(np.float32), matte[box], nearness[box])


def paste(room: Pair, person: Cutout, rng: Generator) -> Pair:
    """`person` before `room` at a random place and size, nearer than all that they hide."""
    there = _onto(room.target.shape, person, rng)
    inside = there.matte > 0.5
    behind = room.target[inside & np.isfinite(room.target)]
    nearest_behind = float(np.percentile(behind, 98)) if behind.size else 0.0
    distance = nearest_behind + rng.uniform(*NEARER) * (1.0 - nearest_behind)
    body = np.clip(distance * _relief(there.nearness, inside), nearest_behind, 1.0)
    target = np.where(inside, body, room.target).astype(np.float32)
    lit = _lit_as(there.image, room.image, inside)
    blended = room.image + there.matte[..., None] * (lit - room.image)
    return Pair(np.rint(blended).clip(0, 255).astype(np.uint8), target, True)


def _onto(room_hw: tuple[int, ...], person: Cutout, rng: Generator) -> Cutout:
    """The person on an empty canvas of the room's size: at any column, the feet at or below the lower edge."""
    height, width = room_hw
    scale = height * rng.uniform(*HEIGHT) / person.matte.shape[0]
    h, w = (max(1, round(side * scale)) for side in person.matte.shape)
    top = height - h if h < height else 0
    left = int(rng.integers(-w // 3, max(width - 2 * w // 3, 1 - w // 3)))
    x0, x1 = max(left, 0), min(left + w, width)
    rows, columns = slice(top, min(top + h, height)), slice(x0, x1)
    source = slice(0, min(h, height - top)), slice(x0 - left, x1 - left)

    def placed(part: NDArray[np.float32]) -> NDArray[np.float32]:
        canvas = np.zeros((height, width, *part.shape[2:]), np.float32)
        way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        canvas[rows, columns] = cv2.resize(part, (w, h), interpolation=way)[source]
        return canvas

    return Cutout(placed(person.image), placed(person.matte), placed(person.nearness))


def _relief(nearness: NDArray[np.float32], inside: NDArray[np.bool_]) -> NDArray[np.float32]:
    """1 ± RELIEF within the person: their own depth, however it was scaled."""
    if not inside.any():
        return np.ones_like(nearness)
    low, middle, high = np.percentile(nearness[inside], (5, 50, 95))
    spread = max(float(high - low) / 2, 1e-6)
    return (1.0 + RELIEF * np.clip((nearness - middle) / spread, -1.0, 1.0)).astype(np.float32)


def _lit_as(person: NDArray[np.float32], room: NDArray[np.uint8], inside: NDArray[np.bool_]) -> NDArray[np.float32]:
    """The person as bright as the room, half-way; float32 in 0…255."""
    own = float(person[inside].mean()) if inside.any() else 1.0
    wanted = (float(room.mean()) / max(own, 1.0)) ** LIGHT
    return np.clip(person * wanted, 0.0, 255.0)


def main(
    rooms: Annotated[Path, typer.Argument(help="RGB-D set to put people into")],
    people: Annotated[Path, typer.Argument(help="csv that training.teacher wrote, with the mattes of training.mattes")],
    out: Annotated[Path, typer.Option("--out", "-o", help="csv of the set to write")],
    count: Annotated[int, typer.Option(min=1, help="how many pictures to make")] = 1200,
    seed: Annotated[int, typer.Option(min=0, help="the same seed makes the same set")] = 0,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="replace an existing set")] = False,
) -> None:
    """Write a set of people before rooms; neither comes from what validation holds."""
    check_new_set(out, overwrite, [rooms, people])
    training, _ = split_validation([*open_set(rooms), *open_set(people)])
    behind = [sample for sample in training if sample.kind == "metric"]
    cutouts = [
        (s.sequence, c) for s in training if s.source == "people_teacher" and (c := _cutout(s, people)) is not None
    ]
    if not behind or not cutouts:
        raise InputError(
            f"got {len(behind)} metric pictures and {len(cutouts)} people to cut out; expected some of both"
        )
    rng = default_rng(seed)
    rows = list[tuple[str, ...]]()
    with pictures_aside(out) as aside:
        for index in range(count):
            clip, person = cutouts[rng.integers(len(cutouts))]
            pair = paste(behind[rng.integers(len(behind))].read(), person, rng)
            name = f"pasted_{index:05d}"
            _write(aside / name, pair)
            rows.append((name, SOURCE, "metric_mm", clip))
    write_listing(out, rows)
    print(f"{count} pictures of {len(cutouts)} people in {out.with_suffix('')}")


def _cutout(sample: Sample, people: Path) -> Cutout | None:
    pair = sample.read()
    matte = read_rgb(people.with_suffix("") / f"{sample.name}.matte.png")[..., 0]
    if matte.shape != pair.target.shape:
        raise DataError(f"{sample.name}.matte.png: not of its picture's size; make it again with training/mattes.py")
    return cut_out(pair.image, matte.astype(np.float32) / 255.0, pair.target)


def _write(stem: Path, pair: Pair) -> None:
    depth = np.nan_to_num(NEAREST_MM / np.maximum(pair.target, 1e-3), nan=0.0)
    picture = cv2.cvtColor(pair.image, cv2.COLOR_RGB2BGR)
    write_picture(stem.with_suffix(".jpg"), picture.astype(np.uint8, copy=False), cv2.IMWRITE_JPEG_QUALITY, 92)
    write_picture(stem.with_suffix(".png"), np.rint(depth).clip(0, 65535).astype(np.uint16))


if __name__ == "__main__":
    run_tool(main)
