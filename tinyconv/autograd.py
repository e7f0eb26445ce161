"""Automatic differentiation: how gradients flow backwards through what was computed.

Every operation is a :class:`Function` with two methods: ``forward`` computes y from x, and ``backward`` turns the
gradient of the loss with respect to y, ``gy``, into the gradient with respect to x, ``gx = gy * dy/dx`` (in general a
vector-Jacobian product). Applying a Function makes one *node*, which points to the nodes that made its inputs; the
graph is nothing more than that.

:func:`backward` walks the graph from the result to the leaves. Two facts carry it:

* **Nodes are numbered as they are made**, so a node's number is larger than its inputs' numbers, and "largest number
  first" is a reverse topological order: when a node's turn comes, everyone who used its output has already run. A heap
  finds it; nothing recurses, however long the chain.
* **Gradients add up at forks.** If x is used twice, in u = f(x) and v = g(x), the multivariable chain rule says
  dL/dx = dL/du du/dx + dL/dv dv/dx: one contribution from each use, summed.

``backward`` methods are themselves written in Tensor operations. Recording them (``create_graph=True``) gives a graph
of the gradient, hence second and higher derivatives, with no second set of rules.
"""

from __future__ import annotations

import functools
import heapq
import inspect
import itertools
import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

from . import dtypes, kernels
from .tensor import Tensor

__all__ = ["Function", "backward", "enable_grad", "grad", "inference_mode", "is_grad_enabled", "no_grad",
           "once_differentiable", "set_grad_enabled"]  # fmt: skip

gradcheck: Callable[..., bool]  # set by tinyconv/__init__.py
gradgradcheck: Callable[..., bool]


# ------------------------------------------------------------------------------------------------ to record or not


class _Mode(threading.local):
    recording = True  # each thread has its own


_mode = _Mode()


def is_grad_enabled() -> bool:
    """Whether operations are recorded in this thread."""
    return _mode.recording


class set_grad_enabled:
    """Record operations or not: at once, and as a context manager or decorator until its end."""

    def __init__(self, mode: bool):
        self._value = bool(mode)
        self._before: list[bool] = [_mode.recording]
        _mode.recording = self._value

    def __enter__(self) -> None:
        _mode.recording = self._value

    def __exit__(self, *exc: object) -> None:
        _mode.recording = self._before[-1]

    def __call__(self, function: Callable) -> Callable:
        _mode.recording = self._before[-1]  # used as a decorator: undo what __init__ did
        return _Switch(self._value)(function)


class _Switch:
    """Context manager and decorator behind :class:`no_grad` and :class:`enable_grad`; may be nested and reused."""

    def __init__(self, value: bool):
        self._value = value
        self._before: list[bool] = []

    def __enter__(self) -> None:
        self._before.append(_mode.recording)
        _mode.recording = self._value

    def __exit__(self, *exc: object) -> None:
        _mode.recording = self._before.pop()

    def __call__(self, function: Callable) -> Callable:
        @functools.wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            with _Switch(self._value):
                return function(*args, **kwargs)

        @functools.wraps(function)
        def generator(*args: Any, **kwargs: Any) -> Any:
            steps, sent = function(*args, **kwargs), None
            while True:  # the mode holds while the generator runs, not while its caller does
                try:
                    with _Switch(self._value):
                        item = steps.send(sent)
                except StopIteration as end:
                    return end.value
                sent = yield item

        return generator if inspect.isgeneratorfunction(function) else wrapper


def _switch(value: bool, doc: str) -> Callable:
    class switch(_Switch):
        __doc__ = doc

        def __new__(cls, function: Callable | None = None) -> Any:  # `@no_grad` works without parentheses too
            return super().__new__(cls) if function is None else _Switch(value)(function)

        def __init__(self) -> None:
            super().__init__(value)

    return switch


no_grad = _switch(False, "Do not record operations: ``with no_grad(): ...`` or ``@no_grad()``.")
enable_grad = _switch(True, "Record operations, also inside a ``no_grad`` block.")


