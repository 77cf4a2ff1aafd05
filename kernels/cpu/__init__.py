"""The kernels on the CPU: NumPy and OpenCV."""

from .depth import assign, cluster_update, resize, smooth
from .edges import upsample
from .refocus import refocus
from .views import colour_depth, colour_layers, mark_in_focus, tint_by_focus

__all__ = [
    "assign",
    "cluster_update",
    "colour_depth",
    "colour_layers",
    "mark_in_focus",
    "refocus",
    "resize",
    "smooth",
    "tint_by_focus",
    "upsample",
]
