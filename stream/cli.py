"""The command line: every expected failure is one line on stderr and exit code 2."""

from __future__ import annotations

import sys
from importlib.metadata import entry_points
from importlib.metadata import version as package_version
from typing import Annotated

import typer
from typer.exceptions import TyperException

from ..engines.api import complain
from ..engines.interrupts import StoppedError, listen
from ..kernels.errors import PullfocusError, paths_refused_in_words
from . import commands, engine_commands
from .batch_command import BatchCommand, batch
from .live_command import LiveCommand
from .process import settle_in

USER_ERROR, INTERRUPTED = 2, 130

app = typer.Typer(
    help="Real-time video refocus: one depth layer stays sharp, the rest melts away as through a fast lens.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


def main() -> None:
    """The console script."""
    sys.exit(run_cli(sys.argv[1:]))


def run_cli(arguments: list[str]) -> int:
    """Run a command line; every expected failure is one line on stderr and exit code 2."""
    listen()
    settle_in()
    try:
        with paths_refused_in_words():
            code = app(arguments, standalone_mode=False)
        if code == INTERRUPTED:
            raise KeyboardInterrupt
        return code if isinstance(code, int) else 0
    except TyperException as error:
        if message := _usage_message(error).rstrip("."):  # without arguments the help has said it all
            complain(f"{message}. Try --help.")
    except PullfocusError as error:
        complain(str(error))
    except StoppedError as stop:
        complain(str(stop))
        return INTERRUPTED
    except KeyboardInterrupt:
        print("pullfocus: interrupted; nothing half-finished is left behind", file=sys.stderr)
        return INTERRUPTED
    return USER_ERROR


def _usage_message(error: TyperException) -> str:
    # Usage errors know the option they are about and say so in `format_message` only.
    return str(getattr(error, "format_message", error.__str__)())


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"pullfocus {package_version('pullfocus')}")
        raise typer.Exit


@app.callback()
def _common(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="print the version")
    ] = False,
) -> None:
    pass


for command in (commands.video, commands.image, commands.depth):
    app.command()(command)
app.command(cls=BatchCommand)(batch)
app.command(cls=LiveCommand)(commands.live)
for command in (commands.cameras, commands.doctor):
    app.command()(command)
app.add_typer(engine_commands.app, name="engine")
for entry in sorted(entry_points(group="pullfocus.commands"), key=lambda entry: entry.name):
    found = entry.load()
    if isinstance(found, typer.Typer):  # a command with commands of its own
        app.add_typer(found, name=entry.name)
    else:
        app.command(entry.name)(found)


if __name__ == "__main__":
    main()
