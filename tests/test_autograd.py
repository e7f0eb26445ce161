"""The engine: forks, aliasing, memory, modes, versions, views, hooks, custom Functions, higher derivatives."""

from __future__ import annotations

import gc
import sys
import threading
import weakref

import numpy as np
import pytest

import tinyconv
import tinyconv.nn.functional as F
from tinyconv import kernels
from tinyconv.autograd import Function, grad, gradcheck, gradgradcheck, once_differentiable


def leaf(*values) -> tinyconv.Tensor:
    return tinyconv.tensor(values, dtype=tinyconv.float64, requires_grad=True)


def randn(*size, requires_grad=True) -> tinyconv.Tensor:
    return tinyconv.randn(*size, dtype=tinyconv.float64, requires_grad=requires_grad)


def values(x) -> list:
    return x.tolist()


@pytest.fixture
def no_gc():
    """Whatever dies in the test dies by its reference count."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


class Double(Function):
    """The smallest Function."""

    @staticmethod
    def forward(ctx, x):
        return x * 2

    @staticmethod
    def backward(ctx, gy):
        return gy * 2


# ---------------------------------------------------------------------------------------------------------------- forks


def test_gradients_add_up_at_forks():
    a = leaf(3.0)
    b = a + a
    c = b + b
    c.backward()
    assert values(a.grad) == [4.0]


def test_a_diamond():
    x = leaf(2.0)
    u = x * 3
    (u * u + u).backward()  # 9x^2 + 3x
    assert values(x.grad) == [39.0]


def test_a_parameter_used_twice():
    w, x = randn(3, 3), randn(3, requires_grad=False)
    w.register_hook(lambda g: seen.append(g))
    seen: list = []
    (w @ (w @ x)).sum().backward()
    ones = np.ones(3)
    expected = np.outer(ones, w.array @ x.array) + np.outer(w.array.T @ ones, x.array)
    np.testing.assert_allclose(w.grad.array, expected)
    assert len(seen) == 1, "the contributions are summed before the leaf sees them"


def test_backward_twice_accumulates():
    x = leaf(1.0, 2.0)
    (x * 3).sum().backward()
    (x * x).sum().backward()
    assert values(x.grad) == [5.0, 7.0]


def test_grad_keeps_its_identity_while_it_accumulates():
    x = leaf(1.0, 2.0)
    (x * 3).sum().backward()
    kept, memory = x.grad, x.grad.array
    (x * 3).sum().backward()
    assert x.grad is kept
    assert x.grad.array is memory
    assert values(kept) == [6.0, 6.0]


def test_ten_thousand_uses_of_one_tensor():
    x = leaf(1.0)
    total = x * 0
    for _ in range(10_000):
        total = total + x
    total.backward()
    assert values(x.grad) == [10_000.0]


def test_a_node_runs_after_everyone_who_used_its_output():
    """Whichever way round the branches were made, Double.backward must see the whole gradient, once."""
    seen = []

    class Spy(Double):
        @staticmethod
        def backward(ctx, gy):
            seen.append(values(gy))
            return gy * 2

    x = leaf(1.0)
    y = Spy.apply(x)
    short = y * 10
    long = y
    for _ in range(5):
        long = long * 2
    (long + short).backward()
    assert seen == [[42.0]]
    assert values(x.grad) == [84.0]


def test_a_leaf_made_before_and_used_after():
    """Leaves are numbered when they are first used: in either order the walk must end with them."""
    x, w = leaf(1.0), leaf(2.0)
    y = Double.apply(w) * x
    z = y + w * w
    assert [values(g) for g in grad(z, (x, w), retain_graph=True)] == [[4.0], [6.0]]
    z.backward()
    assert (values(x.grad), values(w.grad)) == ([4.0], [6.0])


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


# ----------------------------------------------------------------------------------------------------------- grad modes


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


# ----------------------------------------------------------------------------------------------------- through it again


def test_backward_through_freed_values_is_an_error():
    x = leaf(1.0)
    y = x.exp()
    y.backward()
    with pytest.raises(RuntimeError, match=r"Exp: .*second time.*retain_graph=True"):
        y.backward()


def test_a_graph_that_saved_nothing_runs_again():
    x = leaf(1.0)
    y = (x + 1).sum()
    y.backward()
    y.backward()
    assert values(x.grad) == [2.0]


def test_retain_graph():
    x = leaf(1.0)
    y = x * x
    y.backward(retain_graph=True)
    y.backward()
    assert values(x.grad) == [4.0]
    with pytest.raises(RuntimeError, match="second time"):
        y.backward()


# --------------------------------------------------------------------------------------------------- higher derivatives


def test_three_derivatives_of_a_cube():
    x = leaf(2.0)
    y = x**3
    (g,) = grad(y, x, create_graph=True)
    (gg,) = grad(g, x, create_graph=True)
    (ggg,) = grad(gg, x, create_graph=True)
    assert [values(d) for d in (g, gg, ggg)] == [[12.0], [12.0], [6.0]]
    assert values(grad(ggg, x, allow_unused=True, materialize_grads=True)[0]) == [0.0]


def test_derivatives_of_sine_like_functions():
    """d2/dx2 tanh = -2 t (1 - t^2), d2/dx2 sigmoid = s (1 - s)(1 - 2 s)."""
    x = leaf(0.3)
    for f, second in (
        (tinyconv.tanh, lambda t: -2 * t * (1 - t**2)),
        (tinyconv.sigmoid, lambda s: s * (1 - s) * (1 - 2 * s)),
        (tinyconv.exp, lambda e: e),
    ):
        y = f(x)
        (g,) = grad(y, x, create_graph=True)
        (gg,) = grad(g, x)
        np.testing.assert_allclose(gg.array, second(y.detach().array))


def test_backward_with_create_graph_accumulates_a_gradient_with_history():
    x = leaf(3.0)
    (x**2).backward(create_graph=True)
    assert x.grad.requires_grad
    (x.grad**2).backward()  # d(2x)^2 = 8x, added to 2x
    assert values(x.grad) == [30.0]


def test_gradient_penalty_through_a_network():
    """WGAN-GP's loss term: the norm of the gradient in the input, differentiated in the weights."""
    w = randn(2, 1, 3, 3)
    gamma, beta = randn(2), randn(2)
    x = randn(3, 1, 6, 6)

    def penalty(x, w, gamma, beta):
        y = F.batch_norm(F.conv2d(x, w, padding=1), None, None, gamma, beta, training=True)
        y = F.softmax(F.avg_pool2d(F.max_pool2d(y.tanh(), 2), 3).flatten(1), 1)[:, 0]
        (gx,) = grad(y.sum(), x, create_graph=True)
        return ((gx * gx).sum() + 1e-3).sqrt()

    assert gradcheck(penalty, (x, w, gamma, beta), eps=1e-5, atol=1e-6)