def inference_mode(mode: bool = True) -> _Switch:
    """PyTorch's name for a stricter ``no_grad``; here it is the same."""
    return _Switch(not mode)


# -------------------------------------------------------------------------------------------------------- the nodes

_numbers = itertools.count()
_RELEASED: Any = object()


class Node:
    """What the graph is made of: a number, and one edge an input, ``(node, which of its outputs)`` or None.

    Edges point to nodes, never to tensors: a value that nobody saved is freed as soon as the user lets go of it.
    """

    number = -1
    edges: Sequence = ()
    _saved: Any = ()
    _pre_hooks: dict[int, OrderedDict] | None = None

    def name(self) -> str:
        """The operation's name."""
        return type(self).__name__

    @property
    def next_functions(self) -> tuple:
        """The edges as PyTorch shows them: ``(node, index)`` an argument, ``(None, 0)`` where no gradient goes."""
        return tuple([(None, 0) if edge is None else edge for edge in self.edges])

    def __repr__(self) -> str:
        return f"<{self.name()}>"

    def _release(self) -> None:
        """Let go of saved values: the backward pass has used them."""
        if self._saved:
            self._saved = _RELEASED


class _Saved:
    """A saved tensor and the version it had. An *output* of the node is kept as its array alone (the tensor would point
    back to the node: a cycle only the garbage collector could free) and becomes a tensor again when unpacked."""

    __slots__ = ("array", "counter", "index", "tensor", "version")

    def __init__(self, tensor: Tensor, index: int | None):
        self.counter, self.version, self.index = tensor._counter, tensor._counter[0], index or 0
        self.tensor: Tensor | None = tensor if index is None else None
        self.array: Any = None if index is None else tensor.array

    def unpack(self, node: Node) -> Tensor:
        if self.counter[0] != self.version:
            array = self.array if self.tensor is None else self.tensor.array
            raise RuntimeError(
                f"{node.name()}: a tensor of shape {tuple(array.shape)} that its gradient needs was "
                f"changed in place: it is at version {self.counter[0]}, version {self.version} was saved. "
                "Use the out-of-place form (y = y + 1, not y += 1), or clone() before changing it"
            )
        if self.tensor is not None:
            return self.tensor
        tensor = Tensor(self.array)
        tensor._counter, tensor._node, tensor._index = self.counter, node, self.index
        return tensor

    def copy(self) -> None:
        """Keep a copy instead: the tensor is about to be overwritten by the very operation that saved it."""
        old = self.tensor
        if old is not None:
            self.tensor = new = Tensor(kernels.of(old.array).copy(old.array))
            new._node, new._index = old._history(), old._index
            self.counter, self.version = new._counter, 0


