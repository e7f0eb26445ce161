"""Optimizers: one step for a list of parameters, in place."""

from __future__ import annotations

import numpy as np


@np.errstate(all="ignore")
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
    rate, root = lr / (1 - beta1**step), (1 - beta2**step) ** 0.5
    for i, (p, g, m, v) in enumerate(zip(params, grads, exp_avgs, exp_avg_sqs, strict=True)):
        g = -g if maximize else g
        if decoupled:
            p *= 1 - lr * weight_decay
        else:
            g = g + weight_decay * p
        m += (1 - beta1) * (g - m)
        v[...] = beta2 * v + (1 - beta2) * (g * g)
        if max_exp_avg_sqs is not None:
            v = np.maximum(max_exp_avg_sqs[i], v, out=max_exp_avg_sqs[i])
        p -= rate * (m / (np.sqrt(v) / root + eps))


@np.errstate(all="ignore")
def sgd(params, grads, buffers, lr, momentum, dampening, weight_decay, nesterov, maximize, first):
    for i, (p, g) in enumerate(zip(params, grads, strict=True)):
        g = (-g if maximize else g) + weight_decay * p
        v = g
        if buffers is not None:
            v = g if first else momentum * buffers[i] + (1 - dampening) * g
            buffers[i][...] = v
        p[...] -= lr * (g + momentum * v if nesterov else v)
