"""A recording of what a model computes: the Functions that it applies, as operators of ONNX."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from ..autograd import Function, enable_grad, intercept
from ..nn import Parameter
from ..tensor import Tensor, wrap
from .graph import Graph, Node

Translation = Callable[..., str]


class Tracer:
    """Writes a :class:`Graph` while a model runs.

    A value is recognized by the edge to the node that made it, which follows changes in place, and where nothing is
    recorded (integers, ``detach()``) by its array and version. A tensor that is not recognized is a constant.

    Args:
        parameters: names of the model's parameters and buffers.
        opset: the version of ONNX's operators.
    """

    def __init__(self, parameters: Mapping[str, Tensor], opset: int) -> None:
        self.graph, self.opset = Graph(), opset
        self._parameters = {(id(tensor.array), tensor._version): name for name, tensor in parameters.items()}
        self._by_edge: dict[tuple, str] = {}
        self._by_array: dict[tuple[int, int], str] = {}
        self._constants: dict[tuple[int, int], str] = {}
        self._taken = set(parameters)
        self._alive: list[Any] = []  # an id is an array's as long as the array lives

    # ------------------------------------------------------------------------------------------------------ values

    def input(self, x: Tensor, name: str) -> Tensor:
        """``x`` as an input of the graph. What is returned takes its place in the computation."""
        if x.is_floating_point():
            x = x.detach().requires_grad_().clone()  # so that changes in place can be followed
        self._taken.add(name)
        self.graph.inputs.append(name)
        self._name(x, name)
        return x

    def output(self, x: Tensor) -> None:
        """``x`` is an output of the graph."""
        name = self.value(x)
        self.graph.shapes[name], self.graph.types[name] = tuple(x.array.shape), np.dtype(x.dtype.numpy)
        self.graph.outputs.append(name)

    def computed(self, x: Tensor) -> str | None:
        """The name of a value that depends on the graph's inputs; None for a constant."""
        edge = x._history()
        if edge is not None and edge in self._by_edge:
            return self._by_edge[edge]
        return self._by_array.get((id(x.array), x._version))

    def value(self, x: Any, like: Tensor | None = None) -> str:
        """The name of a tensor, or of a number, which becomes one of the type of ``like``."""
        if not isinstance(x, Tensor):
            assert like is not None
            return self.constant(np.asarray(x, like.array.dtype))
        place = id(x.array), x._version
        name = self.computed(x) or self._constants.get(place)
        if name is None:
            name = self._constants[place] = self._parameters.get(place) or self._new("constant")
            # What a model trains is large and stays as it is; what else it holds may change while it runs.
            value = np.asarray(x._host(), order="C")
            self.graph.constants[name] = value if isinstance(x, Parameter) else value.copy()
            self._alive.append(x.array)
        return name

    def constant(self, value: Any, hint: str = "constant") -> str:
        """The name of a new constant; Python's integers are int64, as ONNX wants sizes and axes."""
        name = self._new(hint)
        self.graph.constants[name] = np.asarray(value)
        return name

    def _name(self, x: Tensor, name: str) -> None:
        self.graph.shapes[name] = tuple(x.array.shape)
        self._by_array[id(x.array), x._version] = name
        self._alive.append((x.array, x._history()))
        if (edge := x._history()) is not None:
            self._by_edge[edge] = name

    def _new(self, hint: str) -> str:
        number = 0
        while (name := f"{hint}_{number}") in self._taken:
            number += 1
        self._taken.add(name)
        return name

    # -------------------------------------------------------------------------------------------------- operations

    def node(self, operator: str, *inputs: str, **attributes: Any) -> str:
        """Add an operator of one output, and return the output's name."""
        output = self._new(operator.lower())
        self.graph.nodes.append(Node(operator, list(inputs), [output], attributes))
        return output

    @contextmanager
    def watching(self, translations: Mapping[type, Translation], unsupported: Callable) -> Iterator[None]:
        """Write down each Function that is applied inside of the ``with`` and depends on the graph's inputs.

        A Function without a translation may be written in others that have one, as users' own often are.

        Raises:
            what ``unsupported(function, args)`` returns: it is not.
        """
        inside = False  # a Function that has a translation: what it is made of is not of interest

        def note(apply: Callable, function: type[Function], args: tuple) -> Any:
            nonlocal inside
            if inside or not any([self.computed(a) is not None for a in args if isinstance(a, Tensor)]):
                return apply(function, *args)
            inside = function in translations
            try:
                out = apply(function, *args)
            finally:
                inside = False
            outs = [o for o in (out if isinstance(out, tuple) else (out,)) if isinstance(o, Tensor)]
            if function in translations:
                self._name(outs[0], translations[function](self, *args))
                return out
            for o in outs:
                name = self.computed(o)
                if name is None:
                    raise unsupported(function, args)
                self._name(o, name)
            return out

        with intercept(note), enable_grad():
            yield


def shaped_like(xs: Sequence[Tensor], sizes: Sequence[tuple[int, ...]], seed: int) -> list[Tensor]:
    """Other inputs of the same kind: random numbers where they are floating point; integers, which may be indices, and
    booleans are taken again, in reverse order.

    Args:
        xs: the inputs.
        sizes: the new ones' shapes.
        seed: of the random numbers.
    """
    random = np.random.default_rng(seed)
    others = []
    for x, size in zip(xs, sizes, strict=True):
        old = x._host()
        if x.is_floating_point():
            new = random.standard_normal(size).astype(old.dtype)
        else:
            new = np.resize(old.ravel()[::-1], size)
        others.append(wrap(new).to(x.device))
    return others