class Function(Node):
    """An operation with a gradient. Subclass it as in PyTorch::

        class Exp(Function):
            @staticmethod
            def forward(ctx, x):
                y = x.exp()
                ctx.save_for_backward(y)
                return y

            @staticmethod
            def backward(ctx, gy):
                (y,) = ctx.saved_tensors
                return gy * y

        y = Exp.apply(x)

    ``forward`` gets the arguments of ``apply`` with recording switched off; ``backward`` gets one gradient an output
    and returns one an argument, None for what is no tensor or needs none (``ctx.needs_input_grad`` says). ``ctx`` is
    the node.
    """

    needs_input_grad: tuple[bool, ...] = ()
    materialize_grads = True
    is_view = False  # the output is a view of the first argument
    _dirty: tuple = ()
    _non_differentiable: tuple = ()
    _outputs: list = []  # a _description of each output

    @staticmethod
    def forward(ctx: Any, *args: Any) -> Any:
        """Compute the output from the arguments of :meth:`apply`."""
        raise NotImplementedError("a Function must define forward(ctx, *args)")

    @staticmethod
    def backward(ctx: Any, *gys: Any) -> Any:
        """Turn the gradients of the outputs into the gradients of the arguments."""
        raise NotImplementedError("a Function must define backward(ctx, *gys) to be differentiated")

    setup_context: Callable | None = None

    def save_for_backward(self, *tensors: Tensor | None) -> None:
        """Keep tensors for ``backward`` (``ctx.saved_tensors``), guarded against changes in place."""
        self._saved = tensors

    def mark_dirty(self, *tensors: Tensor) -> None:
        """Say which arguments ``forward`` changed in place (it must return them)."""
        self._dirty = tensors

    def mark_non_differentiable(self, *tensors: Tensor) -> None:
        """Say which outputs have no gradient (integer outputs never have)."""
        self._non_differentiable = tensors

    def set_materialize_grads(self, value: bool) -> None:
        """False: ``backward`` gets None, not zeros, for outputs that nobody used."""
        self.materialize_grads = value

    @property
    def saved_tensors(self) -> tuple:
        """What ``save_for_backward`` kept.

        Raises:
            RuntimeError: a backward pass freed it, or a tensor was changed in place since.
        """
        if self._saved is _RELEASED:
            raise RuntimeError(
                f"{self.name()}: trying to go backward through the graph a second time, but what it saved was freed by "
                "the first. Say retain_graph=True the first time if you need both"
            )
        return tuple([saved if saved is None else saved.unpack(self) for saved in self._saved])

    @classmethod
    def apply(cls, *args: Any) -> Any:
        """Compute ``forward(*args)`` and, if any argument needs a gradient, record it."""
        ctx = cls()
        before = _mode.recording
        edges = [_edge(a) if isinstance(a, Tensor) else None for a in args] if before else [None] * len(args)
        ctx.needs_input_grad = needs = tuple([edge is not None for edge in edges])
        _mode.recording = False
        try:
            if cls.setup_context is None:
                out = cls.forward(ctx, *args)
            else:
                out = cls.forward(*args)
                cls.setup_context(ctx, args, out)
        finally:
            _mode.recording = before
        if isinstance(out, tuple):
            out = outs = tuple([ctx._own(o, args) for o in out])
        else:
            out = ctx._own(out, args)
            outs = (out,)
        if cls.is_view:
            _look_into(out, args[0], (cls, args[1:]))
        if True in needs:
            ctx._record(edges, outs)
        else:
            ctx._saved = ()
        return out

    def _own(self, output: Any, args: tuple) -> Any:
        """An output is a tensor of its own: one that is an argument, or a view of one, becomes another tensor on the
        same memory, unless ``forward`` said that it changed it in place."""
        if not isinstance(output, Tensor):
            return output
        if self._dirty and any([output is d for d in self._dirty]):
            check_may_change(output, self.name())
            output._bump()
            return output
        if output._base is not None:
            return output.detach()
        for a in args:
            if a is output:
                return output.detach()
        return output

    def _record(self, edges: list, outs: tuple) -> None:
        self.edges = edges
        self.number = next(_numbers)
        if self._saved:
            self._saved = [s if s is None else _Saved(s, _index_of(s, outs)) for s in self._saved]
        self._outputs = [_description(o) for o in outs]
        for i, o in enumerate(outs):
            if isinstance(o, Tensor) and o.array.dtype.kind == "f" and not _is_in(o, self._non_differentiable):
                if _is_in(o, self._dirty):
                    rebase(o, self, i)
                else:
                    o._node, o._index = self, i
        self._dirty = self._non_differentiable = ()


def _description(output: Any) -> tuple | None:
    """What the backward pass must know of an output: its shape, and how to make zeros like it."""
    if not isinstance(output, Tensor):
        return None
    array = output.array
    return array.shape, array.dtype, type(array)


def _is_in(tensor: Tensor, tensors: tuple) -> bool:
    """Whether it is one of them (``in`` would compare elements)."""
    return bool(tensors) and any([tensor is t for t in tensors])


def _index_of(tensor: Tensor, outs: tuple) -> int | None:
    for i, o in enumerate(outs):
        if o is tensor:
            return i
    return None


