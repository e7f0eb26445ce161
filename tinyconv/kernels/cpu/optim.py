"""Optimizers: one pass over each parameter, its gradient and its buffer."""

from __future__ import annotations

from .. import formulas, reference
from .arrays import compiled_for
from .compile import jit
from .elementwise import CHUNK, chunks
from .parallel import parallel_for


@jit
def _adam_chunk(i, p, g, m, v, gain1, beta2, gain2, rate, root, eps, decay, keep, sign):
    last = min((i + 1) * CHUNK, p.size)
    p, g, m, v = p[i * CHUNK : last], g[i * CHUNK : last], m[i * CHUNK : last], v[i * CHUNK : last]
    for k in range(p.size):
        m[k], v[k] = formulas.adam_moments(sign * g[k] + decay * p[k], m[k], v[k], gain1, beta2, gain2)
        p[k] = formulas.adam_step(keep * p[k], m[k], v[k], rate, root, eps)


@jit
def _amsgrad_chunk(i, p, g, m, v, top, gain1, beta2, gain2, rate, root, eps, decay, keep, sign):
    last = min((i + 1) * CHUNK, p.size)
    p, g, m, v = p[i * CHUNK : last], g[i * CHUNK : last], m[i * CHUNK : last], v[i * CHUNK : last]
    top = top[i * CHUNK : last]
    for k in range(p.size):
        m[k], v[k] = formulas.adam_moments(sign * g[k] + decay * p[k], m[k], v[k], gain1, beta2, gain2)
        top[k] = v[k] if formulas.wins(v[k], top[k]) else top[k]
        p[k] = formulas.adam_step(keep * p[k], m[k], top[k], rate, root, eps)


@jit
def _adam(n, p, g, m, v, gain1, beta2, gain2, rate, root, eps, decay, keep, sign):
    parallel_for(_adam_chunk, n, (p, g, m, v, gain1, beta2, gain2, rate, root, eps, decay, keep, sign))


@jit
def _amsgrad(n, p, g, m, v, top, gain1, beta2, gain2, rate, root, eps, decay, keep, sign):
    parallel_for(_amsgrad_chunk, n, (p, g, m, v, top, gain1, beta2, gain2, rate, root, eps, decay, keep, sign))


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
    if not params or not compiled_for(params[0]):
        settings = lr, beta1, beta2, eps, weight_decay, decoupled, maximize, step
        reference.adam(params, grads, exp_avgs, exp_avg_sqs, max_exp_avg_sqs, *settings)
        return
    numbers = [
        1 - beta1, beta2, 1 - beta2, lr / (1 - beta1**step), (1 - beta2**step) ** 0.5, eps,
        0 if decoupled else weight_decay, 1 - lr * weight_decay if decoupled else 1, -1 if maximize else 1,
    ]  # fmt: skip
    numbers = [params[0].dtype.type(x) for x in numbers]
    tops = [None] * len(params) if max_exp_avg_sqs is None else max_exp_avg_sqs
    for arrays in zip(params, grads, exp_avgs, exp_avg_sqs, tops, strict=True):
        arrays = arrays if arrays[-1] is not None else arrays[:-1]
        p = arrays[0]
        if not all([a.flags.carray for a in arrays]):
            one = [[a] for a in arrays] if len(arrays) == 5 else [*[[a] for a in arrays], None]
            reference.adam(*one, lr, beta1, beta2, eps, weight_decay, decoupled, maximize, step)
        else:
            kernel = _adam if len(arrays) == 4 else _amsgrad
            kernel(chunks(p.size), *[a.ravel() for a in arrays], *numbers)


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
