"""One number in, one number out, for every element."""

from __future__ import annotations

import operator
from functools import wraps

import numpy as np

from .arrays import dense

RELATIONS = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def elementwise(formula):
    """Give ``formula`` the contract's manners: IEEE 754 without warnings, and a C-contiguous array whatever came in."""

    @wraps(formula)
    def kernel(*args):
        with np.errstate(all="ignore"):
            return dense(formula(*args))

    return kernel


@elementwise
def add(x, y):
    return x + y


@elementwise
def sub(x, y):
    return x - y


@elementwise
def mul(x, y):
    return x * y


@elementwise
def div(x, y):
    return x / y


@elementwise
def pow(x, y):
    return x**y


@elementwise
def maximum(x, y):
    return np.maximum(x, y)


@elementwise
def minimum(x, y):
    return np.minimum(x, y)


@np.errstate(all="ignore")
def add_(x, y, alpha=1):
    np.add(x, alpha * y, out=x)


@np.errstate(all="ignore")
def mul_(x, y):
    np.multiply(x, y, out=x)


@elementwise
def compare(x, y, relation):
    return RELATIONS[relation](x, y)


@elementwise
def where(condition, x, y):
    return np.where(condition, x, y)


@elementwise
def logical_not(x):
    return x == 0


@elementwise
def neg(x):
    return -x


@elementwise
def abs(x):
    return np.abs(x)


@elementwise
def sign(x):
    return np.sign(x)


@elementwise
def exp(x):
    return np.exp(x)


@elementwise
def log(x):
    return np.log(x)


@elementwise
def sqrt(x):
    return np.sqrt(x)


@elementwise
def tanh(x):
    return np.tanh(x)


@elementwise
def sigmoid(x):
    e = np.exp(-np.abs(x))  # in (0, 1]: exp(-x) itself would overflow
    return np.where(x >= 0, 1, e) / (1 + e)


@elementwise
def relu(x):
    return np.maximum(x, 0)


@elementwise
def relu_gx(gy, y):
    return np.where(y > 0, gy, 0)


@elementwise
def tanh_gx(gy, y):
    return gy * (1 - y**2)


@elementwise
def sigmoid_gx(gy, y):
    return gy * y * (1 - y)
