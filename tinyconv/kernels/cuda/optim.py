"""One step of an optimizer for all its parameters: one launch.

A network has dozens of parameters, most of them smaller than what keeps a GPU busy for the time that a launch takes. So
the launch gets a table instead of arrays: for each parameter its length, the number of its first block, and where it,
its gradient and its moments lie. A block finds its row by bisection, and follows the addresses.

The table lies on the device, and is only written anew when an address has changed. In a training loop the allocator
hands the gradients the same memory at every step, and it is not.
"""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from .. import formulas
from . import functions
from .array import DeviceArray
from .arrays import assign, dense
from .kernel import FLOATS, Constant, T, kernel
from .language import cuda, pointer_at, quotient
from .runtime import ceil_div, constant, device, launch

BLOCK = 256
EACH = 4  # numbers to a thread
KEPT = 8  # tables per device
B: Any = Constant("B")  # 1: there are momentum buffers
A: Any = Constant("A")  # 1: AMSGrad
START, LENGTH, FIRST = range(3)  # the columns of a row: first block, length, then the addresses

_tables: WeakKeyDictionary[Any, dict[tuple, tuple[DeviceArray, int]]] = WeakKeyDictionary()


# -------------------------------------------------------------------------------------------------------------- kernels


def row_of_block(table, count, width):
    """Where the row of this block begins: the last that starts no later."""
    low = 0
    high = count
    while high - low > 1:
        middle = quotient(low + high, 2)
        if table[middle * width] <= cuda.blockIdx.x:
            low = middle
        else:
            high = middle
    return low * width


@kernel("int64*, int32, T, T, T, T, int32, int32, int32", T=FLOATS, B=(0, 1), block=BLOCK, registers=64)
def sgd_all(table, count, lr, momentum, gain, weight_decay, nesterov, maximize, first):
    """formulas.sgd for all parameters; a row's addresses: parameter, gradient, buffer."""
    row = row_of_block(table, count, FIRST + 2 + B)
    n = table[row + LENGTH]
    p = pointer_at(table[row + FIRST], T)
    g = pointer_at(table[row + FIRST + 1], T)
    v = pointer_at(table[row + FIRST + 1 + B], T)
    start = (cuda.blockIdx.x - table[row]) * EACH * BLOCK + cuda.threadIdx.x
    for u in range(EACH):
        i = start + u * BLOCK
        if i < n:
            slope = -g[i] if maximize != 0 else g[i]
            before = v[i] if B == 1 and first == 0 else slope
            after, velocity = formulas.sgd(
                p[i], slope, before, lr, momentum, gain, weight_decay, nesterov != 0, B == 0 or first != 0
            )
            p[i] = after
            if B == 1:
                v[i] = velocity


@kernel("int64*, int32, T, T, T, T, T, T, T, T, int32, int32", T=FLOATS, A=(0, 1), block=BLOCK, registers=96)
def adam_all(table, count, rate, root, eps, gain1, beta2, gain2, weight_decay, shrink, decoupled, maximize):
    """Adam for all parameters; a row's addresses: parameter, gradient, both moments, the greatest second one."""
    row = row_of_block(table, count, FIRST + 4 + A)
    n = table[row + LENGTH]
    p = pointer_at(table[row + FIRST], T)
    g = pointer_at(table[row + FIRST + 1], T)
    m = pointer_at(table[row + FIRST + 2], T)
    v = pointer_at(table[row + FIRST + 3], T)
    top = pointer_at(table[row + FIRST + 3 + A], T)
    start = (cuda.blockIdx.x - table[row]) * EACH * BLOCK + cuda.threadIdx.x
    for u in range(EACH):
        i = start + u * BLOCK
        if i < n:
            slope = -g[i] if maximize != 0 else g[i]
            number = p[i]
            if decoupled != 0:
                number = number * shrink
            else:
                slope = slope + weight_decay * number
            first, second = formulas.adam_moments(slope, m[i], v[i], gain1, beta2, gain2)
            m[i] = first
            v[i] = second
            if A == 1:
                second = functions.maximum(top[i], second)
                top[i] = second
            p[i] = formulas.adam_step(number, first, second, rate, root, eps)


# ------------------------------------------------------------------------------------------------------------ launching


def _tabled(groups: list[list[DeviceArray]]) -> tuple[DeviceArray, int]:
    """The table of parameters whose arrays the groups hold, parameter by parameter, and how many blocks they need."""
    key = tuple((arrays[0].size, *(a.pointer for a in arrays)) for arrays in groups)
    kept = _tables.setdefault(device(), {})
    if key not in kept:
        rows, blocks = [], 0
        for n, *addresses in key:
            rows.append((blocks, n, *addresses))
            blocks += ceil_div(n, EACH * BLOCK)
        while len(kept) >= KEPT:
            del kept[next(iter(kept))]
        kept[key] = constant(np.array(rows, np.int64)), blocks
    return kept[key]


def _step(kernel: Any, groups: list[tuple[DeviceArray, ...]], numbers: tuple, **constants: Any) -> None:
    """Launch once for each dtype (usually one), and write back what had to be copied to be dense."""
    filled = [group for group in groups if group[0].size]
    for dtype in dict.fromkeys(group[0].dtype for group in filled):
        chosen = [group for group in filled if group[0].dtype == dtype]
        arrays = [list(map(dense, group)) for group in chosen]
        table, blocks = _tabled(arrays)
        launch(kernel, blocks, table, len(arrays), *numbers, T=dtype.type, **constants)
        for old, new in zip(chosen, arrays, strict=True):
            for i, (a, b) in enumerate(zip(old, new, strict=True)):
                if a is not b and i != 1:  # a gradient is only read
                    assign(a, b)


# --------------------------------------------------------------------------------------------------------- the contract


def sgd(params, grads, buffers, lr, momentum, dampening, weight_decay, nesterov, maximize, first):
    parts = (params, grads) if buffers is None else (params, grads, buffers)
    numbers = (lr, momentum, 1 - dampening, weight_decay, int(nesterov), int(maximize), int(first))
    _step(sgd_all, list(zip(*parts, strict=True)), numbers, B=int(buffers is not None))


def adam(
    params,
    grads,
    exp_avgs,
    exp_avg_sqs,
    max_exp_avg_sqs,
    lr,
    beta1,
    beta2,
    eps,
    weight_decay,
    decoupled,
    maximize,
    step,
):
    parts = (params, grads, exp_avgs, exp_avg_sqs)
    if max_exp_avg_sqs is not None:
        parts = (*parts, max_exp_avg_sqs)
    numbers = (
        lr / (1 - beta1**step), (1 - beta2**step) ** 0.5, eps, 1 - beta1, beta2, 1 - beta2, weight_decay,
        1 - lr * weight_decay, int(decoupled), int(maximize),
    )  # fmt: skip
    _step(adam_all, list(zip(*parts, strict=True)), numbers, A=int(max_exp_avg_sqs is not None))
