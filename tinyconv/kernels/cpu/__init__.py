"""The CPU backend: every kernel as Numba loops, in parallel, for machines with and without AVX-512.

The same names as in ``reference/``, whose files say what is computed; these say what had to change to be fast. Beneath
them lie

* ``compile.py`` (Numba and its cache), ``parallel.py`` (threads), ``target.py`` (this machine's vectors), ``memory.py``
  (keeping it), ``sizes.py`` and ``array_ids.py`` (how kernels get their sizes, and arrays where there are many);
* ``vectors.py``: the instructions in which the innermost loops are written, where Numba alone does not find vectors;
* those loops: ``tile.py`` (matrix products), ``lanes.py`` and ``lane_tiles.py`` (convolutions), ``blocks.py``,
  ``windows_3x3.py`` and ``windows.py`` (pooling), ``totals.py`` (sums and maxima), ``channels.py`` (normalization),
  ``philox.py`` (random numbers);
* ``conv_plan.py``: how a convolution is cut into work items; read it between ``conv.py``, which chooses the way, and
  ``conv_images.py``, ``conv_channels.py``, ``conv_planes.py`` and ``winners.py``, which compute.

Results are bit-identical for any number of threads, but for what NumPy's LAPACK computes (``solve``, ``svd``, ``det``
and their kin), which has threads of its own.
"""

from ..reference.decomposition import cholesky, det, eigh, lu, qr, slogdet, solve, svd
from ..reference.special import special
from . import memory as _memory
from . import parallel as _parallel
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
from .arrays import lasting as empty
from .compare import compare, maximum, minimum, where
from .conv import conv2d, conv2d_gw, conv2d_gx, fold, unfold
from .cumulative import cummax, cummin, cumprod, cumsum
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

_memory.keep_freed_memory()
_parallel.set_num_threads(_parallel.default_threads())
