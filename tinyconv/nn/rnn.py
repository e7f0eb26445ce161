"""Recurrent networks: a state that is carried from step to step of a sequence. The formulas stand in
``ops/recurrent.py``."""

from __future__ import annotations

import math
from collections.abc import Callable
from numbers import Number
from typing import Any

from ..caller import warn
from ..ops import cat, empty, gru_cell, lstm_cell, rnn_relu_cell, rnn_tanh_cell, stack
from ..ops.recurrent import GATES, sequence
from ..tensor import Tensor
from . import functional as F
from . import init
from .module import Module
from .parameter import Parameter
from .utils.rnn import PackedSequence

__all__ = ["GRU", "LSTM", "RNN", "GRUCell", "LSTMCell", "RNNBase", "RNNCell", "RNNCellBase"]


class RNNBase(Module):
    """What RNN, LSTM and GRU share: the parameters, the layers and the directions.

    Args:
        mode: "RNN_TANH", "RNN_RELU", "LSTM" or "GRU".
        input_size: I, numbers in a step's input.
        hidden_size: H, numbers in the state.
        num_layers: how many layers; each reads the states of the one below.
        bias: whether there are biases.
        batch_first: sequences are ``(N, T, I)`` instead of ``(T, N, I)``.
        dropout: of the states between layers, in training.
        bidirectional: a second network runs from the end to the beginning, and both states are joined.
        proj_size: of an LSTM: h is projected to this many numbers (0: not at all).
        device: where the parameters are made.
        dtype: their type (default: the default dtype).

    Attributes:
        weight_ih_l0, weight_hh_l0, bias_ih_l0, bias_hh_l0, weight_hr_l0: of the first layer (and with ``_reverse`` of
            its second direction), uniform within ±1/sqrt(H) at first; the gates lie one after another, as in
            ``ops/recurrent.py``.
    """

    def __init__(
        self,
        mode: str,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Any = None,
        dtype: Any = None,
    ):
        super().__init__()
        if not isinstance(dropout, Number) or isinstance(dropout, bool) or not 0 <= dropout <= 1:
            raise ValueError(f"dropout should be a probability in [0, 1], got {dropout!r}")
        if dropout > 0 and num_layers == 1:
            warn(
                "dropout option adds dropout after all but last recurrent layer, so non-zero dropout expects "
                f"num_layers greater than 1, but got dropout={dropout} and num_layers={num_layers}",
            )
        for name, value, kind in (
            ("bias", bias, bool),
            ("batch_first", batch_first, bool),
            ("input_size", input_size, int),
            ("hidden_size", hidden_size, int),
        ):
            if not isinstance(value, kind):
                raise TypeError(f"{name} should be of type {kind.__name__}, got: {type(value).__name__}")
        for name, size in (("input_size", input_size), ("hidden_size", hidden_size), ("num_layers", num_layers)):
            if size <= 0:
                raise ValueError(f"{name} must be greater than zero, got {size}")
        if not 0 <= proj_size < hidden_size:
            raise ValueError(f"proj_size must be at least 0 and smaller than hidden_size, got {proj_size}")
        if mode not in GATES:
            raise ValueError(f"Unrecognized RNN mode: {mode}")
        if proj_size and mode != "LSTM":
            raise ValueError(f"proj_size argument is only supported for LSTM, not {mode}")
        self.mode = mode
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.bias = bias
        self.batch_first = batch_first
        self.dropout = float(dropout)
        self.bidirectional = bidirectional
        self.proj_size = proj_size

        gates, out = GATES[mode] * hidden_size, proj_size or hidden_size
        for layer in range(num_layers):
            for suffix in self._suffixes(layer):
                columns = out * self._directions if layer else input_size
                shapes: dict[str, tuple[int, ...]] = {"weight_ih": (gates, columns), "weight_hh": (gates, out)}
                if bias:
                    shapes |= {"bias_ih": (gates,), "bias_hh": (gates,)}
                if proj_size:
                    shapes["weight_hr"] = (proj_size, hidden_size)
                for name, shape in shapes.items():
                    self.register_parameter(name + suffix, Parameter(empty(shape, device=device, dtype=dtype)))
        self.reset_parameters()

    @property
    def _directions(self) -> int:
        return 2 if self.bidirectional else 1

    def _suffixes(self, layer: int) -> list[str]:
        """What the names of a layer's parameters end with, one for each direction."""
        return [f"_l{layer}", f"_l{layer}_reverse"][: self._directions]

    def _names(self, suffix: str) -> list[str]:
        names = ["weight_ih", "weight_hh"] + ["bias_ih", "bias_hh"] * self.bias + ["weight_hr"] * bool(self.proj_size)
        return [name + suffix for name in names]

    def _weights(self, names: list[str]) -> list[Parameter]:
        return [getattr(self, name) for name in names]

    @property
    def _all_weights(self) -> list[list[str]]:
        """The names of the parameters, one list for each layer and direction. PyTorch has no public way to them, so
        that programs which give each kind of weight first values of its own use this one."""
        return [self._names(suffix) for layer in range(self.num_layers) for suffix in self._suffixes(layer)]

    @property
    def _flat_weights_names(self) -> list[str]:
        """The parameters' names in one list."""
        return [name for names in self._all_weights for name in names]

    @property
    def all_weights(self) -> list[list[Parameter]]:
        """The parameters, one list for each layer and direction."""
        return [self._weights(names) for names in self._all_weights]

    def reset_parameters(self) -> None:
        """Draw the parameters anew, uniform within ±1/sqrt(hidden_size)."""
        bound = 1 / math.sqrt(self.hidden_size)
        for parameter in self.parameters():
            init.uniform_(parameter, -bound, bound)

    def flatten_parameters(self) -> None:
        """Nothing: where the parameters lie in memory makes no difference here."""

    def _check_input(self, input: Tensor) -> None:
        name = type(self).__name__
        if input.dim() not in (2, 3):
            raise ValueError(f"{name}: Expected input to be 2D or 3D, got {input.dim()}D instead")
        if input.dtype != self.weight_ih_l0.dtype:
            raise ValueError(
                f"RNN input dtype ({input.dtype}) does not match weight dtype ({self.weight_ih_l0.dtype}). Convert "
                f"input: input.to({self.weight_ih_l0.dtype}), or convert model: model.to({input.dtype})"
            )
        if input.shape[-1] != self.input_size:
            raise RuntimeError(
                f"input.size(-1) must be equal to input_size. Expected {self.input_size}, got {input.shape[-1]}"
            )

    def _first(self, x: Tensor, given: Tensor | None, N: int, size: int, single: bool, what: str) -> Tensor:
        """A first state ``(layers * directions, N, size)``: the one that was given, or zeros.

        Raises:
            RuntimeError: it has another shape.
        """
        shape = (self.num_layers * self._directions, N, size)
        if given is None:
            return x.new_zeros(shape)
        if given.dim() != (2 if single else 3):
            kind, rank = ("unbatched 2-D", 2) if single else ("batched 3-D", 3)
            raise RuntimeError(f"For {kind} input, {what} should also be {rank}-D but got {given.dim()}-D tensor")
        if given.dtype != x.dtype:
            raise RuntimeError(f"{what} must have the input's dtype {x.dtype}, got {given.dtype}")
        state = given.unsqueeze(1) if single else given
        if tuple(state.shape) != shape:
            raise RuntimeError(f"Expected hidden size {shape}, got {list(state.shape)} ({what})")
        return state

    def forward(self, input: Any, hx: Any = None) -> tuple[Any, Any]:
        """Run over a sequence.

        Args:
            input: ``(T, N, I)``, with ``batch_first`` ``(N, T, I)``, or one sequence ``(T, I)``; or sequences of
                several lengths in a :class:`~tinyconv.nn.utils.rnn.PackedSequence`.
            hx: the first state of each layer and direction, ``(layers * directions, N, H)`` (without N for one
                sequence); for an LSTM a pair (h, c) of them. None: zeros.

        Returns:
            The states of the last layer at every step, ``(T, N, H * directions)``, in the form of the input, and the
            last state of every layer, as ``hx``.

        Raises:
            ValueError, RuntimeError: an input or a state of another shape or type.
        """
        if isinstance(input, PackedSequence):
            data, batch_sizes, order, back = input
            self._check_input(data)
            given = hx if hx is None or order is None else self._of_states(hx, lambda state: state[:, order])
            y, last = self._run(data, batch_sizes.tolist(), given, single=False)
            if back is not None:
                last = self._of_states(last, lambda state: state[:, back])
            return PackedSequence(y, batch_sizes, order, back), last
        self._check_input(input)
        single = input.dim() == 2
        x = input.unsqueeze(1) if single else input.transpose(0, 1) if self.batch_first else input
        T, N, _ = x.shape
        if not T:
            raise RuntimeError("Expected sequence length to be larger than 0 in RNN")
        y, last = self._run(x.reshape(T * N, -1), [N] * T, hx, single)
        y = y.view(T, N, -1)
        if single:
            return y.squeeze(1), self._of_states(last, lambda state: state.squeeze(1))
        return y.transpose(0, 1) if self.batch_first else y, last

    @staticmethod
    def _of_states(states: Any, operation: Callable[[Tensor], Tensor]) -> Any:
        return operation(states) if isinstance(states, Tensor) else tuple([operation(state) for state in states])

    def _run(self, x: Tensor, sizes: list[int], hx: Any, single: bool) -> tuple[Tensor, Any]:
        """All layers on the rows of all steps; ``sizes`` says how many rows each step has."""
        is_lstm, N = self.mode == "LSTM", sizes[0]
        if is_lstm and not (hx is None or (isinstance(hx, (tuple, list)) and len(hx) == 2)):
            raise TypeError(f"LSTM: hx must be a tuple (h_0, c_0) of two tensors, got {type(hx).__name__}")
        h_0, c_0 = (None, None) if hx is None else hx if is_lstm else (hx, None)
        h = self._first(x, h_0, N, self.proj_size or self.hidden_size, single, "hx")
        c = self._first(x, c_0, N, self.hidden_size, single, "cx") if is_lstm else None
        last: list[Any] = []
        for layer in range(self.num_layers):
            if layer and self.dropout and self.training:
                x = F.dropout(x, self.dropout)
            outputs = []
            for suffix in self._suffixes(layer):
                k = len(last)
                w_ih, w_hh, *more = self._weights(self._names(suffix))
                b_ih, b_hh = more[:2] if self.bias else (None, None)
                w_hr = more[-1] if self.proj_size else None
                state = h[k] if c is None else (h[k], c[k])
                backwards = suffix.endswith("reverse")
                y, state = sequence(self.mode, x, sizes, state, w_ih, w_hh, b_ih, b_hh, w_hr, backwards)
                outputs.append(y)
                last.append(state)
            x = outputs[0] if len(outputs) == 1 else cat(outputs, 1)
        states = tuple([stack(parts) for parts in (zip(*last) if is_lstm else [last])])
        return x, states if is_lstm else states[0]

    def extra_repr(self) -> str:
        parts = [f"{self.input_size}, {self.hidden_size}"]
        usual = {"proj_size": 0, "num_layers": 1, "bias": True, "batch_first": False, "dropout": 0,
                 "bidirectional": False}  # fmt: skip
        parts += [f"{name}={getattr(self, name)}" for name, value in usual.items() if getattr(self, name) != value]
        return ", ".join(parts)


