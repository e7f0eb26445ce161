"""What a node is called: as in PyTorch, by which programs know it (``grad_fn=<ReluBackward0>``).

There a node's class is named after the operation that made it and the number of its overload. Ours are named after the
formula, and the same node may stand for several of PyTorch's; so a node takes its name when somebody looks at it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

__all__ = ["named", "pytorch_name"]


def _sum(node: Any) -> str:
    """0 for all elements, 1 for some axes."""
    return f"{node.operation()}Backward{int(node.keepdims or len(node.axes) < len(node.shape))}"


def _pow(node: Any) -> str:
    """0: only the base is a tensor that has a gradient; 2: only the exponent; 1: both."""
    base, exponent = node.edges
    return f"PowBackward{1 if base and exponent else 2 if exponent else 0}"


def _product(node: Any) -> str:
    return "MmBackward0" if len(node._outputs[0][0]) == 2 else "BmmBackward0"


def _linear(node: Any) -> str:
    return "AddmmBackward0" if node.edges[2] else "MmBackward0"


# our operations -> PyTorch's names, or functions of the node that give them, where the two differ
_NAMES: dict[str, str | Callable[[Any], str]] = {
    "BatchNorm": "NativeBatchNormBackward0",
    "Cast": "ToCopyBackward0",
    "Clamp": "ClampBackward1",
    "Conv2d": "ConvolutionBackward0",
    "Conv2dReLUMaxPool2d": "MaxPool2DWithIndicesBackward0",
    "ConvTranspose2d": "ConvolutionBackward0",
    "CrossEntropy": "NllLossBackward0",
    "Dropout": "NativeDropoutBackward0",
    "LayerNorm": "NativeLayerNormBackward0",
    "LeakyReLU": "LeakyReluBackward0",
    "Linear": _linear,
    "LinearReLU": "ReluBackward0",
    "MatMul": _product,
    "MaxPool2d": "MaxPool2DWithIndicesBackward0",
    "Mean": _sum,
    "MedianOfAll": "MedianBackward0",
    "NLLLoss": "NllLossBackward0",
    "Pad": "ConstantPadNdBackward0",
    "Pow": _pow,
    "ReLU": "ReluBackward0",
    "SiLU": "SiluBackward0",
    "Sum": _sum,
    "Variance": "VarBackward0",
    "Write": "CopySlices",
    "WriteView": "CopySlices",
}


def pytorch_name(node: Any, ours: bool) -> str:
    """The name of a node that is one of ours, or a user's (``ExpBackward`` for the Function Exp)."""
    operation = node.operation()
    if not ours:
        return f"{operation}Backward"
    name = _NAMES.get(operation)
    if name is None:
        return re.sub(r"(?<=\d)[a-z]", lambda letter: letter[0].upper(), operation) + "Backward0"
    return name(node) if callable(name) else name


def named(node: Any) -> Any:
    """``node``, of a class that has its name: ``type(y.grad_fn).__name__`` is ``"MulBackward0"``.

    The class in the source keeps those that are made of it: they go when it goes.
    """
    own, name = node._written_as or type(node), node.name()
    if type(node).__name__ != name:
        if "_named" not in vars(own):
            own._named = {}
        if name not in own._named:
            own._named[name] = type(name, (own,), {"__module__": own.__module__, "_written_as": own})
        node.__class__ = own._named[name]
    return node
