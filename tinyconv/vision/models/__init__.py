"""Networks, each in a file of its own that reads like the paper it comes from, with torchvision's names.

``get_model("lenet5")`` finds one by name, as in torchvision; the command line does. Published weights (``weights=``,
``pretrained=True``) are ``weights.py``'s business.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...nn import Module
from .alexnet import AlexNet, AlexNet_Weights, alexnet
from .cifar_resnet import (
    CifarResNet,
    ResNet20_Weights,
    ResNet32_Weights,
    ResNet44_Weights,
    ResNet56_Weights,
    ResNet110_Weights,
    resnet20,
    resnet32,
    resnet44,
    resnet56,
    resnet110,
)
from .densenet import (
    DenseNet,
    DenseNet121_Weights,
    DenseNet161_Weights,
    DenseNet169_Weights,
    DenseNet201_Weights,
    densenet121,
    densenet161,
    densenet169,
    densenet201,
)
from .googlenet import GoogLeNet, GoogLeNet_Weights, googlenet
from .inception import Inception3, Inception_V3_Weights, inception_v3
from .lenet import LeNet5, lenet5, lenet5_tanh
from .mobilenet import MobileNet_V2_Weights, MobileNetV2, mobilenet_v2
from .resnet import (
    ResNet,
    ResNet18_Weights,
    ResNet34_Weights,
    ResNet50_Weights,
    ResNet101_Weights,
    ResNet152_Weights,
    ResNeXt50_32X4D_Weights,
    Wide_ResNet50_2_Weights,
    resnet18,
    resnet34,
    resnet50,
    resnet101,
    resnet152,
    resnext50_32x4d,
    wide_resnet50_2,
)
from .squeezenet import SqueezeNet, SqueezeNet1_0_Weights, SqueezeNet1_1_Weights, squeezenet1_0, squeezenet1_1
from .vgg import (
    VGG,
    VGG11_BN_Weights,
    VGG11_Weights,
    VGG13_BN_Weights,
    VGG13_Weights,
    VGG16_BN_Weights,
    VGG16_Weights,
    VGG19_BN_Weights,
    VGG19_Weights,
    vgg11,
    vgg11_bn,
    vgg13,
    vgg13_bn,
    vgg16,
    vgg16_bn,
    vgg19,
    vgg19_bn,
)
from .weights import WeightsEnum, WeightsNotFound

__all__ = [
    "VGG",
    "AlexNet",
    "AlexNet_Weights",
    "CifarResNet",
    "DenseNet",
    "DenseNet121_Weights",
    "DenseNet161_Weights",
    "DenseNet169_Weights",
    "DenseNet201_Weights",
    "GoogLeNet",
    "GoogLeNet_Weights",
    "Inception3",
    "Inception_V3_Weights",
    "LeNet5",
    "MobileNetV2",
    "MobileNet_V2_Weights",
    "ResNeXt50_32X4D_Weights",
    "ResNet",
    "ResNet18_Weights",
    "ResNet20_Weights",
    "ResNet32_Weights",
    "ResNet34_Weights",
    "ResNet44_Weights",
    "ResNet50_Weights",
    "ResNet56_Weights",
    "ResNet101_Weights",
    "ResNet110_Weights",
    "ResNet152_Weights",
    "SqueezeNet",
    "SqueezeNet1_0_Weights",
    "SqueezeNet1_1_Weights",
    "VGG11_BN_Weights",
    "VGG11_Weights",
    "VGG13_BN_Weights",
    "VGG13_Weights",
    "VGG16_BN_Weights",
    "VGG16_Weights",
    "VGG19_BN_Weights",
    "VGG19_Weights",
    "WeightsEnum",
    "WeightsNotFound",
    "Wide_ResNet50_2_Weights",
    "alexnet",
    "densenet121",
    "densenet161",
    "densenet169",
    "densenet201",
    "get_model",
    "googlenet",
    "inception_v3",
    "lenet5",
    "lenet5_tanh",
    "list_models",
    "mobilenet_v2",
    "resnet18",
    "resnet20",
    "resnet32",
    "resnet34",
    "resnet44",
    "resnet50",
    "resnet56",
    "resnet101",
    "resnet110",
    "resnet152",
    "resnext50_32x4d",
    "squeezenet1_0",
    "squeezenet1_1",
    "vgg11",
    "vgg11_bn",
    "vgg13",
    "vgg13_bn",
    "vgg16",
    "vgg16_bn",
    "vgg19",
    "vgg19_bn",
    "wide_resnet50_2",
]

_MODELS: dict[str, Callable[..., Module]] = {
    function.__name__: function
    for function in (
        alexnet, densenet121, densenet161, densenet169, densenet201, googlenet, inception_v3, lenet5, lenet5_tanh,
        mobilenet_v2, resnet101, resnet110, resnet152,
        resnet18, resnet20, resnet32, resnet34, resnet44, resnet50, resnet56, resnext50_32x4d, squeezenet1_0,
        squeezenet1_1, vgg11, vgg11_bn, vgg13, vgg13_bn, vgg16, vgg16_bn, vgg19, vgg19_bn, wide_resnet50_2,
    )
}  # fmt: skip


def list_models() -> list[str]:
    """The names that :func:`get_model` knows, sorted."""
    return sorted(_MODELS)


def get_model(name: str, **config: Any) -> Module:
    """A new model by name.

    Args:
        name: one of :func:`list_models`.
        config: the model's own arguments (``num_classes=10``), and ``weights``.

    Raises:
        ValueError: an unknown name.
    """
    if name not in _MODELS:
        raise ValueError(f"get_model: name must be one of {list_models()}, got {name!r}")
    return _MODELS[name](**config)
