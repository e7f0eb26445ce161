"""Optimizers: one pass over each parameter, its gradient and its buffer."""

from __future__ import annotations

from .. import formulas, reference
from .arrays import compiled_for
from .compile import jit
from .elementwise import CHUNK, chunks
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
    kind = params[0].dtype.type if params and compiled_for(params[0]) else float
    sign, decay, gain = kind(-1 if maximize else 1), kind(weight_decay), kind(1 - dampening)
    rate, keep = kind(lr), kind(momentum)
    for p, g, v in zip(params, grads, params if buffers is None else buffers, strict=True):
        if kind is float or not (p.flags.carray and g.flags.carray and v.flags.carray):
            one = None if buffers is None else [v]
            reference.sgd([p], [g], one, lr, momentum, dampening, weight_decay, nesterov, maximize, first)
        elif buffers is None:
            _sgd_plain(chunks(p.size), p.ravel(), g.ravel(), rate, decay, sign)
        else:
            _sgd(chunks(p.size), p.ravel(), g.ravel(), v.ravel(), rate, keep, gain, decay, nesterov, first, sign)
