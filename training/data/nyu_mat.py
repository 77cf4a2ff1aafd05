"""The official `nyu_depth_v2_labeled.mat`: 1449 pictures with filled-in depth, split by the official `splits.mat`.

The first is HDF5 (MATLAB 7.3). MATLAB's axes come out reversed: `images` n 3 640 480 uint8, `depths`
n 640 480 float32 in metres, `scenes` 1 n references to UTF-16 codes. The second is MATLAB 5 with
`trainNdxs` (795) and `testNdxs` (654), counted from 1.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...kernels.errors import MissingExtraError
from .nyu import EIGEN_CROP, LABELLED
from .pictures import NEAREST_M, inverse_depth
from .sample import DataError, Sample, Split

MAT_NAME = "nyu_depth_v2_labeled.mat"
SPLITS_URL = "http://horatio.cs.nyu.edu/mit/silberman/indoor_seg_sup/splits.mat"


@dataclass(frozen=True, slots=True)
class MatEntry:
    """One picture of the file, cut to `EIGEN_CROP`.

    The file is opened anew for every picture: an HDF5 handle must not be carried into another process, and
    opening costs little beside unpacking a picture. Threads may call `read` at once; h5py lets them in one by one.
    """

    mat: Path
    index: int  # from 0

    @property
    def paths(self) -> tuple[Path, ...]:
        return (self.mat,)

    def read(self) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        with _opened(self.mat) as file:
            image: NDArray[np.uint8] = file["images"][self.index].transpose(2, 1, 0)
            depth: NDArray[np.float32] = file["depths"][self.index].T
        return EIGEN_CROP.of(image, self.mat), inverse_depth(EIGEN_CROP.of(depth, self.mat), NEAREST_M)


def read_nyu_mat(mat_path: Path, split: Split = "train") -> list[Sample]:
    """The samples of one side of the official split, in index order, named as in the csv sets (`nyu_000002`).

    sequence: the scene. Raises DataError when either file is missing or not what it should be, and
    MissingExtraError without h5py.
    """
    with _opened(mat_path) as file:
        _expect_shapes(file, mat_path)
        scenes = ["".join(map(chr, np.ravel(file[ref][()]))) for ref in np.ravel(file["scenes"][()])]
    if not scenes or any(not scene for scene in scenes):
        raise DataError(f"{mat_path}: got pictures without a scene; download the file again")
    indices = _official_indices(mat_path.with_name("splits.mat"), len(scenes))[split]
    return [Sample(f"nyu_{i:06}", LABELLED, "metric", scenes[i], MatEntry(mat_path, i)) for i in indices]


@contextmanager
def _opened(mat_path: Path) -> Generator[Any, None, None]:
    """The HDF5 file, open for reading; what goes wrong in the `with` block is a DataError, too."""
    try:
        import h5py
    except ImportError as error:
        raise MissingExtraError("h5py", "train", f"reading {mat_path.name}") from error
    try:
        with h5py.File(mat_path, "r") as file:
            yield file
    except (OSError, KeyError, ValueError, TypeError) as error:
        raise DataError(f"{mat_path}: {error}; expected the official {MAT_NAME} (HDF5)") from error


def _expect_shapes(file: Any, mat_path: Path) -> None:
    images, depths, scenes = (tuple(file[name].shape) for name in ("images", "depths", "scenes"))
    count = images[0] if images else 0
    if images != (count, 3, 640, 480) or depths != (count, 640, 480) or int(np.prod(scenes)) != count:
        raise DataError(
            f"{mat_path}: got images {images}, depths {depths}, scenes {scenes}; "
            "expected (n, 3, 640, 480), (n, 640, 480), (1, n)"
        )


def _official_indices(splits_path: Path, count: int) -> dict[Split, list[int]]:
    """Each side's indices from 0, ascending; they must be below `count` and on one side only."""
    from scipy.io import loadmat
    from scipy.io.matlab import MatReadError

    if not splits_path.is_file():
        raise DataError(f"{splits_path}: missing; the official split must lie beside {MAT_NAME}: get {SPLITS_URL}")
    try:
        content = loadmat(splits_path)
        train, test = (sorted(int(i) - 1 for i in np.ravel(content[name])) for name in ("trainNdxs", "testNdxs"))
    except (OSError, KeyError, ValueError, TypeError, NotImplementedError, MatReadError) as error:
        raise DataError(f"{splits_path}: {error}; expected trainNdxs and testNdxs: get {SPLITS_URL}") from error
    everything = train + test
    if len(set(everything)) != len(everything) or any(not 0 <= i < count for i in everything):
        raise DataError(f"{splits_path}: got indices twice or beyond {count}; expected the split of {MAT_NAME}")
    return {"train": train, "test": test}
