"""How a tensor prints: PyTorch's rules, character for character.

One format serves the whole tensor, chosen from its finite nonzero values:

* all of them integers: ``1.``, ``2.``; otherwise ``precision`` (4) decimals;
* scientific (``1.0000e-05``) if the largest is over 1000 times the smallest, or over 1e8, or the smallest under 1e-4;
* every number is padded to the width of the widest.

A tensor of over ``threshold`` (1000) elements shows the first and last ``edgeitems`` (3) of each axis, and the format
is chosen from those alone. After the numbers come the facts they do not show: device, size (of empty tensors), dtype
unless it is the one that such a literal would have, and the node that made the tensor.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from . import dtypes, kernels

if TYPE_CHECKING:
    from .tensor import Tensor

__all__ = ["format_tensor", "get_printoptions", "printoptions", "set_printoptions"]


@dataclass
class _Options:
    precision: int = 4
    threshold: float = 1000
    edgeitems: int = 3
    linewidth: int = 80
    sci_mode: bool | None = None


_PROFILES = {"default": _Options(), "short": _Options(precision=2, edgeitems=2), "full": _Options(threshold=math.inf)}
_options = _Options()


def set_printoptions(
    precision: int | None = None,
    threshold: float | None = None,
    edgeitems: int | None = None,
    linewidth: int | None = None,
    profile: str | None = None,
    sci_mode: bool | None = None,
) -> None:
    """Choose how tensors print. What is not given stays, but ``sci_mode`` returns to None.

    Args:
        precision: decimals of floating-point numbers (default 4).
        threshold: number of elements above which the middle is left out (default 1000).
        edgeitems: elements shown at either end of each axis then (default 3).
        linewidth: characters a line (default 80).
        profile: ``"default"``, ``"short"`` (2 decimals, 2 edge items) or ``"full"`` (nothing left out).
        sci_mode: always (True), never (False) or where it helps (None) use scientific notation.

    Raises:
        ValueError: an unknown profile.
    """
    if profile is not None:
        if profile not in _PROFILES:
            raise ValueError(f"set_printoptions: profile must be one of {list(_PROFILES)}, got {profile!r}")
        vars(_options).update(asdict(_PROFILES[profile]))
    given = {"precision": precision, "threshold": threshold, "edgeitems": edgeitems, "linewidth": linewidth}
    vars(_options).update({name: value for name, value in given.items() if value is not None}, sci_mode=sci_mode)


def get_printoptions() -> dict[str, Any]:
    """The options in force, as keyword arguments for :func:`set_printoptions`."""
    return asdict(_options)


@contextmanager
def printoptions(**options: Any) -> Iterator[None]:
    """Within the ``with`` block, print by ``options`` (those of :func:`set_printoptions`)."""
    before = get_printoptions()
    set_printoptions(**options)
    try:
        yield
    finally:
        set_printoptions(**before)


class _NumberFormat:
    """The common format of some numbers: how to write one, and how wide."""

    def __init__(self, values: np.ndarray):
        self.width = 1
        self.spec: str | None = None  # of Python's format(); None writes integers and bools as they are
        self.point = ""
        if values.dtype.kind != "f":
            self.width = max((len(str(value)) for value in values.ravel().tolist()), default=1)
            return
        self.spec, self.point = ".0f", "."
        telling = values[np.isfinite(values) & (values != 0)].astype(np.float64)
        if telling.size == 0:
            return
        largest, smallest = float(abs(telling).max()), float(abs(telling).min())
        scientific = _options.sci_mode
        if scientific is None:
            scientific = largest / smallest > 1000 or largest > 1e8 or smallest < 1e-4
        if scientific:
            self.spec, self.point = f".{_options.precision}e", ""
        elif (telling != np.ceil(telling)).any():
            self.spec, self.point = f".{_options.precision}f", ""
        self.width = max(len(self.write(value)) for value in telling.tolist())

    def write(self, value: Any) -> str:
        if self.spec is None:
            text = str(value)
        else:
            text = format(value, self.spec) + (self.point if math.isfinite(value) else "")
        return text.rjust(self.width)


def _edges(x: np.ndarray) -> np.ndarray:
    """The elements that a summary of ``x`` shows, in an array of as many axes."""
    edge = _options.edgeitems
    if edge == 0 and x.ndim > 1:
        return x[:0]
    for axis, size in enumerate(x.shape):
        if size > 2 * edge > 0:
            x = np.take(x, [*range(edge), *range(size - edge, size)], axis)
    return x


def _brackets(x: np.ndarray, indent: int, summarize: bool, number: _NumberFormat) -> str:
    """``x`` in nested brackets, the first of which stands in column ``indent``."""
    if x.ndim == 0:
        return number.write(x.item())
    edge = _options.edgeitems
    shorten = summarize and (len(x) > 2 * edge or edge == 0)
    head, tail = (x[:edge], x[len(x) - edge :]) if shorten else (x, x[:0])
    if x.ndim == 1:
        dots = [" ..." if edge else "..."] if shorten else []
        words = [*map(number.write, head.tolist()), *dots, *map(number.write, tail.tolist())]
        per_line = max(1, (_options.linewidth - indent) // (number.width + 2))
        rows = [", ".join(words[i : i + per_line]) for i in range(0, len(words), per_line)]
    else:
        rows = [_brackets(row, indent + 1, summarize, number) for row in head]
        rows += ["..."] if shorten else []
        rows += [_brackets(row, indent + 1, summarize, number) for row in tail]
    return "[" + ("," + "\n" * max(1, x.ndim - 1) + " " * (indent + 1)).join(rows) + "]"


def _facts(t: Tensor) -> Iterator[str]:
    """What the numbers do not show, in PyTorch's order."""
    if t.device.type != "cpu":
        yield f"device='{t.device}'"
    usual: tuple = (dtypes.get_default_dtype(),)
    if t.numel() == 0:
        if t.ndim != 1:
            yield f"size={tuple(t.shape)}"
    else:
        usual += (dtypes.int64, dtypes.boolean)
        if _options.edgeitems == 0:
            yield f"size={tuple(t.shape)}"
    if t.dtype not in usual:
        yield f"dtype={t.dtype}"
    if t.grad_fn is not None:
        yield f"grad_fn=<{t.grad_fn.name()}>"
    elif t.requires_grad:
        yield "requires_grad=True"


def format_tensor(tensor: Tensor) -> str:
    """The text that ``repr(tensor)`` gives, such as ``tensor([1., 2.], requires_grad=True)``.

    Subclasses (other than ``Parameter``, which adds a line of its own) print under their own name.
    """
    name = type(tensor).__name__
    prefix = "tensor(" if name in ("Tensor", "Parameter") else f"{name}("
    text = prefix
    if tensor.numel() == 0:
        text += "[]"
    else:
        x = kernels.of(tensor.array).to_host(tensor.array)
        summarize = x.size > _options.threshold
        text += _brackets(x, len(prefix), summarize, _NumberFormat(_edges(x) if summarize else x))

    column = len(text) - text.rfind("\n") + 1
    for fact in _facts(tensor):
        if column + len(fact) + 2 > _options.linewidth:
            text += ",\n" + " " * len(prefix) + fact
            column = len(prefix) + len(fact)
        else:
            text += ", " + fact
            column += len(fact) + 2
    return text + ")"
