"""To record or not to record."""

from __future__ import annotations

import threading

import pytest

import tinyconv

from .tensors import Double, leaf, values


def test_no_grad_and_enable_grad():
    x = leaf(1.0)
    with tinyconv.no_grad():
        assert not tinyconv.is_grad_enabled()
        assert not (x * 2).requires_grad
        with tinyconv.enable_grad():
            assert (x * 2).requires_grad
        assert not (x * 2).requires_grad
    assert (x * 2).requires_grad


def test_the_mode_is_restored_after_an_error():
    with pytest.raises(KeyError), tinyconv.no_grad():
        raise KeyError
    assert tinyconv.is_grad_enabled()


@pytest.mark.parametrize(
    "decorator", [lambda: tinyconv.no_grad(), lambda: tinyconv.no_grad, lambda: tinyconv.set_grad_enabled(False)]
)
def test_no_grad_decorates(decorator):
    @decorator()
    def f(x, *, factor):
        """Doc."""
        return x * factor

    assert f.__name__ == "f"
    assert f.__doc__ == "Doc."
    assert tinyconv.is_grad_enabled()
    assert not f(leaf(1.0), factor=2).requires_grad
    assert tinyconv.is_grad_enabled()


def test_no_grad_decorates_a_generator():
    @tinyconv.no_grad()
    def f(x):
        while True:
            x = (yield x * 2) or x
            assert not tinyconv.is_grad_enabled()

    x = leaf(1.0)
    steps = f(x)
    assert not next(steps).requires_grad
    assert (x * 2).requires_grad
    assert not steps.send(leaf(3.0)).requires_grad
    assert tinyconv.is_grad_enabled()


def test_set_grad_enabled():
    x = leaf(1.0)
    with tinyconv.set_grad_enabled(False):
        assert not (x * 2).requires_grad
    assert (x * 2).requires_grad
    tinyconv.set_grad_enabled(False)
    assert not (x * 2).requires_grad
    with tinyconv.set_grad_enabled(True):
        assert (x * 2).requires_grad
    assert not tinyconv.is_grad_enabled()
    tinyconv.set_grad_enabled(True)


def test_inference_mode():
    with tinyconv.inference_mode():
        assert not (leaf(1.0) * 2).requires_grad
    with tinyconv.inference_mode(False):
        assert (leaf(1.0) * 2).requires_grad


def test_the_mode_belongs_to_the_thread():
    there = []
    with tinyconv.no_grad():
        thread = threading.Thread(target=lambda: there.append(tinyconv.is_grad_enabled()))
        thread.start()
        thread.join()
    assert there == [True]


def test_backward_runs_without_recording_unless_create_graph():
    modes = []

    class Spy(Double):
        @staticmethod
        def backward(ctx, gy):
            modes.append(tinyconv.is_grad_enabled())
            return gy * 2

    x = leaf(1.0)
    Spy.apply(x).backward()
    Spy.apply(x).backward(create_graph=True)
    with tinyconv.no_grad():
        Spy.apply(x)
    assert modes == [False, True]
    assert tinyconv.is_grad_enabled()


def test_detach():
    x = leaf(1.0, 2.0)
    y = x * 2
    d = y.detach()
    assert not d.requires_grad
    assert d.is_leaf
    assert d.array is y.array
    (y * d).sum().backward()
    assert values(x.grad) == [4.0, 8.0]
