"""Depth metrics: pure functions on `h w` float maps of inverse depth (0.5 m / z); NaN truth = no measurement.

Every figure is of one picture (or of two frames); means over a set are taken in `training/evaluate.py`. A figure that
a picture cannot give, for want of measurements or of true edges, is NaN.
"""

from .boundary import BoundaryError, boundary_error, boundary_f1, depth_edges
from .edges import edge_ratio
from .picture import PictureQuality, picture_quality, ssim
from .pointwise import Accuracy, Map, accuracy, align, aligned_depth, pair_order
from .video import Frame, flicker, opw

__all__ = [
    "Accuracy",
    "BoundaryError",
    "Frame",
    "Map",
    "PictureQuality",
    "accuracy",
    "align",
    "aligned_depth",
    "boundary_error",
    "boundary_f1",
    "depth_edges",
    "edge_ratio",
    "flicker",
    "opw",
    "pair_order",
    "picture_quality",
    "ssim",
]
