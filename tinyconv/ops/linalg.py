"""Norms, distances and products of vectors: how long one is, how far apart two are."""

from __future__ import annotations

import math
from typing import Any

from .. import dtypes
from ..tensor import Tensor
from .compare import eq, gt, ne, where
from .convert import cast
from .decomposition import inv, solve, svdvals
from .diagonal import diagonal, triu_indices
from .elementwise import abs, add, div, mul, pow, sub
from .rearrange import roll
from .reduce import Extreme, amax, amin, axes_of, elements_along, sum
from .shape import movedim, reshape, unsqueeze
from .statistics import root
from .types import broadcast_shape, expect, number, one_device, same_type

INFINITY = float("inf")


def vector_norm(x: Tensor, ord: float = 2, dim: Any = None, keepdim: bool = False, *,
                dtype: dtypes.dtype | None = None) -> Tensor:  # fmt: skip
    """``sum(|x|**ord) ** (1/ord)`` over ``dim``. The gradient at 0 is 0.

    Args:
        x: floating point.
        ord: a number. 2 is the length, 1 the sum of magnitudes, infinity the largest, -infinity the smallest, 0 counts
            the elements that are not 0.
        dim: an axis, several, or None for all.
        keepdim: leave them as axes of size 1.
        dtype: cast to this type first.

    Raises:
        RuntimeError: ``x`` is not floating point.
    """
    if dtype is not None:
        x = cast(x, dtypes.as_numpy(dtype))
    expect("vector_norm", "f", input=x)
    if x.dtype is dtypes.float16:  # whose powers are soon too large, or too small
        return cast(vector_norm(x, ord, dim, keepdim, dtype=dtypes.float32), x.array.dtype)
    axes = axes_of(x, dim, "vector_norm")
    if (ord < 0 or ord == INFINITY) and not elements_along(x, axes):
        raise RuntimeError(f"vector_norm: no norm of order {ord} of nothing: input has shape {tuple(x.array.shape)}")
    if ord == 2:
        return root(sum(mul(x, x), axes, keepdim))
    if ord == 1:
        return sum(abs(x), axes, keepdim)
    if ord == INFINITY:
        return Extreme.apply(abs(x), "amax", axes, keepdim, True)
    if ord == -INFINITY:
        return Extreme.apply(abs(x), "amin", axes, keepdim, True)
    if ord == 0:
        return sum(cast(ne(x, 0), x.array.dtype), axes, keepdim)
    if ord < 0:
        return pow(sum(pow(abs(x), ord), axes, keepdim), 1 / ord)
    return _power(sum(_power(x, ord), axes, keepdim), 1 / ord)


def _power(x: Tensor, p: float) -> Tensor:
    """``|x| ** p`` for a positive p, with the gradient 0 at 0."""
    zero = eq(x, 0)
    return where(zero, 0.0, pow(abs(where(zero, 1.0, x)), p))


def matrix_norm(A: Tensor, ord: Any = "fro", dim: Any = (-2, -1), keepdim: bool = False, *,
                dtype: dtypes.dtype | None = None) -> Tensor:  # fmt: skip
    """The norm of matrices.

    Args:
        A: ``(..., M, N)``, floating point.
        ord: "fro": the root of the sum of squares. 1 (-1): the largest (smallest) sum of magnitudes in a column;
            infinity (-infinity): in a row. 2 (-2): the largest (smallest) singular value; "nuc": their sum.
        dim: the rows and the columns.
        keepdim: leave them as axes of size 1.
        dtype: cast to this type first.

    Raises:
        RuntimeError: another ``ord``, or fewer than two dimensions.
    """
    if A.array.ndim < 2:
        raise RuntimeError(f"matrix_norm: expected at least 2 dimensions, got shape {tuple(A.array.shape)}")
    if ord == "fro":
        return vector_norm(A, 2, dim, keepdim, dtype=dtype)
    if ord not in (1, -1, 2, -2, INFINITY, -INFINITY, "nuc"):
        raise RuntimeError(f'matrix_norm: ord must be "fro", "nuc", 1, -1, 2, -2, inf or -inf, got {ord!r}')
    if len(axes_of(A, dim, "matrix_norm")) != 2:
        raise RuntimeError(f"matrix_norm: dim must be two different dims, got {dim}")
    rows, columns = [d % A.array.ndim for d in dim]
    if ord in (2, -2, "nuc"):
        x = A if dtype is None else cast(A, dtypes.as_numpy(dtype))
        s = svdvals(movedim(x, (rows, columns), (-2, -1)))
        y = sum(s, -1) if ord == "nuc" else amax(s, -1) if ord == 2 else amin(s, -1)
        low, high = sorted((rows, columns))
        return unsqueeze(unsqueeze(y, low), high) if keepdim else y
    along, then = (rows, columns) if ord in (1, -1) else (columns, rows)
    totals = vector_norm(A, 1, along, True, dtype=dtype)
    if ord > 0 and not totals.array.shape[then]:
        y = sum(totals, then, True)  # of no rows the largest is 0
    else:
        y = (amax if ord > 0 else amin)(totals, then, True)
    return y if keepdim else y.squeeze((rows, columns))


