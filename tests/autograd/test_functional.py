"""Jacobians, Hessians and their products with vectors: by formula, and beside PyTorch."""

import numpy as np
import pytest

import tinyconv
from tinyconv.autograd import functional


def two(lib):
    def f(a, b):
        return (a * a).sum() * b, (a.exp() @ b.reshape(2, 1)).reshape(3)

    a, b = np.arange(6.0).reshape(3, 2) / 5, np.array([0.5, -2.0])
    return f, (lib.tensor(a, dtype=lib.float64), lib.tensor(b, dtype=lib.float64))


def flat(x):
    return [leaf for part in x for leaf in flat(part)] if isinstance(x, tuple) else [x.detach().numpy()]


def agree(run):
    torch = pytest.importorskip("torch")
    ours, theirs = flat(run(tinyconv)), flat(run(torch))
    assert [a.shape for a in ours] == [a.shape for a in theirs]
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)


def test_jacobian_by_formula():
    x = tinyconv.tensor([0.3, 0.7], dtype=tinyconv.float64)
    np.testing.assert_allclose(functional.jacobian(tinyconv.sin, x).numpy(), np.diag(np.cos([0.3, 0.7])))
    h = functional.hessian(lambda x: x[0] ** 2 * x[1] ** 3, x).numpy()
    np.testing.assert_allclose(h, [[2 * 0.7**3, 6 * 0.3 * 0.49], [6 * 0.3 * 0.49, 6 * 0.09 * 0.7]])
    y, jv = functional.jvp(tinyconv.sin, x, tinyconv.tensor([2.0, 1.0], dtype=tinyconv.float64))
    np.testing.assert_allclose(jv.numpy(), np.cos([0.3, 0.7]) * [2, 1])
    np.testing.assert_allclose(y.numpy(), np.sin([0.3, 0.7]))
    assert not (y.requires_grad or jv.requires_grad or x.requires_grad)


def test_several_inputs_and_outputs_as_pytorch():
    def vectors(lib):
        f, inputs = two(lib)
        return f, inputs, tuple(lib.ones_like(x) * 2 for x in inputs), tuple(lib.ones_like(y) * 3 for y in f(*inputs))

    def scalar(lib):
        f, inputs = two(lib)
        return (lambda a, b: f(a, b)[0].sum() * f(a, b)[1].sum()), inputs

    agree(lambda lib: lib.autograd.functional.jacobian(*two(lib)))
    agree(lambda lib: lib.autograd.functional.hessian(*scalar(lib)))
    agree(lambda lib: lib.autograd.functional.vjp(*vectors(lib)[:2], vectors(lib)[3]))
    agree(lambda lib: lib.autograd.functional.jvp(*vectors(lib)[:2], vectors(lib)[2]))
    for name in ("vhp", "hvp"):
        agree(lambda lib, name=name: getattr(lib.autograd.functional, name)(*scalar(lib), vectors(lib)[2]))


def test_the_result_may_be_differentiable():
    x = tinyconv.tensor([0.3, 0.7], dtype=tinyconv.float64, requires_grad=True)
    functional.jacobian(tinyconv.sin, x, create_graph=True).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), -np.sin([0.3, 0.7]))


def test_an_output_that_depends_on_nothing():
    x = tinyconv.ones(2)
    assert functional.jacobian(lambda x: tinyconv.ones(3), x).tolist() == [[0.0, 0.0]] * 3


def test_misuse():
    x = tinyconv.ones(2)
    with pytest.raises(RuntimeError, match="one element"):
        functional.hessian(lambda x: x * x, x)
    with pytest.raises(RuntimeError, match="can only be None"):
        functional.vjp(lambda x: x * x, x)
    with pytest.raises(RuntimeError, match=r"shapes \[\(2,\)\], got \[\(3,\)\]"):
        functional.jvp(lambda x: x * x, x, tinyconv.ones(3))
    with pytest.raises(TypeError, match="inputs must be a tensor or a tuple of tensors, got float"):
        functional.jacobian(lambda x: x, 1.0)
