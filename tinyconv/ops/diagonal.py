"""Diagonals and triangles of matrices."""

from __future__ import annotations

from typing import Any

from .. import dtypes, kernels
from ..autograd import Function
from ..tensor import Tensor, wrap
from .compare import ge, le, where
from .convert import backend_on
from .index import Scatter, counting
from .reduce import sum
from .shape import dim_of, movedim, unsqueeze


def _length(rows: int, columns: int, offset: int) -> int:
    """How many elements the diagonal has."""
    return max(0, min(rows + min(offset, 0), columns - max(offset, 0)))


def _on_diagonal(y: Tensor, rows: int, columns: int, offset: int, axis1: int, axis2: int) -> Tensor:
    """Zeros, with the last axis of ``y`` on a diagonal of the plane of two new axes: the adjoint of taking it."""
    n = y.array.shape[-1]
    row, column = (counting(n, y) + k for k in (max(-offset, 0), max(offset, 0)))
    whole = Scatter.apply(y, (*y.array.shape[:-1], rows, columns), (Ellipsis, row.array, column.array))
    return movedim(whole, (-2, -1), (axis1, axis2))


class Diagonal(Function):
    """y = the elements x[..., i, ..., i + offset, ...], a view;  gx = zeros, with gy on the diagonal."""

    is_view = True

    @staticmethod
    def forward(ctx: Any, x: Tensor, offset: int, axis1: int, axis2: int) -> Tensor:
        ctx.arguments = x.array.shape[axis1], x.array.shape[axis2], offset, axis1, axis2
        return wrap(kernels.of(x.array).diagonal(x.array, offset, axis1, axis2))

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> tuple:
        return _on_diagonal(gy, *ctx.arguments), None, None, None


def diagonal(input: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
    """A view of the diagonal of the planes of two axes, which become one, the last.

    Args:
        input: at least 2-D.
        offset: above (positive) or below the main diagonal.
        dim1, dim2: the rows and the columns.

    Raises:
        RuntimeError: ``dim1`` is ``dim2``.
    """
    axis1, axis2 = (dim_of(d, input.array.ndim, "diagonal") for d in (dim1, dim2))
    if axis1 == axis2:
        raise RuntimeError(f"diagonal: dim1 and dim2 must be different, got {dim1} and {dim2}")
    return Diagonal.apply(input, offset, axis1, axis2)


def diagonal_scatter(input: Tensor, src: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
    """A copy of ``input`` with ``src`` as its :func:`diagonal`.

    Raises:
        RuntimeError: ``src`` has another shape than that.
    """
    y = input.clone()
    place = diagonal(y, offset, dim1, dim2)
    if src.array.shape != place.array.shape:
        raise RuntimeError(
            f"diagonal_scatter: expected src of the diagonal's shape {tuple(place.array.shape)}, got "
            f"{tuple(src.array.shape)}"
        )
    place.copy_(src)
    return y


def diag_embed(input: Tensor, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """Zeros in square planes of two new axes, with the last axis of ``input`` on their diagonal.

    Raises:
        RuntimeError: ``dim1`` is ``dim2``.
    """
    n = input.array.ndim + 1
    axis1, axis2 = (dim_of(d, n, "diag_embed") for d in (dim1, dim2))
    if axis1 == axis2:
        raise RuntimeError(f"diag_embed: dim1 and dim2 must be different, got {dim1} and {dim2}")
    side = input.array.shape[-1] + abs(offset)
    return _on_diagonal(input, side, side, offset, axis1, axis2)


def diag(input: Tensor, diagonal: int = 0) -> Tensor:
    """A vector on the diagonal of a square matrix; or, of a matrix, its diagonal.

    Raises:
        RuntimeError: neither a vector nor a matrix.
    """
    if input.array.ndim == 1:
        return diag_embed(input, diagonal)
    if input.array.ndim != 2:
        raise RuntimeError(f"diag: expected a vector or a matrix, got shape {tuple(input.array.shape)}")
    return Diagonal.apply(input, diagonal, 0, 1).clone()


def diagflat(input: Tensor, offset: int = 0) -> Tensor:
    """All elements on the diagonal of a square matrix."""
    return diag_embed(input.reshape(-1), offset)


def trace(input: Tensor) -> Tensor:
    """The sum of the diagonal of a matrix.

    Raises:
        RuntimeError: not a matrix.
    """
    if input.array.ndim != 2:
        raise RuntimeError(f"trace: expected a matrix, got shape {tuple(input.array.shape)}")
    return sum(Diagonal.apply(input, 0, 0, 1))


def fill_diagonal_(self: Tensor, fill_value: Any, wrap: bool = False) -> Tensor:
    """Set the diagonal (of more axes: where all indices are equal) to a number, in place.

    Args:
        self: at least 2-D; the sizes of more than two axes must be equal.
        fill_value: the number.
        wrap: in a tall matrix, begin anew one row after the diagonal has left it.

    Raises:
        RuntimeError: fewer than two dimensions, or unequal sizes of more.
    """
    shape = self.array.shape
    if len(shape) < 2 or (len(shape) > 2 and len(set(shape)) > 1):
        raise RuntimeError(f"fill_diagonal_: expected a matrix, or equal sizes, got shape {tuple(shape)}")
    if wrap and len(shape) == 2:
        for start in range(0, shape[0], shape[1] + 1):
            Diagonal.apply(self[start:], 0, 0, 1).fill_(fill_value)
    else:
        places = counting(min(shape), self)
        self[(places,) * len(shape)] = fill_value
    return self


def _triangle(input: Tensor, diagonal: int, keep: Any, name: str) -> Tensor:
    if input.array.ndim < 2:
        raise RuntimeError(f"{name}: expected at least 2 dimensions, got shape {tuple(input.array.shape)}")
    rows, columns = (counting(n, input) for n in input.array.shape[-2:])
    return where(keep(columns, unsqueeze(rows, 1) + diagonal), input, False if input.dtype is dtypes.boolean else 0)


def tril(input: Tensor, diagonal: int = 0) -> Tensor:
    """The lower triangle of each matrix, up to and with a diagonal, zeros elsewhere.

    Raises:
        RuntimeError: fewer than two dimensions.
    """
    return _triangle(input, diagonal, le, "tril")


def triu(input: Tensor, diagonal: int = 0) -> Tensor:
    """The upper triangle of each matrix, from a diagonal on, zeros elsewhere; as :func:`tril`."""
    return _triangle(input, diagonal, ge, "triu")


def _triangle_indices(row: int, col: int, offset: int, keep: Any, dtype: Any, device: Any) -> Tensor:
    if row < 0 or col < 0:
        raise RuntimeError(f"expected sizes that are not negative, got row {row} and col {col}")
    backend = backend_on(device)
    rows, columns = (wrap(backend.arange(0, n, 1, dtypes.int64.numpy)) for n in (row, col))
    inside = keep(columns, unsqueeze(rows, 1) + offset)
    return inside.nonzero().t().contiguous().to(dtype or dtypes.int64)


def tril_indices(row: int, col: int, offset: int = 0, *, dtype: Any = None, device: Any = None) -> Tensor:
    """``(2, n)``: rows and columns of the elements of a lower triangle, row by row."""
    return _triangle_indices(row, col, offset, le, dtype, device)


def triu_indices(row: int, col: int, offset: int = 0, *, dtype: Any = None, device: Any = None) -> Tensor:
    """``(2, n)``: rows and columns of the elements of an upper triangle, row by row."""
    return _triangle_indices(row, col, offset, ge, dtype, device)
