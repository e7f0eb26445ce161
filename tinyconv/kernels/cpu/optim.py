"""Optimizers: one pass over each parameter, its gradient and its buffer."""

from __future__ import annotations

from .. import formulas, reference
from .compile import jit
from .elementwise import CHUNK, chunks, dense_floats
from .parallel import parallel_for


@jit
def _sgd_chunk(i, p, g, v, lr, momentum, gain, weight_decay, nesterov, first, sign):
    last = min((i + 1) * CHUNK, p.size)
    p, g, v = p[i * CHUNK : last], g[i * CHUNK : last], v[i * CHUNK : last]
    for k in range(p.size):
        p[k], v[k] = formulas.sgd(p[k], sign * g[k], v[k], lr, momentum, gain, weight_decay, nesterov, first)


@jit
def _sgd_plain_chunk(i, p, g, lr, weight_decay, sign):
    last = min((i + 1) * CHUNK, p.size)
    p, g = p[i * CHUNK : last], g[i * CHUNK : last]
    for k in range(p.size):
        p[k] -= lr * (sign * g[k] + weight_decay * p[k])


@jit
def _sgd(n, p, g, v, lr, momentum, gain, weight_decay, nesterov, first, sign):
    parallel_for(_sgd_chunk, n, (p, g, v, lr, momentum, gain, weight_decay, nesterov, first, sign))


@jit
def _sgd_plain(n, p, g, lr, weight_decay, sign):
    parallel_for(_sgd_plain_chunk, n, (p, g, lr, weight_decay, sign))


def sgd(params, grads, buffers, lr, momentum, dampening, weight_decay, nesterov, maximize, first):
    for i, (p, g) in enumerate(zip(params, grads, strict=True)):
        v = p if buffers is None else buffers[i]
        if not dense_floats(p, g) or not dense_floats(p, v):
            one = None if buffers is None else [v]
            reference.sgd([p], [g], one, lr, momentum, dampening, weight_decay, nesterov, maximize, first)
            continue
        kind, n = p.dtype.type, chunks(p.size)
        decay, sign, p, g = kind(weight_decay), kind(-1 if maximize else 1), p.reshape(-1), g.reshape(-1)
        if buffers is None:
            _sgd_plain(n, p, g, kind(lr), decay, sign)
        else:
            gain = kind(1 - dampening)
            _sgd(n, p, g, v.reshape(-1), kind(lr), kind(momentum), gain, decay, nesterov, first, sign)
