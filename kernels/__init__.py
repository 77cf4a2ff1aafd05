"""Pixel work: depth smoothing, K-Means, refocus and views. `load(device)` chooses the implementation once."""

from .api import Kernels, RefocusStyle, load

__all__ = ["Kernels", "RefocusStyle", "load"]
