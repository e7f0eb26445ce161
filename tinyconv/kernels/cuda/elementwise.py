"""One number in, one number out, for every element: one kernel per kind of operands, the function a constant of it.

Dense operands of one shape take the short way, four neighbours to a thread in one access each. Where an operand repeats
along an axis, or lies in memory in another order, every thread works out its place by the strides
(:func:`map2_strided`); a number beside such an array becomes an array of one element.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import contract, formulas
from . import functions
from .array import DeviceArray
from .arrays import BLOCK, RAW, _writable, copy, full
from .kernel import FLOATS, Constant, kernel
from .language import cuda, int32, int64, load4, quotient, store4, uint8
from .layout import collapsed, stretched
from .runtime import ceil_div, empty, launch

F: Any = Constant("F")  # the function
R: Any = Constant("R")  # the number of axes
U: Any = Constant("U")  # the bits of an element
Y: Any = Constant("Y")  # the result's type: T, or uint8 for a truth value

RELATIONS = {"==": functions.eq, "!=": functions.ne, "<": functions.lt, "<=": functions.le, ">": functions.gt,
             ">=": functions.ge}  # fmt: skip
UNARY = {name: getattr(functions, "round_even" if name == "round" else name) for name in contract.UNARY}
BINARY = {name: getattr(functions, "remainder_of" if name == "remainder" else name) for name in contract.BINARY}
INTEGERS = {"fmod": functions.integer_fmod, "power": functions.integer_power}  # instead of those for floats

SIGNS = (functions.neg, functions.absolute, functions.sign, formulas.relu)
SMOOTH = (formulas.exp, functions.log, functions.sqrt, functions.tanh, formulas.sigmoid, *UNARY.values())
ARITHMETIC = (functions.add, functions.sub, functions.mul, functions.maximum, functions.minimum)
ON_FLOATS = (functions.div, functions.power, formulas.relu_gx, formulas.tanh_gx, formulas.sigmoid_gx, functions.fmod,
             functions.floor_divide, functions.remainder_of, functions.atan2, functions.hypot)  # fmt: skip
ON_INTEGERS = (functions.bitwise_and, functions.bitwise_or, functions.bitwise_xor, functions.left_shift,
               functions.right_shift, functions.floor_divide, functions.remainder_of, *INTEGERS.values())  # fmt: skip
NUMBERS = (*FLOATS, int64, int32, uint8)


def _one(F: Any, **types: Any) -> bool:
    return F in SIGNS or types["T"] is np.float32


def _two(F: Any, R: int = 0, **types: Any) -> bool:
    if F in RELATIONS.values():
        return types["Y"] is uint8
    if F in LONG and types["T"] is int64 and R == 0:
        return False
    fits = F in ARITHMETIC or F in (ON_FLOATS if types["T"] in FLOATS else ON_INTEGERS)
    return types["Y"] is types["T"] and fits


TWO = (*RELATIONS.values(), *ARITHMETIC, *dict.fromkeys((*ON_FLOATS, *ON_INTEGERS)))
SINGLE: Any = {"T": (np.float32,), "Y": (np.float32, uint8)}  # the other types differ as little there as in map2
# 64-bit division is a subroutine: four of them side by side would not fit into registers.
LONG = (functions.floor_divide, functions.remainder_of, *INTEGERS.values())


# -------------------------------------------------------------------------------------------------------------- kernels


@kernel("T*, T*, int32", T=NUMBERS, F=(*SIGNS, *SMOOTH), only=_one, block=BLOCK, registers=64)
def map1(x, y, n):
    """y = F(x)"""
    i = 4 * cuda.grid(1)
    if i + 3 < n:
        a, b, c, d = load4(x, i)
        store4(y, i, F(a), F(b), F(c), F(d))
    else:
        for k in range(i, n):
            y[k] = F(x[k])


@kernel("float64*, float64*, int32", F=SMOOTH, block=BLOCK, registers=64)
def map1_double(x, y, n):
    """y = F(x), one at a time: four such subroutines would not fit into registers."""
    i = cuda.grid(1)
    if i < n:
        y[i] = F(x[i])


@kernel("T*, T*, Y*, int32", T=NUMBERS, Y=NUMBERS, F=TWO, only=_two, block=BLOCK, registers=64)
def map2(x, y, z, n):
    """z = F(x, y)"""
    i = 4 * cuda.grid(1)
    if i + 3 < n:
        a, b, c, d = load4(x, i)
        e, f, g, h = load4(y, i)
        store4(z, i, F(a, e), F(b, f), F(c, g), F(d, h))
    else:
        for k in range(i, n):
            z[k] = F(x[k], y[k])


@kernel("T*, T, Y*, int32", **SINGLE, F=TWO, only=_two, block=BLOCK, registers=64)
def map2_right(x, number, z, n):
    """z = F(x, number)"""
    i = 4 * cuda.grid(1)
    if i + 3 < n:
        a, b, c, d = load4(x, i)
        store4(z, i, F(a, number), F(b, number), F(c, number), F(d, number))
    else:
        for k in range(i, n):
            z[k] = F(x[k], number)


@kernel("T, T*, Y*, int32", **SINGLE, F=TWO, only=_two, block=BLOCK, registers=64)
def map2_left(number, y, z, n):
    """z = F(number, y)"""
    i = 4 * cuda.grid(1)
    if i + 3 < n:
        a, b, c, d = load4(y, i)
        store4(z, i, F(number, a), F(number, b), F(number, c), F(number, d))
    else:
        for k in range(i, n):
            z[k] = F(number, y[k])


@kernel("T*, T*, Y*, int32, int32[R], int32[R], int32[R], int32[R]", **SINGLE, R=(1, 2, 3, 4), F=TWO,
        only=lambda R, F, **types: _two(F=F, R=R, **types) and (R == 2 or F is functions.add), block=BLOCK,
        registers=64)  # fmt: skip
def map2_strided(x, y, z, n, shape, sx, sy, sz):
    """z = F(x, y), each with strides of its own."""
    i = cuda.grid(1)
    if i < n:
        at_x = int64(0)
        at_y = int64(0)
        at_z = int64(0)
        for axis in range(R - 1, 0, -1):
            outer = quotient(i, shape[axis])
            k = i - outer * shape[axis]
            at_x += k * sx[axis]
            at_y += k * sy[axis]
            at_z += k * sz[axis]
            i = outer
        z[at_z + i * sz[0]] = F(x[at_x + i * sx[0]], y[at_y + i * sy[0]])


@kernel("T*, T*, T, int32", T=NUMBERS, block=BLOCK, registers=40)
def add_scaled(x, y, alpha, n):
    """x += alpha * y"""
    i = 4 * cuda.grid(1)
    if i + 3 < n:
        a, b, c, d = load4(x, i)
        e, f, g, h = load4(y, i)
        store4(x, i, a + alpha * e, b + alpha * f, c + alpha * g, d + alpha * h)
    else:
        for k in range(i, n):
            x[k] += alpha * y[k]


@kernel("uint8*, U*, U*, U*, int32, int32[R], int32[R], int32[R], int32[R]", U=tuple(RAW.values()), R=(1, 2, 3, 4),
        block=BLOCK, registers=64)  # fmt: skip
def select(condition, x, y, z, n, shape, sc, sx, sy):
    """z = x where the condition holds, else y; z is dense."""
    i = cuda.grid(1)
    if i < n:
        rest = i
        at_c = int64(0)
        at_x = int64(0)
        at_y = int64(0)
        for axis in range(R - 1, 0, -1):
            outer = quotient(rest, shape[axis])
            k = rest - outer * shape[axis]
            at_c += k * sc[axis]
            at_x += k * sx[axis]
            at_y += k * sy[axis]
            rest = outer
        if condition[at_c + rest * sc[0]] != 0:
            z[i] = x[at_x + rest * sx[0]]
        else:
            z[i] = y[at_y + rest * sy[0]]


# ------------------------------------------------------------------------------------------------------------ launching


def _aligned(x: DeviceArray) -> bool:
    """Whether four neighbours can be had in one access."""
    return x.dense and x.pointer % (4 * x.dtype.itemsize) == 0


def _short(function: Any, x: DeviceArray) -> bool:
    return function not in LONG or x.dtype != np.int64


def _fours(n: int) -> int:
    return ceil_div(n, 4 * BLOCK)


def _map1(function: Any, x: DeviceArray) -> DeviceArray:
    y = empty(x.shape, x.dtype)
    x = x if _aligned(x) else copy(x)
    if x.dtype == np.float64 and function in SMOOTH:
        launch(map1_double, ceil_div(x.size, BLOCK), x, y, x.size, F=function)
    else:
        launch(map1, _fours(x.size), x, y, x.size, F=function)
    return y


def _map2(function: Any, x: Any, y: Any, dtype: np.dtype | None = None) -> DeviceArray:
    """A fresh array of ``function(x, y)``, one of which may be a number."""
    if not isinstance(y, DeviceArray):
        z = empty(x.shape, dtype or x.dtype)
        if _aligned(x) and _short(function, x):
            launch(map2_right, _fours(x.size), x, _number(y, x), z, x.size, F=function)
            return z
        y = full((), y, x.dtype)
    elif not isinstance(x, DeviceArray):
        z = empty(y.shape, dtype or y.dtype)
        if _aligned(y) and _short(function, y):
            launch(map2_left, _fours(y.size), _number(x, y), y, z, y.size, F=function)
            return z
        x = full((), x, y.dtype)
    else:
        shape = x.shape if x.shape == y.shape else np.broadcast_shapes(x.shape, y.shape)
        z = empty(shape, dtype or x.dtype)
    _into(function, x, y, z)
    return z


def _into(function: Any, x: DeviceArray, y: DeviceArray, z: DeviceArray) -> None:
    """z = function(x, y), broadcast to z's shape; z may be x."""
    n = z.size
    fours = _aligned(x) and _aligned(y) and _aligned(z) and _short(function, z)
    if fours and x.shape == y.shape == z.shape:
        launch(map2, _fours(n), x, y, z, n, F=function)
        return
    steps = (stretched(a.shape, a.strides, z.shape) for a in (x, y))
    shape, sx, sy, sz = collapsed(z.shape, *steps, z.strides)
    launch(map2_strided, ceil_div(n, BLOCK), x, y, z, n, shape, sx, sy, sz, F=function, R=len(shape))


