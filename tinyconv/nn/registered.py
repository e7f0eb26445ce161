"""Attributes that find what a module has registered: its parameters, buffers and children.

``Module.__getattr__`` finds these as well, but Python asks that only after it has looked everywhere else and made an
AttributeError, which takes five times as long; in a small network that is felt. So a class gets a descriptor for each
name that one of its instances registers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["Registered", "let_find"]


class Registered:
    """The attribute of a class that finds what its instances have registered under a name. It is not inherited: classes
    derived from it may have a ``__getattr__`` of their own."""

    __slots__ = ("cls", "name", "registry")

    def __init__(self, cls: type, registry: str, name: str):
        self.cls, self.registry, self.name = cls, registry, name

    def __get__(self, module: Any, cls: type) -> Any:
        if module is not None and cls is self.cls:
            registered = module.__dict__.get(self.registry, ())  # before Module.__init__() there is none
            if self.name in registered:
                return registered[self.name]
        try:  # as if this were not here: another base may have an attribute of the name
            return getattr(super(self.cls, cls if module is None else module), self.name)
        except AttributeError:  # an instance's __getattr__ is asked now
            raise AttributeError(f"type object {cls.__name__!r} has no attribute {self.name!r}") from None


def let_find(cls: Any, registry: str, name: str, slow: Callable) -> None:
    """Let instances of ``cls`` find what they have registered as ``name`` fast, unless the class has an attribute of
    that name, or looks elsewhere: its ``__getattr__`` is not ``slow``.

    Args:
        cls: a class of modules.
        registry: ``"_parameters"``, ``"_buffers"`` or ``"_modules"``.
        name: the attribute.
        slow: ``Module.__getattr__``.
    """
    if cls.__getattr__ is not slow or name in cls.__dict__:
        return
    found = Registered(cls, registry, name)
    if all([type(vars(base).get(name, found)) is Registered for base in cls.__mro__]):
        setattr(cls, name, found)
