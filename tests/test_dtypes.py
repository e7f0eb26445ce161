"""Element types: names, promotion as PyTorch's table says, limits, the default."""

from __future__ import annotations

import copy
import itertools
import pickle

import numpy as np
import pytest

import tinyconv
from tinyconv import dtypes

NAMES = ["float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "bool"]


@pytest.mark.parametrize("name", NAMES)
def test_there_is_one_object_for_each(name):
    t = getattr(tinyconv, name)
    assert repr(t) == f"tinyconv.{name}"
    assert t.numpy == np.dtype(name)
    assert t.itemsize == np.dtype(name).itemsize
    assert dtypes.of(np.dtype(name)) is t
    assert tinyconv.zeros(1, dtype=t).dtype is t
    assert pickle.loads(pickle.dumps(t)) is t
    assert copy.deepcopy(t) is t
    assert t.is_floating_point == name.startswith("float")
    assert not t.is_complex


def test_other_names():
    assert (tinyconv.float, tinyconv.double, tinyconv.half) == (tinyconv.float32, tinyconv.float64, tinyconv.float16)
    assert (tinyconv.int, tinyconv.long, tinyconv.short) == (tinyconv.int32, tinyconv.int64, tinyconv.int16)
    assert tinyconv.zeros(2).is_floating_point()


@pytest.mark.parametrize("name", ["bfloat16", "complex64", "complex128"])
def test_types_that_can_only_be_named(name):
    t = getattr(tinyconv, name)
    assert repr(t) == f"tinyconv.{name}"
    assert t != tinyconv.zeros(1).dtype
    assert pickle.loads(pickle.dumps(t)) is t
    assert copy.deepcopy(t) is t
    for use in (
        lambda: tinyconv.zeros(2, dtype=t),
        lambda: tinyconv.ones(2).to(t),
        lambda: tinyconv.tensor(1, dtype=t),
    ):
        with pytest.raises(TypeError, match=f"tensors cannot hold {name} .they can hold float16, float32"):
            use()
    torch = pytest.importorskip("torch")
    theirs = getattr(torch, name)
    facts = ("itemsize", "is_floating_point", "is_complex", "is_signed")
    assert [getattr(t, fact) for fact in facts] == [getattr(theirs, fact) for fact in facts]


@pytest.mark.parametrize("a, b", list(itertools.product(NAMES, NAMES)))
def test_promotion_is_torchs(a, b):
    torch = pytest.importorskip("torch")
    ours = tinyconv.promote_types(getattr(tinyconv, a), getattr(tinyconv, b))
    assert ours.name == str(torch.promote_types(getattr(torch, a), getattr(torch, b))).split(".")[1]


def test_promotion_is_commutative_and_keeps_the_floats_width():
    for a, b in itertools.product(NAMES, NAMES):
        a, b = getattr(tinyconv, a), getattr(tinyconv, b)
        assert tinyconv.promote_types(a, b) is tinyconv.promote_types(b, a)
        if a.is_floating_point and not b.is_floating_point:
            assert tinyconv.promote_types(a, b) is a
    assert tinyconv.promote_types(tinyconv.int8, tinyconv.uint8) is tinyconv.int16


def test_what_stands_for_a_dtype():
    for meant, given in (
        ("float32", None),
        ("float64", float),
        ("int64", int),
        ("bool", bool),
        ("float64", np.float64),
        ("uint8", "uint8"),
        ("int16", tinyconv.int16),
    ):
        assert dtypes.as_numpy(given) == np.dtype(meant)
    assert tinyconv.zeros(1, dtype=np.float64).dtype is tinyconv.float64
    with pytest.raises(TypeError, match=r"tensors cannot hold NumPy's complex64 \(they can hold float16, float32"):
        dtypes.as_numpy(np.complex64)


def test_limits():
    for name in ("float16", "float32", "float64"):
        ours, theirs = tinyconv.finfo(getattr(tinyconv, name)), np.finfo(name)
        assert (ours.bits, ours.eps, ours.max, ours.min, ours.tiny) == (
            theirs.bits,
            theirs.eps,
            theirs.max,
            theirs.min,
            theirs.tiny,
        )
        assert ours.dtype == name
    assert tinyconv.finfo().dtype == "float32"
    ours = tinyconv.iinfo(tinyconv.uint8)
    assert (ours.bits, ours.max, ours.min, ours.dtype) == (8, 255, 0, "uint8")
    with pytest.raises(TypeError, match="floating point type, got tinyconv.int32; use iinfo"):
        tinyconv.finfo(tinyconv.int32)
    with pytest.raises(TypeError, match="integer type, got tinyconv.float32; use finfo"):
        tinyconv.iinfo(tinyconv.float32)


def test_the_default_dtype():
    assert tinyconv.get_default_dtype() is tinyconv.float32
    try:
        tinyconv.set_default_dtype(tinyconv.float64)
        assert tinyconv.get_default_dtype() is tinyconv.float64
        for x in (tinyconv.tensor([1.0]), tinyconv.zeros(1), tinyconv.rand(1), tinyconv.randn(1), tinyconv.arange(0.5)):
            assert x.dtype is tinyconv.float64
    finally:
        tinyconv.set_default_dtype(tinyconv.float32)
    for bad in (tinyconv.int64, "float64", np.float64):
        with pytest.raises(TypeError, match="d must be a floating-point tinyconv.dtype"):
            tinyconv.set_default_dtype(bad)
