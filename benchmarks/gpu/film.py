"""A film through `pullfocus video`: how fast, and which stage holds it up."""

from __future__ import annotations

from fractions import Fraction
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from ...engines.build import DeviceChoice, EngineRequest
from ...kernels.errors import EngineError
from .inputs import pictures
from .rows import APERTURE, LAYERS, Bench
from .timing import Measured

RATE = Fraction(30)


def film(bench: Bench) -> Measured:
    """A drawn film, decoded, refocused and encoded again. Raises EngineError where PyAV is missing."""
    for package in ("av", "platformdirs"):
        if find_spec(package) is None:
            raise EngineError(f"{package} is not installed; run: pip install pullfocus")
    from ...stream.options import settings_from
    from ...stream.video_job import refocus_video

    device: DeviceChoice = "cuda" if bench.card.device == "cuda" else "cpu"
    engine = EngineRequest(device=device, quality="fine")
    settings = settings_from(layers=LAYERS, aperture=APERTURE, engine=engine)
    size_hw = bench.sizes.hd
    with TemporaryDirectory(prefix="pullfocus-gpu-") as folder:
        clip = _drawn(Path(folder) / "clip.mp4", size_hw, bench.lengths.frames)
        report = refocus_video(str(clip), Path(folder) / "out.mp4", settings)
    frame_ms = 1e3 / report.fps
    share = report.stages[report.bottleneck].p50_ms / frame_ms
    stages = ", ".join(f"{name} {spread.p50_ms:.2f}" for name, spread in report.stages.items())
    limit = f"{report.bottleneck} holds it up: busy for {share:.0%} of a frame's time; medians in ms: {stages}"
    notes = limit, *report.notes
    return Measured(
        np.array([frame_ms]), f"{size_hw[1]}x{size_hw[0]}", report.engine, wall_ms=frame_ms, notes=notes
    )  # fmt: skip


def _drawn(path: Path, size_hw: tuple[int, int], frames: int) -> Path:
    """A film of so many frames as a camera would store it: H.264, 4:2:0."""
    import av
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", rate=RATE, options={"preset": "ultrafast", "crf": "20"})
        assert isinstance(stream, VideoStream)
        stream.codec_context.height, stream.codec_context.width = size_hw
        stream.codec_context.pix_fmt = "yuv420p"
        drawn = pictures(size_hw, min(frames, 60))
        for index in range(frames):
            there_and_back = index % (2 * len(drawn))
            frame = VideoFrame.from_ndarray(drawn[min(there_and_back, 2 * len(drawn) - 1 - there_and_back)], "rgb24")
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return path