def _edge(tensor: Tensor) -> tuple[Node, int] | None:
    """Where a gradient for ``tensor`` must be sent: to the node that made it, or into a leaf's ``.grad``; None for
    nowhere."""
    node = tensor._node if tensor._base is None else tensor._history()
    if node is not None:
        return node, tensor._index
    if not tensor._leaf_requires_grad:
        return None
    if tensor._accumulator is None:
        tensor._accumulator = AccumulateGrad(tensor)
    return tensor._accumulator, 0


class AccumulateGrad(Node):
    """The end of every path: adds the gradient that arrives to its leaf's ``.grad``.

    A leaf owns its node, which looks back at it weakly. The leaf's ``.grad`` keeps its identity while it accumulates,
    so the sum is made in place, in memory that only the leaf holds: the first gradient is copied, because the tensor
    that arrives may also be on its way to someone else (``z = x + y`` sends one tensor to both).
    """

    def __init__(self, variable: Tensor):
        self._variable = weakref.ref(variable)
        self.number = next(_numbers)
        self.describe(variable)

    def describe(self, variable: Tensor) -> None:
        """Note the leaf's shape and type (again, when its ``data`` is replaced)."""
        self._outputs = [_description(variable)]

    @property
    def variable(self) -> Tensor | None:
        """The leaf (None if nobody holds it any more: then nobody can ask for its gradient either)."""
        return self._variable()

    def accumulate(self, g: Tensor) -> None:
        """Add ``g`` to the leaf's ``.grad``."""
        leaf = self._variable()
        if leaf is None:
            return
        if leaf.grad is None:
            leaf.grad = g.clone() if _mode.recording else Tensor(kernels.of(g.array).copy(g.array))
        elif _mode.recording:
            leaf.grad = leaf.grad + g
        else:
            leaf.grad._bump()
            kernels.of(g.array).add_(leaf.grad.array, g.array)


# ------------------------------------------------------------------------------------------------ changes in place


def _look_into(view: Tensor, source: Tensor, step: tuple) -> None:
    """Note that ``view`` looks into the memory of ``source`` by ``step`` (a view Function and its other arguments)."""
    base = source if source._base is None else source._base
    view._counter = source._counter
    view._base, view._steps = base, (*source._steps, step)
    if source._base is not None:
        source._history()  # so that the view hangs on the base's present history
    view._base_node = base._node


def _follow_base(self: Tensor) -> None:
    """Work out a view's history anew: the steps that lead to it, taken from its base's present history."""
    base: Any = self._base
    source = base
    with enable_grad():
        for function, arguments in self._steps:
            source = function.apply(source, *arguments)
    self._node, self._index, self._base_node = source._node, source._index, base._node


Tensor._follow_base = _follow_base  # type: ignore[method-assign]
Tensor._recording = staticmethod(is_grad_enabled)  # type: ignore[method-assign]


def check_may_change(x: Tensor, name: str) -> None:
    """Raise if changing ``x`` in place would falsify a leaf that requires grad."""
    if not _mode.recording:
        return
    if x._leaf_requires_grad:
        raise RuntimeError(
            f"{name}: a leaf tensor that requires grad cannot be changed in place, its gradient would refer to a value "
            "that is gone; change it under `with no_grad():`, or compute a new tensor"
        )
    if x._base is not None and x._base._leaf_requires_grad:
        raise RuntimeError(f"{name}: a view of a leaf tensor that requires grad cannot be changed in place")


class WriteView(Function):
    """The history of a base after one of its views was overwritten: elements in the view come from the view's new
    value, all others from the base's old one. ``steps`` lead from the base to the view; they may be possible only
    with the base's order of axes in memory, so the gradient is laid out likewise before they are taken."""

    def __init__(self, steps: tuple, array: Any):
        self.steps = steps
        self.order = None
        if not kernels.of(array).is_contiguous(array):
            self.order = tuple(sorted(range(array.ndim), key=lambda axis: -abs(array.strides[axis])))

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> tuple:
        order = ctx.order
        gbase = (
            gy.clone() if order is None else gy.permute(order).clone().permute([order.index(i) for i in range(gy.ndim)])
        )
        hole = gbase
        for function, arguments in ctx.steps:
            hole = function.apply(hole, *arguments)
        gview = hole.clone()
        hole.zero_()
        return gbase, gview


