"""Train many short nets that differ in one thing each, and table what it is worth.

`python -m pullfocus.training.study STUDY.toml DATA... --weights resnet18=FILE -o FOLDER --json TABLE.json`.
Rows that TABLE.json holds are not trained again, so a study may be stopped and started as one likes, and several
processes may write one table, each with `--seed` of its own.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path
from time import perf_counter, process_time
from typing import Annotated

import cv2
import torch
import typer
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from rich.console import Console

from ..engines.atomic import make_folder
from ..engines.interrupts import StoppedError
from ..engines.network import DepthNet
from ..kernels.errors import InputError
from .config import Config, read_recipe
from .data import Sample, evenly, open_labelled, split_validation
from .evaluate import validation_groups
from .initial import load_encoder
from .predict import Manner, predictor
from .process import Process
from .scoring import score
from .tool import run_tool
from .trainer import STATE, Trainer
from .trials import Trial, Trials, for_terminal
from .variants import VariantNet

PROBE_STEPS = 8  # how many steps tell what a step costs
PROBES = 2  # of each row; the least counts, for what other work on the machine adds is noise
SAME_COST = 0.1  # a difference of cost that may be noise


class Study(BaseModel):
    """A file of training/studies: `rows` gives each row's changes to `recipe` with the changes of `base`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    recipe: str
    steps: Annotated[int, Field(ge=1)]
    seeds: Annotated[int, Field(ge=1)]
    base: list[str]
    rows: Annotated[dict[str, list[str]], Field(min_length=1)]

    def config(self, row: str, seed: int, steps: int) -> Config:
        """What a row trains. Raises InputError."""
        return read_recipe(self.recipe, [*self.base, *self.rows[row], f"seed={seed}", f"steps_per_epoch={steps}"])

    @property
    def plain(self) -> str:
        """The row that the others are compared with."""
        return next(iter(self.rows))


def read_study(path: Path) -> Study:
    """Read a study, and check every row's config. Raises InputError."""
    try:
        study = Study.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, tomllib.TOMLDecodeError, ValidationError) as error:
        fault = str(error).splitlines()[0]
        raise InputError(f"cannot read {path}: {fault}; expected a study such as ablation.toml") from error
    for row in study.rows:
        study.config(row, 0, study.steps)
    return study


class Lab:
    """Trains the rows of a study on the same pictures."""

    def __init__(self, study: Study, samples: Sequence[Sample], weights: dict[str, Path], out: Path) -> None:
        self._study, self._weights, self._out = study, weights, out
        self._training, _ = split_validation(samples)
        self._groups = validation_groups(samples)
        self._process = Process(0, 1, torch.device("cuda" if torch.cuda.is_available() else "cpu"))
        # Other work on a shared CPU must not count; a GPU's time is not in the processor's.
        self._clock = perf_counter if self._process.device.type == "cuda" else process_time

    def trial(self, row: str, seed: int) -> Trial:
        """Train and score one net. Raises CheckpointError, OutputError, and InputError for missing weights."""
        steps = self._steps(row, seed)
        config = self._study.config(row, seed, steps)
        start_s = self._clock()
        net = self._trained(config, f"{_slug(row)}-{seed}")
        train_s = self._clock() - start_s
        manner = Manner(config.net.output)
        scores = {source: score(predictor(net, manner), samples) for source, samples in self._groups.items()}
        return Trial(row, seed, steps, round(train_s, 1), {source: s.as_json() for source, s in scores.items()})

    def _steps(self, row: str, seed: int) -> int:
        """As many steps as take the time of the base's, and never more: none gains from a noisy measurement."""
        study = self._study
        if row == study.plain:
            return study.steps
        # In turn: the machine may be slower a minute later.
        base_s, row_s = (
            min(costs)
            for costs in zip(*((self._cost_s(study.plain, seed), self._cost_s(row, seed)) for _ in range(PROBES)))
        )
        return study.steps if row_s < base_s * (1.0 + SAME_COST) else round(study.steps * base_s / row_s)

    def _cost_s(self, row: str, seed: int) -> float:
        start_s = self._clock()
        self._trained(self._study.config(row, seed, PROBE_STEPS), f"probe-{seed}")
        return self._clock() - start_s

    def _trained(self, config: Config, name: str) -> DepthNet:
        torch.manual_seed(config.seed)
        net = VariantNet(config.net)
        load_encoder(net, self._weights_of(config.net.encoder))
        training = evenly(self._training, config.part_of(len(self._training)))
        folder = self._out / name
        make_folder(folder)
        trainer = Trainer(config, net, training, [], folder, self._process)
        try:
            trainer.run()
        finally:
            (folder / STATE).unlink(missing_ok=True)  # large, and nobody goes on with it
        return trainer.trained

    def _weights_of(self, encoder: str) -> Path:
        if encoder not in self._weights:
            raise InputError(f"--weights: got none for {encoder}; expected {encoder}=FILE")
        return self._weights[encoder]


def _slug(row: str) -> str:
    return "".join(letter if letter.isalnum() else "_" for letter in row.lower())


def main(
    study_file: Annotated[Path, typer.Argument(metavar="STUDY", help="a file such as training/studies/ablation.toml")],
    data: Annotated[list[Path], typer.Argument(metavar="DATA...", help="training sets")],
    weights: Annotated[list[str], typer.Option(metavar="ENCODER=FILE", help="ImageNet weights; repeatable")],
    out: Annotated[Path, typer.Option("--out", "-o", help="folder for the nets")],
    output: Annotated[Path, typer.Option("--json", metavar="FILE", help="table to write, or to go on with")],
    only: Annotated[list[str] | None, typer.Option("--row", help="only this row; repeatable")] = None,
    seeds: Annotated[list[int] | None, typer.Option("--seed", help="only this seed; repeatable")] = None,
) -> None:
    """Train and score every row of a study, seed after seed."""
    study = read_study(study_file)
    unknown = set(only or ()) - study.rows.keys()
    if unknown:
        raise InputError(f"--row: got {min(unknown)}; expected one of {', '.join(study.rows)}")
    beyond = [seed for seed in seeds or () if not 0 <= seed < study.seeds]
    if beyond:
        raise InputError(f"--seed: got {beyond[0]}; expected 0 to {study.seeds - 1}")
    table_so_far(study, output)
    samples = open_labelled(data)
    cv2.setNumThreads(1)  # the loader's threads already share the cores with torch
    lab = Lab(study, samples, dict(_assignment(text) for text in weights), out)
    try:
        for seed, row in product(seeds or range(study.seeds), only or study.rows):
            if table_so_far(study, output).has(row, seed):
                continue
            trial = lab.trial(row, seed)
            # Read again: another process may have written meanwhile.
            table_so_far(study, output).with_one_more(trial).write(output)
            print(f"{row}, seed {seed}: {trial.steps} steps, {trial.train_s:.0f} s", flush=True)
    except (KeyboardInterrupt, StoppedError) as stop:
        raise StoppedError("stopped; finished rows are kept, and the same command goes on with the next") from stop
    Console().print(for_terminal(table_so_far(study, output)))


def table_so_far(study: Study, path: Path) -> Trials:
    """What a table holds so far, under the study as it is now; none when there is no such file. Raises InputError."""
    before = Trials.read(path) if path.exists() else Trials({}, [], [])
    return replace(before, study=study.model_dump())


def _assignment(text: str) -> tuple[str, Path]:
    name, equals, path = text.partition("=")
    if not equals:
        raise InputError(f"--weights {text}: expected ENCODER=FILE, such as resnet18=resnet18.safetensors")
    return name, Path(path)


if __name__ == "__main__":
    run_tool(main)
