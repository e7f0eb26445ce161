"""Real numbers, asked as complex ones."""

import math

import pytest

import tinyconv


def test_angles_are_zero_or_pi():
    x = tinyconv.tensor([-2.0, -0.0, 0.0, 3.0, math.inf, -math.inf, math.nan], requires_grad=True)
    *y, last = tinyconv.angle(x)
    assert [v.item() for v in y] == [tinyconv.tensor(math.pi).item() * (v < 0) for v in x.tolist()[:-1]]
    assert last.isnan()
    x.angle().sum().backward()
    assert x.grad.tolist() == [0] * 7
    assert tinyconv.tensor([-1, 2]).angle().dtype is tinyconv.float32
    assert tinyconv.tensor([-1.0], dtype=tinyconv.float64).angle().item() == math.pi


def test_real_numbers_are_their_own_real_part_and_conjugate():
    x = tinyconv.ones(2)
    assert tinyconv.conj(x) is x is x.conj() and tinyconv.real(x) is x is x.real
    with pytest.raises(TypeError, match="conj: input must be a tensor, got float"):
        tinyconv.conj(1.0)


def test_as_pytorch():
    torch = pytest.importorskip("torch")
    values = [-2.0, -0.0, 0.0, 3.0, math.nan, math.inf, -math.inf]
    ours, theirs = (m.angle(m.tensor(values, dtype=m.float64)) for m in (tinyconv, torch))
    assert repr(ours.tolist()) == repr(theirs.tolist())
