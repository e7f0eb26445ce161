"""Sequences of several lengths: padded to one tensor, or packed, so that a recurrent layer computes nothing in vain.

*Packed* sequences lie step by step: the first step of all of them, the longest sequence first, then the second step of
those that have one, and so on. ``batch_sizes`` says how many each step has.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from ...ops import argsort, as_tensor, cat, tensor
from ...tensor import Tensor

__all__ = [
    "PackedSequence",
    "invert_permutation",
    "pack_padded_sequence",
    "pack_sequence",
    "pad_packed_sequence",
    "pad_sequence",
    "unpack_sequence",
    "unpad_sequence",
]


class PackedSequence(NamedTuple):
    """What the functions of this file make and recurrent layers take.

    Attributes:
        data: the steps one after another, ``(sum of lengths, ...)``.
        batch_sizes: int64 ``(longest,)``: how many sequences each step has.
        sorted_indices: where each of the sequences, longest first, stood before; None if they were sorted.
        unsorted_indices: the inverse of that.
    """

    data: Tensor
    batch_sizes: Tensor
    sorted_indices: Tensor | None = None
    unsorted_indices: Tensor | None = None

    def to(self, *args: Any, **kwargs: Any) -> PackedSequence:
        """With ``data`` in another type or on another device."""
        return self._replace(data=self.data.to(*args, **kwargs))


def invert_permutation(permutation: Tensor | None) -> Tensor | None:
    """``y[permutation[i]] = i``."""
    return None if permutation is None else argsort(permutation)


def _lengths(lengths: Any) -> list[int]:
    return [int(n) for n in (lengths.tolist() if isinstance(lengths, Tensor) else lengths)]


def pad_sequence(
    sequences: Sequence[Tensor], batch_first: bool = False, padding_value: float = 0.0, padding_side: str = "right"
) -> Tensor:
    """Sequences ``(T_n, ...)`` as one tensor ``(longest, N, ...)``.

    Args:
        sequences: they differ in their first axis alone.
        batch_first: ``(N, longest, ...)`` instead.
        padding_value: what stands where a sequence is too short.
        padding_side: "right" or "left": behind or before it.

    Raises:
        RuntimeError: no sequences.
        ValueError: another ``padding_side``.
    """
    if not len(sequences):
        raise RuntimeError("pad_sequence: expected at least one sequence")
    if padding_side not in ("right", "left"):
        raise ValueError(f"pad_sequence: padding_side must be 'right' or 'left', got {padding_side!r}")
    longest = max([len(s) for s in sequences])
    y = sequences[0].new_full((len(sequences), longest, *sequences[0].shape[1:]), padding_value)
    for n, s in enumerate(sequences):
        y[n, slice(0, len(s)) if padding_side == "right" else slice(longest - len(s), longest)] = s
    return y if batch_first else y.transpose(0, 1)


def unpad_sequence(padded_sequences: Tensor, lengths: Any, batch_first: bool = False) -> list[Tensor]:
    """The sequences that :func:`pad_sequence` put together, of the given lengths."""
    x = padded_sequences if batch_first else padded_sequences.transpose(0, 1)
    return [x[i, :n] for i, n in enumerate(_lengths(lengths))]


def pack_padded_sequence(
    input: Tensor, lengths: Any, batch_first: bool = False, enforce_sorted: bool = True
) -> PackedSequence:
    """Padded sequences, packed.

    Args:
        input: ``(T, N, ...)``, or ``(N, T, ...)`` with ``batch_first``.
        lengths: of each sequence, a tensor or a list.
        batch_first: see above.
        enforce_sorted: the sequences are sorted, longest first; else they get sorted here.

    Raises:
        RuntimeError: lengths that are not positive, not one a sequence, larger than T, or not sorted.
    """
    x = input.transpose(0, 1) if batch_first else input
    wanted = _lengths(lengths)
    if len(wanted) != x.shape[1]:
        raise RuntimeError(f"pack_padded_sequence: expected {x.shape[1]} lengths, got {len(wanted)}")
    if min(wanted, default=0) < 1 or max(wanted) > x.shape[0]:
        raise RuntimeError(f"pack_padded_sequence: lengths must be in [1, {x.shape[0]}], got {wanted}")
    order = None
    if not enforce_sorted:
        places = sorted(range(len(wanted)), key=lambda i: -wanted[i])
        order, wanted = tensor(places, device=x.device), [wanted[i] for i in places]
        x = x[:, order]
    elif wanted != sorted(wanted, reverse=True):
        raise RuntimeError(
            "`lengths` array must be sorted in decreasing order when `enforce_sorted` is True. You can pass "
            "`enforce_sorted=False` to pack_padded_sequence and/or pack_sequence to sidestep this requirement"
        )
    sizes = [sum([n > t for n in wanted]) for t in range(wanted[0])]
    data = cat([x[t, :size] for t, size in enumerate(sizes)])
    return PackedSequence(data, as_tensor(sizes), order, invert_permutation(order))


def pad_packed_sequence(
    sequence: PackedSequence, batch_first: bool = False, padding_value: float = 0.0, total_length: int | None = None
) -> tuple[Tensor, Tensor]:
    """The inverse of :func:`pack_padded_sequence`.

    Args:
        sequence: packed sequences.
        batch_first: the result is ``(N, T, ...)`` instead of ``(T, N, ...)``.
        padding_value: what stands where a sequence is too short.
        total_length: T, at least the longest sequence's.

    Returns:
        The padded sequences, in the order in which they were packed, and their lengths.

    Raises:
        ValueError: ``total_length`` is smaller than the longest sequence.
    """
    sizes = sequence.batch_sizes.tolist()
    T = len(sizes) if total_length is None else total_length
    if len(sizes) > T:
        raise ValueError(
            f"Expected total_length to be at least the longest sequence's {len(sizes)}, got {total_length}"
        )
    y = sequence.data.new_full((T, sizes[0], *sequence.data.shape[1:]), padding_value)
    start = 0
    for t, size in enumerate(sizes):
        y[t, :size] = sequence.data[start : start + size]
        start += size
    lengths = tensor([sum([size > i for size in sizes]) for i in range(sizes[0])])
    if sequence.unsorted_indices is not None:
        y, lengths = y[:, sequence.unsorted_indices], lengths[sequence.unsorted_indices]
    return y.transpose(0, 1) if batch_first else y, lengths


def pack_sequence(sequences: Sequence[Tensor], enforce_sorted: bool = True) -> PackedSequence:
    """Sequences ``(T_n, ...)``, packed; arguments and errors as :func:`pack_padded_sequence`."""
    lengths = [len(s) for s in sequences]
    return pack_padded_sequence(pad_sequence(sequences), lengths, enforce_sorted=enforce_sorted)


def unpack_sequence(packed_sequences: PackedSequence) -> list[Tensor]:
    """The sequences that :func:`pack_sequence` packed."""
    return unpad_sequence(*pad_packed_sequence(packed_sequences))
