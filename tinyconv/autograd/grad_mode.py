"""To record or not to record: ``no_grad``, ``enable_grad`` and their kin."""

from __future__ import annotations

import functools
import inspect
import threading
from collections.abc import Callable
from typing import Any


class _State(threading.local):  # each thread has its own
    recording = True
    saving: tuple = ()  # the hooks on what is saved, the innermost last: graph.py
    no_saving_hooks: str | None = None  # why there may be none just now


state = _State()


def is_grad_enabled() -> bool:
    """Whether operations are recorded in this thread."""
    return state.recording


class set_grad_enabled:
    """Record operations or not: at once, and as a context manager or decorator until its end."""

    def __init__(self, mode: bool):
        self._value = bool(mode)
        self._before: list[bool] = [state.recording]
        state.recording = self._value

    def __enter__(self) -> None:
        state.recording = self._value

    def __exit__(self, *exc: object) -> None:
        state.recording = self._before[-1]

    def __call__(self, function: Callable) -> Callable:
        state.recording = self._before[-1]  # used as a decorator: undo what __init__ did
        return _Switch(self._value)(function)


class _Switch:
    """Context manager and decorator behind :class:`no_grad` and :class:`enable_grad`; may be nested and reused."""

    def __init__(self, value: bool):
        self._value = value
        self._before: list[bool] = []

    def __enter__(self) -> None:
        self._before.append(state.recording)
        state.recording = self._value

    def __exit__(self, *exc: object) -> None:
        state.recording = self._before.pop()

    def __call__(self, function: Callable) -> Callable:
        @functools.wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            with _Switch(self._value):
                return function(*args, **kwargs)

        @functools.wraps(function)
        def generator(*args: Any, **kwargs: Any) -> Any:
            steps, sent = function(*args, **kwargs), None
            while True:  # the mode holds while the generator runs, not while its caller does
                try:
                    with _Switch(self._value):
                        item = steps.send(sent)
                except StopIteration as end:
                    return end.value
                sent = yield item

        return generator if inspect.isgeneratorfunction(function) else wrapper


def _switch(value: bool, doc: str) -> Callable:
    class switch(_Switch):
        __doc__ = doc

        def __new__(cls, function: Callable | None = None) -> Any:  # `@no_grad` works without parentheses too
            return super().__new__(cls) if function is None else _Switch(value)(function)

        def __init__(self) -> None:
            super().__init__(value)

    return switch


no_grad = _switch(False, "Do not record operations: ``with no_grad(): ...`` or ``@no_grad()``.")
enable_grad = _switch(True, "Record operations, also inside a ``no_grad`` block.")


def inference_mode(mode: bool = True) -> _Switch:
    """PyTorch's name for a stricter ``no_grad``; here it is the same."""
    return _Switch(not mode)
