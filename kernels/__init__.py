"""Pixel work: depth smoothing, K-Means, refocus and views. `load(device)` chooses the implementation once."""

from .api import Kernels, Lens, RefocusStyle, load

__all__ = ["Kernels", "Lens", "RefocusStyle", "load"]