def linalg_norm(input: Tensor, ord: Any = None, dim: Any = None, keepdim: bool = False, *,
                dtype: dtypes.dtype | None = None) -> Tensor:  # fmt: skip
    """``linalg.norm``: of all elements if neither ``ord`` nor ``dim`` is given; of vectors along one ``dim``; of
    matrices in two."""
    if dim is None and ord is not None and input.array.ndim not in (1, 2):
        raise RuntimeError(
            f"linalg.norm: with ord, and without dim, a vector or a matrix is expected, got {input.shape}"
        )
    planes = len(dim) == 2 if isinstance(dim, (tuple, list)) else dim is None and input.array.ndim == 2
    if isinstance(ord, str) or (ord is not None and planes):
        return matrix_norm(input, ord, (-2, -1) if dim is None else dim, keepdim, dtype=dtype)
    return vector_norm(input, 2 if ord is None else ord, dim, keepdim, dtype=dtype)


def norm(input: Tensor, p: Any = "fro", dim: Any = None, keepdim: bool = False,
         dtype: dtypes.dtype | None = None) -> Tensor:  # fmt: skip
    """The vector norm over ``dim`` (None for all), of matrices too.

    Args:
        input: floating point.
        p: "fro" or None: 2. "nuc": of matrices, the sum of the singular values. Else a number, as
            :func:`tinyconv.linalg.vector_norm` takes it.
        dim: an axis, several, or None for all.
        keepdim: leave them as axes of size 1.
        dtype: cast to this type first.

    Raises:
        RuntimeError: another name, or as :func:`tinyconv.linalg.vector_norm`.
    """
    if isinstance(p, str) and p not in ("fro", "nuc"):
        raise RuntimeError(f"norm: p must be 'fro', 'nuc' or a number, got {p!r}")
    if p == "nuc":
        return matrix_norm(input, "nuc", (-2, -1) if dim is None else dim, keepdim, dtype=dtype)
    return vector_norm(input, 2 if p in ("fro", None) else p, dim, keepdim, dtype=dtype)


def dist(input: Tensor, other: Tensor, p: float = 2) -> Tensor:
    """``norm(input - other, p)``."""
    return norm(sub(input, other), number(p, "dist: p"))


def cdist(x1: Tensor, x2: Tensor, p: float = 2.0, compute_mode: str = "use_mm_for_euclid_dist_if_necessary") -> Tensor:
    """The distances between the rows of two matrices, in batches.

    Args:
        x1: ``(..., P, M)``.
        x2: ``(..., R, M)``.
        p: of the norm.
        compute_mode: accepted: the differences are always taken, never a matrix product.

    Returns:
        ``(..., P, R)``.
    """
    expect("cdist", "f", x1=x1)
    same_type("cdist", x1=x1, x2=x2)
    a, b = tuple(x1.array.shape), tuple(x2.array.shape)
    if len(a) < 2 or len(b) < 2 or a[-1] != b[-1]:
        raise RuntimeError(f"cdist: expected matrices with rows of one length, got shapes {a} and {b}")
    return vector_norm(sub(unsqueeze(x1, -2), unsqueeze(x2, -3)), p, -1)


def pdist(input: Tensor, p: float = 2.0) -> Tensor:
    """The distances between all pairs of rows of a matrix: ``(N, M) -> (N * (N - 1) / 2,)``, in the order (0, 1), (0,
    2), ..., (1, 2), ...

    Raises:
        RuntimeError: not a matrix of floating-point numbers, or a negative ``p``.
    """
    expect("pdist", "f", input=input)
    if input.array.ndim != 2 or p < 0:
        raise RuntimeError(f"pdist: expected a matrix and p >= 0, got shape {tuple(input.array.shape)} and p={p}")
    N = input.array.shape[0]
    i, j = triu_indices(N, N, 1, device=input.device)
    return vector_norm(sub(input[i], input[j]), p, -1)


def renorm(input: Tensor, p: float, dim: int, maxnorm: float) -> Tensor:
    """``input`` with each slice along ``dim`` whose norm of order ``p`` exceeds ``maxnorm`` scaled down to that."""
    expect("renorm", "f", input=input)
    if p <= 0 or maxnorm < 0 or input.array.ndim < 2:
        raise RuntimeError(
            f"renorm: expected p > 0, maxnorm >= 0 and at least 2 dimensions, got p={p}, maxnorm={maxnorm} and shape "
            f"{tuple(input.array.shape)}"
        )
    axis = axes_of(input, dim, "renorm")[0]
    length = vector_norm(input, p, tuple([d for d in range(input.array.ndim) if d != axis]), True)
    return mul(input, where(gt(length, maxnorm), div(maxnorm, add(length, 1e-7)), 1))


