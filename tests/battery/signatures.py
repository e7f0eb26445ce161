"""What a function's parameters are called: of a built-in of PyTorch, as its documentation shows it."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable


def parameters(function: Callable) -> dict:
    """Name to default.

    Raises:
        ValueError: neither a signature nor a documented one.
    """
    try:
        found = inspect.signature(function).parameters.values()
        if [p.kind for p in found] == [inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD]:
            raise ValueError
        return {p.name: p.default for p in found}
    except ValueError:
        first = next(line.strip() for line in (function.__doc__ or "").splitlines() if line.strip())
    if not first.partition("(")[0].replace("_", "").replace(".", "").isalnum():
        raise ValueError(f"{function} documents no signature")
    text = f"def {first.partition('(')[0].split('.')[-1]}({first.partition('(')[2]}"
    arguments = ast.parse(text.replace("->", "#").partition("#")[0].replace("\\*", "*") + ": pass").body[0].args
    positional = [None] * (len(arguments.args) - len(arguments.defaults)) + arguments.defaults
    pairs = [*zip(arguments.args, positional), *zip(arguments.kwonlyargs, arguments.kw_defaults)]
    return {a.arg: inspect.Parameter.empty if d is None else ast.literal_eval(d) for a, d in pairs}