def _number(value: Any, beside: DeviceArray) -> Any:
    """A number in an array's type."""
    return beside.dtype.type(value).item()


def _dtype(x: Any, y: Any) -> np.dtype:
    return (x if isinstance(x, DeviceArray) else y).dtype


# --------------------------------------------------------------------------------------------------------- the contract


def add(x, y):
    return _map2(functions.maximum if _dtype(x, y).kind == "b" else functions.add, x, y)


def sub(x, y):
    return _map2(functions.sub, x, y)


def mul(x, y):
    return _map2(functions.minimum if _dtype(x, y).kind == "b" else functions.mul, x, y)


def div(x, y):
    return _map2(functions.div, x, y)


def pow(x, y):
    return _map2(functions.power if _dtype(x, y).kind == "f" else functions.integer_power, x, y)


def maximum(x, y):
    return _map2(functions.maximum, x, y)


def minimum(x, y):
    return _map2(functions.minimum, x, y)


def binary(x, y, function):
    if function in INTEGERS and _dtype(x, y).kind != "f":
        return _map2(INTEGERS[function], x, y)
    return _map2(BINARY[function], x, y)


def add_(x, y, alpha=1):
    _writable(x)
    if isinstance(y, DeviceArray) and alpha != 1:
        apart = y.block is not x.block
        if x.dtype == y.dtype and x.shape == y.shape and _aligned(x) and _aligned(y) and apart:
            launch(add_scaled, _fours(x.size), x, y, _number(alpha, x), x.size)
            return
        y = mul(y, alpha)
    _in_place(functions.maximum if x.dtype.kind == "b" else functions.add, x, y, alpha)


