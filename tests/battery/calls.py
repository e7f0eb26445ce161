"""Calls that can be made with either library, and what comes of them."""

from __future__ import annotations

import warnings
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from typing import Any

import numpy as np

import tinyconv

from .arrays import Array

try:
    import torch
except ImportError:
    torch = None


def mapped(function: Callable, tree: Any) -> Any:
    """``tree`` with every :class:`Array` in it, however nested, replaced by ``function(array)``."""
    if isinstance(tree, Array):
        return function(tree)
    if type(tree) in (tuple, list):
        return type(tree)(mapped(function, item) for item in tree)
    if isinstance(tree, dict):
        return {key: mapped(function, value) for key, value in tree.items()}
    if isinstance(tree, slice):
        return slice(*(mapped(function, bound) for bound in (tree.start, tree.stop, tree.step)))
    return tree


def arrays_of(tree: Any) -> list[Array]:
    """Every :class:`Array` in ``tree``, in order."""
    found: list[Array] = []
    mapped(found.append, tree)
    return found


@dataclass(frozen=True)
class Named:
    """A value that each library has under this name: a dtype, a device."""

    name: str


def dtype(name: str) -> Named:
    return Named(name)


def resolved(tree: Any, library: Any) -> Any:
    """``tree`` with every :class:`Named` replaced by what ``library`` calls so."""
    if isinstance(tree, Named):
        return getattr(library, tree.name)
    if type(tree) in (tuple, list):
        return type(tree)(resolved(item, library) for item in tree)
    if isinstance(tree, dict):
        return {key: resolved(value, library) for key, value in tree.items()}
    return tree


@dataclass(frozen=True)
class Call:
    """One call of a function: ``function(*args, **kwargs)``."""

    args: tuple = ()
    kwargs: dict = field(default_factory=dict)
    note: str = ""

    def arrays(self) -> list[Array]:
        return arrays_of((self.args, self.kwargs))

    def varied(self, change: Callable[[Array], Array], note: str) -> Call:
        """The call with each array changed."""
        return replace(
            self, args=mapped(change, self.args), kwargs=mapped(change, self.kwargs), note=f"{self.note} {note}".strip()
        )

    def varied_at(self, place: int, change: Callable[[Array], Array], note: str) -> Call:
        """The call with only the array number ``place`` changed."""
        count = iter(range(10**6))
        return self.varied(lambda a: change(a) if next(count) == place else a, note)

    def run(self, function: Callable, library: Any, tensor: Callable) -> tuple[Any, list]:
        """The result, and the tensors that gradients are taken of."""
        leaves: list = []

        def made(array: Array):
            t = tensor(array)
            leaves.append(t)
            return t

        args, kwargs = resolved(mapped(made, (self.args, self.kwargs)), library)
        return function(*args, **kwargs), leaves

    def __str__(self) -> str:
        def shown(value: Any) -> str:
            if isinstance(value, Array):
                extra = [f"{k}={getattr(value, k)}" for k in ("layout", "special") if getattr(value, k)]
                kind = "" if value.kind == "normal" else value.kind + " "
                return f"<{kind}{value.dtype} {list(value.shape)}{' '.join(['', *extra])}>"
            if type(value) in (tuple, list):
                return "(" + ", ".join(map(shown, value)) + ")"
            return value.name if isinstance(value, Named) else repr(value)

        parts = [*map(shown, self.args), *(f"{key}={shown(value)}" for key, value in self.kwargs.items())]
        return f"({', '.join(parts)})" + (f"  # {self.note}" if self.note else "")