def test_a_second_derivative_of_what_was_freed_by_the_first():
    x = leaf(2.0)
    y = x.exp()
    (g,) = grad(y, x, create_graph=True)
    (gg,) = grad(g, x)
    np.testing.assert_allclose(gg.array, np.exp([2.0]))


# ----------------------------------------------------------------------------------------------------- changes in place


def test_overwriting_what_a_gradient_needs_names_the_operation():
    x = leaf(1.0, 2.0)
    y = x * 2
    z = y.exp() * y
    y += 1
    with pytest.raises(RuntimeError, match=r"Mul: a tensor of shape \(2,\) .* version 1, version 0 was saved"):
        z.sum().backward()


def test_overwriting_a_saved_output():
    x = leaf(1.0)
    y = x.exp()
    y.mul_(2)
    with pytest.raises(RuntimeError, match="Exp: .*changed in place"):
        y.backward()


def test_the_version_is_shared_by_views_and_detached_tensors():
    x = leaf(1.0, 2.0)
    y = x * 2
    before = y._version
    y[0].add_(1)
    y.detach().add_(1)
    y.view(2, 1).mul_(1)
    assert y._version == before + 3
    y.data.add_(1)
    y.array[0] = 7
    assert y._version == before + 3, "writes through .data and .array escape"


def test_overwriting_through_a_detached_tensor_is_noticed():
    x = leaf(1.0)
    y = x * 2
    z = y * y
    y.detach().zero_()
    with pytest.raises(RuntimeError, match="Mul: .*changed in place"):
        z.backward()


def test_overwriting_what_no_gradient_needs_is_allowed():
    x = leaf(1.0, 2.0)
    y = x * 2
    z = y + 1  # add saves nothing
    y.zero_()
    z.sum().backward()
    assert values(x.grad) == [2.0, 2.0]


