"""Pickles read, never executed: an interpreter for the part of the pickle language in which data is written.

A pickle is a program for a small stack machine. Most instructions push a number or a string, or gather what lies on the
stack into a list, tuple or dict; three of them make pickles dangerous, because they name any function of any module
(``GLOBAL``) and call it (``REDUCE``, ``BUILD``). Here a name is looked up in a table that the caller gives, and nowhere
else: nothing is imported, nothing but the table's functions is called, and what the table lacks is refused by name.

``pickletools`` of the standard library splits the program into instructions; what remains is the machine, one short
case an instruction (see the comments in CPython's ``pickletools.py`` for what each does). It builds each object once
and refers to it again through the memo, as Python does, so that a small file cannot make a large heap; keys of dicts
must be plain, because hashing a nested tuple can take time without end.
"""

from __future__ import annotations

import pickletools
from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO

from .checks import CheckpointError

_MARK = object()
_KEYS = (str, int, float, bool, bytes, type(None))

_CONSTANTS = {
    "NONE": None, "NEWTRUE": True, "NEWFALSE": False, "EMPTY_TUPLE": (), "MARK": _MARK,
}  # fmt: skip
_NEW: dict[str, type] = {"EMPTY_LIST": list, "EMPTY_DICT": dict, "EMPTY_SET": set}
_LITERALS = {
    "INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT", "STRING", "BINSTRING",
    "SHORT_BINSTRING", "UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8", "BINBYTES", "SHORT_BINBYTES",
    "BINBYTES8",
}  # fmt: skip


def read_pickle(file: BinaryIO, names: Mapping[str, Any], persistent: Callable[[Any], Any] | None = None) -> Any:
    """The object that the pickle at the file's position describes; the position is left behind it.

    Args:
        file: a binary file.
        names: what ``GLOBAL`` may name, as ``"module.name"``: functions that ``REDUCE`` may call, or plain values.
        persistent: what ``BINPERSID`` asks for an object kept outside of the pickle.

    Raises:
        CheckpointError: the pickle is damaged, or needs a name or an instruction that is not allowed.
    """
    machine = _Machine(names, persistent)
    try:
        for instruction, argument, _ in pickletools.genops(file):
            machine.run(instruction.name, argument)
    except CheckpointError:
        raise
    except (ValueError, IndexError, KeyError, TypeError, OverflowError, RuntimeError, AttributeError) as error:
        # What pickletools raises on broken text, and the machine on a stack that does not hold what it should.
        raise CheckpointError(f"holds a damaged pickle ({type(error).__name__}: {error})") from error
    return machine.result


