"""Who holds what: gradients that are shared and those that are not, long chains, and what is freed when."""

from __future__ import annotations

import weakref

import numpy as np
import pytest

import tinyconv
import tinyconv.nn.functional as F
from tinyconv import kernels
from tinyconv.autograd import Function, grad

from .tensors import Double, leaf, randn, values

# ------------------------------------------------------------------------------------------------------------- aliasing


def test_a_gradient_sent_two_ways_is_not_shared():
    x, y = leaf(1.0, 2.0), leaf(3.0, 4.0)
    (x + y).backward(tinyconv.ones(2, dtype=tinyconv.float64))
    x.grad[0] = 100.0
    assert values(y.grad) == [1.0, 1.0]
    (x + y).sum().backward()
    x.grad[1] = 200.0
    assert values(y.grad) == [2.0, 2.0]


def test_the_gradient_given_to_backward_is_left_alone():
    x, start = leaf(1.0, 2.0), tinyconv.ones(2, dtype=tinyconv.float64)
    for _ in range(2):
        (x + x.clone() + x.clone()).backward(start)
    x.grad += 1
    assert values(start) == [1.0, 1.0]
    assert values(x.grad) == [7.0, 7.0]


def test_a_fresh_gradient_becomes_grad_without_a_copy(monkeypatch):
    x, w, b, u = randn(2, 3), randn(4, 3), randn(4), randn(4)
    backend = kernels.of(w.array)

    def copy(array):
        raise AssertionError("copied")

    y = F.linear(x, w, b)
    monkeypatch.setattr(backend, "copy", copy)
    y.backward(tinyconv.ones(2, 4, dtype=tinyconv.float64))
    np.testing.assert_allclose(w.grad.array, np.ones((4, 2)) @ x.array)
    with pytest.raises(AssertionError, match="copied"):
        (b + u).backward(tinyconv.ones(4, dtype=tinyconv.float64))  # sends one tensor two ways


def test_fresh_gradients_add_up_at_forks():
    x, w = randn(2, 3), randn(3, 3)
    u = F.linear(x, w)
    (F.linear(u, w) + u).sum().backward()
    ones = np.ones((2, 3))
    gu = ones @ w.array + ones
    np.testing.assert_allclose(w.grad.array, ones.T @ u.array + gu.T @ x.array)
    np.testing.assert_allclose(x.grad.array, gu @ w.array)


def test_a_hook_that_keeps_a_gradient_shares_no_memory_with_grad():
    x, w = randn(2, 3), randn(4, 3)
    kept: list = []
    w.register_hook(kept.append)
    for _ in range(2):
        F.linear(x, w).sum().backward()
    first = np.ones((4, 2)) @ x.array
    np.testing.assert_allclose(kept[0].array, first)
    np.testing.assert_allclose(w.grad.array, 2 * first)


def test_a_sum_at_a_fork_does_not_write_into_what_arrived():
    """z = u + v sends one tensor to both; u receives two more, which must not be added into v's."""
    x, w = leaf(1.0), leaf(1.0)
    u, v = x * 1, w * 1
    z = u + v
    (z + u + u).backward()
    assert (values(x.grad), values(w.grad)) == ([3.0], [1.0])


def test_a_hook_may_keep_the_gradient_it_sees():
    x = leaf(1.0)
    y = x * 1
    kept = []
    y.register_hook(kept.append)
    (y + y + y).backward()
    x.grad.mul_(50)
    (x * 1).backward()
    assert values(kept[0]) == [3.0]


# ----------------------------------------------------------------------------------------------- long chains and memory


def test_a_chain_of_20000_operations(no_gc):
    x = leaf(1.0)
    y = x
    for _ in range(20_000):
        y = y + 1e-4
    y.backward()
    assert values(x.grad) == [1.0]
    last = weakref.ref(y.grad_fn)
    del y
    assert last() is None


def test_a_chain_with_create_graph():
    x = leaf(1.0)
    y = x
    for _ in range(2_000):
        y = y * 1.0
    (g,) = grad(y * y, x, create_graph=True)
    (gg,) = grad(g, x)
    assert values(gg) == [2.0]


def test_a_value_nobody_saved_is_freed_during_forward(no_gc):
    x = randn(4)
    y = x + 1
    dead = weakref.ref(y.array)
    z = y + 1
    del y
    assert dead() is None
    z.sum().backward()
    assert values(x.grad) == [1.0] * 4


def test_saved_values_are_freed_during_backward(no_gc):
    """When the walk reaches the first node, what the second saved is gone already."""
    x = randn(4)
    y = x.exp()  # saves its output
    z = (y * 2).tanh()  # so does tanh
    late = weakref.ref(z.array)
    at_the_start = []

    def look(g):
        at_the_start.append(late() is None)

    x.register_hook(look)
    loss = z.sum()
    del z
    loss.backward()
    assert at_the_start == [True]


@pytest.mark.parametrize(
    "build",
    [
        lambda x: x.exp(),
        lambda x: x.tanh() * x.sigmoid(),
        lambda x: F.softmax(x, 0) + F.log_softmax(x, 0),
        lambda x: x.amax() * x,
        lambda x: x.clone().relu_(),
        lambda x: x.clone().mul_(x).add_(1),
        lambda x: Double.apply(x),
        lambda x: (x * 2).view(2, 2)[0],
    ],
)
def test_no_cycles(no_gc, build):
    """Results, nodes and arrays die with their last user, whether or not backward ran."""
    for run_backward in (False, True):
        x = randn(4)
        y = build(x)
        tensor, node, array = weakref.ref(y), weakref.ref(y.grad_fn), weakref.ref(y.array)
        if run_backward:
            y.sum().backward()
        del y
        assert (tensor(), node(), array()) == (None, None, None)
        dead = weakref.ref(x)
        del x
        assert dead() is None


def test_no_cycle_through_an_output_that_a_custom_function_saved(no_gc):
    class Exp(Function):
        @staticmethod
        def forward(ctx, x):
            y = x.exp()
            ctx.save_for_backward(x, y)
            return y

        @staticmethod
        def backward(ctx, gy):
            return gy * ctx.saved_tensors[1]

    x = randn(3)
    y = Exp.apply(x)
    node = weakref.ref(y.grad_fn)
    np.testing.assert_array_equal(grad(y.sum(), x, retain_graph=True)[0].array, y.array)
    del y
    assert node() is None


def test_no_cycle_through_hooks(no_gc):
    x = randn(3)
    x.register_hook(lambda g: g * 2)
    y = x * 2
    y.retain_grad()
    y.sum().backward()
    node = weakref.ref(y.grad_fn)
    assert values(y.grad) == [1.0] * 3
    assert values(x.grad) == [4.0] * 3
    dead = weakref.ref(x), weakref.ref(y)
    del x, y
    assert [d() for d in (*dead, node)] == [None] * 3


def test_a_view_of_a_result_does_not_keep_the_graph_after_detach(no_gc):
    y = randn(3).exp()
    node = weakref.ref(y.grad_fn)
    kept = y.detach()
    del y
    assert node() is None
    assert kept.requires_grad is False