def test_an_operation_in_place_on_what_it_needs_itself():
    x, w = leaf(1.0, 2.0), leaf(3.0, 4.0)
    y = x * 1
    y *= w
    y.pow_(2)
    y.sum().backward()
    assert values(x.grad) == [18.0, 64.0]
    assert values(w.grad) == [6.0, 32.0]


def test_in_place_on_a_leaf():
    x = leaf(1.0, 2.0)
    for change in (
        lambda: x.add_(1),
        lambda: x.zero_(),
        lambda: x.__setitem__(0, 1.0),
        lambda: x.copy_(x.detach() + 1),
    ):
        with pytest.raises(RuntimeError, match="leaf tensor that requires grad cannot be changed in place"):
            change()
    with pytest.raises(RuntimeError, match="a view of a leaf tensor that requires grad"):
        x[0].add_(1)
    assert values(x) == [1.0, 2.0]
    with tinyconv.no_grad():
        x -= 0.5
        x[0].add_(1)
    assert values(x) == [1.5, 1.5]
    assert x.is_leaf


def test_in_place_makes_a_tensor_part_of_the_graph():
    x, buffer = leaf(1.0, 2.0), tinyconv.zeros(3, dtype=tinyconv.float64)
    buffer[1:] = x * 3
    assert buffer.requires_grad
    assert not buffer.is_leaf
    (buffer * buffer).sum().backward()
    assert values(x.grad) == [18.0, 36.0]


def test_in_place_on_a_view_rewrites_the_base():
    x = leaf(1.0, 2.0, 3.0)
    y = x * 2
    view = y[1:]
    view.mul_(10)
    (y * tinyconv.tensor([1.0, 2.0, 3.0], dtype=tinyconv.float64)).sum().backward()
    assert values(x.grad) == [2.0, 40.0, 60.0]


def test_in_place_on_the_base_rewrites_a_view_made_before():
    x = leaf(1.0, 2.0, 3.0)
    y = x * 2
    view = y[1:]
    old = view.grad_fn
    y.mul_(10)
    assert view.grad_fn is not old
    view.sum().backward()
    assert values(x.grad) == [0.0, 20.0, 20.0]


def test_in_place_on_a_view_of_fortran_memory():
    """The steps to this view are possible only with the base's order of axes."""
    base = tinyconv.from_numpy(np.arange(6.0).reshape(2, 3).T)
    x = randn(6)
    base.t().view(-1).mul_(x)
    (base * base).sum().backward()
    np.testing.assert_allclose(x.grad.array, 2 * np.arange(6.0) ** 2 * x.array)


def test_in_place_on_a_view_when_the_gradient_is_an_expanded_tensor():
    x = randn(2, 3)
    y = x * 1
    y.view(-1).mul_(2)
    y.sum(0).sum().backward()
    assert values(x.grad) == [[2.0] * 3] * 2


def test_overwritten_values_get_no_gradient():
    x = leaf(1.0, 2.0, 3.0)
    for overwrite, expected in (
        (lambda y: y.zero_(), [0.0, 0.0, 0.0]),
        (lambda y: y.copy_(tinyconv.ones(3, dtype=tinyconv.float64)), [0.0, 0.0, 0.0]),
        (lambda y: y.normal_(), [0.0, 0.0, 0.0]),
        (lambda y: y[0].fill_(5.0), [0.0, 2.0, 2.0]),
        (lambda y: y.__setitem__(slice(1, None), 5.0), [2.0, 0.0, 0.0]),
    ):
        x.grad = None
        y = x * 2
        overwrite(y)
        assert y.requires_grad
        y.sum().backward()
        assert values(x.grad) == expected


def test_in_place_results_must_fit():
    x = tinyconv.zeros(3)
    with pytest.raises(RuntimeError, match=r"add_: the result has shape \(2, 3\), self has \(3,\)"):
        x += tinyconv.zeros(2, 3)
    with pytest.raises(RuntimeError, match="can't be cast"):
        tinyconv.zeros(3, dtype=tinyconv.int64).add_(1.5)


