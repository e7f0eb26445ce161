"""How arrays lie in memory: the fewest axes along which a kernel must count."""

from __future__ import annotations

from functools import lru_cache

Shape = tuple[int, ...]


@lru_cache(maxsize=4096)
def collapsed(shape: Shape, *strides: Shape) -> tuple[Shape, ...]:
    """``shape`` and the operands' ``strides`` with axes of length 1 dropped and neighbours merged wherever, for every
    operand, a step along the outer one is a whole turn of the inner one: dense arrays come out with one axis. At least
    one axis is left."""
    sizes: list[int] = []
    steps: list[list[int]] = [[] for _ in strides]
    for axis, n in enumerate(shape):
        if n == 1:
            continue
        if sizes and all(s[-1] == operand[axis] * n for s, operand in zip(steps, strides, strict=True)):
            sizes[-1] *= n
            for s, operand in zip(steps, strides, strict=True):
                s[-1] = operand[axis]
            continue
        sizes.append(n)
        for s, operand in zip(steps, strides, strict=True):
            s.append(operand[axis])
    if not sizes:
        sizes, steps = [1], [[1] for _ in strides]
    return (tuple(sizes), *map(tuple, steps))


def stretched(shape: Shape, strides: Shape, target: Shape) -> Shape:
    """The strides with which an array of ``shape`` is read as one of ``target``: 0 where it repeats."""
    missing = len(target) - len(shape)
    return (0,) * missing + tuple(
        0 if n == 1 and m != 1 else s for n, s, m in zip(shape, strides, target[missing:], strict=True)
    )


def reshaped(shape: Shape, strides: Shape, target: Shape) -> Shape | None:
    """The strides that make ``target`` of an array of ``shape`` without moving an element; None where there are none.

    Each run of old axes that make up a run of new ones must itself be dense.
    """
    old = [(n, s) for n, s in zip(shape, strides, strict=True) if n != 1]
    out = [1] * len(target)
    i = k = 0
    while i < len(old) and k < len(target):
        j, m, had, wanted = i + 1, k + 1, old[i][0], target[k]
        while had != wanted:
            if wanted < had:
                wanted, m = wanted * target[m], m + 1
            else:
                had, j = had * old[j][0], j + 1
        if any(old[a][1] != old[a + 1][1] * old[a + 1][0] for a in range(i, j - 1)):
            return None
        step = old[j - 1][1]
        for axis in range(m - 1, k - 1, -1):
            out[axis], step = step, step * target[axis]
        i, k = j, m
    return tuple(out)
