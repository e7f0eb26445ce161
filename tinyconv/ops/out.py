"""``out=``: the tensor that a result is written into, ``tinyconv.add(x, y, out=z)``.

One step at the public door: the function computes as ever, then ``out`` takes the value of its result and is returned
in its place. So no function knows of it; and what it spares a program is a name, not memory.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable
from typing import Any

from ..autograd import is_grad_enabled, no_grad, overwrite
from ..tensor import Tensor
from .storage import resize_

# The functions that take it, as PyTorch has them. The result of these is cast to the type of ``out``, if that is of the
# same kind (bool < int < float) or a higher one. Those with a ``dtype`` compute in that type from the start, except
# ``mean``, ``nanmean`` and ``normal``, whose arguments have the say.
CASTS = frozenset({
    "acos", "acosh", "add", "addcdiv", "addcmul", "addr", "angle", "arange", "arccos", "arccosh", "arcsin", "arcsinh",
    "arctan", "arctan2", "arctanh", "asin", "asinh", "atan", "atan2", "atanh", "bernoulli", "bitwise_and",
    "bitwise_left_shift", "bitwise_or", "bitwise_right_shift", "bitwise_xor", "cat", "cholesky_inverse",
    "cholesky_solve", "clamp", "clamp_max", "clamp_min", "clip", "column_stack", "concat", "concatenate", "copysign",
    "cos", "cosh", "cumprod", "cumsum", "deg2rad", "diff", "digamma", "div", "divide", "dstack", "empty", "eq", "erf",
    "erfc", "erfinv", "exp", "exp2", "expm1", "eye", "float_power", "floor_divide", "fmax", "fmin", "fmod", "full",
    "gcd", "ge", "ger", "greater", "greater_equal", "gt", "hstack", "hypot", "i0", "kron", "lcm", "ldexp", "le", "lerp",
    "less", "less_equal", "lgamma", "linspace", "log", "log10", "log1p", "log2", "logaddexp", "logaddexp2",
    "logical_and", "logical_not", "logical_or", "logical_xor", "logit", "logspace", "logsumexp", "lt", "max", "maximum",
    "mean", "min", "minimum", "mul", "multiply", "mvlgamma", "nanmean", "nansum", "ne", "nextafter", "normal",
    "not_equal", "ones", "outer", "polygamma", "pow", "prod", "rad2deg", "rand", "randint", "randn", "randperm",
    "range", "reciprocal", "remainder", "row_stack", "rsqrt", "sigmoid", "sin", "sinc", "sinh", "sqrt", "square",
    "stack", "std", "sub", "subtract", "sum", "tan", "tanh", "threshold", "true_divide", "var", "vstack", "xlogy",
    "zeros",
})  # fmt: skip
# The result of these must be of the type of ``out``.
EXACT = frozenset({
    "abs", "absolute", "addbmm", "addmm", "addmv", "all", "amax", "amin", "aminmax", "any", "argmax", "argmin",
    "baddbmm", "bitwise_not", "bmm", "bucketize", "ceil", "cholesky", "cross", "cummax", "cummin", "diag", "dot", "fix",
    "floor", "frac", "frexp", "gather", "hardshrink", "heaviside", "histc", "histogram", "index_add", "index_copy",
    "index_reduce", "index_select", "inner", "inverse", "isin", "isneginf", "isposinf", "kthvalue", "log_softmax",
    "logcumsumexp", "lu_solve", "lu_unpack", "masked_select", "matmul", "matrix_power", "median", "mm", "mode", "msort",
    "multinomial", "mv", "nan_to_num", "nanmedian", "nanquantile", "neg", "negative", "nonzero", "nonzero_static",
    "norm", "qr", "quantile", "renorm", "round", "scatter", "scatter_add", "scatter_reduce", "searchsorted", "sgn",
    "sign", "signbit", "slice_scatter", "slogdet", "softmax", "sort", "svd", "take", "take_along_dim", "tensordot",
    "topk", "tril", "triu", "trunc", "vdot", "where",
})  # fmt: skip
OF_THEIR_ARGUMENTS = frozenset(("mean", "nanmean", "normal"))


def _check(out: Any, result: Tensor, name: str, exact: bool) -> None:
    """Check that ``result`` can be written into ``out``.

    Raises:
        TypeError: ``out`` is no tensor.
        RuntimeError: a gradient would get lost; another device or shape; another type, where it must be ``exact``.
    """
    if not isinstance(out, Tensor):
        raise TypeError(f"{name}: out must be a tensor, got {type(out).__name__}")
    if is_grad_enabled() and (out.requires_grad or result.requires_grad):
        raise RuntimeError(
            f"{name}: functions with out=... do not support automatic differentiation, but an argument requires grad; "
            "leave out= away, or compute under no_grad()"
        )
    if type(out.array) is not type(result.array):
        raise RuntimeError(f"{name}: out is on {out.device}, the result on {result.device}")
    if exact and out.array.dtype != result.array.dtype:
        raise RuntimeError(f"{name}: out must be {result.dtype}, got {out.dtype}")
    if out.array.shape != result.array.shape and out.numel():
        raise RuntimeError(
            f"{name}: out must have shape {tuple(result.array.shape)} or be empty, got shape "
            f"{tuple(out.array.shape)}; out.resize_(0) makes it so"
        )


def write(out: Any, result: Any, name: str, exact: bool = False) -> Any:
    """``out`` with the value of ``result``; an empty ``out`` takes its shape, too.

    Args:
        out: a tensor, or as many as there are results.
        result: a tensor, or a tuple of them, whose types are those of ``out``.
        name: what an error calls the function.
        exact: whether the types must be the same; else the result is cast as it is in place.

    Returns:
        ``out``, as a tuple of the results' class if there are several.

    Raises:
        TypeError: ``out`` is something else.
        RuntimeError: a gradient would get lost; another device or shape; a type that the result is not cast to.
    """
    several = isinstance(result, tuple)
    if several and (not isinstance(out, (tuple, list)) or len(out) != len(result)):
        raise TypeError(f"{name}: out must be {len(result)} tensors, one for each result")
    pairs = list(zip(out, result)) if several else [(out, result)]
    for o, r in pairs:
        _check(o, r, name, exact or several)
    with no_grad():
        for o, r in pairs:
            overwrite(o if o.array.shape == r.array.shape else resize_(o, r.array.shape), r, name)
    return getattr(type(result), "_make", tuple)(out) if several else out


@functools.cache
def with_out(function: Callable, exact: bool) -> Callable:
    """``function``, which takes ``out``: a tensor, or as many as it has results; ``exact`` as in :func:`write`."""
    plain = inspect.unwrap(function)
    name = plain.__name__.rstrip("_")
    own = inspect.signature(plain).parameters

    @functools.wraps(function)
    def call(*args: Any, out: Any = None, **kwargs: Any) -> Any:
        if out is None:
            return function(*args, **kwargs)
        leaf = kwargs.pop("requires_grad", False)  # of what is made from nothing
        if isinstance(out, Tensor) and not exact and name not in OF_THEIR_ARGUMENTS:
            if "dtype" in own and (kwargs.get("dtype") or out.dtype) is not out.dtype:
                raise RuntimeError(f"{name}: dtype is {kwargs['dtype']}, but out is {out.dtype}")
            kwargs |= {option: getattr(out, option) for option in ("dtype", "device")
                       if option in own and kwargs.get(option) is None}  # fmt: skip
        written = write(out, function(*args, **kwargs), name, exact)
        return written.requires_grad_() if leaf else written

    kind = inspect.Parameter.KEYWORD_ONLY
    places = list(inspect.signature(function).parameters.values())
    at = next((i for i, p in enumerate(places) if p.kind is inspect.Parameter.VAR_KEYWORD), len(places))
    places.insert(at, inspect.Parameter("out", kind, default=None, annotation="Any"))
    call.__signature__ = inspect.signature(function).replace(parameters=places)  # type: ignore[attr-defined]
    return call


def let_take_out(door: dict[str, Any], casts: Iterable[str], exact: Iterable[str]) -> None:
    """Let functions of a public module, ``door``, take ``out``: their results are cast to its type, or must have it."""
    door.update({name: with_out(door[name], exact=False) for name in casts})
    door.update({name: with_out(door[name], exact=True) for name in exact})
