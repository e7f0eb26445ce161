"""Functions and their counterparts among `ONNX's operators <https://onnx.ai/onnx/operators/>`_, one row each.

A translation gets the tracer and the Function's arguments, adds nodes, and returns the name of the first output. An
operator whose meaning has changed between the versions 13 and 23 asks for ``g.opset``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..autograd import Function
from ..ops.activation import (
    Gelu,
    GeluTanh,
    Hardsigmoid,
    Hardswish,
    Hardtanh,
    LeakyReLU,
    LogSigmoid,
    ReLU,
    Sigmoid,
    SiLU,
    Tanh,
)
from ..ops.compare import Clamp, Compare, Maximum, Minimum, Where
from ..ops.conv import Conv2d, ConvTranspose2d
from ..ops.convert import Cast, ToDevice
from ..ops.dropout import Dropout
from ..ops.elementary import Elementary, Exp, Log, Sqrt
from ..ops.elementwise import Abs, Add, Div, Mul, Neg, Pow, Sign, Sub
from ..ops.embedding import Embedding
from ..ops.fused import WINDOWS_2X2, Conv2dReLUMaxPool2d, LinearReLU
from ..ops.index import Gather, Slice
from ..ops.join import Cat
from ..ops.matmul import Linear, MatMul
from ..ops.norm import BatchNorm, LayerNorm, Normalize
from ..ops.pad import Pad
from ..ops.pool import AvgPool2d, AvgPool2dGx, MaxPool2d
from ..ops.reduce import Extreme, Mean, Sum
from ..ops.shape import Clone, Expand, Permute, View
from ..ops.softmax import LogSoftmax, Softmax
from ..ops.windows import count_windows
from ..tensor import Tensor, wrap
from .graph import ExportError
from .trace import Tracer, Translation

OPERATORS: dict[type[Function], Translation] = {}
_END = 2**63 - 1  # of an axis, however long


class UnsupportedOperatorError(ExportError):
    """A model applies a Function that has no counterpart in ONNX, or none here."""


def unsupported(function: type[Function], args: Sequence[Any]) -> UnsupportedOperatorError:
    """The error that names it."""
    name = function.__name__
    if words := [a for a in args if isinstance(a, str)]:
        name += f" ({words[0]})"
    shapes = ", ".join(str(tuple(a.array.shape)) for a in args if isinstance(a, Tensor))
    return UnsupportedOperatorError(f"{name} of a tensor of shape {shapes} can't be written as an ONNX operator")


def _translates(*functions: type[Function]) -> Callable[[Translation], Translation]:
    def register(translation: Translation) -> Translation:
        OPERATORS.update(dict.fromkeys(functions, translation))
        return translation

    return register


# -------------------------------------------------------------------------------------------------- element by element


def _elementwise(operator: str) -> Translation:
    def translation(g: Tracer, *args: Any) -> str:
        like = next(a for a in args if isinstance(a, Tensor))
        return g.node(operator, *[g.value(a, like) for a in args])

    return translation


OPERATORS.update({
    function: _elementwise(operator)
    for operator, function in {
        "Abs": Abs, "Add": Add, "Div": Div, "Exp": Exp, "Log": Log, "Max": Maximum, "Min": Minimum, "Mul": Mul,
        "Neg": Neg, "Pow": Pow, "Relu": ReLU, "Sigmoid": Sigmoid, "Sign": Sign, "Sqrt": Sqrt, "Sub": Sub, "Tanh": Tanh,
    }.items()
})  # fmt: skip

_ELEMENTARY = {
    name: name.capitalize()
    for name in ("acos", "acosh", "asin", "asinh", "atan", "atanh", "cos", "cosh", "erf", "sin", "sinh", "tan")
}


@_translates(Elementary)
def _elementary(g: Tracer, x: Tensor, function: str) -> str:
    if function == "expm1":
        return g.node("Sub", g.node("Exp", g.value(x)), g.value(1, x))
    if function == "log1p":
        return g.node("Log", g.node("Add", g.value(x), g.value(1, x)))
    if function not in _ELEMENTARY:
        raise unsupported(Elementary, (x, function))
    return g.node(_ELEMENTARY[function], g.value(x))


_RELATIONS = {"==": "Equal", "<": "Less", "<=": "LessOrEqual", ">": "Greater", ">=": "GreaterOrEqual"}


@_translates(Compare)
def _compare(g: Tracer, a: Any, b: Any, relation: str) -> str:
    like = a if isinstance(a, Tensor) else b
    names = g.value(a, like), g.value(b, like)
    return g.node("Not", g.node("Equal", *names)) if relation == "!=" else g.node(_RELATIONS[relation], *names)


@_translates(Hardtanh, LeakyReLU, Hardsigmoid, Hardswish, SiLU, Gelu, GeluTanh)
def _activation(g: Tracer, x: Tensor, function: str, a: float, b: float) -> str:
    name = g.value(x)
    if function == "hardtanh":
        return _clamp(g, x, a, b)
    if function == "leaky_relu":
        return g.node("LeakyRelu", name, alpha=float(a))
    if function in ("hardsigmoid", "hardswish"):
        factor = g.node("HardSigmoid", name, alpha=1 / 6, beta=0.5)
        return factor if function == "hardsigmoid" else g.node("Mul", name, factor)
    if function == "gelu":
        curve = g.node("Erf", g.node("Mul", name, g.value(math.sqrt(0.5), x)))
        return g.node("Mul", g.node("Mul", name, g.value(0.5, x)), g.node("Add", curve, g.value(1, x)))
    if function == "gelu_tanh":
        cube = g.node("Mul", g.node("Mul", g.node("Mul", name, name), name), g.value(0.044715, x))
        bent = g.node("Mul", g.node("Add", name, cube), g.value(math.sqrt(8 / math.pi), x))
        return g.node("Mul", name, g.node("Sigmoid", bent))
    return g.node("Mul", name, g.node("Sigmoid", name))


@_translates(Clamp)
def _clamp(g: Tracer, x: Tensor, low: Any, high: Any) -> str:
    y = g.value(x)
    for operator, bound in (("Max", low), ("Min", high)):
        if bound is not None:
            y = g.node(operator, y, g.value(bound, x))
    return y


@_translates(Where)
def _where(g: Tracer, condition: Tensor, a: Any, b: Any) -> str:
    like = next((x for x in (a, b) if isinstance(x, Tensor)), condition)
    return g.node("Where", g.value(condition), g.value(a, like), g.value(b, like))


@_translates(LogSigmoid)
def _log_sigmoid(g: Tracer, x: Tensor) -> str:
    return g.node("Neg", g.node("Softplus", g.node("Neg", g.value(x))))


@_translates(Softmax)
def _softmax(g: Tracer, x: Tensor, axis: int) -> str:
    return g.node("Softmax", g.value(x), axis=axis)


@_translates(LogSoftmax)
def _log_softmax(g: Tracer, x: Tensor, axis: int) -> str:
    return g.node("LogSoftmax", g.value(x), axis=axis)


@_translates(Cast)
def _cast(g: Tracer, x: Tensor, dtype: Any) -> str:
    from onnx.helper import np_dtype_to_tensor_dtype

    return g.node("Cast", g.value(x), to=int(np_dtype_to_tensor_dtype(np.dtype(dtype))))


@_translates(Clone, ToDevice)
def _same(g: Tracer, x: Tensor, *_: Any) -> str:
    return g.value(x)


# -------------------------------------------------------------------------------------------------- layers


def _optional(g: Tracer, b: Tensor | None) -> list[str]:
    return [] if b is None else [g.value(b)]


def _windows(kernel: Sequence[int], stride: Any, padding: Any, dilation: Any = None) -> dict[str, Any]:
    attributes = {"kernel_shape": list(kernel), "strides": list(stride), "pads": [*padding, *padding]}
    return attributes if dilation is None else {**attributes, "dilations": list(dilation)}


@_translates(Conv2d)
def _conv2d(g: Tracer, x: Tensor, w: Tensor, b: Tensor | None, *geometry: Any) -> str:
    *steps, groups = geometry
    windows = _windows(w.array.shape[2:], *steps)
    return g.node("Conv", g.value(x), g.value(w), *_optional(g, b), **windows, group=groups)


@_translates(Conv2dReLUMaxPool2d)
def _conv2d_relu_max_pool2d(g: Tracer, x: Tensor, w: Tensor, b: Tensor | None, geometry: tuple) -> str:
    return g.node("MaxPool", g.node("Relu", _conv2d(g, x, w, b, *geometry)), **_windows(*WINDOWS_2X2), ceil_mode=0)


@_translates(ConvTranspose2d)
def _conv_transpose2d(
    g: Tracer, x: Tensor, w: Tensor, b: Tensor | None, size: Any, stride: Any, padding: Any, dilation: Any, groups: int
) -> str:
    kernel = w.array.shape[2:]
    least = [
        (n - 1) * s - 2 * p + d * (k - 1) + 1
        for n, s, p, d, k in zip(x.array.shape[2:], stride, padding, dilation, kernel)
    ]
    more = [n - m for n, m in zip(size, least)]
    windows = _windows(kernel, stride, padding, dilation)
    names = g.value(x), g.value(w), *_optional(g, b)
    return g.node("ConvTranspose", *names, **windows, group=groups, output_padding=more)


def _rounded_up(x: Tensor, size: tuple, kernel: Any, stride: Any, padding: Any, dilation: Any = (1, 1)) -> bool:
    return tuple(size) != count_windows(x.array.shape[2:], kernel, stride, padding, dilation)


@_translates(MaxPool2d)
def _max_pool2d(g: Tracer, x: Tensor, geometry: tuple, size: tuple) -> str:
    return g.node("MaxPool", g.value(x), **_windows(*geometry), ceil_mode=int(_rounded_up(x, size, *geometry)))


@_translates(AvgPool2d)
def _avg_pool2d(g: Tracer, x: Tensor, geometry: tuple, size: tuple, include_pad: bool, divisor: int | None) -> str:
    up = _rounded_up(x, size, *geometry)
    padded = any(geometry[2])
    if divisor is not None or (up and padded and include_pad):  # whose divisors ONNX counts in another way
        raise UnsupportedOperatorError(
            "avg_pool2d with divisor_override, or with ceil_mode and padding that counts, can't be written as an ONNX "
            "operator"
        )
    counts = int(include_pad and padded)
    return g.node("AveragePool", g.value(x), **_windows(*geometry), ceil_mode=int(up), count_include_pad=counts)


@_translates(AvgPool2dGx)
def _nearest(
    g: Tracer, x: Tensor, size: tuple, geometry: tuple, windows: tuple, include_pad: bool, divisor: int | None
) -> str:
    """Each pixel repeated in a window of its own, which is how ``interpolate`` enlarges by whole numbers."""
    kernel, stride, padding = geometry
    if kernel != stride or any(padding) or divisor != 1:
        raise unsupported(AvgPool2dGx, (x,))
    scales = g.constant(np.array([1, 1, *kernel], np.float32))
    how = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    return g.node("Resize", g.value(x), "", scales, **how)


@_translates(Linear)
def _linear(g: Tracer, x: Tensor, w: Tensor, b: Tensor | None) -> str:
    return g.node("Gemm", g.value(x), g.value(w), *_optional(g, b), transB=1)


@_translates(LinearReLU)
def _linear_relu(g: Tracer, *args: Any) -> str:
    return g.node("Relu", _linear(g, *args))


@_translates(MatMul)
def _matmul(g: Tracer, a: Tensor, b: Tensor) -> str:
    return g.node("MatMul", g.value(a), g.value(b))


@_translates(Embedding)
def _embedding(g: Tracer, w: Tensor, index: Tensor, *_: Any) -> str:
    return g.node("Gather", g.value(w), g.value(index), axis=0)


@_translates(Normalize)
def _normalize(g: Tracer, x: Tensor, mean: Tensor, var: Tensor, w: Tensor, b: Tensor, eps: float) -> str:
    return g.node("BatchNormalization", *map(g.value, (x, w, b, mean, var)), epsilon=eps)


@_translates(BatchNorm)
def _normalized_by_itself(g: Tracer, x: Tensor, w: Tensor, b: Tensor, eps: float) -> str:
    """The statistics are those of x, (N, C, L): so it is in group and instance norm, too."""
    y = _standardized(g, x, (0, 2), eps)
    for operator, factor, neutral in (("Mul", w, 1), ("Add", b, 0)):
        if g.computed(factor) is not None or (factor._host() != neutral).any():
            y = g.node(operator, y, g.node("Unsqueeze", g.value(factor), g.constant([1])))
    return y


@_translates(LayerNorm)
def _layer_norm(g: Tracer, x: Tensor, w: Tensor, b: Tensor, eps: float) -> str:
    y = _standardized(g, x, tuple(range(-w.array.ndim, 0)), eps)
    return g.node("Add", g.node("Mul", y, g.value(w)), g.value(b))


def _standardized(g: Tracer, x: Tensor, axes: Sequence[int], eps: float) -> str:
    """x with mean 0 and variance 1 over some axes."""
    name = g.value(x)
    centred = g.node("Sub", name, _reduced(g, "ReduceMean", name, axes))
    variance = _reduced(g, "ReduceMean", g.node("Mul", centred, centred), axes)
    return g.node("Div", centred, g.node("Sqrt", g.node("Add", variance, g.value(eps, x))))


def _reduced(g: Tracer, operator: str, name: str, axes: Sequence[int], keepdims: bool = True) -> str:
    if g.opset < 18:
        return g.node(operator, name, axes=list(axes), keepdims=int(keepdims))
    return g.node(operator, name, g.constant(list(axes)), keepdims=int(keepdims))


@_translates(Dropout)
def _dropout(g: Tracer, *_: Any) -> str:
    raise UnsupportedOperatorError(
        "dropout is still at work in evaluation mode, and a graph that is random can't be exported: say "
        "dropout(x, p, training=self.training), or use nn.Dropout"
    )


# -------------------------------------------------------------------------------------------------- reductions


@_translates(Sum)
def _sum(g: Tracer, x: Tensor, axes: tuple, keepdims: bool) -> str:
    return g.node("ReduceSum", g.value(x), g.constant(list(axes)), keepdims=int(keepdims))


@_translates(Mean)
def _mean(g: Tracer, x: Tensor, axes: tuple, keepdims: bool) -> str:
    return _reduced(g, "ReduceMean", g.value(x), axes, keepdims)


@_translates(Extreme)
def _extreme(g: Tracer, x: Tensor, kernel: str, axes: tuple, keepdims: bool, of_all: bool = False) -> str:
    return _reduced(g, {"amax": "ReduceMax", "amin": "ReduceMin"}[kernel], g.value(x), axes, keepdims)


# -------------------------------------------------------------------------------------------------- arrangement


@_translates(View)
def _view(g: Tracer, x: Tensor, shape: tuple) -> str:
    return g.node("Reshape", g.value(x), g.constant(np.array(shape, np.int64), "shape"))


@_translates(Permute)
def _permute(g: Tracer, x: Tensor, axes: tuple) -> str:
    return g.node("Transpose", g.value(x), perm=list(axes))


@_translates(Expand)
def _expand(g: Tracer, x: Tensor, shape: tuple) -> str:
    have = (1,) * (len(shape) - x.array.ndim) + tuple(x.array.shape)
    wanted = [1 if n == m else n for n, m in zip(shape, have)]  # 1: as it is
    return g.node("Expand", g.value(x), g.constant(np.array(wanted, np.int64), "shape"))


@_translates(Cat)
def _cat(g: Tracer, axis: int, *xs: Tensor) -> str:
    return g.node("Concat", *map(g.value, xs), axis=axis)


@_translates(Pad)
def _pad(g: Tracer, x: Tensor, shape: tuple, middle: tuple, value: float) -> str:
    inner = [part.indices(n) for part, n in zip(middle, shape)]
    widths = [start for start, _, _ in inner] + [n - stop for (_, stop, _), n in zip(inner, shape)]
    return g.node("Pad", g.value(x), g.constant(widths), g.value(value, x), mode="constant")


@_translates(Slice)
def _slice(g: Tracer, x: Tensor, index: Any) -> str:
    parts, axis = [], 0  # (axis, start, stop, step)
    dropped, added, place = [], [], 0
    for part in _all_axes(index, x.array.ndim):
        if part is None:
            added.append(place)
            place += 1
            continue
        if isinstance(part, slice):
            place += 1
            if part != slice(None):
                n = x.array.shape[axis]
                stop = _END if part.stop is None or part.stop >= n else part.stop
                parts.append((axis, part.start or 0, stop, part.step or 1))
        else:
            dropped.append(axis)
            parts.append((axis, part, part + 1 if part != -1 else _END, 1))
        axis += 1
    y = g.value(x)
    if parts:
        axes, starts, stops, steps = (g.constant(list(column)) for column in zip(*parts))
        y = g.node("Slice", y, starts, stops, axes, steps)
    if dropped:
        y = g.node("Squeeze", y, g.constant(dropped))
    return g.node("Unsqueeze", y, g.constant(added)) if added else y


def _all_axes(index: Any, ndim: int) -> list:
    """The parts of an index, with all axes that it means."""
    parts = list(index) if isinstance(index, tuple) else [index]
    named = sum(part is not None and part is not Ellipsis for part in parts)
    rest = [slice(None)] * (ndim - named)
    for place, part in enumerate(parts):
        if part is Ellipsis:
            return [*parts[:place], *rest, *parts[place + 1 :]]
    return parts + rest


@_translates(Gather)
def _gather(g: Tracer, x: Tensor, index: Any) -> str:
    parts = _all_axes(index, x.array.ndim)
    lists = [axis for axis, part in enumerate(parts) if hasattr(part, "dtype")]
    others = [part for part in parts if not hasattr(part, "dtype")]
    if len(lists) != 1 or any(part != slice(None) for part in others) or parts[lists[0]].dtype.kind not in "iu":
        raise UnsupportedOperatorError(
            "indexing by booleans, or by several lists of places, can't be written as an ONNX operator; index by one"
        )
    (axis,) = lists
    places = g.value(wrap(parts[axis]))
    return g.node("Gather", g.value(x), places, axis=axis)
