"""Nonlinearities and their gradients: one pass over memory each, a number to a thread."""

from __future__ import annotations

from typing import Any

from .. import formulas
from ..contract import ACTIVATIONS
from ..reference.elementwise import silent
from .array import DeviceArray
from .arrays import BLOCK, dense
from .kernel import FLOATS, Constant, kernel
from .language import cuda
from .runtime import ceil_div, empty, launch

F: Any = Constant("F")  # the function

FUNCTIONS = {name: getattr(formulas, "clamp" if name == "hardtanh" else name) for name in ACTIVATIONS}
GRADIENTS = {name: getattr(formulas, f"{name}_gx") for name in ACTIVATIONS}


@kernel("T*, T*, int32, T, T", T=FLOATS, F=tuple(dict.fromkeys(FUNCTIONS.values())), block=BLOCK, registers=64)
def activate(x, y, n, a, b):
    """y = F(x, a, b)"""
    i = cuda.grid(1)
    if i < n:
        y[i] = F(x[i], a, b)


@kernel("T*, T*, T*, int32, T, T", T=FLOATS, F=tuple(GRADIENTS.values()), block=BLOCK, registers=64)
def activate_gx(gy, x, gx, n, a, b):
    """gx = F(gy, x, a, b)"""
    i = cuda.grid(1)
    if i < n:
        gx[i] = F(gy[i], x[i], a, b)


@silent
def _numbers(x: DeviceArray, a: float, b: float) -> tuple[Any, Any]:
    return x.dtype.type(a), x.dtype.type(b)


def activation(x, function, a, b):
    x = dense(x)
    y = empty(x.shape, x.dtype)
    launch(activate, ceil_div(x.size, BLOCK), x, y, x.size, *_numbers(x, a, b), F=FUNCTIONS[function])
    return y


def activation_gx(gy, x, function, a, b):
    gy, x = dense(gy), dense(x)
    gx = empty(x.shape, x.dtype)
    launch(activate_gx, ceil_div(x.size, BLOCK), gy, x, gx, x.size, *_numbers(x, a, b), F=GRADIENTS[function])
    return gx
