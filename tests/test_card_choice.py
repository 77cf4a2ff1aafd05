"""Whether pictures are on a card: what is said when they are not, and a film from the command line when they are."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from pullfocus.engines.build import DeviceChoice, EngineRequest
from pullfocus.engines.gpu import Gpu
from pullfocus.engines.plane import PlaneEngine
from pullfocus.kernels.api import InverseDepth, Picture
from pullfocus.kernels.cuda import HostYuv, YuvSystem
from pullfocus.kernels.cuda.card import Card
from pullfocus.kernels.cuda.launch import Argument, Kernel, Shape
from pullfocus.kernels.errors import EngineError, InputError
from pullfocus.stream import card_choice, film_pieces
from pullfocus.stream.batch_plan import Task
from pullfocus.stream.card_choice import TRIAL_FRAMES, choose_card
from pullfocus.stream.config import Settings
from pullfocus.stream.film_pieces import ask, do_whole, make_plan
from pullfocus.stream.phases import Plan
from pullfocus.stream.pictures import read_picture
from pullfocus.stream.preview import preview_frame
from pullfocus.stream.video_in import VideoSource
from pullfocus.stream.video_job import depth_of_video, refocus_video

from .clip import write_clip
from .cuda_shim.card import LateCard
from .cuda_shim.launcher import ShimLauncher
from .probe import decode_all

HW = (48, 64)


def settings_for(device: DeviceChoice) -> Settings:
    return Settings(engine=EngineRequest("auto", device))


class Full(ShimLauncher):
    """A card whose memory ends at the third kernel."""

    def launch(self, kernel: Kernel, extent: Shape, *arguments: Argument) -> None:
        if kernel.name == "aperture":
            raise MemoryError("cudaErrorMemoryAllocation: out of memory allocating 1,073,741,824 bytes")
        super().launch(kernel, extent, *arguments)


class Graphless(ShimLauncher):
    def captured(self, work: Callable[[], object]) -> Callable[[], None]:
        raise RuntimeError("operation not permitted")


def refuse() -> Card:
    raise InputError("got device 'cuda', but CuPy cannot be imported; run: pip install 'pullfocus[cuda]'")


def test_a_card_that_works_is_taken_and_tried_out_first(shim: ShimLauncher) -> None:
    said, card = list[str](), LateCard(shim)
    assert choose_card(settings_for("auto"), HW, said.append, lambda: card) is card
    assert said == []
    assert card.log.count("upload send") == 4
    assert card.log.count("capture") > 0


def test_a_card_without_graphs_is_taken_all_the_same_and_named(shim: ShimLauncher) -> None:
    said, card = list[str](), LateCard(Graphless(shim.folder))
    assert choose_card(settings_for("auto"), HW, said.append, lambda: card) is card
    assert said == ["shim makes no CUDA graph of a frame, which takes longer without: operation not permitted"]


@pytest.mark.parametrize("reason", ["no CuPy", "no memory"])
def test_without_it_the_cpu_takes_over_in_one_line_unless_it_was_demanded(
    shim: ShimLauncher, reason: str, request: pytest.FixtureRequest
) -> None:
    full = Full(request.config.cache.mkdir("cuda_shim"))
    opened: Callable[[], Card] = refuse if reason == "no CuPy" else lambda: LateCard(full)
    words = "CuPy cannot be imported" if reason == "no CuPy" else "out of GPU memory; close other programs"
    said = list[str]()
    assert choose_card(settings_for("auto"), HW, said.append, opened) is None
    assert len(said) == 1
    assert said[0].startswith("pictures are not refocused on the GPU, but on the CPU: ")
    assert words in said[0]
    with pytest.raises(EngineError, match=f"--device cuda: .*{words}"):
        choose_card(settings_for("cuda"), HW, said.append, opened)
    assert len(said) == 1


@pytest.mark.parametrize("device", ["auto", "cuda"])
def test_where_there_is_no_gpu_the_engines_have_said_it(monkeypatch: pytest.MonkeyPatch, device: DeviceChoice) -> None:
    def absent() -> Gpu:
        raise EngineError("no NVIDIA driver (libcuda) was found")

    said = list[str]()
    monkeypatch.setattr(card_choice, "find_gpu", absent)
    assert choose_card(settings_for(device), HW, said.append) is None
    assert said == []


def test_the_cpu_is_not_asked_about(shim: ShimLauncher) -> None:
    assert choose_card(settings_for("cpu"), HW, opened=lambda: LateCard(shim)) is None


class Failing(PlaneEngine):
    """Runs out of memory at one frame."""

    def __init__(self, at: int) -> None:
        super().__init__()
        self._left = at

    def infer(self, picture: Picture) -> InverseDepth:
        self._left -= 1
        if self._left < 0:
            raise EngineError("plane: out of GPU memory")
        return super().infer(picture)


FILM = Settings(layers=3, aperture=10.0, engine=EngineRequest("plane"))
SEGMENT = 3


def pictures(path: Path, form: str = "rgb24") -> np.ndarray:
    return np.stack([frame.to_ndarray(format=form) for frame in decode_all(path)]).astype(np.float64)


@pytest.mark.usefixtures("on_card")
def test_a_film_on_the_card_goes_on_where_it_was_and_is_that_of_the_cpu(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = str(write_clip(tmp_path / "in.mp4", frames=16, size_wh=(96, 64)))
    whole, parted, cpus = (tmp_path / f"{name}.mp4" for name in ("whole", "parted", "cpu"))
    depth = tmp_path / "depth.mkv"
    report = refocus_video(source, whole, FILM, depth_out=depth, segment_frames=SEGMENT)
    assert report.engine == "plane (a ramp, no net), pictures on shim"
    with pytest.raises(EngineError, match="out of GPU memory"):
        refocus_video(source, parted, FILM, segment_frames=SEGMENT, engine=Failing(15))
    before = refocus_video(source, parted, FILM, segment_frames=SEGMENT, resume=True).before
    assert before in range(SEGMENT, 15, SEGMENT)  # some of those before the failing one are not encoded yet
    np.testing.assert_array_equal(pictures(parted), pictures(whole))
    again = tmp_path / "again.mp4"
    refocus_video(source, again, FILM, depth_in=depth, segment_frames=SEGMENT)
    np.testing.assert_array_equal(pictures(again), pictures(whole))
    monkeypatch.undo()
    refocus_video(source, cpus, FILM, segment_frames=SEGMENT)
    apart = np.abs(pictures(cpus) - pictures(whole))
    assert apart.mean() < 1.5  # lossy encoders make more of a difference


@pytest.mark.usefixtures("on_card")
def test_a_depth_video_holds_the_whole_depth(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = str(write_clip(tmp_path / "in.mp4", frames=3, size_wh=(96, 64)))
    ours, cpus = tmp_path / "ours.mkv", tmp_path / "cpus.mkv"
    depth_of_video(source, ours, FILM)
    monkeypatch.undo()
    depth_of_video(source, cpus, FILM)
    assert np.abs(pictures(ours, "gray16le") - pictures(cpus, "gray16le")).mean() < 0.001 * 65535
    assert pictures(ours, "gray16le").shape == (3, 64, 96)


@pytest.mark.usefixtures("on_card")
def test_a_preview_is_made_there_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = str(write_clip(tmp_path / "in.mp4", frames=20, size_wh=(96, 64)))
    ours, cpus = tmp_path / "ours.png", tmp_path / "cpus.png"
    report = preview_frame(source, ours, FILM, Fraction("0.51"))
    assert report.engine == "plane (a ramp, no net), pictures on shim"
    monkeypatch.undo()
    preview_frame(source, cpus, FILM, Fraction("0.51"))
    there, here = (read_picture(path).astype(float) for path in (ours, cpus))
    assert there.shape == here.shape == (128, 192, 3)
    assert np.abs(there - here).mean() < 1.0
    assert np.percentile(np.abs(there - here), 99) < 8.0


@pytest.mark.usefixtures("on_card")
def test_a_film_that_a_worker_does_in_one_piece_is_made_there(tmp_path: Path) -> None:
    task = Task(write_clip(tmp_path / "in.mp4", frames=4, size_wh=(96, 64)), tmp_path / "out.mp4")
    outcome = do_whole(task, FILM, overwrite=False, segment=SEGMENT)
    assert (outcome.state, outcome.engine) == ("done", "plane (a ramp, no net), pictures on shim")


def test_the_plan_of_a_long_film_is_made_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, card: LateCard) -> None:
    """By a piece of the film's work, which a worker gets as a name and its arguments."""
    clip = str(write_clip(tmp_path / "in.mp4", frames=4, size_wh=(96, 64)))
    asked = list[tuple[int, int] | None]()

    def chosen(settings: Settings, size_hw: tuple[int, int] | None) -> Card | None:
        asked.append(size_hw)
        return choose_card(settings, size_hw, opened=lambda: card)

    monkeypatch.setattr(film_pieces, "choose_card", chosen)
    ask(clip, [0, 1, 2, 3], FILM.engine, tmp_path / "net.npy")
    make_plan(clip, FILM, [tmp_path / "net.npy"], {range(4): tmp_path / "plan.npz"})
    assert asked == [(64, 96)]
    assert card.log.count("upload send") == TRIAL_FRAMES + 4
    assert Plan.load(tmp_path / "plan.npz").frames == range(4)


def test_a_film_s_planes_come_as_they_were_decoded_where_the_card_can_turn_them(tmp_path: Path) -> None:
    with VideoSource(str(write_clip(tmp_path / "in.mp4", frames=2, size_wh=(96, 64)))) as film:
        film.for_card = True
        frame = next(film.frames())
    given: object = frame.picture
    assert isinstance(given, HostYuv)
    assert (frame.size_hw, given.planes.shape, given.layout.planar) == ((64, 96), (96, 96), True)
    assert given.system == YuvSystem("bt601")  # as untagged small films are read
    with VideoSource(str(tmp_path / "in.mp4")) as film:
        np.testing.assert_array_equal(given.rgb(), next(film.frames()).picture)
    with VideoSource(str(write_clip(tmp_path / "turned.mp4", frames=2, size_wh=(96, 64), rotation=90))) as film:
        film.for_card = True
        assert isinstance(next(film.frames()).picture, np.ndarray)
