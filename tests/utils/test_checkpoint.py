"""What is forgotten is computed again: the same gradients, and less memory."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest

import tinyconv
from tinyconv import nn
from tinyconv.utils.checkpoint import CheckpointError, checkpoint, checkpoint_sequential


def block():
    return nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Dropout(0.4), nn.Linear(8, 3), nn.Sigmoid())


def gradients(run, x, model):
    tinyconv.manual_seed(7)
    y = run(x)
    again = tinyconv.rand(1).item()  # the stream goes on as if it had been drawn from once
    (y * y).sum().backward()
    found = [y.detach().numpy(), again, *[p.grad.numpy().copy() for p in model.parameters()]]
    if x.grad is not None:
        found.append(x.grad.numpy().copy())
        x.grad = None
    model.zero_grad()
    return found


@pytest.mark.parametrize("requires_grad", [True, False])
@pytest.mark.parametrize("options", [{}, {"use_reentrant": False}, {"use_reentrant": True}])
def test_same_numbers(options, requires_grad):
    model, x = block(), tinyconv.randn(4, 3, requires_grad=requires_grad)
    plain = gradients(model, x, model)
    for a, b in zip(gradients(lambda x: checkpoint(model, x, **options), x, model), plain, strict=True):
        np.testing.assert_array_equal(a, b)
    for segments in (1, 2, 5):
        found = gradients(lambda x, n=segments: checkpoint_sequential(model, n, x), x, model)
        for a, b in zip(found, plain, strict=True):
            np.testing.assert_array_equal(a, b)


def test_it_is_called_again_once_a_backward_pass():
    calls = []

    def function(x, *, scale, word="text"):
        calls.append(word)
        return (x * scale).exp().sin(), x.cos() * 2

    x, scale = tinyconv.randn(3, requires_grad=True), tinyconv.tensor(2.0, requires_grad=True)
    a, b = checkpoint(function, x, scale=scale, word="other")
    loss = (a + b).sum()
    assert calls == ["other"]
    found = tinyconv.autograd.grad(loss, [x, scale], retain_graph=True)
    assert len(calls) == 2
    again = tinyconv.autograd.grad(loss, [x, scale])
    assert len(calls) == 3
    y, z = function(x, scale=scale)
    for g, h, expected in zip(found, again, tinyconv.autograd.grad((y + z).sum(), [x, scale]), strict=True):
        assert tinyconv.equal(g, expected) and tinyconv.equal(h, expected)


def test_nothing_is_kept_in_between():
    kept = []

    def function(x):
        y = x.exp()  # which saves it
        kept.append(weakref.ref(y.array))
        return y.sin()

    x = tinyconv.randn(5, requires_grad=True)
    y = checkpoint(function, x)
    gc.collect()
    assert kept[0]() is None
    y.sum().backward()
    np.testing.assert_allclose(x.grad, np.cos(np.exp(x.detach())) * np.exp(x.detach()), rtol=1e-5)
    y = function(x)
    assert kept[-1]() is not None


def test_within_each_other_and_without_gradients():
    model, x = block().eval(), tinyconv.randn(2, 3, requires_grad=True)
    expected = gradients(model, x, model)
    nested = gradients(lambda x: checkpoint(lambda x: checkpoint(model[3:], checkpoint(model[:3], x)), x), x, model)
    for a, b in zip(nested, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6)
    with tinyconv.no_grad():
        assert not checkpoint(model, x).requires_grad


def test_a_function_that_changes_its_mind():
    again = []

    def function(x):
        again.append(1)
        return x.exp().sin() if len(again) == 1 else x.exp()

    y = checkpoint(function, tinyconv.ones(2, requires_grad=True))
    with pytest.raises(CheckpointError, match="must compute the same both times"):
        y.sum().backward()
