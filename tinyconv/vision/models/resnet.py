"""ResNet for ImageNet (He, Zhang, Ren, Sun, "Deep residual learning for image recognition", CVPR 2016, table 1).

A block learns what to *add* to its input (see ``cifar_resnet.py``). Where a block changes the shape, the input goes
through a 1x1 convolution with batch norm (the paper's option B).

======= ============================================== ===============
layer   what it does                                   output
======= ============================================== ===============
conv1   64 kernels of 7x7, stride 2, batch norm, ReLU  64 x 112 x 112
maxpool maximum of 3x3, stride 2                       64 x 56 x 56
layer1  blocks of 64 channels                          64e x 56 x 56
layer2  blocks of 128 channels, the first stride 2     128e x 28 x 28
layer3  blocks of 256 channels, the first stride 2     256e x 14 x 14
layer4  blocks of 512 channels, the first stride 2     512e x 7 x 7
avgpool the average of each channel                    512e x 1 x 1
fc      one score a class                              classes
======= ============================================== ===============

ResNet-18 and 34 have blocks of two 3x3 convolutions (e = 1); from ResNet-50 on a block is a *bottleneck*: 1x1 down to
fewer channels, 3x3, 1x1 up to four times as many (e = 4). The stride is the 3x3 convolution's, as in torchvision
("ResNet v1.5"). ResNeXt (Xie et al. 2017) splits the 3x3 convolution into groups, Wide ResNet (Zagoruyko and Komodakis
2016) makes it wider. Layers have torchvision's names.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from ... import nn
from ...tensor import Tensor
from .weights import ImageNet, Weights, WeightsEnum, pretrained_model

__all__ = [
    "BasicBlock",
    "Bottleneck",
    "ResNeXt50_32X4D_Weights",
    "ResNet",
    "ResNet18_Weights",
    "ResNet34_Weights",
    "ResNet50_Weights",
    "ResNet101_Weights",
    "ResNet152_Weights",
    "Wide_ResNet50_2_Weights",
    "resnet18",
    "resnet34",
    "resnet50",
    "resnet101",
    "resnet152",
    "resnext50_32x4d",
    "wide_resnet50_2",
]


class BasicBlock(nn.Module):
    """relu(bn2(conv2(relu(bn1(conv1(x))))) + downsample(x)).

    Args:
        inplanes: channels of x.
        planes: channels of the output.
        stride: of the first convolution.
        downsample: brings x to the output's shape; None where it has it.
        groups, base_width, dilation: 1, 64 and 1: this block knows no others.
        norm_layer: makes the normalization of a number of channels; None: batch norm.

    Shape:
        x ``(N, inplanes, H, W)`` -> ``(N, planes, ceil(H/stride), ceil(W/stride))``.
    """

    expansion = 1

    def __init__(
        self,
        inplanes: int,
        planes: int,
        stride: int = 1,
        downsample: nn.Module | None = None,
        groups: int = 1,
        base_width: int = 64,
        dilation: int = 1,
        norm_layer: Callable[..., nn.Module] | None = None,
    ) -> None:
        super().__init__()
        norm_layer = norm_layer or nn.BatchNorm2d
        if groups != 1 or base_width != 64:
            raise ValueError(f"BasicBlock: groups must be 1 and base_width 64, got {groups} and {base_width}")
        if dilation != 1:
            raise NotImplementedError(f"BasicBlock: dilation must be 1, got {dilation}")
        self.conv1 = nn.Conv2d(inplanes, planes, kernel_size=3, stride=stride, padding=1, bias=False)
        self.bn1 = norm_layer(planes)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(planes, planes, kernel_size=3, padding=1, bias=False)
        self.bn2 = norm_layer(planes)
        self.downsample = downsample

    def forward(self, x: Tensor) -> Tensor:
        """The input, and what the convolutions add to it."""
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        return self.relu(y + (x if self.downsample is None else self.downsample(x)))


class Bottleneck(nn.Module):
    """relu(bn3(conv3(relu(bn2(conv2(relu(bn1(conv1(x)))))))) + downsample(x)): 1x1, 3x3, 1x1.

    Args:
        inplanes: channels of x.
        planes: a quarter of the output's channels.
        stride: of the 3x3 convolution.
        downsample: brings x to the output's shape; None where it has it.
        groups: of the 3x3 convolution.
        base_width: channels of the 3x3 convolution, of 64 planes, for each group.
        dilation: of the 3x3 convolution.
        norm_layer: makes the normalization of a number of channels; None: batch norm.

    Shape:
        x ``(N, inplanes, H, W)`` -> ``(N, 4*planes, ceil(H/stride), ceil(W/stride))``.
    """

    expansion = 4

    def __init__(
        self,
        inplanes: int,
        planes: int,
        stride: int = 1,
        downsample: nn.Module | None = None,
        groups: int = 1,
        base_width: int = 64,
        dilation: int = 1,
        norm_layer: Callable[..., nn.Module] | None = None,
    ) -> None:
        super().__init__()
        norm_layer = norm_layer or nn.BatchNorm2d
        width = planes * base_width // 64 * groups
        self.conv1 = nn.Conv2d(inplanes, width, kernel_size=1, bias=False)
        self.bn1 = norm_layer(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, dilation, dilation, groups, bias=False)
        self.bn2 = norm_layer(width)
        self.conv3 = nn.Conv2d(width, planes * self.expansion, kernel_size=1, bias=False)
        self.bn3 = norm_layer(planes * self.expansion)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = downsample

    def forward(self, x: Tensor) -> Tensor:
        """The input, and what the convolutions add to it."""
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.relu(self.bn2(self.conv2(y)))
        y = self.bn3(self.conv3(y))
        return self.relu(y + (x if self.downsample is None else self.downsample(x)))


class ResNet(nn.Module):
    """ResNet for colour images of 224x224, or of any size from 32x32 up.

    Args:
        block: :class:`BasicBlock` or :class:`Bottleneck`.
        layers: how many blocks each of the four stages has.
        num_classes: scores an image.
        zero_init_residual: start each block as its shortcut alone (Goyal et al. 2017).
        groups, width_per_group: of a bottleneck's 3x3 convolution.
        replace_stride_with_dilation: for each of the last three stages, whether it keeps the size of its image: its
            3x3 convolutions look twice as far instead, as networks that label pixels need it.
        norm_layer: makes the normalization of a number of channels; None: batch norm.

    Raises:
        ValueError: ``replace_stride_with_dilation`` has not three elements.

    Shape:
        x ``(N, 3, H, W)`` -> scores (logits) ``(N, num_classes)``.
    """

    def __init__(
        self,
        block: type[BasicBlock] | type[Bottleneck],
        layers: list[int],
        num_classes: int = 1000,
        zero_init_residual: bool = False,
        groups: int = 1,
        width_per_group: int = 64,
        replace_stride_with_dilation: Sequence[bool] | None = None,
        norm_layer: Callable[..., nn.Module] | None = None,
    ) -> None:
        super().__init__()
        dilate = replace_stride_with_dilation or (False, False, False)
        if len(dilate) != 3:
            raise ValueError(
                f"replace_stride_with_dilation should be None or a 3-element tuple, got {replace_stride_with_dilation}"
            )
        self.inplanes, self.groups, self.base_width, self.dilation = 64, groups, width_per_group, 1
        self._norm_layer = norm_layer or nn.BatchNorm2d
        self.conv1 = nn.Conv2d(3, 64, kernel_size=7, stride=2, padding=3, bias=False)
        self.bn1 = self._norm_layer(64)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(kernel_size=3, stride=2, padding=1)
        self.layer1 = self._make_layer(block, 64, layers[0])
        self.layer2 = self._make_layer(block, 128, layers[1], stride=2, dilate=dilate[0])
        self.layer3 = self._make_layer(block, 256, layers[2], stride=2, dilate=dilate[1])
        self.layer4 = self._make_layer(block, 512, layers[3], stride=2, dilate=dilate[2])
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.fc = nn.Linear(512 * block.expansion, num_classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            elif zero_init_residual and isinstance(module, (BasicBlock, Bottleneck)):
                last = module.bn3 if isinstance(module, Bottleneck) else module.bn2
                if last.weight is not None:
                    nn.init.zeros_(last.weight)

    def _make_layer(
        self,
        block: type[BasicBlock] | type[Bottleneck],
        planes: int,
        blocks: int,
        stride: int = 1,
        dilate: bool = False,
    ) -> nn.Sequential:
        """A stage: blocks, of which the first changes the shape."""
        downsample, channels, first_dilation = None, planes * block.expansion, self.dilation
        if dilate:
            self.dilation, stride = self.dilation * stride, 1
        if stride != 1 or self.inplanes != channels:
            downsample = nn.Sequential(
                nn.Conv2d(self.inplanes, channels, kernel_size=1, stride=stride, bias=False), self._norm_layer(channels)
            )
        same = (self.groups, self.base_width)
        made = [block(self.inplanes, planes, stride, downsample, *same, first_dilation, self._norm_layer)]
        self.inplanes = channels
        made += [block(channels, planes, 1, None, *same, self.dilation, self._norm_layer) for _ in range(blocks - 1)]
        return nn.Sequential(*made)

    def forward(self, x: Tensor) -> Tensor:
        """Scores of the classes, before the softmax."""
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(self.avgpool(x).flatten(1))


class ResNet18_Weights(WeightsEnum):
    """Published weights of ResNet-18."""

    IMAGENET1K_V1 = Weights("resnet18-f37072fd.pth")
    DEFAULT = IMAGENET1K_V1


class ResNet34_Weights(WeightsEnum):
    """Published weights of ResNet-34."""

    IMAGENET1K_V1 = Weights("resnet34-b627a593.pth")
    DEFAULT = IMAGENET1K_V1


class ResNet50_Weights(WeightsEnum):
    """Published weights of ResNet-50."""

    IMAGENET1K_V1 = Weights("resnet50-0676ba61.pth")
    IMAGENET1K_V2 = Weights("resnet50-11ad3fa6.pth", ImageNet(resize=232))
    DEFAULT = IMAGENET1K_V2


class ResNet101_Weights(WeightsEnum):
    """Published weights of ResNet-101."""

    IMAGENET1K_V1 = Weights("resnet101-63fe2227.pth")
    IMAGENET1K_V2 = Weights("resnet101-cd907fc2.pth", ImageNet(resize=232))
    DEFAULT = IMAGENET1K_V2


class ResNet152_Weights(WeightsEnum):
    """Published weights of ResNet-152."""

    IMAGENET1K_V1 = Weights("resnet152-394f9c45.pth")
    IMAGENET1K_V2 = Weights("resnet152-f82ba261.pth", ImageNet(resize=232))
    DEFAULT = IMAGENET1K_V2


class ResNeXt50_32X4D_Weights(WeightsEnum):
    """Published weights of ResNeXt-50 32x4d."""

    IMAGENET1K_V1 = Weights("resnext50_32x4d-7cdf4587.pth")
    IMAGENET1K_V2 = Weights("resnext50_32x4d-1a0047aa.pth", ImageNet(resize=232))
    DEFAULT = IMAGENET1K_V2


class Wide_ResNet50_2_Weights(WeightsEnum):
    """Published weights of Wide ResNet-50-2."""

    IMAGENET1K_V1 = Weights("wide_resnet50_2-95faca4d.pth")
    IMAGENET1K_V2 = Weights("wide_resnet50_2-9ba9bcbe.pth", ImageNet(resize=232))
    DEFAULT = IMAGENET1K_V2


def resnet18(weights: Any = None, progress: bool = True, **config: Any) -> ResNet:
    """ResNet-18, 11,689,512 parameters. ``weights``: see :func:`~.weights.pretrained_model`;
    ``config``: of :class:`ResNet`."""
    return pretrained_model(partial(ResNet, BasicBlock, [2, 2, 2, 2]), ResNet18_Weights, weights, config)


def resnet34(weights: Any = None, progress: bool = True, **config: Any) -> ResNet:
    """ResNet-34, 21,797,672 parameters. ``weights``: see :func:`~.weights.pretrained_model`;
    ``config``: of :class:`ResNet`."""
    return pretrained_model(partial(ResNet, BasicBlock, [3, 4, 6, 3]), ResNet34_Weights, weights, config)


def resnet50(weights: Any = None, progress: bool = True, **config: Any) -> ResNet:
    """ResNet-50, 25,557,032 parameters. ``weights``: see :func:`~.weights.pretrained_model`;
    ``config``: of :class:`ResNet`."""
    return pretrained_model(partial(ResNet, Bottleneck, [3, 4, 6, 3]), ResNet50_Weights, weights, config)


def resnet101(weights: Any = None, progress: bool = True, **config: Any) -> ResNet:
    """ResNet-101, 44,549,160 parameters. ``weights``: see :func:`~.weights.pretrained_model`;
    ``config``: of :class:`ResNet`."""
    return pretrained_model(partial(ResNet, Bottleneck, [3, 4, 23, 3]), ResNet101_Weights, weights, config)


def resnet152(weights: Any = None, progress: bool = True, **config: Any) -> ResNet:
    """ResNet-152, 60,192,808 parameters. ``weights``: see :func:`~.weights.pretrained_model`;
    ``config``: of :class:`ResNet`."""
    return pretrained_model(partial(ResNet, Bottleneck, [3, 8, 36, 3]), ResNet152_Weights, weights, config)


def resnext50_32x4d(weights: Any = None, progress: bool = True, **config: Any) -> ResNet:
    """ResNeXt-50 32x4d, 25,028,904 parameters. ``weights``: see :func:`~.weights.pretrained_model`;
    ``config``: of :class:`ResNet`."""
    return pretrained_model(
        partial(ResNet, Bottleneck, [3, 4, 6, 3], groups=32, width_per_group=4),
        ResNeXt50_32X4D_Weights,
        weights,
        config,
    )


def wide_resnet50_2(weights: Any = None, progress: bool = True, **config: Any) -> ResNet:
    """Wide ResNet-50-2, 68,883,240 parameters. ``weights``: see :func:`~.weights.pretrained_model`;
    ``config``: of :class:`ResNet`."""
    return pretrained_model(
        partial(ResNet, Bottleneck, [3, 4, 6, 3], width_per_group=128), Wide_ResNet50_2_Weights, weights, config
    )
