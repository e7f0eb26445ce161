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

from collections.abc import Callable
from typing import Any

from .. import kernels
from ..autograd import Function
from ..tensor import Tensor
from .activation import relu, sigmoid, tanh
from .elementwise import add, mul, sub
from .join import cat
from .matmul import linear


class Pieces(Function):
    """y_k = piece k of x, cut into equal ones along an axis;  gx = the gy one after another.

    That is one copy, where each of the pieces as a slice of its own would add a tensor full of zeros to the gradient.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, count: int, axis: int) -> tuple:
        ctx.axis = axis
        size, before, backend = x.array.shape[axis] // count, (slice(None),) * axis, kernels.of(x.array)
        pieces = [backend.getitem(x.array, (*before, slice(k * size, (k + 1) * size))) for k in range(count)]
        return tuple([Tensor(piece if backend.is_contiguous(piece) else backend.copy(piece)) for piece in pieces])

    @staticmethod
    def backward(ctx: Any, *gys: Tensor) -> tuple:
        return cat(gys, ctx.axis), None, None


State = Any  # h, or for an LSTM (h, c)
Step = Callable[[Tensor, State, Tensor, "Tensor | None"], State]


def _tanh_step(gx: Tensor, h: Tensor, w_hh: Tensor, b_hh: Tensor | None) -> Tensor:
    return tanh(add(gx, linear(h, w_hh, b_hh)))


def _relu_step(gx: Tensor, h: Tensor, w_hh: Tensor, b_hh: Tensor | None) -> Tensor:
    return relu(add(gx, linear(h, w_hh, b_hh)))


def _lstm_step(gx: Tensor, state: tuple[Tensor, Tensor], w_hh: Tensor, b_hh: Tensor | None) -> tuple[Tensor, Tensor]:
    h, c = state
    i, f, g, o = Pieces.apply(add(gx, linear(h, w_hh, b_hh)), 4, 1)
    c = add(mul(sigmoid(f), c), mul(sigmoid(i), tanh(g)))
    return mul(sigmoid(o), tanh(c)), c


def _gru_step(gx: Tensor, h: Tensor, w_hh: Tensor, b_hh: Tensor | None) -> Tensor:
    r_x, z_x, n_x = Pieces.apply(gx, 3, 1)
    r_h, z_h, n_h = Pieces.apply(linear(h, w_hh, b_hh), 3, 1)
    n = tanh(add(n_x, mul(sigmoid(add(r_x, r_h)), n_h)))
    return add(n, mul(sigmoid(add(z_x, z_h)), sub(h, n)))


STEPS: dict[str, Step] = {"RNN_TANH": _tanh_step, "RNN_RELU": _relu_step, "LSTM": _lstm_step, "GRU": _gru_step}


def _cell(
    mode: str, x: Tensor, state: State, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor | None, b_hh: Tensor | None
) -> State:
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


def sequence(
    mode: str,
    x: Tensor,
    state: State,
    w_ih: Tensor,
    w_hh: Tensor,
    b_ih: Tensor | None,
    b_hh: Tensor | None,
    w_hr: Tensor | None = None,
    reverse: bool = False,
) -> tuple[list[Tensor], State]:
    """All steps of one layer in one direction.

    Args:
        mode: "RNN_TANH", "RNN_RELU", "LSTM" or "GRU".
        x: ``(T, N, I)``.
        state: the first one, h or (h, c).
        w_ih, w_hh, b_ih, b_hh: as the cells take them.
        w_hr: ``(P, H)``: the LSTM's h is projected to P numbers (Sak et al. 2014).
        reverse: from the last step to the first.

    Returns:
        h of each step, in the order of x, and the last state.
    """
    T, N, _ = x.array.shape
    step = STEPS[mode]
    gxs = Pieces.apply(linear(x.reshape(T * N, -1), w_ih, b_ih), T, 0)
    hs = []
    for gx in reversed(gxs) if reverse else gxs:
        state = step(gx, state, w_hh, b_hh)
        if w_hr is not None:
            state = linear(state[0], w_hr), state[1]
        hs.append(state[0] if mode == "LSTM" else state)
    return (hs[::-1] if reverse else hs), state
