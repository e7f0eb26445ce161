"""DenseNet (Huang et al., "Densely connected convolutional networks", CVPR 2017).

Each layer sees what all layers before it made, side by side, and adds ``growth_rate`` channels of its own: gradients
reach every layer directly, and none has to make again what another made before. A 1x1 convolution in front of each 3x3
keeps its input narrow; between the blocks the image and the channels are halved. Layers have torchvision's names.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

from ... import cat, nn
from ...nn import functional as F
from ...tensor import Tensor
from .weights import Weights, WeightsEnum, pretrained_model

__all__ = [
    "DenseNet",
    "DenseNet121_Weights",
    "DenseNet161_Weights",
    "DenseNet169_Weights",
    "DenseNet201_Weights",
    "densenet121",
    "densenet161",
    "densenet169",
    "densenet201",
]


class DenseLayer(nn.Module):
    """Batch norm, ReLU, 1x1 convolution; batch norm, ReLU, 3x3 convolution; dropout.

    Args:
        num_input_features: channels of all inputs together.
        growth_rate: channels of the output.
        bn_size: how many times more channels there are inside.
        drop_rate: the probability of dropout.

    Shape:
        x_i ``(N, C_i, H, W)`` -> ``(N, growth_rate, H, W)``.
    """

    def __init__(self, num_input_features: int, growth_rate: int, bn_size: int, drop_rate: float) -> None:
        super().__init__()
        inside = bn_size * growth_rate
        self.norm1 = nn.BatchNorm2d(num_input_features)
        self.relu1 = nn.ReLU(inplace=True)
        self.conv1 = nn.Conv2d(num_input_features, inside, kernel_size=1, bias=False)
        self.norm2 = nn.BatchNorm2d(inside)
        self.relu2 = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(inside, growth_rate, kernel_size=3, padding=1, bias=False)
        self.drop_rate = float(drop_rate)

    def forward(self, input: Tensor | Sequence[Tensor]) -> Tensor:
        """The channels that this layer adds."""
        x = input if isinstance(input, Tensor) else cat(list(input), 1)
        y = self.conv1(self.relu1(self.norm1(x)))
        y = self.conv2(self.relu2(self.norm2(y)))
        return F.dropout(y, self.drop_rate, self.training) if self.drop_rate else y


class DenseBlock(nn.ModuleDict):
    """Layers, each of which sees the input and the outputs of all before it; the output is all of these, joined."""

    def __init__(
        self, num_layers: int, num_input_features: int, bn_size: int, growth_rate: int, drop_rate: float
    ) -> None:
        super().__init__()
        for i in range(num_layers):
            layer = DenseLayer(num_input_features + i * growth_rate, growth_rate, bn_size, drop_rate)
            self.add_module(f"denselayer{i + 1}", layer)

    def forward(self, x: Tensor) -> Tensor:
        """``(N, C, H, W)`` -> ``(N, C + num_layers * growth_rate, H, W)``."""
        features = [x]
        for layer in self.values():
            features.append(layer(features))
        return cat(features, 1)


class Transition(nn.Sequential):
    """Between two blocks: fewer channels by a 1x1 convolution, half the size by a mean."""

    def __init__(self, num_input_features: int, num_output_features: int) -> None:
        super().__init__(
            OrderedDict(
                norm=nn.BatchNorm2d(num_input_features),
                relu=nn.ReLU(inplace=True),
                conv=nn.Conv2d(num_input_features, num_output_features, kernel_size=1, bias=False),
                pool=nn.AvgPool2d(kernel_size=2, stride=2),
            )
        )


class DenseNet(nn.Module):
    """DenseNet for colour images of 224x224, or of any size from 32x32 up.

    Args:
        growth_rate: channels that each layer adds.
        block_config: layers of each block.
        num_init_features: channels of the first convolution.
        bn_size: how many times ``growth_rate`` channels there are inside a layer.
        drop_rate: the probability of dropout in each layer.
        num_classes: scores an image.

    Shape:
        x ``(N, 3, H, W)`` -> scores (logits) ``(N, num_classes)``.
    """

    def __init__(
        self,
        growth_rate: int = 32,
        block_config: Sequence[int] = (6, 12, 24, 16),
        num_init_features: int = 64,
        bn_size: int = 4,
        drop_rate: float = 0,
        num_classes: int = 1000,
    ) -> None:
        super().__init__()
        self.features = nn.Sequential(
            OrderedDict(
                conv0=nn.Conv2d(3, num_init_features, kernel_size=7, stride=2, padding=3, bias=False),
                norm0=nn.BatchNorm2d(num_init_features),
                relu0=nn.ReLU(inplace=True),
                pool0=nn.MaxPool2d(kernel_size=3, stride=2, padding=1),
            )
        )
        channels = num_init_features
        for i, layers in enumerate(block_config, 1):
            block = DenseBlock(layers, channels, bn_size, growth_rate, drop_rate)
            self.features.add_module(f"denseblock{i}", block)
            channels += layers * growth_rate
            if i < len(block_config):
                self.features.add_module(f"transition{i}", Transition(channels, channels // 2))
                channels //= 2
        self.features.add_module("norm5", nn.BatchNorm2d(channels))
        self.classifier = nn.Linear(channels, num_classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight)
        nn.init.zeros_(self.classifier.bias)
        self.register_load_state_dict_pre_hook(_with_present_names)

    def forward(self, x: Tensor) -> Tensor:
        """Scores of the classes, before the softmax."""
        y = F.relu(self.features(x), inplace=True)
        return self.classifier(F.adaptive_avg_pool2d(y, (1, 1)).flatten(1))


_OLDER = re.compile(r"(.*denselayer\d+\.(?:norm|relu|conv))\.(\d\..*)")


def _with_present_names(module: nn.Module, state_dict: dict[str, Any], prefix: str, *args: Any) -> None:
    """The published files say ``norm.1`` for ``norm1``: module names could have dots once."""
    for name in list(state_dict):
        if older := _OLDER.fullmatch(name):
            state_dict[older[1] + older[2]] = state_dict.pop(name)


class DenseNet121_Weights(WeightsEnum):
    """Published weights of DenseNet-121."""

    IMAGENET1K_V1 = Weights("densenet121-a639ec97.pth")
    DEFAULT = IMAGENET1K_V1


class DenseNet161_Weights(WeightsEnum):
    """Published weights of DenseNet-161."""

    IMAGENET1K_V1 = Weights("densenet161-8d451a50.pth")
    DEFAULT = IMAGENET1K_V1


class DenseNet169_Weights(WeightsEnum):
    """Published weights of DenseNet-169."""

    IMAGENET1K_V1 = Weights("densenet169-b2777c0a.pth")
    DEFAULT = IMAGENET1K_V1


class DenseNet201_Weights(WeightsEnum):
    """Published weights of DenseNet-201."""

    IMAGENET1K_V1 = Weights("densenet201-c1103571.pth")
    DEFAULT = IMAGENET1K_V1


def _densenet(published: type[WeightsEnum], weights: Any, config: dict[str, Any], **architecture: Any) -> DenseNet:
    return pretrained_model(DenseNet, published, weights, architecture | config)


def densenet121(weights: Any = None, progress: bool = True, **config: Any) -> DenseNet:
    """DenseNet-121, 7,978,856 parameters. ``weights``: see :func:`~.weights.pretrained_model`; ``config``: of
    :class:`DenseNet`."""
    return _densenet(DenseNet121_Weights, weights, config)


def densenet161(weights: Any = None, progress: bool = True, **config: Any) -> DenseNet:
    """DenseNet-161, 28,681,000 parameters; the rest as :func:`densenet121`."""
    sizes = {"growth_rate": 48, "block_config": (6, 12, 36, 24), "num_init_features": 96}
    return _densenet(DenseNet161_Weights, weights, config, **sizes)


def densenet169(weights: Any = None, progress: bool = True, **config: Any) -> DenseNet:
    """DenseNet-169, 14,149,480 parameters; the rest as :func:`densenet121`."""
    return _densenet(DenseNet169_Weights, weights, config, block_config=(6, 12, 32, 32))


def densenet201(weights: Any = None, progress: bool = True, **config: Any) -> DenseNet:
    """DenseNet-201, 20,013,928 parameters; the rest as :func:`densenet121`."""
    return _densenet(DenseNet201_Weights, weights, config, block_config=(6, 12, 48, 32))
