"""``tinyconv.onnx.export``."""

from __future__ import annotations

import inspect
import os
from collections.abc import Mapping, Sequence
from typing import Any

from .. import __version__
from ..nn import Module
from ..serialization import atomic_write
from ..tensor import Tensor
from .graph import ExportError, Graph, common
from .operators import OPERATORS, unsupported
from .trace import Tracer, shaped_like

_OPSETS = range(13, 24)
_LARGEST = 2**31 - 1  # bytes that protobuf, in which ONNX is written, can hold

_exporting = False

Axes = Mapping[str, "Mapping[int, str] | Sequence[int]"]


def export(
    model: Module,
    args: Any,
    f: str | os.PathLike[str] | Any,
    *,
    kwargs: Mapping[str, Any] | None = None,
    input_names: Sequence[str] | None = None,
    output_names: Sequence[str] | None = None,
    dynamic_axes: Axes | None = None,
    opset_version: int = 17,
    export_params: bool = True,
    do_constant_folding: bool = True,
    verbose: bool | None = None,
    dynamo: bool = False,
) -> None:
    """Write ``model`` as an ONNX file, whole or not at all.

    The model runs twice, in evaluation mode whatever mode it is in (it is left in that): dropout drops nothing, and
    batch norm uses its running statistics. What it computes must not depend on the numbers in its input other than by
    differentiable operations: both runs must come to the same graph.

    Args:
        model: what to write. Its parameters keep their names.
        args: a tensor, or a tuple of what ``model`` is called with: an example, of which only shapes and types count
            (and the values of integers). What is no tensor becomes part of the graph.
        f: a path (an existing file is replaced), or a binary file, which is written to.
        kwargs: further arguments of the model, by name; tensors among them are inputs after those of ``args``.
        input_names: names of the graph's inputs, in the order of the tensors (default: the names of ``forward``'s
            arguments).
        output_names: names of the outputs (default: "output", or "output_0", "output_1", ...).
        dynamic_axes: axes whose size is left open, by the input's or output's name: ``{"x": {0: "batch"}}``, or
            ``{"x": [0]}`` for a name made up. Axes of one name have one size. An output's axes follow by themselves.
        opset_version: of ONNX's operators, 13 to 23.
        export_params, do_constant_folding, verbose, dynamo: accepted as in PyTorch, without effect; but
            ``export_params=False`` is an error.

    Raises:
        ExportError: the model can't be written as one graph; UnsupportedOperatorError, one of these, names the
            operation that has no counterpart.
        ImportError: the package ``onnx`` is not installed (``pip install 'tinyconv[onnx]'``).
        ValueError: names, axes or versions that do not fit.
        OSError: the file cannot be written; one that was there before is untouched.
    """
    try:
        import onnx
    except ImportError as error:
        raise ImportError("onnx.export needs the package onnx: pip install 'tinyconv[onnx]'") from error
    if not isinstance(model, Module):
        raise TypeError(f"export: model must be a Module, got {type(model).__name__}")
    if opset_version not in _OPSETS:
        raise ValueError(f"export: opset_version must be from {_OPSETS[0]} to {_OPSETS[-1]}, got {opset_version!r}")
    if not export_params:
        raise ValueError("export: export_params=False is not supported: a graph without weights computes nothing")
    call = _Call(model, args, kwargs or {})
    names = call.names() if input_names is None else _names(input_names, len(call.tensors), "input")
    axes = _axes(dynamic_axes or {}, dict(zip(names, call.tensors)), output_names)

    global _exporting
    modes = {module: module.training for module in model.modules()}
    model.eval()
    _exporting = True
    try:
        first = _traced(model, call, call.tensors, names, opset_version)
        others = shaped_like(call.tensors, [_second_size(x, axes.get(n, {})) for n, x in zip(names, call.tensors)], 0)
        second = _traced(model, call, others, names, opset_version)
    finally:
        _exporting = False
        for module, training in modes.items():
            module.training = training
    if output_names is None:
        count = len(first.outputs)
        output_names = ["output"] if count == 1 else [f"output_{i}" for i in range(count)]
    output_names = _names(output_names, len(first.outputs), "output")
    for graph in (first, second):
        graph.prune()
    graph = common(first, second)
    data = _serialized(onnx, graph, second, output_names, axes, call.types(names), opset_version)
    if hasattr(f, "write"):
        f.write(data)
    else:
        atomic_write(f, data)


def is_in_onnx_export() -> bool:
    """Whether :func:`export` is running the model: a model may then do what a graph can say."""
    return _exporting


