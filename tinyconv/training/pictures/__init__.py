"""Pictures of a training, of a classifier's answers, and of what goes on inside a network.

Every function returns a :class:`Picture`: the figure, and the numbers in it. ``picture.save("curves.png")`` writes it;
a notebook shows it. matplotlib is loaded when the first one is drawn (it takes half a second).
"""

from .answers import calibration, confusion, roc, wrongest
from .history import curves
from .network import distributions, feature_maps, filters, grad_cam, occlusion, saliency
from .picture import Picture

__all__ = [
    "Picture",
    "calibration",
    "confusion",
    "curves",
    "distributions",
    "feature_maps",
    "filters",
    "grad_cam",
    "occlusion",
    "roc",
    "saliency",
    "wrongest",
]