def rebase(x: Tensor, node: Node, index: int) -> None:
    """Make output ``index`` of ``node`` the history of ``x``, whose memory now holds that output.

    If x is a view, its base has changed too: the base's history becomes a :class:`WriteView`, and x (like every other
    view of the base) finds its own again from there.
    """
    base = x._base
    if base is None:
        x._node, x._index = node, index
        return
    write = WriteView(x._steps, base.array)
    write.edges = (_edge(base) if base.requires_grad else None, (node, index))
    write.number = next(_numbers)
    write.needs_input_grad = (base.requires_grad, True)
    write._outputs = [(base.array.shape, base.array.dtype, kernels.of(base.array))]
    base._node, base._index = write, 0


def overwrite(x: Tensor, result: Tensor, name: str) -> Tensor:
    """Every in-place operation: ``x`` takes the value and the history of ``result``, computed out of place."""
    check_may_change(x, name)
    if result.array.shape != x.array.shape:
        raise RuntimeError(f"{name}: the result has shape {tuple(result.array.shape)}, self has {tuple(x.array.shape)}")
    if result.array.dtype != x.array.dtype and result.array.dtype.kind == "f" != x.array.dtype.kind:
        raise RuntimeError(f"{name}: result type {result.dtype} can't be cast to the tensor's {x.dtype}")
    if _mode.recording and result.requires_grad and result.array.dtype != x.array.dtype:
        result = result.to(x.dtype)
    node = result._history() if _mode.recording else None
    for saved in () if node is None else node._saved:
        if saved is not None and saved.counter is x._counter:
            saved.copy()
    kernels.of(x.array).assign(x.array, result.array)
    x._bump()
    if node is not None:
        rebase(x, node, result._index)
    return x


# ------------------------------------------------------------------------------------------------ the backward pass


def _walk(roots: Sequence[Any], gys: Sequence[Tensor], retain_graph: bool, targets: dict | None) -> dict:
    """Run every node between ``roots`` (edges) and the leaves, largest number first.

    Without ``targets`` gradients end in the leaves' ``.grad``. With ``targets`` (edges as keys) only the nodes on the
    way to one of them run, no ``.grad`` changes, and the gradients that arrived there are returned.
    """
    useful: Any = None if targets is None else _leads_to(roots, targets)
    found: dict = {}
    heap: list = []
    pending: dict[Node, list] = {}  # the gradients on their way to a node, one slot an output
    ours: set[tuple] = set()  # the edges whose gradient is a sum made here

    def send(edge: tuple, g: Tensor) -> None:
        """Gradients add up at forks (the multivariable chain rule, see the head of this file). The first to arrive
        may be shared with others, so the first sum is a new tensor; that one is ours, and later ones are added to it
        in place."""
        node, index = edge
        slots = pending.get(node)
        if slots is None:
            slots = pending[node] = [None] * len(node._outputs)
            heapq.heappush(heap, (-node.number, node))
        total = slots[index]
        if total is None:
            slots[index] = g
        elif edge in ours:
            kernels.of(total.array).add_(total.array, g.array)
        else:
            slots[index] = total + g
            if not _mode.recording:
                ours.add(edge)

    for edge, g in zip(roots, gys):
        if useful is None or edge[0] in useful:
            send(edge, g)
    while heap:
        node = heapq.heappop(heap)[1]
        slots = pending.pop(node)
        if node._pre_hooks:
            _call_hooks(node, slots)
        if targets is not None:
            for i, g in enumerate(slots):
                if g is not None and (node, i) in targets:
                    found[node, i] = g
            if not any([edge is not None and edge[0] in useful for edge in node.edges]):
                continue
        elif type(node) is AccumulateGrad:
            if slots[0] is not None:
                node.accumulate(slots[0])
            continue
        gxs: Any = _differentiate(node, slots)
        if not retain_graph:
            node._release()
        del slots
        for edge, gx in zip(node.edges, gxs):
            if edge is not None and gx is not None and (useful is None or edge[0] in useful):
                shape, dtype, _ = edge[0]._outputs[edge[1]]
                send(edge, gx if gx.array.shape == shape and gx.array.dtype is dtype else _fit(node, gx, shape, dtype))
        gx = gxs = None
    return found


