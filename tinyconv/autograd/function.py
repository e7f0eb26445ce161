"""What the graph is made of: functions, which are its nodes; leaves; and what becomes of them by changes in place.

Every operation is a :class:`Function` with two methods: ``forward`` computes y from x, and ``backward`` turns the
gradient of the loss with respect to y, ``gy``, into the gradient with respect to x, ``gx = gy * dy/dx`` (in general a
vector-Jacobian product). Applying a Function makes one *node*, which points to the nodes that made its inputs; the
graph is nothing more than that. ``backward`` methods are written in Tensor operations themselves, so recording them
gives a graph of the gradient, hence second and higher derivatives, with no second set of rules.
"""

from __future__ import annotations

import itertools
import weakref
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

from .. import kernels
from ..tensor import Tensor
from .grad_mode import enable_grad, is_grad_enabled, state

_numbers = itertools.count()
_RELEASED: Any = object()


class Node:
    """What the graph is made of: a number, and one edge an input, ``(node, which of its outputs)`` or None.

    Edges point to nodes, never to tensors: a value that nobody saved is freed as soon as the user lets go of it.
    """

    number = -1
    edges: Sequence = ()
    _saved: Any = ()
    _pre_hooks: dict[int, OrderedDict] | None = None  # by output; None while nobody looks at its outputs' gradients
    _retained: dict[int, Callable] = {}  # what keeps the gradient of an output, once all hooks have seen it

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
    """A saved tensor and the version it had. Of an *output* of the node (output number ``index``) only the memory is
    kept: the tensor's history would point back to the node, a cycle only the garbage collector could free. It regains
    its history when unpacked."""

    __slots__ = ("array", "counter", "index", "tensor", "version")

    def __init__(self, tensor: Tensor, index: int | None):
        self.tensor = tensor if index is None else None
        self.array, self.counter, self.index = tensor.array, tensor._counter, index
        self.version = tensor._counter[0]

    def unpack(self, node: Node) -> Tensor:
        if self.counter[0] != self.version:
            raise RuntimeError(
                f"{node.name()}: a tensor of shape {tuple(self.array.shape)} that its gradient needs was "
                f"changed in place: it is at version {self.counter[0]}, version {self.version} was saved. "
                "Use the out-of-place form (y = y + 1, not y += 1), or clone() before changing it"
            )
        if self.tensor is not None:
            return self.tensor
        output = Tensor(self.array)
        output._counter, output._edge = self.counter, (node, self.index)
        return output

    def copy(self) -> None:
        """Keep a copy instead: the tensor is about to be overwritten by the very operation that saved it."""
        old = self.tensor
        if old is not None:
            self.tensor = new = Tensor(kernels.of(old.array).copy(old.array))
            new._edge = old._history()
            self.array, self.counter, self.version = new.array, new._counter, 0


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

    materialize_grads = True
    fresh_gradients = False  # nobody else holds the memory of what backward returns: it need never be copied
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
        ctx, recording = cls(), state.recording
        if recording:
            ctx.edges = [edge_of(a) if isinstance(a, Tensor) else None for a in args]
            state.recording = False
        else:
            ctx.edges = (None,) * len(args)
        try:
            if cls.setup_context is None:
                out = cls.forward(ctx, *args)
            else:
                out = cls.forward(*args)
                cls.setup_context(ctx, args, out)
        finally:
            if recording:
                state.recording = True
        if isinstance(out, tuple):
            out = outs = tuple([ctx._own(o, args) for o in out])
        else:
            out = ctx._own(out, args)
            outs = (out,)
        if cls.is_view:
            look_into(out, args[0], (cls, args[1:]))
        if recording and any(ctx.edges):
            ctx._record(outs)
        return out

    @property
    def needs_input_grad(self) -> tuple[bool, ...]:
        """For each argument, whether it needs a gradient."""
        return tuple(map(bool, self.edges))

    def _own(self, output: Any, args: tuple) -> Any:
        """An output is a tensor of its own: one that is an argument, or a view of one, becomes another tensor on the
        same memory, unless ``forward`` said that it changed it in place."""
        if not isinstance(output, Tensor):
            return output
        if self._dirty and _index_of(output, self._dirty) is not None:
            check_may_change(output, self.name(), writes=False)
            output._bump()
            return output
        for a in args:
            if a is output:
                return output.detach()
        return output if output._base is None else output.detach()

    def _record(self, outs: tuple) -> None:
        """Become the node that made ``outs``."""
        self.number = next(_numbers)
        outputs: list[tuple | None] = []
        self._outputs = outputs
        special = self._dirty or self._non_differentiable
        for i, o in enumerate(outs):
            if not isinstance(o, Tensor):
                outputs.append(None)
                continue
            outputs.append(description := _description(o))
            if description[1].kind != "f" or (special and _index_of(o, self._non_differentiable) is not None):
                continue
            if special and _index_of(o, self._dirty) is not None:
                rebase(o, (self, i))
            else:
                o._edge = (self, i)
        if special:
            self._dirty = self._non_differentiable = ()
        if self._saved:
            self._saved = [s if s is None else _Saved(s, _index_of(s, outs)) for s in self._saved]


def _description(output: Tensor) -> tuple:
    """What the backward pass must know of an output: its shape, and how to make zeros like it."""
    array = output.array
    return array.shape, array.dtype, type(array)


def _index_of(tensor: Tensor, tensors: tuple) -> int | None:
    """Which of them it is (``tensors.index`` would compare elements); None for none."""
    for i, t in enumerate(tensors):
        if t is tensor:
            return i
    return None