def mul_(x, y):
    _writable(x)
    _in_place(functions.minimum if x.dtype.kind == "b" else functions.mul, x, y)


def _in_place(function: Any, x: DeviceArray, y: Any, alpha: Any = 1) -> None:
    if not isinstance(y, DeviceArray):
        y = full((), y * alpha, x.dtype)
    elif y.block is x.block and (y.offset, y.strides) != (x.offset, x.strides):
        y = copy(y)  # a thread would read what another writes
    _into(function, x, y, x)


def compare(x, y, relation):
    return _map2(RELATIONS[relation], x, y, np.dtype(bool))


def where(condition, x, y):
    x = x if isinstance(x, DeviceArray) else full((), x, y.dtype)
    y = y if isinstance(y, DeviceArray) else full((), y, x.dtype)
    z = empty(np.broadcast_shapes(condition.shape, x.shape, y.shape), x.dtype)
    steps = (stretched(a.shape, a.strides, z.shape) for a in (condition, x, y))
    shape, *strides, _ = collapsed(z.shape, *steps, z.strides)
    launch(
        select, ceil_div(z.size, BLOCK), condition, x, y, z, z.size, shape, *strides, U=RAW[x.dtype.itemsize],
        R=len(shape),
    )  # fmt: skip
    return z


def logical_not(x):
    return compare(x, 0, "==")


def unary(x, function):
    return _map1(UNARY[function], x)


def neg(x):
    return _map1(functions.neg, x)


def abs(x):
    return _map1(functions.absolute, x)


def sign(x):
    return _map1(functions.sign, x)


def exp(x):
    return _map1(formulas.exp, x)


def log(x):
    return _map1(functions.log, x)


def sqrt(x):
    return _map1(functions.sqrt, x)


def tanh(x):
    return _map1(functions.tanh, x)


def sigmoid(x):
    return _map1(formulas.sigmoid, x)


def relu(x):
    return _map1(formulas.relu, x)


def relu_gx(gy, y):
    return _map2(formulas.relu_gx, gy, y)


def tanh_gx(gy, y):
    return _map2(formulas.tanh_gx, gy, y)


def sigmoid_gx(gy, y):
    return _map2(formulas.sigmoid_gx, gy, y)
