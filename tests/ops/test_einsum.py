"""Sums of products by names."""

from __future__ import annotations

import numpy as np
import pytest

import tinyconv

EQUATIONS = {
    "ij,jk->ik": [(2, 3), (3, 4)], "ij,jk": [(2, 3), (3, 4)], "ba": [(2, 3)], "ii": [(3, 3)], "ii->i": [(3, 3)],
    "bij,bjk->bik": [(2, 3, 4), (2, 4, 5)], "i,j->ij": [(2,), (3,)], "ij->": [(2, 3)], "i,i->": [(3,), (3,)],
    "...ij,...jk->...ik": [(2, 1, 2, 3), (5, 3, 2)], "...,...->...": [(2, 3), (3,)], "i...->...i": [(2, 3, 4)],
    "bn,anm,bm->ba": [(2, 3), (5, 3, 4), (2, 4)], "iij,jkk->ik": [(2, 2, 3), (3, 4, 4)], "ab,cd->": [(2, 3), (4, 5)],
    "ij,ij,ij->i": [(2, 3)] * 3, "aB,Bc": [(2, 3), (3, 2)], "iji->j": [(2, 3, 2)], "ij,kj->ik": [(0, 3), (2, 3)],
    "ij,jk->i k": [(2, 0), (0, 3)], "...ij,jk": [(2, 2, 3), (3, 4)], "z...a": [(2, 3, 4, 5)],
}  # fmt: skip


@pytest.mark.parametrize("equation", EQUATIONS)
@pytest.mark.parametrize("dtype", ["float64", "int64"])
def test_as_numpy(equation, dtype):
    rng = np.random.default_rng(0)
    arrays = [rng.integers(-4, 5, shape).astype(dtype) for shape in EQUATIONS[equation]]
    ours = tinyconv.einsum(equation, *map(tinyconv.from_numpy, arrays))
    np.testing.assert_allclose(ours.array, np.einsum(equation.replace(" ", ""), *arrays))
    assert ours.array.dtype == dtype


def test_sizes_of_one_are_broadcast():
    a, b = tinyconv.ones(2, 1), tinyconv.arange(12.0).reshape(3, 4)
    assert tinyconv.einsum("ij,jk->ik", a, b).tolist() == [b.sum(0).tolist()] * 2
    assert tinyconv.einsum("ij,jk->ijk", a, b).shape == (2, 3, 4)


def test_numbers_for_letters():
    a, b = tinyconv.randn(2, 3), tinyconv.randn(3, 4)
    expected = (a @ b).tolist()
    assert tinyconv.einsum(a, [0, 1], b, [1, 2], [0, 2]).tolist() == expected
    assert tinyconv.einsum(a, [0, 1], b, [1, 2]).tolist() == expected
    assert tinyconv.einsum("ij,jk->ik", [a, b]).tolist() == expected
    assert tinyconv.einsum(a, [..., 0], [0, ...]).tolist() == a.T.tolist()


def test_tensordot():
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((2, 3, 4)), rng.standard_normal((4, 3, 5))
    s, t = tinyconv.from_numpy(a), tinyconv.from_numpy(b)
    for dims in (1, 0, ([1, 2], [1, 0]), ([-1], [0])):
        np.testing.assert_allclose(tinyconv.tensordot(s, t, dims).array, np.tensordot(a, b, dims))
    with pytest.raises(RuntimeError, match="differ in size"):
        tinyconv.tensordot(s, t)


def test_errors():
    a = tinyconv.ones(2, 3)
    for match, equation, operands in (
        ("'i' does not name the axes of an operand of shape", "i", [a]),
        ("names 2 operands, got 1", "ij,jk", [a]),
        ("'j' names axes of sizes 3 and 2", "ij,jk", [a, a]),
        ("'i' names axes of sizes 2 and 3 of one operand", "ii", [a]),
        ("each letter of the result 'ik'", "ij->ik", [a]),
        ("may hold letters and one", "i1", [a]),
        ("at least one operand", "", []),
    ):
        with pytest.raises(RuntimeError, match=match):
            tinyconv.einsum(equation, *operands)


def test_products_without_a_sum_promote():
    y = tinyconv.einsum("i,j->ij", tinyconv.tensor([1, 2]), tinyconv.tensor([0.5, 1.0]))
    assert y.tolist() == [[0.5, 1.0], [1.0, 2.0]]
