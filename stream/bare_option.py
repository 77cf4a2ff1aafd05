"""Options that may stand alone, which typer cannot."""

from __future__ import annotations

import re


def filled_in(arguments: list[str], option: str, value: re.Pattern[str], default: str) -> list[str]:
    """The arguments with `default` after each `option` that no `value` follows."""
    full = list[str]()
    for argument, after in zip(arguments, [*arguments[1:], ""]):
        full.append(argument)
        if argument == option and not value.fullmatch(after):
            full.append(default)
    return full
