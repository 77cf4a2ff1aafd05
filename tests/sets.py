"""Small sets of every layout that the readers know, written where a test wants them."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import cv2
import h5py
import numpy as np
from numpy.typing import NDArray
from scipy.io import savemat


def write_set(folder: Path, count: int = 2, kind: str = "metric_mm", source: str = "mine") -> Path:
    """A small set of bright-is-near pictures: `count` of them, 64 × 80."""
    (folder / "set").mkdir(parents=True, exist_ok=True)
    lines = [["name", "source", "depth_kind", "sequence"]]
    for i in range(count):
        y, x = np.mgrid[:64, :80]
        near = np.hypot(x - 20 - 30 * i, y - 32) < 18
        picture = np.where(near[..., None], (230, 200, 180), (30, 60, 50)).astype(np.uint8)
        cv2.imwrite(str(folder / "set" / f"p{i}.jpg"), picture)
        cv2.imwrite(str(folder / "set" / f"p{i}.png"), np.where(near, 1000, 4000).astype(np.uint16))
        lines.append([f"p{i}", source, kind, f"s{i}"])
    path = folder / "set.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(lines)
    return path


def grey16(value: int, size_hw: tuple[int, int] = (12, 16)) -> NDArray[np.uint16]:
    """A 16-bit picture of one grey."""
    return np.full(size_hw, value, np.uint16)


def write_picture(path: Path, picture: NDArray[np.integer] | int, size_hw: tuple[int, int] = (12, 16)) -> Path:
    """A picture file; a number means that grey in every channel."""
    path.parent.mkdir(parents=True, exist_ok=True)
    array = np.full((*size_hw, 3), picture, np.uint8) if isinstance(picture, int) else picture
    assert cv2.imwrite(str(path), array)
    return path


def write_kaggle(root: Path, scenes: Sequence[str] = ("den_0001_out", "den_0002_out"), count: int = 2) -> Path:
    """`root/data/nyu2_train.csv` with `count` pairs a scene; returns the csv. Depth: 51 in 8 bit, 2 m."""
    rows: list[tuple[str, str]] = []
    for scene in scenes:
        for i in range(1, count + 1):
            stem = f"data/nyu2_train/{scene}/{i}"
            write_picture(root / f"{stem}.jpg", 90)
            write_picture(root / f"{stem}.png", np.full((12, 16), 51, np.uint8))
            rows.append((f"{stem}.jpg", f"{stem}.png"))
    return write_rows(root / "data" / "nyu2_train.csv", rows)


def write_rows(path: Path, rows: Sequence[Sequence[str]]) -> Path:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    return path


def write_mat(folder: Path, scenes: Sequence[str], test: Sequence[int] = ()) -> Path:
    """The official file with one picture a scene, 480 × 640, as MATLAB would save it; `test` counts from 0.

    Picture i: red is the row ÷ 2, green the column ÷ 4, blue i. Depth: i + 1 metres, and a hole at row 100, column 200.
    """
    y, x = np.mgrid[:480, :640]
    path = folder / "nyu_depth_v2_labeled.mat"
    with h5py.File(path, "w") as file:
        images = file.create_dataset("images", (len(scenes), 3, 640, 480), np.uint8)
        depths = file.create_dataset("depths", (len(scenes), 640, 480), np.float32)
        names = file.create_dataset("scenes", (1, len(scenes)), h5py.ref_dtype)
        for i, scene in enumerate(scenes):
            images[i] = np.stack((y // 2, x // 4, np.full_like(x, i))).astype(np.uint8).transpose(0, 2, 1)
            depth = np.full((480, 640), i + 1, np.float32)
            depth[100, 200] = 0
            depths[i] = depth.T
            text = file.create_dataset(f"#refs#/{i}", data=np.array([[ord(c)] for c in scene], np.uint16))
            names[0, i] = text.ref
    train = [i for i in range(len(scenes)) if i not in test]
    savemat(
        folder / "splits.mat",
        {"trainNdxs": np.array(train)[:, None] + 1, "testNdxs": np.array(test, int)[:, None] + 1},
    )
    return path
