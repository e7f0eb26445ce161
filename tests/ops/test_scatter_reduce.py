"""What becomes of elements that meet, against loops."""

import numpy as np
import pytest

import tinyconv

RNG = np.random.default_rng(0)
REDUCE = {"sum": np.sum, "prod": np.prod, "mean": np.mean, "amax": np.max, "amin": np.min}


def expected(x, index, src, reduce, include_self):
    """Along the first axis."""
    y = x.copy()
    for k, j in np.ndindex(x.shape):
        met = [src[i, j] for i in range(len(index)) if index[i, j] == k]
        if met:
            y[k, j] = REDUCE[reduce]([x[k, j], *met] if include_self else met)
    return y


@pytest.mark.parametrize("include_self", [True, False])
@pytest.mark.parametrize("reduce", REDUCE)
@pytest.mark.parametrize("dim", [0, 1])
def test_scatter_reduce(dim, reduce, include_self):
    x, src, index = RNG.normal(size=(4, 5)), RNG.normal(size=(9, 5)), RNG.integers(0, 4, (8, 4))
    arrays = (x, src, index) if dim == 0 else (x.T, src.T, index.T)
    a, s, i = map(tinyconv.tensor, arrays)
    y = a.scatter_reduce(dim, i, s, reduce, include_self=include_self)
    wanted = expected(x[:, :4], index, src, reduce, include_self)
    wanted = np.concatenate([wanted, x[:, 4:]], 1)
    np.testing.assert_allclose(y.numpy(), wanted if dim == 0 else wanted.T)
    np.testing.assert_array_equal(a.numpy(), arrays[0])
    assert a.scatter_reduce_(dim, i, s, reduce, include_self=include_self) is a
    np.testing.assert_array_equal(a.numpy(), y.numpy())


@pytest.mark.parametrize("include_self", [True, False])
@pytest.mark.parametrize("reduce", ["prod", "mean", "amax", "amin"])
def test_index_reduce(reduce, include_self):
    x, source, index = RNG.normal(size=(3, 5)), RNG.normal(size=(7, 5)), RNG.integers(0, 3, 7)
    y = tinyconv.tensor(x).index_reduce(0, tinyconv.tensor(index), tinyconv.tensor(source), reduce,
                                        include_self=include_self)  # fmt: skip
    wanted = expected(x, np.broadcast_to(index[:, None], (7, 5)), source, reduce, include_self)
    np.testing.assert_allclose(y.numpy(), wanted)


def test_integers():
    x, s = tinyconv.tensor([1, 2, -3]), tinyconv.tensor([4, 5, 6, 0])
    index = tinyconv.tensor([0, 0, 2, 2])
    assert x.scatter_reduce(0, index, s, "mean").tolist() == [3, 2, 1]
    assert x.scatter_reduce(0, index, -s, "mean").tolist() == [-3, 2, -3]  # rounded down
    assert x.scatter_reduce(0, index, s, "amax").tolist() == [5, 2, 6]
    assert x.scatter_reduce(0, index, s, "prod", include_self=False).tolist() == [20, 2, 0]


def test_the_gradient_of_an_extreme_is_shared():
    x = tinyconv.tensor([5.0, 1.0, 9.0], requires_grad=True)
    s = tinyconv.tensor([5.0, 5.0, 2.0, 2.0], requires_grad=True)
    index = tinyconv.tensor([0, 0, 1, 1])
    x.scatter_reduce(0, index, s, "amax").sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), [1 / 3, 0, 1])
    np.testing.assert_allclose(s.grad.numpy(), [1 / 3, 1 / 3, 1 / 2, 1 / 2])
    x.grad = None
    x.scatter_reduce(0, index, s, "amax", include_self=False).sum().backward()
    assert x.grad.tolist() == [0, 0, 1]


def test_the_gradient_of_a_product_with_zeros():
    x, s = tinyconv.ones(1), tinyconv.tensor([3.0, 0.0, 5.0], requires_grad=True)
    x.scatter_reduce(0, tinyconv.zeros(3, dtype=tinyconv.int64), s, "prod").backward()
    assert s.grad.tolist() == [0, 15, 0]


def test_misuse():
    x, s, index = tinyconv.ones(3), tinyconv.ones(2), tinyconv.tensor([0, 3])
    with pytest.raises(RuntimeError, match="reduce must be one of sum, prod, mean, amax, amin, got 'max'"):
        x.scatter_reduce(0, index, s, "max")
    with pytest.raises(RuntimeError, match="index 3 is out of bounds"):
        x.scatter_reduce(0, index, s, "sum")
    with pytest.raises(RuntimeError, match="reduce must be one of prod, mean, amax, amin, got 'sum'"):
        x.index_reduce(0, index, s, "sum")
