"""Films and live frames whose pictures are on a card: the same as on the CPU, and nothing read or written too early."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Any, cast, get_args

import numpy as np
import pytest
from pullfocus.engines.api import Engine
from pullfocus.engines.build import EngineRequest
from pullfocus.engines.shape import shrunk_to
from pullfocus.engines.there import DepthThere, EngineThere, PictureThere
from pullfocus.engines.torch_engine import TorchEngine
from pullfocus.kernels.api import AnyPicture, InverseDepth, Picture
from pullfocus.kernels.cuda import CudaKernels, DevicePicture, HostYuv, YuvLayout, YuvSystem
from pullfocus.kernels.cuda.card import Mark
from pullfocus.kernels.cuda.launch import Kernel
from pullfocus.kernels.cuda.memory import Lease
from pullfocus.stream.config import Settings, View
from pullfocus.stream.controls import Controls
from pullfocus.stream.focus import FocusPuller
from pullfocus.stream.frame import Frame, Rendered
from pullfocus.stream.parts import net_parts
from pullfocus.stream.pipeline import Stage, run
from pullfocus.stream.state import Remembers, load_state, save_state
from pullfocus.stream.targets import Nearest, Point
from pullfocus.stream.upload import UploadStage

from .cuda_shim.card import LateCard, LateLane, LateMark
from .cuda_shim.launcher import COMPILER, ShimLauncher
from .parity import photo

SIZE_HW, TURNED_HW = (72, 96), (96, 72)
SETTINGS = Settings(engine=EngineRequest("plane"), layers=3, aperture=12.0)


class Brightness:
    """An engine of the CPU whose inverse depth is the picture's grey, at half its size."""

    name, detail = "brightness", "a test's"

    def infer(self, picture: Picture) -> InverseDepth:
        small = shrunk_to(picture, (picture.shape[0] // 2, picture.shape[1] // 2))
        return (small @ np.array([0.299, 0.587, 0.114])).astype(np.float32) / np.float32(255.0)


class BrightnessThere(Brightness):
    """The same, computed on the card."""

    def infer(self, picture: Picture) -> InverseDepth:
        if not isinstance(picture, PictureThere):
            return super().infer(picture)
        high, wide = size_hw = picture.shape[0] // 2, picture.shape[1] // 2
        gpu = picture.kernels.launcher
        grey, small = gpu.empty(size_hw, np.float32), picture.shrunk(size_hw)
        gpu.launch(Kernel("flow.cu", "grey"), (high * wide,), small, high * wide, grey)
        return cast(InverseDepth, DepthThere(picture.kernels.stretched(grey, 0.0, 255.0)))


@pytest.fixture
def shim(request: pytest.FixtureRequest) -> ShimLauncher:
    if COMPILER is None:
        pytest.skip("g++ is not here: it compiles the CUDA kernels for the CPU")
    return ShimLauncher(request.config.cache.mkdir("cuda_shim"))


@pytest.fixture
def card(shim: ShimLauncher) -> LateCard:
    return LateCard(shim)


@dataclass
class Film:
    """A picture that wanders, and from `cut_at` on another. turned_at: from there on of another size."""

    count: int = 6
    cut_at: int = 4
    deep: bool = False
    turned_at: int = 99
    live = False

    def frames(self) -> Iterator[Frame]:
        for index in range(self.count):
            size_hw = SIZE_HW if index < self.turned_at else TURNED_HW
            picture: Any = np.roll(photo(size_hw, seed=3 if index < self.cut_at else 11), 2 * index, axis=1)
            if self.deep:
                picture = picture.astype(np.uint16) * np.uint16(257)
            yield Frame(picture, index, index, Fraction(1, 25), 1)


@dataclass
class Keep:
    got: list[Rendered] = field(default_factory=list[Rendered])

    def write(self, rendered: Rendered, /) -> bool:
        self.got.append(rendered)
        return True


def rendered(film: Film, settings: Settings, card: LateCard | None, capacity: int = 1) -> list[Rendered]:
    sink = Keep()
    run(film, stages_of(settings, card), sink, capacity=capacity)
    return sink.got


def stages_of(settings: Settings, card: LateCard | None, engine: Engine | None = None) -> list[Stage]:
    return net_parts(engine or BrightnessThere(), settings, card=card).stages(settings, FocusPuller(settings))


def through(stages: Sequence[Stage], frames: Iterable[Frame]) -> list[Rendered]:
    """One frame after another, without threads."""
    out = list[Rendered]()
    for item in frames:
        for stage in stages:
            item = stage(item)
        out.append(cast(Rendered, item))
    return out


def check_same(ours: Sequence[Rendered], cpus: Sequence[Rendered], most: float = 10.0) -> None:
    """Within what small differences of depth do to a picture; `parity_table.py` has those of each kernel.

    most: for 995 of 1000 values. A map of layers or of depth in colours jumps from one colour to another.
    """
    assert [each.frame.index for each in ours] == [each.frame.index for each in cpus]
    for card, cpu in zip(ours, cpus, strict=True):
        assert (card.picture.shape, card.picture.dtype, card.cut) == (cpu.picture.shape, cpu.picture.dtype, cpu.cut)
        assert card.layered.plan.inverse_depth == pytest.approx(cpu.layered.plan.inverse_depth, abs=0.004)
        np.testing.assert_allclose(card.layered.centres, cpu.layered.centres, atol=0.008)
        apart = np.abs(card.picture.astype(np.float64) - cpu.picture.astype(np.float64))
        apart /= 257.0 if card.picture.dtype == np.uint16 else 1.0
        assert apart.mean() <= 1.0
        assert np.percentile(apart, 99.5) <= most
        small, other = card.layered.sensed.small, cpu.layered.sensed.small
        assert small is not None
        assert other is not None
        assert np.abs(small - other).mean() <= 0.002


@pytest.mark.parametrize("capacity", [1, 3])
def test_a_film_on_the_card_is_that_of_the_cpu(card: LateCard, capacity: int) -> None:
    ours = rendered(Film(), SETTINGS, card, capacity)
    check_same(ours, rendered(Film(), SETTINGS, None))
    assert [each.cut for each in ours] == [False] * 4 + [True, False]


def test_an_engine_of_the_cpu_sees_the_picture_at_its_own_size(card: LateCard) -> None:
    ours = through(stages_of(SETTINGS, card, Brightness()), Film(3, 9).frames())
    check_same(ours, through(stages_of(SETTINGS, None), Film(3, 9).frames()))


@pytest.mark.parametrize(
    "settings",
    [
        replace(SETTINGS, focus=Point(0.4, 0.4)),
        replace(SETTINGS, smooth="both", kernel="gaussian", steady=False),
        replace(SETTINGS, net_every=2, depth_range="auto", focus=Nearest()),
    ],
)
def test_other_settings(card: LateCard, settings: Settings) -> None:
    check_same(rendered(Film(4, 9), settings, card), rendered(Film(4, 9), settings, None))


def test_16_bits(card: LateCard) -> None:
    film = Film(2, deep=True)
    ours = rendered(film, SETTINGS, card)
    check_same(ours, rendered(film, SETTINGS, None))
    assert ours[0].picture.dtype == np.uint16


@pytest.mark.parametrize("view", get_args(View))
def test_views(card: LateCard, view: View) -> None:
    settings = replace(SETTINGS, view=view)
    ours = through(stages_of(settings, card), Film(1).frames())
    most = 100.0 if view in ("depth", "layers", "panel") else 10.0
    check_same(ours, through(stages_of(settings, None), Film(1).frames()), most)


def test_controls_are_turned_while_it_runs(card: LateCard) -> None:
    def turned(card: LateCard | None) -> list[Rendered]:
        puller = FocusPuller(SETTINGS)
        controls = Controls(SETTINGS, puller)
        stages = net_parts(BrightnessThere(), SETTINGS, card=card).stages(SETTINGS, puller, controls)
        out = list[Rendered]()
        for frame in Film(6, 9).frames():
            if frame.index == 2:
                controls.change(layers=5, aperture=4.0)
                controls.focus_on(Nearest())
            if frame.index == 4:
                controls.change(view="layers")
            out += through(stages, [frame])
        return out

    ours = turned(card)
    expected = turned(None)
    check_same(ours[:4], expected[:4])
    check_same(ours[4:], expected[4:], 100.0)
    assert [len(each.layered.centres) for each in ours] == [3, 3, 5, 5, 5, 5]


def test_frames_of_another_size_begin_anew(card: LateCard) -> None:
    ours = rendered(Film(5, 9, turned_at=3), SETTINGS, card)
    check_same(ours, rendered(Film(5, 9, turned_at=3), SETTINGS, None))
    assert [each.cut for each in ours] == [False, False, False, True, False]


def test_a_film_goes_on_from_a_saved_state_as_if_nothing_had_been(
    card: LateCard, tmp_path: Path, shim: ShimLauncher
) -> None:
    frames = list(Film(6, 9).frames())
    first = stages_of(SETTINGS, card)
    before = through(first, frames[:3])
    for number, stage in enumerate(first):
        if isinstance(stage, Remembers):
            save_state(tmp_path / f"{number}", stage.state())
    straight = through(first, frames[3:])
    assert len(before) == len(straight)
    again = stages_of(SETTINGS, LateCard(shim))
    for number, stage in enumerate(again):
        if isinstance(stage, Remembers):
            stage.restore(load_state(tmp_path / f"{number}"))
    for ours, theirs in zip(through(again, frames[3:]), straight, strict=True):
        np.testing.assert_array_equal(ours.picture, theirs.picture)


def test_the_order_of_one_frame_s_work(card: LateCard) -> None:
    stages = stages_of(SETTINGS, card)
    through(stages, Film(3, 9).frames())
    card.log.clear()
    through(stages, list(Film(4, 9).frames())[3:])
    assert card.log == [
        "upload after compute",  # the piece of memory has been another frame's
        "upload send",
        "compute after upload",
        "compute fetch",  # what layers and focus look at
        "wait compute",
        "download after compute",
        "download fetch",
        "download fetch",
        "wait download",
    ]


def test_no_memory_is_asked_for_once_it_runs(card: LateCard) -> None:
    """But for CuPy's pool, which the GPU's own test counts."""
    stages, kept = stages_of(SETTINGS, card), list[Rendered]()
    frames = list(Film(9, 99).frames())
    for frame in frames[:4]:
        kept = [*kept, *through(stages, [frame])][-2:]  # a sink that holds two
    pinned = card.pinned_count
    for frame in frames[4:]:
        kept = [*kept, *through(stages, [frame])][-2:]
    assert card.pinned_count == pinned


def _depth_of_dropped(card: LateCard) -> Rendered:
    """The last of some frames, of which all others were dropped after the depth stage, as live frames may be."""
    upload, depth, *rest = stages_of(SETTINGS, card)
    frames = list(Film(5, 9).frames())
    for frame in frames[:-1]:
        depth(upload(frame))
    return through([upload, depth, *rest], frames[-1:])[0]


def _pictures_of_dropped(shim: ShimLauncher) -> list[Any]:
    """What the card has of a decoder's frames that were dropped as soon as they were sent."""
    card = LateCard(shim)
    upload = stages_of(SETTINGS, card)[0]
    places = [upload(decoded_there(frame, shim)).picture for frame in Film(3, 9).frames()]
    card.upload.mark().wait()
    return places


def test_a_decoder_s_picture_is_held_until_the_card_has_read_it(
    shim: ShimLauncher, monkeypatch: pytest.MonkeyPatch
) -> None:
    last = turned(list(Film(3, 9).frames())[-1], shim).picture
    np.testing.assert_array_equal(_pictures_of_dropped(shim)[-1], last)

    def forgotten(self: UploadStage, ready: Mark, picture: DevicePicture) -> None:
        del self, ready, picture

    monkeypatch.setattr(UploadStage, "_hold", forgotten)
    assert not np.array_equal(_pictures_of_dropped(shim)[-1], last), "the test would not see it"


def test_what_a_dropped_frame_leaves_behind_is_not_used_too_early(
    shim: ShimLauncher, monkeypatch: pytest.MonkeyPatch
) -> None:
    early = ("upload",)  # it overwrites as soon as it may
    all_frames = through(stages_of(SETTINGS, None), Film(5, 9).frames())
    dropped = _depth_of_dropped(LateCard(shim, early))
    small, expected = dropped.layered.sensed.small, all_frames[-1].layered.sensed.small
    assert small is not None
    assert expected is not None
    assert np.abs(small - expected).mean() <= 0.002

    def forgotten(self: Lease, until: Mark) -> None:
        del self, until

    monkeypatch.setattr(Lease, "busy", forgotten)
    spoilt = _depth_of_dropped(LateCard(shim, early)).layered.sensed.small
    assert spoilt is not None
    assert np.abs(spoilt - expected).mean() > 0.004, "the test would not see it"


@pytest.mark.parametrize("lane", ["upload", "compute"])
def test_the_card_of_the_tests_sees_a_wait_that_is_missing(
    card: LateCard, monkeypatch: pytest.MonkeyPatch, lane: str
) -> None:
    before = through(stages_of(SETTINGS, None), Film(3, 9).frames())

    def forgotten(self: LateLane, mark: Mark) -> None:
        if not isinstance(mark, LateMark) or mark.lane.name != lane:
            after(self, mark)

    after = LateLane.after
    monkeypatch.setattr(LateLane, "after", forgotten)
    with pytest.raises(AssertionError):
        check_same(through(stages_of(SETTINGS, card), Film(3, 9).frames()), before)


SYSTEM = YuvSystem("bt709")


class Plane:
    """A decoder's: rows with a pitch; it counts who reads it, and what it holds when it is let go of is not its own."""

    def __init__(self, values: Any) -> None:
        self._rows = np.zeros((values.shape[0], values.shape[1] + 32), np.uint8)
        self._rows[:, : values.shape[1]] = values
        self._view = self._rows[:, : values.shape[1]]
        self.shape = self._view.shape

    def __dlpack__(self, *, stream: Any = None, **more: Any) -> Any:
        del stream
        return self._view.__dlpack__(**more)

    def __dlpack_device__(self) -> tuple[int, int]:
        return self._view.__dlpack_device__()

    def __del__(self) -> None:
        self._rows[:] = 77


def nv12_of(picture: Picture, shim: ShimLauncher) -> Any:
    return CudaKernels(shim).to_nv12(picture, SYSTEM)


def decoded_there(frame: Frame, shim: ShimLauncher) -> Frame:
    planes = nv12_of(frame.picture8, shim)
    given = DevicePicture(Plane(planes[: SIZE_HW[0]]), Plane(planes[SIZE_HW[0] :]), SYSTEM)
    return replace(frame, picture=cast(AnyPicture, given))


def decoded_here(frame: Frame, shim: ShimLauncher) -> Frame:
    planes, rgb = nv12_of(frame.picture8, shim), turned(frame, shim).picture8
    return replace(frame, picture=cast(AnyPicture, HostYuv(planes, YuvLayout(*SIZE_HW), SYSTEM, lambda: rgb)))


def turned(frame: Frame, shim: ShimLauncher) -> Frame:
    """What the decoder's picture is in RGB."""
    kernels: Any = CudaKernels(shim)
    return replace(frame, picture=kernels.from_yuv(nv12_of(frame.picture8, shim), YuvLayout(*SIZE_HW), SYSTEM))


@pytest.mark.parametrize("decoded", [decoded_there, decoded_here])
@pytest.mark.parametrize("early", [(), ("upload",)])
def test_a_decoder_s_pictures_are_turned_to_rgb_on_the_card(
    shim: ShimLauncher, decoded: Callable[[Frame, ShimLauncher], Frame], early: tuple[str, ...]
) -> None:
    settings = replace(SETTINGS, focus=Point(0.4, 0.4))  # which looks at the picture in main memory
    given = (decoded(frame, shim) for frame in Film(6, 4).frames())
    card = LateCard(shim, early)
    upload, *rest = stages_of(settings, card)
    ours = list[Rendered]()
    for frame in given:
        item: Any = upload(frame)
        del frame  # the decoder's memory is used again as soon as nobody holds it
        ours += through(rest, [item])
    expected = through(stages_of(settings, None), [turned(frame, shim) for frame in Film(6, 4).frames()])
    check_same(ours, expected)


def test_an_encoder_on_the_card_gets_its_picture_there(shim: ShimLauncher, card: LateCard) -> None:
    parts = net_parts(BrightnessThere(), SETTINGS, card=card)
    stages = parts.stages(SETTINGS, FocusPuller(SETTINGS), nv12=SYSTEM)
    frames = [decoded_there(frame, shim) for frame in Film(4, 9).frames()]
    fetched = len(card.log)
    ours = through(stages, frames)
    here = through(stages_of(SETTINGS, LateCard(shim)), frames)
    for there, expected in zip(ours, here, strict=True):
        picture: Any = there.picture
        assert isinstance(picture, DevicePicture)
        planes = np.vstack([np.from_dlpack(plane) for plane in (picture.luma, picture.chroma)])
        np.testing.assert_array_equal(planes, nv12_of(cast(Picture, expected.picture), shim))
    sizes = [line for line in card.log[fetched:] if line == "download fetch"]
    assert len(sizes) == len(frames)  # the small depth alone


@pytest.mark.usefixtures("one_thread")
def test_pytorch_takes_and_gives_what_is_on_the_card(random_model: Path, card: LateCard) -> None:
    engine = TorchEngine(random_model)
    picture = photo((200, 320))
    with card.compute.queue():
        there = EngineThere(engine, card.kernels).infer(cast(Picture, card.kernels.upload(picture)))
        depth = card.kernels.download(cast(Any, there))
    expected = engine.infer(picture)
    assert depth.shape == expected.shape
    assert np.abs(depth - expected).mean() < 0.01  # its picture is shrunk a little differently
