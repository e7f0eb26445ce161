"""No backend lacks a kernel, changes its parameters or offers one more."""

from __future__ import annotations

import inspect
from types import ModuleType

import pytest

from tinyconv.kernels.contract import KERNELS

NAMES = sorted(KERNELS)


@pytest.mark.parametrize("name", NAMES)
def test_every_backend_has_the_kernel_with_the_contract_parameters(kernels, name):
    parameters = inspect.signature(getattr(kernels.module, name)).parameters.values()
    expected = inspect.signature(KERNELS[name]).parameters.values()
    assert [(p.name, p.kind, p.default) for p in parameters] == [(p.name, p.kind, p.default) for p in expected]


def test_nothing_public_beyond_the_contract(kernels):
    public = {
        name
        for name, value in vars(kernels.module).items()
        if not name.startswith("_") and not isinstance(value, ModuleType) and name != "annotations"
    }
    assert public == set(KERNELS)


@pytest.mark.parametrize("name", NAMES)
def test_the_contract_says_what_each_kernel_means(name):
    assert len(inspect.getdoc(KERNELS[name])) > 5
