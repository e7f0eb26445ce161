"""Gradients that are not written down until somebody looks: the same numbers, whoever does, and when."""

from __future__ import annotations

import numpy as np
import pytest

import tinyconv
from tinyconv import autograd
from tinyconv.nn import functional as F
from tinyconv.ops.pool import Winners


def pool_of_relu(z):
    return F.max_pool2d(F.relu(z), 2)


def relu_of_pool(z):
    return F.relu(F.max_pool2d(z, 2))


ORDERS = pytest.mark.parametrize("after", [pool_of_relu, relu_of_pool], ids=lambda f: f.__name__)


def leaves(N=9, C=6, H=9, W=8, O=16, K=5, seed=0):
    """x, w and b of a convolution that has windows of every kind: won anywhere, cut by ReLU, and pixels in none."""
    rng = np.random.default_rng(seed)
    shapes = (N, C, H, W), (O, C, K, K), (O,)
    return [tinyconv.tensor(rng.standard_normal(shape), requires_grad=True) for shape in shapes]


def gradients(x, w, b, after, look=lambda z: None):
    """Of a sum with weights of its own; ``look`` is shown the convolution's output."""
    z = F.conv2d(x, w, b, padding=1)
    seen = look(z)
    y = after(z)
    (y * tinyconv.arange(y.numel()).reshape(y.shape).cos()).sum().backward()
    grads = [None if t.grad is None else t.grad.numpy().copy() for t in (x, w, b)]
    for t in (x, w, b):
        t.grad = None
    return grads, seen


def recorded(x, w, b, after):
    """The same, one operation after the other."""
    z = F.conv2d(x, w, b, padding=1)
    y = after(z)
    loss = (y * tinyconv.arange(y.numel()).reshape(y.shape).cos()).sum()
    return [g.detach().numpy() for g in autograd.grad(loss, (x, w, b), create_graph=True)]


def assert_alike(actual, expected):
    for a, e in zip(actual, expected, strict=True):
        np.testing.assert_allclose(a, e, rtol=1e-11, atol=1e-11)


@pytest.fixture
def never_written(monkeypatch):
    """Writing one down is an error."""

    def tensor(self):
        raise AssertionError("somebody wants to see it")

    monkeypatch.setattr(Winners, "tensor", tensor)


@ORDERS
def test_pixels_are_not_written_between_pooling_and_convolution(never_written, after):
    variables = leaves()
    assert_alike(gradients(*variables, after)[0], recorded(*variables, after))


@ORDERS
@pytest.mark.parametrize("size", [{"H": 7, "W": 5, "K": 3}, {"N": 1, "C": 1, "O": 1}, {"C": 3, "K": 1}], ids=str)
def test_other_sizes(after, size):
    variables = leaves(**size)
    assert_alike(gradients(*variables, after)[0], recorded(*variables, after))


@ORDERS
@pytest.mark.parametrize("wanted", [(1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 0, 1), (0, 1, 1)], ids=str)
def test_only_what_is_wanted(after, wanted):
    variables = leaves()
    expected = recorded(*variables, after)
    for variable, on in zip(variables, wanted, strict=True):
        variable.requires_grad_(bool(on))
    for got, truth, on in zip(gradients(*variables, after)[0], expected, wanted, strict=True):
        assert (got is not None) == bool(on)
        if on:
            np.testing.assert_allclose(got, truth, rtol=1e-11, atol=1e-11)


def hook(z):
    seen = []
    z.register_hook(lambda g: seen.append(g.detach().clone()))
    return seen


def node_hook(z):
    seen = []
    z.grad_fn.register_hook(lambda gxs, gys: seen.append(gys[0].detach().clone()))
    return seen


def node_prehook(z):
    seen = []
    z.grad_fn.register_prehook(lambda gs: seen.append(gs[0].detach().clone()))
    return seen


def kept(z):
    z.retain_grad()
    return z


