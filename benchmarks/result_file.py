"""What all result files have in common: each is one JSON object."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

from ..kernels.errors import InputError


def read_object(path: Path, expected: str) -> dict[str, Any]:
    """The object that a file holds. expected: the end of the line that says why it cannot be read.

    Raises InputError where the file cannot be read, is not JSON, or holds anything else.
    """
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path}: cannot read it ({error.strerror}); {expected}") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: not JSON ({error}); {expected}") from error
    if not isinstance(facts, dict):
        raise InputError(f"{path}: not a JSON object; {expected}")
    return cast(dict[str, Any], facts)
