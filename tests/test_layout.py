"""Memory formats are accepted where PyTorch takes them, change nothing, and are told the truth about."""

import copy
import pickle

import pytest

import tinyconv
from tinyconv import nn


@pytest.mark.parametrize("name", ["channels_last", "contiguous_format", "preserve_format"])
def test_accepted_without_effect(name):
    fmt = getattr(tinyconv, name)
    x = tinyconv.arange(24.0).reshape(1, 2, 3, 4)
    for y in (x.to(memory_format=fmt), x.contiguous(memory_format=fmt), x.clone(memory_format=fmt),
              x.float(memory_format=fmt), x.double(fmt).float()):  # fmt: skip
        assert tinyconv.equal(x, y) and y.stride() == x.stride()
    assert tinyconv.empty_like(x, memory_format=fmt).stride() == x.stride()
    model = nn.Conv2d(2, 3, 1).to(memory_format=fmt)
    assert model(x).shape == (1, 3, 3, 4)


def test_how_a_tensor_really_lies():
    x = tinyconv.ones(2, 3, 4, 5)
    inner = x.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2)
    assert x.is_contiguous() and not x.is_contiguous(memory_format=tinyconv.channels_last)
    assert inner.is_contiguous(memory_format=tinyconv.channels_last) and not inner.is_contiguous()
    assert tinyconv.ones(2, 1, 4, 5).is_contiguous(memory_format=tinyconv.channels_last)
    assert not tinyconv.ones(2, 3).is_contiguous(memory_format=tinyconv.channels_last)
    assert not inner.is_contiguous(memory_format=tinyconv.contiguous_format)


def test_misuse():
    x = tinyconv.ones(2, 3)
    for call in (x.to, x.contiguous, x.clone):
        with pytest.raises(RuntimeError, match="channels_last is for tensors of 4 dimensions, got 2"):
            call(memory_format=tinyconv.channels_last)
        with pytest.raises(TypeError, match="memory_format must be"):
            call(memory_format="channels_last")
    with pytest.raises(RuntimeError, match="preserve_format"):
        x.is_contiguous(memory_format=tinyconv.preserve_format)


def test_their_names():
    assert repr(tinyconv.channels_last) == "tinyconv.channels_last" and repr(tinyconv.strided) == "tinyconv.strided"
    assert isinstance(tinyconv.channels_last, tinyconv.memory_format) and isinstance(tinyconv.strided, tinyconv.layout)
    for fmt in (tinyconv.channels_last, tinyconv.strided):
        assert pickle.loads(pickle.dumps(fmt)) is fmt is copy.deepcopy(fmt)


def test_constants():
    assert (tinyconv.pi, tinyconv.inf, tinyconv.newaxis) == (3.141592653589793, float("inf"), None)
    assert tinyconv.e == 2.718281828459045 and tinyconv.nan != tinyconv.nan
    assert tinyconv.ones(3)[:, tinyconv.newaxis].shape == (3, 1)
