"""Write a focus script."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def write(folder: Path, *pulls: dict[str, Any], ending: str = ".json") -> Path:
    path = folder / f"script{ending}"
    if ending == ".json":
        path.write_text(json.dumps({"pull": pulls}), encoding="utf-8")
    else:
        lines = [f"{key} = {json.dumps(value)}" for pull in pulls for key, value in ({"": None} | pull).items()]
        path.write_text("\n".join("[[pull]]" if line.startswith(" =") else line for line in lines), encoding="utf-8")
    return path
