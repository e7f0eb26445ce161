"""One step of a recurrent network: from an input x and a state h, the next state.

With gx = W_ih x + b_ih and gh = W_hh h + b_hh, cut into as many equal pieces as the network has gates:

* plain (Elman 1990): ``h' = tanh(gx + gh)``, or relu;
* LSTM (Hochreiter & Schmidhuber 1997; with forget gate, Gers et al. 2000): the pieces of ``gx + gh`` are i, f, g, o,
  and ``c' = sigmoid(f) * c + sigmoid(i) * tanh(g)``, ``h' = sigmoid(o) * tanh(c')``;
* GRU (Cho et al. 2014): the pieces are r, z, n, and with ``r, z = sigmoid(gx + gh)``:
  ``n = tanh(gx_n + r * gh_n)``, ``h' = (1 - z) * n + z * h``.

gx does not depend on the state, so a layer computes it for all steps at once, in one matrix product.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .. import kernels
from ..autograd import Function, is_grad_enabled
from ..tensor import Tensor, wrap
from .activation import relu, sigmoid, tanh
from .convert import cast
from .elementwise import add, mul, sub
from .join import cat
from .matmul import linear


class Pieces(Function):
    """y_k = piece k of x, cut into pieces of given sizes along an axis;  gx = the gy one after another.

    That is one copy, where each of the pieces as a slice of its own would add a tensor full of zeros to the gradient.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, sizes: tuple[int, ...], axis: int) -> tuple:
        ctx.axis = axis
        before, start, backend, pieces = (slice(None),) * axis, 0, kernels.of(x.array), []
        for size in sizes:
            piece = backend.getitem(x.array, (*before, slice(start, start + size)))
            pieces.append(wrap(piece if backend.is_contiguous(piece) else backend.copy(piece)))
            start += size
        return tuple(pieces)

    @staticmethod
    def backward(ctx: Any, *gys: Tensor) -> tuple:
        return cat(gys, ctx.axis), None, None


class LSTMCell(Function):
    """(h, c', gates) of the gates' sums gx + gh and the state c: the formula at the head of this file. The gates are an
    output so that a recorded gradient, written in tensor operations, has its history through them."""

    materialize_grads = False

    @staticmethod
    def forward(ctx: Any, gx: Tensor, gh: Tensor, c: Tensor) -> tuple:
        h, new_c, gates = map(wrap, kernels.of(c.array).lstm(gx.array, gh.array, c.array))
        ctx.save_for_backward(c, new_c, gates)
        return h, new_c, gates

    @staticmethod
    def backward(ctx: Any, gh: Tensor | None, gc: Tensor | None, ggates: Tensor | None) -> tuple:
        c, new_c, gates = ctx.saved_tensors
        gh = c.new_zeros(c.array.shape) if gh is None else gh
        gc = c.new_zeros(c.array.shape) if gc is None else gc
        if ggates is None and not is_grad_enabled():
            arrays = [t.array for t in (gh, gc, gates, c, new_c)]
            gsums, gold = map(wrap, kernels.of(c.array).lstm_gx(*arrays))
            return gsums, gsums, gold
        i, f, g, o = _gates(gates, 4)
        t = tanh(new_c)
        d = gc + gh * o * (1 - t * t)
        given = cat([d * g, d * c, d * i, gh * t], 1)
        slopes = cat([i * (1 - i), f * (1 - f), 1 - g * g, o * (1 - o)], 1)
        gsums = (given if ggates is None else given + ggates) * slopes
        return gsums, gsums, d * f


