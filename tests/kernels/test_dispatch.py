"""Which backend serves which array."""

from __future__ import annotations

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
