"""Embedding: a row of a table for each number, or one for a bag of them; and numbers as rows of the identity
(one-hot)."""

from __future__ import annotations

from typing import Any

from .. import dtypes, kernels
from ..autograd import Function, no_grad
from ..tensor import Tensor, wrap
from .compare import clamp_min, eq, maximum, ne, where
from .convert import cast
from .creation import arange, tensor
from .elementwise import abs, div, mul
from .index import Gather, Scatter
from .rearrange import repeat_interleave
from .scatter_reduce import combined
from .types import one_device, same_type


class Embedding(Function):
    """y[i] = w[index[i]];  gw = each gy added to its row, but for the padding's; with ``by_frequency`` divided by how
    often the row was taken."""

    @staticmethod
    def forward(ctx: Any, w: Tensor, index: Tensor, padding: int, by_frequency: bool) -> Tensor:
        ctx.rows, ctx.padding, ctx.by_frequency = w.array.shape[0], padding, by_frequency
        ctx.save_for_backward(index)
        return wrap(kernels.of(w.array).getitem(w.array, (index.array,)))

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> tuple:
        (index,) = ctx.saved_tensors
        places = (index.array,)
        if ctx.padding >= 0:
            gy = where(eq(index, ctx.padding).unsqueeze(-1), 0.0, gy)
        if ctx.by_frequency:
            times = Scatter.apply(gy.new_ones(index.array.shape), (ctx.rows,), places)
            gy = div(gy, times[index].unsqueeze(-1))
        return Scatter.apply(gy, (ctx.rows, gy.array.shape[-1]), places), None, None, None


