"""Walk every real and broken clip through the real command: kept whole, or refused in one line."""

from __future__ import annotations

import os
from pathlib import Path

import av
import numpy as np
import pytest
from pullfocus.stream.films import film_target

from .command import run
from .media_list import KEPT, REFUSED, rows
from .probe import Probe, decode_all, probe

MEDIA = Path(__file__).resolve().parents[2] / "shared" / "media"
FOLDERS = ("a_talking_head", "b_people_hands", "d_outdoor", "f_codec_robustness")
TIMEOUT_S = 120
LONG = 60  # frames; blur takes half of the time, and shows what it can on the shorter clips

RGB_SOURCES = (".gif",)


def clips() -> list[Path]:
    if not MEDIA.is_dir():
        return []
    return sorted(p for folder in FOLDERS for p in (MEDIA / folder).rglob("*") if p.is_file())


def require_media() -> None:
    if not MEDIA.is_dir():
        if os.environ.get("PULLFOCUS_REQUIRE_SHARED") == "1":
            pytest.fail(f"{MEDIA} is missing, and PULLFOCUS_REQUIRE_SHARED=1 asks for it")
        pytest.skip(f"the clips to walk are not here ({MEDIA})")


def test_the_media_folder_is_here_and_whole() -> None:
    require_media()
    names = {clip.name for clip in clips()}
    assert names == KEPT.keys() | REFUSED.keys()


@pytest.mark.media
@pytest.mark.parametrize("clip", clips(), ids=lambda p: p.name)
def test_a_clip_is_kept_whole_or_refused_in_one_line(clip: Path, tmp_path: Path) -> None:
    target = film_target(str(clip), tmp_path)
    is_long = clip.name in KEPT and KEPT[clip.name].frames > LONG
    look = ("--engine", "plane", *(("--aperture", "0") if is_long else ()))
    result = run("video", *look, "-o", tmp_path, "--", clip, timeout_s=TIMEOUT_S)
    assert "Traceback" not in result.stderr
    if clip.name in REFUSED:
        assert result.returncode == 2, result.stderr
        assert REFUSED[clip.name] in result.stderr
        assert result.stderr.count("\n") == 1
        assert list(tmp_path.iterdir()) == []
        return
    assert result.returncode == 0, result.stderr
    assert list(tmp_path.iterdir()) == [target]
    kept, source, written = KEPT[clip.name], probe(clip), probe(target)
    assert len(written.times_s) == kept.frames
    assert beside(target) == kept.beside
    assert kept.said in result.stderr
    assert_same_stream(source, written, is_rgb=clip.suffix in RGB_SOURCES)


def beside(path: Path) -> str:
    """What a file holds beside its film."""
    with av.open(f"file:{path}") as container:
        streams = list(container.streams)[1:]  # the film is written first
        return ", ".join(s.codec_context.name if s.type == "audio" else s.type for s in streams)


def test_the_table_of_clips_is_the_list() -> None:
    text = (Path(__file__).resolve().parents[1] / "docs" / "files.md").read_text(encoding="utf-8")
    table = text.partition("held by tests/test_media.py -->\n")[2].strip().splitlines()
    assert table[2:] == rows()


def assert_same_stream(source: Probe, result: Probe, is_rgb: bool) -> None:
    assert len(result.times_s) == len(source.times_s)
    # Matroska counts whole milliseconds.
    np.testing.assert_allclose(result.times_s, source.times_s, atol=0.0011)
    assert abs(result.end_s - source.end_s) <= 1 / source.rate + 0.002
    assert result.size_wh == source.size_wh
    assert result.matrix == source.matrix
    assert result.sample_aspect == source.sample_aspect
    assert result.sound == source.sound
    if not is_rgb:
        assert result.tags == source.tags
        assert result.full_range == source.full_range


UNTOUCHED = (
    "androidx__bt601.mov",
    "intel-iot-devkit__bird.mkv",
    "androidx__sample_gamma2.2.mp4",
    "androidx__sample_rotate_and_reflect.mp4",
    "mjpeg_yuvj422p.avi",
    "odd_641x359_h264_444.mp4",
    "odd_641x359_vp9.webm",
    "rotate90_aac.mp4",
    "vfr.mp4",
    "gray.mp4",
)


@pytest.mark.media
@pytest.mark.parametrize("name", UNTOUCHED)
def test_with_the_aperture_closed_the_pictures_come_out_as_they_went_in(name: str, tmp_path: Path) -> None:
    """Same colours, same way up, same order: only the encoder's loss is left."""
    require_media()
    clip = next(c for c in clips() if c.name == name)
    target = film_target(str(clip), tmp_path)
    assert (
        run("video", clip, "-o", tmp_path, "--engine", "plane", "--aperture", "0", timeout_s=TIMEOUT_S).returncode == 0
    )
    before, after = decode_all(clip), decode_all(target)
    for index in (0, len(before) // 2, len(before) - 1):
        a, b = (f[index].reformat(format="yuv444p").to_ndarray().astype(np.float64) for f in (before, after))
        assert 10 * np.log10(255**2 / np.mean((a - b) ** 2)) > 34.0
        assert np.abs((a - b).mean(axis=(1, 2))).max() < 1.0
