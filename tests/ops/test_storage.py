"""The memory behind tensors: addresses, offsets, other sizes, and functions of Python on it."""

from __future__ import annotations

import sys

import numpy as np
import pytest

import tinyconv


def test_the_address_is_numpys_and_views_lie_in_it():
    x = tinyconv.arange(12.0).reshape(3, 4)
    assert x.data_ptr() == x.numpy().__array_interface__["data"][0]
    assert x[1].data_ptr() - x.data_ptr() == 16 and x[1].storage_offset() == 4
    assert x.t()[2].storage_offset() == 2 and x.flip(0).storage_offset() == 0
    assert x[1:].untyped_storage().data_ptr() == x.detach().untyped_storage().data_ptr() == x.data_ptr()
    assert x.clone().untyped_storage().data_ptr() != x.data_ptr()
    assert tinyconv.empty(0).data_ptr() == 0


def test_numpy_shares_its_memory():
    a = np.arange(6.0)
    x = tinyconv.from_numpy(a[1::2])
    assert x.data_ptr() == a.ctypes.data + 8 and x.storage_offset() == 1 and x.storage().tolist() == a.tolist()
    fortran = tinyconv.from_numpy(np.asfortranarray([[1, 2], [3, 4]]))
    assert fortran.storage().tolist() == [1, 3, 2, 4]


def test_a_storage_is_one_row_of_numbers():
    points = tinyconv.tensor([[4.0, 1.0], [5.0, 3.0]])
    storage = points.storage()
    assert len(storage) == storage.size() == 4 and list(storage) == [4, 1, 5, 3] and storage[2] == 5
    storage[0] = 2
    assert points[0, 0] == 2 and points.t().storage().tolist() == storage.tolist()
    assert storage.dtype is tinyconv.float32 and storage.element_size() == 4 and str(storage.device) == "cpu"
    assert repr(storage) == (
        " 2.0\n 1.0\n 5.0\n 3.0\n[tinyconv.storage.TypedStorage(dtype=tinyconv.float32, device=cpu) of size 4]"
    )
    raw = points.untyped_storage()
    assert raw.nbytes() == raw.size() == 16 == storage.nbytes() and raw.data_ptr() == storage.data_ptr()
    assert bytes(raw.tolist()) == points.numpy().tobytes()


def test_resize_keeps_the_numbers_and_the_memory_where_it_is_large_enough():
    x = tinyconv.arange(6.0).reshape(2, 3)
    where = x.data_ptr()
    assert x.resize_(2, 2) is x and x.tolist() == [[0, 1], [2, 3]] and x.data_ptr() == where
    assert x.resize_((3, 2)).tolist() == [[0, 1], [2, 3], [4, 5]] and x.data_ptr() == where
    x.resize_(2, 5)
    assert x.shape == (2, 5) and x.flatten()[:6].tolist() == [0, 1, 2, 3, 4, 5]
    part = tinyconv.arange(6.0)[2:4]
    assert part.resize_(3).tolist() == [2, 3, 4]
    assert tinyconv.ones(3).resize_as_(tinyconv.zeros(1, 2)).tolist() == [[1, 1]]
    transposed = tinyconv.arange(6.0).reshape(2, 3).t()
    assert transposed.resize_(2, 3).tolist() == [[0, 1, 2], [3, 4, 5]]


def test_what_resize_refuses():
    with pytest.raises(RuntimeError, match="requires grad"):
        tinyconv.ones(2, requires_grad=True).resize_(3)
    with pytest.raises(RuntimeError, match="must not be negative"):
        tinyconv.ones(2).resize_(-1)


def test_a_gradient_does_not_see_numbers_that_resize_replaced():
    w = tinyconv.ones(2, requires_grad=True)
    x = tinyconv.ones(2)
    y = (w * x).sum()
    x.resize_(1)
    with pytest.raises(RuntimeError, match="changed in place"):
        y.backward()


