"""Matrix products.

For y = a @ b, a small change da moves y by da @ b, so the gradient that flows back to a is gy @ b^T, and likewise a^T
@ gy to b: matrix products again. A linear layer is one with its weight transposed, y = x w^T + b.
"""

from __future__ import annotations

import math
from typing import Any

from .. import kernels
from ..autograd import Function, is_grad_enabled
from ..tensor import Tensor, wrap
from .activation import ReLUGx
from .convert import cast
from .elementwise import add, mul
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
        return wrap(kernels.of(a.array).matmul(a.array, b.array))

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> tuple:
        a, b = ctx.saved_tensors
        if gy.array.ndim == 2 and not is_grad_enabled():
            backend, g = kernels.of(gy.array), gy.array
            ga = None if b is None else wrap(backend.linear(g, b.array, None))
            return ga, None if a is None else wrap(backend.matmul(backend.permute(a.array, (1, 0)), g))
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
        return wrap(kernels.of(x.array).linear(x.array, w.array, None if b is None else b.array))

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> tuple:
        x, w = ctx.saved_tensors
        return linear_gradients(gy, x, w, ctx.needs_input_grad[2])


class LinearGw(Function):
    """gw = gy^T @ x;  ggy = x @ ggw^T,  gx = gy @ ggw: again a linear layer and a product."""

    @staticmethod
    def forward(ctx: Any, gy: Tensor, x: Tensor) -> Tensor:
        need, backend = ctx.needs_input_grad, kernels.of(x.array)
        ctx.save_for_backward(gy if need[1] else None, x if need[0] else None)
        return wrap(backend.matmul(backend.permute(gy.array, (1, 0)), x.array))

    @staticmethod
    def backward(ctx: Any, ggw: Tensor) -> tuple:
        gy, x = ctx.saved_tensors
        return (
            None if x is None else Linear.apply(x, ggw, None),
            None if gy is None else MatMul.apply(gy, ggw),
        )


def linear_gradients(gy: Tensor, x: Tensor | None, w: Tensor | None, bias: bool, y: Tensor | None = None) -> tuple:
    """The gradients of a :class:`Linear`: of the input if ``w`` is given, of the weight if ``x`` is, of the bias. With
    ``y``, ReLU has made y of the layer's output, and gy is the gradient of that."""
    if is_grad_enabled():
        gy = gy if y is None else ReLUGx.apply(gy, y)
        gx = None if w is None else MatMul.apply(gy, w)
        gw = None if x is None else LinearGw.apply(gy, x)
        return gx, gw, Sum.apply(gy, (0,), False) if bias else None
    arrays = [None if a is None else a.array for a in (y, x, w)]
    gradients = kernels.of(gy.array).linear_gradients(gy.array, *arrays, bias)
    return tuple([None if g is None else wrap(g) for g in gradients])


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


def _check(name: str, dims: tuple[int, ...], **tensors: Tensor) -> None:
    """Check that each tensor has its number of dimensions.

    Raises:
        RuntimeError: one has not.
        TypeError: one is no tensor.
    """
    for n, (argument, x) in zip(dims, tensors.items()):
        if not isinstance(x, Tensor):
            raise TypeError(f"{name}: {argument} must be a tensor, got {type(x).__name__}")
        if x.array.ndim != n:
            raise RuntimeError(f"{name}: {argument} must have {n} dimensions, got shape {tuple(x.array.shape)}")


def bmm(input: Tensor, mat2: Tensor) -> Tensor:
    """The products of two batches of matrices, ``(B, M, K) @ (B, K, N)``.

    Raises:
        RuntimeError: other shapes (nothing is broadcast), or different dtypes.
    """
    _check("bmm", (3, 3), input=input, mat2=mat2)
    if input.array.shape[0] != mat2.array.shape[0]:
        raise RuntimeError(
            f"bmm: the batches differ: input has shape {tuple(input.array.shape)}, mat2 {tuple(mat2.array.shape)}"
        )
    return matmul(input, mat2)


def mv(input: Tensor, vec: Tensor) -> Tensor:
    """The product of a matrix and a vector, ``(M, K) @ (K,)``."""
    _check("mv", (2, 1), input=input, vec=vec)
    return matmul(input, vec)


