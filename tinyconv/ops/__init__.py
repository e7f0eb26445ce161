"""WHAT each operation computes and what its gradient is: formulas only, never a loop.

One file a noun. Each op is a :class:`~tinyconv.autograd.Function` whose docstring is its formula, and a lower-case
function beside it that checks the arguments and is what users call. The loops are in ``kernels/``, under the same
noun.

This file gives tensors their operators and methods, from one table.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from numbers import Number
from typing import Any

import numpy as np

from ..tensor import Tensor
from . import inplace
from .activation import relu, sigmoid, tanh
from .compare import (
    allclose,
    eq,
    equal,
    ge,
    gt,
    le,
    logical_and,
    logical_not,
    logical_or,
    logical_xor,
    lt,
    mask_and,
    mask_or,
    mask_xor,
    ne,
    where,
)
from .conv import conv1d, conv2d, conv_transpose1d, conv_transpose2d, fold, unfold
from .convert import bool_, byte, cpu, cuda, double, float_, half, int_, long, to, type_as
from .creation import (
    arange,
    as_tensor,
    empty,
    empty_like,
    eye,
    from_numpy,
    full,
    full_like,
    is_tensor,
    linspace,
    new_full,
    new_ones,
    new_zeros,
    numel,
    ones,
    ones_like,
    tensor,
    zeros,
    zeros_like,
)
from .elementwise import (
    abs,
    add,
    div,
    exp,
    invert,
    log,
    maximum,
    minimum,
    mul,
    neg,
    pow,
    rdiv,
    rpow,
    rsub,
    sign,
    sqrt,
    sub,
)
from .index import getitem, iterate, setitem
from .loss import cross_entropy, mse_loss, nll_loss
from .matmul import linear, matmul, mm
from .norm import batch_norm, group_norm, instance_norm, layer_norm, local_response_norm, rms_norm
from .pad import pad
from .pool import (
    adaptive_avg_pool1d,
    adaptive_avg_pool2d,
    adaptive_max_pool1d,
    adaptive_max_pool2d,
    avg_pool1d,
    avg_pool2d,
    lp_pool1d,
    lp_pool2d,
    max_pool1d,
    max_pool2d,
)
from .random import (
    Dropout,
    dropout,
    normal,
    normal_,
    rand,
    rand_like,
    randint,
    randn,
    randn_like,
    randperm,
    uniform_,
)
from .recurrent import gru_cell, lstm_cell, rnn_relu_cell, rnn_tanh_cell
from .reduce import all, amax, amin, any_, argmax, argmin, contains, max, mean, min, sum, sum_to
from .shape import (
    T,
    cat,
    clone,
    contiguous,
    expand,
    expand_as,
    flatten,
    flip,
    is_contiguous,
    mT,
    permute,
    reshape,
    squeeze,
    stack,
    t,
    transpose,
    unflatten,
    unsqueeze,
    view,
    view_as,
)
from .softmax import log_softmax, softmax
from .unpool import max_unpool1d, max_unpool2d


def _operator(operation: Callable) -> Callable:
    """``operation`` as an operator: for an operand it does not know Python then asks the other side."""

    @functools.wraps(operation)
    def operator(self: Tensor, other: Any) -> Any:
        try:
            return operation(self, other)
        except TypeError:
            if isinstance(other, (Tensor, Number, np.ndarray)):
                raise
            return NotImplemented

    return operator


OPERATORS = {
    name: _operator(operation)
    for name, operation in {
        "__add__": add, "__radd__": add, "__sub__": sub, "__rsub__": rsub, "__mul__": mul, "__rmul__": mul,
        "__truediv__": div, "__rtruediv__": rdiv, "__pow__": pow, "__rpow__": rpow, "__matmul__": matmul,
        "__eq__": eq, "__ne__": ne, "__lt__": lt, "__le__": le, "__gt__": gt, "__ge__": ge,
    }.items()
} | {
    "__neg__": neg, "__abs__": abs, "__invert__": invert,
    "__and__": mask_and, "__rand__": mask_and, "__or__": mask_or, "__ror__": mask_or,
    "__xor__": mask_xor, "__rxor__": mask_xor,
    "__getitem__": getitem, "__setitem__": setitem, "__iter__": iterate, "__contains__": contains,
    "__iadd__": inplace.add_, "__isub__": inplace.sub_, "__imul__": inplace.mul_,
    "__itruediv__": inplace.in_place(div), "__ipow__": inplace.in_place(pow),
}  # fmt: skip

METHODS = {
    function.__name__: function
    for function in (
        abs, add, all, allclose, amax, amin, argmax, argmin, byte, clone, contiguous, cpu, cuda, div, double, eq, equal,
        exp, expand, expand_as, flatten, flip, ge, gt, half, is_contiguous, le, log, log_softmax, logical_and,
        logical_not, logical_or, logical_xor, long, lt, matmul, max, maximum, mean, min, minimum, mm, mul, ne, neg,
        new_full, new_ones, new_zeros, permute, pow, relu, reshape, sigmoid, sign, softmax, sqrt, squeeze, sub, sum,
        t, tanh, to, transpose, type_as, unflatten, unsqueeze, view, view_as,
    )
} | {
    "any": any_, "bool": bool_, "float": float_, "int": int_, "sum_to_size": sum_to,
    "add_": inplace.add_, "sub_": inplace.sub_, "mul_": inplace.mul_, "fill_": inplace.fill_, "zero_": inplace.zero_,
    "copy_": inplace.copy_, "uniform_": uniform_, "normal_": normal_,
    "dropout_": inplace.in_place(Dropout.apply, "dropout"),
} | {
    operation.__name__ + "_": inplace.in_place(operation)
    for operation in (abs, div, exp, log, neg, pow, relu, sigmoid, sqrt, tanh)
}  # fmt: skip

PROPERTIES = {"T": T, "mT": mT}

for _name, _function in {**OPERATORS, **METHODS}.items():
    setattr(Tensor, _name, _function)
for _name, _function in PROPERTIES.items():
    setattr(Tensor, _name, property(_function))
