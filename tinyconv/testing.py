"""Assertions about tensors, under the names of ``torch.testing``."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from numbers import Number
from typing import Any

import numpy as np

from . import dtypes
from .ops import as_tensor, isclose
from .tensor import Tensor

__all__ = ["assert_close"]

# (rtol, atol) of the floating types; integers and bools are compared exactly.
TOLERANCES = {dtypes.float16: (1e-3, 1e-5), dtypes.float32: (1.3e-6, 1e-5), dtypes.float64: (1e-7, 1e-7)}


def assert_close(actual: Any, expected: Any, *, allow_subclasses: bool = True, rtol: float | None = None,
                 atol: float | None = None, equal_nan: bool = False, check_device: bool = True,
                 check_dtype: bool = True, check_layout: bool = True, check_stride: bool = False,
                 msg: str | Callable[[str], str] | None = None) -> None:  # fmt: skip
    """Assert that ``|actual - expected| <= atol + rtol * |expected|`` everywhere.

    Args:
        actual, expected: tensors, arrays or numbers, or sequences and mappings of them.
        allow_subclasses: accept tensors of different classes.
        rtol, atol: the tolerances, both or none; by default those of the types: 1.3e-6 and 1e-5 for float32, 1e-7 and
            1e-7 for float64, 1e-3 and 1e-5 for float16, 0 for integers.
        equal_nan: NaN equals NaN.
        check_device, check_dtype, check_layout, check_stride: these must agree, too.
        msg: the message of the error, or a function of the usual one.

    Raises:
        AssertionError: they are not close, and where not.
        TypeError: something that cannot be compared.
        ValueError: one tolerance without the other.
    """
    if (rtol is None) != (atol is None):
        raise ValueError(
            f"rtol and atol must both be specified or both be unspecified, but got rtol={rtol} and atol={atol}."
        )
    options = {"allow_subclasses": allow_subclasses, "rtol": rtol, "atol": atol, "equal_nan": equal_nan,
               "check_device": check_device, "check_dtype": check_dtype, "check_stride": check_stride}  # fmt: skip
    problem = _difference(actual, expected, options, "")
    if problem is not None:
        raise AssertionError(problem if msg is None else msg(problem) if callable(msg) else msg)


def _difference(a: Any, b: Any, options: dict, place: str) -> str | None:
    """What is wrong, or None."""
    if isinstance(a, (Tensor, np.ndarray)) or isinstance(b, (Tensor, np.ndarray)):
        return _of_tensors(a, b, options, place)
    if isinstance(a, Number) and isinstance(b, Number):
        return _of_numbers(a, b, options, place)
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        if a.keys() != b.keys():
            missing, more = sorted(map(repr, b.keys() - a.keys())), sorted(map(repr, a.keys() - b.keys()))
            return (
                f"The keys of the mappings do not match:\nMissing keys in the actual mapping: {missing}\n"
                f"Additional keys in the actual mapping: {more}"
            )
        pairs = [(f"{place}[{key!r}]", a[key], b[key]) for key in a]
    elif _sequences(a, b):
        if len(a) != len(b):
            return f"The length of the sequences mismatch: {len(a)} != {len(b)}"
        pairs = [(f"{place}[{i}]", x, y) for i, (x, y) in enumerate(zip(a, b))]
    elif a is None and b is None:
        return None
    else:
        raise TypeError(f"No comparison pair was able to handle inputs of type {type(a)} and {type(b)}.")
    found = (_difference(x, y, options, where) for where, x, y in pairs)
    return next((problem for problem in found if problem is not None), None)


def _sequences(*values: Any) -> bool:
    return all([isinstance(v, Sequence) and not isinstance(v, str) for v in values])


def _at(place: str) -> str:
    return f"\n\nThe failure occurred for item {place}" if place else ""


def _allowed(limit: float) -> str:
    return f" (up to {limit} allowed)" if limit else ""


def _tolerances(options: dict, *types: Any) -> tuple[float, float]:
    if options["rtol"] is not None:
        return options["rtol"], options["atol"]
    known = [TOLERANCES.get(t, (0.0, 0.0)) for t in types]
    return max(rtol for rtol, _ in known), max(atol for _, atol in known)


def _of_numbers(a: Any, b: Any, options: dict, place: str) -> str | None:
    floating = isinstance(a, float) or isinstance(b, float)
    rtol, atol = _tolerances(options, dtypes.float64 if floating else dtypes.int64)
    if options["check_dtype"] and type(a) is not type(b):
        return f"The (d)types do not match: {type(a)} != {type(b)}.{_at(place)}"
    if a == b or (options["equal_nan"] and a != a and b != b):
        return None
    difference = abs(a - b)
    if math.isfinite(difference) and difference <= atol + rtol * abs(b):
        return None
    return (
        f"Scalars are not {'close' if rtol or atol else 'equal'}!\n\nExpected {b} but got {a}.\n"
        f"Absolute difference: {difference}{_allowed(atol)}\n"
        f"Relative difference: {difference / abs(b) if b else math.inf}{_allowed(rtol)}{_at(place)}"
    )


def _of_tensors(a: Any, b: Any, options: dict, place: str) -> str | None:
    if not options["allow_subclasses"] and type(a) is not type(b):
        raise TypeError(f"assert_close: expected two of one class, got {type(a)} and {type(b)}")
    try:
        x, y = as_tensor(a).detach(), as_tensor(b).detach()
    except (TypeError, ValueError):
        raise TypeError(f"No comparison pair was able to handle inputs of type {type(a)} and {type(b)}.") from None
    for name in ("shape", "device", "dtype"):
        ours, theirs = (getattr(t, name) for t in (x, y))
        if ours != theirs and options.get(f"check_{name}", True):
            return f"The values for attribute '{name}' do not match: {ours} != {theirs}.{_at(place)}"
    if options["check_stride"] and x.stride() != y.stride():
        return f"The values for attribute 'stride()' do not match: {x.stride()} != {y.stride()}.{_at(place)}"
    rtol, atol = _tolerances(options, x.dtype, y.dtype)
    y = y.to(x.device)
    if x.dtype != y.dtype:
        common = dtypes.promote_types(x.dtype, y.dtype)
        x, y = x.to(common), y.to(common)
    if not x.dim():
        return _of_numbers(x.item(), y.item(), {**options, "rtol": rtol, "atol": atol, "check_dtype": False}, place)
    wrong = ~isclose(x, y, rtol=rtol, atol=atol, equal_nan=options["equal_nan"])
    count = int(wrong.sum())
    if not count:
        return None
    if x.dtype is dtypes.boolean:
        x, y = x.long(), y.long()
    absolute = (x - y).abs()
    lines = []
    for what, values, limit in (("absolute", absolute, atol), ("relative", absolute / y.abs(), rtol)):
        worst = int(values.masked_fill(~wrong, -1).argmax())
        index = tuple([int(i) for i in np.unravel_index(worst, tuple(x.shape))])
        lines.append(f"Greatest {what} difference: {values.flatten()[worst].item()} at index {index}{_allowed(limit)}")
    share = 100 * count / x.numel()
    return (
        f"Tensor-likes are not {'close' if rtol or atol else 'equal'}!\n\nMismatched elements: {count} / {x.numel()} "
        f"({share:.1f}%)\n" + "\n".join(lines) + _at(place)
    )
