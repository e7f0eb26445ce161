"""Every cross-reference in a docstring, :func:`f` or :class:`~package.C`, leads to something that is there."""

from __future__ import annotations

import ast
import re
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import tinyconv

ROOT = Path(tinyconv.__file__).parent
ROLE = re.compile(r":(?:func|class|meth|mod|attr|data|exc):`~?([\w.]+)`")


def documented(path: Path) -> list[str]:
    """The docstrings of a file."""
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    kinds = ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef
    return [text for node in nodes if isinstance(node, kinds) and (text := ast.get_docstring(node, clean=False))]


def absolute(name: str) -> Any:
    """What a dotted name from the top means: a module, or what one holds.

    Raises:
        LookupError: nothing.
    """
    parts = name.split(".")
    for k in range(len(parts), 0, -1):
        try:
            found = import_module(".".join(parts[:k]))
        except ImportError:
            continue
        try:
            for part in parts[k:]:
                found = getattr(found, part)
        except AttributeError:
            continue
        return found
    raise LookupError(name)


def leads_somewhere(name: str, module: Any) -> bool:
    """Whether a reference in ``module`` does: by its names, or by those of a class in it; ``.x`` is a neighbour's."""
    if name.startswith((".", "tinyconv.")):
        try:
            absolute(module.__name__.rpartition(".")[0] + name if name.startswith(".") else name)
        except LookupError:
            return False
        return True
    first, *rest = name.split(".")
    for scope in (module, *[value for value in vars(module).values() if isinstance(value, type)]):
        found = getattr(scope, first, None) or getattr(scope, "__annotations__", {}).get(first)
        if found is not None and all(hasattr(found, part) for part in rest[:1]):
            return True
    return False


@pytest.mark.parametrize("name", sorted(path.name for path in ROOT.iterdir() if path.is_dir() or path.suffix == ".py"))
def test_cross_references(name):
    place = ROOT / name
    broken = []
    for path in sorted(place.rglob("*.py")) if place.is_dir() else [place]:
        references = {reference for text in documented(path) for reference in ROLE.findall(text)}
        if not references or path.name == "__main__.py":
            continue
        dotted = ".".join(("tinyconv", *path.relative_to(ROOT).with_suffix("").parts)).removesuffix(".__init__")
        try:
            module = import_module(dotted)
        except ImportError:  # what only a GPU's tools can load
            continue
        broken += [f"{path.relative_to(ROOT)}: {each}" for each in references if not leads_somewhere(each, module)]
    assert not broken
