"""GoogLeNet (Szegedy et al., "Going deeper with convolutions", CVPR 2015), with batch norm, in torchvision's form.

An *inception* module looks at its input at four scales side by side (1x1, 3x3, 5x5, a maximum) and lets the next layer
choose; 1x1 convolutions in front of the large kernels keep the cost down. Two auxiliary classifiers half-way give the
lower layers a gradient while training. What is called 5x5 here is a 3x3 convolution, as in the published weights.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable
from typing import Any

from ... import cat, nn, stack
from ...nn import functional as F
from ...tensor import Tensor
from .weights import Weights, WeightsEnum, pretrained_model

__all__ = ["GoogLeNet", "GoogLeNetOutputs", "GoogLeNet_Weights", "Inception", "InceptionAux", "googlenet"]

GoogLeNetOutputs = namedtuple("GoogLeNetOutputs", ["logits", "aux_logits2", "aux_logits1"])


class BasicConv2d(nn.Module):
    """Convolution, batch norm, ReLU."""

    def __init__(self, in_channels: int, out_channels: int, **options: Any) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, bias=False, **options)
        self.bn = nn.BatchNorm2d(out_channels, eps=0.001)

    def forward(self, x: Tensor) -> Tensor:
        """The three, one after the other."""
        return F.relu(self.bn(self.conv(x)), inplace=True)


class Inception(nn.Module):
    """Four branches side by side.

    Args:
        in_channels: of x.
        ch1x1: channels of the first branch.
        ch3x3red, ch3x3: of the second: before and after its 3x3 convolution.
        ch5x5red, ch5x5: of the third.
        pool_proj: of the fourth.

    Shape:
        x ``(N, in_channels, H, W)`` -> ``(N, ch1x1 + ch3x3 + ch5x5 + pool_proj, H, W)``.
    """

    def __init__(
        self, in_channels: int, ch1x1: int, ch3x3red: int, ch3x3: int, ch5x5red: int, ch5x5: int, pool_proj: int
    ) -> None:
        super().__init__()
        self.branch1 = BasicConv2d(in_channels, ch1x1, kernel_size=1)
        self.branch2 = nn.Sequential(
            BasicConv2d(in_channels, ch3x3red, kernel_size=1), BasicConv2d(ch3x3red, ch3x3, kernel_size=3, padding=1)
        )
        self.branch3 = nn.Sequential(
            BasicConv2d(in_channels, ch5x5red, kernel_size=1), BasicConv2d(ch5x5red, ch5x5, kernel_size=3, padding=1)
        )
        self.branch4 = nn.Sequential(
            nn.MaxPool2d(kernel_size=3, stride=1, padding=1, ceil_mode=True),
            BasicConv2d(in_channels, pool_proj, kernel_size=1),
        )

    def forward(self, x: Tensor) -> Tensor:
        """The branches' outputs, one after the other along the channels."""
        return cat([self.branch1(x), self.branch2(x), self.branch3(x), self.branch4(x)], 1)


class InceptionAux(nn.Module):
    """A classifier half-way: average to 4x4, 1x1 convolution, two fully connected layers."""

    def __init__(self, in_channels: int, num_classes: int, dropout: float = 0.7) -> None:
        super().__init__()
        self.conv = BasicConv2d(in_channels, 128, kernel_size=1)
        self.fc1 = nn.Linear(2048, 1024)
        self.fc2 = nn.Linear(1024, num_classes)
        self.dropout = nn.Dropout(p=dropout)

    def forward(self, x: Tensor) -> Tensor:
        """Scores of the classes."""
        x = self.conv(F.adaptive_avg_pool2d(x, (4, 4))).flatten(1)
        return self.fc2(self.dropout(F.relu(self.fc1(x), inplace=True)))


def to_inception_range(x: Tensor) -> Tensor:
    """Images normalized by ImageNet's mean and deviation, as if by 0.5 and 0.5: what the published weights expect."""
    mean, std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    return stack([x[:, c] * (std[c] / 0.5) + (mean[c] - 0.5) / 0.5 for c in range(3)], 1)


