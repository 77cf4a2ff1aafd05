"""MediaPipe's selfie segmentation and blur, in an environment of its own.

That package brings another build of OpenCV and an older NumPy than ours. What is done is MediaPipe's documented
example: the frame where the mask is above 0.1, elsewhere a copy blurred by a Gaussian of 55 × 55.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from ...kernels.api import InverseDepth, Picture
from .api import SHARP_PX, Means, MissingPeerError, Shot
from .streamed import FrameProgram, InProgram

PACKAGE = "mediapipe==0.10.14"  # of the last versions that carry this model and the documented way to call it
OWN_MASK, GIVEN_MASK = b"\x00", b"\x01"
INSTALL_LIMIT_S = 900.0


class Selfie(InProgram):
    """Sees the person itself, or is handed what is in focus as the mask of one that never errs."""

    sees, takes = "person", "mask"
    delay_frames = 0

    def __init__(self, means: Means) -> None:
        self._means = means

    def prepare(self, shot: Shot) -> None:
        self.close()
        self._shot = shot
        height, width = shot.size_hw
        script = Path(__file__).with_name("selfie_program.py")
        command = [str(environment(self._means)), "-P", str(script), str(width), str(height)]
        self._program = FrameProgram(command, shot.size_hw)

    def render(self, picture: Picture, inverse_depth: InverseDepth | None) -> Picture:
        assert self._program is not None
        if inverse_depth is None:
            self._program.put(OWN_MASK + picture.tobytes())
        else:
            mask = (self._shot.radius_px(inverse_depth) <= SHARP_PX).astype(np.uint8)
            self._program.put(GIVEN_MASK + picture.tobytes() + mask.tobytes())
        return self._program.take()


def environment(means: Means) -> Path:
    """The Python that has MediaPipe, made if need be. Raises MissingPeerError."""
    folder = means.cache / "mediapipe"
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    if (folder / "complete").is_file():
        return python
    if not means.download:
        raise MissingPeerError(f"{PACKAGE} is not in {folder}, and nothing was to be downloaded")
    print(f"installing {PACKAGE} into {folder}", file=sys.stderr)
    _run([sys.executable, "-m", "venv", "--clear", str(folder)], "cannot make an environment")
    _run([str(python), "-m", "pip", "install", "--quiet", PACKAGE], f"pip cannot install {PACKAGE}")
    (folder / "complete").touch()
    return python


def _run(command: list[str], failure: str) -> None:
    with tempfile.TemporaryFile() as said:
        try:
            code = subprocess.run(command, stdout=said, stderr=said, timeout=INSTALL_LIMIT_S, check=False).returncode  # noqa: S603
        except subprocess.TimeoutExpired:
            raise MissingPeerError(f"{failure}: it took over {INSTALL_LIMIT_S:.0f} s") from None
        said.seek(0)
        lines = said.read().decode(errors="replace").strip().splitlines()
    if code:
        raise MissingPeerError(f"{failure}: {lines[-1] if lines else f'exit code {code}'}")
