"""Write ``tensor.pyi``, which tells type checkers and editors what a tensor can do.

Most methods are attached to :class:`~tinyconv.tensor.Tensor` when tinyconv is imported, where no type checker sees
them. The stub is ``tensor.py`` without its function bodies, and the signatures of whatever was attached since::

    python -m tinyconv.ops.stubs

A test keeps it up to date.
"""

from __future__ import annotations

import ast
import builtins
import inspect
from collections.abc import Callable
from pathlib import Path

from ..tensor import Tensor

SOURCE = Path(inspect.getfile(Tensor))
HEADER = '''"""Written by ``python -m tinyconv.ops.stubs``: do not edit."""

# fmt: off
# ruff: noqa
# mypy: disable-error-code="override"

import builtins
from collections.abc import Callable
from typing import Any

from . import dtypes
from .autograd import RemovableHandle
from .random import Generator

'''


class _WithoutBodies(ast.NodeTransformer):
    """Functions keep their signatures alone."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        node.body = [ast.Expr(ast.Constant(...))]
        return node


class _Qualified(ast.NodeTransformer):
    """Inside the class ``float`` means its method of that name, so annotations must say ``builtins.float``."""

    def __init__(self, members: set[str]):
        self.members = members

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if node.id not in self.members:
            return node
        if hasattr(builtins, node.id):
            return ast.Attribute(ast.Name("builtins", ast.Load()), node.id, ast.Load())
        return ast.Name(f"_{node.id}", ast.Load())

    def visit_Assign(self, node: ast.Assign) -> ast.Assign:
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        node.args = self.visit(node.args)
        node.returns = node.returns and self.visit(node.returns)
        return node  # the decorators stay: `property` and `data.setter` mean what they say


class _Bare(str):
    """An annotation, which is text already, to be printed without quotes."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def _shown(signature: inspect.Signature) -> str:
    """A signature as code: annotations as they were written, defaults as Python reads them."""
    parameters = [p.replace(annotation=_Bare(p.annotation)) if isinstance(p.annotation, str) else p
                  for p in signature.parameters.values()]  # fmt: skip
    answer = signature.return_annotation
    return str(inspect.Signature(parameters, return_annotation=_Bare(answer) if isinstance(answer, str) else answer))


def _signature(name: str, function: Callable) -> str:
    """The signature of a method, with ``self`` for whatever the function calls its first argument."""
    outer, inner = inspect.signature(function, follow_wrapped=False), inspect.signature(function)
    kept = outer if name.startswith("__") else inner  # an operator takes one operand, whatever the operation takes
    first, *others = kept.parameters.values()
    if first.kind is inspect.Parameter.VAR_POSITIONAL:
        others = [first, *others]
    own = inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return _shown(inspect.Signature([own, *others], return_annotation=inner.return_annotation))


def _attached(name: str, member: object) -> str:
    """The declaration of one attribute that other modules gave to Tensor."""
    if isinstance(member, property):
        return f"@property\ndef {name}{_signature(name, member.fget)}: ..."  # type: ignore[arg-type]
    if isinstance(member, staticmethod):
        return f"@staticmethod\ndef {name}{_shown(inspect.signature(member.__func__))}: ..."
    assert callable(member)
    return f"def {name}{_signature(name, member)}: ..."


def stub() -> str:
    """The text of ``tensor.pyi``."""
    source = ast.parse(SOURCE.read_text(encoding="utf-8"))
    own = [node for node in source.body if isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AnnAssign))]
    (cls,) = [node for node in own if isinstance(node, ast.ClassDef) and node.name == "Tensor"]
    written = {node.name for node in cls.body if isinstance(node, ast.FunctionDef)}
    written |= {target.id for node in cls.body if isinstance(node, ast.Assign) for target in ast.walk(node.targets[0])
                if isinstance(target, ast.Name)}  # fmt: skip
    for name, member in vars(Tensor).items():
        if name not in written and (callable(member) or isinstance(member, (property, staticmethod))):
            cls.body += ast.parse(_attached(name, member)).body
    members = {node.name for node in cls.body if isinstance(node, ast.FunctionDef)}
    lines = []
    for node in own:
        node = _WithoutBodies().visit(node)
        if node is cls:
            node = _Qualified(members).visit(node)
        if isinstance(node, ast.ClassDef):
            documented = isinstance(node.body[0], ast.Expr)
            node.body = [n for n in node.body[documented:] if not isinstance(n, ast.Expr)]
        lines.append(ast.unparse(ast.fix_missing_locations(node)))
        if isinstance(node, ast.ClassDef) and node.name == "device":
            lines.append("_device = device\nCPU: device")
    return HEADER + "\n\n".join(lines) + "\n"


if __name__ == "__main__":
    SOURCE.with_suffix(".pyi").write_text(stub(), encoding="utf-8")
