"""Dual numbers: one evaluation gives a value and a derivative in one direction."""

from __future__ import annotations

import numpy as np
import pytest

import tinyconv
import tinyconv.autograd.forward_ad as fwAD
from tinyconv import nn

F64 = tinyconv.float64


def test_a_value_and_its_derivative():
    x, t = tinyconv.tensor([0.5, 2.0, -1.0], dtype=F64), tinyconv.tensor([1.0, 3.0, 0.0], dtype=F64)
    with fwAD.dual_level():
        dual = fwAD.make_dual(x, t)
        y, dy = fwAD.unpack_dual((dual**2).sin() * 3)
        assert fwAD.unpack_dual(dual).tangent.tolist() == t.tolist()
        assert fwAD.unpack_dual(dual.sum()).tangent == 4
        assert fwAD.unpack_dual(dual.sign()).tangent.tolist() == [0.0, 0.0, 0.0]
        assert fwAD.unpack_dual(x).tangent is None and fwAD.unpack_dual(x * 2).tangent is None
    a, v = x.numpy(), t.numpy()
    np.testing.assert_allclose(y.numpy(), 3 * np.sin(a**2))
    np.testing.assert_allclose(dy.numpy(), 3 * np.cos(a**2) * 2 * a * v)
    assert not (y.requires_grad or dy.requires_grad or x.requires_grad)
    assert fwAD.unpack_dual(dual) == (dual, None)  # after its level, a dual is a tensor as any other


def test_derivatives_by_several_duals_add_up():
    x, y = tinyconv.tensor(2.0), tinyconv.tensor(5.0)
    with tinyconv.no_grad():
        with fwAD.dual_level():
            z = fwAD.make_dual(x, tinyconv.tensor(10.0)) * fwAD.make_dual(y, tinyconv.tensor(1.0))
            assert fwAD.unpack_dual(z).tangent == 10 * 5 + 2
        assert not tinyconv.is_grad_enabled()


def test_the_parameters_of_a_module():
    net, x = nn.Linear(3, 2), tinyconv.ones(1, 3)
    with fwAD.dual_level():
        for name, p in list(net.named_parameters()):
            delattr(net, name)
            setattr(net, name, fwAD.make_dual(p, tinyconv.ones_like(p)))
        assert fwAD.unpack_dual(net(x)).tangent.tolist() == [[4.0, 4.0]]


def test_the_derivative_of_a_derivative():
    """Forward over backward: H v for f = sum x^3, and the gradient of J v by x and by v."""
    x, v = tinyconv.tensor([1.0, 2.0], requires_grad=True), tinyconv.tensor([1.0, 10.0], requires_grad=True)
    with fwAD.dual_level():
        dual = fwAD.make_dual(x.detach(), v.detach())
        (slope,) = tinyconv.autograd.grad((dual**3).sum(), dual, create_graph=True)
        assert fwAD.unpack_dual(slope).tangent.tolist() == [6.0, 120.0]
        pushed = fwAD.unpack_dual(fwAD.make_dual(x, v) ** 3).tangent
        gx, gv = tinyconv.autograd.grad(pushed.sum(), (x, v))
    assert gx.tolist() == [6.0, 120.0] and gv.tolist() == [3.0, 12.0]


def test_misuse():
    x = tinyconv.ones(2)
    with pytest.raises(RuntimeError, match="duals live in a level"):
        fwAD.make_dual(x, x)
    with pytest.raises(RuntimeError, match="no level to exit"):
        fwAD.exit_dual_level()
    with fwAD.dual_level():
        with pytest.raises(RuntimeError, match="nested"):
            fwAD.enter_dual_level()
        with pytest.raises(RuntimeError, match=r"have the shape of tensor, .*\[2\]\), got .*\[3\]"):
            fwAD.make_dual(x, tinyconv.ones(3))
        with pytest.raises(RuntimeError, match="have the dtype of tensor"):
            fwAD.make_dual(x, x.double())
        with pytest.raises(ValueError, match="tangent must be of floating point, got tinyconv.int64"):
            fwAD.make_dual(x, x.long())
    assert tinyconv.is_grad_enabled()
