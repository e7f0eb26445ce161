"""Images: data sets, transforms, models, files and pictures of many, with torchvision's names."""

from . import datasets, io, models, ops, transforms, utils
