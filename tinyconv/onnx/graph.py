"""The graph that is written down, and what two recordings of one program have in common."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np


class ExportError(RuntimeError):
    """A model that cannot be written as one ONNX graph; the message says why."""


_NO_CONSTANT = (
    "{} a constant of shape {} that is another one on a second input, so it is none: it was computed from the input "
    "in a way that can't be recorded (argmax, an operation on integers, a change in place of a view, a size or a "
    "number that Python computed with)"
)


@dataclass
class Node:
    """One operator: ``outputs = operator(*inputs, **attributes)``, all by name. An input that is left out is ""."""

    operator: str
    inputs: list[str]
    outputs: list[str]
    attributes: dict[str, Any]


@dataclass
class Graph:
    """Nodes in the order in which they are computed.

    Attributes:
        nodes: each uses the outputs of those before it.
        constants: weights and other fixed values by name.
        shapes: of every value that is computed.
        types: of the outputs' elements.
        inputs, outputs: names of values.
    """

    nodes: list[Node] = field(default_factory=list)
    constants: dict[str, np.ndarray] = field(default_factory=dict)
    shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)
    types: dict[str, np.dtype] = field(default_factory=dict)
    inputs: list[str] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)

    def prune(self) -> None:
        """Drop the nodes and constants that no output depends on."""
        needed, kept = set(self.outputs), []
        for node in reversed(self.nodes):
            if needed.intersection(node.outputs):
                needed.update(node.inputs)
                kept.append(node)
        self.nodes = kept[::-1]
        self.constants = {name: value for name, value in self.constants.items() if name in needed}

    def rename_outputs(self, names: list[str]) -> None:
        """Let the outputs have these names. One that is an input or a constant, or is given out twice, is copied."""
        computed = {name for node in self.nodes for name in node.outputs}
        new: dict[str, str] = {}
        for old, name in zip(self.outputs, names, strict=True):
            if old in computed and old not in new:
                new[old] = name
            else:
                self.nodes.append(Node("Identity", [old], [name], {}))
            self.shapes[name], self.types[name] = self.shapes[old], self.types[old]
        self.nodes = [
            replace(node, inputs=[new.get(n, n) for n in node.inputs], outputs=[new.get(n, n) for n in node.outputs])
            for node in self.nodes
        ]
        self.outputs = list(names)


def common(first: Graph, second: Graph) -> Graph:
    """The graph that both recordings of one program are cases of.

    Raises:
        ExportError: there is none: the program took another way, or computed with other constants.
    """
    if len(first.nodes) != len(second.nodes) or len(first.outputs) != len(second.outputs):
        raise ExportError(
            f"the model took another way on a second input: {len(first.nodes)} operations, then {len(second.nodes)}. "
            "A graph has one way for all inputs: branch on what is the same for all of them"
        )
    graph = replace(first, constants=dict(first.constants))
    for a, b in zip(first.nodes, second.nodes):
        if a != b:
            raise ExportError(
                f"the model took another way on a second input: {_described(a)}, then {_described(b)}. A graph has one "
                "way for all inputs; an axis whose size decides about it can't be dynamic"
            )
        for place, name in enumerate(a.inputs):
            if name not in first.constants or _equal(first.constants[name], second.constants[name]):
                continue
            if a.operator != "Reshape" or place != 1:
                raise ExportError(_NO_CONSTANT.format(f"{a.operator} computes with", first.constants[name].shape))
            graph.constants[name] = _unknown_size(first, second, a)
    for name, other in zip(first.outputs, second.outputs):
        constant = name in first.constants and other in second.constants
        if name != other or (constant and not _equal(first.constants[name], second.constants[other])):
            raise ExportError(_NO_CONSTANT.format("the model returns", first.shapes[name]))
    return graph


def _equal(a: np.ndarray, b: np.ndarray) -> bool:
    return a.dtype == b.dtype and a.shape == b.shape and np.array_equal(a, b, equal_nan=a.dtype.kind == "f")


def _described(node: Node) -> str:
    return f"{node.operator} with {node.attributes}" if node.attributes else node.operator


def _unknown_size(first: Graph, second: Graph, node: Node) -> np.ndarray:
    """The shape that a Reshape goes to, with 0 for an axis that stays as it is and -1 for one to be worked out."""
    source, constant = node.inputs
    a, b = first.constants[constant], second.constants[constant]
    before = list(zip(first.shapes[source], second.shapes[source]))
    shape = a.copy() if a.shape == b.shape else np.array([-1, -1])
    for axis in np.flatnonzero(a != b) if a.shape == b.shape else ():
        stays = axis < len(before) and before[axis] == (a[axis], b[axis])
        shape[axis] = 0 if stays else -1
    if (shape == -1).sum() > 1:
        ways = " and then to ".join(str(tuple(to.tolist())) for to in (a, b))
        raise ExportError(f"a reshape to {ways} has more than one size that depends on others")
    return shape