def test_in_place_between_views_of_one_memory():
    """The old values are read, whatever order they are overwritten in."""
    a = np.random.default_rng(0).standard_normal((400, 400))
    for change, expected in (
        (lambda x: x.add_(x.t()), lambda: a + a.T),
        (lambda x: x.mul_(x.t()), lambda: a * a.T),
        (lambda x: x[1:].add_(x[:-1]), lambda: np.vstack([a[:1], a[1:] + a[:-1]])),
        (lambda x: x.view(-1)[1:].add_(x.view(-1)[:-1]), lambda: np.append(a[0, 0], a.ravel()[1:] + a.ravel()[:-1])),
    ):
        x = tinyconv.tensor(a)
        change(x)
        np.testing.assert_array_equal(x.array.ravel(), expected().ravel())


# -------------------------------------------------------------------------------------------------------- autograd.grad


def test_grad_returns_and_leaves_grad_alone():
    x, w = leaf(2.0), leaf(3.0)
    gx, gw = grad(x * w, (x, w))
    assert (values(gx), values(gw)) == ([3.0], [2.0])
    assert x.grad is None
    assert w.grad is None


def test_grad_with_respect_to_a_result():
    x = leaf(2.0)
    y = x * 3
    z = y * y
    gy, gx = grad(z, [y, x])
    assert (values(gy), values(gx)) == ([12.0], [36.0])


def test_grad_runs_only_what_leads_to_the_inputs():
    ran = []

    class Spy(Double):
        @staticmethod
        def backward(ctx, gy):
            ran.append(1)
            return gy * 2

    x, w = leaf(1.0), leaf(1.0)
    grad(x * 3 + Spy.apply(w), x)
    assert not ran


def test_grad_of_the_output_itself():
    y = leaf(2.0) * 3
    assert values(grad(y, y)[0]) == [1.0]
    x = leaf(2.0)
    assert values(grad(x, x)[0]) == [1.0]


def test_grad_of_several_outputs_with_gradients_to_start_from():
    x = leaf(1.0, 2.0)
    start = tinyconv.tensor([10.0, 100.0], dtype=tinyconv.float64)
    (g,) = grad([x * 2, (x * x).sum()], x, grad_outputs=[start, None])
    assert values(g) == [22.0, 204.0]


def test_unused_inputs():
    x, w = leaf(1.0), leaf(1.0, 2.0)
    with pytest.raises(RuntimeError, match=r"do not depend on input 1 \(shape \(2,\)\).*allow_unused=True"):
        grad(x * 2, (x, w))
    assert grad(x * 2, (x, w), allow_unused=True)[1] is None
    assert values(grad(x * 2, (x, w), materialize_grads=True)[1]) == [0.0, 0.0]


def test_grad_errors():
    x = leaf(1.0)
    with pytest.raises(RuntimeError, match="input 0 .* does not require grad"):
        grad(x * 2, x.detach())
    with pytest.raises(NotImplementedError, match="vmap"):
        grad(x * 2, x, is_grads_batched=True)
    assert values(grad(x * 2, x, only_inputs=True)[0]) == [2.0]
    with pytest.warns(UserWarning, match="only_inputs=False is ignored"):
        grad(x * 2, x, only_inputs=False)


def test_backward_into_chosen_inputs():
    x, w = leaf(2.0), leaf(3.0)
    y = x * w
    (y * y).backward(inputs=[w])
    assert x.grad is None
    assert values(w.grad) == [24.0]
    with pytest.raises(RuntimeError, match="inputs must not be empty"):
        (x * w).backward(inputs=[])


def test_backward_into_a_result():
    x = leaf(2.0)
    y = x * 3
    (y * y).backward(inputs=y)
    assert values(y.grad) == [12.0]
    assert x.grad is None


def test_backward_from_several_tensors():
    x = leaf(1.0, 2.0)
    tinyconv.autograd.backward([x.sum(), x * x], [None, tinyconv.ones(2, dtype=tinyconv.float64)])
    assert values(x.grad) == [3.0, 5.0]


# ---------------------------------------------------------------------------------------------------- errors that teach


def test_backward_from_what_is_no_scalar():
    with pytest.raises(RuntimeError, match=r"only for scalar outputs, this one has shape \(2,\)"):
        (leaf(1.0, 2.0) * 2).backward()


def test_backward_without_a_graph():
    with pytest.raises(RuntimeError, match="does not require grad and has no grad_fn"):
        tinyconv.ones(1).backward()
    with tinyconv.no_grad():
        y = leaf(1.0) * 2
    with pytest.raises(RuntimeError, match="does not require grad"):
        y.backward()