def embedding(
    input: Tensor,
    weight: Tensor,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Tensor:
    """A row of ``weight`` for each number in ``input``.

    Args:
        input: integers in [0, V), any shape.
        weight: ``(V, D)``.
        padding_idx: rows of this number get no gradient.
        max_norm: rows that are taken and longer than this are first shortened to it, in place.
        norm_type: p of that length, the p-norm.
        scale_grad_by_freq: divide a row's gradient by how often the row was taken.
        sparse: accepted; the gradient is dense.

    Returns:
        ``(*input.shape, D)``.

    Raises:
        RuntimeError: an ``input`` that is not integer, or a ``weight`` that is not 2-D; a ``padding_idx`` out of range.
        IndexError: a number out of range.
    """
    if input.array.dtype.kind != "i" or input.array.dtype.itemsize < 4:
        raise RuntimeError(f"embedding: input must hold integers (int64 or int32), got {input.dtype}")
    if weight.array.ndim != 2:
        raise RuntimeError(f"embedding: weight must be 2-D, got shape {tuple(weight.array.shape)}")
    one_device("embedding", input=input, weight=weight)
    V = weight.array.shape[0]
    if padding_idx is not None and not -V <= padding_idx < V:
        raise RuntimeError(f"embedding: padding_idx must be in [{-V}, {V}), got {padding_idx}")
    flat = cast(input, dtypes.int64.numpy).reshape(-1)
    if flat.numel() and not (int(flat.min()) >= 0 and int(flat.max()) < V):
        raise IndexError(f"embedding: index out of range: {int(flat.min())} to {int(flat.max())}, weight has {V} rows")
    if max_norm is not None:
        _shorten(weight, flat, max_norm, norm_type)
    padding = -1 if padding_idx is None else padding_idx % V
    y = Embedding.apply(weight, flat, padding, scale_grad_by_freq)
    return y.reshape(*input.array.shape, weight.array.shape[1])


def _shorten(weight: Tensor, rows: Tensor, max_norm: float, p: float) -> None:
    """Bring the rows that are longer than ``max_norm`` down to it, in place and unrecorded."""
    with no_grad():
        taken = weight[rows]
        lengths = (abs(taken) ** p).sum(1, keepdim=True) ** (1 / p)
        weight[rows] = where(lengths > max_norm, mul(taken, div(max_norm, lengths + 1e-7)), taken)


BAGS = ("sum", "mean", "max")


def embedding_bag(
    input: Tensor,
    weight: Tensor,
    offsets: Tensor | None = None,
    max_norm: float | None = None,
    norm_type: float = 2,
    scale_grad_by_freq: bool = False,
    mode: str = "mean",
    sparse: bool = False,
    per_sample_weights: Tensor | None = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> Tensor:
    """The sum, mean or maximum of rows of ``weight``, a bag of them at a time; zeros for an empty bag.

    Args:
        input: integers in [0, V): ``(B, L)``, B bags of L; or all bags one after another, ``(M,)``.
        weight: ``(V, D)``.
        offsets: ``(B,)``, where in ``input`` each bag begins; the first at 0. None where ``input`` is 2-D.
        max_norm, norm_type, scale_grad_by_freq, sparse: as in :func:`embedding`.
        mode: "sum", "mean" or "max".
        per_sample_weights: in the shape of ``input``: what each row is multiplied by ("sum" only).
        include_last_offset: ``offsets`` has one more number, where the last bag ends.
        padding_idx: rows of this number are in no bag.

    Returns:
        ``(B, D)``.

    Raises:
        ValueError: shapes, offsets or a mode that do not fit.
        NotImplementedError: weights with another mode than "sum".
        RuntimeError, IndexError: as :func:`embedding`.
    """
    name = "embedding_bag"
    if mode not in BAGS or (mode == "max" and (scale_grad_by_freq or sparse)):
        raise ValueError(
            f"{name}: mode must be one of {', '.join(BAGS)}, max without scale_grad_by_freq and sparse, got {mode!r}"
        )
    if per_sample_weights is not None:
        if mode != "sum":
            raise NotImplementedError(f"{name}: per_sample_weights are for mode 'sum', got {mode!r}")
        same_type(name, weight=weight, per_sample_weights=per_sample_weights)
        if per_sample_weights.array.shape != input.array.shape:
            raise ValueError(
                f"{name}: per_sample_weights must have the shape of input {tuple(input.array.shape)}, got "
                f"{tuple(per_sample_weights.array.shape)}"
            )
    rows = embedding(input, weight, padding_idx, max_norm, norm_type, scale_grad_by_freq)
    bag, B = _bags(input, offsets, include_last_offset)
    D, M = weight.array.shape[1], input.numel()
    rows = rows.reshape(M, D)
    if padding_idx is not None:
        kept = ne(input.reshape(-1), padding_idx % weight.array.shape[0]).array
        rows, bag = Gather.apply(rows, kept), Gather.apply(bag, kept)
    if per_sample_weights is not None:
        shares = per_sample_weights.reshape(-1, 1)
        rows = mul(rows, shares if padding_idx is None else Gather.apply(shares, kept))
    if mode == "max" and bag.numel():
        best, bags = combined(rows, bag, maximum)
        return Scatter.apply(best, (B, D), (bags.array,))
    y = Scatter.apply(rows, (B, D), (bag.array,))
    if mode != "mean":
        return y
    count = Scatter.apply(rows.new_ones(bag.array.shape), (B,), (bag.array,))
    return div(y, clamp_min(count, 1).unsqueeze(1))


def _bags(input: Tensor, offsets: Tensor | None, include_last: bool) -> tuple[Tensor, int]:
    """In which bag each number is, and how many bags there are.

    Raises:
        ValueError: offsets that do not fit the input.
    """
    shape = tuple(input.array.shape)
    if len(shape) == 2:
        if offsets is not None:
            raise ValueError(f"embedding_bag: where input is 2-D, {shape}, offsets must be None")
        return repeat_interleave(arange(shape[0], device=input.device), shape[1]), shape[0]
    if len(shape) != 1 or offsets is None or offsets.array.ndim != 1:
        raise ValueError(f"embedding_bag: input must be 2-D, or 1-D with offsets that are 1-D, got {shape}")
    begins = offsets.tolist()
    if (begins and begins[0] != 0) or sorted(begins) != begins or (begins and begins[-1] > shape[0]):
        raise ValueError(f"embedding_bag: offsets must rise from 0 to at most {shape[0]}, got {begins}")
    if include_last:
        if not begins:
            raise ValueError("embedding_bag: with include_last_offset, offsets must have at least one number")
        begins = begins[:-1]
    ends = [*begins[1:], shape[0]]
    lengths = tensor([end - begin for begin, end in zip(begins, ends)], dtype=dtypes.int64, device=input.device)
    return repeat_interleave(arange(len(begins), device=input.device), lengths), len(begins)


def one_hot(tensor: Tensor, num_classes: int = -1) -> Tensor:
    """A new last axis of zeros, with a one where the number says.

    Args:
        tensor: int64 in [0, num_classes), any shape.
        num_classes: the length of the new axis (-1: one more than the largest number).

    Returns:
        int64, ``(*tensor.shape, num_classes)``.

    Raises:
        RuntimeError: another type, a number out of range, or no number to tell the classes from.
    """
    if tensor.array.dtype.kind != "i" or tensor.array.dtype.itemsize != 8:
        raise RuntimeError(f"one_hot is only applicable to index tensor of type int64, got {tensor.dtype}")
    if not tensor.numel():
        if num_classes <= 0:
            raise RuntimeError("one_hot: can not infer total number of classes from an empty tensor")
    elif int(tensor.min()) < 0:
        raise RuntimeError(f"one_hot: class values must be non-negative, got {int(tensor.min())}")
    elif num_classes == -1:
        num_classes = int(tensor.max()) + 1
    elif int(tensor.max()) >= num_classes:
        raise RuntimeError(
            f"one_hot: class values must be smaller than num_classes {num_classes}, got {int(tensor.max())}"
        )
    return eq(tensor.unsqueeze(-1), arange(num_classes, device=tensor.device)).long()