@dataclass(frozen=True)
class Build(Call):
    """A module made with ``options`` (positional and by keyword), its state filled, then called with ``args``."""

    options: tuple[tuple, dict] = ((), {})
    train: bool = True
    double: bool = False  # the module's parameters are float64, too

    def run(self, function: Callable, library: Any, tensor: Callable) -> tuple[Any, list]:
        positional, by_name = resolved(self.options, library)
        positional, by_name = mapped(tensor, positional), mapped(tensor, by_name)
        module = function(*positional, **by_name)
        given = arrays_of(self.options)  # a buffer that is an argument's memory stays as it is
        state = {} if given else module.state_dict()
        for name, value in state.items():
            state[name] = tensor_of(library, state_values(name, tuple(value.shape), as_numpy(value).dtype))
        module.load_state_dict(state, strict=not given)
        if self.double:
            module.double()
        module.train(self.train)
        y, leaves = super().run(module, library, tensor)
        return (y, repr(module), list(module.state_dict()), list(module.named_buffers())), [
            *leaves,
            *module.parameters(),
        ]

    def __str__(self) -> str:
        head = Call(*self.options)
        return f"{head}{'' if self.train else '.eval()'}{'.double()' if self.double else ''}{super().__str__()}"


def state_values(name: str, shape: tuple, dtype: np.dtype) -> np.ndarray:
    """What a parameter or buffer of this name holds in both libraries."""
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    if dtype.kind != "f":
        return np.zeros(shape, dtype)
    values = rng.normal(0, 0.5, shape)
    return np.asarray(np.abs(values) + 0.5 if "var" in name else values, dtype)


@dataclass(frozen=True)
class Program(Call):
    """A function of the library and of tensors, for what is not one call: ``args[0](library, name, *tensors)``."""

    def run(self, function: Callable, library: Any, tensor: Callable) -> tuple[Any, list]:
        leaves: list = []
        tensors = mapped(lambda a: leaves.append(tensor(a)) or leaves[-1], (self.args[1:], self.kwargs))
        return self.args[0](library, function, *tensors[0], **tensors[1]), leaves

    def __str__(self) -> str:
        return f"{self.args[0].__name__}{Call(self.args[1:], self.kwargs, self.note)}"


@dataclass(frozen=True)
class Into(Call):
    """The call with ``out``: tensors of what it gives without, of its types and shapes (``same``), ``empty`` ones,
    ``strided`` ones, or ones of another type."""

    into: str = "same"

    def run(self, function: Callable, library: Any, tensor: Callable) -> tuple[Any, list]:
        result, _ = super().run(function, library, tensor)
        several = isinstance(result, (tuple, list))
        outs = [self._made(y, library) if is_tensor(y) else y for y in (result if several else [result])]
        library.manual_seed(0)
        out = tuple(outs) if several else outs[0]
        return super().run(lambda *args, **kwargs: (function(*args, out=out, **kwargs), outs), library, tensor)

    def _made(self, y: Any, library: Any) -> Any:
        if self.into == "empty":
            return library.empty(0, dtype=y.dtype)
        if self.into == "strided":
            return library.zeros((*y.shape, 2), dtype=y.dtype)[..., 0]
        return library.zeros(y.shape, dtype=getattr(library, self.into) if self.into != "same" else y.dtype)


# ------------------------------------------------------------------------------------------------------------- outcomes


def tensor_of(library: Any, values: np.ndarray) -> Any:
    """A tensor on this memory; PyTorch gets a copy in the same layout, but it has no negative strides."""
    if library is tinyconv:
        return tinyconv.from_numpy(values)
    if any(s < 0 for s in values.strides):
        values = values.copy()
    return torch.from_numpy(values)


def as_numpy(tensor: Any) -> np.ndarray:
    return tensor.detach().numpy() if isinstance(tensor, tinyconv.Tensor) else tensor.numpy(force=True)


def is_tensor(value: Any) -> bool:
    return isinstance(value, tinyconv.Tensor) or (torch is not None and isinstance(value, torch.Tensor))