class GoogLeNet(nn.Module):
    """GoogLeNet for colour images of 224x224, or of any size from 15x15 up.

    Args:
        num_classes: scores an image.
        aux_logits: whether there are auxiliary classifiers.
        transform_input: whether x is brought from ImageNet's normalization to Inception's.
        init_weights: start as torchvision does (a truncated normal of 0.01).
        dropout, dropout_aux: probabilities, before the classifier and in the auxiliary ones.

    Shape:
        x ``(N, 3, H, W)`` -> scores (logits) ``(N, num_classes)``; while training with auxiliary classifiers, a
        :class:`GoogLeNetOutputs`.
    """

    def __init__(
        self,
        num_classes: int = 1000,
        aux_logits: bool = True,
        transform_input: bool = False,
        init_weights: bool = True,
        dropout: float = 0.2,
        dropout_aux: float = 0.7,
    ) -> None:
        super().__init__()
        self.aux_logits, self.transform_input = aux_logits, transform_input
        self.conv1 = BasicConv2d(3, 64, kernel_size=7, stride=2, padding=3)
        self.maxpool1 = nn.MaxPool2d(3, stride=2, ceil_mode=True)
        self.conv2 = BasicConv2d(64, 64, kernel_size=1)
        self.conv3 = BasicConv2d(64, 192, kernel_size=3, padding=1)
        self.maxpool2 = nn.MaxPool2d(3, stride=2, ceil_mode=True)
        self.inception3a = Inception(192, 64, 96, 128, 16, 32, 32)
        self.inception3b = Inception(256, 128, 128, 192, 32, 96, 64)
        self.maxpool3 = nn.MaxPool2d(3, stride=2, ceil_mode=True)
        self.inception4a = Inception(480, 192, 96, 208, 16, 48, 64)
        self.inception4b = Inception(512, 160, 112, 224, 24, 64, 64)
        self.inception4c = Inception(512, 128, 128, 256, 24, 64, 64)
        self.inception4d = Inception(512, 112, 144, 288, 32, 64, 64)
        self.inception4e = Inception(528, 256, 160, 320, 32, 128, 128)
        self.maxpool4 = nn.MaxPool2d(2, stride=2, ceil_mode=True)
        self.inception5a = Inception(832, 256, 160, 320, 32, 128, 128)
        self.inception5b = Inception(832, 384, 192, 384, 48, 128, 128)
        self.aux1 = InceptionAux(512, num_classes, dropout_aux) if aux_logits else None
        self.aux2 = InceptionAux(528, num_classes, dropout_aux) if aux_logits else None
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.dropout = nn.Dropout(p=dropout)
        self.fc = nn.Linear(1024, num_classes)
        for module in self.modules() if init_weights else ():
            if isinstance(module, (nn.Conv2d, nn.Linear)):
                nn.init.trunc_normal_(module.weight, mean=0.0, std=0.01, a=-2, b=2)

    def forward(self, x: Tensor) -> Tensor | GoogLeNetOutputs:
        """Scores of the classes, before the softmax."""
        if self.transform_input:
            x = to_inception_range(x)
        x = self.maxpool1(self.conv1(x))
        x = self.maxpool2(self.conv3(self.conv2(x)))
        x = self.maxpool3(self.inception3b(self.inception3a(x)))
        x = half_way = self.inception4a(x)
        x = later = self.inception4d(self.inception4c(self.inception4b(x)))
        x = self.maxpool4(self.inception4e(x))
        x = self.inception5b(self.inception5a(x))
        x = self.fc(self.dropout(self.avgpool(x).flatten(1)))
        if self.training and self.aux1 is not None and self.aux2 is not None:
            return GoogLeNetOutputs(x, self.aux2(later), self.aux1(half_way))
        return x


class GoogLeNet_Weights(WeightsEnum):
    """Published weights of GoogLeNet."""

    IMAGENET1K_V1 = Weights("googlenet-1378be20.pth")
    DEFAULT = IMAGENET1K_V1


def pretrained_inception(
    make: Callable[..., Any],
    published: type[WeightsEnum],
    weights: Any,
    config: dict[str, Any],
    auxiliary: tuple[str, ...],
    keep: bool,
) -> Any:
    """:func:`~.weights.pretrained_model` for networks whose published weights come with auxiliary classifiers (named
    ``auxiliary``), which are dropped unless ``keep`` or ``aux_logits=True``, and were trained on another range."""
    if not (weights or config.get("pretrained")):
        return make(**{key: value for key, value in config.items() if key != "pretrained"})
    keep = config.get("aux_logits", keep)
    config = {"transform_input": True, **config, "aux_logits": True, "init_weights": False}
    model = pretrained_model(make, published, weights, config)
    if not keep:
        model.aux_logits = False
        for name in auxiliary:
            setattr(model, name, None)
    return model


def googlenet(weights: Any = None, progress: bool = True, **config: Any) -> GoogLeNet:
    """GoogLeNet, 6,624,904 parameters without its auxiliary classifiers. ``weights``: see
    :func:`~.weights.pretrained_model` (with them, ``aux_logits`` is False by default); ``config``: of
    :class:`GoogLeNet`."""
    return pretrained_inception(GoogLeNet, GoogLeNet_Weights, weights, config, ("aux1", "aux2"), keep=False)
