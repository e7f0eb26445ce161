"""What the graph is made of: functions, which are its nodes, and leaves, where its paths end.

Every operation is a :class:`Function` with two methods: ``forward`` computes y from x, and ``backward`` turns the
gradient of the loss with respect to y, ``gy``, into the gradient with respect to x, ``gx = gy * dy/dx`` (in general a
vector-Jacobian product). Applying a Function makes one *node*, which points to the nodes that made its inputs; the
graph is nothing more than that. ``backward`` methods are written in Tensor operations themselves, so recording them
gives a graph of the gradient, hence second and higher derivatives, with no second set of rules.
"""

from __future__ import annotations

import functools
import inspect
import itertools
import weakref
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

from .. import kernels
from ..tensor import Tensor, wrap
from . import anomaly
from .grad_mode import is_grad_enabled, no_grad, state
from .names import named, pytorch_name

numbers = itertools.count()  # nodes are numbered as they are made, so a node's number is larger than its inputs'
_RELEASED: Any = object()  # stands for what a node had saved, once a backward pass has used it


class Node:
    """A point of the graph: an operation that was applied (:class:`Function`), or a leaf (:class:`AccumulateGrad`).

    Edges point to nodes, never to tensors: a value that nobody saved is freed as soon as the user lets go of it.

    Attributes:
        number: larger than those of the nodes that ``edges`` lead to.
        edges: for each argument the place its gradient goes to, ``(node, which of that node's outputs)``; None for an
            argument that needs no gradient.
        takes_deferred: whether ``backward`` accepts a :class:`~tinyconv.autograd.Deferred` in place of a tensor.
    """

    number = -1
    edges: Sequence = ()
    takes_deferred = False
    _saved: Any = ()  # what save_for_backward was given, as _Saved or _Packed
    _outputs: list = []  # a description of each output
    # Hooks on the gradient of each output, by its index, and under None those on all of them together (hooks.py). The
    # dict itself is None as long as there are no hooks.
    _pre_hooks: dict[int | None, OrderedDict] | None = None
    _retained: dict[int, Callable] = {}  # what retain_grad() asked for: called when all hooks have seen the gradient
    register_hook: Callable  # these two are defined in hooks.py
    register_prehook: Callable

    _written_as: type | None = None  # the class in the source, when the node's own is one that names.py made

    def operation(self) -> str:
        """The operation's name, for messages."""
        return (self._written_as or type(self)).__name__

    def name(self) -> str:
        """The node's name, as PyTorch writes it: ``MulBackward0`` for our Mul, ``ExpBackward`` for a user's Exp."""
        return pytorch_name(self, type(self).__module__.partition(".")[0] == __name__.partition(".")[0])

    @property
    def next_functions(self) -> tuple:
        """The edges as PyTorch shows them: for each argument ``(node, index)``, or ``(None, 0)`` if no gradient goes
        there."""
        return tuple([(None, 0) if edge is None else (named(edge[0]), edge[1]) for edge in self.edges])

    def __repr__(self) -> str:
        return f"<{self.name()} object at {id(self):#x}>"

    def _release(self) -> None:
        """Let go of saved values: the backward pass has used them."""
        if self._saved:
            self._saved = _RELEASED


class _Saved:
    """A tensor that a node saved, and the version it had then.

    An *input* of the node is kept as it is (``tensor``). Of an *output* (number ``index`` of the node's outputs) only
    the array is kept: the tensor's history would point back to the node, and such a cycle only the garbage collector
    could free. Unpacking makes a new tensor with that array and that history.
    """

    __slots__ = ("array", "counter", "index", "tensor", "version")
    tensor: Tensor | None

    def __init__(self, tensor: Tensor, node: Node):
        self.counter = counter = tensor._counter
        self.version, edge = counter[0], tensor._edge
        if edge is None or edge[0] is not node:
            self.tensor = tensor
        else:
            self.tensor, self.array, self.index = None, tensor.array, edge[1]

    def unpack(self, node: Node) -> Tensor:
        tensor = self.tensor
        if self.counter[0] != self.version:
            array = self.array if tensor is None else tensor.array
            raise RuntimeError(
                f"{node.operation()}: a tensor of shape {tuple(array.shape)} that its gradient needs was "
                f"changed in place: it is at version {self.counter[0]}, version {self.version} was saved. "
                "Use the out-of-place form (y = y + 1, not y += 1), or clone() before changing it"
            )
        if tensor is not None:
            return tensor
        output = wrap(self.array)
        output._counter, output._edge = self.counter, (node, self.index)
        return output

    def copy(self) -> None:
        """Keep a copy instead: the tensor is about to be overwritten by the very operation that saved it."""
        old = self.tensor
        if old is not None:
            self.tensor = new = wrap(kernels.of(old.array).copy(old.array))
            new._edge = old._history()
            self.counter, self.version = new._counter, 0


