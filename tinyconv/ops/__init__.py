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
from . import inplace, return_types
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
    asarray,
    empty,
    empty_like,
    eye,
    from_numpy,
    full,
    full_like,
    is_tensor,
    linspace,
    logspace,
    new_empty,
    new_full,
    new_ones,
    new_tensor,
    new_zeros,
    numel,
    ones,
    ones_like,
    tensor,
    zeros,
    zeros_like,
)
from .cumulative import cummax, cummin, cumprod, cumsum, prod
from .diagonal import (
    diag,
    diag_embed,
    diagflat,
    diagonal,
    fill_diagonal_,
    trace,
    tril,
    tril_indices,
    triu,
    triu_indices,
)
from .dropout import Dropout, alpha_dropout, dropout, dropout1d, dropout2d, feature_alpha_dropout
from .einsum import einsum, tensordot
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
from .embedding import embedding, one_hot
from .gather import (
    argwhere,
    gather,
    index_add,
    index_copy,
    index_fill,
    index_select,
    masked_fill,
    masked_scatter,
    masked_select,
    narrow,
    nonzero,
    scatter,
    scatter_add,
    select,
    take,
    take_along_dim,
)
from .index import getitem, iterate, setitem
from .interpolate import interpolate, upsample, upsample_bilinear, upsample_nearest
from .join import (
    cat,
    chunk,
    column_stack,
    concat,
    concatenate,
    dstack,
    hstack,
    meshgrid,
    split,
    stack,
    tensor_split,
    unbind,
    vstack,
)
from .linalg import cdist, dist
from .linalg import norm as norm_of  # beside the module norm
from .loss import cross_entropy, mse_loss, nll_loss
from .matmul import addbmm, addmm, addmv, addr, baddbmm, bmm, dot, inner, kron, linear, matmul, mm, mv, outer
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
    bernoulli,
    bernoulli_,
    exponential_,
    multinomial,
    normal,
    normal_,
    rand,
    rand_like,
    randint,
    randint_like,
    randn,
    randn_like,
    random_,
    randperm,
    uniform_,
)
from .rearrange import flip, fliplr, flipud, repeat, repeat_interleave, roll, rot90, tile
from .recurrent import gru_cell, lstm_cell, rnn_relu_cell, rnn_tanh_cell
from .reduce import (
    all,
    amax,
    amin,
    aminmax,
    any_,
    argmax,
    argmin,
    contains,
    count_nonzero,
    logsumexp,
    max,
    mean,
    min,
    nanmean,
    nansum,
    sum,
    sum_to,
)
from .shape import (
    T,
    atleast_1d,
    atleast_2d,
    atleast_3d,
    broadcast_shapes,
    broadcast_tensors,
    broadcast_to,
    clone,
    contiguous,
    expand,
    expand_as,
    flatten,
    is_contiguous,
    moveaxis,
    movedim,
    mT,
    permute,
    ravel,
    reshape,
    squeeze,
    swapaxes,
    swapdims,
    t,
    transpose,
    unflatten,
    unsqueeze,
    view,
    view_as,
    windows,
)
from .shuffle import channel_shuffle, pixel_shuffle, pixel_unshuffle
from .softmax import log_softmax, softmax
from .sort import (
    argsort,
    bucketize,
    kthvalue,
    median,
    mode,
    msort,
    nanmedian,
    quantile,
    searchsorted,
    sort,
    topk,
    unique,
    unique_consecutive,
)
from .statistics import bincount, histc, std, std_mean, var, var_mean
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
    function.__name__: function
    for function in (
        # shape.py, join.py, rearrange.py, diagonal.py
        broadcast_to, movedim, ravel, chunk, split, tensor_split, unbind, fliplr, flipud, repeat, repeat_interleave,
        roll, rot90, tile, diag, diag_embed, diagflat, diagonal, fill_diagonal_, trace, tril, triu,
        # creation.py, random.py
        new_empty, new_tensor, bernoulli, bernoulli_, exponential_, multinomial, random_,
        # gather.py
        argwhere, gather, index_add, index_copy, index_fill, index_select, masked_fill, masked_scatter, masked_select,
        narrow, nonzero, scatter, scatter_add, select, take, take_along_dim,
        # reduce.py, cumulative.py, statistics.py, linalg.py, sort.py
        aminmax, count_nonzero, logsumexp, nanmean, nansum, cummax, cummin, cumprod, cumsum, prod, bincount, histc, std,
        var, dist, argsort, kthvalue, median, mode, msort, nanmedian, quantile, sort, topk, unique,
        unique_consecutive,
        # matmul.py
        addbmm, addmm, addmv, addr, baddbmm, bmm, dot, inner, kron, mv, outer,
    )
} | {
    operation.__name__ + "_": inplace.in_place(operation)
    for operation in (
        addbmm, addmm, addmv, addr, baddbmm, cumprod, cumsum, index_add, index_copy, index_fill, masked_fill,
        masked_scatter, scatter, scatter_add, tril, triu,
    )
} | {
    operation.__name__ + "_": inplace.reshape_in_place(operation)
    for operation in (squeeze, t, transpose, unsqueeze)
} | {
    "moveaxis": movedim, "norm": norm_of, "swapaxes": transpose, "swapdims": transpose, "unfold": windows,
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