def _differentiate(node: Any, slots: list) -> Sequence:
    """``node.backward``, with zeros for outputs that nobody used."""
    if len(slots) > 1 and node.materialize_grads:
        for i, g in enumerate(slots):
            if g is None and node._outputs[i] is not None:
                shape, dtype, array_class = node._outputs[i]
                slots[i] = Tensor(kernels.of_class(array_class).full(shape, 0, dtype))
    gxs = node.backward(node, *slots)
    if not isinstance(gxs, (tuple, list)):
        gxs = (gxs,)
    n = len(node.edges)
    if len(gxs) != n and (len(gxs) < n or any([g is not None for g in gxs[n:]])):
        raise RuntimeError(f"{node.name()}: backward returned {len(gxs)} gradients, forward had {n} arguments")
    return gxs


def _fit(node: Node, gx: Any, shape: tuple, dtype: Any) -> Tensor:
    """A gradient of another type than its input's is cast. One of another shape may be a broadcast form of it, which is
    summed; anything else is a mistake."""
    got = tuple(gx.array.shape)
    padded = (1,) * (len(got) - len(shape)) + tuple(shape)
    if len(got) >= len(shape) and all([p in (1, n) for p, n in zip(padded, got)]):
        gx = gx if got == shape else gx.sum_to_size(shape)
        return gx if gx.array.dtype == dtype else gx.to(dtypes.of(dtype))
    raise RuntimeError(
        f"{node.name()}: backward returned a gradient of shape {got} for an input of shape {tuple(shape)}"
    )


def _leads_to(roots: Sequence[tuple], targets: dict) -> set:
    """The nodes from which a target can be reached. Ascending numbers are a topological order, inputs first."""
    seen: set[Node] = set()
    stack = [edge[0] for edge in roots if edge is not None]
    while stack:
        node = stack.pop()
        if node not in seen:
            seen.add(node)
            stack += [edge[0] for edge in node.edges if edge is not None]
    ends = {node for node, _ in targets}
    useful: set[Node] = set()
    for node in sorted(seen, key=lambda n: n.number):
        if node in ends or any([edge is not None and edge[0] in useful for edge in node.edges]):
            useful.add(node)
    return useful


def _call_hooks(node: Node, slots: list) -> None:
    for index, hooks in (node._pre_hooks or {}).items():
        for hook in list(hooks.values()):
            if slots[index] is not None:
                replaced = hook(slots[index])
                if replaced is not None:
                    slots[index] = replaced


def _first_gradients(tensors: Sequence[Tensor], gys: Sequence[Tensor | None], what: str) -> list[Tensor]:
    if len(tensors) != len(gys):
        raise RuntimeError(f"{what}: got {len(tensors)} tensors and {len(gys)} gradients to start from")
    out = []
    for y, gy in zip(tensors, gys):
        if not y.requires_grad:
            raise RuntimeError(
                f"{what}: a tensor of shape {tuple(y.array.shape)} does not require grad and has no grad_fn: nothing "
                "it was computed from requires grad, or it was computed under no_grad"
            )
        backend = kernels.of(y.array)
        if gy is None:
            if y.numel() != 1:
                raise RuntimeError(
                    f"{what}: grad can be created only for scalar outputs, this one has shape {tuple(y.array.shape)}: "
                    "reduce it (loss.mean()), or say which gradient to start from"
                )
            gy = Tensor(backend.full(y.array.shape, 1, y.array.dtype))
        elif not isinstance(gy, Tensor):
            raise TypeError(f"{what}: the gradient to start from must be a tensor or None, got {type(gy).__name__}")
        elif gy.array.shape != y.array.shape:
            raise RuntimeError(
                f"{what}: the gradient to start from has shape {tuple(gy.array.shape)}, "
                f"the output {tuple(y.array.shape)}"
            )
        out.append(gy if gy.array.dtype == y.array.dtype else gy.to(y.dtype))
    return out


