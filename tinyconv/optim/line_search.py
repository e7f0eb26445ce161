"""How far to go along a direction: until the strong Wolfe conditions hold.

With phi(t) the loss at a distance t, they ask for enough descent, ``phi(t) <= phi(0) + c1 * t * phi'(0)``, and for a
flatter place, ``|phi'(t)| <= c2 * |phi'(0)|``. First t grows until an interval must contain such a point, then the
interval shrinks around it; both by the minimum of the cubic through two points and their slopes (Nocedal and Wright,
"Numerical optimization", algorithms 3.5 and 3.6; with the safeguards of Schmidt's minFunc, which PyTorch has too).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

from ..tensor import Tensor

__all__ = ["strong_wolfe"]


class _Point(NamedTuple):
    """A place on the line: distance, loss, gradient, and slope along the line."""

    t: float
    loss: float
    gradient: Tensor
    slope: float


def strong_wolfe(
    evaluate: Callable[[float], tuple[float, Tensor]],
    t: float,
    direction: Tensor,
    loss: float,
    gradient: Tensor,
    slope: float,
    most: int,
    c1: float = 1e-4,
    c2: float = 0.9,
    tolerance: float = 1e-9,
) -> tuple[float, Tensor, float, int]:
    """Search along ``direction``.

    Args:
        evaluate: the loss and its gradient at a distance.
        t: where to try first.
        direction: downhill.
        loss, gradient, slope: at distance 0.
        most: iterations.
        c1, c2: see above.
        tolerance: an interval in which no parameter would change by more is not searched.

    Returns:
        (loss, gradient, t, how many evaluations).
    """

    def at(t: float) -> _Point:
        loss, gradient = evaluate(t)
        return _Point(t, loss, gradient, (gradient * direction).sum().item())

    def too_high(p: _Point) -> bool:
        return p.loss > start.loss + c1 * p.t * start.slope

    def flat(p: _Point) -> bool:
        return abs(p.slope) <= -c2 * start.slope

    start = before = _Point(0.0, loss, gradient, slope)
    new, evaluations, iterations = at(t), 1, 0
    bracket = [start, new]
    done = False
    while iterations < most:
        if too_high(new) or (iterations > 1 and new.loss >= before.loss):
            bracket = [before, new]
            break
        if flat(new):
            bracket, done = [new, new], True
            break
        if new.slope >= 0:
            bracket = [before, new]
            break
        further = _cubic_minimum(before, new, new.t + 0.01 * (new.t - before.t), new.t * 10)
        before, new = new, at(further)
        evaluations += 1
        iterations += 1
    else:
        bracket = [start, new]

    stuck = False
    low, high = sorted(bracket, key=lambda p: p.loss)
    width = direction.abs().max().item()
    while not done and iterations < most and abs(high.t - low.t) * width >= tolerance:
        left, right = sorted((low.t, high.t))
        t = _cubic_minimum(low, high, left, right)
        margin = 0.1 * (right - left)
        if min(right - t, t - left) >= margin:
            stuck = False
        elif stuck or t >= right or t <= left:  # too near to an end: once is borne, then t moves in
            t = right - margin if abs(t - right) < abs(t - left) else left + margin
            stuck = False
        else:
            stuck = True
        new = at(t)
        evaluations += 1
        iterations += 1
        if too_high(new) or new.loss >= low.loss:
            low, high = sorted((low, new), key=lambda p: p.loss)
        else:
            if flat(new):
                done = True
            elif new.slope * (high.t - low.t) >= 0:
                high = low
            low = new
    return low.loss, low.gradient, low.t, evaluations


def _cubic_minimum(a: _Point, b: _Point, left: float, right: float) -> float:
    """Where the cubic with the losses and slopes of two points is smallest, within [left, right]; the middle if
    nowhere (Nocedal and Wright, equation 3.59)."""
    d1 = a.slope + b.slope - 3 * (a.loss - b.loss) / (a.t - b.t)
    square = d1 * d1 - a.slope * b.slope
    if not square >= 0:
        return (left + right) / 2
    d2 = math.sqrt(square)
    if a.t > b.t:
        a, b = b, a
    t = b.t - (b.t - a.t) * ((b.slope + d2 - d1) / (b.slope - a.slope + 2 * d2))
    return min(max(t, left), right)
