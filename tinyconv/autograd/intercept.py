"""Looking at each Function that a program applies: to count what it costs, or to write it down in another form."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from .function import Function


@contextmanager
def intercept(call: Callable[[Callable, type[Function], tuple], Any]) -> Iterator[None]:
    """Inside of the ``with``, ``SomeFunction.apply(*args)`` is ``call(apply, SomeFunction, args)``.

    The method itself is replaced meanwhile, for all threads, so that nobody pays for a question whether someone looks.

    Args:
        call: returns what is to be the result, as a rule that of ``apply(SomeFunction, *args)``.
    """
    plain = Function.__dict__["apply"]

    def apply(cls: type[Function], *args: Any) -> Any:
        return call(plain.__func__, cls, args)

    Function.apply = classmethod(apply)  # type: ignore[method-assign, assignment]
    try:
        yield
    finally:
        Function.apply = plain  # type: ignore[method-assign]
