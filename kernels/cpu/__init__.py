"""The kernels on the CPU: NumPy and OpenCV."""

from .depth import assign, cluster_update, resize, smooth
from .edges import upsample
from .levels import finite, rounded, stretched
from .memory import download, upload
from .refocus import refocus
from .temporal import carry, first_belief, fuse, motion, shrink
from .tiles import captioned, tiled
from .tone import to_8_bits
from .views import colour_depth, colour_layers, mark_in_focus, tint_by_focus

__all__ = [
    "assign",
    "captioned",
    "carry",
    "cluster_update",
    "colour_depth",
    "colour_layers",
    "download",
    "finite",
    "first_belief",
    "fuse",
    "mark_in_focus",
    "motion",
    "refocus",
    "resize",
    "rounded",
    "shrink",
    "smooth",
    "stretched",
    "tiled",
    "tint_by_focus",
    "to_8_bits",
    "upload",
    "upsample",
]
