"""Changes in place: versions, views and their bases."""

from __future__ import annotations

import numpy as np
import pytest

import tinyconv

from .tensors import leaf, randn, values


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


def test_a_view_made_before_its_base_asked_for_a_gradient():
    x = tinyconv.zeros(3)
    before = x[:2]
    x.requires_grad_()
    assert before.is_leaf and not before.requires_grad
    assert x[:2].requires_grad


def test_the_example_of_the_docstring():
    x = tinyconv.ones(2, 2, requires_grad=True)
    y = x * 2
    v, u = y[0], y[:, 1]
    v *= 3
    assert y.grad_fn.name() == "CopySlices" and u.grad_fn.next_functions[0][0] is y.grad_fn
    u.sum().backward()
    assert x.grad.tolist() == [[0, 6], [0, 2]]
