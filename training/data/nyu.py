"""What the layouts of NYU Depth v2 have in common (Silberman et al. 2012)."""

from __future__ import annotations

import re

from .pictures import Crop

LABELLED = "nyu_labeled_1449"
KAGGLE = "nyu_kaggle"
SOURCES = (LABELLED, KAGGLE)

# Outside it the colours are a white frame and the depth is made up. The crop of Eigen et al. 2014 (arXiv:1406.2283)
# in which this dataset's figures are taken; the toolbox's mask, MATLAB's (45:471, 41:601), begins one pixel earlier.
EIGEN_CROP = Crop((480, 640), top=45, bottom=471, left=41, right=601)


def room(scene: str) -> str:
    """The room of a scene: `basement_0001a_out` and `basement_0001b` are parts of `basement_0001`."""
    return re.sub(r"(_\d{4})[a-z]?(_out)?$", r"\1", scene)