class _Call:
    """How the model is called: which of the arguments are tensors, hence inputs, and which are fixed."""

    def __init__(self, model: Module, args: Any, kwargs: Mapping[str, Any]) -> None:
        self.args = tuple(args) if isinstance(args, (tuple, list)) else (args,)
        self.kwargs, self.forward = dict(kwargs), model.forward
        self.tensors = [a for a in (*self.args, *self.kwargs.values()) if isinstance(a, Tensor)]
        if not self.tensors:
            raise ValueError("export: args must hold at least one tensor, an example of the model's input")

    def names(self) -> list[str]:
        """The names that ``forward`` gives to the tensors."""
        bound = inspect.signature(self.forward).bind(*self.args, **self.kwargs)
        names: list[str] = []
        for name, value in bound.arguments.items():
            several = value.values() if isinstance(value, dict) else value if isinstance(value, tuple) else None
            if several is None:
                names += [name] if isinstance(value, Tensor) else []
            else:
                names += [f"{name}_{i}" for i, v in enumerate(several) if isinstance(v, Tensor)]
        return names

    def types(self, names: Sequence[str]) -> dict[str, Any]:
        """The inputs' element types."""
        return {name: x.array.dtype for name, x in zip(names, self.tensors)}

    def __call__(self, model: Module, tensors: Sequence[Tensor]) -> list[Tensor]:
        """The model's outputs for other tensors."""
        new = iter(tensors)
        args = [next(new) if isinstance(a, Tensor) else a for a in self.args]
        kwargs = {name: next(new) if isinstance(a, Tensor) else a for name, a in self.kwargs.items()}
        out = model(*args, **kwargs)
        outs = [out] if isinstance(out, Tensor) else list(out.values()) if isinstance(out, dict) else list(out)
        if wrong := [type(o).__name__ for o in outs if not isinstance(o, Tensor)]:
            raise ExportError(f"the model must return a tensor, or a tuple, list or dict of tensors; got {wrong[0]}")
        return outs


def _traced(model: Module, call: _Call, tensors: Sequence[Tensor], names: Sequence[str], opset: int) -> Graph:
    state = {**dict(model.named_parameters()), **dict(model.named_buffers())}
    tracer = Tracer(state, opset)
    with tracer.watching(OPERATORS, unsupported):
        for output in call(model, [tracer.input(x, name) for x, name in zip(tensors, names)]):
            tracer.output(output)
    return tracer.graph


def _names(names: Sequence[str], count: int, what: str) -> list[str]:
    names = [names] if isinstance(names, str) else list(names)
    if len(names) != count or len(set(names)) != count:
        raise ValueError(f"export: {what}_names must be {count} different names, got {names}")
    return names


def _axes(given: Axes, inputs: Mapping[str, Tensor], outputs: Sequence[str] | None) -> dict[str, dict[int, str]]:
    """``dynamic_axes`` as ``{name: {axis: symbol}}``.

    Raises:
        ValueError: an unknown name; an axis that an input does not have; one symbol for axes of different sizes.
    """
    axes: dict[str, dict[int, str]] = {}
    sizes: dict[str, int] = {}
    known = [*inputs, *(outputs if outputs is not None else ["output"])]
    for name, wanted in given.items():
        if name not in known and not (outputs is None and name.startswith("output_")):
            raise ValueError(f"export: dynamic_axes names {name!r}; the inputs and outputs are {known}")
        symbols = wanted if isinstance(wanted, Mapping) else {axis: f"{name}_axis_{axis}" for axis in wanted}
        axes[name] = dict(symbols)
        if name in inputs:
            shape = inputs[name].array.shape
            for axis, symbol in symbols.items():
                if not 0 <= axis < len(shape):
                    raise ValueError(f"export: dynamic_axes: {name!r} of shape {tuple(shape)} has no axis {axis}")
                if sizes.setdefault(symbol, shape[axis]) != shape[axis]:
                    raise ValueError(
                        f"export: dynamic_axes: {symbol!r} is the size of axes that have {sizes[symbol]} and "
                        f"{shape[axis]} places in args"
                    )
    return axes


def _second_size(x: Tensor, dynamic: Mapping[int, str]) -> tuple[int, ...]:
    return tuple([n + 1 if axis in dynamic else n for axis, n in enumerate(x.array.shape)])


def _serialized(
    onnx: Any,
    graph: Graph,
    second: Graph,
    output_names: list[str],
    axes: Mapping[str, Mapping[int, str]],
    types: Mapping[str, Any],
    opset: int,
) -> bytes:
    """The file's content, checked by ONNX's own checker."""
    helper = onnx.helper
    symbols = {s for name in graph.inputs for s in axes.get(name, {}).values()}
    only = next(iter(symbols)) if len(symbols) == 1 else None

    def shape_of(name: str, other: str, given: Mapping[int, str]) -> list:
        both = zip(graph.shapes[name], second.shapes[other], strict=True)
        return [given.get(i, n if n == m else only) for i, (n, m) in enumerate(both)]

    outputs = [shape_of(a, b, axes.get(n, {})) for a, b, n in zip(graph.outputs, second.outputs, output_names)]
    inputs = [shape_of(name, name, axes.get(name, {})) for name in graph.inputs]
    graph.rename_outputs(output_names)
    type_of = helper.np_dtype_to_tensor_dtype
    proto = helper.make_graph(
        [
            helper.make_node(n.operator, n.inputs, n.outputs, name=f"{n.operator}_{i}", **n.attributes)
            for i, n in enumerate(graph.nodes)
        ],
        "tinyconv",
        [helper.make_tensor_value_info(n, type_of(types[n]), s) for n, s in zip(graph.inputs, inputs)],
        [helper.make_tensor_value_info(n, type_of(graph.types[n]), s) for n, s in zip(output_names, outputs)],
        [onnx.numpy_helper.from_array(value, name) for name, value in graph.constants.items()],
    )
    version = helper.make_opsetid("", opset)
    file = helper.make_model(
        proto,
        producer_name="tinyconv",
        producer_version=__version__,
        opset_imports=[version],
        ir_version=helper.find_min_ir_version_for([version]),
    )
    if file.ByteSize() > _LARGEST:
        raise ExportError(f"the file would have {file.ByteSize():,} bytes; an ONNX file can have {_LARGEST:,}")
    onnx.checker.check_model(file, full_check=True)
    return file.SerializeToString(deterministic=True)