class RNN(RNNBase):
    """A plain recurrent network (Elman, "Finding structure in time", Cognitive Science 1990): ``h' = tanh(W_ih x +
    b_ih + W_hh h + b_hh)``.

    Args:
        input_size: I, numbers in a step's input.
        hidden_size: H, numbers in the state.
        num_layers, bias, batch_first, dropout, bidirectional, device, dtype: as in :class:`RNNBase`.
        nonlinearity: "tanh" or "relu".

    Raises:
        ValueError: another nonlinearity; sizes that are not positive.
    """

    def __init__(self, *args: Any, **kwargs: Any):
        if len(args) > 3:  # by position it comes after num_layers
            nonlinearity, args = args[3], (*args[:3], *args[4:])
        else:
            nonlinearity = kwargs.pop("nonlinearity", "tanh")
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(f"Unknown nonlinearity '{nonlinearity}'. Select from 'tanh' or 'relu'.")
        super().__init__(f"RNN_{nonlinearity.upper()}", *args, **kwargs)
        self.nonlinearity = nonlinearity


class LSTM(RNNBase):
    """Long short-term memory (Hochreiter and Schmidhuber, Neural Computation 1997; with forget gate, Gers et al. 2000).

    Args:
        input_size: I, numbers in a step's input.
        hidden_size: H, numbers in each of the states h and c.
        num_layers, bias, batch_first, dropout, bidirectional, proj_size, device, dtype: as in :class:`RNNBase`.

    Raises:
        ValueError: sizes that are not positive, or a ``proj_size`` that is not smaller than ``hidden_size``.
    """

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__("LSTM", *args, **kwargs)


