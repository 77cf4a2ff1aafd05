"""The kernels on the CPU: NumPy and OpenCV."""

from .depth import assign, cluster_update, resize, smooth
from .edges import upsample
from .refocus import refocus
from .temporal import carry, fuse, motion, shrink
from .tone import to_8_bits
from .views import colour_depth, colour_layers, mark_in_focus, tint_by_focus

__all__ = [
    "assign",
    "carry",
    "cluster_update",
    "colour_depth",
    "colour_layers",
    "fuse",
    "mark_in_focus",
    "motion",
    "refocus",
    "resize",
    "shrink",
    "smooth",
    "tint_by_focus",
    "to_8_bits",
    "upsample",
]
