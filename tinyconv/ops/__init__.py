"""WHAT each operation computes and what its gradient is: formulas only, never a loop.

There is a file for each noun. Each op is a :class:`~tinyconv.autograd.Function` whose docstring is its formula, and a
lower-case function beside it that checks the arguments and is what users call. The loops are in ``kernels/``, under the
same noun. Some files are about all operations instead:

* ``types.py`` brings operands to one type, shape and device, and checks arguments; ``windows.py`` checks those of
  convolution and pooling;
* ``inplace.py`` makes ``add_`` of ``add``, ``out.py`` adds ``out=``, ``spelling.py`` takes NumPy's ``axis`` for
  ``dim``, ``door.py`` makes clear errors of arguments that are no tensors;
* ``return_types.py`` has the named tuples; ``native.py``, ``older_linalg.py`` and ``typed.py`` what PyTorch has under
  older or second names;
* ``fused.py`` has several operations in one pass over memory;
* ``stubs.py`` writes ``tensor.pyi``.

This file gathers the operations, and gives tensors their operators and methods, from one table.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from numbers import Number
from typing import Any

import numpy as np

from ..tensor import Tensor
from . import door, inplace, out, return_types
from .activation import (
    celu,
    celu_,
    elu,
    elu_,
    gelu,
    glu,
    hardshrink,
    hardsigmoid,
    hardswish,
    hardtanh,
    hardtanh_,
    leaky_relu,
    leaky_relu_,
    logsigmoid,
    mish,
    prelu,
    relu,
    relu6,
    relu_,
    rrelu,
    rrelu_,
    selu,
    selu_,
    sigmoid,
    silu,
    softplus,
    softshrink,
    softsign,
    tanh,
    tanhshrink,
    threshold,
    threshold_,
)
from .attention import multi_head_attention_forward, scaled_dot_product_attention
from .bits import copysign, frexp, gcd, lcm, ldexp, nextafter, signbit
from .cholesky import cholesky_inverse, cholesky_solve
from .compare import (
    allclose,
    clamp,
    clamp_max,
    clamp_min,
    eq,
    equal,
    fmax,
    fmin,
    ge,
    gt,
    heaviside,
    isclose,
    isfinite,
    isinf,
    isnan,
    isneginf,
    isposinf,
    isreal,
    le,
    lt,
    maximum,
    minimum,
    nan_to_num,
    ne,
    where,
    where_method,
)
from .complex import angle, conj, real
from .conv import conv1d, conv2d, conv_transpose1d, conv_transpose2d
from .convert import (
    bool_,
    byte,
    char,
    cpu,
    cuda,
    double,
    float_,
    get_device,
    half,
    int_,
    is_complex,
    is_cpu,
    is_floating_point,
    is_nonzero,
    is_pinned,
    is_signed,
    itemsize,
    long,
    nbytes,
    ndimension,
    pin_memory,
    short,
    stride,
    to,
    type_,
    type_as,
    typename,
)
from .counts import binomial, poisson
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
    range,
    scalar_tensor,
    tensor,
    zeros,
    zeros_like,
)
from .ctc import ctc_loss
from .cumulative import (
    cummax,
    cummin,
    cumprod,
    cumprod_,
    cumsum,
    cumsum_,
    cumulative_trapezoid,
    diff,
    logcumsumexp,
    prod,
    trapezoid,
    vander,
)
from .decomposition import logdet
from .diagonal import (
    diag,
    diag_embed,
    diagflat,
    diagonal,
    diagonal_scatter,
    fill_diagonal_,
    trace,
    tril,
    tril_indices,
    triu,
    triu_indices,
)
from .distance import cosine_similarity, normalize, pairwise_distance
from .dropout import Dropout, alpha_dropout, dropout, dropout1d, dropout2d, dropout3d, feature_alpha_dropout
from .einsum import einsum, tensordot
from .elementary import (
    acos,
    acosh,
    asin,
    asinh,
    atan,
    atan2,
    atanh,
    ceil,
    cos,
    cosh,
    deg2rad,
    erf,
    erfc,
    exp,
    exp2,
    expm1,
    float_power,
    floor,
    frac,
    hypot,
    log,
    log1p,
    log2,
    log10,
    logaddexp,
    logaddexp2,
    logit,
    rad2deg,
    round,
    rsqrt,
    sin,
    sinc,
    sinh,
    sqrt,
    tan,
    trunc,
    xlogy,
)
from .elementwise import (
    abs,
    add,
    addcdiv,
    addcmul,
    div,
    floor_divide,
    fmod,
    lerp,
    mul,
    neg,
    positive,
    pow,
    rdiv,
    reciprocal,
    remainder,
    rfloor_divide,
    rpow,
    rremainder,
    rsub,
    sign,
    square,
    sub,
)
from .embedding import embedding, embedding_bag, one_hot
from .exchange import dlpack, dlpack_device, from_dlpack, frombuffer, to_dlpack
from .finite_differences import gradient
from .fold import fold, unfold
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
    nonzero_static,
    put,
    scatter,
    scatter_add,
    select,
    select_scatter,
    slice_scatter,
    take,
    take_along_dim,
    unravel_index,
)
from .grid import affine_grid, grid_sample
from .index import getitem, index_put, index_put_, iterate, setitem
from .interpolate import interpolate, upsample, upsample_bilinear, upsample_nearest
from .join import (
    block_diag,
    cartesian_prod,
    cat,
    chunk,
    column_stack,
    combinations,
    concat,
    concatenate,
    dsplit,
    dstack,
    hsplit,
    hstack,
    meshgrid,
    row_stack,
    split,
    split_of,
    split_with_sizes,
    stack,
    tensor_split,
    unbind,
    vsplit,
    vstack,
)
from .linalg import cdist, cross, dist, pdist, renorm
from .linalg import norm as norm_of  # beside the module norm
from .logic import (
    bitwise_and,
    bitwise_left_shift,
    bitwise_not,
    bitwise_or,
    bitwise_right_shift,
    bitwise_xor,
    logical_and,
    logical_not,
    logical_or,
    logical_xor,
    reversed_left_shift,
    reversed_right_shift,
)
from .loss import cross_entropy, nll_loss
from .lu import lu_unpack
from .margin_loss import (
    cosine_embedding_loss,
    hinge_embedding_loss,
    margin_ranking_loss,
    multi_margin_loss,
    multilabel_margin_loss,
    multilabel_soft_margin_loss,
    soft_margin_loss,
    triplet_margin_loss,
    triplet_margin_with_distance_loss,
)
from .matmul import (
    addbmm,
    addmm,
    addmv,
    addr,
    baddbmm,
    bilinear,
    bmm,
    dot,
    ger,
    inner,
    kron,
    linear,
    matmul,
    mm,
    mv,
    outer,
    vdot,
)
from .matrix_products import matrix_power
from .norm import batch_norm, group_norm, instance_norm, layer_norm, local_response_norm, rms_norm
from .older_linalg import cholesky, det, inverse, lu_solve, matrix_exp, pinverse, qr, slogdet, svd
from .pad import pad
from .pool import (
    adaptive_avg_pool1d,
    adaptive_avg_pool2d,
    adaptive_max_pool1d,
    adaptive_max_pool1d_with_indices,
    adaptive_max_pool2d,
    adaptive_max_pool2d_with_indices,
    avg_pool1d,
    avg_pool2d,
    lp_pool1d,
    lp_pool2d,
    max_pool1d,
    max_pool1d_with_indices,
    max_pool2d,
    max_pool2d_with_indices,
)
from .probability_loss import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    gaussian_nll_loss,
    kl_div,
    poisson_nll_loss,
)
from .random import (
    bernoulli,
    bernoulli_,
    cauchy_,
    exponential_,
    geometric_,
    log_normal_,
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
from .regression_loss import huber_loss, l1_loss, mse_loss, smooth_l1_loss
from .scatter_reduce import index_reduce, scatter_reduce
from .shape import (
    H,
    T,
    adjoint,
    atleast_1d,
    atleast_2d,
    atleast_3d,
    broadcast_shapes,
    broadcast_tensors,
    broadcast_to,
    clone,
    contiguous,
    detach,
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
    reshape_as,
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
from .softmax import gumbel_softmax, log_softmax, softmax, softmin
from .sort import (
    argsort,
    bucketize,
    isin,
    kthvalue,
    median,
    mode,
    msort,
    nanmedian,
    nanquantile,
    quantile,
    searchsorted,
    sort,
    topk,
    unique,
    unique_consecutive,
)
from .special import digamma, erfinv, i0, lgamma, mvlgamma, polygamma, polygamma_method
from .spelling import numpy_spelled
from .statistics import bincount, corrcoef, cov, histc, histogram, std, std_mean, var, var_mean
from .storage import (
    apply_,
    as_strided,
    data_ptr,
    empty_strided,
    is_inference,
    is_meta,
    is_nested,
    is_quantized,
    is_shared,
    is_sparse,
    layout,
    map_,
    new,
    new_empty_strided,
    resize_,
    resize_as_,
    share_memory_,
    storage,
    storage_offset,
    untyped_storage,
)
from .typed import (
    BoolTensor,
    ByteTensor,
    CharTensor,
    DoubleTensor,
    FloatTensor,
    HalfTensor,
    IntTensor,
    LongTensor,
    ShortTensor,
)
from .types import result_type
from .unpool import max_unpool1d, max_unpool2d, max_unpool3d
from .volume import (
    adaptive_avg_pool3d,
    adaptive_max_pool3d,
    adaptive_max_pool3d_with_indices,
    avg_pool3d,
    conv3d,
    conv_transpose3d,
    lp_pool3d,
    max_pool3d,
    max_pool3d_with_indices,
)
from .window_functions import bartlett_window, blackman_window, hamming_window, hann_window, kaiser_window


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
        "__truediv__": div, "__rtruediv__": rdiv, "__floordiv__": floor_divide, "__rfloordiv__": rfloor_divide,
        "__mod__": remainder, "__rmod__": rremainder, "__pow__": pow, "__rpow__": rpow, "__matmul__": matmul,
        "__eq__": eq, "__ne__": ne, "__lt__": lt, "__le__": le, "__gt__": gt, "__ge__": ge,
        "__and__": bitwise_and, "__rand__": bitwise_and, "__or__": bitwise_or, "__ror__": bitwise_or,
        "__xor__": bitwise_xor, "__rxor__": bitwise_xor, "__lshift__": bitwise_left_shift,
        "__rlshift__": reversed_left_shift, "__rshift__": bitwise_right_shift, "__rrshift__": reversed_right_shift,
    }.items()
} | {
    "__neg__": neg, "__pos__": positive, "__abs__": abs, "__invert__": bitwise_not,
    "__getitem__": getitem, "__setitem__": setitem, "__iter__": iterate, "__contains__": contains,
    "__iadd__": inplace.add_, "__isub__": inplace.sub_, "__imul__": inplace.mul_,
    "__itruediv__": inplace.in_place(div), "__ipow__": inplace.in_place(pow),
    "__ifloordiv__": inplace.in_place(floor_divide), "__imod__": inplace.in_place(remainder),
    "__iand__": inplace.in_place(bitwise_and), "__ior__": inplace.in_place(bitwise_or),
    "__ixor__": inplace.in_place(bitwise_xor), "__ilshift__": inplace.in_place(bitwise_left_shift),
    "__irshift__": inplace.in_place(bitwise_right_shift),
}  # fmt: skip

# What PyTorch calls by a second name.
absolute, negative, subtract, multiply, divide, true_divide = abs, neg, sub, mul, div, div
arcsin, arccos, arctan, arctan2, arcsinh, arccosh, arctanh = asin, acos, atan, atan2, asinh, acosh, atanh
clip, fix, sgn = clamp, trunc, sign
trapz = trapezoid
not_equal, less, less_equal, greater, greater_equal = ne, lt, le, gt, ge

# Element by element: functions of a tensor that have an in-place form too.
ELEMENTWISE = {
    operation.__name__: operation
    for operation in (
        abs, acos, acosh, addcdiv, addcmul, asin, asinh, atan, atan2, atanh, bitwise_and, bitwise_left_shift,
        bitwise_not, bitwise_or, bitwise_right_shift, bitwise_xor, ceil, clamp, clamp_max, clamp_min, copysign, cos,
        cosh, deg2rad, digamma, div, eq, erf, erfc, erfinv, exp, exp2, expm1, float_power, floor, floor_divide, fmod,
        frac, gcd, ge, gt, heaviside, hypot, i0, lcm, ldexp, le, lerp, lgamma, log, log10, log1p, log2, logical_and,
        logical_not, logical_or, logical_xor, logit, lt, mvlgamma, nan_to_num, ne, neg, nextafter, pow, rad2deg,
        reciprocal, relu, remainder, round, rsqrt, sigmoid, sign, sin, sinc, sinh, sqrt, square, tan, tanh, trunc,
        xlogy,
    )
} | {
    "absolute": abs, "arccos": acos, "arccosh": acosh, "arcsin": asin, "arcsinh": asinh, "arctan": atan,
    "arctan2": atan2, "arctanh": atanh, "clip": clamp, "divide": div, "fix": trunc, "greater": gt, "greater_equal": ge,
    "less": lt, "less_equal": le, "negative": neg, "not_equal": ne, "sgn": sign, "true_divide": div,
}  # fmt: skip

# What becomes a method: of the same name; in place; of a name that is taken here, or a second one; element by element.
METHODS = {
    function.__name__: function
    for function in (
        add, addbmm, addmm, addmv, addr, adjoint, all, allclose, amax, amin, aminmax, angle, apply_, argmax, argmin,
        argsort, argwhere, as_strided, baddbmm, bernoulli, bernoulli_, bincount, bmm, broadcast_to, byte, cauchy_, char,
        cholesky, cholesky_inverse, cholesky_solve, chunk, clone, conj, contiguous, corrcoef, count_nonzero, cov, cpu,
        cross, cuda, cummax, cummin, cumprod, cumprod_, cumsum, cumsum_, data_ptr, det, diag, diag_embed, diagflat,
        diagonal, diagonal_scatter, diff, dist, dot, double, dsplit, equal, expand, expand_as, exponential_,
        fill_diagonal_, flatten, flip, fliplr, flipud, fmax, fmin, frexp, gather, geometric_, get_device, half,
        hardshrink, histc, histogram, hsplit, index_add, index_copy, index_fill, index_put, index_put_, index_reduce,
        index_select, inner, inverse, is_complex, is_contiguous, is_inference, is_nonzero, is_pinned, is_shared,
        is_signed, isclose, isfinite, isinf, isnan, isneginf, isposinf, isreal, kron, kthvalue, log_normal_,
        log_softmax, logaddexp, logaddexp2, logcumsumexp, logdet, logsumexp, long, lu_solve, map_, masked_fill,
        masked_scatter, masked_select, matmul, matrix_exp, matrix_power, max, maximum, mean, median, min, minimum, mm,
        mode, movedim, msort, mul, multinomial, mv, nanmean, nanmedian, nanquantile, nansum, narrow, ndimension, new,
        new_empty, new_empty_strided, new_full, new_ones, new_tensor, new_zeros, nonzero, nonzero_static, outer,
        permute, pin_memory, pinverse, positive, prelu, prod, put, qr, quantile, random_, ravel, renorm, repeat,
        repeat_interleave, reshape, reshape_as, resize_, resize_as_, roll, rot90, scatter, scatter_add, scatter_reduce,
        select, select_scatter, share_memory_, short, signbit, slice_scatter, slogdet, softmax, sort, split_with_sizes,
        squeeze, std, storage, storage_offset, stride, sub, sum, svd, t, take, take_along_dim, tensor_split, tile, to,
        topk, trace, transpose, tril, triu, type_as, unbind, unflatten, unique, unique_consecutive, unsqueeze,
        untyped_storage, var, view, view_as, vsplit,
    )
} | {
    operation.__name__ + "_": inplace.in_place(operation, composed=operation in (index_reduce, renorm, scatter_reduce))
    for operation in (
        addbmm, addmm, addmv, addr, baddbmm, index_add, index_copy, index_fill, index_reduce, masked_fill,
        masked_scatter, put, renorm, scatter, scatter_add, scatter_reduce, tril, triu,
    )
} | {
    operation.__name__ + "_": inplace.reshape_in_place(operation)
    for operation in (squeeze, swapaxes, swapdims, t, transpose, unsqueeze)
} | {
    "__dlpack__": dlpack, "__dlpack_device__": dlpack_device,
    "polygamma": polygamma_method, "polygamma_": inplace.in_place(polygamma_method, "polygamma", composed=True),
    "moveaxis": movedim, "norm": norm_of, "split": split_of, "swapaxes": swapaxes, "swapdims": transpose,
    "unfold": windows, "ger": outer, "vdot": vdot,
    "any": any_, "bool": bool_, "float": float_, "int": int_, "sum_to_size": sum_to,
    "multiply": mul, "subtract": sub, "type": type_, "where": where_method, "multiply_": inplace.mul_,
    "subtract_": inplace.sub_,
    "add_": inplace.add_, "sub_": inplace.sub_, "mul_": inplace.mul_, "fill_": inplace.fill_, "zero_": inplace.zero_,
    "copy_": inplace.copy_, "uniform_": uniform_, "normal_": normal_,
    "dropout_": inplace.in_place(Dropout.apply, "dropout"),
} | ELEMENTWISE | {
    f"{name}_": inplace.in_place(operation, name, composed=operation in (copysign, div, i0, logit, mvlgamma, sinc))
    for name, operation in ELEMENTWISE.items()
}  # fmt: skip

for _table in (METHODS, globals()):
    _table.update({
        _name: numpy_spelled(_function)
        for _name, _function in _table.items()
        if getattr(_function, "__module__", "").startswith(__name__) and not isinstance(_function, type)
    })  # fmt: skip

PROPERTIES = {
    "H": H, "T": T, "is_cpu": is_cpu, "is_meta": is_meta, "is_nested": is_nested, "is_quantized": is_quantized,
    "is_sparse": is_sparse, "itemsize": itemsize, "layout": layout, "mH": adjoint, "mT": mT, "nbytes": nbytes,
    "real": real,
}  # fmt: skip

for _name, _function in {**OPERATORS, **METHODS}.items():
    setattr(Tensor, _name, _function)
for _name, _function in PROPERTIES.items():
    setattr(Tensor, _name, property(_function))
