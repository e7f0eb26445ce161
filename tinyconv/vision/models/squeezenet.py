"""SqueezeNet (Iandola et al., "SqueezeNet: AlexNet-level accuracy with 50x fewer parameters", 2016).

A *fire* module first squeezes its input to few channels by 1x1 convolutions, then expands these by 1x1 and by 3x3
convolutions side by side: the costly 3x3 kernels see few channels. There are no fully connected layers; the last
convolution makes one map a class, and each map's average is the score. Version 1.1 has the same accuracy with 2.4 times
fewer operations. Layers have torchvision's names.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from ... import cat, nn
from ...nn import functional as F
from ...tensor import Tensor
from .weights import Weights, WeightsEnum, pretrained_model

__all__ = ["Fire", "SqueezeNet", "SqueezeNet1_0_Weights", "SqueezeNet1_1_Weights", "squeezenet1_0", "squeezenet1_1"]


class Fire(nn.Module):
    """Squeeze, then expand in two ways, side by side.

    Args:
        inplanes: channels of x.
        squeeze_planes: channels between.
        expand1x1_planes, expand3x3_planes: channels of the output's two parts.

    Shape:
        x ``(N, inplanes, H, W)`` -> ``(N, expand1x1_planes + expand3x3_planes, H, W)``.
    """

    def __init__(self, inplanes: int, squeeze_planes: int, expand1x1_planes: int, expand3x3_planes: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(inplanes, squeeze_planes, kernel_size=1)
        self.expand1x1 = nn.Conv2d(squeeze_planes, expand1x1_planes, kernel_size=1)
        self.expand3x3 = nn.Conv2d(squeeze_planes, expand3x3_planes, kernel_size=3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Both parts, one after the other along the channels."""
        x = F.relu(self.squeeze(x))
        return cat([F.relu(self.expand1x1(x)), F.relu(self.expand3x3(x))], 1)


class SqueezeNet(nn.Module):
    """SqueezeNet for colour images of 224x224, or of any size from 32x32 up.

    Args:
        version: "1_0" or "1_1".
        num_classes: scores an image.
        dropout: probability, before the last convolution.

    Shape:
        x ``(N, 3, H, W)`` -> scores (logits) ``(N, num_classes)``.

    Raises:
        ValueError: another version.
    """

    def __init__(self, version: str = "1_0", num_classes: int = 1000, dropout: float = 0.5) -> None:
        super().__init__()
        if version == "1_0":
            self.features = nn.Sequential(
                nn.Conv2d(3, 96, kernel_size=7, stride=2), nn.ReLU(inplace=True), _maximum(),
                Fire(96, 16, 64, 64), Fire(128, 16, 64, 64), Fire(128, 32, 128, 128), _maximum(),
                Fire(256, 32, 128, 128), Fire(256, 48, 192, 192), Fire(384, 48, 192, 192), Fire(384, 64, 256, 256),
                _maximum(), Fire(512, 64, 256, 256),
            )  # fmt: skip
        elif version == "1_1":
            self.features = nn.Sequential(
                nn.Conv2d(3, 64, kernel_size=3, stride=2), nn.ReLU(inplace=True), _maximum(),
                Fire(64, 16, 64, 64), Fire(128, 16, 64, 64), _maximum(),
                Fire(128, 32, 128, 128), Fire(256, 32, 128, 128), _maximum(),
                Fire(256, 48, 192, 192), Fire(384, 48, 192, 192), Fire(384, 64, 256, 256), Fire(512, 64, 256, 256),
            )  # fmt: skip
        else:
            raise ValueError(f"SqueezeNet: version must be '1_0' or '1_1', got {version!r}")
        last = nn.Conv2d(512, num_classes, kernel_size=1)
        self.classifier = nn.Sequential(
            nn.Dropout(p=dropout), last, nn.ReLU(inplace=True), nn.AdaptiveAvgPool2d((1, 1))
        )
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                if module is last:
                    nn.init.normal_(module.weight, mean=0.0, std=0.01)
                else:
                    nn.init.kaiming_uniform_(module.weight)
                nn.init.zeros_(module.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Scores of the classes, before the softmax."""
        return self.classifier(self.features(x)).flatten(1)


def _maximum() -> nn.MaxPool2d:
    return nn.MaxPool2d(kernel_size=3, stride=2, ceil_mode=True)


class SqueezeNet1_0_Weights(WeightsEnum):
    """Published weights of SqueezeNet 1.0."""

    IMAGENET1K_V1 = Weights("squeezenet1_0-b66bff10.pth")
    DEFAULT = IMAGENET1K_V1


class SqueezeNet1_1_Weights(WeightsEnum):
    """Published weights of SqueezeNet 1.1; the ``.npz`` holds them rounded to half precision."""

    IMAGENET1K_V1 = Weights("squeezenet1_1-b8a52dc0.pth", also=("squeezenet1_1_fp16_torchvision_names.npz",))
    DEFAULT = IMAGENET1K_V1


def squeezenet1_0(weights: Any = None, progress: bool = True, **config: Any) -> SqueezeNet:
    """SqueezeNet 1.0, 1,248,424 parameters. ``weights``: see :func:`~.weights.pretrained_model`; ``config``: of
    :class:`SqueezeNet`."""
    return pretrained_model(partial(SqueezeNet, "1_0"), SqueezeNet1_0_Weights, weights, config)


def squeezenet1_1(weights: Any = None, progress: bool = True, **config: Any) -> SqueezeNet:
    """SqueezeNet 1.1, 1,235,496 parameters. ``weights``: see :func:`~.weights.pretrained_model`; ``config``: of
    :class:`SqueezeNet`."""
    return pretrained_model(partial(SqueezeNet, "1_1"), SqueezeNet1_1_Weights, weights, config)
