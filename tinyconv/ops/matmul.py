"""Matrix products.

For y = a @ b, a small change da moves y by da @ b, so the gradient that flows back to a is gy @ b^T, and likewise a^T
@ gy to b: matrix products again. A linear layer is one with its weight transposed, y = x w^T + b.
"""

from __future__ import annotations

from typing import Any

from .. import kernels
from ..autograd import Function
from ..tensor import Tensor
from .reduce import Sum
from .shape import Permute, reshape, squeeze, unsqueeze
from .types import broadcast_shape, operands, same_type


def _transposed(x: Tensor) -> Tensor:
    """The last two axes exchanged (a view: the kernels read it as it lies)."""
    n = x.array.ndim
    return Permute.apply(x, (*range(n - 2), n - 1, n - 2))


class MatMul(Function):
    """y = a @ b;  ga = gy @ b^T,  gb = a^T @ gy, summed over the batch axes that were broadcast. (Of matrices, these
    are a linear layer and its weight gradient.)"""

    fresh_gradients = True

    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor) -> Tensor:
        need = ctx.needs_input_grad
        ctx.save_for_backward(a if need[1] else None, b if need[0] else None)
        return Tensor(kernels.of(a.array).matmul(a.array, b.array))

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> tuple:
        a, b = ctx.saved_tensors
        if gy.array.ndim == 2:
            return None if b is None else Linear.apply(gy, b, None), None if a is None else LinearGw.apply(a, gy)
        return (
            None if b is None else MatMul.apply(gy, _transposed(b)),
            None if a is None else MatMul.apply(_transposed(a), gy),
        )


class Linear(Function):
    """y = x w^T + b;  gx = gy @ w,  gw = gy^T @ x (:class:`LinearGw`),  gb = sum of gy over the rows."""

    fresh_gradients = True

    @staticmethod
    def forward(ctx: Any, x: Tensor, w: Tensor, b: Tensor | None) -> Tensor:
        need = ctx.needs_input_grad
        ctx.save_for_backward(x if need[1] else None, w if need[0] else None)
        return Tensor(kernels.of(x.array).linear(x.array, w.array, None if b is None else b.array))

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> tuple:
        x, w = ctx.saved_tensors
        return (
            None if w is None else MatMul.apply(gy, w),
            None if x is None else LinearGw.apply(gy, x),
            Sum.apply(gy, (0,), False) if ctx.needs_input_grad[2] else None,
        )


class LinearGw(Function):
    """gw = gy^T @ x;  ggy = x @ ggw^T,  gx = gy @ ggw: again a linear layer and a product."""

    @staticmethod
    def forward(ctx: Any, gy: Tensor, x: Tensor) -> Tensor:
        need, backend = ctx.needs_input_grad, kernels.of(x.array)
        ctx.save_for_backward(gy if need[1] else None, x if need[0] else None)
        return Tensor(backend.matmul(backend.permute(gy.array, (1, 0)), x.array))

    @staticmethod
    def backward(ctx: Any, ggw: Tensor) -> tuple:
        gy, x = ctx.saved_tensors
        return (
            None if x is None else Linear.apply(x, ggw, None),
            None if gy is None else MatMul.apply(gy, ggw),
        )


def matmul(input: Tensor, other: Tensor) -> Tensor:
    """The matrix product, with NumPy's and PyTorch's rules: 1-D operands are a row or a column, leading axes broadcast.

    Args:
        input: ``(..., M, K)`` or ``(K,)``.
        other: ``(..., K, N)`` or ``(K,)``.

    Raises:
        RuntimeError: a 0-d operand, different dtypes, or sizes that do not fit.
    """
    if not isinstance(input, Tensor) or not isinstance(other, Tensor):
        raise TypeError(f"matmul: expected tensors, got {type(input).__name__} and {type(other).__name__}")
    p, q = input.array, other.array
    if not p.ndim or not q.ndim:
        raise RuntimeError(
            f"matmul: both operands need at least 1 dimension, got shapes {tuple(p.shape)}, {tuple(q.shape)}"
        )
    if p.dtype != q.dtype:
        raise RuntimeError(f"matmul: expected both of the same dtype, got {input.dtype} and {other.dtype}")
    operands(input, other, "matmul", shapes=False)
    if p.shape[-1] != q.shape[-2 if q.ndim > 1 else 0]:
        raise RuntimeError(
            f"matmul: the inner sizes differ: input has {p.shape[-1]} columns, other "
            f"{q.shape[-2 if q.ndim > 1 else 0]} rows (input: {tuple(p.shape)}, other: {tuple(q.shape)})"
        )
    a = unsqueeze(input, 0) if p.ndim == 1 else input
    b = unsqueeze(other, 1) if q.ndim == 1 else other
    broadcast_shape(a.array.shape[:-2], b.array.shape[:-2], "matmul")
    y = MatMul.apply(a, b)
    if q.ndim == 1:
        y = squeeze(y, -1)
    return squeeze(y, -1 if q.ndim == 1 else -2) if p.ndim == 1 else y


def mm(input: Tensor, mat2: Tensor) -> Tensor:
    """The product of two matrices.

    Raises:
        RuntimeError: an operand that is not 2-D, or sizes that do not fit.
    """
    if input.array.ndim != 2 or mat2.array.ndim != 2:
        raise RuntimeError(
            f"mm: expected two matrices, got shapes {tuple(input.array.shape)}, {tuple(mat2.array.shape)}"
        )
    return matmul(input, mat2)


def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """``input @ weight.T + bias``.

    Args:
        input: ``(..., in_features)``.
        weight: ``(out_features, in_features)``.
        bias: ``(out_features,)`` or None.

    Returns:
        ``(..., out_features)``.

    Raises:
        RuntimeError: sizes or dtypes that do not fit.
    """
    x, w = input.array, weight.array
    if not x.ndim or w.ndim != 2 or x.shape[-1] != w.shape[1]:
        raise RuntimeError(
            f"linear: weight {tuple(w.shape)} expects {w.shape[-1] if w.ndim else '?'} input features, x has "
            f"{x.shape[-1] if x.ndim else 'no axis'} (x: {tuple(x.shape)})"
        )
    same_type("linear", input=input, weight=weight, bias=bias)
    if bias is not None and bias.array.shape != (w.shape[0],):
        raise RuntimeError(f"linear: bias must have shape ({w.shape[0]},), got {tuple(bias.array.shape)}")
    if x.ndim == 2:
        return Linear.apply(input, weight, bias)
    rows = 1
    for n in x.shape[:-1]:
        rows *= n
    return reshape(Linear.apply(reshape(input, rows, x.shape[-1]), weight, bias), (*x.shape[:-1], w.shape[0]))
