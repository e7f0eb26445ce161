"""What an LSTM does to its gates, and the gradient: the formulas of the contract."""

from __future__ import annotations

import numpy as np

from .reduce import wide


@np.errstate(all="ignore")
def lstm(gx, gh, c):
    kind = wide(c.dtype)
    sums = np.split(gx.astype(kind) + gh, 4, axis=1)
    i, f, o = (1 / (1 + np.exp(-sums[k])) for k in (0, 1, 3))
    g = np.tanh(sums[2])
    new_c = f * c + i * g
    h = o * np.tanh(new_c)
    return tuple(np.ascontiguousarray(x, c.dtype) for x in (h, new_c, np.concatenate([i, f, g, o], axis=1)))


@np.errstate(all="ignore")
def lstm_gx(gh, gc, gates, c, new_c):
    kind = wide(c.dtype)
    gh, gc, c, t = gh.astype(kind), gc.astype(kind), c.astype(kind), np.tanh(new_c.astype(kind))
    i, f, g, o = np.split(gates.astype(kind), 4, axis=1)
    d = gc + gh * o * (1 - t * t)
    sums = [d * g * i * (1 - i), d * c * f * (1 - f), d * i * (1 - g * g), gh * t * o * (1 - o)]
    return tuple(np.ascontiguousarray(x, new_c.dtype) for x in (np.concatenate(sums, axis=1), d * f))
