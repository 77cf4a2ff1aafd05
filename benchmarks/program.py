"""How a benchmark starts the program as its user does, in a process of its own."""

from __future__ import annotations

import sys

# The console script's own lines, which need no script folder; -P: the folder at hand must not shadow packages.
PULLFOCUS = (sys.executable, "-P", "-c", "from pullfocus.entry import main; main()")
