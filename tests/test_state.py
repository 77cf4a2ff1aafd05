"""A run that goes on from a saved state gives what it would have given without a break."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction
from functools import cache
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import pytest
from pullfocus.kernels import Kernels
from pullfocus.kernels.api import InverseDepth, Picture
from pullfocus.kernels.errors import InputError
from pullfocus.stream.config import Settings
from pullfocus.stream.faces import Face
from pullfocus.stream.focus import FocusPuller
from pullfocus.stream.focus_script import read_focus_script
from pullfocus.stream.frame import Frame, Layered
from pullfocus.stream.stages import DepthStage, LayersStage, NetDepth
from pullfocus.stream.state import load_state, save_state
from pullfocus.stream.targets import Fixed, LayerNumber, Point, parse_focus, read_target, write_target

from .test_media import MEDIA, require_media

FRAMES, CUT = 13, 8
BREAKS = (0, 5, CUT, CUT + 2)
SCRIPT = """
pull = [
    {time = 0, focus = "nearest"},
    {time = 0.1, focus = "0.62,0.5", aperture = 12, duration = 0.2},
    {time = 0.5, focus = 0.3, duration = 0.4, easing = "linear"},
]
"""


class GreyEngine:
    """Bright is near: depth that changes with the picture."""

    name, detail = "grey", "a test's"

    def infer(self, picture: Picture) -> InverseDepth:
        grey = cv2.cvtColor(cv2.resize(picture, (96, 64), interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)
        return (grey / 255.0).astype(np.float32)


class TwoFaces:
    """One stands still; the other grows until it takes over."""

    def __init__(self) -> None:
        self._looked = 0

    def find(self, picture: Picture) -> Sequence[Face]:
        shown = float(picture.mean()) / 1000
        return [Face(0.1 + shown, 0.2, 0.1, 0.2), Face(0.5, 0.3, 0.3, 0.5)]


@cache
def pictures() -> list[Picture]:
    """Two shots of real clips, of 8 and 5 frames."""
    require_media()
    from pullfocus.stream.video_in import VideoSource

    shots: list[Picture] = []
    for name, count in (("facebookresearch__01_dog.mp4", CUT), ("facebookresearch__04_coffee.mp4", FRAMES - CUT)):
        with VideoSource(str(MEDIA / "b_people_hands" / name)) as source:
            shots += [_small(frame.picture8) for frame in islice(source.frames(), count)]
    return shots


def _small(picture: Picture) -> Picture:
    return np.asarray(cv2.resize(picture, (320, 180), interpolation=cv2.INTER_AREA), np.uint8)


def frames() -> list[Frame]:
    return [Frame(picture, i, 7 + 2 * i, Fraction(1, 30)) for i, picture in enumerate(pictures())]


Stages = tuple[DepthStage, LayersStage]


def stages(kernels: Kernels, settings: Settings, faces: bool) -> Stages:
    puller = FocusPuller(settings, TwoFaces() if faces else None)
    return DepthStage(NetDepth(GreyEngine(), kernels, settings)), LayersStage(kernels, settings, puller)


def run(both: Stages, frame: Frame) -> Layered:
    depth, layers = both
    return layers(depth(frame))


DEPTHS = {
    "steady": Settings(),
    "net-every,auto": Settings(net_every=3, depth_range="auto"),
    "no-steady,net-every": Settings(steady=False, net_every=2),
    "no-steady,auto": Settings(steady=False, depth_range="auto", smooth="both"),
}
PAIRS = (
    ("auto", "steady"), ("auto", "net-every,auto"), ("faces", "net-every,auto"), ("nearest", "no-steady,auto"),
    ("layer:2", "no-steady,net-every"), ("0.4", "steady"), ("0.55,0.45", "net-every,auto"), ("script", "steady"),
    ("script", "no-steady,auto"),
)  # fmt: skip


@pytest.mark.media
@pytest.mark.parametrize(("focus", "depth"), PAIRS)
def test_the_frames_after_a_break_are_those_of_a_run_without_one(
    focus: str, depth: str, kernels: Kernels, tmp_path: Path
) -> None:
    (tmp_path / "script.toml").write_text(SCRIPT)
    if focus == "script":
        settings = replace(DEPTHS[depth], script=read_focus_script(tmp_path / "script.toml"))
    else:
        settings = replace(DEPTHS[depth], focus=parse_focus("auto" if focus == "faces" else focus))
    through, whole = stages(kernels, settings, focus == "faces"), list[Layered]()
    for frame in frames():
        if frame.index in BREAKS:
            for number, stage in enumerate(through):
                save_state(tmp_path / f"{frame.index}.{number}", stage.state())
        whole.append(run(through, frame))
    assert [item.sensed.cut for item in whole] == [i == CUT for i in range(FRAMES)]
    for start in BREAKS:
        resumed = stages(kernels, settings, focus == "faces")
        for number, stage in enumerate(resumed):
            stage.restore(load_state(tmp_path / f"{start}.{number}"))
        for frame in frames()[start:]:
            now, then = run(resumed, frame), whole[frame.index]
            assert now.plan == then.plan
            assert now.sensed.cut == then.sensed.cut
            assert now.centres.tobytes() == then.centres.tobytes()
            assert now.sensed.inverse_depth.tobytes() == then.sensed.inverse_depth.tobytes()


@pytest.mark.media
def test_a_state_does_not_change_when_the_run_goes_on(kernels: Kernels, tmp_path: Path) -> None:
    both = stages(kernels, Settings(focus=Point(0.55, 0.45), net_every=2, depth_range="auto"), faces=False)
    for frame in frames()[:4]:
        run(both, frame)
    states = [stage.state() for stage in both]
    for when in ("now", "later"):
        for number, state in enumerate(states):
            save_state(tmp_path / f"{when}{number}", state)
        run(both, frames()[4])
    for number in (0, 1):
        assert (tmp_path / f"now{number}").read_bytes() == (tmp_path / f"later{number}").read_bytes()


def test_a_tree_comes_back_as_it_was(tmp_path: Path) -> None:
    state = {
        "big": 2**127 + 1,
        "float": 0.1 + 0.2,
        "never": -np.inf,
        "nothing": None,
        "list": [{"array": np.arange(6, dtype=np.uint16).reshape(2, 3)}, "text", True],
        "array": np.empty((0, 2), np.float32),
    }
    save_state(tmp_path / "state", state)
    back = load_state(tmp_path / "state")
    assert {key: back[key] for key in ("big", "float", "never", "nothing")} == {
        key: state[key] for key in ("big", "float", "never", "nothing")
    }
    assert back["list"][1:] == ["text", True]
    for now, then in ((back["list"][0]["array"], np.arange(6).reshape(2, 3)), (back["array"], state["array"])):
        np.testing.assert_array_equal(now, then)
    assert (back["list"][0]["array"].dtype, back["array"].dtype) == (np.uint16, np.float32)


def test_a_damaged_state_is_an_input_error_in_one_line(tmp_path: Path, rng: np.random.Generator) -> None:
    whole, damaged = tmp_path / "whole", tmp_path / "damaged"
    save_state(whole, {"noise": rng.random((20, 20)), "n": 3, "deep": [{"zeros": np.zeros(9)}]})
    content = whole.read_bytes()
    with pytest.raises(InputError, match="missing"):
        load_state(tmp_path / "missing")
    for size in rng.integers(0, len(content), 40):
        damaged.write_bytes(content[:size])
        with pytest.raises(InputError, match="damaged or incomplete"):
            load_state(damaged)
    for place in rng.integers(0, len(content), 300):
        flipped = bytearray(content)
        flipped[place] ^= 1 << int(rng.integers(8))
        damaged.write_bytes(flipped)
        with suppress(InputError):  # anything else fails; but some bits of a zip's directory say nothing
            load_state(damaged)
    np.savez(damaged.with_suffix(".npz"), tree=np.array([{}], dtype=object))
    with pytest.raises(InputError, match="damaged or incomplete"):
        load_state(damaged.with_suffix(".npz"))


@pytest.mark.parametrize("text", ["auto", "nearest", "layer:3", "0.1", "0.30000000000000004,0.7"])
def test_a_target_is_written_as_it_is_read(text: str) -> None:
    target = read_target(text)
    assert target is not None
    assert read_target(write_target(target)) == target
    assert write_target(target) == text


def test_numbers_of_numpy_are_written_as_plain_ones() -> None:
    assert write_target(Fixed(np.float64(0.25))) == "0.25"
    assert write_target(LayerNumber(2)) == "layer:2"
