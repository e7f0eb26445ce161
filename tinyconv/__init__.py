"""tinyconv: a deep-learning engine small enough to read in a weekend.

The public names are PyTorch's: ``tinyconv.tensor``, ``tinyconv.nn``, ``tinyconv.optim``, ... Where to start reading:
``tensor.py`` and ``autograd/`` (the engine), then ``ops/conv.py`` (what a convolution and its gradients are) and
its twins ``kernels/reference/conv.py`` (the obvious loops) and ``kernels/cpu/conv.py`` (the fast ones).
"""

from importlib import import_module as _import_module

from . import autograd, dtypes, gradcheck, nn, ops, optim, utils
from .autograd import enable_grad, inference_mode, is_grad_enabled, no_grad, set_grad_enabled
from .dtypes import (
    dtype,
    finfo,
    float16,
    float32,
    float64,
    get_default_dtype,
    iinfo,
    int8,
    int16,
    int32,
    int64,
    promote_types,
    set_default_dtype,
    uint8,
)
from .kernels import get_num_threads, set_num_threads, use_kernels
from .ops import (
    abs,
    adaptive_avg_pool1d,
    adaptive_max_pool1d,
    add,
    all,
    allclose,
    amax,
    amin,
    arange,
    argmax,
    argmin,
    as_tensor,
    avg_pool1d,
    batch_norm,
    cat,
    clone,
    conv1d,
    conv2d,
    conv_transpose1d,
    conv_transpose2d,
    div,
    dropout,
    empty,
    empty_like,
    eq,
    equal,
    exp,
    eye,
    flatten,
    flip,
    from_numpy,
    full,
    full_like,
    ge,
    group_norm,
    gru_cell,
    gt,
    instance_norm,
    is_tensor,
    layer_norm,
    le,
    linspace,
    log,
    log_softmax,
    logical_and,
    logical_not,
    logical_or,
    logical_xor,
    lstm_cell,
    lt,
    matmul,
    max,
    max_pool1d,
    maximum,
    mean,
    min,
    minimum,
    mm,
    mul,
    ne,
    neg,
    normal,
    numel,
    ones,
    ones_like,
    permute,
    pow,
    rand,
    rand_like,
    randint,
    randn,
    randn_like,
    randperm,
    relu,
    reshape,
    rms_norm,
    rnn_relu_cell,
    rnn_tanh_cell,
    sigmoid,
    sign,
    softmax,
    sqrt,
    squeeze,
    stack,
    sub,
    sum,
    t,
    tanh,
    tensor,
    transpose,
    unsqueeze,
    where,
    zeros,
    zeros_like,
)
from .ops import (
    any_ as any,
)
from .random import Generator, default_generator, get_rng_state, initial_seed, manual_seed, seed, set_rng_state
from .serialization import load, save
from .tensor import Size, Tensor, device

__version__ = "0.1.0"

autograd.gradcheck, autograd.gradgradcheck = (
    gradcheck.gradcheck,
    gradcheck.gradgradcheck,
)  # they stand on ops, it does not

float, double, half = float32, float64, float16  # PyTorch's other names for the types
int, long, short = int32, int64, int16
bool = dtypes.boolean


def __getattr__(name):
    """``tinyconv.vision`` and ``tinyconv.training`` need no import of their own, and cost one only where used."""
    if name in ("training", "vision"):
        return _import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
