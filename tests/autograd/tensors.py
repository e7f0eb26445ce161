"""Tensors and a Function that the tests of the engine start from."""

from __future__ import annotations

import tinyconv
from tinyconv.autograd import Function


def leaf(*values) -> tinyconv.Tensor:
    return tinyconv.tensor(values, dtype=tinyconv.float64, requires_grad=True)


def randn(*size, requires_grad=True) -> tinyconv.Tensor:
    return tinyconv.randn(*size, dtype=tinyconv.float64, requires_grad=requires_grad)


def values(x) -> list:
    return x.tolist()


class Double(Function):
    """The smallest Function."""

    @staticmethod
    def forward(ctx, x):
        return x * 2

    @staticmethod
    def backward(ctx, gy):
        return gy * 2
