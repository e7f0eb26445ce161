"""ResNet for CIFAR (He, Zhang, Ren, Sun, "Deep residual learning for image recognition", CVPR 2016, section 4.2).

A block of two convolutions learns not what its output shall be, but how it shall differ from its input: the input is
added to the output again. Such a block does nothing with weights of zero, so another one never makes the network worse,
and the gradient reaches the first layer through the additions, however many layers there are.

======= ====================================== ============ =================
layer   what it does                           output       parameters (n = 3)
======= ====================================== ============ =================
conv1   16 kernels of 3x3x3, batch norm        16 x 32 x 32 464
layer1  n blocks of two 3x3 convolutions       16 x 32 x 32 14,016
layer2  n blocks, the first with stride 2      32 x 16 x 16 51,072
layer3  n blocks, the first with stride 2      64 x 8 x 8   203,520
        the average of each channel            64           0
linear  one score a class                      10           650
======= ====================================== ============ =================

6n + 2 layers with weights: 20, 32, 44, 56 or 110; ResNet-20 has 269,722 parameters. Where a block halves the image and
doubles the channels, its input is added as the paper's option A says: every other pixel of every other row, with
channels of zeros. That takes no parameters. Half of the zeros come before the channels and half behind them, and
layers have the names of https://github.com/akamaster/pytorch_resnet_cifar10, so that its weights fit.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from ... import nn
from ...nn import functional as F
from ...tensor import Tensor
from ..transforms import Compose, Normalize, ToTensor
from .weights import Weights, WeightsEnum, pretrained_model

__all__ = [
    "BasicBlock",
    "CifarResNet",
    "ResNet20_Weights",
    "ResNet32_Weights",
    "ResNet44_Weights",
    "ResNet56_Weights",
    "ResNet110_Weights",
    "resnet20",
    "resnet32",
    "resnet44",
    "resnet56",
    "resnet110",
]


class BasicBlock(nn.Module):
    """relu(bn2(conv2(relu(bn1(conv1(x))))) + shortcut(x)).

    Args:
        in_channels: of x.
        channels: of the output, at least as many.
        stride: of the first convolution, and of the shortcut.

    Shape:
        x ``(N, in_channels, H, W)`` -> ``(N, channels, ceil(H/stride), ceil(W/stride))``.
    """

    def __init__(self, in_channels: int, channels: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, channels, kernel_size=3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, kernel_size=3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.stride, self.more = stride, channels - in_channels

    def forward(self, x: Tensor) -> Tensor:
        """The input, and what the convolutions add to it."""
        y = F.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        return F.relu(y + self.shortcut(x))

    def shortcut(self, x: Tensor) -> Tensor:
        """x in the output's shape: option A."""
        if self.stride > 1:
            x = x[:, :, :: self.stride, :: self.stride]
        if self.more:
            x = F.pad(x, (0, 0, 0, 0, self.more // 2, self.more - self.more // 2))
        return x


class CifarResNet(nn.Module):
    """ResNet of 6n + 2 layers for small colour images, such as CIFAR's of 32x32.

    Args:
        depth: number of layers with weights, 6n + 2.
        num_classes: scores an image.

    Shape:
        x ``(N, 3, H, W)`` -> scores (logits) ``(N, num_classes)``.

    Raises:
        ValueError: a depth that is not 6n + 2.
    """

    def __init__(self, depth: int, num_classes: int = 10) -> None:
        super().__init__()
        blocks, rest = divmod(depth - 2, 6)
        if blocks < 1 or rest:
            raise ValueError(f"CifarResNet: depth must be 6n + 2 (20, 32, 44, ...), got {depth}")
        self.conv1 = nn.Conv2d(3, 16, kernel_size=3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        self.layer1 = _blocks(blocks, 16, 16, 1)
        self.layer2 = _blocks(blocks, 16, 32, 2)
        self.layer3 = _blocks(blocks, 32, 64, 2)
        self.linear = nn.Linear(64, num_classes)
        for module in self.modules():
            if isinstance(module, (nn.Conv2d, nn.Linear)):
                nn.init.kaiming_normal_(module.weight)

    def forward(self, x: Tensor) -> Tensor:
        """Scores of the classes, before the softmax."""
        x = F.relu(self.bn1(self.conv1(x)))
        x = self.layer3(self.layer2(self.layer1(x)))
        x = F.adaptive_avg_pool2d(x, 1).flatten(1)
        return self.linear(x)


def _blocks(n: int, in_channels: int, channels: int, stride: int) -> nn.Sequential:
    """n blocks, of which the first changes the shape."""
    first = BasicBlock(in_channels, channels, stride)
    return nn.Sequential(first, *[BasicBlock(channels, channels) for _ in range(n - 1)])


def _cifar() -> Compose:
    """How CIFAR's images become the network's input: as they are, normalized by ImageNet's mean and deviation."""
    return Compose([ToTensor(), Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))])


def _published(file: str) -> Weights:
    url = "https://github.com/akamaster/pytorch_resnet_cifar10/raw/master/pretrained_models/"
    return Weights(file, _cifar, classes=10, url=url)


class ResNet20_Weights(WeightsEnum):
    """Weights of ResNet-20 for CIFAR-10, published by Y. Idelbayev."""

    CIFAR10 = _published("resnet20-12fca82f.th")
    DEFAULT = CIFAR10


class ResNet32_Weights(WeightsEnum):
    """Weights of ResNet-32 for CIFAR-10, published by Y. Idelbayev."""

    CIFAR10 = _published("resnet32-d509ac18.th")
    DEFAULT = CIFAR10


class ResNet44_Weights(WeightsEnum):
    """Weights of ResNet-44 for CIFAR-10, published by Y. Idelbayev."""

    CIFAR10 = _published("resnet44-014dd654.th")
    DEFAULT = CIFAR10


class ResNet56_Weights(WeightsEnum):
    """Weights of ResNet-56 for CIFAR-10, published by Y. Idelbayev."""

    CIFAR10 = _published("resnet56-4bfd9763.th")
    DEFAULT = CIFAR10


class ResNet110_Weights(WeightsEnum):
    """Weights of ResNet-110 for CIFAR-10, published by Y. Idelbayev."""

    CIFAR10 = _published("resnet110-1d1ed7c2.th")
    DEFAULT = CIFAR10


def resnet20(weights: Any = None, progress: bool = True, **config: Any) -> CifarResNet:
    """A :class:`CifarResNet` of 20 layers; ``weights``: see :func:`~.weights.pretrained_model`."""
    return pretrained_model(partial(CifarResNet, 20), ResNet20_Weights, weights, config)


def resnet32(weights: Any = None, progress: bool = True, **config: Any) -> CifarResNet:
    """A :class:`CifarResNet` of 32 layers; ``weights``: see :func:`~.weights.pretrained_model`."""
    return pretrained_model(partial(CifarResNet, 32), ResNet32_Weights, weights, config)


def resnet44(weights: Any = None, progress: bool = True, **config: Any) -> CifarResNet:
    """A :class:`CifarResNet` of 44 layers; ``weights``: see :func:`~.weights.pretrained_model`."""
    return pretrained_model(partial(CifarResNet, 44), ResNet44_Weights, weights, config)


def resnet56(weights: Any = None, progress: bool = True, **config: Any) -> CifarResNet:
    """A :class:`CifarResNet` of 56 layers; ``weights``: see :func:`~.weights.pretrained_model`."""
    return pretrained_model(partial(CifarResNet, 56), ResNet56_Weights, weights, config)


def resnet110(weights: Any = None, progress: bool = True, **config: Any) -> CifarResNet:
    """A :class:`CifarResNet` of 110 layers; ``weights``: see :func:`~.weights.pretrained_model`."""
    return pretrained_model(partial(CifarResNet, 110), ResNet110_Weights, weights, config)
