"""The progress bar of a file job."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text


class _Rate(ProgressColumn):
    def __init__(self, unit: str) -> None:
        super().__init__()
        self._unit = unit

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed or task.finished_speed or 0.0:.1f} {self._unit}", style="progress.data.speed")


@contextmanager
def progress(name: str, total: int | None, unit: str = "fps") -> Generator[Callable[[int], None]]:
    """A function to call with the number of frames done; drawn on stderr, with fps (or another unit) and time left."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), _Rate(unit), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(name, total=total)

        def on_frame(done: int) -> None:
            bar.update(task, completed=done)

        yield on_frame
