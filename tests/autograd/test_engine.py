"""The backward pass: forks, the order of nodes, a second pass, higher derivatives, ``grad``, errors."""

from __future__ import annotations

import threading

import numpy as np
import pytest

import tinyconv
import tinyconv.nn.functional as F
from tinyconv.autograd import grad, gradcheck

from .tensors import Double, leaf, randn, values

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
    with pytest.raises(NotImplementedError, match="is_grads_batched is not implemented; call grad for each row"):
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


def test_what_is_differentiated_by_may_be_any_iterable():
    """``grad(loss, model.parameters())``, a generator, and ``weights.values()``."""
    model = tinyconv.nn.Linear(2, 1)
    x = tinyconv.tensor([[2.0, 3.0]])
    for parameters in (model.parameters(), dict(model.named_parameters()).values(), iter(list(model.parameters()))):
        gw, gb = grad(model(x).sum(), parameters)
        assert gw.tolist() == [[2.0, 3.0]] and gb.tolist() == [1.0]
    tinyconv.autograd.backward((y for y in [model(x).sum(), model(2 * x).sum()]), inputs=model.parameters())
    assert model.weight.grad.tolist() == [[6.0, 9.0]] and model.bias.grad == 2
