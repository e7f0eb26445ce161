"""Sums of products named by letters: ``einsum("bik,bkj->bij", a, b)`` is a batch of matrix products.

A letter stands for an axis. Axes of one letter run together; a letter that the result lacks is summed over. Whatever
the notation, two operands meet as matrices: the letters of both that stay are the batch, those of both that go are
summed by the product, and those of one operand alone are its rows or columns. Operands are combined from left to right.
"""

from __future__ import annotations

import math
from typing import Any

from ..tensor import Tensor
from .diagonal import diagonal
from .elementwise import mul
from .matmul import matmul
from .reduce import sum
from .shape import dim_of, permute, reshape, sizes, squeeze

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def _from_sublists(arguments: tuple) -> tuple[str, list]:
    """The form ``einsum(a, [0, 1], b, [1, 2], [0, 2])`` as the other one."""

    def term(numbers: Any) -> str:
        if any([n is not Ellipsis and not 0 <= n < len(LETTERS) for n in numbers]):
            raise RuntimeError(f"einsum: sublists hold numbers in [0, {len(LETTERS)}), got {numbers}")
        return "".join(["..." if n is Ellipsis else LETTERS[n] for n in numbers])

    tensors, terms = list(arguments[0::2]), [term(numbers) for numbers in arguments[1::2]]
    if len(arguments) % 2:
        return ",".join(terms) + "->" + term(tensors.pop()), tensors
    return ",".join(terms), tensors


def _named(term: str, x: Tensor) -> list[str]:
    """A name for each axis: letters, and for those under "..." the numbers -1, -2, ... counted from its end.

    Raises:
        RuntimeError: not as many names as axes.
    """
    before, dots, after = term.partition("...")
    hidden = x.array.ndim - len(before) - len(after)
    if hidden < 0 or (hidden and not dots):
        raise RuntimeError(f"einsum: {term!r} does not name the axes of an operand of shape {tuple(x.array.shape)}")
    return [*before, *[str(-k) for k in range(hidden, 0, -1)], *after]


def _parsed(equation: str, tensors: list) -> tuple[list, list]:
    """The names of each operand's axes, and of the result's.

    Raises:
        RuntimeError: a notation that makes no sense.
    """
    text = equation.replace(" ", "")
    left, arrow, right = text.partition("->")
    terms = left.split(",")
    for term in (*terms, right):
        letters = term.replace("...", "", 1)
        if any([c not in LETTERS for c in letters]):
            raise RuntimeError(f"einsum: {term!r} in {equation!r} may hold letters and one '...'")
    if len(terms) != len(tensors):
        raise RuntimeError(f"einsum: {equation!r} names {len(terms)} operands, got {len(tensors)}")
    names = [_named(term, x) for term, x in zip(terms, tensors)]
    used = [name for operand in names for name in operand]
    hidden = sorted({name for name in used if name[0] == "-"}, key=int)
    if not arrow:
        return names, hidden + sorted({name for name in used if name[0] != "-" and used.count(name) == 1})
    before, dots, after = right.partition("...")
    if any([c not in used for c in before + after]) or len(set(before + after)) != len(before + after):
        raise RuntimeError(f"einsum: each letter of the result {right!r} must be an operand's, and stand there once")
    return names, [*before, *(hidden if dots else []), *after]


def _without_repeats(x: Tensor, names: list) -> tuple[Tensor, list]:
    """The diagonal of axes that have one name."""
    names = list(names)
    for name in dict.fromkeys(names):
        while names.count(name) > 1:
            i = names.index(name)
            j = names.index(name, i + 1)
            if x.array.shape[i] != x.array.shape[j]:
                raise RuntimeError(
                    f"einsum: {name!r} names axes of sizes {x.array.shape[i]} and {x.array.shape[j]} of one operand"
                )
            x = diagonal(x, 0, i, j)
            names = [n for k, n in enumerate(names) if k not in (i, j)] + [name]
    return x, names


def _summed(x: Tensor, names: list, kept: Any) -> tuple[Tensor, list]:
    """``x`` summed over the axes that nobody needs any more."""
    axes = tuple([i for i, name in enumerate(names) if name not in kept])
    return (sum(x, axes) if axes else x), [name for name in names if name in kept]


def _arranged(x: Tensor, names: list, *groups: list) -> Tensor:
    """``x`` with its axes in the order of the groups, each group one axis, but those of the first, which stay apart."""
    x = permute(x, [names.index(name) for group in groups for name in group])
    first = len(groups[0])
    shape, ends = tuple(x.array.shape), []
    for group in groups[1:]:
        ends.append(math.prod(shape[first : first + len(group)]))
        first += len(group)
    return reshape(x, (*shape[: len(groups[0])], *ends))


