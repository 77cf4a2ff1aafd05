"""A row's own process, so that its peak of memory is its own and no row warms up another.

python -P -m pullfocus.benchmarks.latency.child OUT.json < REQUEST.json
"""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ...kernels.errors import PullfocusError
from ...stream.bench_job import run_bench
from ...stream.process import settle_in
from .machine_state import Reading
from .request import RowRequest
from .row import row_of

FAILED = 2  # exit code; the one line is in OUT


def measure(request: RowRequest) -> dict[str, Any]:
    """The facts of a row. Raises PullfocusError."""
    before = Reading.now()
    run = run_bench(request.live_request(), request.settings())
    conditions = before.until(Reading.now())
    return row_of(run, request.facts(), request.warm_up, conditions).facts()


def main() -> int:
    """As `answer_question`."""
    settle_in()
    return answer_question(lambda facts: measure(RowRequest.of_facts(facts)))


def answer_question(do: Callable[[Any], Any]) -> int:
    """Answer the JSON on stdin into the file that is named first, as JSON.

    Exit code 0, or FAILED with what to tell the user as `error`.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that started this one, which ends it
    try:
        answer, code = do(json.load(sys.stdin)), 0
    except PullfocusError as error:
        answer, code = {"error": str(error)}, FAILED
    Path(sys.argv[1]).write_text(json.dumps(answer), encoding="utf-8")
    return code


if __name__ == "__main__":
    sys.exit(main())
