"""Reading and writing by index: NumPy's rules, PyTorch's errors."""

from __future__ import annotations

import random
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinyconv
from tests import strategies as sts

INDICES = [
    0,
    -1,
    slice(1, None),
    slice(None, None, 2),
    (0, 1),
    (slice(None), 1),
    (..., 0),
    (None, 0, ..., None),
    (slice(None), None, slice(1, 3)),
    [0, 2, 0],
    ([0, 1], [1, 2]),
    (slice(1, None), [0, 2]),
    ([[0, 1], [1, 0]],),
    np.array([2, 0]),
    np.array([True, False, True]),
    (slice(None), np.array([True, False, True, True])),
    np.int64(1),
    (),
    ...,
    None,
    range(2),
]


@pytest.mark.parametrize("index", INDICES, ids=str)
@given(x=sts.arrays(dtype=sts.dtypes, shape=(3, 4, 2)))
def test_reading(index, x):
    t = tinyconv.from_numpy(x)
    expected = x[list(index) if isinstance(index, range) else index]
    np.testing.assert_array_equal(t[index].array, expected)
    parts = index if isinstance(index, tuple) else (index,)
    tensors = tuple([tinyconv.tensor(i) if isinstance(i, (list, np.ndarray)) else i for i in parts])
    np.testing.assert_array_equal(t[tensors].array, expected)
    assert type(t[index].array) is np.ndarray


@pytest.mark.parametrize("index", [i for i in INDICES if not isinstance(i, list)], ids=str)
@given(data=st.data())
def test_writing(index, data):
    x = data.draw(sts.arrays(dtype=sts.dtypes, shape=(3, 4, 2), writable=True))
    index = list(index) if isinstance(index, range) else index
    value = data.draw(sts.arrays(dtype=x.dtype, shape=x[index].shape))
    for new in (value, 1):
        expected, t = x.copy(), tinyconv.from_numpy(x.copy())
        expected[index] = new
        version = t._version
        t[index] = tinyconv.from_numpy(new) if new is value else new
        np.testing.assert_array_equal(t.array, expected)
        assert t._version == version + 1


def test_basic_indices_give_views_others_copies():
    x = tinyconv.zeros(3, 4)
    for index in (0, np.int64(1), np.array(1), tinyconv.tensor(1), slice(1, 2), (..., 0), None):
        assert np.shares_memory(x[index].array, x.array)
    for index in ([0], tinyconv.tensor([0]), x[:, 0] == 0):
        assert not np.shares_memory(x[index].array, x.array)


def test_tensors_as_indices():
    x = tinyconv.arange(5)
    assert x[tinyconv.tensor(2)].item() == 2
    assert x[tinyconv.tensor([0, 4], dtype=tinyconv.int32)].tolist() == [0, 4]
    assert x[x > 2].tolist() == [3, 4]
    assert x[tinyconv.tensor(1) : tinyconv.tensor(3)].tolist() == [1, 2]
    x[x > 2] = 0
    assert x.tolist() == [0, 1, 2, 0, 0]


def test_values_written_are_broadcast_and_cast():
    x = tinyconv.zeros(2, 3)
    x[:, 1:] = tinyconv.tensor([[5], [6]])
    assert x.tolist() == [[0, 5, 5], [0, 6, 6]]
    x[0] = [1, 2, 3]
    x[1] = np.array([7.0, 8.0, 9.0])
    assert x.tolist() == [[1, 2, 3], [7, 8, 9]]
    x[0] = tinyconv.ones(1, 1, 3)
    assert x[0].tolist() == [1, 1, 1]
    y = x.flatten()
    for index in (0, tinyconv.tensor([False, True] * 3), [2]):  # whatever is selected, leading axes of size 1 may go
        y[index] = tinyconv.full((1, 1, 1), 9.0)
    assert y.tolist() == [9, 9, 9, 9, 8, 9]


def test_the_gradient_of_repeated_indices_adds_up():
    x = tinyconv.ones(3, requires_grad=True)
    x[[0, 0, 2]].sum().backward()
    assert x.grad.tolist() == [2.0, 0.0, 1.0]


