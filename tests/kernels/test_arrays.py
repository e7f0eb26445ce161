"""Memory, views and indexing."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import basic_indices

from tests.kernels.compare import assert_same
from tests.strategies import DTYPES, arrays, axes_of, broadcastable_shapes, dtypes, laid_out, normal, seeds, shapes

# --------------------------------------------------------------------------------------------------------------- making


@given(shapes(), dtypes)
def test_empty(kernels, shape, dtype):
    x = kernels.empty(shape, dtype)
    assert (x.shape, x.dtype) == (shape, dtype)


def test_empty_is_fresh_memory(kernels):
    x, y = kernels.empty((1000,), DTYPES[0]), kernels.empty((1000,), DTYPES[0])
    assert not np.may_share_memory(x, y)


@given(shapes(), dtypes)
def test_full(kernels, shape, dtype):
    assert_same(kernels.full(shape, 3, dtype), np.full(shape, 3, dtype))


@pytest.mark.parametrize("dtype", [*DTYPES, np.dtype("float16")], ids=str)
@pytest.mark.parametrize("value", [0, 1, -2.5, np.nan, np.inf])
def test_full_of_many(kernels, dtype, value):
    """Several work items, the last one short."""
    if dtype.kind != "f" and value not in (0, 1):
        pytest.skip("no such number")
    assert_same(kernels.full((5, 3, 5557), value, dtype), np.full((5, 3, 5557), value, dtype))


@given(st.integers(-20, 20), st.integers(-20, 20), st.integers(-5, 5).filter(bool), st.sampled_from(DTYPES[:4]))
def test_arange_of_integers(kernels, start, stop, step, dtype):
    assert_same(kernels.arange(start, stop, step, dtype), np.array(range(start, stop, step), dtype))


@pytest.mark.parametrize("dtype", DTYPES[:2], ids=str)
@pytest.mark.parametrize(("start", "stop", "step"), [(0, 1, 0.1), (0.5, -2, -0.3), (0, 100, 0.37), (2.0, 1.0, 1.0)])
def test_arange_of_fractions(kernels, start, stop, step, dtype):
    n = max(0, math.ceil((stop - start) / step))
    expected = np.array([start + i * step for i in range(n)], np.float64)
    x = kernels.arange(start, stop, step, dtype)
    assert x.dtype == dtype
    np.testing.assert_allclose(x, expected, rtol=2 * np.finfo(dtype).eps, atol=2 * np.finfo(dtype).eps)


@pytest.mark.parametrize(("n", "m"), [(3, 3), (2, 4), (4, 2), (0, 3), (1, 1)])
def test_eye(kernels, n, m):
    expected = np.array([[float(i == j) for j in range(m)] for i in range(n)], np.float32).reshape(n, m)
    assert_same(kernels.eye(n, m, np.dtype("float32")), expected)


# -------------------------------------------------------------------------------------------------------------- copying


@given(arrays(dtypes, special=True))
def test_from_host_and_back(kernels, x):
    assert_same(kernels.to_host(kernels.from_host(x)), x)


@given(arrays(dtypes, special=True))
def test_copy(kernels, x):
    assert_same(kernels.copy(x), x)


@given(arrays(dtypes), dtypes)
def test_cast(kernels, x, dtype):
    assume(not (x.dtype.kind == "f" and dtype == np.uint8))  # what becomes of a negative number is not promised
    expected = np.vectorize(lambda v: dtype.type(v if dtype.kind in "fb" else math.trunc(v)), otypes=[dtype])(x)
    assert_same(kernels.cast(x, dtype), expected)


def test_cast_to_bool_is_whether_not_zero(kernels):
    x = np.array([0.0, -0.0, 0.3, -2, np.nan, np.inf])
    assert kernels.cast(x, np.dtype(bool)).tolist() == [False, False, True, True, True, True]


@given(st.data(), dtypes, dtypes, broadcastable_shapes())
def test_assign_broadcasts_and_casts(kernels, data, dtype, other, shapes):
    assume(not (other.kind == "f" and dtype == np.uint8))
    shape, narrow = np.broadcast_shapes(*shapes), shapes[1]
    x = data.draw(arrays(dtype, shape, writable=True))
    y = data.draw(arrays(other, narrow))
    kernels.assign(x, y)
    assert_same(x, np.broadcast_to(y, shape).astype(dtype))


def test_assign_a_number(kernels):
    x = np.zeros((2, 3), np.float32)
    kernels.assign(x[:, 1], 7)
    assert x.tolist() == [[0, 7, 0], [0, 7, 0]]


@pytest.mark.parametrize("n", [4, 1000])
def test_assign_between_overlapping_views(kernels, n):
    def assign(x, y):
        kernels.module.assign(kernels.enter(x), kernels.enter(y))

    for to, source in [(np.s_[1:], np.s_[:-1]), (np.s_[:-1], np.s_[1:]), (np.s_[:], np.s_[::-1])]:
        x = np.arange(float(n))
        expected = x.copy()
        expected[to] = x.copy()[source]
        assign(x[to], x[source])
        assert_same(x, expected)
    x = np.arange(float(n * n)).reshape(n, n)[:40, :40]
    expected = x.T.copy()
    assign(x, x.T)
    assert_same(x, expected)


# ---------------------------------------------------------------------------------------------------------------- views


@given(st.data(), arrays(dtypes))
def test_view_is_the_reshaped_array_or_none(kernels, data, x):
    shape = data.draw(reshapings(x.size))
    y = kernels.view(x, shape)
    if x.flags.c_contiguous:
        assert y is not None
    if y is not None:
        assert_same(y, x.reshape(shape))
        assert x.size == 0 or np.may_share_memory(x, y)
    assert (y is None) == (x.size > 0 and not np.may_share_memory(x, x.reshape(shape)))


@st.composite
def reshapings(draw, size: int):
    """A shape of ``size`` elements."""
    shape = [size]
    for _ in range(draw(st.integers(0, 3))):
        i = draw(st.integers(0, len(shape) - 1))
        divisors = [d for d in range(1, max(shape[i], 1) + 1) if shape[i] % d == 0]
        d = draw(st.sampled_from(divisors))
        shape[i : i + 1] = [d, shape[i] // d]
    return () if size == 1 and draw(st.booleans()) else tuple(shape)


@given(arrays(dtypes))
def test_is_contiguous(kernels, x):
    strides, step = [], x.itemsize
    for n in reversed(x.shape):
        strides.insert(0, step)
        step *= n
    expected = x.size == 0 or all(s == t or n == 1 for n, s, t in zip(x.shape, x.strides, strides, strict=True))
    assert kernels.is_contiguous(x) is expected


def test_view_of_a_transposed_matrix(kernels):
    x = np.arange(6).reshape(2, 3).T
    assert kernels.view(x, (6,)) is None
    assert_same(kernels.view(x, (3, 1, 2)), x[:, None, :])


@given(st.data(), arrays(dtypes))
def test_permute(kernels, data, x):
    axes = tuple(data.draw(st.permutations(range(x.ndim))))
    y = kernels.permute(x, axes)
    assert_same(y, np.moveaxis(x, axes, range(x.ndim)))
    assert_is_view(y, x)


def test_permute_takes_axes_from_not_to(kernels):
    x = np.arange(24).reshape(2, 3, 4)
    y = kernels.permute(x, (1, 2, 0))
    assert y.shape == (3, 4, 2)
    assert y[2, 3, 1] == x[1, 2, 3]


@given(st.data(), arrays(dtypes))
def test_flip(kernels, data, x):
    axes = data.draw(axes_of(x.ndim))
    y = kernels.flip(x, axes)
    assert_same(y, x[tuple(np.s_[::-1] if i in axes else np.s_[:] for i in range(x.ndim))])
    assert_is_view(y, x)


@given(st.data(), broadcastable_shapes(), dtypes)
def test_broadcast_to(kernels, data, shapes, dtype):
    shape = np.broadcast_shapes(*shapes)
    x = data.draw(arrays(dtype, shapes[0]))
    y = kernels.broadcast_to(x, shape)
    assert_same(y, x + np.zeros(shape, dtype) if dtype.kind != "b" else x | np.zeros(shape, dtype))
    assert_is_view(y, x)
    assert not y.flags.writeable


def assert_is_view(y, x):
    assert type(y) is np.ndarray
    assert x.size == 0 or y.size == 0 or np.may_share_memory(y, x)


# ------------------------------------------------------------------------------------------------------------- indexing


@st.composite
def fancy_indices(draw, shape):
    """An index with integer arrays in it, or one bool mask; indices repeat."""
    rng = np.random.default_rng(draw(seeds))
    if draw(st.booleans()):
        return draw(laid_out(rng.random(shape) < 0.5))
    k = draw(st.integers(1, len(shape)))
    common = draw(shapes(max_dims=2, max_side=6))
    index = [draw(laid_out(rng.integers(-n, n, common))) for n in shape[:k]]
    if k > 1 and draw(st.booleans()):
        index[draw(st.integers(0, k - 1))] = slice(None, None, draw(st.sampled_from([1, 2, -1])))
    if not any(isinstance(i, np.ndarray) for i in index):
        index[0] = rng.integers(0, shape[0], common)
    return tuple(index) if k > 1 or draw(st.booleans()) else index[0]


full_shapes = shapes(min_dims=1, min_side=1)


@given(st.data(), arrays(dtypes))
def test_getitem_basic_is_a_view(kernels, data, x):
    index = data.draw(basic_indices(x.shape, allow_newaxis=True))
    y = kernels.getitem(x, index)
    assert_same(y, np.asarray(x[index]))
    assert_is_view(y, x)


@given(st.data(), arrays(dtypes, full_shapes))
def test_getitem_fancy_is_a_copy(kernels, data, x):
    index = data.draw(fancy_indices(x.shape))
    y = kernels.getitem(x, index)
    assert_same(y, x[index])
    assert not np.may_share_memory(y, x)
    assert y.flags.c_contiguous


@pytest.mark.parametrize("index", [True, False, np.s_[:, [0, 2]], np.s_[..., [0, 2], None]], ids=str)
def test_copies_by_getitem_are_contiguous(kernels, index):
    """Also where NumPy picks another layout. A bool is a mask, although Python calls it an int."""
    x = np.asfortranarray(np.arange(12.0).reshape(4, 3))
    index = tuple(np.array(i) if isinstance(i, list) else i for i in index) if isinstance(index, tuple) else index
    y = kernels.getitem(x, index)
    assert_same(y, x[index])
    assert y.flags.c_contiguous
    assert not np.may_share_memory(y, x)


@given(st.data(), arrays(dtypes, writable=True))
def test_setitem_basic(kernels, data, x):
    index = data.draw(basic_indices(x.shape, allow_newaxis=True))
    y = data.draw(arrays(x.dtype, np.shape(x[index])))
    expected = x.copy()
    expected[index] = y
    kernels.setitem(x, index, y)
    assert_same(x, expected)


@given(st.data(), arrays(dtypes, full_shapes, writable=True))
def test_setitem_fancy(kernels, data, x):
    index = data.draw(fancy_indices(x.shape))
    y = data.draw(arrays(x.dtype, x[index].shape))
    candidates = [{value} for value in x.flat]
    places = np.arange(x.size).reshape(x.shape)[index].ravel().tolist()
    for place in places:
        candidates[place] = set()
    for place, value in zip(places, y.flat, strict=True):
        candidates[place].add(value)  # of the values for one place, any may win
    kernels.setitem(x, index, y)
    for value, allowed in zip(x.flat, candidates, strict=True):
        assert value in allowed


def test_setitem_a_number(kernels):
    x = np.zeros((2, 3), np.float32)
    kernels.setitem(x, (slice(None), np.array([0, 2])), 5)
    assert x.tolist() == [[5, 0, 5], [5, 0, 5]]


@given(st.data(), full_shapes, st.booleans())
def test_index_add_counts_every_occurrence(kernels, data, shape, basic):
    x = data.draw(arrays(np.int64, shape, writable=True))
    index = data.draw(basic_indices(shape, allow_newaxis=True) if basic else fancy_indices(shape))
    y = data.draw(arrays(np.int64, np.shape(x[index])))
    expected = x.copy()
    for place, value in zip(np.atleast_1d(np.arange(x.size).reshape(shape)[index]).flat, y.flat, strict=True):
        expected.flat[place] += value
    kernels.index_add(x, index, y)
    assert_same(x, expected)


@given(st.data(), arrays(shape=full_shapes))
def test_index_add_is_the_adjoint_of_getitem(kernels, data, x):
    index = data.draw(fancy_indices(x.shape))
    gy = normal(np.random.default_rng(data.draw(seeds)), x[index].shape, np.float64)
    gx = np.zeros(x.shape)
    kernels.index_add(gx, index, gy)
    x = x.astype(np.float64)
    np.testing.assert_allclose(np.vdot(kernels.getitem(x, index), gy), np.vdot(x, gx), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_index_add_of_long_slices(kernels, axis):
    x, places = np.ones((20, 30, 25)), np.array([3, -1, 3, 0, 3])
    y = np.random.default_rng(0).standard_normal(np.take(x, places, axis).shape)
    expected = np.ones(x.shape)
    for k, place in enumerate(places):
        np.moveaxis(expected, axis, 0)[place] += np.moveaxis(y, axis, 0)[k]
    kernels.index_add(x, (slice(None),) * axis + (places,), y)
    np.testing.assert_allclose(x, expected, rtol=1e-12)


@given(st.data(), dtypes, shapes(min_dims=1))
def test_cat(kernels, data, dtype, shape):
    axis = data.draw(st.integers(0, len(shape) - 1))
    lengths = data.draw(st.lists(st.integers(0, 4), min_size=1, max_size=4))
    xs = [data.draw(arrays(dtype, (*shape[:axis], n, *shape[axis + 1 :]))) for n in lengths]
    y = kernels.cat(xs, axis)
    start = 0
    for x in xs:
        assert_same(np.take(y, range(start, start + x.shape[axis]), axis), x)
        start += x.shape[axis]
    assert y.shape[axis] == start


@pytest.mark.parametrize("axis", [0, 1])
def test_cat_of_fortran_arrays_is_contiguous(kernels, axis):
    x = np.asfortranarray(np.arange(12.0).reshape(4, 3))
    assert_same(kernels.cat([x, x], axis), np.array(np.concatenate([x, x], axis), order="C"))


@given(st.data(), arrays(dtypes, shapes(min_dims=2, min_side=1)), st.integers(-6, 6))
def test_diagonal(kernels, data, x, offset):
    axis1, axis2 = data.draw(st.permutations(range(x.ndim)))[:2]
    y = kernels.diagonal(x, offset, axis1, axis2)
    rows, columns = x.shape[axis1], x.shape[axis2]
    pairs = [(i, i + offset) for i in range(rows) if 0 <= i + offset < columns]
    lines = np.moveaxis(x, (axis1, axis2), (-2, -1))
    expected = [lines[..., i, j] for i, j in pairs]
    assert_same(y, np.stack(expected, -1) if expected else np.zeros((*lines.shape[:-2], 0), x.dtype))


@given(st.data(), arrays(dtypes, shapes(min_dims=1, min_side=1)), st.integers(1, 3))
def test_windows(kernels, data, x, step):
    axis = data.draw(st.integers(0, x.ndim - 1))
    size = data.draw(st.integers(0, x.shape[axis]))
    y = kernels.sliding_windows(x, axis, size, step)
    starts = range(0, x.shape[axis] - size + 1, step)
    pieces = [np.moveaxis(x.take(range(i, i + size), axis), axis, -1) for i in starts]
    assert_same(y, np.stack(pieces, axis))


@pytest.mark.parametrize("dtype", ["float32", "int32", "uint8", "int64"])
def test_reinterpret(kernels, dtype):
    x = np.arange(12, dtype=np.float32).reshape(3, 4) - 5.5
    assert_same(kernels.reinterpret(x, np.dtype(dtype)), np.frombuffer(x.tobytes(), dtype).reshape(3, -1))


def test_views_of_diagonals_and_windows_are_views():
    from tinyconv.kernels import reference

    x = np.zeros((3, 4))
    reference.diagonal(x, 1, 0, 1)[...] = 7
    reference.sliding_windows(x, 1, 2, 2)[0, 0] = 5
    reference.reinterpret(x, np.dtype("int64"))[2, 0] = -1
    assert x[0].tolist() == [5, 5, 0, 0] and x[1, 2] == 7 and np.isnan(x[2, 0])


def test_strides_count_elements(kernels):
    backend = kernels.module
    x = backend.full((3, 4, 2), 0.0, np.dtype("float32"))
    assert backend.strides(x) == (8, 2, 1)
    assert backend.strides(backend.permute(x, (2, 0, 1))) == (1, 8, 2)
    assert backend.strides(backend.getitem(x, (slice(None, None, 2), 0))) == (16, 1)


def test_any_strides(kernels):
    x = np.arange(20, dtype=np.float32)
    y = kernels.as_strided(x, (3, 2, 2), (4, 1, 0), 5)
    for i, j, k in np.ndindex(3, 2, 2):
        assert y[i, j, k] == 5 + 4 * i + j
    assert kernels.as_strided(x, (0, 3), (1, 1), 20).shape == (0, 3)


def test_the_storage_is_all_of_the_memory_and_the_address_says_where_in_it(kernels):
    backend = kernels.module  # its own arrays: the test's would each have a memory of their own
    x = backend.full((3, 4), 2.0, np.dtype("float32"))
    view = backend.permute(backend.getitem(x, (slice(1, None), slice(None, None, 2))), (1, 0))
    memory = backend.storage(view)
    assert memory.ndim == 1 and memory.shape[0] >= 12 and memory.dtype == x.dtype
    assert backend.address(memory) == backend.address(x) and backend.address(view) - backend.address(x) == 16
    backend.assign(backend.getitem(memory, (slice(5, 6),)), 7.0)
    expected = np.full((3, 4), 2.0, np.float32)
    expected[1, 1] = 7
    assert_same(backend.to_host(x), expected)