def _as_list(x: Any) -> list:
    return list(x) if isinstance(x, (tuple, list)) else [x]


def backward(
    tensors: Tensor | Sequence[Tensor],
    grad_tensors: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: Tensor | Sequence[Tensor] | None = None,
) -> None:
    """Add the gradients of ``tensors`` to the ``.grad`` of the leaves they were computed from.

    Args:
        tensors: where to start, usually one loss.
        grad_tensors: the gradient to start from, one for each (None: 1, for one-element tensors only).
        retain_graph: keep what the graph saved, so that it can be gone through again (default: ``create_graph``).
        create_graph: record the backward pass itself, for higher derivatives.
        inputs: accumulate into these tensors alone.

    Raises:
        RuntimeError: not a scalar and no gradient given; no history; the graph was freed; a saved value was
        overwritten.
    """
    ys = _as_list(tensors)
    gys = [None] * len(ys) if grad_tensors is None else _as_list(grad_tensors)
    retain = create_graph if retain_graph is None else retain_graph
    if inputs is not None:
        wanted = _as_list(inputs)
        if not wanted:
            raise RuntimeError("backward: inputs must not be empty")
        for x, g in zip(wanted, grad(ys, wanted, gys, retain, create_graph, allow_unused=True)):
            if g is not None:
                with set_grad_enabled(create_graph):
                    AccumulateGrad(x).accumulate(g)
        return
    starts = _first_gradients(ys, gys, "backward")
    before, _mode.recording = _mode.recording, create_graph
    try:
        _walk([_edge(y) for y in ys], starts, retain, None)
    finally:
        _mode.recording = before


def grad(
    outputs: Tensor | Sequence[Tensor],
    inputs: Tensor | Sequence[Tensor],
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    allow_unused: bool | None = None,
    is_grads_batched: bool = False,
    materialize_grads: bool = False,
) -> tuple[Tensor | None, ...]:
    """The gradients of ``outputs`` with respect to ``inputs``, returned instead of accumulated: no ``.grad`` changes.

    Raises:
        RuntimeError: as :func:`backward`; and an input that the outputs do not depend on, unless ``allow_unused``
            (then its gradient is None, or zeros with ``materialize_grads``).
    """
    if is_grads_batched:
        raise NotImplementedError("grad: is_grads_batched needs vmap, which tinyconv does not have; loop over the rows")
    ys, xs = _as_list(outputs), _as_list(inputs)
    gys = _first_gradients(ys, [None] * len(ys) if grad_outputs is None else _as_list(grad_outputs), "grad")
    for i, x in enumerate(xs):
        if not x.requires_grad:
            raise RuntimeError(f"grad: input {i} (shape {tuple(x.array.shape)}) does not require grad")
    edges = [_edge(x) for x in xs]
    before, _mode.recording = _mode.recording, create_graph
    try:
        found = _walk([_edge(y) for y in ys], gys, create_graph if retain_graph is None else retain_graph,
                      dict.fromkeys(edges))  # fmt: skip
    finally:
        _mode.recording = before
    gxs: list[Tensor | None] = []
    for i, (x, edge) in enumerate(zip(xs, edges)):
        g = found.get(edge)
        if g is None:
            if not allow_unused and not materialize_grads:
                raise RuntimeError(
                    f"grad: the outputs do not depend on input {i} (shape {tuple(x.array.shape)}); "
                    "say allow_unused=True if that is intended"
                )
            if materialize_grads:
                g = Tensor(kernels.of(x.array).full(x.array.shape, 0, x.array.dtype))
        gxs.append(g)
    return tuple(gxs)