def test_an_embedding_is_a_matrix_indexed_by_a_batch():
    w = tinyconv.randn(10, 4, requires_grad=True)
    tokens = tinyconv.tensor([[1, 2], [1, 9]])
    y = w[tokens]
    assert y.shape == (2, 2, 4)
    y.sum().backward()
    assert w.grad.sum(1).tolist() == [0, 8, 4, 0, 0, 0, 0, 0, 0, 4]


def test_iteration():
    x = tinyconv.arange(6).reshape(3, 2)
    assert [row.tolist() for row in x] == [[0, 1], [2, 3], [4, 5]]
    *_, c = x
    assert c.tolist() == [4, 5]
    assert 3 in x
    with pytest.raises(TypeError, match="iteration over a 0-d tensor"):
        list(tinyconv.tensor(1))


def test_errors():
    x = tinyconv.zeros(2, 3)
    with pytest.raises(IndexError, match=r"too many indices for a tensor of 2 dimensions \(shape \(2, 3\)\): 3"):
        x[0, 0, 0]
    with pytest.raises(IndexError, match="out of bounds"):
        x[2]
    with pytest.raises(IndexError, match="out of bounds"):
        x[[0, 5]]
    for index in (tinyconv.tensor([0.0]), [0.5], tinyconv.tensor([0], dtype=tinyconv.int16)):
        with pytest.raises(IndexError, match="must be int64, int32 or bool, got tinyconv.(float32|int16)"):
            x[index]
    for index in ([True, False, True], [], (slice(None), [True, False]), (..., [[True, False, True]] * 3)):
        with pytest.raises(IndexError, match="a mask of shape .* does not fit"):
            x[tinyconv.tensor(index, dtype=tinyconv.bool) if isinstance(index, list) else index]
    with pytest.raises(IndexError, match="cannot be broadcast"):
        x[[0, 1], [0, 1, 2]]
    with pytest.raises(RuntimeError, match=r"shape \(4,\) cannot be written .* \(3,\)"):
        x[0] = tinyconv.zeros(4)
    with pytest.raises(RuntimeError, match=r"cannot be written"):
        (x * tinyconv.ones(1, requires_grad=True))[0] = tinyconv.zeros(4)
    with pytest.raises(IndexError, match="too many indices"):
        x[0, 0, 0] = 1


MIXED = [
    (0, slice(None), [0, 1]),
    (slice(None), 0, [1, 2]),
    ([0, 1], slice(None), 1),
    ([0, 1], 1),
    (1, [0, 2], slice(1, 3)),
    (..., 1, [0, 1]),
    (0, None, [1, 2]),
    (-1, [0], [1]),
]


@pytest.mark.parametrize("index", MIXED, ids=str)
def test_ints_beside_lists_are_taken_first(index):
    """As in PyTorch. NumPy would move the list's axis to the front where a slice stands between the two."""
    torch = pytest.importorskip("torch")
    x, t = tinyconv.arange(24.0).reshape(2, 3, 4), torch.arange(24.0).reshape(2, 3, 4)
    assert x[index].tolist() == t[index].tolist()
    value = tinyconv.arange(float(x[index].numel())).reshape(x[index].shape)
    x[index], t[index] = value, torch.tensor(value.tolist())
    assert x.tolist() == t.tolist()


def test_the_gradient_of_ints_beside_lists():
    x = tinyconv.zeros(2, 3, 4, requires_grad=True)
    (x[0, :, [1, 1]] * tinyconv.arange(6.0).reshape(3, 2)).sum().backward()
    assert x.grad[0, :, 1].tolist() == [1, 5, 9]
    assert x.grad.sum().item() == 15
    y = x * 1
    y[0, :, [0, 1]] = 7.0
    assert y[0].tolist() == [[7, 7, 0, 0]] * 3
    (gx,) = tinyconv.autograd.grad(y.sum(), x)
    assert gx[0].tolist() == [[0, 0, 1, 1]] * 3


