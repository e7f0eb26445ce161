"""Comparison and selection, element by element: which is larger, the larger of two, one or the other by a condition.

A comparison has no gradient. A selection passes its gradient to what was selected.
"""

from __future__ import annotations

import math
from typing import Any

from .. import dtypes, kernels
from ..autograd import Function, is_grad_enabled
from ..caller import warn
from ..tensor import Tensor, wrap
from .convert import cast
from .types import arrays, broadcast_shape, expect, floating, operands, result_type, values


class Compare(Function):
    """y = whether a has the relation to b, a bool; there is no gradient."""

    @staticmethod
    def forward(ctx: Any, a: Any, b: Any, relation: str) -> Tensor:
        backend, x, y = arrays(a, b)
        return wrap(backend.compare(x, y, relation))


def _comparison(relation: str, word: str) -> Any:
    def compare(input: Tensor, other: Any) -> Tensor:
        return Compare.apply(*operands(input, other, word), relation)

    compare.__name__ = compare.__qualname__ = word
    compare.__doc__ = (
        f"``input {relation} other``, element by element: a bool tensor of the broadcast shape. NaN equals nothing."
    )
    return compare


eq, ne = _comparison("==", "eq"), _comparison("!=", "ne")
lt, le = _comparison("<", "lt"), _comparison("<=", "le")
gt, ge = _comparison(">", "gt"), _comparison(">=", "ge")


def isnan(input: Tensor) -> Tensor:
    """bool: whether each element is NaN (which alone differs from itself)."""
    expect("isnan", input=input)
    return ne(input, input)


def isfinite(input: Tensor) -> Tensor:
    """bool: whether each element is neither infinite nor NaN."""
    expect("isfinite", input=input)
    return eq(input, input) if input.array.dtype.kind != "f" else lt(input.detach().abs(), math.inf)


def isposinf(input: Tensor) -> Tensor:
    """bool: whether each element is plus infinity."""
    expect("isposinf", input=input)
    return eq(input, math.inf)


def isneginf(input: Tensor) -> Tensor:
    """bool: whether each element is minus infinity."""
    expect("isneginf", input=input)
    return eq(input, -math.inf)


def isinf(input: Tensor) -> Tensor:
    """bool: whether each element is plus or minus infinity."""
    return where(isposinf(input), True, isneginf(input))


def isreal(input: Tensor) -> Tensor:
    """bool: whether each element has no imaginary part, which here is all of them."""
    expect("isreal", input=input)
    return input.new_ones(input.array.shape, dtype=dtypes.boolean)


