"""The reference backend: every kernel in plain NumPy, written to be read, not to be fast.

Read it before ``cpu/``, whose files have the same names. ``contract.py`` says what each function means; here it is as
close to the formula as NumPy allows. Sums of float32 run in float64 and are rounded once, at the end (``reduce.wide``),
so that this backend can be the yardstick for the others.
"""

from .activation import activation, activation_gx
from .arrays import (
    address,
    arange,
    as_strided,
    assign,
    broadcast_to,
    cast,
    cat,
    copy,
    diagonal,
    empty,
    eye,
    flip,
    from_host,
    full,
    is_contiguous,
    permute,
    reinterpret,
    sliding_windows,
    storage,
    strides,
    to_host,
    view,
)
from .compare import compare, maximum, minimum, where
from .conv import conv2d, conv2d_gw, conv2d_gx, fold, unfold
from .cumulative import cummax, cummin, cumprod, cumsum
from .decomposition import cholesky, det, eigh, lu, qr, slogdet, solve, svd
from .elementwise import (
    abs,
    add,
    add_,
    binary,
    div,
    exp,
    log,
    logical_not,
    mul,
    mul_,
    neg,
    pow,
    relu,
    relu_gx,
    sigmoid,
    sigmoid_gx,
    sign,
    sqrt,
    sub,
    tanh,
    tanh_gx,
    unary,
)
from .fused import (
    conv2d_relu_max_pool2d,
    linear_gradients,
    linear_relu,
    max_pool2d_conv2d_gw,
    max_pool2d_conv2d_gx,
)
from .index import getitem, index_add, setitem
from .matmul import linear, matmul
from .norm import batch_norm, batch_norm_gx, batch_norm_train, layer_norm, layer_norm_gx
from .optim import adam, sgd
from .pool import (
    avg_pool2d,
    avg_pool2d_gx,
    max_pool2d,
    max_pool2d_gather,
    max_pool2d_gx,
    max_pool2d_indices,
)
from .random import dropout, normal, randint, randperm, uniform
from .recurrent import lstm, lstm_gx
from .reduce import amax, amin, argmax, argmin, prod, sum
from .softmax import (
    cross_entropy,
    cross_entropy_gx,
    log_softmax,
    log_softmax_gx,
    nll_loss,
    nll_loss_gx,
    softmax,
    softmax_gx,
)
from .sort import sort
from .special import special