def test_index_put():
    x, at = tinyconv.zeros(3, requires_grad=True), (tinyconv.tensor([0, 0, 2]),)
    values = tinyconv.tensor([1.0, 2.0, 3.0], requires_grad=True)
    assert x.index_put(at, values, accumulate=True).tolist() == [3, 0, 3]
    mask = tinyconv.tensor([True, False, True])
    assert x.index_put((mask,), tinyconv.tensor(2.0), accumulate=True).tolist() == [2, 0, 2]
    for accumulate in (False, True):
        with pytest.raises(RuntimeError, match="must be tinyconv.float32 as self, got tinyconv.float64"):
            x.index_put(at, values.double(), accumulate=accumulate)
    (x.index_put(at, values, accumulate=True) ** 2).sum().backward()
    assert values.grad.tolist() == [6, 6, 6]
    assert tinyconv.zeros(3).index_put_(at[:1], tinyconv.tensor(5.0)).tolist() == [5, 0, 5]


def test_an_index_list_takes_values_of_its_own_type():
    x = tinyconv.zeros(3, dtype=tinyconv.int64)
    with pytest.raises(RuntimeError, match="tinyconv.float32 cannot be written into tinyconv.int64"):
        x[[0, 1]] = tinyconv.ones(2)
    x[x == 0] = tinyconv.tensor(2.0)  # a mask takes a number of any type
    assert x.tolist() == [2, 2, 2]


def test_a_list_of_lists_is_several_indices():
    """NumPy takes it for one."""
    x = tinyconv.arange(6).reshape(2, 3)
    assert x[[[0, 1], [2, 0]]].tolist() == [2, 3]
    assert x[[]].shape == (0, 3)


def drawn_index(rng, shape):
    """An index in some form that PyTorch documents, which fits a shape or not: arrays stand for tensors."""
    parts, axis = [], 0
    for _ in range(rng.randrange(5)):
        n = shape[axis] if axis < len(shape) else 1
        places = [rng.randrange(-n, n) for _ in range(rng.randrange(1, 4))]
        bools = [rng.random() < 0.5 for _ in range(n)]
        ends = [rng.choice([None, rng.randrange(-n - 2, n + 3)]) for _ in range(2)]
        part = rng.choice([
            places[0], places[0], np.int64(places[0]), np.array(places[0]), slice(*ends), slice(None), None, ..., True,
            slice(*ends, rng.randrange(1, 4)), places, places, np.array(places), np.array([places]), [places, places],
            bools, np.array(bools), False,
        ])  # fmt: skip
        parts.append(part)
        axis += 0 if part is None or isinstance(part, bool) else len(shape) - axis if part is ... else 1
    return tuple(parts) if len(parts) != 1 or rng.random() < 0.5 else parts[0]


def outcome(library, x, index, value):
    """What ``x[index]`` is, its gradient, and ``x`` after writing there; or that it is an error."""

    def tensors(part):
        return library.from_numpy(part.copy()) if isinstance(part, np.ndarray) else part

    index = tuple(map(tensors, index)) if isinstance(index, tuple) else tensors(index)
    x = library.from_numpy(x.copy()).requires_grad_()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            y = x[index]
        except (IndexError, TypeError):
            return None
        weights = library.arange(y.numel(), dtype=library.float64).reshape(y.shape)
        written = x * 1
        written[index] = value if value is not None else weights.unsqueeze(0)
    (gx,) = library.autograd.grad([(y * weights).sum()], [x])
    shares = y.numel() > 0 and np.shares_memory(y.detach().numpy(), x.detach().numpy())
    return y.shape, shares, *(t.detach().numpy().tolist() for t in (y, gx, written))


@pytest.mark.parametrize("shape", [(3,), (2, 3), (2, 3, 2), (1, 4), (2, 3, 2, 2), ()], ids=str)
def test_every_form_of_index_is_pytorchs(shape):
    torch = pytest.importorskip("torch")
    rng = random.Random(len(shape))
    x = np.arange(float(np.prod(shape))).reshape(shape)
    accepted = 0
    for _ in range(400):
        index = drawn_index(rng, shape)
        parts = index if isinstance(index, tuple) else (index,)
        if sum(part is ... for part in parts) > 1:
            continue  # an error here, as in NumPy
        unique = all(len(np.unique(p)) == np.size(p) for p in parts if isinstance(p, list) or hasattr(p, "shape"))
        value = rng.choice([7, 1.5, None]) if unique else 7  # of two values for one place either may stay
        ours = outcome(tinyconv, x, index, value)
        assert ours == outcome(torch, x, index, value), (shape, index, value)
        accepted += ours is not None
    assert accepted > 40
