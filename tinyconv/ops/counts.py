"""Random counts: Poisson and binomial.

Few are expected: the cumulative probabilities are added up until they pass a uniform number. Many: a formula of two
uniform numbers proposes a count, which is kept or rejected (Hoermann, "The transformed rejection method for generating
Poisson random variables", Insurance: Mathematics and Economics 1993, algorithm PTRS; "The generation of binomial random
variates", Journal of Statistical Computation and Simulation 1993, algorithm BTRS). Both run in rounds over the whole
array, in float64.
"""

from __future__ import annotations

from collections.abc import Callable

from .. import dtypes
from ..random import Generator
from ..tensor import Tensor
from .compare import where
from .convert import cast
from .creation import full_like, zeros_like
from .random import rand
from .shape import broadcast_tensors
from .special import lgamma
from .types import expect, same_type

_FEW = 10.0  # up to this mean the probabilities are added up
_MOST_OF_FEW = 110  # with this mean, more than so many have a probability below 1e-60


def poisson(input: Tensor, generator: Generator | None = None) -> Tensor:
    """Counts of events that come independently, where ``input`` come on the average; the type of ``input``.

    Raises:
        RuntimeError: a rate that is negative, infinite or NaN; no floating-point rates.
    """
    expect("poisson", "f", input=input)
    rate = cast(input.detach(), dtypes.float64.numpy)
    if not bool(((rate >= 0) & (rate < float("inf"))).all()):
        raise RuntimeError("poisson: expected rates that are not negative, and finite")
    many, few = rate.clamp(min=_FEW), rate.clamp(max=_FEW)
    root, log = many.sqrt(), many.log()
    b = 0.931 + 2.53 * root
    a = -0.059 + 0.02483 * b

    def log_ratio(k: Tensor) -> Tensor:
        return k * log - many - lgamma(k + 1)

    large = _transformed_rejection(a, b, many + 0.43, 0.9277 - 3.6224 / (b - 2), 1.1239 + 1.1328 / (b - 3.4), log_ratio,
                                   generator)  # fmt: skip
    small = _inversion((-few).exp(), lambda p, k: p * few / k, generator)
    return cast(where(rate < _FEW, small, large), input.array.dtype)


def binomial(count: Tensor, prob: Tensor, generator: Generator | None = None) -> Tensor:
    """How many of ``count`` trials succeed, each with the probability ``prob``; the type of ``count``.

    Raises:
        RuntimeError: a count that is negative, infinite or NaN, or no probability; no floating-point tensors of one
            type.
    """
    same_type("binomial", count=count, prob=prob)
    n, p = broadcast_tensors(*[cast(x.detach(), dtypes.float64.numpy) for x in (count, prob)])
    if not bool(((n >= 0) & (n < float("inf")) & (p >= 0) & (p <= 1)).all()):
        raise RuntimeError("binomial: expected finite counts that are not negative, and probabilities in [0, 1]")
    n, swapped = n.floor(), p > 0.5
    q = where(swapped, 1 - p, p)  # of the rarer outcome
    few = n * q < _FEW
    many = where(few, full_like(n, 40.0), n)
    r = where(few, full_like(q, 0.5), q)
    spread = (many * r * (1 - r)).sqrt()
    b = 1.15 + 2.53 * spread
    a = -0.0873 + 0.0248 * b + 0.01 * r
    odds, mode = (r / (1 - r)).log(), ((many + 1) * r).floor()
    at_mode = lgamma(mode + 1) + lgamma(many - mode + 1)

    def log_ratio(k: Tensor) -> Tensor:
        inside = k <= many
        k = where(inside, k, many)
        log = at_mode - lgamma(k + 1) - lgamma(many - k + 1) + (k - mode) * odds
        return where(inside, log, full_like(log, -float("inf")))

    large = _transformed_rejection(
        a, b, many * r + 0.5, 0.92 - 4.2 / b, (2.83 + 5.1 / b) * spread, log_ratio, generator
    )
    rare = where(few, q, zeros_like(q))
    small = _inversion((n * (-rare).log1p()).exp(), lambda p, k: p * (n - k + 1).clamp(min=0) / k * rare / (1 - rare),
                       generator)  # fmt: skip
    y = where(few, small, large)
    return cast(where(swapped, n - y, y), count.array.dtype)


def _inversion(first: Tensor, following: Callable[[Tensor, int], Tensor], generator: Generator | None) -> Tensor:
    """Counts whose probabilities are ``first`` for 0 and ``following(p of k - 1, k)`` for k."""
    u = _uniform(first, generator)
    p, total, count = first, first, zeros_like(first)
    for k in range(1, _MOST_OF_FEW):
        beyond = u >= total
        if not bool(beyond.any()):
            break
        count = count + cast(beyond, first.array.dtype)
        p = following(p, k)
        total = total + p
    return count


def _transformed_rejection(a: Tensor, b: Tensor, centre: Tensor, sure: Tensor, scale: Tensor,
                           log_ratio: Callable[[Tensor], Tensor], generator: Generator | None) -> Tensor:  # fmt: skip
    """``floor((2 a / d + b) u + centre)`` for a uniform u in [-1/2, 1/2) with the distance d from its ends, kept with
    a probability in proportion to ``exp(log_ratio(k))`` over the density of the proposals.

    Args:
        sure: for d >= 0.07 a second uniform number up to this one needs no look at ``log_ratio``.
        scale: times the second number it is the bound of the ratio.
    """
    kept = zeros_like(a)
    done = kept != 0
    while not bool(done.all()):
        u, v = _uniform(a, generator) - 0.5, 1 - _uniform(a, generator)
        d = (0.5 - u.abs()).clamp(min=1e-300)
        k = ((2 * a / d + b) * u + centre).floor()
        possible, k = k >= 0, k.clamp(min=0)
        good = ((d >= 0.07) & (v <= sure)) | (possible & ((v * scale / (a / (d * d) + b)).log() <= log_ratio(k)))
        kept, done = where(done | ~good, kept, k), done | good
    return kept


def _uniform(like: Tensor, generator: Generator | None) -> Tensor:
    return rand(like.array.shape, generator=generator, dtype=like.dtype, device=like.device)
