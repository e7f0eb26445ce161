"""MobileNet-v2 (Sandler et al., "MobileNetV2: inverted residuals and linear bottlenecks", CVPR 2018).

A convolution can be split in two: one kernel a channel (*depthwise*), then a 1x1 convolution that mixes the channels;
that takes 8 to 9 times fewer operations than a full 3x3 convolution. The blocks are residual the other way round: few
channels between blocks, more inside. The last convolution of a block has no ReLU, which would lose what few channels
hold. ReLU6 stops at 6, for low-precision arithmetic. Layers have torchvision's names.
"""

from __future__ import annotations

from typing import Any

from ... import nn
from ...tensor import Tensor
from ..ops import Conv2dNormActivation
from .weights import ImageNet, Weights, WeightsEnum, pretrained_model

__all__ = ["InvertedResidual", "MobileNetV2", "MobileNet_V2_Weights", "mobilenet_v2"]

# Expansion, channels, how many blocks, stride of the first: the paper's table 2.
STAGES = [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)]


def _multiple_of_8(channels: float) -> int:
    """The nearest multiple of 8, not more than 10% below."""
    rounded = max(8, int(channels + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * channels else rounded


def _convolution(inp: int, oup: int, kernel_size: int, stride: int = 1, groups: int = 1) -> Conv2dNormActivation:
    return Conv2dNormActivation(inp, oup, kernel_size, stride, groups=groups, activation_layer=nn.ReLU6)


class InvertedResidual(nn.Module):
    """1x1 to more channels, 3x3 on each, 1x1 to few; added to x where the shapes agree.

    Args:
        inp, oup: channels of x and of the output.
        stride: of the 3x3 convolution.
        expand_ratio: how many times more channels there are inside.

    Shape:
        x ``(N, inp, H, W)`` -> ``(N, oup, ceil(H/stride), ceil(W/stride))``.
    """

    def __init__(self, inp: int, oup: int, stride: int, expand_ratio: int) -> None:
        super().__init__()
        inside = inp * expand_ratio
        self.use_res_connect = stride == 1 and inp == oup
        self.conv = nn.Sequential(
            *([_convolution(inp, inside, 1)] if expand_ratio != 1 else []),
            _convolution(inside, inside, 3, stride, groups=inside),
            nn.Conv2d(inside, oup, kernel_size=1, bias=False),
            nn.BatchNorm2d(oup),
        )

    def forward(self, x: Tensor) -> Tensor:
        """The block's output."""
        return x + self.conv(x) if self.use_res_connect else self.conv(x)


class MobileNetV2(nn.Module):
    """MobileNet-v2 for colour images of 224x224, or of any size from 32x32 up.

    Args:
        num_classes: scores an image.
        width_mult: multiplies all numbers of channels.
        dropout: probability, before the fully connected layer.

    Shape:
        x ``(N, 3, H, W)`` -> scores (logits) ``(N, num_classes)``.
    """

    def __init__(self, num_classes: int = 1000, width_mult: float = 1.0, dropout: float = 0.2) -> None:
        super().__init__()
        channels, self.last_channel = _multiple_of_8(32 * width_mult), _multiple_of_8(1280 * max(1.0, width_mult))
        features: list[nn.Module] = [_convolution(3, channels, 3, stride=2)]
        for expansion, c, n, s in STAGES:
            output = _multiple_of_8(c * width_mult)
            for i in range(n):
                features.append(InvertedResidual(channels, output, s if i == 0 else 1, expansion))
                channels = output
        features.append(_convolution(channels, self.last_channel, 1))
        self.features = nn.Sequential(*features)
        self.classifier = nn.Sequential(nn.Dropout(p=dropout), nn.Linear(self.last_channel, num_classes))
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out")
            elif isinstance(module, nn.Linear):
                nn.init.normal_(module.weight, 0, 0.01)
                nn.init.zeros_(module.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Scores of the classes, before the softmax."""
        return self.classifier(nn.functional.adaptive_avg_pool2d(self.features(x), (1, 1)).flatten(1))


class MobileNet_V2_Weights(WeightsEnum):
    """Published weights of MobileNet-v2."""

    IMAGENET1K_V1 = Weights("mobilenet_v2-b0353104.pth")
    IMAGENET1K_V2 = Weights("mobilenet_v2-7ebf99e0.pth", ImageNet(resize=232))
    DEFAULT = IMAGENET1K_V2


def mobilenet_v2(weights: Any = None, progress: bool = True, **config: Any) -> MobileNetV2:
    """MobileNet-v2, 3,504,872 parameters. ``weights``: see :func:`~.weights.pretrained_model`; ``config``: of
    :class:`MobileNetV2`."""
    return pretrained_model(MobileNetV2, MobileNet_V2_Weights, weights, config)
