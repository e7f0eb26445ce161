"""Nonlinearities, and their gradients by x: the formulas of the contract, in float64."""

from __future__ import annotations

import math

import numpy as np

from .elementwise import UNARY, silent
from .reduce import wide


def _sigmoid(x):
    return 1 / (1 + np.exp(-x))


def _below(x):
    """The share of a standard normal distribution that lies below x."""
    return (1 + UNARY["erf"](x / math.sqrt(2))) / 2


def _bent(x):
    return math.sqrt(8 / math.pi) * (x + 0.044715 * x**3)


def _six(x):
    return np.minimum(np.maximum(x + 3, 0), 6) / 6


def _silu_slope(x):
    return _sigmoid(x) * (1 + x * (1 - _sigmoid(x)))


def _gelu_slope(x):
    return _below(x) + x * np.exp(-x * x / 2) / math.sqrt(2 * math.pi)


def _gelu_tanh_slope(x):
    s = _sigmoid(_bent(x))
    return s + x * s * (1 - s) * math.sqrt(8 / math.pi) * (1 + 3 * 0.044715 * x * x)


FUNCTIONS = {
    "clamp": lambda x, a, b: np.minimum(np.maximum(x, a), b),
    "hardtanh": lambda x, a, b: np.minimum(np.maximum(x, a), b),
    "leaky_relu": lambda x, a, b: np.where(x > 0, x, a * x),
    "hardsigmoid": lambda x, a, b: _six(x),
    "hardswish": lambda x, a, b: x * _six(x),
    "silu": lambda x, a, b: x * _sigmoid(x),
    "gelu": lambda x, a, b: x * _below(x),
    "gelu_tanh": lambda x, a, b: x * _sigmoid(_bent(x)),
}
GRADIENTS = {
    "clamp": lambda gy, x, a, b: np.where((x >= a) & (x <= b), gy, 0),
    "hardtanh": lambda gy, x, a, b: np.where((x <= a) | (x >= b), 0, gy),
    "leaky_relu": lambda gy, x, a, b: np.where(x > 0, gy, a * gy),
    "hardsigmoid": lambda gy, x, a, b: np.where((x > -3) & (x < 3), gy / 6, 0),
    "hardswish": lambda gy, x, a, b: np.where(x <= -3, 0, np.where(x < 3, gy * (x / 3 + 0.5), gy)),
    "silu": lambda gy, x, a, b: gy * _silu_slope(x),
    "gelu": lambda gy, x, a, b: gy * _gelu_slope(x),
    "gelu_tanh": lambda gy, x, a, b: gy * _gelu_tanh_slope(x),
}


@silent
def activation(x, function, a, b):
    kind, a, b = wide(x.dtype), x.dtype.type(a), x.dtype.type(b)
    return np.asarray(FUNCTIONS[function](x.astype(kind), a.astype(kind), b.astype(kind))).astype(x.dtype, order="C")


@silent
def activation_gx(gy, x, function, a, b):
    kind, a, b = wide(x.dtype), x.dtype.type(a), x.dtype.type(b)
    gx = GRADIENTS[function](gy.astype(kind), x.astype(kind), a.astype(kind), b.astype(kind))
    return np.asarray(gx).astype(x.dtype, order="C")
