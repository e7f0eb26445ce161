"""What an LSTM does to its gates: a thread for each number of the state."""

from __future__ import annotations

from .. import formulas
from .arrays import BLOCK, dense
from .functions import tanh
from .kernel import FLOATS, T, kernel
from .language import cuda, quotient
from .runtime import ceil_div, empty, launch


@kernel("T*, T*, T*, T*, T*, T*, int32, int32", T=FLOATS, block=BLOCK, registers=64)
def lstm_cell(gx, gh, c, h, new_c, gates, n, H):
    """h, c' and the gates, in the contract's words."""
    k = cuda.grid(1)
    if k < n:
        at = k + 3 * quotient(k, H) * H  # of i; the others are H apart
        i = formulas.sigmoid(gx[at] + gh[at])
        f = formulas.sigmoid(gx[at + H] + gh[at + H])
        g = tanh(gx[at + 2 * H] + gh[at + 2 * H])
        o = formulas.sigmoid(gx[at + 3 * H] + gh[at + 3 * H])
        gates[at] = i
        gates[at + H] = f
        gates[at + 2 * H] = g
        gates[at + 3 * H] = o
        state = f * c[k] + i * g
        new_c[k] = state
        h[k] = o * tanh(state)


@kernel("T*, T*, T*, T*, T*, T*, T*, int32, int32", T=FLOATS, block=BLOCK, registers=64)
def lstm_cell_gx(gh, gc, gates, c, new_c, gsums, gold, n, H):
    """The gradients of the gates' sums and of c."""
    k = cuda.grid(1)
    if k < n:
        at = k + 3 * quotient(k, H) * H
        i = gates[at]
        f = gates[at + H]
        g = gates[at + 2 * H]
        o = gates[at + 3 * H]
        t = tanh(new_c[k])
        d = gc[k] + gh[k] * o * (T(1) - t * t)
        gsums[at] = d * g * i * (T(1) - i)
        gsums[at + H] = d * c[k] * f * (T(1) - f)
        gsums[at + 2 * H] = d * i * (T(1) - g * g)
        gsums[at + 3 * H] = gh[k] * t * o * (T(1) - o)
        gold[k] = d * f


def lstm(gx, gh, c):
    gx, gh, c = map(dense, (gx, gh, c))
    h, new_c, gates = empty(c.shape, c.dtype), empty(c.shape, c.dtype), empty(gx.shape, c.dtype)
    launch(lstm_cell, ceil_div(c.size, BLOCK), gx, gh, c, h, new_c, gates, c.size, c.shape[1])
    return h, new_c, gates


def lstm_gx(gh, gc, gates, c, new_c):
    gh, gc, gates, c, new_c = map(dense, (gh, gc, gates, c, new_c))
    gsums, gold = empty(gates.shape, c.dtype), empty(c.shape, c.dtype)
    launch(lstm_cell_gx, ceil_div(c.size, BLOCK), gh, gc, gates, c, new_c, gsums, gold, c.size, c.shape[1])
    return gsums, gold