class _Machine:
    def __init__(self, names: Mapping[str, Any], persistent: Callable[[Any], Any] | None):
        self.names, self.persistent = names, persistent
        self.stack: list = []
        self.memo: dict[int, Any] = {}
        self.result: Any = None

    def run(self, name: str, argument: Any) -> None:
        stack = self.stack
        if name in _LITERALS:
            stack.append(argument)
        elif name in _CONSTANTS:
            stack.append(_CONSTANTS[name])
        elif name in _NEW:
            stack.append(_NEW[name]())
        elif name in ("BINPUT", "LONG_BINPUT", "PUT", "MEMOIZE"):
            self.memo[len(self.memo) if argument is None else int(argument)] = stack[-1]
        elif name in ("BINGET", "LONG_BINGET", "GET"):
            stack.append(self.memo[int(argument)])
        elif name in ("TUPLE1", "TUPLE2", "TUPLE3"):
            n = int(name[-1])
            if len(stack) < n:
                raise IndexError("an empty stack")
            stack[-n:] = [tuple(stack[-n:])]
        elif name in ("TUPLE", "LIST", "FROZENSET"):
            items = self.to_mark()
            stack.append(tuple(items) if name == "TUPLE" else items if name == "LIST" else _frozenset(items))
        elif name == "DICT":
            new: dict = {}
            _fill(new, self.to_mark())
            stack.append(new)
        elif name in ("APPEND", "APPENDS"):
            items = [stack.pop()] if name == "APPEND" else self.to_mark()
            self.top(list).extend(items)
        elif name in ("SETITEM", "SETITEMS"):
            items = [stack.pop(-2), stack.pop()] if name == "SETITEM" else self.to_mark()
            _fill(self.top(dict), items)
        elif name == "ADDITEMS":
            items = self.to_mark()
            self.top(set).update(_frozenset(items))
        elif name == "GLOBAL":
            stack.append(self.named(argument.replace(" ", ".", 1)))
        elif name == "STACK_GLOBAL":
            qualified = stack.pop()
            stack.append(self.named(f"{stack.pop()}.{qualified}"))
        elif name == "REDUCE":
            arguments, function = stack.pop(), stack.pop()
            stack.append(self.call(function, arguments))
        elif name == "BUILD":
            state = stack.pop()
            _set_state(stack[-1], state)
        elif name == "BINPERSID" and self.persistent is not None:
            stack.append(self.persistent(stack.pop()))
        elif name == "POP":
            stack.pop()
        elif name == "POP_MARK":
            self.to_mark()
        elif name == "DUP":
            stack.append(stack[-1])
        elif name == "STOP":
            self.result = stack.pop()
            if stack or self.result is _MARK:
                raise ValueError("more or less than one object on the stack at the end")
        elif name not in ("PROTO", "FRAME"):
            raise CheckpointError(f"holds a pickle with the instruction {name}, which no tensors need")

    def to_mark(self) -> list:
        """Take everything above the topmost mark off the stack, and the mark."""
        for i in range(len(self.stack) - 1, -1, -1):
            if self.stack[i] is _MARK:
                items = self.stack[i + 1 :]
                del self.stack[i:]
                return items
        raise IndexError("no mark on the stack")

    def top(self, kind: type) -> Any:
        """The topmost object, which must be of a kind: what else has an ``append``, the pickle may not call."""
        if not isinstance(self.stack[-1], kind):
            raise TypeError(f"expected a {kind.__name__} on the stack, got {type(self.stack[-1]).__name__}")
        return self.stack[-1]

    def named(self, name: str) -> Any:
        if name not in self.names:
            raise CheckpointError(
                f"holds a pickle that names {name!r:.100}, which could run any code: only tensors and plain containers "
                "are read, and nothing is executed. Save a state_dict, not a whole model"
            )
        return self.names[name]

    def call(self, function: Any, arguments: Any) -> Any:
        if not callable(function) or not isinstance(arguments, tuple):
            raise TypeError(f"a call of a {type(function).__name__}")
        return function(*arguments)


def _check_key(key: Any) -> Any:
    if type(key) not in _KEYS:
        raise CheckpointError(f"holds a pickle with a {type(key).__name__} as a key; expected a string or a number")
    return key


def _fill(target: dict, items: list) -> None:
    if len(items) % 2:
        raise ValueError("a key without a value")
    for key, value in zip(items[::2], items[1::2]):
        target[_check_key(key)] = value


def _frozenset(items: Any) -> frozenset:
    return frozenset(_check_key(item) for item in items)


def _set_state(target: Any, state: Any) -> None:
    """``BUILD``: give an object its attributes. Of those that are read only a state_dict has one, its versions."""
    if type(target) is OrderedDict and type(state) is dict and set(state) <= {"_metadata"}:
        target.__dict__.update(state)
    else:
        raise CheckpointError(f"holds a pickle that sets the attributes of a {type(target).__name__}")


def _ordered_dict(pairs: Any = ()) -> OrderedDict:
    result: OrderedDict = OrderedDict()
    for key, value in pairs:
        result[_check_key(key)] = value
    return result


def _counter(counts: Any = None) -> Counter:
    result: Counter = Counter()
    _fill(result, [x for pair in (counts or {}).items() for x in pair])
    return result


def _encode(text: str, encoding: str = "utf-8") -> bytes:
    """Bytes, as protocol 2 writes them: a string of the first 256 characters."""
    if type(text) is not str or encoding != "latin1":
        raise CheckpointError(f"holds a pickle that encodes a string as {encoding!r}; bytes are written as 'latin1'")
    return text.encode("latin1")


def _set(items: Any = ()) -> set:
    return set(_frozenset(items))


# The containers and numbers of Python itself that a pickle names rather than having an instruction for.
PLAIN: dict[str, Any] = {
    "collections.OrderedDict": _ordered_dict,
    "collections.Counter": _counter,
    "_codecs.encode": _encode,
} | {
    f"{module}.{name}": function
    for module in ("builtins", "__builtin__")
    for name, function in {"set": _set, "frozenset": _frozenset}.items()
}
