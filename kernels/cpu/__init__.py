"""The kernels on the CPU: NumPy and OpenCV."""

from .depth import assign, cluster_update, resize, smooth
from .edges import upsample
from .refocus import refocus
from .views import colour_depth, colour_layers

__all__ = ["assign", "cluster_update", "colour_depth", "colour_layers", "refocus", "resize", "smooth", "upsample"]
