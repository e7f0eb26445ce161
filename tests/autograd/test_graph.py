"""Hooks on what nodes save, and on nodes."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest

import tinyconv
from tinyconv import nn
from tinyconv.autograd.graph import disable_saved_tensors_hooks, save_on_cpu, saved_tensors_hooks


def leaf(*values):
    return tinyconv.tensor(values, dtype=tinyconv.float64, requires_grad=True)


def test_saved_tensors_go_through_the_hooks():
    x, packed = leaf(1.0, 2.0), []

    def pack(t):
        assert not t.requires_grad and not tinyconv.is_grad_enabled()
        packed.append(t.tolist())
        return t.numpy() * 2

    with saved_tensors_hooks(pack, lambda kept: tinyconv.from_numpy(kept / 2)):
        y = x.exp() * x
    (x * x).sum().backward()  # outside the block nothing is packed
    np.testing.assert_allclose(packed, [np.exp([1.0, 2.0]), np.exp([1.0, 2.0]), [1.0, 2.0]])
    x.grad = None
    y.sum().backward()
    np.testing.assert_allclose(x.grad, np.exp([1.0, 2.0]) * [2.0, 3.0])


def test_what_unpack_returns_is_what_is_used():
    x = leaf(3.0)
    with saved_tensors_hooks(lambda t: t, lambda t: t * 10):
        y = x * x
    y.backward()
    assert x.grad.item() == 60


def test_unpacked_tensors_have_their_history():
    x = leaf(0.5)
    with saved_tensors_hooks(lambda t: t.clone(), lambda t: t):
        y = x.exp() ** 3
        (g,) = tinyconv.autograd.grad(y, x, create_graph=True)
    (gg,) = tinyconv.autograd.grad(g, x)
    assert gg.item() == pytest.approx(9 * np.exp(1.5))


def test_no_cycle_through_packed_outputs():
    x = leaf(1.0)
    gc.disable()
    try:
        with saved_tensors_hooks(lambda t: t, lambda t: t):
            y = x.exp()
        node = weakref.ref(y.grad_fn)
        del y
        assert node() is None
    finally:
        gc.enable()


def test_the_inner_hooks_are_used():
    x, seen = leaf(1.0), []
    with saved_tensors_hooks(lambda t: seen.append("outer") or t, lambda t: t):
        x.exp()
        with saved_tensors_hooks(lambda t: seen.append("inner") or t, lambda t: t):
            x.exp()
        x.exp()
    assert seen == ["outer", "inner", "outer"]


def test_an_operation_in_place_packs_what_it_overwrites_before():
    x = leaf(3.0)
    with saved_tensors_hooks(lambda t: t, lambda t: t):
        y = x * 1
        y.pow_(2)
    y.backward()
    assert x.grad.item() == 6


def test_misuse():
    x = leaf(1.0)
    change = saved_tensors_hooks(lambda t: t.mul_(2), lambda t: t)
    with change, pytest.raises(RuntimeError, match="a pack hook changed the tensor"):
        x.exp()
    with saved_tensors_hooks(lambda t: t, lambda t: 1):
        y = x.exp()
    with pytest.raises(TypeError, match="Exp: an unpack hook must return the tensor that was packed, got int"):
        y.backward()
    hooks = saved_tensors_hooks(lambda t: t, lambda t: t)
    with disable_saved_tensors_hooks("not here"), pytest.raises(RuntimeError, match="not here"), hooks:
        pass
    with hooks, pytest.raises(RuntimeError, match="too late"), disable_saved_tensors_hooks("too late"):
        pass


def test_saving_on_the_cpu():
    net = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))
    x, gradients = tinyconv.randn(5, 3), []
    for block in (save_on_cpu(pin_memory=True), tinyconv.enable_grad()):
        with block:
            loss = net(x).pow(2).mean()
        net.zero_grad()
        loss.backward()
        gradients.append(nn.utils.parameters_to_vector([p.grad for p in net.parameters()]).tolist())
    assert gradients[0] == gradients[1]


def test_hooks_on_a_node():
    x, seen = leaf(1.0, 2.0), []
    y = x * 3
    handle = y.grad_fn.register_hook(lambda gxs, gys: seen.append((gxs[0].tolist(), gys[0].tolist())))
    y.grad_fn.register_hook(lambda gxs, gys: (gxs[0] * 10, *gxs[1:]))
    y.grad_fn.register_prehook(lambda gys: (gys[0] + 1,))
    y.sum().backward(retain_graph=True)
    assert seen == [([6.0, 6.0], [2.0, 2.0])]
    assert x.grad.tolist() == [60.0, 60.0]
    handle.remove()
    y.sum().backward()
    assert len(seen) == 1 and x.grad.tolist() == [120.0, 120.0]
    accumulate = y.grad_fn.next_functions[0][0]
    with pytest.raises(RuntimeError, match="a leaf's node has no inputs"):
        accumulate.register_hook(print)
    accumulate.register_prehook(lambda gys: (gys[0] * 0,))
    (x * 3).sum().backward()
    assert x.grad.tolist() == [120.0, 120.0]


def test_a_nodes_prehooks_come_after_its_tensors_hooks():
    """Whichever was registered first; what ``retain_grad`` and ``grad`` give is from before. As in PyTorch."""
    x = tinyconv.ones(2, requires_grad=True)
    y, seen = 3 * x, []
    y.retain_grad()
    y.grad_fn.register_prehook(lambda gys: (seen.append("node"), (5 * gys[0],))[1])
    y.register_hook(lambda gy: (seen.append("tensor"), 2 * gy)[1])
    y.sum().backward(retain_graph=True)
    assert seen == ["tensor", "node"] and y.grad.tolist() == [2, 2] and x.grad.tolist() == [30, 30]
    assert tinyconv.autograd.grad(y.sum(), y)[0].tolist() == [2, 2]