def _gates(x: Tensor, count: int) -> tuple[Tensor, ...]:
    """The columns of ``x``, cut into as many equal pieces as there are gates."""
    return Pieces.apply(x, (x.array.shape[1] // count,) * count, 1)


State = Any  # h, or for an LSTM (h, c)
Step = Callable[[Tensor, State, Tensor, "Tensor | None"], State]


def _tanh_step(gx: Tensor, h: Tensor, w_hh: Tensor, b_hh: Tensor | None) -> Tensor:
    return tanh(add(gx, linear(h, w_hh, b_hh)))


def _relu_step(gx: Tensor, h: Tensor, w_hh: Tensor, b_hh: Tensor | None) -> Tensor:
    return relu(add(gx, linear(h, w_hh, b_hh)))


def _lstm_step(gx: Tensor, state: tuple[Tensor, Tensor], w_hh: Tensor, b_hh: Tensor | None) -> tuple[Tensor, Tensor]:
    h, c = state
    c = c if c.array.dtype.kind == "f" else cast(c, gx.array.dtype)
    h, c, _ = LSTMCell.apply(gx, linear(h, w_hh, b_hh), c)
    return h, c


def _gru_step(gx: Tensor, h: Tensor, w_hh: Tensor, b_hh: Tensor | None) -> Tensor:
    r_x, z_x, n_x = _gates(gx, 3)
    r_h, z_h, n_h = _gates(linear(h, w_hh, b_hh), 3)
    n = tanh(add(n_x, mul(sigmoid(add(r_x, r_h)), n_h)))
    return add(n, mul(sigmoid(add(z_x, z_h)), sub(h, n)))


STEPS: dict[str, Step] = {"RNN_TANH": _tanh_step, "RNN_RELU": _relu_step, "LSTM": _lstm_step, "GRU": _gru_step}


GATES = {"RNN_TANH": 1, "RNN_RELU": 1, "LSTM": 4, "GRU": 3}


def _cell(
    mode: str, x: Tensor, state: State, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor | None, b_hh: Tensor | None
) -> State:
    if x.array.ndim != 2:
        raise RuntimeError(f"{mode.lower()}_cell: expected input of shape (N, I), got {tuple(x.shape)}")
    H = w_hh.array.shape[-1]
    for h in state if mode == "LSTM" else [state]:
        if h.array.shape != (x.array.shape[0], H):
            raise RuntimeError(
                f"{mode.lower()}_cell: for input {tuple(x.shape)} and w_hh {tuple(w_hh.shape)} the state must have "
                f"shape {(x.array.shape[0], H)}, got {tuple(h.shape)}"
            )
    for name, w in (("w_ih", w_ih), ("w_hh", w_hh)):
        if w.array.shape[:1] != (GATES[mode] * H,):
            raise RuntimeError(f"{mode.lower()}_cell: {name} must have {GATES[mode]} * {H} rows, got {tuple(w.shape)}")
    return STEPS[mode](linear(x, w_ih, b_ih), state, w_hh, b_hh)


def rnn_tanh_cell(
    input: Tensor, hx: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor | None = None, b_hh: Tensor | None = None
) -> Tensor:
    """One step of a plain network with tanh: the formula at the head of this file.

    Args:
        input: ``(N, I)``.
        hx: the state, ``(N, H)``.
        w_ih, w_hh: ``(H, I)``, ``(H, H)``.
        b_ih, b_hh: ``(H,)`` or None.

    Returns:
        The next state, ``(N, H)``.
    """
    return _cell("RNN_TANH", input, hx, w_ih, w_hh, b_ih, b_hh)


def rnn_relu_cell(
    input: Tensor, hx: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor | None = None, b_hh: Tensor | None = None
) -> Tensor:
    """One step of a plain network with ReLU; as :func:`rnn_tanh_cell`."""
    return _cell("RNN_RELU", input, hx, w_ih, w_hh, b_ih, b_hh)


def lstm_cell(
    input: Tensor,
    hx: tuple[Tensor, Tensor],
    w_ih: Tensor,
    w_hh: Tensor,
    b_ih: Tensor | None = None,
    b_hh: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """One step of an LSTM: the formula at the head of this file.

    Args:
        input: ``(N, I)``.
        hx: the states (h, c), ``(N, H)`` each.
        w_ih, w_hh: ``(4*H, I)``, ``(4*H, H)``: input, forget, cell and output gate.
        b_ih, b_hh: ``(4*H,)`` or None.

    Returns:
        The next (h, c).
    """
    return _cell("LSTM", input, hx, w_ih, w_hh, b_ih, b_hh)


def gru_cell(
    input: Tensor, hx: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor | None = None, b_hh: Tensor | None = None
) -> Tensor:
    """One step of a GRU; as :func:`rnn_tanh_cell`, with ``3*H`` rows in each weight: reset, update and new gate."""
    return _cell("GRU", input, hx, w_ih, w_hh, b_ih, b_hh)


def _each(operation: Callable[..., Tensor], *states: State) -> State:
    """``operation`` on h, or on h and on c."""
    if isinstance(states[0], Tensor):
        return operation(*states)
    return tuple([operation(*parts) for parts in zip(*states)])


def _rows(state: State, start: int, end: int) -> State:
    """The states of some of the sequences."""
    return _each(lambda t: t if (start, end) == (0, t.array.shape[0]) else t[start:end], state)


def sequence(
    mode: str,
    x: Tensor,
    sizes: Sequence[int],
    state: State,
    w_ih: Tensor,
    w_hh: Tensor,
    b_ih: Tensor | None,
    b_hh: Tensor | None,
    w_hr: Tensor | None = None,
    reverse: bool = False,
) -> tuple[Tensor, State]:
    """All steps of one layer in one direction.

    Args:
        mode: "RNN_TANH", "RNN_RELU", "LSTM" or "GRU".
        x: ``(R, I)``: the inputs of all steps, one step after another.
        sizes: how many rows each step has, R together. They never grow: a shorter sequence ends before a longer one,
            and stands behind it.
        state: the first one, h or (h, c), ``(sizes[0], H)``.
        w_ih, w_hh, b_ih, b_hh: as the cells take them.
        w_hr: ``(P, H)``: the LSTM's h is projected to P numbers (Sak et al. 2014).
        reverse: each sequence from its last step to its first.

    Returns:
        h of each step, in the order of x, ``(R, H)`` or ``(R, P)``; and the last state of each sequence.
    """
    step, first, hs, ended = STEPS[mode], state, [], []
    gxs = Pieces.apply(linear(x, w_ih, b_ih), tuple(sizes), 0)
    n = sizes[-1 if reverse else 0]
    state = _rows(first, 0, n)
    for t in reversed(range(len(sizes))) if reverse else range(len(sizes)):
        if sizes[t] < n:
            ended.append(_rows(state, sizes[t], n))
            state = _rows(state, 0, sizes[t])
        elif sizes[t] > n:
            state = _each(lambda *parts: cat(parts), state, _rows(first, n, sizes[t]))
        n = sizes[t]
        state = step(gxs[t], state, w_hh, b_hh)
        if w_hr is not None:
            state = linear(state[0], w_hr), state[1]
        hs.append(state[0] if mode == "LSTM" else state)
    if ended:
        state = _each(lambda *parts: cat(parts), state, *reversed(ended))
    return cat(hs[::-1] if reverse else hs), state