def _product(a: Tensor, p: list, b: Tensor, q: list, kept: Any) -> tuple[Tensor, list]:
    """Two operands become one: a matrix product in batches."""
    for name in [name for name in p if name in q]:  # size 1 meets any other: that axis need not take part
        i, j = p.index(name), q.index(name)
        if a.array.shape[i] != b.array.shape[j]:
            if a.array.shape[i] == 1:
                a, p = squeeze(a, i), p[:i] + p[i + 1 :]
            else:
                b, q = squeeze(b, j), q[:j] + q[j + 1 :]
    a, p = _summed(a, p, {*q, *kept})
    b, q = _summed(b, q, {*p, *kept})
    shared = [name for name in p if name in q]
    batch, gone = [n for n in shared if n in kept], [n for n in shared if n not in kept]
    rows, columns = [n for n in p if n not in q], [n for n in q if n not in p]
    sizes_of = dict(zip(p + q, (*a.array.shape, *b.array.shape)))
    left, right = _arranged(a, p, batch, rows, gone), _arranged(b, q, batch, gone, columns)
    y = matmul(left, right) if gone else mul(left, right)  # with nothing to sum, types may differ
    names = batch + rows + columns
    return reshape(y, tuple([sizes_of[name] for name in names])), names


def einsum(*args: Any) -> Tensor:
    """The sum of products that an equation in Einstein's notation describes.

    Args:
        args: ``equation, *operands``: the names of each operand's axes, separated by commas, and after "->" those of
            the result (default: in alphabetical order those that stand once). "..." stands for the axes without names,
            which are broadcast. A letter twice in one operand takes the diagonal. Or ``operand, numbers, operand,
            numbers, ..., numbers``: the same with numbers for letters.

    Returns:
        For example ``einsum("ij->ji", a)`` a transpose, ``"ii"`` a trace, ``"i,j->ij"`` an outer product, ``"bij,bjk"``
        products of matrices.

    Raises:
        RuntimeError: an equation that makes no sense, or sizes that differ under one letter.
    """
    if args and isinstance(args[0], str):
        equation, tensors = args[0], list(args[1:])
    else:
        equation, tensors = _from_sublists(args)
    if len(tensors) == 1 and not isinstance(tensors[0], Tensor):
        tensors = list(tensors[0])
    if not tensors:
        raise RuntimeError("einsum: expected at least one operand")
    names, result = _parsed(equation, tensors)
    every: dict[str, int] = {}
    singles = []
    for x, own in zip(tensors, names):
        x, own = _without_repeats(x, own)
        for name, n in zip(own, x.array.shape):
            if every.setdefault(name, n) == 1:
                every[name] = n
            elif n not in (1, every[name]):
                raise RuntimeError(f"einsum: {name!r} names axes of sizes {every[name]} and {n}")
        singles.append((x, own))
    y, own = singles[0]
    for k, (x, other) in enumerate(singles[1:], 2):
        later = {name for _, names_of in singles[k:] for name in names_of}
        y, own = _product(y, own, x, other, {*result, *later})
    y, own = _summed(y, own, result)
    return permute(y, [own.index(name) for name in result])


def tensordot(a: Tensor, b: Tensor, dims: Any = 2) -> Tensor:
    """The sum of products over some axes of both: ``dims`` is a pair of lists of axes, or a number: the last ones of
    ``a`` and the first ones of ``b``. Of two axes one may have size 1: it is repeated.

    Raises:
        RuntimeError: not as many axes of one as of the other, or different sizes.
    """
    if isinstance(dims, (int, Tensor)):
        n = int(dims)
        first, second = list(range(a.array.ndim - n, a.array.ndim)), list(range(n))
        if not 0 <= n <= min(a.array.ndim, b.array.ndim):
            raise RuntimeError(f"tensordot: dims must be at most the number of dimensions of either, got {n}")
    elif not isinstance(dims, (tuple, list)) or len(dims) != 2:
        raise RuntimeError(f"tensordot: dims must be a number or two lists of axes, got {dims!r}")
    else:
        first, second = (
            [dim_of(d, x.array.ndim, "tensordot") for d in sizes((axes,))] for axes, x in zip(dims, (a, b))
        )
    pairs = [(i, j, a.array.shape[i], b.array.shape[j]) for i, j in zip(first, second)]
    over_a, over_b = [i for i, _, n, m in pairs if m == 1 != n], [j for _, j, n, m in pairs if n == 1 != m]
    a = sum(a, over_a, True, dtype=a.dtype) if over_a else a  # an element that is repeated multiplies a sum
    b = sum(b, over_b, True, dtype=b.dtype) if over_b else b
    if [a.array.shape[i] for i in first] != [b.array.shape[j] for j in second]:
        raise RuntimeError(
            f"tensordot: dims {first} of shape {tuple(a.array.shape)} and {second} of shape {tuple(b.array.shape)} "
            "differ in size"
        )
    rows = [i for i in range(a.array.ndim) if i not in first]
    columns = [j for j in range(b.array.ndim) if j not in second]
    left = _arranged(a, list(range(a.array.ndim)), [], rows, first)
    right = _arranged(b, list(range(b.array.ndim)), [], second, columns)
    return reshape(matmul(left, right), tuple([a.array.shape[i] for i in rows] + [b.array.shape[j] for j in columns]))