def cross(input: Tensor, other: Tensor, dim: int | None = None) -> Tensor:
    """The vector product: ``y[i] = a[i+1] * b[i+2] - a[i+2] * b[i+1]``, of the vectors of 3 elements along ``dim``.

    Args:
        input, other: of as many dimensions, that broadcast.
        dim: of size 3; by default the first such.

    Raises:
        RuntimeError: no dim, or ``dim``, has size 3; or the numbers of dimensions or the types differ; or bools.
    """
    expect("cross", "iuf", input=input, other=other)
    if input.array.dtype != other.array.dtype:
        raise RuntimeError(f"cross: input is {input.dtype}, other is {other.dtype}")
    one_device("cross", input=input, other=other)
    a, b = tuple(input.array.shape), tuple(other.array.shape)
    if len(a) != len(b):
        raise RuntimeError(f"cross: expected as many dimensions, got shapes {a} and {b}")
    broadcast_shape(a, b, "cross")
    if dim is None:
        dim = a.index(3) if 3 in a else 0
    axes = axes_of(input, dim, "cross")
    if not axes or a[axes[0]] != 3 or b[axes[0]] != 3:
        raise RuntimeError(f"cross: a dim of size 3 is needed, got dim {dim} of shapes {a} and {b}")
    next_a, next_b = roll(input, -1, axes[0]), roll(other, -1, axes[0])
    return roll(sub(mul(input, next_b), mul(next_a, other)), -1, axes[0])


def linalg_cross(input: Tensor, other: Tensor, *, dim: int = -1) -> Tensor:
    """``linalg.cross``: the vector product along the last axis unless ``dim`` says another; as :func:`cross`."""
    return cross(input, other, dim)


def cond(A: Tensor, p: Any = None) -> Tensor:
    """The condition number, ``|A| * |A**-1|`` in the matrix norm ``p``; by default (and for 2 and -2) the ratio of the
    largest and the smallest singular value."""
    if p in (None, 2, -2):
        s = svdvals(A)
        largest, smallest = amax(s, -1), amin(s, -1)
        return div(smallest, largest) if p == -2 else div(largest, smallest)
    return mul(matrix_norm(A, p), matrix_norm(inv(A), p))


def vecdot(x: Tensor, y: Tensor, *, dim: int = -1) -> Tensor:
    """The sum of ``x * y`` along ``dim``, broadcast."""
    same_type("linalg.vecdot", x=x, y=y)
    return sum(mul(x, y), dim)


def linalg_diagonal(A: Tensor, *, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """``linalg.diagonal``: as :func:`diagonal`, by default of the last two axes."""
    return diagonal(A, offset, dim1, dim2)


# ------------------------------------------------------------------------------------------------ tensors as matrices


def tensorinv(A: Tensor, ind: int = 2) -> Tensor:
    """The inverse of the matrix whose rows are the first ``ind`` axes of A together, and whose columns the others: X of
    shape ``A.shape[ind:] + A.shape[:ind]``, and ``tensordot(A, X, A.ndim - ind)`` is the identity.

    Raises:
        RuntimeError: ``ind`` is not positive, or there are not as many rows as columns.
        LinAlgError: singular.
    """
    expect("linalg.tensorinv", "f", A=A)
    if ind <= 0:
        raise RuntimeError(f"linalg.tensorinv: ind must be positive, got {ind}")
    shape = tuple(A.array.shape)
    rows, columns = math.prod(shape[:ind]), math.prod(shape[ind:])
    if rows != columns:
        raise RuntimeError(f"linalg.tensorinv: A {shape} has {rows} rows and {columns} columns, if ind is {ind}")
    return reshape(inv(reshape(A, (rows, columns))), (*shape[ind:], *shape[:ind]))


def tensorsolve(A: Tensor, B: Tensor, dims: Any = None) -> Tensor:
    """The X with ``tensordot(A, X, X.ndim) = B``: the solution of a system whose rows are the first ``B.ndim`` axes of
    A together, and whose columns the others.

    Args:
        A: shape ``B.shape + X.shape``.
        B: the right side.
        dims: axes of A to move to the end first.

    Raises:
        RuntimeError: there are not as many rows as columns, or not as many as B has elements.
        LinAlgError: A is singular.
    """
    expect("linalg.tensorsolve", "f", A=A, B=B)
    if dims is not None:
        axes_of(A, dims, "linalg.tensorsolve")  # which names what is wrong with them
        A = movedim(A, tuple(dims), tuple(range(-len(dims), 0)))
    shape = tuple(A.array.shape)
    columns = math.prod(shape[B.array.ndim :])
    if A.numel() != columns * columns or B.numel() != columns:
        raise RuntimeError(f"linalg.tensorsolve: A {shape} and B {tuple(B.array.shape)} make no square system")
    x = solve(reshape(A, (columns, columns)), reshape(B, -1))
    return reshape(x, shape[B.array.ndim :])
