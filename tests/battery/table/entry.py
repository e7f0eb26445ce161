"""What an entry of the table says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from ..calls import Build, Call, Program


@dataclass(frozen=True)
class Entry:
    """How a public name is checked.

    Attributes:
        calls: what it is called with.
        formula: the same computation in NumPy or SciPy, of the same arguments as arrays.
        random: values come from a stream of our own; only shapes and dtypes are compared.
        rejected: calls that must be errors, in PyTorch as well.
        without: a check (or ``"check: part of a variation's note"``) that does not apply, and why.
    """

    calls: tuple[Call, ...]
    formula: Callable | None = None
    random: bool = False
    rejected: tuple[Call, ...] = ()
    without: dict[str, str] = field(default_factory=dict)


TABLE: dict[str, Entry] = {}
EXCLUDED: dict[str, str] = {}


def entry(names: str, *calls: Call, **more: Any) -> None:
    """File one entry under each of the ``names``."""
    for name in names.split():
        if name in TABLE:
            raise ValueError(f"{name} has an entry already")
        TABLE[name] = Entry(calls, **more)


def differs(names: str, checks: str, reason: str) -> None:
    """Leave ``checks`` (``"check"`` or ``"check: part of a variation's note"``, several with ``|`` between) of entries
    out, and say why."""
    for name in names.split():
        found = TABLE[name]
        more = {check.strip(): reason for check in checks.split("|")}
        TABLE[name] = replace(found, without={**found.without, **more})


def exclude(names: str, reason: str) -> None:
    """Leave names out of the walk."""
    for name in names.split():
        EXCLUDED[name] = reason


def call(*args: Any, **kwargs: Any) -> Call:
    """``function(*args, **kwargs)``; each :class:`~..arrays.Array` becomes a tensor."""
    return Call(args, kwargs)


def program(function: Callable, *args: Any, **kwargs: Any) -> Program:
    """``function(library, callable, *tensors)``."""
    return Program((function, *args), kwargs)


def build(*options: Any, **by_name: Any) -> Callable[..., Build]:
    """A module made with these options: ``build(1, 2, bias=False)(x(3, 1))``."""

    def with_inputs(*inputs: Any, train: bool = True, **named: Any) -> Build:
        return Build(inputs, named, "", (options, by_name), train)

    return with_inputs
