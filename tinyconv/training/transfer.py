"""Transfer learning: what a network has learnt on many images serves a task that has few.

All layers but the last make *features* of an image; the last one, the head, makes scores of them. A new task needs a
new head. There are three ways to train it:

* **frozen**: the features stay as they are. Then each image's are the same in every epoch: computed once, they train a
  head in seconds (:func:`compute_features`).
* **all**: all layers go on learning, from where they are.
* **from scratch**: all layers, from random weights, for comparison: with few images it shows what the rest is worth.
"""

from __future__ import annotations

from collections import OrderedDict

from .. import nn
from ..autograd import no_grad
from ..ops import cat, ones, zeros
from ..tensor import Tensor
from ..utils.data import DataLoader, TensorDataset
from .attribution import evaluation_mode

__all__ = ["Standardize", "Transfer", "compute_features", "feature_extractor"]


class Standardize(nn.Module):
    """``(x - mean) / std``, feature by feature, with the training images' mean and standard deviation: a head then
    learns all features at one rate.

    Args:
        num_features: F.

    Shape:
        x ``(N, F)`` -> ``(N, F)``.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, num_features: int) -> None:
        super().__init__()
        self.register_buffer("mean", zeros(num_features))
        self.register_buffer("std", ones(num_features))

    def measure(self, features: Tensor) -> None:
        """Take the mean and the standard deviation of ``features`` ``(N, F)``; a feature that never varies keeps 1."""
        with no_grad():
            std = features.std(0, correction=0)
            self.mean.copy_(features.mean(0))
            self.std.copy_((std > 1e-6).to(std.dtype) * std + (std <= 1e-6).to(std.dtype))

    def forward(self, x: Tensor) -> Tensor:
        """Standardized features."""
        return (x - self.mean) / self.std


def feature_extractor(model: nn.Module) -> tuple[nn.Module, int]:
    """All of a classifier but its last layer, which is replaced: the module that makes features ``(N, F)``, and F.

    Args:
        model: one of :mod:`tinyconv.vision.models`, or another whose last :class:`~tinyconv.nn.Linear` makes the
            scores; of SqueezeNet, which scores by a convolution, the feature maps' means. It is taken apart.

    Raises:
        ValueError: it has neither.
    """
    classifier, features = getattr(model, "classifier", None), getattr(model, "features", None)
    convolutions = [m for m in classifier.modules() if isinstance(m, nn.Conv2d)] if classifier is not None else []
    if convolutions and isinstance(features, nn.Module):
        parts = OrderedDict(features=features, pool=nn.AdaptiveAvgPool2d(1), flatten=nn.Flatten())
        return nn.Sequential(parts), convolutions[-1].in_channels
    linear = [name for name, module in model.named_modules() if isinstance(module, nn.Linear)]
    if not linear:
        raise ValueError(f"feature_extractor: {type(model).__name__} has no Linear layer that makes its scores")
    parent, _, name = linear[-1].rpartition(".")
    head = model.get_submodule(linear[-1])
    setattr(model.get_submodule(parent), name, nn.Identity())
    return model, int(head.in_features)


class Transfer(nn.Module):
    """A network's features, standardized, with a new head.

    Args:
        model: see :func:`feature_extractor`.
        num_classes: of the new head.
        frozen: keep the features as they are: their parameters ask for no gradient, and they stay in evaluation mode
            (no dropout; batch normalization by its running statistics, which do not move either).

    Shape:
        x as the model's -> scores ``(N, num_classes)``.
    """

    def __init__(self, model: nn.Module, num_classes: int, frozen: bool = True) -> None:
        super().__init__()
        self.features, num_features = feature_extractor(model)
        self.standardize = Standardize(num_features)
        self.head = nn.Linear(num_features, num_classes)
        self.frozen = frozen
        self.features.requires_grad_(not frozen)
        self.train(self.training)

    def train(self, mode: bool = True) -> Transfer:
        """Frozen features stay in evaluation mode."""
        super().train(mode)
        if self.frozen:
            self.features.eval()
        return self

    def forward(self, x: Tensor) -> Tensor:
        """Scores of the classes."""
        return self.head(self.standardize(self.features(x)))


def compute_features(features: nn.Module, loader: DataLoader) -> TensorDataset:
    """The features of all images, in evaluation mode: (features ``(N, F)``, classes ``(N,)``) on the host.

    Args:
        features: makes them.
        loader: batches ``(x, y)``, in a fixed order.

    Raises:
        ValueError: the loader has no batches.
    """
    found, targets = [], []
    device = next((p.device for p in features.parameters()), None)
    with evaluation_mode(features), no_grad():
        for x, y in loader:
            found.append(features(x if device is None else x.to(device)).cpu())
            targets.append(y)
    if not found:
        raise ValueError("compute_features: the loader has no batches")
    return TensorDataset(cat(found), cat(targets))
