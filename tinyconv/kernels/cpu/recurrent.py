"""What an LSTM does to its gates: some rows are a work item, and the four gates of a row are four stretches of it."""

from __future__ import annotations

import numpy as np

from .. import formulas, reference
from .arrays import compiled_for, flat
from .compile import jit
from .parallel import parallel_for

ELEMENTS = 4096  # of a work item's gates, or one row if that has more


@jit
def _rows(item, rows, N, H, gx, gh, c, h, new_c, gates):
    for n in range(item * rows, min((item + 1) * rows, N)):
        a, b, s = gx[4 * n * H :], gh[4 * n * H :], gates[4 * n * H : 4 * (n + 1) * H]
        for k in range(s.size):
            s[k] = a[k] + b[k]
        i, f, g, o = s[:H], s[H : 2 * H], s[2 * H : 3 * H], s[3 * H :]
        for k in range(g.size):
            g[k] = formulas.tanh(g[k])
        for gate in (i, f, o):
            for k in range(gate.size):
                gate[k] = formulas.sigmoid(gate[k])
        old, new, out = c[n * H : (n + 1) * H], new_c[n * H : (n + 1) * H], h[n * H : (n + 1) * H]
        for k in range(new.size):
            new[k] = f[k] * old[k] + i[k] * g[k]
        for k in range(out.size):
            out[k] = o[k] * formulas.tanh(new[k])


@jit
def _gx_rows(item, rows, N, H, gh, gc, gates, c, new_c, gsums, gold):
    d, t, one = np.empty(H, c.dtype), np.empty(H, c.dtype), c.dtype.type(1)
    for n in range(item * rows, min((item + 1) * rows, N)):
        s, out = gates[4 * n * H : 4 * (n + 1) * H], gsums[4 * n * H : 4 * (n + 1) * H]
        i, f, g, o = s[:H], s[H : 2 * H], s[2 * H : 3 * H], s[3 * H :]
        given, state, old, new = gh[n * H :], gc[n * H :], c[n * H :], new_c[n * H :]
        for k in range(t.size):
            t[k] = formulas.tanh(new[k])
        for k in range(d.size):
            d[k] = state[k] + given[k] * o[k] * (one - t[k] * t[k])
        part = out[:H]
        for k in range(part.size):
            part[k] = d[k] * g[k] * i[k] * (one - i[k])
        part = out[H : 2 * H]
        for k in range(part.size):
            part[k] = d[k] * old[k] * f[k] * (one - f[k])
        part = out[2 * H : 3 * H]
        for k in range(part.size):
            part[k] = d[k] * i[k] * (one - g[k] * g[k])
        part = out[3 * H :]
        for k in range(part.size):
            part[k] = given[k] * t[k] * o[k] * (one - o[k])
        part = gold[n * H : (n + 1) * H]
        for k in range(part.size):
            part[k] = d[k] * f[k]


@jit
def _lstm(items, rows, N, H, gx, gh, c, h, new_c, gates):
    parallel_for(_rows, items, (rows, N, H, gx, gh, c, h, new_c, gates))


@jit
def _lstm_gx(items, rows, N, H, gh, gc, gates, c, new_c, gsums, gold):
    parallel_for(_gx_rows, items, (rows, N, H, gh, gc, gates, c, new_c, gsums, gold))


def _cut(N, H):
    """Work items, rows of one, N and H."""
    rows = max(1, ELEMENTS // max(4 * H, 1))
    return -(-N // rows), rows, N, H


def lstm(gx, gh, c):
    if not compiled_for(c):
        return reference.lstm(gx, gh, c)
    h, new_c, gates = np.empty(c.shape, c.dtype), np.empty(c.shape, c.dtype), np.empty(gx.shape, c.dtype)
    out = h.reshape(-1), new_c.reshape(-1), gates.reshape(-1)
    _lstm(*_cut(*c.shape), flat(gx), flat(gh), flat(c), *out)
    return h, new_c, gates


def lstm_gx(gh, gc, gates, c, new_c):
    if not compiled_for(c):
        return reference.lstm_gx(gh, gc, gates, c, new_c)
    gsums, gold = np.empty(gates.shape, c.dtype), np.empty(c.shape, c.dtype)
    arguments = [flat(a) for a in (gh, gc, gates, c, new_c)]
    _lstm_gx(*_cut(*c.shape), *arguments, gsums.reshape(-1), gold.reshape(-1))
    return gsums, gold
