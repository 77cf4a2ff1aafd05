"""What the server says on stderr of requests that failed: a line about a fault of ours, nothing about theirs."""

from __future__ import annotations

import logging
import sys

from aiohttp.http_exceptions import HttpProcessingError

# What is no HTTP has had its answer (400), and of a connection that broke there is nobody left to tell.
_THEIRS = (HttpProcessingError, ConnectionError)


def fault_logger() -> logging.Logger:
    """For aiohttp, whose own prints a traceback of every bad request that a port scanner sends."""
    logger = logging.Logger("pullfocus.web", logging.WARNING)
    logger.addHandler(_OneLine())
    return logger


class _OneLine(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, _THEIRS):
            return
        reason = "" if error is None else f": {type(error).__name__}: {error}"
        print(f"pullfocus: the page: {' '.join((record.getMessage() + reason).split())}", file=sys.stderr, flush=True)
