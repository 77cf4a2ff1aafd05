"""The commands of training: the command line finds these functions as entry points.

Nothing heavy is imported here: the base install lists the commands without torch.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..engines.build import Runtime
from ..engines.checkpoint import MODELS
from ..engines.finding import require
from ..kernels.api import Quality
from ..kernels.errors import InputError

DATA_NEEDS = ("pandas", "h5py", "scipy")
NET_NEEDS = ("torch", "torchvision")

Data = Annotated[list[Path], typer.Argument(metavar="DATA...", help="sets: a csv, a .mat file or a folder of pairs")]
Out = Annotated[Path, typer.Option("--out", "-o", metavar="RUN", help="folder of the run")]


def train(
    data: Data,
    out: Out,
    recipe: Annotated[str, typer.Option(help="recipe (best, report) or a .toml file")] = "best",
    change: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="change the recipe; repeatable")
    ] = None,
    encoder_weights: Annotated[
        Path | None, typer.Option(metavar="FILE", help="ImageNet weights of the encoder (safetensors)")
    ] = None,
    start: Annotated[Path | None, typer.Option(metavar="FILE", help="go on from this finished net")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="go on with the interrupted run in RUN")] = False,
) -> None:
    """Train a depth net on RGB-D pictures."""
    _need("pullfocus train", *NET_NEEDS, *DATA_NEEDS, "pydantic", "matplotlib")
    from .train import TrainingRequest, run_training

    if resume and (change or encoder_weights or start):
        raise InputError("--resume goes on with the run's own config; leave --set, --encoder-weights and --start out")
    request = TrainingRequest(tuple(data), out, recipe, tuple(change or ()), encoder_weights, start, resume)
    run_training(request)


def evaluate(
    data: Data,
    model: Annotated[str, typer.Option(metavar=MODELS, help="shipped net, or a weight file")] = "resnet18",
    quality: Annotated[Quality, typer.Option(help="fast: short side 192 px; fine: 256 px")] = "fast",
    engine: Annotated[Runtime, typer.Option(help="torch: float32; openvino: as on a CPU in use, maybe int8")] = "torch",
    video: Annotated[bool, typer.Option("--video", help="neighbouring pictures are frames: also flicker")] = False,
    validation: Annotated[
        bool, typer.Option("--validation", help="of training sets: only what training does not see, by source")
    ] = False,
    sweep: Annotated[
        bool, typer.Option("--sweep", help="also with wrong exposure, noise, blur and JPEG of several strengths")
    ] = False,
    output: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="write the figures here")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="replace an existing file")] = False,
) -> None:
    """Score a depth net on RGB-D pictures."""
    _need("pullfocus evaluate", *NET_NEEDS, *DATA_NEEDS)
    from .evaluate import EvaluationRequest, run_evaluation

    run_evaluation(EvaluationRequest(tuple(data), model, quality, engine, video, validation, sweep, output, overwrite))


def quantize(
    data: Data,
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help="weight file to write (.safetensors)")],
    model: Annotated[str, typer.Option(metavar="PATH", help="weight file of the net")],
    pictures: Annotated[int, typer.Option(min=1, help="how many training pictures to measure on")] = 300,
    seed: Annotated[int, typer.Option(min=0, help="chooses the pictures")] = 0,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="replace an existing file")] = False,
) -> None:
    """Make a depth net ready for int8: half the file, and faster on a CPU with AVX2 or better."""
    _need("pullfocus quantize", *NET_NEEDS, *DATA_NEEDS, "nncf")
    from .quantize import run_quantize

    run_quantize(model, data, out, pictures, seed, overwrite)


def figure(
    picture: Annotated[Path, typer.Argument(metavar="PICTURE", help="any picture")],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FOLDER", help="where the figures go")],
    models: Annotated[list[str] | None, typer.Option("--model", metavar=MODELS, help="net to show; repeatable")] = None,
    truth: Annotated[
        Path | None, typer.Option(metavar="FILE", help="measured depth: 16-bit PNG in mm, 0 = none")
    ] = None,
    layers: Annotated[int, typer.Option(metavar="K", help="number of depth layers, 2 to 16")] = 5,
    focus: Annotated[int, typer.Option(metavar="N", help="the sharp layer, 1 = nearest")] = 1,
    aperture: Annotated[float, typer.Option(help="as in `pullfocus image`")] = 7.0,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="replace existing files")] = False,
) -> None:
    """Draw the eight figures of the student report for a picture."""
    _need("pullfocus figure", *NET_NEEDS, "matplotlib")
    from .figure import FigureRequest, run_figures

    names = tuple(models or ("resnet18",))
    run_figures(FigureRequest(picture, out, names, truth, layers, focus, aperture, overwrite))


def analyse(
    data: Data,
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FOLDER", help="where figures and numbers go")],
    model: Annotated[str, typer.Option(metavar=MODELS, help="shipped net, or a weight file")] = "resnet18",
    validation: Annotated[
        bool, typer.Option("--validation", help="of training sets: only what training does not see")
    ] = False,
    pictures: Annotated[int, typer.Option(min=3, help="at most so many, evenly out of all")] = 100,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="replace existing files")] = False,
) -> None:
    """Measure the method on pictures of known depth: number of layers, smoothing, occlusion, failures."""
    _need("pullfocus analyse", *NET_NEEDS, *DATA_NEEDS, "matplotlib")
    from .analyse import AnalysisRequest, run_analysis

    run_analysis(AnalysisRequest(tuple(data), out, model, validation, pictures, overwrite))


def dataset(
    data: Data,
    thorough: Annotated[bool, typer.Option("--thorough", help="also decode every file")] = False,
) -> None:
    """Check RGB-D sets, and say what is in them."""
    _need("pullfocus dataset", *DATA_NEEDS)
    from .summary import run_summary

    run_summary(data, thorough)


def _need(command: str, *packages: str) -> None:
    for package in packages:
        require(package, "train", command)
