"""Optimizers: one step for a list of parameters, in place."""

from __future__ import annotations

import numpy as np


@np.errstate(all="ignore")
def sgd(params, grads, buffers, lr, momentum, dampening, weight_decay, nesterov, maximize, first):
    for i, (p, g) in enumerate(zip(params, grads, strict=True)):
        g = (-g if maximize else g) + weight_decay * p
        v = g
        if buffers is not None:
            v = g if first else momentum * buffers[i] + (1 - dampening) * g
            buffers[i][...] = v
        p[...] -= lr * (g + momentum * v if nesterov else v)
