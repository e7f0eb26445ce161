"""Comparison, logic and selection, element by element. Only a selection has a gradient: it goes where its value came
from."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import dtypes, kernels
from ..autograd import Function
from ..tensor import Tensor
from .types import arrays, broadcast_shape, operands, values


def _comparison(relation: str, word: str) -> Any:
    def compare(input: Any, other: Any) -> Tensor:
        a, b = operands(input, other, word)
        backend, x, y = arrays(a, b)
        return Tensor(backend.compare(x, y, relation))

    compare.__name__ = compare.__qualname__ = word
    compare.__doc__ = (
        f"``input {relation} other``, element by element: a bool tensor of the broadcast shape. NaN equals nothing."
    )
    return compare


eq, ne = _comparison("==", "eq"), _comparison("!=", "ne")
lt, le = _comparison("<", "lt"), _comparison("<=", "le")
gt, ge = _comparison(">", "gt"), _comparison(">=", "ge")


def logical_not(input: Tensor) -> Tensor:
    """bool: whether each element is zero."""
    return Tensor(kernels.of(input.array).logical_not(input.array))


def logical_and(input: Tensor, other: Tensor) -> Tensor:
    """bool: whether both elements are non-zero."""
    return where(ne(input, 0), ne(other, 0), False)


def logical_or(input: Tensor, other: Tensor) -> Tensor:
    """bool: whether either element is non-zero."""
    return where(ne(input, 0), True, ne(other, 0))


def logical_xor(input: Tensor, other: Tensor) -> Tensor:
    """bool: whether just one of the two elements is non-zero."""
    return ne(ne(input, 0), ne(other, 0))


def _of_masks(operation: Any, symbol: str) -> Any:
    def operator(input: Tensor, other: Any) -> Tensor:
        for operand in (input, other):
            if not isinstance(operand, bool) and not (isinstance(operand, Tensor) and operand.array.dtype.kind == "b"):
                raise TypeError(f"{symbol} combines bool tensors, such as (x > 0) {symbol} (x < 1)")
        return operation(input, other if isinstance(other, Tensor) else input.new_full((), other))

    operator.__name__ = operator.__qualname__ = {"&": "and", "|": "or", "^": "xor"}[symbol]
    operator.__doc__ = f"``input {symbol} other`` of bool tensors (a TypeError for others), element by element."
    return operator


mask_and, mask_or, mask_xor = _of_masks(logical_and, "&"), _of_masks(logical_or, "|"), _of_masks(logical_xor, "^")


class Where(Function):
    @staticmethod
    def forward(ctx: Any, condition: Tensor, a: Any, b: Any) -> Tensor:
        ctx.save_for_backward(condition)
        return Tensor(kernels.of(condition.array).where(condition.array, *values(a, b)))

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> tuple:
        (condition,), need = ctx.saved_tensors, ctx.needs_input_grad
        return None, where(condition, gy, 0) if need[1] else None, where(condition, 0, gy) if need[2] else None


def where(condition: Tensor, input: Any, other: Any) -> Tensor:
    """``input`` where the bool tensor ``condition`` holds, ``other`` elsewhere; all three broadcast.

    Raises:
        TypeError: ``condition`` is not bool.
    """
    if not isinstance(condition, Tensor) or condition.array.dtype.kind != "b":
        raise TypeError(
            f"where: condition must be a bool tensor, got {getattr(condition, 'dtype', type(condition).__name__)}"
        )
    if not isinstance(input, Tensor) and not isinstance(other, Tensor):
        kind = float if isinstance(input, float) or isinstance(other, float) else dtypes.int64
        input = condition.new_full((), input, dtype=dtypes.of(dtypes.as_numpy(kind)))
    a, b = operands(input, other, "where")
    for operand in (a, b):
        if isinstance(operand, Tensor):
            broadcast_shape(condition.array.shape, operand.array.shape, "where")
    return Where.apply(condition, a, b)


def allclose(input: Tensor, other: Tensor, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> bool:
    """Whether ``|input - other| <= atol + rtol * |other|`` everywhere."""
    return bool(np.allclose(input._host(), other._host(), rtol, atol, equal_nan))


def equal(input: Tensor, other: Tensor) -> bool:
    """Whether shape and all elements are the same."""
    return input.array.shape == other.array.shape and bool(math.prod(input.array.shape) == 0 or (input == other).all())