def flattened(value: Any) -> list:
    """Tensors and plain values of a result, in order; tuples say how many they are, named ones the names."""
    if is_tensor(value):
        return [value]
    if isinstance(value, (tuple, list)):
        size = type(value).__name__ in ("Size",)
        head = [] if size else [("names", getattr(value, "_fields", None) or structseq_fields(value), len(value))]
        return [*head, *(item for each in value for item in flattened(each))]
    if isinstance(value, dict):
        return flattened(list(value.items()))
    if hasattr(value, "__next__"):
        return flattened(tuple(value))
    if type(value).__name__ in ("dtype", "device"):
        return [str(value).replace("torch.", "").replace("tinyconv.", "")]
    if isinstance(value, str):
        return [value.replace("torch.", "").replace("tinyconv.", "")]
    return [value]


def structseq_fields(value: tuple | list) -> tuple | None:
    """The names of PyTorch's return types, which are no namedtuples."""
    if not hasattr(type(value), "n_sequence_fields"):
        return None
    return tuple(line.split("=")[0] for line in repr(value).splitlines() if "=" in line and not line.startswith(" "))


@dataclass
class Outcome:
    """What a call gave: values and gradients, or the error."""

    values: list = field(default_factory=list)
    gradients: list = field(default_factory=list)
    error: Exception | None = None
    overwritten: bool = False
    shares: list = field(default_factory=list)  # for each result tensor: whether it looks into an argument's memory


def outcome(call: Call, function: Callable, library: Any = tinyconv, order: int = 0) -> Outcome:
    """Make the call; with ``order`` 1 take its gradients, with 2 the gradients of those."""
    made: list[tuple[Any, np.ndarray, np.ndarray]] = []

    def tensor(array: Array) -> Any:
        values = array.values()
        t = tensor_of(library, values)
        made.append((t, values, values.copy()))
        return t.requires_grad_() if order and array.floating and not array.fixed else t

    library.manual_seed(0)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            result, leaves = call.run(function, library, tensor)
            if result is NotImplemented:
                raise TypeError("an operator does not know its operand")
            flat = flattened(result)
            found = Outcome([as_numpy(v) if is_tensor(v) else v for v in flat])
            if order:
                found.gradients = gradients(flat, leaves, library, order)
            else:
                memory = [t.detach().numpy() for t, _, _ in made]
                found.shares = [any(np.may_share_memory(v, m) for m in memory) for v in found.values if is_array(v)]
        except (ArithmeticError, AttributeError, LookupError, NotImplementedError, RuntimeError, TypeError, ValueError,
                AssertionError) as error:  # fmt: skip
            found = Outcome(error=error)
    found.overwritten = any(not np.array_equal(now, before, equal_nan=now.dtype.kind == "f") for _, now, before in made)
    return found


def is_array(value: Any) -> bool:
    return isinstance(value, np.ndarray)


def gradients(results: list, leaves: list, library: Any, order: int) -> list:
    """First derivatives of a weighted sum of all results, and where ``order`` is 2 those of the first ones' sum."""
    xs = [leaf for leaf in leaves if leaf.requires_grad]
    ys = [y for y in results if is_tensor(y) and y.requires_grad]
    if not xs or not ys:
        return []

    def weights(y: Any, step: float) -> Any:
        values = np.cos(step * np.arange(y.numel())).reshape(tuple(y.shape))
        return tensor_of(library, values.astype(as_numpy(y).dtype))

    first = library.autograd.grad(ys, xs, [weights(y, 1.0) for y in ys], create_graph=order > 1, allow_unused=True)
    found = list(first)
    if order > 1:
        again = [g for g in first if g is not None and g.requires_grad]
        if again:
            starts = [weights(g, 0.7) for g in again]
            found += library.autograd.grad(again, xs, starts, allow_unused=True)
        else:
            found += [None] * len(xs)
    return [None if g is None else as_numpy(g) for g in found]


# ----------------------------------------------------------------------------------------------------------- comparison

TOLERANCE = {"float16": 2e-3, "float32": 2e-5, "float64": 1e-10}