@ORDERS
@pytest.mark.parametrize("look", [hook, node_hook, node_prehook, kept], ids=lambda f: f.__name__)
def test_who_looks_sees_a_tensor(after, look):
    variables = leaves()
    got, seen = gradients(*variables, after, look)
    assert_alike(got, recorded(*variables, after))
    z = F.conv2d(*variables, padding=1)
    y = after(z)
    loss = (y * tinyconv.arange(y.numel()).reshape(y.shape).cos()).sum()
    (truth,) = autograd.grad(loss, z, create_graph=True)
    seen = [seen.grad] if look is kept else seen
    assert seen
    for g in seen:
        assert type(g) is tinyconv.Tensor
        np.testing.assert_allclose(g.numpy(), truth.detach().numpy(), rtol=1e-11, atol=1e-11)


@ORDERS
def test_between_them_too(after):
    """The gradient of what lies between, asked for; and hooks of pooling's own node."""
    x, w, b = leaves()
    z = F.conv2d(x, w, b, padding=1)
    middle = F.relu(z) if after is pool_of_relu else F.max_pool2d(z, 2)
    y = F.max_pool2d(middle, 2) if after is pool_of_relu else F.relu(middle)
    seen = []
    y.grad_fn.register_hook(lambda gxs, gys: seen.append(gxs[0]))
    got = autograd.grad(y.sum(), (z, middle, x), retain_graph=True)
    truth = autograd.grad(y.sum(), (z, middle, x), create_graph=True)
    assert_alike([g.numpy() for g in got], [g.detach().numpy() for g in truth])
    assert all(type(g) is tinyconv.Tensor for g in seen) and len(seen) == 2


@ORDERS
@pytest.mark.parametrize("earlier", [True, False], ids=["used before", "used after"])
def test_a_fork(after, earlier):
    """Pooling's share arrives first, or second."""
    x, w, b = leaves()

    def loss():
        z = F.conv2d(x, w, b, padding=1)
        other = z.sin().sum() if earlier else None
        y = after(z).sum()
        return y + (other if earlier else z.sin().sum())

    loss().backward()
    expected = autograd.grad(loss(), (x, w, b), create_graph=True)
    assert_alike([t.grad.numpy() for t in (x, w, b)], [g.detach().numpy() for g in expected])


def test_maxima_that_are_changed_in_place():
    """ReLU's slope is read from the maxima only as long as they are what they were."""
    x, w, b = leaves()

    def loss():
        y = pool_of_relu(F.conv2d(x, w, b, padding=1))
        return (y.sub_(0.5).mul_(-1) * 3).sum()

    loss().backward()
    expected = autograd.grad(loss(), (x, w, b), create_graph=True)
    assert_alike([t.grad.numpy() for t in (x, w, b)], [g.detach().numpy() for g in expected])


def windows_that_stick_out(z):
    return F.max_pool2d(F.relu(z), 2, ceil_mode=True)


def other_windows(z):
    return F.max_pool2d(F.relu(z), 3, stride=2, padding=1)


@pytest.mark.parametrize("after", [windows_that_stick_out, other_windows], ids=lambda f: f.__name__)
def test_other_windows_are_written_down(after):
    variables = leaves()
    assert_alike(gradients(*variables, after)[0], recorded(*variables, after))


def test_twice_through_the_graph():
    variables = leaves()
    x = variables[0]
    y = F.max_pool2d(F.relu(F.conv2d(*variables, padding=1)), 2)
    node = y.grad_fn
    y.sum().backward(retain_graph=True)
    first = x.grad.numpy().copy()
    x.grad = None
    loss = y.sum()
    loss.backward()
    np.testing.assert_allclose(x.grad.numpy(), first, rtol=1e-11, atol=1e-11)
    assert node.maxima is None, "what a node keeps is let go with what it has saved"
    with pytest.raises(RuntimeError, match="second time"):
        loss.backward()
