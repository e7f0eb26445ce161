"""Derivatives of functions, where :func:`~tinyconv.autograd.grad` has derivatives of values: Jacobians, Hessians, and
their products with vectors.

For y = f(x) with Jacobian J: ``vjp`` is J^T v, one backward pass. ``jvp`` is J v, a backward pass through a backward
pass (:func:`pushed_forward`). ``jacobian`` is one ``vjp`` a row.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..tensor import Tensor
from .engine import grad
from .grad_mode import enable_grad

__all__ = ["hessian", "hvp", "jacobian", "jvp", "vhp", "vjp"]


def _tuple(x: Any, name: str) -> tuple:
    xs = x if isinstance(x, tuple) else (x,)
    for i, item in enumerate(xs):
        if not isinstance(item, Tensor):
            raise TypeError(f"{name} must be a tensor or a tuple of tensors, got {type(item).__name__} at {i}")
    return xs


def _evaluated(func: Callable, inputs: Any, create_graph: bool) -> tuple[tuple, tuple, bool]:
    """(inputs that ask for a gradient, outputs, whether ``func`` returned a tuple)."""
    xs = tuple([x.view_as(x) if create_graph else x.detach().requires_grad_() for x in _tuple(inputs, "inputs")])
    xs = tuple([x if x.requires_grad else x.detach().requires_grad_() for x in xs])
    out = func(*xs)
    return xs, _tuple(out, "the outputs of func"), isinstance(out, tuple)


def _grad(ys: Any, xs: Sequence[Tensor], gys: Any, create_graph: bool, retain_graph: bool = True) -> list[Tensor]:
    """The gradients, zeros where there is no way."""
    wanted = [(y, g) for y, g in zip(ys, gys, strict=True) if y is not None and y.requires_grad]
    if not wanted:
        return [x.new_zeros(tuple(x.shape)) for x in xs]
    ys, gys = zip(*wanted)
    found = grad(ys, xs, gys, retain_graph, create_graph, allow_unused=True, materialize_grads=True)
    return [g for g in found if g is not None]


def pushed_forward(
    ys: Sequence[Tensor], xs: Sequence[Tensor], vs: Sequence[Tensor], create_graph: bool
) -> list[Tensor | None]:
    """J v, for v = ``vs``, in the parts that belong to ``ys``, which were computed from ``xs``: J^T u is linear in u,
    and v times its gradient by u is J v. None for each if there is no way to them from ``xs``."""
    us = [y.new_zeros(tuple(y.shape)).requires_grad_() for y in ys]
    wanted = [(y, u) for y, u in zip(ys, us) if y.requires_grad]
    if not wanted:
        return [None] * len(us)
    with enable_grad():
        gxs = grad([y for y, _ in wanted], xs, [u for _, u in wanted], create_graph=True, allow_unused=True)
    if all([g is None for g in gxs]):
        return [None] * len(us)
    return list(_grad(gxs, us, vs, create_graph))


def _vectors(v: Any, like: tuple, name: str) -> tuple:
    """``v``, checked against what it is to be multiplied with; ones for a single number."""
    if v is None:
        if len(like) != 1 or like[0].numel() != 1:
            raise RuntimeError(f"{name}: the vector v can only be None if there is one element")
        return (like[0].new_ones(tuple(like[0].shape)),)
    vs = _tuple(v, "v")
    if [tuple(a.shape) for a in vs] != [tuple(a.shape) for a in like]:
        raise RuntimeError(
            f"{name}: v must have the shapes {[tuple(a.shape) for a in like]}, got {[tuple(a.shape) for a in vs]}"
        )
    return vs


def _as_given(values: Any, several: bool, create_graph: bool) -> Any:
    values = tuple(values) if create_graph else tuple([x.detach() for x in values])
    return values if several else values[0]


def jacobian(
    func: Callable,
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    strategy: str = "reverse-mode",
) -> Any:
    """All derivatives of all outputs of ``func`` by all inputs.

    Args:
        func: takes tensors, returns a tensor or a tuple of them.
        inputs: a tensor or a tuple of them.
        create_graph: let the result be differentiable.
        strict, vectorize, strategy: accepted for PyTorch's sake; without effect.

    Returns:
        A Tensor of shape ``(*output.shape, *input.shape)``; nested in tuples, outputs first, where there are several.
    """
    with enable_grad():
        xs, ys, several = _evaluated(func, inputs, create_graph)
        rows = []
        for y in ys:
            n = y.numel()
            parts = [x.new_zeros((n, *x.shape)) for x in xs]
            for i in range(n):
                seed = y.new_zeros((n,))
                seed[i] = 1
                for part, g in zip(parts, _grad([y], xs, [seed.reshape(tuple(y.shape))], create_graph)):
                    part[i] = g
            parts = [part.reshape((*y.shape, *x.shape)) for part, x in zip(parts, xs)]
            rows.append(_as_given(parts, isinstance(inputs, tuple), create_graph))
    return tuple(rows) if several else rows[0]


def hessian(
    func: Callable,
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    outer_jacobian_strategy: str = "reverse-mode",
) -> Any:
    """All second derivatives of a function with one number as output; arguments as :func:`jacobian`.

    Returns:
        A Tensor of shape ``(*input.shape, *input.shape)``; nested in tuples where there are several inputs.

    Raises:
        RuntimeError: the output is not one number.
    """

    def gradient(*xs: Tensor) -> Any:
        return jacobian(_scalar(func, "hessian"), xs if isinstance(inputs, tuple) else xs[0], create_graph=True)

    return jacobian(gradient, inputs, create_graph)


def _scalar(func: Callable, name: str) -> Callable:
    def scalar(*xs: Tensor) -> Tensor:
        y = func(*xs)
        if not isinstance(y, Tensor) or y.numel() != 1:
            raise RuntimeError(f"{name}: the output of func must be a tensor with one element")
        return y.reshape(())

    return scalar


def vjp(func: Callable, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> tuple:
    """``(func(inputs), J^T v)``: one backward pass.

    Raises:
        RuntimeError: ``v`` has not the outputs' shapes.
    """
    with enable_grad():
        xs, ys, several = _evaluated(func, inputs, create_graph)
        gxs = _grad(ys, xs, _vectors(v, ys, "vjp"), create_graph)
    return _as_given(ys, several, create_graph), _as_given(gxs, isinstance(inputs, tuple), create_graph)


def jvp(func: Callable, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> tuple:
    """``(func(inputs), J v)``.

    Raises:
        RuntimeError: ``v`` has not the inputs' shapes.
    """
    with enable_grad():
        xs, ys, several = _evaluated(func, inputs, create_graph)
        vs = _vectors(v, xs, "jvp")
        found = pushed_forward(ys, xs, vs, create_graph)
        gys = [y.new_zeros(tuple(y.shape)) if g is None else g for y, g in zip(ys, found)]
    return _as_given(ys, several, create_graph), _as_given(gys, several, create_graph)


def vhp(func: Callable, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> tuple:
    """``(func(inputs), v^T H)`` with the Hessian H of a function with one number as output.

    Raises:
        RuntimeError: ``v`` has not the inputs' shapes, or the output is not one number.
    """
    with enable_grad():
        xs, ys, _ = _evaluated(_scalar(func, "vhp"), inputs, create_graph)
        vs = _vectors(v, xs, "vhp")
        gxs = _grad(_grad(ys, xs, [ys[0].new_ones(())], True), xs, vs, create_graph)
    return _as_given(ys, False, create_graph), _as_given(gxs, isinstance(inputs, tuple), create_graph)


def hvp(func: Callable, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> tuple:
    """``(func(inputs), H v)``: the same as :func:`vhp`, the Hessian being symmetric."""
    return vhp(func, inputs, v, create_graph, strict)
