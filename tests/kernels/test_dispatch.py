"""Which backend serves which array."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

import numpy as np
import pytest

from tinyconv import kernels


def name_of(array) -> str:
    return kernels.of(array).__name__.rpartition(".")[2]


def test_host_arrays_go_to_numba_by_default():
    assert name_of(np.zeros(3)) == "cpu"
    assert kernels.on("cpu") is kernels.of(np.zeros(3))


def test_use_kernels_restores_the_earlier_choice():
    with kernels.use_kernels("reference"):
        assert name_of(np.zeros(3)) == "reference"
        with kernels.use_kernels("cpu"):
            assert name_of(np.zeros(3)) == "cpu"
        assert name_of(np.zeros(3)) == "reference"
    assert name_of(np.zeros(3)) == "cpu"


def test_use_kernels_restores_after_an_error():
    with pytest.raises(ZeroDivisionError), kernels.use_kernels("reference"):
        raise ZeroDivisionError
    assert name_of(np.zeros(3)) == "cpu"


def test_use_kernels_refuses_an_unknown_name():
    with pytest.raises(ValueError, match="use_kernels: name must be one of .*, got 'gpu'"):
        kernels.use_kernels("gpu")
    assert name_of(np.zeros(3)) == "cpu"


@pytest.mark.parametrize("array", [[1.0], np.float32(1), np.ma.zeros(3)])
def test_no_backend_for_other_classes(array):
    with pytest.raises(TypeError, match=f"no kernels for arrays of class {type(array).__name__}"):
        kernels.of(array)


def test_no_backend_on_an_unknown_device():
    with pytest.raises(RuntimeError, match="no kernels for device 'abacus'"):
        kernels.on("abacus")


def test_a_registered_class_has_its_own_backend(monkeypatch):
    class Array:
        pass

    monkeypatch.setattr(kernels, "_by_class", {})
    monkeypatch.setattr(kernels, "_by_device", {})
    backend = ModuleType("abacus")
    kernels.register("abacus", Array, backend)
    assert kernels.of(Array()) is backend
    assert kernels.on("abacus") is backend
    assert name_of(np.zeros(3)) == "cpu"


def test_types_without_compiled_kernels_go_to_the_reference_ones():
    """float16 is no type to train in, but whoever has it gets right results."""
    cpu, reference = (import_module(f"tinyconv.kernels.{name}") for name in ("cpu", "reference"))
    x, w = (np.random.default_rng(0).standard_normal(shape).astype(np.float16) for shape in ((2, 3, 4), (3,)))
    images, target = x[:, :, None].repeat(4, 2), np.array([[0, 1, 2, 0], [2, 1, 0, 0]])
    for name, arguments in {
        "linear": (x[0], x[1], None),
        "matmul": (x[0], x[1].T),
        "log_softmax": (x, 1),
        "softmax": (x, 1),
        "log_softmax_gx": (x, x, 1),
        "nll_loss": (x, target, None, -100),
        "nll_loss_gx": (x[:, 0], target, x[:, 1], 3),
        "batch_norm_train": (x, w, w, 1e-5),
        "batch_norm": (x, w, w, w, w),
        "batch_norm_gx": (x, x, w, w, w),
        "layer_norm": (x[..., 0], w, w, 1e-5),
        "layer_norm_gx": (x[..., 0], x[..., 0], x[:, 0, 0], x[:, 0, 0], w),
        "conv2d": (images, images[:1, :, :2, :2].copy(), None, (1, 1), (0, 0), (1, 1), 1),
        "max_pool2d": (images, (2, 2), (2, 2), (0, 0), (1, 1), (2, 2)),
        "dropout": (x, 0.5, 0, 0),
        "sum": (x, (0,), False),
    }.items():
        got, expected = getattr(cpu, name)(*arguments), getattr(reference, name)(*arguments)
        for a, b in zip(*[r if isinstance(r, tuple) else (r,) for r in (got, expected)], strict=True):
            assert a.dtype == b.dtype
            np.testing.assert_array_equal(a, b)
