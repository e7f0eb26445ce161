"""What is public: every callable that a user can reach, by walking the package."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import tinyconv
from tinyconv import nn, optim
from tinyconv.nn import functional
from tinyconv.ops import OPERATORS
from tinyconv.optim import lr_scheduler

from .table import EXCLUDED, TABLE, Entry

ROOMS = {
    "tinyconv": lambda library: library,
    "Tensor": lambda library: library.Tensor,
    "F": lambda library: library.nn.functional,
    "nn": lambda library: library.nn,
    "optim": lambda library: library.optim,
    "lr_scheduler": lambda library: library.optim.lr_scheduler,
    "linalg": lambda library: library.linalg,
    "special": lambda library: library.special,
}


BUILT_IN = ("__bool__", "__float__", "__int__", "__len__")  # what Python's own functions ask a tensor


def members(room: str) -> Iterator[str]:
    """The public names of a room: what is callable, and a tensor's properties."""
    place: Any
    if room in ("linalg", "special"):
        yield from getattr(tinyconv, room).__all__
    elif room in ("F", "nn", "lr_scheduler"):
        place = {"F": functional, "nn": nn, "lr_scheduler": lr_scheduler}[room]
        yield from place.__all__
        yield from (n for n in vars(place) if n.endswith("_") and not n.startswith("_"))  # F.relu_
    elif room == "Tensor":
        yield from (
            name for name in dir(tinyconv.Tensor) if not name.startswith("_") or name in (*OPERATORS, *BUILT_IN)
        )
    else:
        place = {"tinyconv": tinyconv, "optim": optim}[room]
        for name, value in sorted(vars(place).items()):
            if not name.startswith("_") and callable(value):
                yield name


@dataclass(frozen=True)
class Subject:
    """One public name, and the entry that says how to call it."""

    room: str
    name: str
    entry: Entry

    def __str__(self) -> str:
        return f"{self.room}.{self.name}"

    @property
    def in_place(self) -> bool:
        """Whether it writes into its first argument: ``x.add_()``, ``x += y``, ``F.relu_(x)``."""
        if self.name.startswith("__"):
            return self.name.startswith("__i") and self.name not in ("__invert__", "__iter__")
        return self.name.endswith("_")

    def function(self, library: Any) -> Callable:
        """What to call, with the tensor first."""
        if not hasattr(ROOMS[self.room](library), self.name):
            raise LookupError(f"{library.__name__} has no {self}")
        if self.in_place:
            return lambda t, *args, **kwargs: self._changed(
                getattr(ROOMS[self.room](library), self.name), t, args, kwargs
            )
        if self.room != "Tensor":
            return getattr(ROOMS[self.room](library), self.name)
        found = inspect.getattr_static(tinyconv.Tensor, self.name)
        if isinstance(found, property) or not callable(found):
            return lambda t: getattr(t, self.name)
        return getattr(library.Tensor, self.name)

    def _changed(self, change: Callable, t: Any, args: tuple, kwargs: dict) -> Any:
        """A copy of ``t``, and another as part of a larger tensor, after the change."""
        whole, part = t.clone(), (t.unsqueeze(0) * 1).expand(2, *t.shape).clone()
        answer = change(whole, *args, **kwargs)
        if answer is NotImplemented or self.entry.random:
            return answer
        change(part[1], *args, **kwargs)
        return answer, whole, part


def excluded(room: str, name: str) -> str | None:
    """Why a name is not walked, or None."""
    return EXCLUDED.get(f"{room}.{name}") or (EXCLUDED.get(name) if f"{room}.{name}" not in TABLE else None)


def key_of(room: str, name: str) -> str | None:
    """What a name's entry is filed under: the name, else that of the function it is another spelling of."""
    plain = name.strip("_")
    keys = (
        f"{room}.{name}",
        name,
        f"{room}.{plain}",
        name.rstrip("_") if not name.startswith("__") else plain,
        ALIASES.get(name),
    )
    return next((key for key in keys if key in TABLE), None)


def entry_of(room: str, name: str) -> Entry | None:
    """The entry of a name."""
    key = key_of(room, name)
    return None if key is None else TABLE[key]


ALIASES = {
    "__truediv__": "div",
    "__itruediv__": "div",
    "__and__": "bitwise_and",
    "__or__": "bitwise_or",
    "__xor__": "bitwise_xor",
    "__invert__": "bitwise_not",
    "__rand__": "bitwise_and",
    "__ror__": "bitwise_or",
    "__rxor__": "bitwise_xor",
    "__iand__": "bitwise_and",
    "__ior__": "bitwise_or",
    "__ixor__": "bitwise_xor",
    "__imul__": "mul",
    "__rmul__": "mul",
    "__matmul__": "matmul",
}


def names() -> list[tuple[str, str]]:
    """Every public (room, name) that is not excluded."""
    return [(room, name) for room in ROOMS for name in members(room) if not excluded(room, name)]


def subjects() -> list[Subject]:
    """Every public name that has an entry."""
    found = ((room, name, entry_of(room, name)) for room, name in names())
    return [Subject(room, name, entry) for room, name, entry in found if entry is not None]
