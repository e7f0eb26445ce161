"""Every differentiable operation against finite differences, once and twice, and against PyTorch."""

from __future__ import annotations

import importlib
import pkgutil

import numpy as np
import pytest

import tinyconv
import tinyconv.nn.functional
from tinyconv import ops
from tinyconv.autograd import Function, gradcheck, gradgradcheck

from .cases import CASES, WITHOUT_CASE, Case

every_case = pytest.mark.parametrize("case", CASES, ids=str)


def tensors(library, case: Case, dtype: str = "float64") -> list:
    """The case's inputs: the same numbers for either library."""
    rng = np.random.default_rng(len(str(case)))
    return [library.tensor(rng.standard_normal(shape).astype(dtype), requires_grad=True) for shape in case.shapes]


def outputs(result) -> list:
    return list(result) if isinstance(result, (tuple, list)) else [result]


def functions() -> set[type]:
    """Every Function defined in ``tinyconv.ops``."""
    found = set()
    for module in pkgutil.iter_modules(ops.__path__):
        for value in vars(importlib.import_module(f"{ops.__name__}.{module.name}")).values():
            if isinstance(value, type) and issubclass(value, Function) and value.__module__.startswith(ops.__name__):
                found.add(value)
    return {function for function in found if function.forward is not Function.forward}


def test_every_function_has_a_case():
    assert functions() == {case.function for case in CASES} | WITHOUT_CASE


@every_case
def test_gradient(case, monkeypatch):
    inputs = tensors(tinyconv, case)
    ran = []
    original = case.function.backward
    spy = staticmethod(lambda ctx, *gys: ran.append(ctx) or original(ctx, *gys))
    monkeypatch.setattr(case.function, "backward", spy)

    def compute(*xs):
        return case.compute(tinyconv, *xs)

    assert gradcheck(compute, inputs, **case.check)
    assert gradgradcheck(compute, inputs, **{"atol": 1e-4, **case.check})
    assert ran, f"{case} does not go through {case.function.__name__}.backward"


@every_case
def test_gradient_is_the_same_when_recorded(case):
    """Some gradients have a kernel, and a formula in tensor operations for when they are differentiated again."""
    found = []
    for create_graph in (False, True):
        xs = tensors(tinyconv, case)
        ys = [y for y in outputs(case.compute(tinyconv, *xs)) if y.requires_grad]
        starts = [tinyconv.tensor(np.cos(np.arange(y.numel())).reshape(y.shape)) for y in ys]
        found.append([g.detach().array for g in tinyconv.autograd.grad(ys, xs, starts, create_graph=create_graph)])
    for once, again in zip(*found, strict=True):
        np.testing.assert_allclose(once, again, rtol=1e-9, atol=1e-12)


@pytest.mark.filterwarnings("ignore:Using padding='same'")
@every_case
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_same_as_torch(case, dtype):
    torch = pytest.importorskip("torch")
    if not case.peer:
        pytest.skip("has no counterpart in PyTorch")
    results = []
    for library in (tinyconv, torch):
        xs = tensors(library, case, dtype)
        ys = outputs(case.compute(library, *xs))
        loss = sum(((y * (k + 1) + y * y).sum() for k, y in enumerate(ys)), start=library.zeros((), dtype=xs[0].dtype))
        loss.backward()
        results.append(([np.asarray(y.detach()) for y in ys], [np.asarray(x.grad) for x in xs]))
    (our_ys, our_gs), (their_ys, their_gs) = results
    tolerance = {"float32": 2e-5, "float64": 1e-12}[dtype]
    for ours, theirs in zip([*our_ys, *our_gs], [*their_ys, *their_gs], strict=True):
        assert ours.dtype == theirs.dtype
        assert ours.shape == theirs.shape
        size = np.abs(theirs).max(initial=1.0)
        np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=tolerance * size)
