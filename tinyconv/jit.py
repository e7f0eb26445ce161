"""PyTorch's TorchScript, as far as a program only turns it on: models are run as they are written.

``script`` and ``trace`` make a faster or a portable program of a model there. Here the kernels are compiled already,
and a model is exported by :func:`tinyconv.onnx.export`; so both return what they are given.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from .nn import Module

__all__ = [
    "Final",
    "ScriptFunction",
    "ScriptModule",
    "annotate",
    "export",
    "freeze",
    "ignore",
    "is_scripting",
    "is_tracing",
    "load",
    "optimize_for_inference",
    "save",
    "script",
    "script_if_tracing",
    "trace",
    "unused",
]


class ScriptModule(Module):
    """What ``script`` makes of a model in PyTorch. Here it stays what it was, so that nothing is one: programs ask."""


class ScriptFunction:
    """What ``script`` makes of a function in PyTorch; nothing is one here."""


def script(obj: Any, **options: Any) -> Any:
    """``obj`` itself: a model or a function, also as a decorator.

    Raises:
        TypeError: it cannot be called.
    """
    if not callable(obj):
        raise TypeError(f"jit.script: expected a model or a function, got {type(obj).__name__}")
    return obj


def trace(func: Any, example_inputs: Any = None, *args: Any, **options: Any) -> Any:
    """``func`` itself, after one call with ``example_inputs`` (a tuple of arguments, or the only one), which would show
    an error.

    Raises:
        TypeError: it cannot be called.
    """
    if not callable(func):
        raise TypeError(f"jit.trace: expected a model or a function, got {type(func).__name__}")
    if example_inputs is not None:
        func(*(example_inputs if isinstance(example_inputs, tuple) else (example_inputs,)))
    return func


def freeze(mod: Any, *args: Any, **options: Any) -> Any:
    """``mod`` itself."""
    return mod


def optimize_for_inference(mod: Any, *args: Any, **options: Any) -> Any:
    """``mod`` itself."""
    return mod


def _decorator(name: str) -> Callable:
    def decorated(fn: Any = None, **options: Any) -> Any:
        return (lambda function: function) if fn is None else fn

    decorated.__name__ = decorated.__qualname__ = name
    decorated.__doc__ = "A decorator without effect: nothing is left out, as nothing is translated."
    return decorated


ignore, unused, export = _decorator("ignore"), _decorator("unused"), _decorator("export")


def script_if_tracing(fn: Callable) -> Callable:
    """``fn`` itself."""
    return fn


def annotate(the_type: Any, the_value: Any) -> Any:
    """``the_value``: its type is its own."""
    return the_value


def is_scripting() -> bool:
    """False: nothing is translated."""
    return False


def is_tracing() -> bool:
    """False: nothing is recorded but gradients."""
    return False


def save(m: Any, f: Any, *args: Any, **options: Any) -> None:
    """There are no TorchScript files here.

    Raises:
        NotImplementedError: always; it says what to do instead.
    """
    raise NotImplementedError(
        "jit.save: TorchScript files hold code, and tinyconv writes none; save the weights with "
        "tinyconv.save(model.state_dict(), f), or the model with tinyconv.onnx.export"
    )


def load(f: Any, *args: Any, **options: Any) -> Any:
    """There are no TorchScript files here.

    Raises:
        NotImplementedError: always; it says what to do instead.
    """
    raise NotImplementedError(
        "jit.load: TorchScript files hold code, and tinyconv runs none of it; load weights with "
        "model.load_state_dict(tinyconv.load(f))"
    )
