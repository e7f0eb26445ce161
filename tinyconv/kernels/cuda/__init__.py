"""The CUDA backend: every kernel for GPUs, in Python, compiled by numba-cuda; or simulated, where there is no GPU.

The same names as in ``reference/``. Beneath them lie

* ``language.py``: what a kernel may say; ``kernel.py``: how it is registered; ``runtime.py``: how it is launched;
* ``array.py`` and ``allocator.py``: arrays in device memory;
* ``driver.py`` and ``compiler.py``: the real GPU;  ``simulator/``: one in Python.

With no GPU and no numba-cuda, ``tinyconv.cuda.simulated()`` runs all of it, slowly and checking every
step. Every kernel here is a pair: a function under ``@kernel``, what one thread does (``elementwise.map2``,
``reduce.fold_rows``), and one of the contract's functions, which takes arrays apart, makes the result with ``empty``
and calls ``launch``.
"""

import sys as _sys

from .. import register as _register
from .activation import activation, activation_gx
from .array import DeviceArray as _DeviceArray
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
from .conv import conv2d, conv2d_gw, conv2d_gx, fold, unfold
from .cumulative import cummax, cummin, cumprod, cumsum
from .decomposition import cholesky, det, eigh, lu, qr, slogdet, solve, svd
from .elementwise import (
    abs,
    add,
    add_,
    binary,
    compare,
    div,
    exp,
    log,
    logical_not,
    maximum,
    minimum,
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
    where,
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

_register("cuda", _DeviceArray, _sys.modules[__name__])
