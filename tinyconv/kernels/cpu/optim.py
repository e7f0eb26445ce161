"""Optimizers: one pass over each parameter, its gradient and its buffers.

Networks have many small parameters, so all that are alike go into one launch, as if their elements lay one after
another: a work item is a stretch of CHUNK of them, whichever parameters they belong to. The launch is given the ``id``
of every array: first the parameters', then their gradients', then those of each kind of buffer.
"""

from __future__ import annotations

import numpy as np

from .. import formulas, reference
from .array_ids import array_of, dense_size, ids_of
from .arrays import compiled_for
from .compile import jit
from .elementwise import CHUNK
from .parallel import parallel_for


@jit
def _sizes(ids, n):
    """The sizes of n parameters, and whether all arrays of every kind are dense: parameters with another count as
    empty."""
    sizes, all_dense = np.empty(n, np.int64), True
    for k in range(n):
        sizes[k] = dense_size(ids[k])
        for other in range(k + n, ids.size, n):
            if dense_size(ids[other]) < 0:
                sizes[k] = -1
        if sizes[k] < 0:
            sizes[k], all_dense = 0, False
    return sizes, all_dense


@jit
def _cut(ids, n, numbers):
    """What ``_sizes`` says, elements of a work item, and work items: one, if parameters share memory, which are then
    changed in order."""
    sizes, all_dense = _sizes(ids, n)
    total, apart = 0, True
    begin, end = np.empty(n, np.int64), np.empty(n, np.int64)
    for k in range(n):
        total += sizes[k]
        begin[k] = array_of(ids[k], 1, numbers).ctypes.data
        end[k] = begin[k] + sizes[k] * numbers.itemsize
        for other in range(k):
            apart = apart and (end[other] <= begin[k] or end[k] <= begin[other])
    chunk = CHUNK if apart else total
    return sizes, all_dense, chunk, (total + chunk - 1) // max(1, chunk)


@jit
def _stretch(item, chunk, start, size):
    """Which elements of a parameter, whose first one is number ``start`` of all, are a work item's."""
    return max(0, item * chunk - start), min(size, (item + 1) * chunk - start)


@jit
def _part(number, low, high, like):
    """Elements low <= k < high of the array whose ``id`` is ``number``."""
    return array_of(number, high, like)[low:high]


@jit
def _adam_item(item, chunk, ids, sizes, numbers, amsgrad):
    gain1, beta2, gain2, rate, root = numbers[0], numbers[1], numbers[2], numbers[3], numbers[4]
    eps, decay, keep, sign = numbers[5], numbers[6], numbers[7], numbers[8]
    n, start = sizes.size, 0
    for i in range(n):
        low, high = _stretch(item, chunk, start, sizes[i])
        start += sizes[i]
        if low < high:
            p, g = _part(ids[i], low, high, numbers), _part(ids[n + i], low, high, numbers)
            m, v = _part(ids[2 * n + i], low, high, numbers), _part(ids[3 * n + i], low, high, numbers)
            top = _part(ids[4 * n + i], low, high, numbers) if amsgrad else v
            for k in range(p.size):
                m[k], v[k] = formulas.adam_moments(sign * g[k] + decay * p[k], m[k], v[k], gain1, beta2, gain2)
                if amsgrad:
                    top[k] = v[k] if formulas.wins(v[k], top[k]) else top[k]
                p[k] = formulas.adam_step(keep * p[k], m[k], top[k] if amsgrad else v[k], rate, root, eps)


@jit
def _sgd_item(item, chunk, ids, sizes, numbers, moving, nesterov, first):
    lr, momentum, gain, weight_decay, sign = numbers[0], numbers[1], numbers[2], numbers[3], numbers[4]
    n, start = sizes.size, 0
    for i in range(n):
        low, high = _stretch(item, chunk, start, sizes[i])
        start += sizes[i]
        if low < high:
            p, g = _part(ids[i], low, high, numbers), _part(ids[n + i], low, high, numbers)
            v = _part(ids[2 * n + i], low, high, numbers) if moving else p
            for k in range(p.size):
                if moving:
                    p[k], v[k] = formulas.sgd(
                        p[k], sign * g[k], v[k], lr, momentum, gain, weight_decay, nesterov, first
                    )
                else:
                    p[k] -= lr * (sign * g[k] + weight_decay * p[k])


@jit
def _adam(ids, n, numbers, amsgrad):
    sizes, all_dense, chunk, items = _cut(ids, n, numbers)
    parallel_for(_adam_item, items, (chunk, ids, sizes, numbers, amsgrad))
    return all_dense


@jit
def _sgd(ids, n, numbers, moving, nesterov, first):
    sizes, all_dense, chunk, items = _cut(ids, n, numbers)
    parallel_for(_sgd_item, items, (chunk, ids, sizes, numbers, moving, nesterov, first))
    return all_dense


def _left_out(arrays):
    """A row for each parameter that the kernels leave out: those with an array that is not dense."""
    return [row for row in zip(*arrays, strict=True) if not all(array.flags.carray for array in row)]


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
    settings = lr, beta1, beta2, eps, weight_decay, decoupled, maximize, step
    if not params or not compiled_for(params[0]):
        return reference.adam(params, grads, exp_avgs, exp_avg_sqs, max_exp_avg_sqs, *settings)
    amsgrad = max_exp_avg_sqs is not None
    arrays = (params, grads, exp_avgs, exp_avg_sqs, max_exp_avg_sqs)[: 4 + amsgrad]
    numbers = [
        1 - beta1, beta2, 1 - beta2, lr / (1 - beta1**step), (1 - beta2**step) ** 0.5, eps,
        0 if decoupled else weight_decay, 1 - lr * weight_decay if decoupled else 1, -1 if maximize else 1,
    ]  # fmt: skip
    if not _adam(ids_of(*arrays), len(params), np.array(numbers, params[0].dtype), amsgrad):
        for p, g, m, v, *top in _left_out(arrays):
            reference.adam([p], [g], [m], [v], top or None, *settings)


def sgd(params, grads, buffers, lr, momentum, dampening, weight_decay, nesterov, maximize, first):
    settings = lr, momentum, dampening, weight_decay, nesterov, maximize, first
    if not params or not compiled_for(params[0]):
        return reference.sgd(params, grads, buffers, *settings)
    arrays = (params, grads) if buffers is None else (params, grads, buffers)
    numbers = np.array([lr, momentum, 1 - dampening, weight_decay, -1 if maximize else 1], params[0].dtype)
    if not _sgd(ids_of(*arrays), len(params), numbers, buffers is not None, nesterov, first):
        for p, g, *v in _left_out(arrays):
            reference.sgd([p], [g], v or None, *settings)