def test_a_gradient_to_start_from_that_does_not_fit():
    y = leaf(1.0, 2.0) * 2
    with pytest.raises(RuntimeError, match=r"has shape \(3,\), the output \(2,\)"):
        y.backward(tinyconv.ones(3))
    with pytest.raises(TypeError, match="must be a tensor or None, got float"):
        y.backward(1.0)
    with pytest.raises(RuntimeError, match="2 tensors and 1 gradients"):
        tinyconv.autograd.backward([y, y], [tinyconv.ones(2)])


def test_a_gradient_to_start_from_takes_the_type_of_the_output():
    x = leaf(1.0, 2.0)
    (x * 2).backward(tinyconv.ones(2, dtype=tinyconv.float32))
    assert x.grad.dtype is tinyconv.float64


def test_integers_cannot_require_grad():
    with pytest.raises(
        RuntimeError, match="only tensors of floating point dtype can require gradients, got tinyconv.int64"
    ):
        tinyconv.tensor([1, 2], requires_grad=True)
    with pytest.raises(RuntimeError, match="floating point"):
        tinyconv.zeros(2, dtype=tinyconv.bool).requires_grad_()


def test_results_cannot_be_told_not_to_require_grad():
    y = leaf(1.0) * 2
    with pytest.raises(RuntimeError, match="detach"):
        y.requires_grad = False
    y.requires_grad = True  # it does already


def test_comparisons_and_integers_have_no_history():
    x = leaf(1.0, 2.0)
    for y in (x > 0, x == x, x.argmax(), x.long(), x.max(0).indices, x.isnan()):
        assert not y.requires_grad
    assert x.max(0).values.requires_grad


# ---------------------------------------------------------------------------------------------------------------- hooks


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


# ----------------------------------------------------------------------------------------------------- custom Functions


class Scale(Function):
    """Everything a context offers."""

    @staticmethod
    def forward(ctx, x, factor, label=None):
        ctx.factor, ctx.label = factor, label
        ctx.save_for_backward(x, None)
        assert not tinyconv.is_grad_enabled()
        return x * factor

    @staticmethod
    def backward(ctx, gy):
        _, nothing = ctx.saved_tensors
        assert nothing is None
        assert ctx.needs_input_grad == (True, False, False)[: len(ctx.needs_input_grad)]
        return (gy * ctx.factor, None, None)[: len(ctx.needs_input_grad)]


def test_a_custom_function():
    x = randn(3)
    assert repr(Scale.apply(x, 3.0)).endswith("grad_fn=<ScaleBackward>)")
    assert gradcheck(lambda x: Scale.apply(x, 3.0, "label"), x)
    assert gradgradcheck(lambda x: Scale.apply(x, 3.0), x)
    assert not Scale.apply(x.detach(), 3.0).requires_grad


def test_setup_context():
    class Cube(Function):
        @staticmethod
        def forward(x):
            return x**3, x.array.size

        @staticmethod
        def setup_context(ctx, inputs, output):
            (x,) = inputs
            ctx.save_for_backward(x)
            ctx.set_materialize_grads(False)
            assert output[1] == 3

        @staticmethod
        def backward(ctx, gy, gsize):
            assert gsize is None
            (x,) = ctx.saved_tensors
            return 3 * x**2 * gy

    x = randn(3)
    assert Cube.apply(x)[1] == 3
    assert gradcheck(lambda x: Cube.apply(x)[0], x)
    assert gradgradcheck(lambda x: Cube.apply(x)[0], x)


def test_several_outputs_and_unused_ones_get_zeros():
    class Split(Function):
        @staticmethod
        def forward(ctx, x):
            return x[:1], x[1:]

        @staticmethod
        def backward(ctx, ga, gb):
            return tinyconv.cat([ga, gb])

    x = leaf(1.0, 2.0, 3.0)
    a, b = Split.apply(x)
    assert b._edge == (a.grad_fn, 1)
    b.sum().backward()
    assert values(x.grad) == [0.0, 1.0, 1.0]


