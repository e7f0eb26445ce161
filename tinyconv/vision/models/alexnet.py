"""AlexNet (Krizhevsky, "One weird trick for parallelizing convolutional neural networks", 2014), torchvision's form.

Five convolutions and three large fully connected layers; it won ImageNet in 2012 by a wide margin and began what
followed. 58.6 of its 61.1 million parameters are in the fully connected layers, behind dropout.
"""

from __future__ import annotations

from typing import Any

from ... import nn
from ...tensor import Tensor
from .weights import Weights, WeightsEnum, pretrained_model

__all__ = ["AlexNet", "AlexNet_Weights", "alexnet"]


class AlexNet(nn.Module):
    """AlexNet for colour images of 224x224, or of any size from 63x63 up.

    Args:
        num_classes: scores an image.
        dropout: probability, before each of the first two fully connected layers.

    Shape:
        x ``(N, 3, H, W)`` -> scores (logits) ``(N, num_classes)``.
    """

    def __init__(self, num_classes: int = 1000, dropout: float = 0.5) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 64, kernel_size=11, stride=4, padding=2),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(kernel_size=3, stride=2),
            nn.Conv2d(64, 192, kernel_size=5, padding=2),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(kernel_size=3, stride=2),
            nn.Conv2d(192, 384, kernel_size=3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(384, 256, kernel_size=3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(256, 256, kernel_size=3, padding=1),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(kernel_size=3, stride=2),
        )
        self.avgpool = nn.AdaptiveAvgPool2d((6, 6))
        self.classifier = nn.Sequential(
            nn.Dropout(p=dropout),
            nn.Linear(256 * 6 * 6, 4096),
            nn.ReLU(inplace=True),
            nn.Dropout(p=dropout),
            nn.Linear(4096, 4096),
            nn.ReLU(inplace=True),
            nn.Linear(4096, num_classes),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Scores of the classes, before the softmax."""
        return self.classifier(self.avgpool(self.features(x)).flatten(1))


class AlexNet_Weights(WeightsEnum):
    """Published weights of AlexNet."""

    IMAGENET1K_V1 = Weights("alexnet-owt-7be5be79.pth")
    DEFAULT = IMAGENET1K_V1


def alexnet(weights: Any = None, progress: bool = True, **config: Any) -> AlexNet:
    """AlexNet, 61,100,840 parameters. ``weights``: see :func:`~.weights.pretrained_model`; ``config``: of
    :class:`AlexNet`."""
    return pretrained_model(AlexNet, AlexNet_Weights, weights, config)
