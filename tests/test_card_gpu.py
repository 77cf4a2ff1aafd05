"""The card's pipeline on a real GPU. Without one these tests are skipped; none has run on one yet."""

from __future__ import annotations

import importlib
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pullfocus.engines.build import EngineRequest
from pullfocus.engines.torch_engine import TorchEngine
from pullfocus.kernels.cuda import CudaKernels, YuvSystem
from pullfocus.stream.card import nv12_there
from pullfocus.stream.config import Settings
from pullfocus.stream.focus import FocusPuller
from pullfocus.stream.frame import Frame, Rendered
from pullfocus.stream.in_steps import in_steps
from pullfocus.stream.parts import net_parts
from pullfocus.stream.pipeline import Stage

from .parity import photo

pytestmark = [pytest.mark.gpu, pytest.mark.usefixtures("on_gpu")]
SIZE_HW = (1080, 1920)
SETTINGS = Settings(engine=EngineRequest("torch"), layers=5, aperture=7.0)


def frames(count: int) -> list[Frame]:
    picture = photo(SIZE_HW)
    return [Frame(np.roll(picture, 4 * i, axis=1), i, i, Fraction(1, 25), 1) for i in range(count)]


def stages_on_card(engine: Any) -> list[Stage]:
    from pullfocus.kernels.cuda.cupy_card import CupyCard

    return net_parts(engine, SETTINGS, card=CupyCard()).stages(SETTINGS, FocusPuller(SETTINGS))


def through(stages: list[Stage], given: list[Frame]) -> list[Rendered]:
    out = list[Rendered]()
    for frame in given:
        item: Any = frame
        for stage in stages:
            item = stage(item)
        out.append(item)
    return out


def test_frames_on_the_card_are_those_of_the_cpu(random_model: Path) -> None:
    engine = TorchEngine(random_model, "cuda")  # one net for both: only the rest is compared
    ours = through(stages_on_card(engine), frames(6))
    cpus = through(net_parts(engine, SETTINGS).stages(SETTINGS, FocusPuller(SETTINGS)), frames(6))
    for there, here in zip(ours, cpus, strict=True):
        assert there.layered.plan.inverse_depth == pytest.approx(here.layered.plan.inverse_depth, abs=0.02)
        assert np.abs(there.picture.astype(np.float32) - here.picture).mean() < 1.5


def test_frames_are_replayed_from_graphs(random_model: Path) -> None:
    from pullfocus.kernels.cuda.cupy_card import CupyCard

    card, engine = CupyCard(), TorchEngine(random_model, "cuda")
    stages = net_parts(engine, SETTINGS, card=card).stages(SETTINGS, FocusPuller(SETTINGS))
    replayed = through(stages, frames(8))
    assert card.recording.graphs.refused is None
    assert len(card.recording.graphs) >= 3  # before the net, after it, refocus
    card = CupyCard()
    card.recording.graphs.refused = "this test wants none"
    launched = through(net_parts(engine, SETTINGS, card=card).stages(SETTINGS, FocusPuller(SETTINGS)), frames(8))
    assert len(card.recording.graphs) == 0
    for ours, theirs in zip(replayed, launched, strict=True):
        np.testing.assert_array_equal(ours.picture, theirs.picture)


def test_frames_in_memory_come_back_to_memory(random_model: Path) -> None:
    from pullfocus.kernels.cuda.cupy_card import CupyCard

    engine, card = TorchEngine(random_model, "cuda"), CupyCard()
    whole, stepwise = (in_steps(net_parts(engine, SETTINGS, card=card), SETTINGS, FocusPuller(SETTINGS)) for _ in "ab")
    for frame, expected in zip(frames(4), through(stages_on_card(engine), frames(4)), strict=True):
        layered = stepwise.analyse(frame)
        assert isinstance(layered.sensed.inverse_depth, np.ndarray)
        assert layered.sensed.inverse_depth.shape == SIZE_HW
        assert isinstance(picture := stepwise.render(layered), np.ndarray)
        for other in (whole.whole(frame), expected.picture):
            assert np.abs(picture.astype(np.float32) - other).mean() < 0.5


def test_no_memory_is_allocated_once_it_runs(random_model: Path) -> None:
    cupy: Any = importlib.import_module("cupy")
    import torch

    stages = stages_on_card(TorchEngine(random_model, "cuda"))
    through(stages, frames(6))
    pool, pinned = cupy.get_default_memory_pool(), cupy.get_default_pinned_memory_pool()
    before = pool.total_bytes(), pinned.n_free_blocks(), torch.cuda.memory_reserved()
    through(stages, frames(20))
    assert (pool.total_bytes(), pinned.n_free_blocks(), torch.cuda.memory_reserved()) == before


