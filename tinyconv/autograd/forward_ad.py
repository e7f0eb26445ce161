"""Dual numbers, PyTorch's ``torch.autograd.forward_ad``: a tensor x and its tangent t stand for x + eps t, and any
function of them for f(x) + eps J t, so that one evaluation gives a value and the derivative in one direction::

    with forward_ad.dual_level():
        y = f(forward_ad.make_dual(x, t))
        value, derivative = forward_ad.unpack_dual(y)

No operation here has a second rule for tangents: inside the block everything is recorded, and unpacking goes from y
back to the duals, and from there forward again (:func:`~tinyconv.autograd.functional.pushed_forward`). So a dual
requires grad even if its primal does not, and what ``no_grad`` or ``detach`` hides has no tangent.
"""

from __future__ import annotations

from collections import namedtuple
from typing import Any

from ..tensor import Tensor
from .functional import pushed_forward
from .grad_mode import state

__all__ = ["UnpackedDualTensor", "dual_level", "enter_dual_level", "exit_dual_level", "make_dual", "unpack_dual"]

UnpackedDualTensor = namedtuple("UnpackedDualTensor", ["primal", "tangent"])

_duals: list[tuple[Tensor, Tensor, bool]] | None = None  # (dual, tangent, whether the primal has a history)
_recorded_before = True


def enter_dual_level() -> int:
    """Begin the block in which duals live; returns its number, 0.

    Raises:
        RuntimeError: inside such a block.
    """
    global _duals, _recorded_before
    if _duals is not None:
        raise RuntimeError("dual_level: nested forward mode AD is not supported; func.jvp may be nested")
    _duals, _recorded_before, state.recording = [], state.recording, True
    return 0


def exit_dual_level(*, level: int | None = None) -> None:
    """End the block: its duals are tensors as any others.

    Raises:
        RuntimeError: no block has begun.
    """
    global _duals
    if _duals is None:
        raise RuntimeError("exit_dual_level: there is no level to exit; say `with dual_level():`")
    _duals, state.recording = None, _recorded_before


class dual_level:
    """``with dual_level():``, the block in which duals live."""

    def __enter__(self) -> int:
        return enter_dual_level()

    def __exit__(self, *exc: object) -> None:
        exit_dual_level()


def make_dual(tensor: Tensor, tangent: Tensor, *, level: int | None = None) -> Tensor:
    """``tensor + eps * tangent``, on the memory of ``tensor``.

    Raises:
        RuntimeError: outside of a level; tensors of different shape, type or device.
        ValueError: tensors that are not of floating point.
    """
    if _duals is None:
        raise RuntimeError("make_dual: duals live in a level only; say `with dual_level():`")
    for name, x in ("tensor", tensor), ("tangent", tangent):
        if not x.is_floating_point():
            raise ValueError(f"make_dual: {name} must be of floating point, got {x.dtype}")
    for what in "shape", "dtype", "device":
        own, got = getattr(tensor, what), getattr(tangent, what)
        if own != got:
            raise RuntimeError(f"make_dual: tangent must have the {what} of tensor, {own}, got {got}")
    dual = tensor.view_as(tensor) if tensor.requires_grad else tensor.detach().requires_grad_()
    _duals.append((dual, tangent, tensor.requires_grad))
    return dual


def unpack_dual(tensor: Tensor, *, level: int | None = None) -> Any:
    """The named tuple (primal, tangent) of a function of duals; the tangent of what depends on none is None.

    The primal shares memory with ``tensor``. Both are differentiable if a primal or a tangent was.
    """
    if not _duals or not tensor.requires_grad:
        return UnpackedDualTensor(tensor, None)
    duals, tangents, histories = zip(*_duals)
    further = any(histories) or any([t.requires_grad for t in tangents])
    (tangent,) = pushed_forward([tensor], duals, tangents, further)
    return UnpackedDualTensor(tensor if further else tensor.detach(), tangent)
