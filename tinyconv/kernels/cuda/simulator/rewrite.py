"""From what one thread does to what all threads do: a kernel's source, rewritten for lanes.

A GPU runs the threads of a warp in *lockstep*: one instruction for all of them, and where threads disagree on an
``if``, both branches one after the other, with the threads that do not take part switched off. The simulator does
literally that, with NumPy arrays in the place of registers: a variable holds one number per thread (or a plain Python
number, where all threads agree), and ``LANES.active`` says who takes part. Arithmetic needs no rewriting, for ``x + y``
adds all lanes at once. What does is control:

======================  ========================================================================================
the kernel              what runs
======================  ========================================================================================
``x = e``               ``x = LANES.put(x, e)``: only the active lanes get the new value
``if c: A else: B``     ``LANES.branch(c)``; ``if LANES.then(): A``; ``if LANES.otherwise(): B``; ``LANES.join()``
``while c: A``          ``LANES.enter()``; ``while LANES.again() and LANES.test(c): A``; ``LANES.exit()``
``for k in range(n)``   ``for k in LANES.range(n)``, which yields to those for whom there is another k
``break``, ``continue`` ``LANES.leave()``, ``LANES.skip()``: the active lanes are switched off
``return e``            ``r = LANES.put(r, e); LANES.retire()``, and ``r`` is returned at the end
``a if c else b``       ``LANES.choose(c, lambda: a, lambda: b)``
``a and b``, ``or``     ``LANES.both(a, lambda: b)``, ``LANES.either(...)``: b is looked at only where it matters
======================  ========================================================================================

Line numbers stay those of the source file, so tracebacks and debuggers show the kernel itself.
"""

from __future__ import annotations

import ast
import copy
import inspect
import textwrap
from collections.abc import Callable
from types import CodeType
from typing import Any


class Unset:
    """The value of a variable that nothing has been assigned to."""

    def __repr__(self) -> str:
        return "(unset)"


UNSET = Unset()
_PURE = (ast.Name, ast.Constant, ast.BinOp, ast.UnaryOp, ast.operator, ast.unaryop, ast.expr_context)


def rewritten(function: Callable) -> CodeType:
    """The code that defines ``function``'s lockstep twin, under the same name."""
    lines, first = inspect.getsourcelines(function)
    tree = ast.parse(textwrap.dedent("".join(lines)))
    definition = tree.body[0]
    if not isinstance(definition, ast.FunctionDef):
        raise TypeError(f"a kernel is a function written with def, got {function!r}")
    definition.decorator_list = []
    _Lockstep(definition).rewrite()
    ast.increment_lineno(ast.fix_missing_locations(tree), first - 1)
    return compile(tree, inspect.getsourcefile(function) or "<kernel>", "exec")


