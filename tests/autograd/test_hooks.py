"""Hooks on gradients, and gradients that results retain."""

from __future__ import annotations

import pytest

import tinyconv
from tinyconv.autograd import grad

from .tensors import leaf, randn, values


def test_a_hook_on_a_leaf_replaces_the_gradient():
    x = leaf(1.0)
    handle = x.register_hook(lambda g: g * 10)
    (x * 2).backward()
    (x * 2).backward()
    assert values(x.grad) == [40.0]
    handle.remove()
    handle.remove()
    (x * 2).backward()
    assert values(x.grad) == [42.0]


def test_a_hook_on_a_result():
    x = leaf(1.0)
    y = x * 2
    seen = []
    y.register_hook(lambda g: seen.append(values(g)))  # returns None: the gradient stays
    with y.register_hook(lambda g: g * 5):
        (y + y).backward(retain_graph=True)
    (y + y).backward()
    assert seen == [[2.0], [2.0]]
    assert values(x.grad) == [20.0 + 4.0]


def test_hooks_run_in_the_order_they_were_registered():
    x = leaf(1.0)
    x.register_hook(lambda g: g + 1)
    x.register_hook(lambda g: g * 10)
    (x * 2).backward()
    assert values(x.grad) == [30.0]


def test_hooks_run_for_autograd_grad_too():
    x = leaf(1.0)
    x.register_hook(lambda g: g * 10)
    assert values(grad(x * 2, x)[0]) == [20.0]


def test_a_hook_sees_one_output_of_several():
    x = randn(2, 3)
    values_, _ = x.max(1)
    seen = []
    values_.register_hook(seen.append)
    values_.sum().backward()
    assert [tuple(g.shape) for g in seen] == [(2,)]


def test_retain_grad():
    x = leaf(1.0, 2.0)
    y = x * 2
    assert not y.retains_grad
    y.retain_grad()
    y.retain_grad()
    x.retain_grad()
    assert y.retains_grad
    z = (y * y).sum()
    z.backward(retain_graph=True)
    z.backward()
    assert values(y.grad) == [8.0, 16.0]


def test_hooks_need_a_gradient():
    for register in (lambda x: x.register_hook(print), lambda x: x.retain_grad()):
        with pytest.raises(RuntimeError, match="does not require grad"):
            register(tinyconv.ones(2))


def test_retained_gradients_are_those_after_all_hooks():
    y = tinyconv.ones(1, requires_grad=True) * 2
    y.retain_grad()
    y.register_hook(lambda g: g * 10)
    y.sum().backward()
    assert y.grad.tolist() == [10]


def test_hooks_of_a_leaf_outlive_a_time_without_gradient():
    x = leaf(1.0, 2.0)
    x.register_hook(lambda g: 10 * g)
    x.requires_grad_(False)
    assert not (2 * x).requires_grad
    x.requires_grad_()
    (2 * x).sum().backward()
    assert values(x.grad) == [20.0, 20.0]
