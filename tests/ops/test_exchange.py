"""Memory that several libraries look into: DLPack and Python's buffers."""

import array

import numpy as np
import pytest

import tinyconv
from tinyconv import cuda
from tinyconv.utils import dlpack

DTYPES = ["float16", "float32", "float64", "uint8", "int8", "int16", "int32", "int64", "bool"]


@pytest.mark.parametrize("dtype", DTYPES)
def test_numpy_reads_a_tensor(dtype):
    x = tinyconv.arange(6).reshape(2, 3).to(getattr(tinyconv, dtype)).T
    seen = np.from_dlpack(x)
    assert seen.shape == (3, 2) and seen.dtype == dtype and seen.strides == x.array.strides
    x[1, 1] = 0
    np.testing.assert_array_equal(seen, x.numpy())
    assert np.shares_memory(seen, x.numpy())


@pytest.mark.parametrize("dtype", DTYPES)
def test_back_and_forth_with_pytorch(dtype):
    torch = pytest.importorskip("torch")
    ours = tinyconv.arange(6).reshape(2, 3).to(getattr(tinyconv, dtype))
    theirs = torch.from_dlpack(ours[:, 1:])
    assert str(theirs.dtype) == f"torch.{dtype}" and theirs.stride() == (3, 1)
    theirs[1, 1] = 0
    assert ours[1, 2].item() == 0
    back = tinyconv.from_dlpack(theirs)
    assert str(back.dtype) == f"tinyconv.{dtype}" and back.data_ptr() == ours[:, 1:].data_ptr()
    assert back.tolist() == ours[:, 1:].tolist()


def test_a_tensor_lives_as_long_as_its_memory_is_looked_at():
    x = tinyconv.ones(1000)
    seen = np.from_dlpack(x)
    del x
    other = [tinyconv.zeros(1000) for _ in range(3)]
    assert seen.sum() == 1000 and len(other) == 3


def test_from_dlpack():
    a = np.arange(3.0)
    shared, copied = tinyconv.from_dlpack(a), tinyconv.from_dlpack(a, copy=True)
    a[0] = 7
    assert (shared.tolist(), copied.tolist()) == ([7, 1, 2], [0, 1, 2])
    assert tinyconv.from_dlpack(a, device="cpu", copy=False).data_ptr() == shared.data_ptr()
    x = tinyconv.ones(2)
    assert tinyconv.from_dlpack(x).data_ptr() == x.data_ptr()
    assert x.__dlpack_device__() == (1, 0)
    for bad, error in ((3, TypeError), ([1.0], TypeError), (np.ones(2, complex), TypeError)):
        with pytest.raises(error):
            tinyconv.from_dlpack(bad)


def test_a_library_that_is_older_than_versions():
    class Old:
        def __init__(self, array):
            self.array = array

        def __dlpack__(self, stream=None):
            return self.array.__dlpack__()

    a = np.arange(6.0).reshape(2, 3).T
    x = tinyconv.from_dlpack(Old(a))
    x[1, 1] = 9
    assert a[1, 1] == 9 and x.stride() == (1, 3)
    del a
    assert x.sum().item() == 20


def test_capsules():
    x = tinyconv.ones(2)
    capsule = dlpack.to_dlpack(x)
    y = dlpack.from_dlpack(capsule)
    y[0] = 5
    assert x.tolist() == [5, 1]
    with pytest.raises(RuntimeError, match="was opened before"):
        dlpack.from_dlpack(capsule)
    with pytest.raises(TypeError, match="a capsule takes neither device nor copy"):
        dlpack.from_dlpack(dlpack.to_dlpack(x), copy=True)
    assert tinyconv.utils.dlpack is dlpack and tinyconv.to_dlpack(x)


def test_what_cannot_be_exported():
    x = tinyconv.ones(2, requires_grad=True)
    with pytest.raises(BufferError, match=r"tensors that require gradient, use tensor.detach\(\)"):
        np.from_dlpack(x)
    assert np.from_dlpack(x.detach()).tolist() == [1, 1]
    assert dlpack.from_dlpack(dlpack.to_dlpack(x)).tolist() == [1, 1]
    with pytest.raises(BufferError, match="stream must be None"):
        tinyconv.ones(2).__dlpack__(stream=3)
    with cuda.simulated():
        y = tinyconv.ones(2, device="cuda")
        assert y.__dlpack_device__() == (2, 0)
        with pytest.raises(BufferError, match=r"can't export a cuda:0 tensor, use tensor.cpu\(\)"):
            tinyconv.from_dlpack(y)
        with pytest.raises(ValueError, match="copy=False, but the memory is not on cuda"):
            tinyconv.from_dlpack(np.ones(2), device="cuda", copy=False)
        assert tinyconv.from_dlpack(np.ones(2), device="cuda").is_cuda


def test_read_only_memory():
    a = np.ones(2)
    a.flags.writeable = False
    x = tinyconv.from_dlpack(a)
    with pytest.raises(RuntimeError, match="read-only"):
        x.add_(1)
    assert not np.from_dlpack(x).flags.writeable
    with pytest.raises(BufferError, match="readonly"):
        x.__dlpack__()  # a reader that could not be told
    y = tinyconv.frombuffer(b"\x01\x02", dtype=tinyconv.uint8)
    with pytest.raises(RuntimeError, match="read-only"):
        y.zero_()


def test_frombuffer():
    numbers = array.array("i", [1, 2, 3])
    x = tinyconv.frombuffer(numbers, dtype=tinyconv.int32)
    x[0] = -1
    assert numbers.tolist() == [-1, 2, 3] and x.tolist() == [-1, 2, 3]
    assert tinyconv.frombuffer(numbers, dtype=tinyconv.int32, count=1, offset=4).tolist() == [2]
    assert tinyconv.frombuffer(bytearray(8), dtype=tinyconv.float32, requires_grad=True).requires_grad
    for options, message in (
        ({"count": 0}, r"length \(12\) and count \(0\) must not be 0"),
        ({"count": 4}, "4 elements of 4 bytes are asked for, 12 bytes are there"),
        ({"offset": 12}, r"offset must be in \[0, 12\), got 12"),
        ({"offset": 1}, "11 bytes are no whole number of tinyconv.int32"),
    ):
        with pytest.raises(ValueError, match=message):
            tinyconv.frombuffer(numbers, dtype=tinyconv.int32, **options)
    with pytest.raises(ValueError, match="int does not implement"):
        tinyconv.frombuffer(3, dtype=tinyconv.int32)
