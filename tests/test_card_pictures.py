"""Folders of pictures on a card: the same files as on the CPU."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from pullfocus.engines.build import DeviceChoice, EngineRequest
from pullfocus.kernels.cuda.card import Card
from pullfocus.kernels.cuda.launch import Argument, Kernel, Shape
from pullfocus.kernels.errors import EngineError, InputError
from pullfocus.stream.config import Settings
from pullfocus.stream.image_job import FEWEST_ON_CARD, depth_of_pictures, refocus_pictures
from pullfocus.stream.pictures import read_picture, read_whole, write_picture

from .cuda_shim.card import LateCard
from .cuda_shim.launcher import ShimLauncher
from .parity import photo

SIZES_HW = [(64, 96), (64, 96), (96, 64), (200, 280)]


def settings(device: DeviceChoice = "auto") -> Settings:
    request = EngineRequest("auto" if device == "auto" else "plane", device)
    return Settings(layers=3, aperture=40.0, dead_zone=0.0, engine=request)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """As many pictures as are worth a card, of several sizes."""
    out = tmp_path / "in"
    out.mkdir()
    for index in range(FEWEST_ON_CARD):
        write_picture(out / f"{index}.png", photo(SIZES_HW[index % len(SIZES_HW)], seed=index))
    return out


@pytest.fixture
def depths(folder: Path) -> Path:
    """A depth for each, smaller than the picture."""
    out = folder.with_name("depths")
    out.mkdir()
    for index in range(FEWEST_ON_CARD):
        ramp = np.linspace(index / 10, 1.0, 24)[:, None].repeat(30, axis=1)
        cv2.imwrite(str(out / f"{index}.png"), (ramp * 65535).astype(np.uint16))
    return out


def never() -> Card:
    raise AssertionError("nobody asked for a card")


def check_same(ours: Path, cpus: Path, most_mean: float = 1.0) -> None:
    for index in range(FEWEST_ON_CARD):
        there, here = (read_whole(path / f"{index}.png", cv2.IMREAD_UNCHANGED)[0] for path in (ours, cpus))
        assert (there.shape, there.dtype) == (here.shape, here.dtype)
        assert np.abs(there.astype(float) - here).mean() <= most_mean
        assert np.ptp(there) > 0


@pytest.mark.parametrize("early", [(), ("upload",), ("upload", "compute", "download")])
def test_a_folder_comes_out_as_on_the_cpu(
    folder: Path, tmp_path: Path, shim: ShimLauncher, early: tuple[str, ...]
) -> None:
    ours, cpus = tmp_path / "ours", tmp_path / "cpus"
    report = refocus_pictures(folder, ours, settings(), opened=lambda: LateCard(shim, early))
    assert report.engine.endswith(", pictures on shim")
    assert set(report.stages) == {"read", "depth", "layers", "refocus", "write"}
    refocus_pictures(folder, cpus, settings(), opened=refused)
    check_same(ours, cpus)
    blurred = read_picture(ours / "0.png").astype(float) - read_picture(folder / "0.png")
    assert np.abs(blurred).mean() > 1.0  # where nothing happens all are equal


def test_a_depth_of_one_s_own_and_its_copy(folder: Path, depths: Path, tmp_path: Path, card: LateCard) -> None:
    ours, cpus = tmp_path / "ours", tmp_path / "cpus"
    for out, opened in ((ours, lambda: card), (cpus, refused)):
        refocus_pictures(folder, out, settings(), depth_in=depths, depth_out=out / "depth", opened=opened)
    check_same(ours, cpus)
    check_same(ours / "depth", cpus / "depth", 0.0)


def test_depth_alone(folder: Path, tmp_path: Path, card: LateCard) -> None:
    ours, cpus = tmp_path / "ours", tmp_path / "cpus"
    depth_of_pictures(folder, ours, settings(), opened=lambda: card)
    depth_of_pictures(folder, cpus, settings(), opened=refused)
    check_same(ours, cpus, 0.002 * 65535)


def test_few_pictures_are_not_worth_it_and_the_cpu_is_not_asked_about(folder: Path, tmp_path: Path) -> None:
    refocus_pictures(folder / "0.png", tmp_path / "one.png", settings(), opened=never)
    refocus_pictures(folder, tmp_path / "cpu", settings("cpu"), opened=never)
    (folder / "0.png").unlink()
    refocus_pictures(folder, tmp_path / "few", settings(), opened=never)


def refused() -> Card:
    raise InputError("got device 'cuda', but CuPy cannot be imported; run: pip install 'pullfocus[cuda]'")


class Small(ShimLauncher):
    """A card whose memory is full from a certain moment on."""

    def __init__(self, folder: Path, is_full: Callable[[], bool]) -> None:
        super().__init__(folder)
        self._is_full = is_full

    def launch(self, kernel: Kernel, extent: Shape, *arguments: Argument) -> None:
        if kernel.name == "aperture" and self._is_full():
            raise MemoryError("cudaErrorMemoryAllocation: out of memory allocating 1,073,741,824 bytes")
        super().launch(kernel, extent, *arguments)


def test_what_is_too_much_for_the_card_is_done_by_the_cpu_unless_it_was_demanded(
    folder: Path, depths: Path, tmp_path: Path, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    ours, cpus, demanded = tmp_path / "ours", tmp_path / "cpus", tmp_path / "demanded"

    def small(out: Path) -> Card:
        """The fourth picture is too much for it."""
        return LateCard(Small(request.config.cache.mkdir("cuda_shim"), lambda: (out / "2.png").exists()))

    report = refocus_pictures(folder, ours, settings(), depth_in=depths, opened=lambda: small(ours))
    said = [line for line in capsys.readouterr().err.splitlines() if "GPU" in line]
    assert len(said) == 1
    assert said[0].endswith("use --device cpu; the CPU takes over")
    assert report.engine == "none (depth from files)"
    refocus_pictures(folder, cpus, settings("cpu"), depth_in=depths, opened=never)
    check_same(ours, cpus)
    np.testing.assert_array_equal(read_picture(ours / "3.png"), read_picture(cpus / "3.png"))
    with pytest.raises(EngineError, match="out of GPU memory"):
        refocus_pictures(folder, demanded, settings("cuda"), depth_in=depths, opened=lambda: small(demanded))
    assert sorted(path.name for path in demanded.iterdir()) == ["0.png", "1.png", "2.png"]
    with pytest.raises(EngineError, match=r"--device cuda: .*CuPy"):
        refocus_pictures(folder, tmp_path / "no", settings("cuda"), depth_in=depths, opened=refused)
    assert not (tmp_path / "no").exists()