def test_stages_hand_on_before_the_card_has_computed(random_model: Path) -> None:
    """Upload, depth and refocus of several frames are queued; the card is still at work when the last call returns."""
    upload, depth, layers, refocus, download = stages_on_card(TorchEngine(random_model, "cuda"))
    given = frames(12)
    through([upload, depth, layers, refocus, download], given[:4])  # compiled, and all memory taken
    sensed = [depth(upload(frame)) for frame in given[4:]]
    assert not sensed[-1].glimpse.mark.done
    pictures = [download(refocus(layers(each))).picture for each in sensed]
    assert len({picture.tobytes() for picture in pictures}) == len(pictures)  # each frame its own


def test_lanes_wait_for_each_other_and_for_nobody_else(on_gpu: CudaKernels) -> None:
    cupy: Any = importlib.import_module("cupy")
    from pullfocus.kernels.cuda.cupy_card import CupyCard

    del on_gpu
    card = CupyCard()
    values = np.frombuffer(card.pinned(64 << 20), np.float32, 16 << 20)
    values[:] = 1.0
    back = np.frombuffer(card.pinned(64 << 20), np.float32, 16 << 20)
    with card.upload.queue():
        there: Any = cupy.empty(values.shape, np.float32)
        card.upload.send(values, there)
        sent = card.upload.mark()
    with card.compute.queue():
        card.compute.after(sent)
        doubled = there * np.float32(2.0)
        computed = card.compute.mark()
    card.download.after(computed)
    card.download.fetch(doubled, back)
    done = card.download.mark()
    done.wait()
    assert sent.done
    assert computed.done
    assert np.all(back == 2.0)


def test_what_nvdec_decodes_stays_on_the_card_and_is_what_the_cpu_decodes(tmp_path: Path, on_gpu: CudaKernels) -> None:
    pytest.importorskip("av")
    from pullfocus.kernels.cuda import SpentPicture
    from pullfocus.kernels.cuda.cupy_card import CupyCard
    from pullfocus.stream.upload import UploadStage, place_of
    from pullfocus.stream.video_in import VideoSource

    from .clip import write_clip

    path, card = str(write_clip(tmp_path / "in.mp4", frames=12, size_wh=(640, 360))), CupyCard()
    upload = UploadStage(card)
    with VideoSource(path, decode="cuda") as film, VideoSource(path) as other:
        film.for_card = other.for_card = True
        ours, cpus = ([upload(frame) for frame in source.frames()] for source in (film, other))
    assert sum(isinstance(place_of(frame).origin.picture, SpentPicture) for frame in ours) == 11  # all but the first
    for there, expected in zip(ours, cpus, strict=True):
        place_of(expected).ready.wait()
        place_of(there).ready.wait()
        first, second = (on_gpu.download(frame.picture) for frame in (there, expected))  # pyright: ignore[reportArgumentType]
        np.testing.assert_array_equal(first, second)


def test_ffmpeg_reads_a_picture_in_cupy_s_own_memory() -> None:
    """Copied to main memory by FFmpeg, in the CUDA context that CuPy has begun to use."""
    pytest.importorskip("av", reason="PyAV is not here")
    from av.video.reformatter import VideoReformatter
    from pullfocus.kernels.cuda.cupy_card import CupyCard
    from pullfocus.stream.card_frames import CardFrames

    card = CupyCard()
    with card.compute.queue():
        there: Any = nv12_there(card, card.kernels.launcher.upload(photo(SIZE_HW)), YuvSystem())
    card.compute.mark().wait()
    frame = CardFrames(card.kernels.launcher.device_id).of(there)
    assert frame.format.name == "cuda"
    ours: Any = VideoReformatter().reformat(frame, format="nv12").to_ndarray()
    np.testing.assert_array_equal(ours, np.vstack([card.kernels.download(each) for each in (there.luma, there.chroma)]))


@pytest.mark.parametrize("codec", ["h264_nvenc", "hevc_nvenc"])
@pytest.mark.parametrize("size_hw", [SIZE_HW, (482, 854)])
def test_nvenc_takes_pictures_that_stay_on_the_card(codec: Any, size_hw: tuple[int, int]) -> None:
    """The trial before a film, which compares them with those that go through main memory."""
    pytest.importorskip("av", reason="PyAV is not here")
    from pullfocus.kernels.cuda.cupy_card import CupyCard
    from pullfocus.stream.colour import ColourTags
    from pullfocus.stream.encoding_wish import EncodingWish
    from pullfocus.stream.gpu_encoding import settled
    from pullfocus.stream.handover import handed_over
    from pullfocus.stream.video_info import VideoInfo

    wish, said = EncodingWish(codec), list[str]()
    info = VideoInfo(size_hw, Fraction(25), Fraction(1, 25), "yuv420p", ColourTags(1, 1, 1))
    if settled(wish, "mp4", info, size_hw, said.append) != wish:
        pytest.skip(said[0])  # many a GPU has no encoder
    assert handed_over(wish, "mp4", info, CupyCard(), said.append) is not None, said
