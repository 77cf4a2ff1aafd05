"""Frames in time: sources, stages, sinks, the pipeline that joins them, and the command line.

For frames in memory: `Refocuser` and `refocus`. Importing this loads no video library and no runtime of a net.
"""

from ..engines.build import EngineRequest
from .api import Refocuser, refocus
from .config import Settings

__all__ = ["EngineRequest", "Refocuser", "Settings", "refocus"]