def difference(
    ours: Outcome,
    theirs: Outcome,
    strict: bool = True,
    values: bool = True,
    loose: bool = False,
    families: tuple[type[Exception], ...] | None = None,
) -> str | None:
    """What differs, or None. Errors are alike if both are errors that users expect; absent gradients equal zeros.

    Args:
        ours, theirs: the outcomes.
        strict: whether dtypes count.
        values: whether values count.
        loose: whether float64 results are compared as float32 ones, because float32 numbers went into them.
        families: errors are alike only if ours is of the first of these classes that theirs is of, so that a program
            that catches theirs catches ours.
    """
    if theirs.error is not None:
        if ours.error is None:
            return f"accepted; the other says {type(theirs.error).__name__}: {first_line(theirs.error)}"
        family = next((f for f in families or () if isinstance(theirs.error, f)), EXPECTED)
        if isinstance(ours.error, family):
            return None
        return f"raised {ours.error!r}; the other says {type(theirs.error).__name__}: {first_line(theirs.error)}"
    if ours.error is not None:
        return f"raised {type(ours.error).__name__}: {first_line(ours.error)}"
    if len(ours.values) != len(theirs.values):
        return f"{len(ours.values)} results, not {len(theirs.values)}: {ours.values} {theirs.values}"
    for a, b in zip(ours.values, theirs.values, strict=True):
        if found := unequal(a, b, strict, values, loose):
            return found
    for place, (a, b) in enumerate(zip_longest(ours.gradients, theirs.gradients)):
        if a is None or b is None:
            if (a is not None and np.any(a != 0)) or (b is not None and np.any(b != 0)):
                return f"gradient {place}: {a}, not {b}"
        elif found := unequal(a, b, strict, values, loose):
            return f"gradient {place}: {found}"
    return None


EXPECTED = (RuntimeError, ValueError, TypeError, IndexError, NotImplementedError)


def first_line(error: Exception) -> str:
    return str(error).strip().split("\n")[0][:160]


def unequal(a: Any, b: Any, strict: bool, values: bool, loose: bool) -> str | None:
    """How two results differ: in class, dtype, shape or value."""
    if not is_array(a) or not is_array(b):
        if is_array(a) != is_array(b):
            return f"{type(a).__name__}, not {type(b).__name__}"
        if isinstance(a, float) and isinstance(b, float):
            return None if np.isclose(a, b, rtol=1e-5, atol=1e-7, equal_nan=True) or not values else f"{a}, not {b}"
        if type(a).__name__ == type(b).__name__ and not isinstance(a, (int, str, bool, tuple, type(None))):
            return None  # objects of the libraries' own
        return None if a == b and type(a) is type(b) else f"{a!r}, not {b!r}"
    if strict and a.dtype != b.dtype:
        return f"{a.dtype}, not {b.dtype}"
    if a.shape != b.shape:
        return f"shape {a.shape}, not {b.shape}"
    if not values:
        return None
    if a.dtype.kind != "f":
        return None if np.array_equal(a, b) else f"{shortened(a)}, not {shortened(b)}"
    tolerance = max(TOLERANCE[a.dtype.name], TOLERANCE["float32"] * loose)
    finite = np.isfinite(b)
    if not np.array_equal(a[~finite], b[~finite], equal_nan=True):
        return f"{shortened(a)}, not {shortened(b)}"
    a, b = a[finite].astype("float64"), b[finite].astype("float64")
    size = np.abs(b).max(initial=1.0)
    far = ~(np.abs(a - b) <= tolerance * (size + np.abs(b)))
    return f"off by {np.abs(a - b)[far].max():.1e}: {shortened(a[far])}, not {shortened(b[far])}" if far.any() else None


def shortened(a: np.ndarray) -> str:
    return np.array2string(a.ravel()[:8], precision=6, separator=", ").replace("\n", "") + ("..." if a.size > 8 else "")