def test_pythons_functions_element_by_element():
    x = tinyconv.tensor([[1, 2], [3, 4]])
    assert x.t().apply_(lambda v: v * v) is not x and x.tolist() == [[1, 4], [9, 16]]
    x.map_(tinyconv.tensor([1, 2]), lambda a, b: a + 10 * b)
    assert x.tolist() == [[11, 24], [19, 36]] and x.dtype is tinyconv.int64
    with pytest.raises(RuntimeError, match="requires grad"):
        tinyconv.ones(2, requires_grad=True).apply_(abs)


def test_new():
    x = tinyconv.ones(2, dtype=tinyconv.float64)
    assert x.new(2, 3).shape == (2, 3) and x.new((2, 3)).shape == (2, 3) and x.new().shape == (0,)
    assert x.new(x.size()).shape == (2,) and x.new([1, 2]).tolist() == [1, 2]
    assert {y.dtype for y in (x.new(2), x.new([1]), x.new())} == {tinyconv.float64}


def test_answers_that_never_change():
    x = tinyconv.ones(2)
    assert x.share_memory_() is x and not x.is_shared() and not x.is_inference()
    assert not (x.is_sparse or x.is_quantized or x.is_meta or x.is_nested) and x.layout is tinyconv.strided


def test_pythons_size_counts_the_numbers():
    small, large = (sys.getsizeof(tinyconv.zeros(n).untyped_storage()) for n in (1, 1001))
    assert large - small == 4000


def test_any_strides():
    x = tinyconv.arange(12.0)
    y = x.view(3, 4).as_strided((2, 2, 3), (4, 1, 2), 1)
    expected = [[[x[1 + 4 * i + j + 2 * k].item() for k in range(3)] for j in range(2)] for i in range(2)]
    assert y.tolist() == expected
    assert y.data_ptr() == x[1:].data_ptr()
    assert x[5:].as_strided((2,), (3,)).tolist() == [5, 8]  # from where the view begins
    assert x[5:].as_strided((2,), (3,), 0).tolist() == [0, 3]  # from where its memory does
    y[0, 0, 0] = 7
    assert x[1].item() == 7
    with pytest.raises(RuntimeError, match="more than one element of the written-to tensor"):
        x.as_strided((4,), (0,)).zero_()
    for size, stride, offset in (((2, 2), (1,), 0), ((13,), (1,), 0), ((2,), (-1,), 4), ((2,), (1,), 11)):
        with pytest.raises(RuntimeError, match="as_strided: (expected as many|elements .* the memory holds 12)"):
            x.as_strided(size, stride, offset)


def test_windows_by_strides_have_gradients():
    """im2col, as lectures write it."""
    x = tinyconv.arange(25.0).requires_grad_()
    patches = (x * 1).view(5, 5).as_strided((3, 3, 3, 3), (5, 1, 5, 1))
    patches.sum().backward()
    assert x.grad.view(5, 5).tolist() == np.outer([1, 2, 3, 2, 1], [1, 2, 3, 2, 1]).tolist()


@pytest.mark.parametrize("shape, stride", [((1,), (1,)), ((3,), (0,)), ((2, 2), (0, 0))])
def test_elements_that_are_one_in_memory_share_the_gradient(shape, stride):
    x = tinyconv.tensor([2.0], requires_grad=True)
    x.expand(4).as_strided(shape, stride).sum().backward()
    assert x.grad.item() == np.prod(shape)
    y = tinyconv.arange(4.0).requires_grad_()
    y.unfold(0, 2, 1).as_strided((4,), (1,)).square().sum().backward()  # windows overlap
    assert y.grad.tolist() == [0, 2, 4, 6]


def test_empty_strided():
    x = tinyconv.empty_strided((2, 3), (1, 2), dtype=tinyconv.float64)
    assert (x.shape, x.stride(), x.dtype, len(x.storage())) == ((2, 3), (1, 2), tinyconv.float64, 6)
    assert not x.requires_grad and x._base is None
    assert x.new_empty_strided((2,), (3,)).stride() == (3,)
    assert tinyconv.empty_strided((0, 2), (5, 1)).shape == (0, 2)
    for size, stride in (((2, 3), (1,)), ((2,), (-1,)), ((-2,), (1,))):
        with pytest.raises(RuntimeError, match="empty_strided: expected as many strides as sizes, none negative"):
            tinyconv.empty_strided(size, stride)
