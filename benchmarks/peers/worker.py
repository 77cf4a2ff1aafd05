"""One peer in a process of its own: `python -m pullfocus.benchmarks.peers.worker`, a `Job` as JSON on its input."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from ...kernels.api import Picture
from ...training.tool import write_picture
from .api import Means, MissingPeerError, Peer
from .drawn import read_truths
from .measure import cost, flicker, truth_scores
from .stored import Clip

# Name → module and what makes it. A module is only loaded in its own peer's process: its memory is measured.
PEERS: dict[str, tuple[str, str]] = {
    "ours, fast": ("ours", "fast"),
    "ours, fine": ("ours", "fine"),
    "student report": ("plain", "Report"),
    "focal-blur plug-in": ("plug_in", "PlugIn"),
    "MediaPipe selfie": ("selfie", "Selfie"),
    "ffmpeg varblur": ("ffmpeg", "with_varblur"),
    "ffmpeg layers": ("ffmpeg", "with_layers"),
    "one Gaussian copy": ("plain", "OneBlur"),
    "gather": ("plain", "Gather"),
    "untouched": ("plain", "Untouched"),
}
JPEG_QUALITY = 92


@dataclass(frozen=True, slots=True)
class Job:
    """What to measure. work: the folder with `clips/`, `still/` and `truths/`. pictures: where to keep some, or ""."""

    peer: str
    work: str
    pictures: str
    budget_s: float
    cache: str
    tcmonodepth: str
    download: bool


def run_apart(job: Job) -> dict[str, Any]:
    """The figures of a peer, measured in a process of its own, or {"missing": reason}."""
    command = [sys.executable, "-m", "pullfocus.benchmarks.peers.worker"]
    done = subprocess.run(command, input=json.dumps(asdict(job)), stdout=subprocess.PIPE, text=True, check=False)  # noqa: S603
    if done.returncode:
        return {"missing": f"it failed with exit code {done.returncode}"}
    return json.loads(done.stdout.splitlines()[-1])


def measured(job: Job) -> dict[str, Any]:
    """All figures of the peer: memory is read after the clips, before the drawn scenes."""
    tcmonodepth = Path(job.tcmonodepth) if job.tcmonodepth else None
    module, name = PEERS[job.peer]
    make: Callable[[Means], Peer] = getattr(import_module(f".{module}", __package__), name)
    try:
        peer = make(Means(Path(job.cache), tcmonodepth, job.download))
        try:
            return _figures(peer, job)
        finally:
            peer.close()
    except MissingPeerError as error:
        return {"missing": str(error)}


def _figures(peer: Peer, job: Job) -> dict[str, Any]:
    work, clips = Path(job.work), dict[str, Any]()
    for folder in sorted((work / "clips").iterdir()):
        clip = Clip.read(folder)
        whole, blur = None, None
        if peer.takes == "depth":  # first: the peak of memory only grows
            blur, picture = cost(peer, clip, True, job.budget_s)
            _keep(job, clip, picture)
        if peer.sees:
            whole, picture = cost(peer, clip, False, job.budget_s)
            _keep(job, clip, picture)
        clips[clip.name] = {key: asdict(each) if each else None for key, each in (("whole", whole), ("blur", blur))}
    return {
        "sees": peer.sees,
        "takes": peer.takes,
        "delay_frames": peer.delay_frames,
        "clips": clips,
        "truth": truth_scores(peer, read_truths(work / "truths")),
        "flicker": flicker(peer, Clip.read(work / "still"), hand_in=not peer.sees),
    }


def _keep(job: Job, clip: Clip, picture: Picture) -> None:
    if job.pictures:
        path = Path(job.pictures) / f"{clip.name}_{job.peer.replace(',', '').replace(' ', '_')}.jpg"
        write_picture(path, np.ascontiguousarray(picture[..., ::-1]), cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY)


if __name__ == "__main__":
    print(json.dumps(measured(Job(**json.load(sys.stdin)))))