class GRU(RNNBase):
    """Gated recurrent units (Cho et al., "Learning phrase representations using RNN encoder-decoder", EMNLP 2014).

    Args:
        input_size: I, numbers in a step's input.
        hidden_size: H, numbers in the state.
        num_layers, bias, batch_first, dropout, bidirectional, device, dtype: as in :class:`RNNBase`.

    Raises:
        ValueError: sizes that are not positive, or a ``proj_size``.
    """

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__("GRU", *args, **kwargs)


class RNNCellBase(Module):
    """The parameters of one step, which all cells have.

    Args:
        input_size: I.
        hidden_size: H.
        bias: whether there are biases.
        num_chunks: how many gates.
        device: where the parameters are made.
        dtype: their type (default: the default dtype).

    Attributes:
        weight_ih, weight_hh: ``(num_chunks * H, I)`` and ``(num_chunks * H, H)``, uniform within ±1/sqrt(H) at first.
        bias_ih, bias_hh: ``(num_chunks * H,)``, likewise, or None.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool,
        num_chunks: int,
        device: Any = None,
        dtype: Any = None,
    ):
        super().__init__()
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.bias = bias
        gates = num_chunks * hidden_size
        self.weight_ih = Parameter(empty(gates, input_size, device=device, dtype=dtype))
        self.weight_hh = Parameter(empty(gates, hidden_size, device=device, dtype=dtype))
        for name in ("bias_ih", "bias_hh"):
            self.register_parameter(name, Parameter(empty(gates, device=device, dtype=dtype)) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the parameters anew, uniform within ±1/sqrt(hidden_size)."""
        bound = 1 / math.sqrt(self.hidden_size) if self.hidden_size else 0
        for parameter in self.parameters():
            init.uniform_(parameter, -bound, bound)

    def _step(self, cell: Any, input: Tensor, *states: Tensor | None) -> Any:
        """``cell`` on a batch ``(N, I)``, or one input ``(I,)``, with zeros for states that are None.

        Raises:
            ValueError: an input or a state of another rank.
        """
        name, single = type(self).__name__, input.dim() == 1
        for what, tensor in (("input", input), *[("hidden", state) for state in states]):
            if tensor is not None and tensor.dim() not in (1, 2):
                raise ValueError(f"{name}: Expected {what} to be 1D or 2D, got {tensor.dim()}D instead")
        x = input.unsqueeze(0) if single else input
        zeros = x.new_zeros((x.shape[0], self.hidden_size))
        given = [zeros if s is None else s.unsqueeze(0) if single else s for s in states]
        hx = given[0] if len(given) == 1 else tuple(given)
        y = cell(x, hx, self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh)
        if not single:
            return y
        return y.squeeze(0) if isinstance(y, Tensor) else tuple([part.squeeze(0) for part in y])

    def extra_repr(self) -> str:
        parts = [f"{self.input_size}, {self.hidden_size}"]
        if not self.bias:
            parts.append(f"bias={self.bias}")
        if getattr(self, "nonlinearity", "tanh") != "tanh":
            parts.append(f"nonlinearity={self.nonlinearity}")
        return ", ".join(parts)


