"""Warnings show the line of the program that is to be changed."""

from __future__ import annotations

import ast
import warnings
from pathlib import Path

import pytest

import tinyconv
import tinyconv.nn.functional as F
from tinyconv import nn, optim


def result_without_gradient(x):
    return (x.clone().requires_grad_() * 2).grad


CAUSES = {
    "a function": lambda x: F.mse_loss(x, x[:1], size_average=False),
    "a loss": lambda x: nn.MSELoss()(x, x[:1]),
    "a module's options": lambda x: nn.LSTM(2, 3, dropout=0.5),
    "an operation": lambda x: tinyconv.where(x.to(tinyconv.uint8), x, x),
    "an index": lambda x: x[tinyconv.ones(2, dtype=tinyconv.uint8)],
    "a default": lambda x: nn.Softmax()(x),
    "an attribute": result_without_gradient,
    "an optimizer": lambda x: optim.SGD([p := nn.Parameter(x), p], lr=0.1),
    "a schedule": lambda x: optim.lr_scheduler.StepLR(optim.SGD([nn.Parameter(x)], lr=0.1), 2).step(),
}


@pytest.mark.parametrize("cause", CAUSES.values(), ids=CAUSES)
def test_they_point_here(cause):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        cause(tinyconv.rand(2, 3) + 1)
    assert caught and {Path(warning.filename) for warning in caught} == {Path(__file__)}


def test_all_are_given_in_this_way():
    root = Path(tinyconv.__file__).parent
    for path in root.rglob("*.py"):
        if path.name != "caller.py" and "kernels" not in path.relative_to(root).parts:
            calls = [ast.unparse(n.func) for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.Call)]
            assert "warnings.warn" not in calls, f"{path.name}: say caller.warn"