def isclose(input: Tensor, other: Tensor, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Tensor:
    """bool: whether ``|input - other| <= atol + rtol * |other|``, element by element. Equal infinities are
    close; NaN is close to nothing (with ``equal_nan`` to NaN).

    Raises:
        RuntimeError: the dtypes differ, or a tolerance is negative.
    """
    expect("isclose", input=input, other=other)
    if input.array.dtype != other.array.dtype:
        raise RuntimeError(f"isclose: input is {input.dtype}, other is {other.dtype}")
    if not (rtol >= 0 and atol >= 0):
        raise RuntimeError(f"isclose: rtol and atol must not be negative, got {rtol} and {atol}")
    a, b = input.detach(), other.detach()
    close = eq(a, b)
    if equal_nan:
        close = where(close, True, where(isnan(a), isnan(b), False))
    a, b = floating(a), floating(b)
    distance = (a - b).abs()
    return where(close, True, where(isfinite(distance), le(distance, b.abs() * rtol + atol), False))


def allclose(input: Tensor, other: Tensor, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> bool:
    """Whether ``|input - other| <= atol + rtol * |other|`` everywhere; as :func:`isclose`."""
    return bool(isclose(input, other, rtol, atol, equal_nan).all())


def equal(input: Tensor, other: Tensor) -> bool:
    """Whether shape and all elements are the same."""
    expect("equal", input=input, other=other)
    return input.array.shape == other.array.shape and bool(eq(input, other).all())


# ------------------------------------------------------------------------------------------------------- by a condition


class Where(Function):
    """y = a where the condition holds, b elsewhere;  gy goes where y came from."""

    @staticmethod
    def forward(ctx: Any, condition: Tensor, a: Any, b: Any) -> Tensor:
        ctx.save_for_backward(condition)
        return wrap(kernels.of(condition.array).where(condition.array, *values(a, b)))

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> tuple:
        (condition,), need = ctx.saved_tensors, ctx.needs_input_grad
        return None, where(condition, gy, 0) if need[1] else None, where(condition, 0, gy) if need[2] else None


def where(condition: Tensor, input: Any = None, other: Any = None) -> Any:
    """``input`` where the bool tensor ``condition`` holds, ``other`` elsewhere; all three broadcast.

    Called with the condition alone it says where that holds: ``condition.nonzero(as_tuple=True)``. A uint8 condition,
    as older programs have it, holds where it is not 0.

    Raises:
        TypeError: ``condition`` is no tensor.
        RuntimeError: it is not bool; the shapes do not broadcast, or the tensors are on different devices.
    """
    if input is None and other is None:
        return condition.nonzero(as_tuple=True)
    if not isinstance(condition, Tensor):
        raise TypeError(f"where: condition must be a bool tensor, got {type(condition).__name__}")
    if condition.array.dtype.kind != "b":
        if condition.dtype is not dtypes.uint8:
            raise RuntimeError(f"where: condition must be a bool tensor, got {condition.dtype}")
        warn("where takes a uint8 tensor for a mask; use a bool tensor")
        condition = cast(condition, dtypes.boolean.numpy)
    if not isinstance(input, Tensor) and not isinstance(other, Tensor):
        input = condition.new_full((), input, dtype=result_type(input, other))
    a, b = operands(input, other, "where")
    for operand in (a, b):
        if isinstance(operand, Tensor):
            if type(operand.array) is not type(condition.array):
                raise RuntimeError(f"where: condition is on {condition.device}, what it selects on {operand.device}")
            broadcast_shape(condition.array.shape, operand.array.shape, "where")
    return Where.apply(condition, a, b)


def where_method(input: Tensor, condition: Tensor, other: Any) -> Tensor:
    """The elements of this tensor where ``condition`` holds, ``other`` elsewhere."""
    return where(condition, input, other)


def nan_to_num(
    input: Tensor, nan: float | None = 0.0, posinf: float | None = None, neginf: float | None = None
) -> Tensor:
    """``input`` with NaN replaced by ``nan``, and the infinities by the largest and smallest number of its type, or
    by ``posinf`` and ``neginf``. Integers stay as they are."""
    expect("nan_to_num", input=input)
    if input.array.dtype.kind != "f":
        return input.clone()
    limits = dtypes.finfo(input.dtype)
    x = where(isnan(input), 0.0 if nan is None else nan, input)
    x = where(isposinf(input), limits.max if posinf is None else posinf, x)
    return where(isneginf(input), limits.min if neginf is None else neginf, x)


# ---------------------------------------------------------------------------------------------- the larger, the smaller


class Maximum(Function):
    """y = max(a, b): gy goes to the larger; equals share it half and half, and beside NaN both get it, as in
    PyTorch."""

    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor) -> Tensor:
        ctx.save_for_backward(a, b)
        return wrap(kernels.of(a.array).maximum(a.array, b.array))

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> tuple:
        a, b = ctx.saved_tensors
        return _to_winner(gy, a, b, lt)


class Minimum(Function):
    """y = min(a, b): gy goes to the smaller, otherwise as for :class:`Maximum`."""

    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor) -> Tensor:
        ctx.save_for_backward(a, b)
        return wrap(kernels.of(a.array).minimum(a.array, b.array))

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> tuple:
        a, b = ctx.saved_tensors
        return _to_winner(gy, a, b, gt)


def _to_winner(gy: Tensor, a: Tensor, b: Tensor, loses: Any) -> tuple:
    share = where(eq(a, b), gy * 0.5, gy)
    return where(loses(a, b), 0, share), where(loses(b, a), 0, share)


def maximum(input: Tensor, other: Tensor) -> Tensor:
    """The larger of two tensors, element by element (NaN if either is); broadcast as in :func:`add`."""
    expect("maximum", input=input, other=other)
    return Maximum.apply(*operands(input, other, "maximum"))


def minimum(input: Tensor, other: Tensor) -> Tensor:
    """The smaller of two tensors, element by element (NaN if either is); broadcast as in :func:`add`."""
    expect("minimum", input=input, other=other)
    return Minimum.apply(*operands(input, other, "minimum"))


