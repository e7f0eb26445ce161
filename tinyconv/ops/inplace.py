"""Operations in place: ``x.add_(y)``, ``x += y``, ``x.zero_()``.

There is one rule: compute the result out of place, then let x take its value and its history
(:func:`tinyconv.autograd.overwrite`). So every operation has its in-place form for one line in a table, and autograd
needs nothing new. Where nothing is recorded, the commonest ones go straight to a kernel.
"""

from __future__ import annotations

import functools
from typing import Any

from .. import kernels
from ..autograd import Function, check_may_change, enable_grad, is_grad_enabled, overwrite
from ..tensor import Tensor, wrap
from .convert import cast
from .elementwise import add, mul, sub
from .types import fitting, number, operands, values


def _recorded(*tensors: Any) -> bool:
    return is_grad_enabled() and any([isinstance(x, Tensor) and x.requires_grad for x in tensors])


def change(x: Tensor, name: str, operation: Any, *args: Any, composed: bool = True, **kwargs: Any) -> Tensor:
    """The rule: ``x`` takes the value and the history of ``operation(x, ...)``.

    Args:
        x: the tensor to change.
        name: what an error calls the operation.
        operation: computes the result out of place.
        args, kwargs: its other arguments.
        composed: whether the operation consists of several, any of which may save x for its gradient: while recording
            they are given a copy. (What a single one saves ``overwrite`` copies, if it is x.)
    """
    source = x.clone() if composed and _recorded(x, *args) else x
    result = operation(source, *args, **kwargs)
    if _recorded(x) and not result.requires_grad and result.array.shape == x.array.shape:
        result = Fill.apply(x, cast(result, x.array.dtype))  # what was there before gets no gradient
    return overwrite(x, result, name)


def in_place(operation: Any, name: str | None = None, composed: bool = False) -> Any:
    """The in-place form of ``operation(input, ...)``, which is called ``name`` (default: its own name); ``composed`` as
    in :func:`change`."""
    name = name or operation.__name__

    @functools.wraps(operation)
    def method(input: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        return change(input, method.__name__, operation, *args, composed=composed, **kwargs)

    method.__name__ = method.__qualname__ = f"{name}_"
    method.__doc__ = f":func:`tinyconv.{name}`, in place: the result overwrites this tensor, which is returned."
    return method


def reshape_in_place(view: Any) -> Any:
    """The in-place form of a view: the tensor itself becomes what ``view(tensor, ...)`` would be."""

    @functools.wraps(view)
    def method(self: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        check_may_change(self, method.__name__, writes=False)
        same = self.detach()
        if self.is_leaf:
            self.data = view(same, *args, **kwargs)
            return self
        same._edge, base = self._history(), self._base
        if base is not None:
            same._base, same._steps, same._base_edge = base, self._steps, self._base_edge
        with enable_grad():
            result = view(same, *args, **kwargs)
        self.array, self._edge = result.array, result._edge
        if base is not None:
            self._steps, self._base_edge = result._steps, result._base_edge
        return self

    method.__name__ = method.__qualname__ = f"{view.__name__}_"
    method.__doc__ = f":func:`tinyconv.{view.__name__}`, in place: this tensor is seen that way from now on."
    return method


def _may_go_straight(x: Tensor, other: Any) -> bool:
    """Nothing is recorded, and the kernel can write into x: same floating dtype, and other broadcasts to x and does not
    look into its memory (or it would share its counter)."""
    if _recorded(x, other) or x.array.dtype.kind != "f":
        return False
    return not isinstance(other, Tensor) or (
        other.array.dtype == x.array.dtype
        and other._counter is not x._counter
        and type(other.array) is type(x.array)
        and (other.array.shape == x.array.shape or other.array.ndim == 0)
    )


def add_(self: Tensor, other: Any, *, alpha: Any = 1) -> Tensor:
    """``self += alpha * other``, in place."""
    if not _may_go_straight(self, other):
        return overwrite(self, add(self, other, alpha=alpha), "add_")
    check_may_change(self, "add_")
    operands(self, other, "add_")
    kernels.of(self.array).add_(self.array, values(other)[0], alpha)
    self._bump()
    return self


def sub_(self: Tensor, other: Any, *, alpha: Any = 1) -> Tensor:
    """``self -= alpha * other``, in place."""
    return add_(self, other, alpha=-alpha) if _may_go_straight(self, other) else overwrite(
        self, sub(self, other, alpha=alpha), "sub_"
    )  # fmt: skip


def mul_(self: Tensor, other: Any) -> Tensor:
    """``self *= other``, in place."""
    if not _may_go_straight(self, other):
        return overwrite(self, mul(self, other), "mul_")
    check_may_change(self, "mul_")
    operands(self, other, "mul_")
    kernels.of(self.array).mul_(self.array, values(other)[0])
    self._bump()
    return self


class Fill(Function):
    """y = value, which has the shape of x or none;  gx = 0, and gvalue = gy (summed, if value is one number)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, value: Any) -> Tensor:
        ctx.value_shape = value.array.shape if isinstance(value, Tensor) else None
        backend = kernels.of(x.array)
        y = backend.empty(x.array.shape, x.array.dtype)
        backend.assign(y, values(value)[0])
        return wrap(y)

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> tuple:
        need = ctx.needs_input_grad
        return gy.new_zeros(gy.array.shape) if need[0] else None, gy.sum_to_size(ctx.value_shape) if need[1] else None


def fill_(self: Tensor, value: Any) -> Tensor:
    """Set every element to ``value`` (a number or a 0-d tensor), in place.

    Raises:
        RuntimeError: ``value`` is a tensor with dimensions, or beyond the type's numbers.
        TypeError: it is neither a number nor a tensor.
    """
    if not isinstance(value, Tensor):
        number(value, "fill_: value")
        value = fitting(value, self.array.dtype, "fill_")
    elif value.array.ndim:
        raise RuntimeError(f"fill_: value must be a number or a 0-d tensor, got shape {tuple(value.array.shape)}")
    if _recorded(self, value):
        value = cast(value, self.array.dtype) if isinstance(value, Tensor) else value
        return overwrite(self, Fill.apply(self, value), "fill_")
    check_may_change(self, "fill_")
    kernels.of(self.array).assign(self.array, values(value)[0])
    self._bump()
    return self


def zero_(self: Tensor) -> Tensor:
    """Set every element to 0, in place."""
    return fill_(self, 0)


def copy_(self: Tensor, src: Tensor, non_blocking: bool = False) -> Tensor:
    """Take over the values of ``src`` (broadcast, cast), in place.

    Raises:
        RuntimeError: ``src`` does not broadcast to this shape.
    """
    check_may_change(self, "copy_")
    if src.device != self.device:
        src = src.to(self.device)
    expanded = src if src.array.shape == self.array.shape else src.expand(self.array.shape)
    if _recorded(self, src):
        return overwrite(self, Fill.apply(self, cast(expanded, self.array.dtype)), "copy_")
    kernels.of(self.array).assign(self.array, expanded.array)
    self._bump()
    return self
