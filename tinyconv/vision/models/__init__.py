"""Networks, each in a file of its own that reads like the paper it comes from.

``get_model("lenet5")`` finds one by name, as in torchvision; the command line does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...nn import Module
from .lenet import LeNet5, lenet5
from .resnet import CifarResNet, resnet20, resnet32, resnet44, resnet56, resnet110

__all__ = [
    "CifarResNet",
    "LeNet5",
    "get_model",
    "lenet5",
    "list_models",
    "resnet20",
    "resnet32",
    "resnet44",
    "resnet56",
    "resnet110",
]

_MODELS: dict[str, Callable[..., Module]] = {
    function.__name__: function for function in (lenet5, resnet20, resnet32, resnet44, resnet56, resnet110)
}


def list_models() -> list[str]:
    """The names that :func:`get_model` knows, sorted."""
    return sorted(_MODELS)


def get_model(name: str, **config: Any) -> Module:
    """A new model by name.

    Args:
        name: one of :func:`list_models`.
        config: the model's own arguments (``num_classes=10``).

    Raises:
        ValueError: an unknown name.
    """
    if name not in _MODELS:
        raise ValueError(f"get_model: name must be one of {list_models()}, got {name!r}")
    return _MODELS[name](**config)