def dot(input: Tensor, tensor: Tensor) -> Tensor:
    """The sum of the products of two vectors' elements.

    Raises:
        RuntimeError: not two vectors of one length and dtype.
    """
    _check("dot", (1, 1), input=input, tensor=tensor)
    return matmul(input, tensor)


def inner(input: Tensor, other: Tensor) -> Tensor:
    """The sum of products over the last axes: ``(..., K)`` and ``(***, K) -> (..., ***)``."""
    if not input.array.ndim or not other.array.ndim:
        return mul(input, other)
    a, b = input.array.shape[:-1], other.array.shape[:-1]
    rows, columns = (reshape(x, (math.prod(x.array.shape[:-1]), x.array.shape[-1])) for x in (input, other))
    return reshape(matmul(rows, _transposed(columns)), a + b)


def outer(input: Tensor, vec2: Tensor) -> Tensor:
    """All products of an element of one vector and one of the other, ``(N,)`` and ``(M,) -> (N, M)``."""
    _check("outer", (1, 1), input=input, vec2=vec2)
    return mul(unsqueeze(input, 1), vec2)


ger = outer


def vdot(input: Tensor, other: Tensor) -> Tensor:
    """:func:`dot`: of real numbers there is nothing to conjugate."""
    return dot(input, other)


def kron(input: Tensor, other: Tensor) -> Tensor:
    """The Kronecker product: ``input`` with every element replaced by its product with the whole of ``other``."""
    n = max(input.array.ndim, other.array.ndim)
    a, b = ((1,) * (n - x.array.ndim) + tuple(x.array.shape) for x in (input, other))
    left = reshape(input, tuple([k for size in a for k in (size, 1)]))
    right = reshape(other, tuple([k for size in b for k in (1, size)]))
    return reshape(mul(left, right), tuple([p * q for p, q in zip(a, b)]))


def _plus(input: Tensor, product: Tensor, beta: Any, alpha: Any, name: str) -> Tensor:
    """``beta * input + alpha * product``; with beta 0, ``input`` counts for nothing, NaN or not. Factors of
    integers are integers, too: a fraction is cut off."""
    if broadcast_shape(input.array.shape, product.array.shape, name) != product.array.shape:
        raise RuntimeError(
            f"{name}: input of shape {tuple(input.array.shape)} does not expand to {tuple(product.array.shape)}"
        )
    if input.array.dtype != product.array.dtype:
        raise RuntimeError(f"{name}: expected all of the same dtype, got {input.dtype} and {product.dtype}")
    if product.array.dtype.kind != "f":
        beta, alpha = int(beta), int(alpha)
    product = product if alpha == 1 else mul(product, alpha)
    if beta == 0:
        return product
    return add(input if beta == 1 else mul(input, beta), product)


