"""One number in, one number out, for every element."""

from __future__ import annotations

from typing import Any

from .. import formulas
from .kernel import FLOATS, Constant, kernel
from .language import cuda
from .runtime import ceil_div, empty, launch

F: Any = Constant("F")  # the formula
BLOCK = 256


@kernel("T*, T*, int32", T=FLOATS, F=(formulas.relu,), block=BLOCK, registers=16)
def map1(x, y, n):
    """y[i] = F(x[i])"""
    i = cuda.grid(1)
    if i < n:
        y[i] = F(x[i])


@kernel("T*, T*, T*, int32", T=FLOATS, F=(formulas.add,), block=BLOCK, registers=16)
def map2(x, y, z, n):
    """z[i] = F(x[i], y[i])"""
    i = cuda.grid(1)
    if i < n:
        z[i] = F(x[i], y[i])


def add(x, y):
    z = empty(x.shape, x.dtype)
    launch(map2, ceil_div(z.size, BLOCK), x, y, z, z.size, F=formulas.add)
    return z


def relu(x):
    y = empty(x.shape, x.dtype)
    launch(map1, ceil_div(y.size, BLOCK), x, y, y.size, F=formulas.relu)
    return y
