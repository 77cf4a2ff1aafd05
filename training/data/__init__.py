"""Training data on disk, one file per layout; `open_set` picks the reader by what lies at a path."""

from .check import check
from .layouts import open_labelled, open_set
from .pictures import read_rgb
from .sample import DataError, DepthKind, Pair, Sample, Split, Stored
from .sampling import evenly, sampling_weights
from .split import split_validation

__all__ = [
    "DataError",
    "DepthKind",
    "Pair",
    "Sample",
    "Split",
    "Stored",
    "check",
    "evenly",
    "open_labelled",
    "open_set",
    "read_rgb",
    "sampling_weights",
    "split_validation",
]
