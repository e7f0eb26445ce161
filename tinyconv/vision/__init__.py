"""Images: data sets, transforms and models, with torchvision's names."""

from . import datasets, models, transforms
