"""Products of many matrices: powers, the exponential series, and chains."""

from __future__ import annotations

import itertools
import math
from typing import Any

from ..autograd import no_grad
from ..tensor import Tensor
from .compare import isfinite, where
from .creation import eye
from .decomposition import identity, inv, matrices
from .elementwise import add, div, mul
from .matmul import matmul
from .shape import unsqueeze
from .types import expect


def matrix_power(input: Tensor, n: int) -> Tensor:
    """The product of ``n`` copies of a square matrix, or of each of a batch: the identity for 0, powers of the
    inverse below.

    Raises:
        RuntimeError: the matrices are not square.
    """
    shape = input.array.shape
    if len(shape) < 2 or shape[-1] != shape[-2]:
        raise RuntimeError(f"matrix_power: expected square matrices, got shape {tuple(shape)}")
    if n < 0:
        return matrix_power(inv(input), -n)
    power = None
    square = input
    while n:  # by the binary digits of n, the lowest first
        if n & 1:
            power = square if power is None else matmul(power, square)
        n >>= 1
        square = matmul(square, square) if n else square
    if power is None:
        return eye(shape[-1], dtype=input.dtype, device=input.device).expand(shape).clone()
    return power.clone() if power is input else power


def matrix_exp(A: Tensor) -> Tensor:
    """``I + A + A^2 / 2! + A^3 / 3! + ...``, of square matrices: of A over a power of 2, so small that 18 terms are
    enough, then squared as often. Matrices with NaN or infinity become NaN."""
    matrices(A, "linalg.matrix_exp", square=True)
    if not A.numel():
        return A.clone()
    with no_grad():
        sizes = A.abs().sum(-1)
        size = where(isfinite(sizes), sizes, 0.0).max().item()  # NaN and infinity go through all products
        halvings = max(0, math.frexp(size)[1] + 1)
    small = mul(A, 2.0**-halvings)
    y = term = identity(A, A.array.shape[-1]).expand(A.array.shape)
    for k in range(1, 19):
        term = div(matmul(term, small), k)
        y = add(y, term)
    for _ in range(halvings):
        y = matmul(y, y)
    return y


def multi_dot(tensors: Any) -> Tensor:
    """The product of matrices, in the order that takes the fewest multiplications (Cormen et al., "Introduction to
    Algorithms", 15.2); the first and the last may be vectors."""
    tensors = list(tensors)
    if len(tensors) < 2:
        raise RuntimeError(f"linalg.multi_dot: expected at least 2 tensors, got {len(tensors)}")
    expect("linalg.multi_dot", "iuf", **{f"tensors_{i}": t for i, t in enumerate(tensors)})
    first, last = tensors[0].array.ndim == 1, tensors[-1].array.ndim == 1
    chain = list(tensors)
    chain[0] = unsqueeze(chain[0], 0) if first else chain[0]
    chain[-1] = unsqueeze(chain[-1], 1) if last else chain[-1]
    shapes = [tuple(t.array.shape) for t in chain]
    if any([len(s) != 2 for s in shapes]) or any([a[1] != b[0] for a, b in itertools.pairwise(shapes)]):
        raise RuntimeError(f"linalg.multi_dot: expected matrices that fit, got {[tuple(t.shape) for t in tensors]}")
    n, sizes = len(chain), [*(s[0] for s in shapes), shapes[-1][1]]
    cost = {(i, i): (0, i) for i in range(n)}
    for span in range(1, n):
        for i in range(n - span):
            j = i + span
            cost[i, j] = min(
                (cost[i, k][0] + cost[k + 1, j][0] + sizes[i] * sizes[k + 1] * sizes[j + 1], k) for k in range(i, j)
            )

    def of(i: int, j: int) -> Tensor:
        return chain[i] if i == j else matmul(of(i, cost[i, j][1]), of(cost[i, j][1] + 1, j))

    y = of(0, n - 1)
    y = y.squeeze(0) if first else y
    return y.squeeze(-1) if last else y