class _Lockstep(ast.NodeTransformer):
    def __init__(self, definition: ast.FunctionDef):
        self.definition = definition
        self.parameters = [a.arg for a in definition.args.args]
        self.counters = _counters(definition)
        self.counter = 0

    def rewrite(self) -> None:
        body = self.definition.body
        if body and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant):
            body = body[1:]  # the docstring
        returns = [n for n in ast.walk(self.definition) if isinstance(n, ast.Return)]
        self.early = [r for r in returns if r is not body[-1]]
        assigned = {n.id for n in ast.walk(self.definition) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        fresh = sorted(assigned - set(self.parameters)) + (["_result"] if self.early else [])
        out: list[ast.stmt] = []
        if fresh:
            out.append(_at(body[0], ast.Assign([_store(name) for name in fresh], _load("UNSET"))))
        if self.early:
            out.append(_at(body[0], _do("LANES.call")))
        for statement in body:
            out += self._statements(statement)
            if self.early and any(r in self.early for r in ast.walk(statement)):
                finish = ast.Return(_call("LANES.give_back", _load("_result")))
                out.append(_at(statement, ast.If(_call("LANES.nobody"), [finish], [])))
        if self.early and not isinstance(body[-1], ast.Return):
            out.append(_at(body[-1], ast.Return(_call("LANES.give_back", _load("_result")))))
        self.definition.body = out

    def _statements(self, node: ast.stmt) -> list[ast.stmt]:
        result = self.visit(node)
        return result if isinstance(result, list) else [result]

    def _block(self, body: list[ast.stmt]) -> list[ast.stmt]:
        return [new for old in body for new in self._statements(old)]

    # -------------------------------------------------------------------------------------------------- assignment

    def visit_Assign(self, node: ast.Assign) -> Any:
        value = self.visit(node.value)
        if len(node.targets) != 1:
            raise SyntaxError(f"line {node.lineno}: one assignment at a time in a kernel")
        return self._assign(node, node.targets[0], value)

    def _assign(self, node: ast.stmt, target: ast.expr, value: ast.expr) -> Any:
        if isinstance(target, ast.Name):
            return _at(node, ast.Assign([target], _call("LANES.put", _load(target.id), value)))
        if isinstance(target, ast.Tuple):
            names = [self._fresh() for _ in target.elts]
            unpack = _at(node, ast.Assign([ast.Tuple([_store(n) for n in names], ast.Store())], value))
            out = [unpack]
            for part, name in zip(target.elts, names, strict=True):
                more = self._assign(node, part, _load(name))
                out += more if isinstance(more, list) else [more]
            return out
        return _at(node, ast.Assign([self.visit(target)], value))

    def visit_AugAssign(self, node: ast.AugAssign) -> Any:
        value = self.visit(node.value)
        if isinstance(node.target, ast.Name):  # never in place: two variables may share one array of lanes
            total = ast.BinOp(_load(node.target.id), node.op, value)
            return _at(node, ast.Assign([node.target], _call("LANES.put", _load(node.target.id), total)))
        target = self.visit(node.target)
        source = ast.Subscript(copy.deepcopy(target.value), copy.deepcopy(target.slice), ast.Load())
        return _at(node, ast.Assign([target], ast.BinOp(source, node.op, value)))

    def _fresh(self) -> str:
        self.counter += 1
        return f"_part{self.counter}"

    # ----------------------------------------------------------------------------------------------------- control

    def visit_If(self, node: ast.If) -> Any:
        out = [
            _at(node, _do("LANES.branch", self.visit(node.test))),
            _at(node, ast.If(_call("LANES.then"), self._block(node.body), [])),
        ]
        if node.orelse:
            out.append(_at(node, ast.If(_call("LANES.otherwise"), self._block(node.orelse), [])))
        return [*out, _at_end(node, _do("LANES.join"))]

    def visit_While(self, node: ast.While) -> Any:
        if node.orelse:
            raise SyntaxError(f"line {node.lineno}: no while-else in a kernel")
        test = ast.BoolOp(ast.And(), [_call("LANES.again"), _call("LANES.test", self.visit(node.test))])
        loop = _at(node, ast.While(test, self._block(node.body), []))
        return [_at(node, _do("LANES.enter")), loop, _at(node, _do("LANES.exit"))]

    def visit_For(self, node: ast.For) -> Any:
        if node.orelse or not isinstance(node.target, ast.Name):
            raise SyntaxError(f"line {node.lineno}: only `for name in ...`, without else, in a kernel")
        values = node.iter
        if isinstance(values, ast.Call) and isinstance(values.func, ast.Name) and values.func.id == "range":
            steps = _call("LANES.range", *[self.visit(a) for a in values.args])
        else:
            steps = _call("LANES.each", self.visit(values))
        if node.target.id in self.counters:
            return _at(node, ast.For(node.target, steps, self._block(node.body), []))
        step = self._fresh()
        put = _at(node, ast.Assign([node.target], _call("LANES.put", _load(node.target.id), _load(step))))
        return _at(node, ast.For(_store(step), steps, [put, *self._block(node.body)], []))

    def visit_Break(self, node: ast.Break) -> Any:
        return _at(node, _do("LANES.leave"))

    def visit_Continue(self, node: ast.Continue) -> Any:
        return _at(node, _do("LANES.skip"))

    def visit_Return(self, node: ast.Return) -> Any:
        value = self.visit(node.value) if node.value else ast.Constant(None)
        if not self.early:
            return _at(node, ast.Return(value))
        put = _at(node, ast.Assign([_store("_result")], _call("LANES.put", _load("_result"), value)))
        if node in self.early:
            return [put, _at(node, _do("LANES.retire"))]
        return [put, _at(node, ast.Return(_call("LANES.give_back", _load("_result"))))]

    # ------------------------------------------------------------------------------------------------- expressions

    def visit_IfExp(self, node: ast.IfExp) -> Any:
        test, yes, no = self.visit(node.test), self.visit(node.body), self.visit(node.orelse)
        if _pure(node.body) and _pure(node.orelse):
            return ast.copy_location(_call("LANES.select", test, yes, no), node)
        return ast.copy_location(_call("LANES.choose", test, _lazy(yes), _lazy(no)), node)

    def visit_BoolOp(self, node: ast.BoolOp) -> Any:
        name = "LANES.both" if isinstance(node.op, ast.And) else "LANES.either"
        result = self.visit(node.values[0])
        for value in node.values[1:]:
            result = _call(name, result, _lazy(self.visit(value)))
        return ast.copy_location(result, node)

    def visit_Compare(self, node: ast.Compare) -> Any:
        if len(node.ops) == 1:
            return self.generic_visit(node)
        operands = [node.left, *node.comparators]
        if not all(_pure(middle) or _cast(middle) for middle in operands[1:-1]):
            raise SyntaxError(f"line {node.lineno}: give the middle of a chained comparison a name first")
        pairs: list[ast.expr] = [
            ast.copy_location(ast.Compare(a, [op], [b]), node)
            for a, op, b in zip(operands[:-1], node.ops, operands[1:], strict=True)
        ]
        return self.visit(ast.copy_location(ast.BoolOp(ast.And(), pairs), node))

    def visit_UnaryOp(self, node: ast.UnaryOp) -> Any:
        self.generic_visit(node)
        return ast.copy_location(_call("LANES.invert", node.operand), node) if isinstance(node.op, ast.Not) else node

    def visit_BinOp(self, node: ast.BinOp) -> Any:
        """A bare ``0.5`` is a float64, as the compiler takes it; in a call, ``T(0.5)``, it has its type named."""
        self.generic_visit(node)
        for side in ("left", "right"):
            number = getattr(node, side)
            if isinstance(number, ast.Constant) and isinstance(number.value, float):
                setattr(node, side, ast.copy_location(_call("DOUBLE", number), number))
        return node


def _counters(definition: ast.FunctionDef) -> set[str]:
    """Loop variables that are read in their loops only: they need not be kept for those who are not in the loop, and so
    stay one number for all threads."""
    loops = [node for node in ast.walk(definition) if isinstance(node, ast.For)]
    names = {loop.target.id for loop in loops if isinstance(loop.target, ast.Name)}
    inside = {
        id(node)
        for loop in loops
        if isinstance(loop.target, ast.Name)
        for part in (loop.target, *loop.body)
        for node in ast.walk(part)
        if isinstance(node, ast.Name) and node.id == loop.target.id
    }
    targets = {id(loop.target) for loop in loops}
    for node in ast.walk(definition):
        if isinstance(node, ast.Name) and node.id in names:
            stored_otherwise = isinstance(node.ctx, ast.Store) and id(node) not in targets
            if id(node) not in inside or stored_otherwise:
                names.discard(node.id)
    return names - {a.arg for a in definition.args.args}


def _pure(node: ast.AST) -> bool:
    """Whether it does no harm to evaluate an expression for lanes that do not ask for it."""
    return all(isinstance(part, _PURE) for part in ast.walk(node))


def _cast(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and all(_pure(a) for a in node.args)


def _at(node: ast.AST, new: Any) -> Any:
    """``new`` on the line where ``node`` begins."""
    ast.copy_location(new, node)
    new.end_lineno, new.end_col_offset = new.lineno, new.col_offset
    return new


def _at_end(node: ast.stmt, new: Any) -> Any:
    """``new`` on the line where ``node`` ends."""
    new.lineno = new.end_lineno = node.end_lineno
    new.col_offset = new.end_col_offset = node.col_offset
    return new


def _load(name: str) -> ast.expr:
    return ast.Name(name, ast.Load())


def _store(name: str) -> ast.expr:
    return ast.Name(name, ast.Store())


def _call(name: str, *args: ast.expr) -> ast.expr:
    target, _, attribute = name.partition(".")
    function = ast.Attribute(_load(target), attribute, ast.Load()) if attribute else _load(target)
    return ast.Call(function, list(args), [])


def _do(name: str, *args: ast.expr) -> ast.stmt:
    return ast.Expr(_call(name, *args))


def _lazy(value: ast.expr) -> ast.expr:
    empty = ast.arguments(posonlyargs=[], args=[], kwonlyargs=[], kw_defaults=[], defaults=[])
    return ast.Lambda(empty, value)


def written_parameters(function: Callable) -> set[str]:
    """The parameters through which a function may write: those that it assigns to with ``[]``, or hands to another."""
    definition = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
    written = set()
    for node in ast.walk(definition):
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store) and isinstance(node.value, ast.Name):
            written.add(node.value.id)
        if isinstance(node, ast.Call) and not (isinstance(node.func, ast.Name) and node.func.id == "load4"):
            written |= {a.id for a in node.args if isinstance(a, ast.Name)}
    return written