def fmax(input: Tensor, other: Tensor) -> Tensor:
    """The larger of two tensors; NaN counts as missing: only two of them give NaN. Equals are the first's."""
    expect("fmax", input=input, other=other)
    a, b = operands(input, other, "fmax")
    return where(where(ge(a, b), True, isnan(b)), a, b)


def fmin(input: Tensor, other: Tensor) -> Tensor:
    """The smaller of two tensors; NaN counts as missing: only two of them give NaN. Equals are the first's."""
    expect("fmin", input=input, other=other)
    a, b = operands(input, other, "fmin")
    return where(where(le(a, b), True, isnan(b)), a, b)


class Clamp(Function):
    """y = min(max(x, low), high);  gy goes to x where ``low <= x <= high`` (both ends included), else to the bound
    that y is. A bound is a tensor, a number or None."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, low: Any, high: Any) -> Tensor:
        tensors = [bound if isinstance(bound, Tensor) else None for bound in (low, high)]
        ctx.bounds = low if tensors[0] is None else None, high if tensors[1] is None else None
        ctx.simple = x.array.dtype.kind == "f" and tensors == [None, None]
        ctx.limits = -math.inf if low is None else low, math.inf if high is None else high
        ctx.save_for_backward(x, *tensors)
        backend, y = kernels.of(x.array), x.array
        if ctx.simple:
            return wrap(backend.activation(y, "clamp", *ctx.limits))
        if low is not None:
            y = backend.maximum(y, *values(low))
        return wrap(y if high is None else backend.minimum(y, *values(high)))

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> tuple:
        x, *tensors = ctx.saved_tensors
        if ctx.simple and not is_grad_enabled():
            return wrap(kernels.of(x.array).activation_gx(gy.array, x.array, "clamp", *ctx.limits)), None, None
        low, high = (number if tensor is None else tensor for number, tensor in zip(ctx.bounds, tensors, strict=True))
        gx, need = gy, ctx.needs_input_grad
        glow = ghigh = None
        if low is not None:
            gx = where(ge(x, low), gx, 0)
            glow = where(lt(x, low), gy, 0) if need[1] else None
        if high is not None:
            gx = where(le(x, high), gx, 0)
            ghigh = where(gt(x, high), gy, 0) if need[2] else None
        if need[1] and high is not None:  # where the bounds cross, the upper one holds
            glow = where(lt(low, high), glow, 0)
        if need[2] and low is not None:
            ghigh = where(gt(low, high), gy, ghigh)
        return gx, glow, ghigh


def clamp(input: Tensor, min: Any = None, max: Any = None) -> Tensor:
    """``input`` brought into ``[min, max]``; NaN if any of the three is. Where ``min > max``, ``max``.

    Args:
        input: any shape.
        min, max: numbers, tensors that broadcast to ``input``'s shape, or None for no bound. The result's type is the
            one in which all three meet.

    Raises:
        RuntimeError: neither bound is given.
        TypeError: one bound is a tensor, the other a number.
    """
    expect("clamp", input=input)
    if min is None and max is None:
        raise RuntimeError("clamp: at least one of min and max must be given")
    if min is not None and max is not None and isinstance(min, Tensor) != isinstance(max, Tensor):
        raise TypeError(
            f"clamp: min and max must both be numbers or both tensors, got {type(min).__name__} and "
            f"{type(max).__name__}"
        )
    low, high, dtype = min, max, None
    while dtype != input.array.dtype:  # till all three have met in one type
        dtype = input.array.dtype
        if min is not None:
            input, low = operands(input, min, "clamp")
        if max is not None:
            input, high = operands(input, max, "clamp")
    return Clamp.apply(input, low, high)


def clamp_min(input: Tensor, min: Any) -> Tensor:
    """``input``, at least ``min``."""
    return clamp(input, min)


def clamp_max(input: Tensor, max: Any) -> Tensor:
    """``input``, at most ``max``."""
    return clamp(input, None, max)


def heaviside(input: Tensor, values: Tensor) -> Tensor:
    """The step: 0 where ``input < 0`` (or NaN), 1 where ``input > 0``, and ``values`` at 0; broadcast, no gradient.

    Raises:
        RuntimeError: the types differ.
    """
    expect("heaviside", input=input, values=values)
    if input.dtype is not values.dtype:
        raise RuntimeError(f"heaviside: input is {input.dtype}, values are {values.dtype}")
    input, values = input.detach(), values.detach()
    return where(eq(input, 0), values, cast(gt(input, 0), input.array.dtype))