def addmm(input: Tensor, mat1: Tensor, mat2: Tensor, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
    """``beta * input + alpha * (mat1 @ mat2)`` of matrices; ``input`` is broadcast."""
    return _plus(input, mm(mat1, mat2), beta, alpha, "addmm")


def addmv(input: Tensor, mat: Tensor, vec: Tensor, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
    """``beta * input + alpha * (mat @ vec)``; ``input`` is broadcast."""
    return _plus(input, mv(mat, vec), beta, alpha, "addmv")


def addr(input: Tensor, vec1: Tensor, vec2: Tensor, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
    """``beta * input + alpha * outer(vec1, vec2)``; ``input`` is broadcast, and the types may differ.

    Raises:
        RuntimeError: a fraction times integers.
    """
    x, product = operands(input, outer(vec1, vec2), "addr", shapes=False)
    if product.array.dtype.kind != "f" and (isinstance(beta, float) or isinstance(alpha, float)):
        raise RuntimeError(f"addr: beta and alpha must be integers where the tensors are, got {beta} and {alpha}")
    return _plus(x, product, beta, alpha, "addr")


def baddbmm(input: Tensor, batch1: Tensor, batch2: Tensor, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
    """``beta * input + alpha * (batch1 @ batch2)`` of batches of matrices; ``input`` is broadcast."""
    return _plus(input, bmm(batch1, batch2), beta, alpha, "baddbmm")


def addbmm(input: Tensor, batch1: Tensor, batch2: Tensor, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
    """``beta * input + alpha *`` the sum of the products of two batches of matrices; ``input`` is broadcast."""
    products = bmm(batch1, batch2)
    total = cast(Sum.apply(products, (0,), False), products.array.dtype)  # sums of small integers are int64
    return _plus(input, total, beta, alpha, "addbmm")


def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """``input @ weight.T + bias``.

    Args:
        input: ``(..., in_features)``.
        weight: ``(out_features, in_features)``, or ``(in_features,)`` for one feature without an axis.
        bias: ``(out_features,)``, or another shape that broadcasts to the result's; or None.

    Returns:
        ``(..., out_features)``.

    Raises:
        TypeError: something else than tensors.
        RuntimeError: sizes or dtypes that do not fit.
    """
    if not isinstance(input, Tensor):
        raise TypeError(f"linear: input must be a tensor, got {type(input).__name__}")
    w = weight.array
    if w.ndim == 1:  # one output feature, which has no axis
        if bias is not None and bias.array.ndim:
            raise RuntimeError(f"linear: for a weight {tuple(w.shape)} bias must be 0-d, got {tuple(bias.array.shape)}")
        y = matmul(input, weight)
        return y if bias is None else add(y, bias)
    if bias is None or (input.array.dtype.kind == "f" and bias.array.shape == w.shape[:1]):
        return of_rows(Linear, input, weight, bias)
    y = of_rows(Linear, input, weight, None)
    if bias.array.dtype != y.array.dtype:
        raise RuntimeError(f"linear: input is {input.dtype}, bias is {bias.dtype}")
    b, out = tuple(bias.array.shape), tuple(y.array.shape)
    if len(b) > len(out) or any([n not in (1, m) for n, m in zip(b, out[len(out) - len(b) :])]):
        raise RuntimeError(f"linear: bias must have shape ({w.shape[0]},), or one that broadcasts to {out}, got {b}")
    return add(y, bias)


def of_rows(layer: type[Function], input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Check the arguments of :func:`linear`, and apply a layer to the rows of ``input``."""
    x, w = input.array, weight.array
    if not x.ndim or w.ndim != 2 or x.shape[-1] != w.shape[1]:
        raise RuntimeError(
            f"linear: weight {tuple(w.shape)} expects {w.shape[-1] if w.ndim else '?'} input features, x has "
            f"{x.shape[-1] if x.ndim else 'no axis'} (x: {tuple(x.shape)})"
        )
    if x.dtype.kind != "f" and layer is Linear:
        return matmul(input, weight.t())
    same_type("linear", input=input, weight=weight, bias=bias)
    if bias is not None and bias.array.shape != (w.shape[0],):
        raise RuntimeError(f"linear: bias must have shape ({w.shape[0]},), got {tuple(bias.array.shape)}")
    if x.ndim == 2:
        return layer.apply(input, weight, bias)
    rows = math.prod(x.shape[:-1])
    return reshape(layer.apply(reshape(input, rows, x.shape[-1]), weight, bias), (*x.shape[:-1], w.shape[0]))


def bilinear(input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """``y_o = input1^T weight_o input2 + bias_o``.

    Args:
        input1: ``(..., I)``.
        input2: ``(..., J)``.
        weight: ``(O, I, J)``.
        bias: ``(O,)`` or None.

    Returns:
        ``(..., O)``.

    Raises:
        RuntimeError: sizes or dtypes that do not fit.
    """
    same_type("bilinear", input1=input1, input2=input2, weight=weight, bias=bias)
    a, b, w = tuple(input1.array.shape), tuple(input2.array.shape), tuple(weight.array.shape)
    if len(w) != 3 or a[:-1] != b[:-1] or (a[-1:], b[-1:]) != (w[1:2], w[2:3]):
        raise RuntimeError(f"bilinear: weight {w} expects (..., I) and (..., J), got {a} and {b}")
    O, I, J = w
    if bias is not None and bias.array.shape != (O,):
        raise RuntimeError(f"bilinear: bias must have shape ({O},), got {tuple(bias.array.shape)}")
    # input1 W_o for all o at once, and that times input2: rows (N, O, J) @ (N, J, 1)
    rows = matmul(reshape(input1, -1, I), reshape(Permute.apply(weight, (1, 0, 2)), I, O * J))
    y = reshape(matmul(reshape(rows, -1, O, J), reshape(input2, -1, J, 1)), (*a[:-1], O))
    return y if bias is None else y + bias
