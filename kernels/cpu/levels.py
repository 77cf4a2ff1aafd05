"""Inverse depth brought into its range. The specification is `..api.Kernels`."""

from __future__ import annotations

import numpy as np

from ..api import InverseDepth
from ..grey16 import from_grey16, to_grey16


def finite(inverse_depth: InverseDepth) -> InverseDepth:
    return np.nan_to_num(inverse_depth, copy=False, nan=0.0)


def stretched(inverse_depth: InverseDepth, low: float, span: float) -> InverseDepth:
    if (low, span) == (0.0, 1.0):
        return np.clip(inverse_depth, 0.0, 1.0)
    return np.clip((inverse_depth - np.float32(low)) / np.float32(span), 0.0, 1.0)


def rounded(inverse_depth: InverseDepth) -> InverseDepth:
    return from_grey16(to_grey16(inverse_depth))