def test_unused_outputs_get_none_if_asked():
    class Two(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.set_materialize_grads(False)
            return x * 1, x * 2

        @staticmethod
        def backward(ctx, ga, gb):
            assert ga is None
            return gb * 2

    x = leaf(1.0)
    Two.apply(x)[1].backward()
    assert values(x.grad) == [2.0]


def test_mark_non_differentiable():
    class Sort(Function):
        @staticmethod
        def forward(ctx, x):
            order = tinyconv.from_numpy(np.argsort(x.numpy()))
            y, rank = x[order], order.to(tinyconv.float64)
            ctx.mark_non_differentiable(rank)
            ctx.save_for_backward(order)
            return y, rank

        @staticmethod
        def backward(ctx, gy, _):
            gx = tinyconv.zeros_like(gy)
            gx[ctx.saved_tensors[0]] = gy
            return gx

    x = leaf(3.0, 1.0, 2.0)
    y, rank = Sort.apply(x)
    assert y.requires_grad
    assert not rank.requires_grad
    (y * tinyconv.tensor([1.0, 10.0, 100.0], dtype=tinyconv.float64)).sum().backward()
    assert values(x.grad) == [100.0, 1.0, 10.0]


def test_mark_dirty():
    class AddOne(Function):
        @staticmethod
        def forward(ctx, x):
            x.array[...] += 1
            ctx.mark_dirty(x)
            return x

        @staticmethod
        def backward(ctx, gy):
            return gy * 7

    x = leaf(1.0, 2.0)
    y = x * 1
    version = y._version
    z = AddOne.apply(y)
    assert z is y
    assert y._version == version + 1
    assert y.grad_fn.name() == "AddOneBackward"
    y.sum().backward()
    assert values(x.grad) == [7.0, 7.0]
    with pytest.raises(RuntimeError, match="AddOne: a leaf tensor that requires grad cannot be changed in place"):
        AddOne.apply(leaf(1.0))


def test_mark_dirty_on_a_view_rewrites_the_base():
    class Zero(Function):
        @staticmethod
        def forward(ctx, x):
            x.array[...] = 0
            ctx.mark_dirty(x)
            return x

        @staticmethod
        def backward(ctx, gy):
            return gy * 0

    x = leaf(1.0, 2.0)
    y = x * 2
    Zero.apply(y[0:1])
    y.sum().backward()
    assert values(x.grad) == [0.0, 2.0]


def test_returning_an_input():
    class Same(Function):
        @staticmethod
        def forward(ctx, x):
            return x

        @staticmethod
        def backward(ctx, gy):
            return gy * 3

    x = leaf(1.0)
    y = Same.apply(x)
    assert y is not x
    assert x.is_leaf
    y.backward()
    assert values(x.grad) == [3.0]


def test_once_differentiable():
    class Numpy(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return tinyconv.from_numpy(np.sin(x.numpy()))

        @staticmethod
        @once_differentiable
        def backward(ctx, gy):
            (x,) = ctx.saved_tensors
            return tinyconv.from_numpy(gy.numpy() * np.cos(x.detach().numpy()))

    x = leaf(0.5)
    assert gradcheck(Numpy.apply, x)
    (g,) = grad(Numpy.apply(x * 1), x, create_graph=True)
    np.testing.assert_allclose(g.detach().array, np.cos([0.5]))


def test_a_second_derivative_through_once_differentiable():
    class Square(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        @once_differentiable
        def backward(ctx, gy):
            return 2 * ctx.saved_tensors[0] * gy

    x = leaf(2.0)
    (g,) = grad(Square.apply(x) ** 2, x, create_graph=True)
    with pytest.raises(RuntimeError, match="Square: .*once_differentiable"):
        grad(g, x)


def test_wrong_numbers_and_shapes_of_gradients():
    def function(result):
        class Wrong(Function):
            @staticmethod
            def forward(ctx, x, w):
                return x * 1

            @staticmethod
            def backward(ctx, gy):
                return result(gy)

        return Wrong

    x, w = leaf(1.0, 2.0), leaf(1.0)
    with pytest.raises(RuntimeError, match="Wrong: backward returned 1 gradients, forward had 2 arguments"):
        function(lambda gy: gy).apply(x, w).sum().backward()
    with pytest.raises(RuntimeError, match="Wrong: backward returned 3 gradients, forward had 2 arguments"):
        function(lambda gy: (gy, None, gy)).apply(x, w).sum().backward()
    with pytest.raises(
        RuntimeError, match=r"Wrong: backward returned a gradient of shape \(3,\) for an input of shape \(2,\)"
    ):
        function(lambda gy: (tinyconv.ones(3), None)).apply(x, w).sum().backward()
    function(lambda gy: (gy, None, None)).apply(x, w).sum().backward()  # a None too many does no harm, as in PyTorch
    assert values(x.grad) == [1.0, 1.0]


def test_gradients_are_summed_and_cast_to_fit():
    class Loose(Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1

        @staticmethod
        def backward(ctx, gy):
            return gy.float().expand(3, 2)

    x = leaf(1.0, 2.0)
    (Loose.apply(x) + x).sum().backward()
    assert x.grad.dtype is tinyconv.float64
    assert values(x.grad) == [4.0, 4.0]


def test_what_a_function_must_define():
    class Empty(Function):
        pass

    class NoBackward(Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1

    with pytest.raises(NotImplementedError, match="must define forward"):
        Empty.apply(leaf(1.0))
    with pytest.raises(NotImplementedError, match="must define backward"):
        NoBackward.apply(leaf(1.0)).backward()


def test_the_graph_can_be_walked_by_hand():
    x = leaf(1.0)
    node = (x * 2 + 1).grad_fn
    assert node.name() == "AddBackward0"
    assert repr(node) == f"<AddBackward0 object at {id(node):#x}>"
    (mul, index), (nothing, _) = node.next_functions
    assert (mul.name(), index, nothing) == ("MulBackward0", 0, None)
    accumulate = mul.next_functions[0][0]
    assert accumulate.name() == "AccumulateGrad"
    assert accumulate.variable is x


def test_new_data_of_another_shape():
    """A leaf whose data was exchanged takes gradients of the new shape, hooks or not."""
    x = leaf(1.0)
    x.register_hook(lambda g: g * 2)
    (x * 2).sum().backward()
    x.data = tinyconv.ones(3, dtype=tinyconv.float64)
    x.grad = None
    (x * 2).sum().backward()
    assert values(x.grad) == [4.0, 4.0, 4.0]


def test_graphs_made_in_several_threads():
    x = [leaf(float(i)) for i in range(4)]

    def work(i):
        y = x[i]
        for _ in range(200):
            y = y + x[i]
        y.backward()

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert [values(t.grad) for t in x] == [[201.0]] * 4


def test_retained_gradients_are_those_after_all_hooks():
    y = tinyconv.ones(1, requires_grad=True) * 2
    y.retain_grad()
    y.register_hook(lambda g: g * 10)
    y.sum().backward()
    assert y.grad.tolist() == [10]


@pytest.mark.parametrize(
    "change",
    [lambda v: v.add_(1), lambda v: v.mul_(2), lambda v: v.zero_(), lambda v: v.__setitem__(0, 5.0)],
    ids=["add_", "mul_", "zero_", "setitem"],
)
def test_a_leafs_view_made_under_no_grad_is_guarded_too(change):
    x = tinyconv.ones(2, requires_grad=True)
    with tinyconv.no_grad():
        v = x[:1]
    with pytest.raises(RuntimeError, match="a view of a leaf tensor that requires grad cannot be changed in place"):
        change(v)
    assert x.tolist() == [1, 1]


def test_in_place_results_must_fit_the_type():
    for x, y in ((tinyconv.tensor([True]), 1), (tinyconv.tensor([1]), 0.5)):
        with pytest.raises(RuntimeError, match=r"add_: result type .* can't be cast to the tensor's"):
            x += y


def test_hooks_of_a_leaf_outlive_a_time_without_gradient():
    x = leaf(1.0, 2.0)
    x.register_hook(lambda g: 10 * g)
    x.requires_grad_(False)
    assert not (2 * x).requires_grad
    x.requires_grad_()
    (2 * x).sum().backward()
    assert values(x.grad) == [20.0, 20.0]


def test_a_view_made_before_its_base_asked_for_a_gradient():
    x = tinyconv.zeros(3)
    before = x[:2]
    x.requires_grad_()
    assert before.is_leaf and not before.requires_grad
    assert x[:2].requires_grad


def test_an_operation_takes_few_calls():
    """A noise-free measure of the engine's overhead, forward and backward together."""
    x, y, gz = tinyconv.ones(4, requires_grad=True), tinyconv.ones(4, requires_grad=True), tinyconv.ones(4)
    calls = []

    def step():
        x.grad = y.grad = None
        (x + y).backward(gz)

    step()
    sys.setprofile(lambda frame, event, _: calls.append(frame.f_code.co_name) if event == "call" else None)
    try:
        step()
    finally:
        sys.setprofile(None)
    assert 10 < len(calls) <= 40, calls
