"""Operations in place: same values as their out-of-place forms, into the same memory, which every view shows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinyconv
from tests import strategies as sts

NAMES = ["abs", "div", "exp", "log", "neg", "pow", "relu", "sigmoid", "sqrt", "tanh", "add", "sub", "mul"]
TWO = {"add", "sub", "mul", "div", "pow"}


@pytest.mark.parametrize("recorded", [True, False])
@pytest.mark.parametrize("name", NAMES)
@given(data=st.data())
def test_same_as_out_of_place(name, recorded, data):
    a = abs(data.draw(sts.arrays(shape=(2, 3), writable=True))) + 0.5
    args = []
    if name in TWO:
        b = data.draw(sts.arrays(a.dtype, data.draw(st.sampled_from([(2, 3), (3,), (), (2, 1)]))))
        args = [abs(tinyconv.from_numpy(b)) + 1]
    x = tinyconv.from_numpy(a.copy(order="K"))
    expected = getattr(x, name)(*args)
    if recorded:
        x = x * tinyconv.ones((), dtype=x.dtype, requires_grad=True)
    memory, version = x.array, x._version
    y = getattr(x, name + "_")(*args)
    assert y is x
    assert x.array is memory
    assert x._version == version + 1
    np.testing.assert_allclose(x.array, expected.array, rtol=1e-6)
    assert x.requires_grad == recorded


def test_operators():
    x = tinyconv.tensor([1.0, 2.0])
    same = x
    x += 1
    x *= tinyconv.tensor([2.0, 3.0])
    x -= 1
    x /= 2
    x **= 2
    assert same is x
    assert x.tolist() == [2.25, 16.0]
    n = tinyconv.tensor([1, 2])
    n += 1
    n *= n
    assert n.tolist() == [4, 9]


def test_alpha():
    x = tinyconv.ones(2)
    assert x.add_(tinyconv.ones(2), alpha=3).tolist() == [4.0, 4.0]
    assert x.sub_(tinyconv.ones(2), alpha=2).tolist() == [2.0, 2.0]


def test_fill_zero_copy():
    x = tinyconv.zeros(2, 3)
    assert x.fill_(2).tolist() == [[2.0] * 3] * 2
    assert x.fill_(tinyconv.tensor(3)).tolist() == [[3.0] * 3] * 2
    assert x.copy_(tinyconv.tensor([1, 2, 3])).tolist() == [[1.0, 2.0, 3.0]] * 2
    assert x.zero_() is x
    assert x.sum().item() == 0
    with pytest.raises(RuntimeError, match=r"fill_: value must be a number or a 0-d tensor, got shape \(1,\)"):
        x.fill_(tinyconv.ones(1))
    with pytest.raises(RuntimeError, match="cannot be"):
        x.copy_(tinyconv.ones(2))


def test_the_gradient_of_what_is_copied_in():
    x = tinyconv.ones(3, requires_grad=True)
    y = tinyconv.zeros(2, 3, dtype=tinyconv.float64)
    y.copy_(x)
    y.sum().backward()
    assert x.grad.dtype is tinyconv.float32
    assert x.grad.tolist() == [2.0] * 3
    v = tinyconv.ones((), requires_grad=True)
    (tinyconv.zeros(4).fill_(v) * 2).sum().backward()
    assert v.grad.item() == 8.0


def test_read_only_memory_is_not_written():
    a = np.zeros(3, np.float32)
    a.flags.writeable = False
    for change in (lambda x: x.add_(1), lambda x: x.zero_(), lambda x: x.__setitem__(0, 1), lambda x: x.relu_()):
        with pytest.raises(RuntimeError, match=r"written-to tensor \(shape \(3,\)\) is read-only"):
            change(tinyconv.from_numpy(a))
    with pytest.raises(RuntimeError, match="single memory location"):
        tinyconv.zeros(1).expand(3).add_(1)


def test_what_was_overwritten_gets_no_gradient():
    """A result without a history (a comparison) overwrites a value that had one."""
    x = tinyconv.tensor([1.0, -2.0], requires_grad=True)
    y = x * 3
    y.gt_(0)
    assert y.tolist() == [1.0, 0.0]
    (y * x).sum().backward()
    assert x.grad.tolist() == [1.0, 0.0]


def test_a_composition_may_save_what_it_overwrites():
    x = tinyconv.tensor([0.2, 0.6], requires_grad=True)
    y = x * 1
    y.logit_()
    y.sum().backward()
    np.testing.assert_allclose(x.grad.array, 1 / (x * (1 - x)).detach().array, rtol=1e-6)


def test_operators_of_integers():
    n = same = tinyconv.tensor([7, -9])
    n //= 2
    n %= 4
    n **= 2
    n |= 8
    assert same is n
    assert n.tolist() == [9, 9]
    with pytest.raises(RuntimeError, match="can't be cast"):
        n += 0.5


@pytest.mark.parametrize(
    "change",
    [
        lambda x: x.add_(1),
        lambda x: x.mul_(2),
        lambda x: x.__iadd__(tinyconv.ones(3)),
        lambda x: x.copy_(tinyconv.ones(3)),
        lambda x: x.zero_(),
        lambda x: x.relu_(),
        lambda x: x.normal_(),
        lambda x: x.__setitem__(0, 5.0),
    ],
)
@pytest.mark.parametrize("requires_grad", [False, True])
def test_memory_that_several_elements_share_cannot_be_written_to(change, requires_grad):
    base = tinyconv.zeros(1, requires_grad=requires_grad) * 1
    with pytest.raises(RuntimeError, match="single memory location.*clone"):
        change(base.expand(3))
    assert base.item() == 0 and base._version == 0


def test_an_expansion_that_repeats_nothing_can_be_written_to():
    base = tinyconv.zeros(3)
    base.expand(1, 3).add_(1)
    base.expand_as(base)[0] = 5
    assert base.tolist() == [5, 1, 1]


def test_another_shape_in_place():
    x = tinyconv.arange(6.0).reshape(1, 2, 3).requires_grad_()
    y = x * 1
    before = y
    assert y.squeeze_(0).t_().unsqueeze_(-1) is before
    assert y.shape == (3, 2, 1)
    (y[0] * 2).sum().backward()
    assert x.grad.tolist() == [[[2, 0, 0], [2, 0, 0]]]
    with pytest.raises(RuntimeError, match="unsqueeze_: a leaf tensor that requires grad"):
        x.unsqueeze_(0)
    with tinyconv.no_grad():
        assert x.transpose_(0, 1).shape == (2, 1, 3)
    assert x.requires_grad


def test_another_shape_of_a_view_in_place():
    x = tinyconv.ones(2, 3, requires_grad=True)
    base = x * 1
    row = base[0].unsqueeze_(1)
    row.mul_(tinyconv.tensor([[1.0], [2.0], [3.0]]))
    assert base.tolist() == [[1, 2, 3], [1, 1, 1]]
    base.sum().backward()
    assert x.grad.tolist() == [[1, 2, 3], [1, 1, 1]]


def test_methods_in_place_are_functions_too():
    x = tinyconv.tensor([4.0, 9.0])
    assert tinyconv.sqrt_(x) is x
    assert x.tolist() == [2.0, 3.0]
    assert tinyconv.nn.functional.leaky_relu_(tinyconv.tensor([-1.0, 2.0]), 0.5).tolist() == [-0.5, 2.0]
    assert not hasattr(tinyconv, "no_such_thing_")
