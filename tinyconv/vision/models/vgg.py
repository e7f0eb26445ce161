"""VGG (Simonyan and Zisserman, "Very deep convolutional networks for large-scale image recognition", ICLR 2015).

Nothing but 3x3 convolutions and 2x2 maxima: two 3x3 convolutions see as much as one 5x5, with fewer weights and a ReLU
more between them. A configuration is a list: channels of a convolution, or "M" for a maximum. 11, 13, 16 and 19 count
the layers with weights; ``_bn`` adds batch norm after each convolution. Layers have torchvision's names.
"""

from __future__ import annotations

from typing import Any

from ... import nn
from ...tensor import Tensor
from .weights import Weights, WeightsEnum, pretrained_model

__all__ = [
    "VGG",
    "VGG11_BN_Weights",
    "VGG11_Weights",
    "VGG13_BN_Weights",
    "VGG13_Weights",
    "VGG16_BN_Weights",
    "VGG16_Weights",
    "VGG19_BN_Weights",
    "VGG19_Weights",
    "make_layers",
    "vgg11",
    "vgg11_bn",
    "vgg13",
    "vgg13_bn",
    "vgg16",
    "vgg16_bn",
    "vgg19",
    "vgg19_bn",
]

cfgs: dict[str, list[int | str]] = {
    "A": [64, "M", 128, "M", 256, 256, "M", 512, 512, "M", 512, 512, "M"],
    "B": [64, 64, "M", 128, 128, "M", 256, 256, "M", 512, 512, "M", 512, 512, "M"],
    "D": [64, 64, "M", 128, 128, "M", 256, 256, 256, "M", 512, 512, 512, "M", 512, 512, 512, "M"],
    "E": [64, 64, "M", 128, 128, "M", 256, 256, 256, 256, "M", 512, 512, 512, 512, "M", 512, 512, 512, 512, "M"],
}  # the letters are those of the paper's table 1


