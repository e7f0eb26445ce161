"""Views and copies: NumPy's values for every layout, who shares memory with whom, and what cannot be done."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinyconv
from tests import strategies as sts
from tinyconv.tensor import wrap


def shares(a, b) -> bool:
    return np.shares_memory(a.array, b.array)


@given(st.data())
def test_reshape(data):
    x = data.draw(sts.arrays(dtype=sts.dtypes))
    order = data.draw(st.permutations([*x.shape, 1]))
    t = tinyconv.from_numpy(x)
    y = t.reshape(order)
    np.testing.assert_array_equal(y.array, x.reshape(order))
    np.testing.assert_array_equal(t.flatten().array, x.reshape(-1))
    if x.flags.c_contiguous and x.size:
        assert shares(t.view(*order), t)


def test_reshape_arguments():
    x = tinyconv.arange(12)
    assert x.reshape(3, -1).shape == x.reshape((3, 4)).shape == x.reshape([3, 4]).shape == x.view(-1, 4).shape == (3, 4)
    assert x.reshape(tinyconv.Size([2, 6])).shape == (2, 6)
    assert x.view_as(tinyconv.zeros(4, 3)).shape == (4, 3)
    assert tinyconv.zeros(0, 3).reshape(3, 0).shape == (3, 0)
    assert tinyconv.tensor(1.0).reshape(1, 1).shape == (1, 1)
    assert tinyconv.ones(1).reshape(()).shape == ()
    for shape in ((5, -1), (5, 3), (-1, -1), (-2, -6)):
        with pytest.raises(
            RuntimeError, match=r"reshape: shape .* is invalid for 12 elements \(input has shape \(12,\)\)"
        ):
            x.reshape(shape)
    with pytest.raises(RuntimeError, match="cannot infer the -1"):
        tinyconv.zeros(0).reshape(0, -1)
    with pytest.raises(RuntimeError, match=r"view: .* \(4, 3\) with these strides cannot be seen as \(12,\).*reshape"):
        x.view(3, 4).t().view(12)


def test_flatten():
    x = tinyconv.zeros(2, 3, 4, 5)
    assert x.flatten().shape == (120,)
    assert x.flatten(1).shape == (2, 60)
    assert x.flatten(1, 2).shape == (2, 12, 5)
    assert x.flatten(-2).shape == (2, 3, 20)
    assert tinyconv.tensor(1.0).flatten().shape == (1,)
    with pytest.raises(RuntimeError, match="start_dim 2 comes after end_dim 1"):
        x.flatten(2, 1)
    with pytest.raises(IndexError, match=r"flatten: dim must be in \[-4, 3\], got 4"):
        x.flatten(4)


def test_unflatten():
    x = tinyconv.zeros(2, 12)
    assert x.unflatten(1, (3, 4)).shape == x.unflatten(-1, (-1, 4)).shape == (2, 3, 4)
    with pytest.raises(RuntimeError, match=r"unflatten: sizes \(5, 2\) do not multiply to dim 1's 12"):
        x.unflatten(1, (5, 2))


@given(st.data())
def test_permute_and_transpose(data):
    x = data.draw(sts.arrays(dtype=sts.dtypes, shape=sts.shapes(min_dims=1)))
    axes = data.draw(st.permutations(range(x.ndim)))
    t = tinyconv.from_numpy(x)
    y = t.permute(*axes)
    np.testing.assert_array_equal(y.array, x.transpose(axes))
    assert y.shape == t.permute(axes).shape
    a, b = data.draw(st.integers(-x.ndim, x.ndim - 1)), data.draw(st.integers(-x.ndim, x.ndim - 1))
    np.testing.assert_array_equal(t.transpose(a, b).array, np.swapaxes(x, a, b))
    np.testing.assert_array_equal(t.T.array, x.T)
    if x.size:
        assert shares(y, t)


def test_transpose_errors():
    x = tinyconv.zeros(2, 3, 4)
    with pytest.raises(RuntimeError, match=r"permute: dims must name each of the 3 axes once, got \(0, 1, 1\)"):
        x.permute(0, 1, 1)
    with pytest.raises(IndexError, match="permute: dim must be in"):
        x.permute(0, 1, 3)
    with pytest.raises(IndexError, match="transpose: dim must be in"):
        x.transpose(0, 3)
    with pytest.raises(RuntimeError, match=r"t: expected at most 2 dimensions, got shape \(2, 3, 4\)"):
        x.t()
    assert tinyconv.zeros(3).t().shape == (3,)
    assert tinyconv.tensor(1.0).transpose(0, 0).shape == ()


def test_expand():
    x = tinyconv.arange(3).reshape(3, 1)
    y = x.expand(2, 3, 4)
    np.testing.assert_array_equal(y.array, np.broadcast_to(x.array, (2, 3, 4)))
    assert shares(x, y)
    assert x.expand(-1, 4).shape == x.expand_as(tinyconv.zeros(3, 4)).shape == x.expand((3, 4)).shape == (3, 4)
    for size in ((2, 1), (3,), (-1, 3, 4)):
        with pytest.raises(RuntimeError, match=r"expand.*\(3, 1\)"):
            x.expand(size)


def test_squeeze_and_unsqueeze():
    x = tinyconv.zeros(1, 3, 1)
    assert x.squeeze().shape == (3,)
    assert x.squeeze(0).shape == (3, 1)
    assert x.squeeze(1).shape == (1, 3, 1)
    assert x.squeeze((0, -1)).shape == (3,)
    assert x.unsqueeze(0).shape == (1, 1, 3, 1)
    assert x.unsqueeze(-1).shape == (1, 3, 1, 1)
    assert tinyconv.tensor(1.0).unsqueeze(0).shape == (1,)
    assert tinyconv.tensor(1.0).squeeze(0).shape == ()
    assert shares(x, x.squeeze())
    with pytest.raises(IndexError, match=r"unsqueeze: dim must be in \[-4, 3\], got 4"):
        x.unsqueeze(4)


@given(sts.arrays(dtype=sts.dtypes, shape=sts.shapes(min_dims=1)))
def test_copies(x):
    t = tinyconv.from_numpy(x)
    for y in (t.clone(), t.flip(0), tinyconv.cat([t]), tinyconv.stack([t])[0]):
        assert not shares(y, t)
        assert y.array.flags.writeable
    np.testing.assert_array_equal(t.clone().array, x)
    axes = tuple({0, x.ndim - 1})
    np.testing.assert_array_equal(t.flip(axes).array, np.flip(x, axes))
    y = t.contiguous()
    assert y.is_contiguous()
    assert (y is t) == t.is_contiguous() == x.flags.c_contiguous


@given(st.data())
def test_cat_and_stack(data):
    shape = data.draw(sts.shapes(min_dims=1))
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    xs = []
    for n in data.draw(st.lists(st.integers(0, 3), min_size=1, max_size=3)):
        size = list(shape)
        size[axis] = n
        xs.append(data.draw(sts.arrays("float32", tuple(size))))
    np.testing.assert_array_equal(tinyconv.cat([wrap(x) for x in xs], axis).array, np.concatenate(xs, axis))
    same = [data.draw(sts.arrays("int64", shape)) for _ in xs]
    np.testing.assert_array_equal(
        tinyconv.stack([tinyconv.from_numpy(x) for x in same], axis).array, np.stack(same, axis)
    )


def test_cat_promotes_types_as_in_torch():
    y = tinyconv.cat([tinyconv.tensor([1]), tinyconv.tensor([2.5])])
    assert y.dtype is tinyconv.float32
    assert y.tolist() == [1.0, 2.5]


def test_cat_errors():
    with pytest.raises(ValueError, match="cat: expected at least one tensor"):
        tinyconv.cat([])
    with pytest.raises(RuntimeError, match="stack: expected at least one tensor"):
        tinyconv.stack([])
    with pytest.raises(
        RuntimeError,
        match=r"cat: tensor 1 has shape \(2, 2\), where \(2, 3\) is expected: they may differ in dim 0 only",
    ):
        tinyconv.cat([tinyconv.zeros(2, 3), tinyconv.zeros(2, 2)])
    with pytest.raises(RuntimeError, match=r"stack: tensor 1 has shape \(3,\), tensor 0 \(2,\)"):
        tinyconv.stack([tinyconv.zeros(2), tinyconv.zeros(3)])
