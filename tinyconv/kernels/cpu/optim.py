"""Optimizers: one pass over each parameter, its gradient and its buffers.

Networks have many small parameters, so all that are alike go into one launch, as if their elements lay one after
another: a work item is a stretch of CHUNK of them, whichever parameters they belong to. The launch is given a table,
with a row for each parameter: the ``id`` of every array, and how many elements they have.
"""

from __future__ import annotations

import numpy as np

from .. import formulas, reference
from .arrays import array_of, compiled_for
from .compile import jit
from .elementwise import CHUNK
from .parallel import parallel_for


@jit
def _stretch(item, chunk, start, size):
    """Which elements of a parameter, whose first one is number ``start`` of all, are a work item's."""
    return max(0, item * chunk - start), min(size, (item + 1) * chunk - start)


@jit
def _part(number, low, high, like):
    """Elements low <= k < high of the array whose ``id`` is ``number``."""
    return array_of(number, high, like)[low:high]


@jit
def _cut(table, width, numbers):
    """Elements of a work item, and work items: one, if parameters share memory, which are then changed in order."""
    total, chunk = 0, CHUNK
    for row in range(0, table.size, width):
        total += table[row + width - 1]
    for row in range(0, table.size, width):
        first, size = array_of(table[row], 1, numbers).ctypes.data, table[row + width - 1] * numbers.itemsize
        for other in range(0, row, width):
            start = array_of(table[other], 1, numbers).ctypes.data
            if start < first + size and first < start + table[other + width - 1] * numbers.itemsize:
                chunk = total + 1
    return chunk, (total + chunk - 1) // chunk


@jit
def _adam_item(item, chunk, table, numbers):
    gain1, beta2, gain2, rate, root = numbers[0], numbers[1], numbers[2], numbers[3], numbers[4]
    eps, decay, keep, sign = numbers[5], numbers[6], numbers[7], numbers[8]
    start = 0
    for row in range(0, table.size, 5):
        low, high = _stretch(item, chunk, start, table[row + 4])
        start += table[row + 4]
        if low < high:
            p, g = _part(table[row], low, high, numbers), _part(table[row + 1], low, high, numbers)
            m, v = _part(table[row + 2], low, high, numbers), _part(table[row + 3], low, high, numbers)
            for k in range(p.size):
                m[k], v[k] = formulas.adam_moments(sign * g[k] + decay * p[k], m[k], v[k], gain1, beta2, gain2)
                p[k] = formulas.adam_step(keep * p[k], m[k], v[k], rate, root, eps)


@jit
def _amsgrad_item(item, chunk, table, numbers):
    gain1, beta2, gain2, rate, root = numbers[0], numbers[1], numbers[2], numbers[3], numbers[4]
    eps, decay, keep, sign = numbers[5], numbers[6], numbers[7], numbers[8]
    start = 0
    for row in range(0, table.size, 6):
        low, high = _stretch(item, chunk, start, table[row + 5])
        start += table[row + 5]
        if low < high:
            p, g = _part(table[row], low, high, numbers), _part(table[row + 1], low, high, numbers)
            m, v = _part(table[row + 2], low, high, numbers), _part(table[row + 3], low, high, numbers)
            top = _part(table[row + 4], low, high, numbers)
            for k in range(p.size):
                m[k], v[k] = formulas.adam_moments(sign * g[k] + decay * p[k], m[k], v[k], gain1, beta2, gain2)
                top[k] = v[k] if formulas.wins(v[k], top[k]) else top[k]
                p[k] = formulas.adam_step(keep * p[k], m[k], top[k], rate, root, eps)


@jit
def _sgd_item(item, chunk, table, numbers, nesterov, first):
    lr, momentum, gain, weight_decay, sign = numbers[0], numbers[1], numbers[2], numbers[3], numbers[4]
    start = 0
    for row in range(0, table.size, 4):
        low, high = _stretch(item, chunk, start, table[row + 3])
        start += table[row + 3]
        if low < high:
            p, g = _part(table[row], low, high, numbers), _part(table[row + 1], low, high, numbers)
            v = _part(table[row + 2], low, high, numbers)
            for k in range(p.size):
                p[k], v[k] = formulas.sgd(p[k], sign * g[k], v[k], lr, momentum, gain, weight_decay, nesterov, first)


@jit
def _plain_sgd_item(item, chunk, table, numbers):
    lr, weight_decay, sign = numbers[0], numbers[3], numbers[4]
    start = 0
    for row in range(0, table.size, 3):
        low, high = _stretch(item, chunk, start, table[row + 2])
        start += table[row + 2]
        if low < high:
            p, g = _part(table[row], low, high, numbers), _part(table[row + 1], low, high, numbers)
            for k in range(p.size):
                p[k] -= lr * (sign * g[k] + weight_decay * p[k])


@jit
def _adam(table, numbers):
    chunk, items = _cut(table, 5, numbers)
    parallel_for(_adam_item, items, (chunk, table, numbers))


@jit
def _amsgrad(table, numbers):
    chunk, items = _cut(table, 6, numbers)
    parallel_for(_amsgrad_item, items, (chunk, table, numbers))


@jit
def _sgd(table, numbers, nesterov, first):
    chunk, items = _cut(table, 4, numbers)
    parallel_for(_sgd_item, items, (chunk, table, numbers, nesterov, first))


@jit
def _plain_sgd(table, numbers):
    chunk, items = _cut(table, 3, numbers)
    parallel_for(_plain_sgd_item, items, (chunk, table, numbers))


def _table(rows):
    """The table of what the kernels can go through, and the other rows: those with an array that is not dense."""
    numbers, others = [], []
    for row in rows:
        for array in row:
            if not array.flags.carray:
                others.append(row)
                break
        else:
            numbers += map(id, row)
            numbers.append(row[0].size)
    return np.fromiter(numbers, np.int64, len(numbers)), others


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
    amsgrad = max_exp_avg_sqs is not None
    rows = list(zip(params, grads, exp_avgs, exp_avg_sqs, *[max_exp_avg_sqs] * amsgrad, strict=True))
    if params and compiled_for(params[0]):
        numbers = [
            1 - beta1, beta2, 1 - beta2, lr / (1 - beta1**step), (1 - beta2**step) ** 0.5, eps,
            0 if decoupled else weight_decay, 1 - lr * weight_decay if decoupled else 1, -1 if maximize else 1,
        ]  # fmt: skip
        table, rows = _table(rows)
        (_amsgrad if amsgrad else _adam)(table, np.array(numbers, params[0].dtype))
    for p, g, m, v, *top in rows:
        settings = lr, beta1, beta2, eps, weight_decay, decoupled, maximize, step
        reference.adam([p], [g], [m], [v], top or None, *settings)


def sgd(params, grads, buffers, lr, momentum, dampening, weight_decay, nesterov, maximize, first):
    rows = list(zip(params, grads, strict=True) if buffers is None else zip(params, grads, buffers, strict=True))
    if params and compiled_for(params[0]):
        numbers = np.array([lr, momentum, 1 - dampening, weight_decay, -1 if maximize else 1], params[0].dtype)
        table, rows = _table(rows)
        if buffers is None:
            _plain_sgd(table, numbers)
        else:
            _sgd(table, numbers, nesterov, first)
    for p, g, *v in rows:
        reference.sgd([p], [g], v or None, lr, momentum, dampening, weight_decay, nesterov, maximize, first)