# ------------------------------------------------------------------------------------------------------------ hooks


class RemovableHandle:
    """What registering a hook returns: ``remove()`` takes the hook away; also a context manager."""

    _ids = itertools.count()

    def __init__(self, hooks: dict):
        self._hooks = weakref.ref(hooks)
        self.id = next(self._ids)

    def remove(self) -> None:
        """Take the hook away (again does nothing)."""
        hooks = self._hooks()
        if hooks is not None:
            hooks.pop(self.id, None)

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(self, *exc: object) -> None:
        self.remove()


class _Hooks(OrderedDict):
    """A dict that can be weakly referenced."""


def register_hook(self: Tensor, hook: Callable) -> RemovableHandle:
    """Call ``hook(grad)`` whenever this tensor's gradient is known; a tensor it returns replaces the gradient.

    Raises:
        RuntimeError: the tensor does not require grad.
    """
    if not self.requires_grad:
        raise RuntimeError("register_hook: the tensor does not require grad")
    node, index = _edge(self)  # type: ignore[misc]
    if node._pre_hooks is None:
        node._pre_hooks = {}
    hooks = node._pre_hooks.setdefault(index, _Hooks())
    handle = RemovableHandle(hooks)
    hooks[handle.id] = hook
    return handle


def retain_grad(self: Tensor) -> None:
    """Let ``backward`` fill ``.grad`` of this tensor although it is no leaf.

    Raises:
        RuntimeError: the tensor does not require grad.
    """
    if not self.requires_grad:
        raise RuntimeError("retain_grad: the tensor does not require grad")
    if self.is_leaf or self._retains_grad:
        return
    self._retains_grad = True
    me = weakref.ref(self)

    def keep(g: Tensor) -> None:
        tensor = me()
        if tensor is not None:
            tensor.grad = g.clone() if tensor.grad is None else tensor.grad + g

    register_hook(self, keep)


def _retains_grad(self: Tensor) -> bool:
    """Whether :func:`retain_grad` was called on this result."""
    return self._retains_grad


def _backward_method(
    self: Tensor,
    gradient: Tensor | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: Any = None,
) -> None:
    """:func:`tinyconv.autograd.backward` from this tensor."""
    backward(self, gradient, retain_graph, create_graph, inputs)


Tensor.backward = _backward_method  # type: ignore[method-assign]
Tensor.register_hook = register_hook  # type: ignore[method-assign]
Tensor.retain_grad = retain_grad  # type: ignore[method-assign]
Tensor.retains_grad = property(_retains_grad)  # type: ignore[assignment, method-assign]


# ------------------------------------------------------------------------------------------------ once differentiable


class _NotTwice(Function):
    """Stands where a gradient that was not recorded would have its history, and raises if that is ever needed."""

    @staticmethod
    def forward(ctx: Any, name: str, g: Tensor, *_: Tensor) -> Tensor:
        ctx.owner = name
        return g.detach()

    @staticmethod
    def backward(ctx: Any, *gys: Tensor) -> tuple:
        raise RuntimeError(
            f"{ctx.owner}: its backward is marked once_differentiable, but a second derivative was asked for"
        )


def once_differentiable(backward: Callable) -> Callable:
    """Decorate a ``backward`` that is not written in differentiable operations: a second derivative through it
    raises."""

    @functools.wraps(backward)
    def wrapper(ctx: Any, *gys: Any) -> Any:
        with no_grad():
            gxs = backward(ctx, *gys)
        if not _mode.recording or not any([isinstance(g, Tensor) and g.requires_grad for g in gys]):
            return gxs
        single = not isinstance(gxs, tuple)
        marked = [g if g is None else _NotTwice.apply(type(ctx).__name__, g, *gys) for g in ((gxs,) if single else gxs)]
        return marked[0] if single else tuple(marked)

    return wrapper