class RNNCell(RNNCellBase):
    """One step of :class:`RNN`.

    Args:
        input_size, hidden_size, bias, device, dtype: as in :class:`RNNCellBase`.
        nonlinearity: "tanh" or "relu".
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: str = "tanh",
        device: Any = None,
        dtype: Any = None,
    ):
        super().__init__(input_size, hidden_size, bias, 1, device, dtype)
        self.nonlinearity = nonlinearity

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        """Input ``(N, I)`` or ``(I,)``, state ``(N, H)`` or ``(H,)`` (None: zeros) -> the next state.

        Raises:
            RuntimeError: an unknown nonlinearity.
        """
        cells = {"tanh": rnn_tanh_cell, "relu": rnn_relu_cell}
        if self.nonlinearity not in cells:
            raise RuntimeError(f"Unknown nonlinearity: {self.nonlinearity}")
        return self._step(cells[self.nonlinearity], input, hx)


class LSTMCell(RNNCellBase):
    """One step of :class:`LSTM`.

    Args:
        input_size, hidden_size, bias, device, dtype: as in :class:`RNNCellBase`.
    """

    def __init__(self, input_size: int, hidden_size: int, bias: bool = True, device: Any = None, dtype: Any = None):
        super().__init__(input_size, hidden_size, bias, 4, device, dtype)

    def forward(self, input: Tensor, hx: tuple[Tensor, Tensor] | None = None) -> tuple[Tensor, Tensor]:
        """Input ``(N, I)`` or ``(I,)``, states (h, c), each ``(N, H)`` or ``(H,)`` (None: zeros) -> the next (h, c)."""
        return self._step(lstm_cell, input, *((None, None) if hx is None else hx))


class GRUCell(RNNCellBase):
    """One step of :class:`GRU`.

    Args:
        input_size, hidden_size, bias, device, dtype: as in :class:`RNNCellBase`.
    """

    def __init__(self, input_size: int, hidden_size: int, bias: bool = True, device: Any = None, dtype: Any = None):
        super().__init__(input_size, hidden_size, bias, 3, device, dtype)

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        """Input ``(N, I)`` or ``(I,)``, state ``(N, H)`` or ``(H,)`` (None: zeros) -> the next state."""
        return self._step(gru_cell, input, hx)
