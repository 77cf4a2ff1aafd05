"""A film worked on in parts gives the frames of a film worked on in one."""

from __future__ import annotations

from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from av.video.frame import VideoFrame
from pullfocus.engines.api import Engine
from pullfocus.engines.build import EngineRequest, build
from pullfocus.kernels.errors import InputError
from pullfocus.stream.config import Settings
from pullfocus.stream.cuts import CutDetector
from pullfocus.stream.film_parts import FilmIndex, FilmPart, look_through
from pullfocus.stream.focus import FocusPuller
from pullfocus.stream.frame import Rendered
from pullfocus.stream.parts import net_parts
from pullfocus.stream.phases import Plan, ask_net, plan_film, render
from pullfocus.stream.pipeline import run
from pullfocus.stream.targets import Point
from pullfocus.stream.video_in import VideoSource
from sklearn.datasets import load_sample_image

from .clip import write_clip
from .cuda_shim.card import LateCard
from .cuda_shim.launcher import ShimLauncher

FRAMES, CUT, SIZE_WH = 14, 8, (160, 96)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two scenes, each a camera that turns slowly over a photograph."""
    path = tmp_path_factory.mktemp("clip") / "in.mkv"
    scenes = [cv2.resize(load_sample_image(f"{name}.jpg"), (200, 120)) for name in ("china", "flower")]
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"crf": "10", "g": "5", "bf": "2"})
        stream.codec_context.width, stream.codec_context.height = SIZE_WH
        stream.codec_context.pix_fmt = "yuv420p"
        for index in range(FRAMES):
            picture = np.ascontiguousarray(scenes[index >= CUT][10:106, index : index + 160])
            container.mux(stream.encode(VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    return path


@pytest.fixture(scope="module")
def net() -> Engine:
    return build(EngineRequest(device="cpu"))


class Pictures:
    def __init__(self) -> None:
        self.pictures: list[np.ndarray] = []

    def write(self, rendered: Rendered, /) -> bool:
        self.pictures.append(rendered.picture)
        return True


def in_one(clip: Path, settings: Settings, engine: Engine) -> list[np.ndarray]:
    with VideoSource(str(clip)) as source:
        run(source, net_parts(engine, settings).stages(settings, FocusPuller(settings)), sink := Pictures())
    return sink.pictures


def pictures_of(source: VideoSource) -> list[np.ndarray]:
    return [frame.picture.astype(float) for frame in source.frames()]


def in_parts(clip: Path, settings: Settings, engine: Engine, folder: Path, length: int) -> list[np.ndarray]:
    index = look_through(str(clip))
    parts = index.parts(length)
    asked = index.asked(settings.net_every)
    for part in reversed(parts):  # nets know nothing of each other
        ask_net(str(clip), [n for n in asked if n in part], engine, folder / f"{part.start}.npy")
    plans = {part: folder / f"{part.start}.npz" for part in index.parts(3)}
    with VideoSource(str(clip)) as source:
        plan_film(source, settings, [folder / f"{part.start}.npy" for part in parts], plans)
    rendered = dict[int, list[np.ndarray]]()
    for part in reversed(parts):
        with VideoSource(str(clip)) as source:
            render(source, settings, plans, part, sink := Pictures())
        rendered[part.start] = sink.pictures
    return [picture for part in parts for picture in rendered[part.start]]


@pytest.mark.parametrize(
    "settings",
    [
        Settings(aperture=20.0, dead_zone=0.0),
        Settings(net_every=2, depth_range="auto", aperture=20.0, dead_zone=0.0),
        Settings(net_every=3, steady=False, smooth="both", view="side"),
    ],
    ids=["every frame", "every second, auto range", "every third, not steady, side by side"],
)
def test_parts_give_the_frames_of_the_whole(settings: Settings, clip: Path, net: Engine, tmp_path: Path) -> None:
    whole = in_one(clip, settings, net)
    parts = in_parts(clip, settings, net, tmp_path, length=4)
    assert len(whole) == FRAMES
    np.testing.assert_array_equal(parts, whole)
    with VideoSource(str(clip)) as source:
        blurred = [np.abs(a - b).mean() for a, b in zip(whole, pictures_of(source)) if a.shape == b.shape]
    assert settings.view == "side" or min(blurred) > 0.5  # where nothing happens all are equal


def test_the_net_is_asked_for_every_nth_frame_of_each_scene() -> None:
    index = FilmIndex(frames=10, cuts=(3, 8))
    assert index.asked(1) == list(range(10))
    assert index.asked(2) == [0, 2, 3, 5, 7, 8]
    assert index.asked(100) == [0, 3, 8]
    assert FilmIndex(frames=4).asked(3) == [0, 3]
    assert index.parts(4) == [range(4), range(4, 8), range(8, 10)]


def test_one_look_finds_cuts_and_damage(clip: Path, tmp_path: Path) -> None:
    assert look_through(str(clip)) == FilmIndex(FRAMES, cuts=(CUT,), whole=True)
    with VideoSource(str(clip)) as source:
        detector = CutDetector()
        assert [f.index for f in source.frames() if detector.is_cut(f.picture8)] == [CUT]
    damaged = bytearray(write_clip(tmp_path / "in.mp4", frames=40).read_bytes())
    for place in range(2_000, len(damaged) // 2, 500):
        damaged[place : place + 100] = bytes(100)
    (tmp_path / "damaged.mp4").write_bytes(damaged)
    assert not look_through(str(tmp_path / "damaged.mp4")).whole


def test_a_part_has_its_frames_and_no_others(clip: Path) -> None:
    with VideoSource(str(clip)) as source:
        every = list(source.frames())
    with VideoSource(str(clip)) as source:
        part = list(FilmPart(source, [4, 5, 9]).frames())
    assert [frame.index for frame in part] == [4, 5, 9]
    for frame in part:
        assert frame.pts == every[frame.index].pts
        np.testing.assert_array_equal(frame.picture, every[frame.index].picture)


def test_a_film_that_has_become_shorter_is_refused(clip: Path, tmp_path: Path) -> None:
    with VideoSource(str(clip)) as source, pytest.raises(InputError, match=f"has no frame {FRAMES} any more"):
        list(FilmPart(source, range(5, FRAMES + 1)).frames())
    plane = build(EngineRequest("plane"))
    ask_net(str(clip), range(FRAMES), plane, tmp_path / "answers.npy")
    with VideoSource(str(clip)) as source, pytest.raises(InputError, match="another number of frames now"):
        plan_film(source, Settings(), [tmp_path / "answers.npy"], {range(FRAMES + 1): tmp_path / "plan.npz"})


def plan_of(clip: Path, settings: Settings, answers: Path, path: Path, card: LateCard | None) -> Plan:
    with VideoSource(str(clip)) as source:
        plan_film(source, settings, [answers], {range(FRAMES): path}, card)
    return Plan.load(path)


@pytest.mark.parametrize("early", [(), ("download",), ("upload", "compute", "download")])
def test_a_plan_made_on_a_card_is_that_of_the_cpu(
    clip: Path, net: Engine, shim: ShimLauncher, tmp_path: Path, early: tuple[str, ...]
) -> None:
    settings = Settings(net_every=2, focus=Point(0.3, 0.6))
    ask_net(str(clip), look_through(str(clip)).asked(2), net, tmp_path / "answers.npy")
    ours, cpus = (
        plan_of(clip, settings, tmp_path / "answers.npy", tmp_path / "plan.npz", card)
        for card in (LateCard(shim, early), None)
    )
    assert ours.frames == cpus.frames == range(FRAMES)
    np.testing.assert_array_equal(ours.cuts, cpus.cuts)
    assert np.abs(ours.small - cpus.small).mean() <= 0.002
    np.testing.assert_allclose(ours.centres, cpus.centres, atol=0.008)
    np.testing.assert_allclose(ours.plans, cpus.plans, atol=0.004)
    assert np.ptp(ours.plans[:, 0]) > 0.02  # where the focus rests all are equal
