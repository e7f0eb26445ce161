"""What changes in place do to the graph: views, and their base's history.

A tensor and its views share memory, so what changes one changes all. The changed tensor takes the history of the new
value; if it is a view, its base's history becomes one that has written into the base, and every other view finds its
own again by taking the steps that made it, from the base's new history (``tensor.py`` says what a view remembers)::

    y = x * 2        # a base; its history is Mul(x)
    v = y[0]         # a view: its base is y, its steps are (Slice, 0), its history is Slice(Mul(x))
    u = y[:, 1]      # another one, which shares an element with v
    v *= 3           # v's new value has the history Mul(v), so y's becomes WriteView(Mul(x), Mul(v)): all from the old
                     # y, but y[0], which comes from v's new value
    u.sum()          # u notices that y has another history than when u was made, and takes Slice(WriteView(...))
"""

from __future__ import annotations

from typing import Any

from .. import kernels
from ..dtypes import RANK
from ..tensor import Tensor
from .function import Function, description, numbers
from .grad_mode import enable_grad, state


def look_into(view: Tensor, source: Tensor, step: tuple) -> None:
    """Note that ``view`` looks into the memory of ``source`` by ``step``: a view Function, and its arguments without
    the tensor."""
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


def shares_elements(array: Any) -> bool:
    """Whether several elements are one place in memory, as those of an expanded tensor are."""
    strides = getattr(array, "strides", ())
    return 0 in strides and 0 not in array.shape and any([not step and n > 1 for step, n in zip(strides, array.shape)])


def is_read_only(array: Any) -> bool:
    """Whether the memory is someone's who let nobody write to it: a NumPy array that says so, a file."""
    return not getattr(getattr(array, "flags", None), "writeable", True)


def check_may_change(x: Tensor, name: str, writes: bool = True) -> None:
    """Raise if changing ``x`` in place would falsify a leaf that requires grad, or if what it ``writes`` to one element
    would be seen in others, or its memory is read-only."""
    if writes and shares_elements(x.array):
        raise RuntimeError(
            f"{name}: unsupported operation: more than one element of the written-to tensor (shape "
            f"{tuple(x.array.shape)}) refers to a single memory location, as in an expanded tensor; clone() it first"
        )
    if writes and is_read_only(x.array):
        raise RuntimeError(
            f"{name}: the memory of the written-to tensor (shape {tuple(x.array.shape)}) is read-only, like that of "
            "the NumPy array it was made from; clone() it first"
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


def rebase(x: Tensor, edge: tuple[Any, int]) -> None:
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
    write.number = next(numbers)
    write._outputs = [description(base)]
    base._edge = (write, 0)


def overwrite(x: Tensor, result: Tensor, name: str) -> Tensor:
    """Every in-place operation: ``x`` takes the value and the history of ``result``, computed out of place."""
    check_may_change(x, name)
    if result.array.shape != x.array.shape:
        raise RuntimeError(f"{name}: the result has shape {tuple(result.array.shape)}, self has {tuple(x.array.shape)}")
    if RANK[result.array.dtype.kind] > RANK[x.array.dtype.kind]:
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


Tensor._look_into = look_into  # type: ignore[assignment, method-assign]
Tensor._follow_base = _follow_base  # type: ignore[method-assign]
Tensor._check_may_change = check_may_change  # type: ignore[assignment, method-assign]
Tensor._rebase = rebase  # type: ignore[assignment, method-assign]