class _Packed:
    """A tensor that a node saved inside of ``saved_tensors_hooks`` (graph.py): instead of the tensor it keeps what the
    pack hook made of it, and the unpack hook turns that back into a tensor."""

    __slots__ = ("counter", "edge", "index", "pack", "packed", "unpack_hook")

    def __init__(self, tensor: Tensor, node: Node, pack: Callable, unpack: Callable):
        edge: Any = tensor._edge
        if edge is None or edge[0] is not node:
            self.edge, self.index = tensor._history(), None
        else:
            self.edge, self.index = None, edge[1]
        self.counter, self.pack, self.unpack_hook = tensor._counter, pack, unpack
        self.keep(tensor.detach())

    def keep(self, tensor: Tensor) -> None:
        version = tensor._counter[0]
        with no_grad():
            self.packed = self.pack(tensor)
        if tensor._counter[0] != version:
            raise RuntimeError(
                "a pack hook changed the tensor it was given in place: others use it, too; let it work on a clone()"
            )

    def unpack(self, node: Node) -> Tensor:
        tensor = self.unpack_hook(self.packed)
        if not isinstance(tensor, Tensor):
            raise TypeError(
                f"{node.operation()}: an unpack hook must return the tensor that was packed, "
                f"got {type(tensor).__name__}"
            )
        output = tensor.detach()
        output._edge = self.edge if self.index is None else (node, self.index)
        return output

    def copy(self) -> None:
        self.keep(self.unpack_hook(self.packed).clone())


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

    ``forward`` gets the arguments of ``apply`` and runs with recording switched off. ``backward`` gets the gradient of
    each output, and returns one for each argument: None for an argument that is no tensor, or that needs no gradient
    (``ctx.needs_input_grad``). ``ctx`` is the node.

    Attributes:
        materialize_grads: whether ``backward`` gets zeros, not None, for an output that nobody used.
        fresh_gradients: whether nobody else holds the memory of what ``backward`` returns, so that the engine may add
            to it, or keep it as a leaf's ``.grad``, without a copy.
        is_view: whether the output is a view of the first argument.
    """

    materialize_grads = True
    fresh_gradients = False
    is_view = False
    _dirty: tuple = ()
    _non_differentiable: tuple = ()

    @staticmethod
    def forward(ctx: Any, *args: Any) -> Any:
        """Compute the output from the arguments of :meth:`apply`."""
        raise NotImplementedError("a Function must define forward(ctx, *args)")

    @staticmethod
    def backward(ctx: Any, *gys: Any) -> Any:
        """Turn the gradients of the outputs into the gradients of the arguments."""
        raise NotImplementedError("a Function must define backward(ctx, *gys) to be differentiated")

    setup_context: Callable | None = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for name in ("forward", "backward", "setup_context"):  # programs forget @staticmethod: their self is our ctx
            method = cls.__dict__.get(name)
            if inspect.isfunction(method):
                setattr(cls, name, staticmethod(method))

    def __call__(self, *args: Any) -> Any:
        name = self.operation()
        raise RuntimeError(
            f"{name}: a Function is not called: say {name}.apply(x), with static methods forward(ctx, x) and "
            "backward(ctx, gy)"
        )

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
                f"{self.operation()}: trying to go backward through the graph a second time, but what it saved was "
                "freed by the first. Say retain_graph=True the first time if you need both"
            )
        return tuple([saved and saved.unpack(self) for saved in self._saved])

    @classmethod
    def apply(cls, *args: Any) -> Any:
        """Compute ``forward(*args)`` and, if any argument needs a gradient, record it."""
        ctx, recording = cls(), state.recording
        if recording:
            ctx.edges = [
                (a._edge if a._base is None else a._history()) if isinstance(a, Tensor) else None for a in args
            ]
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
            out._look_into(args[0], (cls, args[1:]))
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
            output._check_may_change(self.operation(), writes=False)
            output._bump()
            return output
        for a in args:
            if a is output:
                return output.detach()
        return output if output._base is None else output.detach()

    def _record(self, outs: tuple) -> None:
        """Become the node that made ``outs``."""
        self.number = next(numbers)
        if anomaly.enabled:
            anomaly.note(self)
        special = self._dirty or self._non_differentiable
        outputs: list = []
        self._outputs = outputs
        for o in outs:
            edge = self, len(outputs)
            outputs.append(description(o) if isinstance(o, Tensor) else None)
            if not isinstance(o, Tensor) or o.array.dtype.kind != "f":
                continue
            if special and _index_of(o, self._non_differentiable) is not None:
                continue
            if special and _index_of(o, self._dirty) is not None:
                o._rebase(edge)
            o._edge = edge
        if special:
            self._dirty = self._non_differentiable = ()
        if self._saved:
            saved = (
                functools.partial(_Packed, pack=state.saving[-1][0], unpack=state.saving[-1][1])
                if state.saving
                else _Saved
            )
            self._saved = [s if s is None else saved(s, self) for s in self._saved]


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
        if not state.recording or not any([isinstance(g, Tensor) and g.requires_grad for g in gys]):
            return gxs
        single = not isinstance(gxs, tuple)
        marked = [g if g is None else _NotTwice.apply(ctx.operation(), g, *gys) for g in ((gxs,) if single else gxs)]
        return marked[0] if single else tuple(marked)

    return wrapper


def description(output: Tensor) -> tuple:
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

    def name(self) -> str:
        return "AccumulateGrad"

    def __init__(self, variable: Tensor):
        self._variable = weakref.ref(variable)
        self.number = next(numbers)
        self.describe(variable)

    def describe(self, variable: Tensor) -> None:
        """Note the leaf's shape and type (again, when its ``data`` is replaced)."""
        self._outputs = [description(variable)]

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
            leaf._grad = g if ours and g._base is None else wrap(kernels.of(array).copy(array))
        else:
            grad._counter[0] += 1
            kernels.of(array).add_(grad.array, array)


Tensor._accumulate_grad = AccumulateGrad  # type: ignore[method-assign]
Tensor._named = staticmethod(named)  # type: ignore[method-assign]
Tensor._recording = staticmethod(is_grad_enabled)  # type: ignore[method-assign]