class VGG(nn.Module):
    """VGG for colour images of 224x224, or of any size from 32x32 up.

    Args:
        features: the convolutions, as :func:`make_layers` makes them; they end with 512 channels.
        num_classes: scores an image.
        init_weights: start as torchvision does (Kaiming); False leaves the layers' own start.
        dropout: probability, after each of the first two fully connected layers.

    Shape:
        x ``(N, 3, H, W)`` -> scores (logits) ``(N, num_classes)``.
    """

    def __init__(
        self,
        features: nn.Module,
        num_classes: int = 1000,
        init_weights: bool = True,
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        self.features = features
        self.avgpool = nn.AdaptiveAvgPool2d((7, 7))
        self.classifier = nn.Sequential(
            nn.Linear(512 * 7 * 7, 4096),
            nn.ReLU(inplace=True),
            nn.Dropout(p=dropout),
            nn.Linear(4096, 4096),
            nn.ReLU(inplace=True),
            nn.Dropout(p=dropout),
            nn.Linear(4096, num_classes),
        )
        for module in self.modules() if init_weights else ():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
                nn.init.zeros_(module.bias)
            elif isinstance(module, nn.Linear):
                nn.init.normal_(module.weight, 0, 0.01)
                nn.init.zeros_(module.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Scores of the classes, before the softmax."""
        return self.classifier(self.avgpool(self.features(x)).flatten(1))


def make_layers(cfg: list[int | str], batch_norm: bool = False) -> nn.Sequential:
    """The convolutions and the maxima.

    Args:
        cfg: a configuration, such as ``cfgs["D"]``.
        batch_norm: whether batch norm follows each convolution.
    """
    layers: list[nn.Module] = []
    channels = 3
    for item in cfg:
        if isinstance(item, str):
            layers.append(nn.MaxPool2d(kernel_size=2, stride=2))
            continue
        layers.append(nn.Conv2d(channels, item, kernel_size=3, padding=1))
        if batch_norm:
            layers.append(nn.BatchNorm2d(item))
        layers.append(nn.ReLU(inplace=True))
        channels = item
    return nn.Sequential(*layers)


def _vgg(cfg: str, batch_norm: bool, published: type[WeightsEnum], weights: Any, config: dict[str, Any]) -> VGG:
    def make(**config: Any) -> VGG:
        return VGG(make_layers(cfgs[cfg], batch_norm), **config)

    return pretrained_model(make, published, weights, config)


class VGG11_Weights(WeightsEnum):
    """Published weights of VGG-11."""

    IMAGENET1K_V1 = Weights("vgg11-8a719046.pth")
    DEFAULT = IMAGENET1K_V1


class VGG11_BN_Weights(WeightsEnum):
    """Published weights of VGG-11 with batch norm."""

    IMAGENET1K_V1 = Weights("vgg11_bn-6002323d.pth")
    DEFAULT = IMAGENET1K_V1


class VGG13_Weights(WeightsEnum):
    """Published weights of VGG-13."""

    IMAGENET1K_V1 = Weights("vgg13-19584684.pth")
    DEFAULT = IMAGENET1K_V1


class VGG13_BN_Weights(WeightsEnum):
    """Published weights of VGG-13 with batch norm."""

    IMAGENET1K_V1 = Weights("vgg13_bn-abd245e5.pth")
    DEFAULT = IMAGENET1K_V1


class VGG16_Weights(WeightsEnum):
    """Published weights of VGG-16."""

    IMAGENET1K_V1 = Weights("vgg16-397923af.pth")
    DEFAULT = IMAGENET1K_V1


class VGG16_BN_Weights(WeightsEnum):
    """Published weights of VGG-16 with batch norm."""

    IMAGENET1K_V1 = Weights("vgg16_bn-6c64b313.pth")
    DEFAULT = IMAGENET1K_V1


class VGG19_Weights(WeightsEnum):
    """Published weights of VGG-19."""

    IMAGENET1K_V1 = Weights("vgg19-dcbb9e9d.pth")
    DEFAULT = IMAGENET1K_V1


class VGG19_BN_Weights(WeightsEnum):
    """Published weights of VGG-19 with batch norm."""

    IMAGENET1K_V1 = Weights("vgg19_bn-c79401a0.pth")
    DEFAULT = IMAGENET1K_V1


def vgg11(weights: Any = None, progress: bool = True, **config: Any) -> VGG:
    """VGG-11, 132,863,336 parameters. ``weights``: see :func:`~.weights.pretrained_model`;
    ``config``: of :class:`VGG`."""
    return _vgg("A", False, VGG11_Weights, weights, config)


def vgg11_bn(weights: Any = None, progress: bool = True, **config: Any) -> VGG:
    """VGG-11 with batch norm, 132,868,840 parameters. ``weights``: see :func:`~.weights.pretrained_model`;
    ``config``: of :class:`VGG`."""
    return _vgg("A", True, VGG11_BN_Weights, weights, config)


def vgg13(weights: Any = None, progress: bool = True, **config: Any) -> VGG:
    """VGG-13, 133,047,848 parameters. ``weights``: see :func:`~.weights.pretrained_model`;
    ``config``: of :class:`VGG`."""
    return _vgg("B", False, VGG13_Weights, weights, config)


def vgg13_bn(weights: Any = None, progress: bool = True, **config: Any) -> VGG:
    """VGG-13 with batch norm, 133,053,736 parameters. ``weights``: see :func:`~.weights.pretrained_model`;
    ``config``: of :class:`VGG`."""
    return _vgg("B", True, VGG13_BN_Weights, weights, config)


def vgg16(weights: Any = None, progress: bool = True, **config: Any) -> VGG:
    """VGG-16, 138,357,544 parameters. ``weights``: see :func:`~.weights.pretrained_model`;
    ``config``: of :class:`VGG`."""
    return _vgg("D", False, VGG16_Weights, weights, config)


def vgg16_bn(weights: Any = None, progress: bool = True, **config: Any) -> VGG:
    """VGG-16 with batch norm, 138,365,992 parameters. ``weights``: see :func:`~.weights.pretrained_model`;
    ``config``: of :class:`VGG`."""
    return _vgg("D", True, VGG16_BN_Weights, weights, config)


def vgg19(weights: Any = None, progress: bool = True, **config: Any) -> VGG:
    """VGG-19, 143,667,240 parameters. ``weights``: see :func:`~.weights.pretrained_model`;
    ``config``: of :class:`VGG`."""
    return _vgg("E", False, VGG19_Weights, weights, config)


def vgg19_bn(weights: Any = None, progress: bool = True, **config: Any) -> VGG:
    """VGG-19 with batch norm, 143,678,248 parameters. ``weights``: see :func:`~.weights.pretrained_model`;
    ``config``: of :class:`VGG`."""
    return _vgg("E", True, VGG19_BN_Weights, weights, config)
