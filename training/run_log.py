"""What a run leaves to look at: `epochs.csv`, its curves, and a progress bar."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from torch import Tensor

from ..engines.atomic import write_text, written_aside

EPOCHS, CURVES = "epochs.csv", "curves.png"
SHOWN_EVERY = 10  # steps; reading the loss waits for the device
PANELS = {"loss": "loss", "mse": "MSE (depth / 10 m)", "psnr_db": "PSNR (dB)", "delta1": "δ1"}


class RunLog:
    """One row an epoch: epoch, step, train_… means of the loss terms, validation_… figures."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._rows: list[dict[str, float]] = []

    def keep_until(self, step: int) -> None:
        """Take up the log of a run that is resumed after `step`."""
        path = self._folder / EPOCHS
        self._rows = [row for row in read_log(path) if row["step"] <= step] if path.is_file() else []

    def add(self, epoch: int, step: int, figures: dict[str, float]) -> None:
        """Append a row; the csv and the plot are written anew, each whole or not at all."""
        self._rows.append({"epoch": epoch, "step": step, **figures})
        table = io.StringIO()
        writer = csv.DictWriter(table, list(self._rows[-1]), lineterminator="\n")
        writer.writeheader()
        writer.writerows({k: f"{v:.6g}" for k, v in row.items()} for row in self._rows)
        write_text(self._folder / EPOCHS, table.getvalue())
        plot_curves(self._rows, self._folder / CURVES)


def read_log(path: Path) -> list[dict[str, float]]:
    """The rows of an `epochs.csv`."""
    with path.open(newline="", encoding="utf-8") as file:
        return [{key: float(value) for key, value in row.items()} for row in csv.DictReader(file)]


def plot_curves(rows: Sequence[dict[str, float]], path: Path) -> None:
    """Loss, MSE, PSNR and δ1 against epoch, as PNG."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 7), layout="constrained")
    for axes, (key, title) in zip(figure.subplots(2, 2).flat, PANELS.items()):
        columns = {"validation": f"validation_{key}"} | ({"train": "train_total"} if key == "loss" else {})
        for part, column in columns.items():
            points = [(row["epoch"], row[column]) for row in rows if column in row]
            if points:
                axes.plot(*zip(*points), marker="o", markersize=3, label=part)
        axes.set(title=title, xlabel="epoch")
        axes.grid(alpha=0.3)
        if axes.has_data():
            axes.legend()
    with written_aside(path) as aside:
        figure.savefig(aside, dpi=120)


@contextmanager
def training_progress(total: int, done: int, shown: bool) -> Generator[Callable[[int, Tensor], None]]:
    """A function to call after each step with its number and loss; draws on stderr."""
    columns = (TextColumn("loss {task.fields[loss]}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not (shown and console.is_terminal)) as bar:
        task = bar.add_task("train", total=total, completed=done, loss="–")

        def on_step(step: int, loss: Tensor) -> None:
            if shown and step % SHOWN_EVERY == 0:
                bar.update(task, completed=step, loss=f"{float(loss):.3f}")

        yield on_step