def edge_of(tensor: Tensor) -> tuple[Node, int] | None:
    """Where a gradient for ``tensor`` must be sent: to the node that made it, or into a leaf's ``.grad``; None for
    nowhere."""
    return tensor._edge if tensor._base is None else tensor._history()


class AccumulateGrad(Node):
    """The end of every path: adds the gradient that arrives to its leaf's ``.grad``.

    A leaf owns its node, which looks back at it weakly. The leaf's ``.grad`` keeps its identity while it accumulates,
    so the sum is made in place, in memory that only the leaf holds: the first gradient is copied, because the tensor
    that arrives may also be on its way to someone else (``z = x + y`` sends one tensor to both), unless it is known
    to be nobody else's.
    """

    def __init__(self, variable: Tensor):
        self._variable = weakref.ref(variable)
        self._pre_hooks = None
        self.number = next(_numbers)
        self.describe(variable)

    def describe(self, variable: Tensor) -> None:
        """Note the leaf's shape and type (again, when its ``data`` is replaced)."""
        self._outputs = [_description(variable)]

    @property
    def variable(self) -> Tensor | None:
        """The leaf (None if nobody holds it any more: then nobody can ask for its gradient either)."""
        return self._variable()

    def accumulate(self, g: Tensor, ours: bool = False) -> None:
        """Add ``g``, which with ``ours`` nobody else holds, to the leaf's ``.grad``."""
        leaf = self._variable()
        if leaf is None:
            return
        grad, array = leaf._grad, g.array
        if state.recording:
            leaf._grad = g.clone() if grad is None else grad + g
        elif grad is None:
            leaf._grad = Tensor(array if ours else kernels.of(array).copy(array))
        else:
            grad._counter[0] += 1
            kernels.of(array).add_(grad.array, array)


# ------------------------------------------------------------------------------------------------ changes in place


def look_into(view: Tensor, source: Tensor, step: tuple) -> None:
    """Note that ``view`` looks into the memory of ``source`` by ``step`` (a view Function and its other arguments)."""
    view._counter = source._counter
    base = source._base
    if base is None:
        view._base, view._steps, view._base_edge = source, (step,), source._edge
    else:
        source._history()  # so that the view hangs on the base's present history
        view._base, view._steps, view._base_edge = base, (*source._steps, step), base._edge


def _follow_base(self: Tensor) -> None:
    """Work out a view's history anew: the steps that lead to it, taken from its base's present history."""
    base: Any = self._base
    source = base
    with enable_grad():
        for function, arguments in self._steps:
            source = function.apply(source, *arguments)
    self._edge, self._base_edge = source._edge, base._edge


Tensor._follow_base = _follow_base  # type: ignore[method-assign]
Tensor._accumulate_grad = AccumulateGrad  # type: ignore[method-assign]
Tensor._recording = staticmethod(is_grad_enabled)  # type: ignore[method-assign]


def shares_elements(array: Any) -> bool:
    """Whether several elements are one place in memory, as those of an expanded tensor are."""
    strides = getattr(array, "strides", ())
    return 0 in strides and 0 not in array.shape and any([not step and n > 1 for step, n in zip(strides, array.shape)])


def check_may_change(x: Tensor, name: str, writes: bool = True) -> None:
    """Raise if changing ``x`` in place would falsify a leaf that requires grad, or if what it ``writes`` to one element
    would be seen in others."""
    if writes and shares_elements(x.array):
        raise RuntimeError(
            f"{name}: unsupported operation: more than one element of the written-to tensor (shape "
            f"{tuple(x.array.shape)}) refers to a single memory location, as in an expanded tensor; clone() it first"
        )
    if not state.recording:
        return
    if x.requires_grad and x.is_leaf:
        raise RuntimeError(
            f"{name}: a leaf tensor that requires grad cannot be changed in place, its gradient would refer to a value "
            "that is gone; change it under `with no_grad():`, or compute a new tensor"
        )
    base = x._base
    if base is not None and base.requires_grad and base.is_leaf:
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


def rebase(x: Tensor, edge: tuple[Node, int]) -> None:
    """Make ``edge``, a node and which of its outputs, the history of ``x``, whose memory now holds that output.

    If x is a view, its base has changed too: the base's history becomes a :class:`WriteView`, and x (like every other
    view of the base) finds its own again from there.
    """
    base = x._base
    if base is None:
        x._edge = edge
        return
    write = WriteView(x._steps, base.array)
    write.edges = (base._edge, edge)
    write.number = next(_numbers)
    write._outputs = [_description(base)]
    base._edge = (write, 0)


_RANK = {"b": 0, "i": 1, "u": 1, "f": 2}  # a type can be cast, unasked, to one of its own rank or above


def overwrite(x: Tensor, result: Tensor, name: str) -> Tensor:
    """Every in-place operation: ``x`` takes the value and the history of ``result``, computed out of place."""
    check_may_change(x, name)
    if result.array.shape != x.array.shape:
        raise RuntimeError(f"{name}: the result has shape {tuple(result.array.shape)}, self has {tuple(x.array.shape)}")
    if _RANK[result.array.dtype.kind] > _RANK[x.array.dtype.kind]:
        raise RuntimeError(f"{name}: result type {result.dtype} can't be cast to the tensor's {x.dtype}")
    if state.recording and result.requires_grad and result.array.dtype != x.array.dtype:
        result = result.to(x.dtype)
    edge = result._history() if state.recording else None
    for saved in () if edge is None else edge[0]._saved:
        if saved is not None and saved.counter is x._counter:
            saved.copy()
    kernels.of(x.array).assign(x.array, result.array)
    x._bump()
    if edge is not None:
        rebase(x, edge)
    return x
