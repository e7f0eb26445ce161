"""Connectionist temporal classification (Graves et al., ICML 2006): the loss of a sequence of labels where nobody says
which step of a longer input is which label.

A *path* names for each step a label or the blank, and says the labels that are left after repetitions are merged and
blanks are dropped. The loss is minus the logarithm of the sum of all paths' probabilities that say the target. With the
target l extended by blanks, l' = (blank, l_1, blank, l_2, ..., blank), the paths that after step t have come to l'_s
add up to

``alpha[t, s] = p[t, l'_s] * (alpha[t-1, s] + alpha[t-1, s-1] + alpha[t-1, s-2] where l'_s may follow l'_{s-2})``

(their equations 5 to 8, here in logarithms), and the last two of l' are where a path may end. A label may follow the
one before it directly where the two differ.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from .. import dtypes
from ..tensor import Tensor
from .compare import eq, ge, lt, ne, where
from .convert import cast
from .creation import tensor
from .elementary import exp, log
from .elementwise import add, div, mul, neg, sub
from .gather import gather
from .index import counting
from .join import cat, stack
from .logic import logical_and
from .loss import named_reduction, reduced
from .pad import pad
from .reduce import amax, mean, sum
from .shape import unsqueeze, windows
from .types import expect

NEVER = -math.inf


def _log_of_sum(x: Tensor) -> Tensor:
    """``log(sum(exp(x)))`` over axis 1, with the gradient 0 where no term is possible."""
    top = amax(x.detach(), 1, keepdim=True)
    top = where(eq(top, NEVER), 0.0, top)
    total = sum(exp(sub(x, top)), 1)
    nothing = eq(total, 0)
    return where(nothing, NEVER, add(log(where(nothing, 1.0, total)), top.squeeze(1)))


def _lengths(lengths: Any, argument: str, N: int, most: int, like: Tensor) -> tuple[list[int], Tensor]:
    """One length for each sequence, as numbers and as a tensor.

    Raises:
        RuntimeError: not as many as sequences, or some longer than there are steps.
    """
    if isinstance(lengths, Tensor):
        expect("ctc_loss", "iu", **{argument: lengths})
        lengths = lengths.reshape(-1).tolist()
    lengths = [int(n) for n in (lengths if isinstance(lengths, Sequence) else [lengths])]
    if len(lengths) != N or any([not 0 <= n <= most for n in lengths]):
        raise RuntimeError(f"ctc_loss: {argument} must be {N} numbers from 0 to {most}, got {lengths}")
    return lengths, tensor(lengths, device=like.device)


def _padded(targets: Tensor, lengths: list[int], batched: bool) -> Tensor:
    """``(N, S)``, S the longest target's length; what is behind a target's end is never read.

    Raises:
        RuntimeError: there are fewer labels than the lengths say.
    """
    N, S = len(lengths), max(lengths, default=0)
    if targets.array.ndim == 2 or not batched:
        rows = targets.reshape(N, -1)
        if rows.array.shape[1] < S:
            raise RuntimeError(f"ctc_loss: targets have shape {tuple(targets.array.shape)}, the longest is {S}")
        return rows[:, :S]
    total, each = 0, []
    for length in lengths:
        each.append(pad(targets[total : total + length], (0, S - length)))
        total += length
    if targets.array.ndim != 1 or total != targets.numel():
        raise RuntimeError(f"ctc_loss: target_lengths add up to {total}, targets have {tuple(targets.array.shape)}")
    return stack(each)


def ctc_loss(
    log_probs: Tensor,
    targets: Tensor,
    input_lengths: Any,
    target_lengths: Any,
    blank: int = 0,
    reduction: str = "mean",
    zero_infinity: bool = False,
) -> Tensor:
    """The CTC loss.

    Args:
        log_probs: ``(T, N, C)``, or ``(T, C)``: logarithms of the probabilities of the labels in each step, as
            :func:`~tinyconv.nn.functional.log_softmax` gives them.
        targets: ``(N, S)``, ``(S,)`` for one sequence, or all of them one after another: integers in [0, C) without
            the blank.
        input_lengths, target_lengths: of each sequence: tensors or lists of N integers.
        blank: the label that stands for none.
        reduction: "none"; "sum"; "mean": each loss is divided by its target's length, and then their mean is taken.
        zero_infinity: 0 instead of infinity (and no gradient) where the input is too short for the target.

    Returns:
        ``(N,)``, ``()`` for one sequence or a reduction. The gradient is that of the formula: PyTorch's differs by a
        term which ``log_softmax`` takes away again.

    Raises:
        RuntimeError: types, shapes, lengths or a blank that do not fit.
        ValueError: an unknown reduction.
    """
    name = "ctc_loss"
    reduction = named_reduction(reduction, None, None, name)
    expect(name, "f", log_probs=log_probs)
    expect(name, "iu", targets=targets)
    batched = log_probs.array.ndim == 3
    if log_probs.array.ndim not in (2, 3):
        raise RuntimeError(f"{name}: log_probs must be (T, N, C) or (T, C), got {tuple(log_probs.array.shape)}")
    p = log_probs if batched else unsqueeze(log_probs, 1)
    T, N, C = p.array.shape
    if not 0 <= blank < C:
        raise RuntimeError(f"{name}: blank must be in [0, {C}), got {blank}")
    steps, step_counts = _lengths(input_lengths, "input_lengths", N, T, p)
    labels, label_counts = _lengths(target_lengths, "target_lengths", N, targets.numel(), p)
    target = cast(_padded(targets, labels, batched), dtypes.int64.numpy)
    S = target.array.shape[1]

    blanks = target.new_full((N, S + 1), blank)
    place = counting(2 * S + 1, p)
    within = lt(place, add(mul(label_counts, 2), 1).unsqueeze(1))
    extended = cat([stack([blanks[:, :S], target], 2).reshape(N, 2 * S), blanks[:, S:]], 1)
    extended = where(within, extended, blank)
    p = gather(p, 2, extended.expand(T, N, 2 * S + 1))
    differs = cat([place.new_zeros(N, min(2, 2 * S + 1)) > 0, ne(extended[:, 2:], extended[:, :-2])], 1)
    # Whether one may come to each place from two places before (never to a blank: that is a blank, too), one, or none.
    may = stack([differs, ge(place, 0).expand(N, -1), ge(place, 0).expand(N, -1)], 1)
    barred = where(may, 0.0, NEVER).to(p.dtype)

    alpha = where(eq(place, 0), 0.0, NEVER).to(p.dtype).expand(N, 2 * S + 1)  # before the first step
    for t in range(max(steps, default=0)):
        before = windows(pad(alpha, (2, 0), value=NEVER), 1, 2 * S + 1, 1)
        after = add(_log_of_sum(add(before, barred)), p[t])
        alpha = after if t < min(steps) else where(unsqueeze(lt(t, step_counts), 1), after, alpha)

    end = mul(label_counts, 2).unsqueeze(1)
    last = where(logical_and(ge(place, sub(end, 1)), lt(place, add(end, 1))), alpha, NEVER)
    loss = neg(_log_of_sum(last))
    if zero_infinity:
        loss = where(eq(loss, math.inf), 0.0, loss)
    if reduction == "mean":
        return mean(div(loss, label_counts.clamp(1).to(loss.dtype)))
    return reduced(loss, reduction) if batched or reduction == "sum" else loss.squeeze(0)
