"""The checks: each makes variations of an entry's calls, and compares what comes of them."""

from __future__ import annotations

import contextlib
import random
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

import tinyconv

from .arrays import LAYOUTS, SPECIAL, Array
from .calls import EXPECTED, Build, Call, Into, Outcome, difference, outcome, torch
from .public import Subject
from .signatures import parameters

SAMPLE = 4  # variations of one name and check in an ordinary run

Variations = Iterator[Call]


# ----------------------------------------------------------------------------------------------------------- variations


def plain(subject: Subject) -> Variations:
    yield from subject.entry.calls


def doubled(call: Call) -> Call:
    """The call in float64, parameters included."""
    changed = call.varied(lambda a: a.but(dtype="float64") if a.dtype == "float32" else a, "float64")
    return replace(changed, double=True) if isinstance(call, Build) else changed


def precise(subject: Subject) -> Variations:
    for call in subject.entry.calls:
        yield doubled(call)


def both_precisions(subject: Subject) -> Variations:
    for call in subject.entry.calls:
        yield call
        yield doubled(call)


DTYPES = ("float64", "int64", "int32", "uint8", "bool")


def other_dtypes(subject: Subject) -> Variations:
    for call in subject.entry.calls:
        free = [place for place, a in enumerate(call.arrays()) if not a.fixed]
        for dtype in DTYPES:
            yield call.varied(lambda a, d=dtype: a if a.fixed else a.but(dtype=d), f"all {dtype}")
            if len(free) > 1:
                for place in (free[0], free[-1]):
                    yield call.varied_at(place, lambda a, d=dtype: a.but(dtype=d), f"argument {place} {dtype}")
        for place, a in enumerate(call.arrays()):
            if a.fixed:
                for dtype in {"int32", "float32", "bool", "uint8"} - {a.dtype}:
                    yield call.varied_at(place, lambda a, d=dtype: a.but(dtype=d), f"index {place} {dtype}")


def other_layouts(subject: Subject) -> Variations:
    for call in subject.entry.calls:
        for layout in LAYOUTS:
            if call.arrays():
                yield call.varied(lambda a, to=layout: a.but(layout=to), layout)


def other_shapes(subject: Subject) -> Variations:
    """One array with an axis of size 0, 1 or one more than it has; one axis more, one less, none."""
    for call in subject.entry.calls:
        for place, array in enumerate(call.arrays()):
            for axis, n in enumerate(array.shape):
                for size in {0, 1, n + 1} - {n}:
                    shape = (*array.shape[:axis], size, *array.shape[axis + 1 :])
                    yield call.varied_at(place, lambda a, s=shape: a.but(shape=s), f"shape of {place}")
            for shape in {(), array.shape[1:], (2, *array.shape), (1, *array.shape)} - {array.shape}:
                yield call.varied_at(place, lambda a, s=shape: a.but(shape=s), f"axes of {place}")
        if len(call.arrays()) > 1:
            for change, note in ((lambda a: a.but(shape=(0, *a.shape[1:])), "all empty"),
                                 (lambda a: a.but(shape=(1, *a.shape[1:])), "all one")):  # fmt: skip
                yield call.varied(lambda a, change=change: change(a) if a.shape else a, note)


def special_values(subject: Subject) -> Variations:
    for call in subject.entry.calls:
        for place, array in enumerate(call.arrays()):
            if array.floating and not array.fixed:
                for special in SPECIAL:
                    yield call.varied_at(place, lambda a, s=special: a.but(special=s), f"argument {place} {special}")


def by_keyword(subject: Subject) -> Variations:
    """The call with every argument under the name that PyTorch's documentation gives it."""
    if torch is None:
        return
    try:
        names = list(parameters(subject.function(torch)))
    except (ValueError, SyntaxError, LookupError, StopIteration):
        return
    bare = subject.room == "Tensor" and (not names or names[0] not in ("self", "input"))
    for call in subject.entry.calls:
        if type(call) is not Call or subject.in_place:
            continue
        first = 1 if bare else 0
        if len(call.args) - first > len(names):
            continue
        if subject.room == "Tensor":
            first, labels = 1, names if bare else names[1:]
        else:
            labels = names
        named = dict(zip(labels, call.args[first:]))
        if len(named) == len(call.args) - first and "out" not in named:
            yield replace(call, args=call.args[:first], kwargs={**named, **call.kwargs}, note="by keyword")


def into_out(subject: Subject) -> Variations:
    """Each function with ``out``, whether it takes it or not."""
    for call in subject.entry.calls if subject.room in ("tinyconv", "linalg", "special") else ():
        if type(call) is Call and not subject.in_place:
            for into in ("same", "empty", "strided", "float64", "int64"):
                yield Into(call.args, call.kwargs, f"out {into}", into)


def rejected(subject: Subject) -> Variations:
    """What the entry lists, and each option replaced by what makes no sense."""
    yield from subject.entry.rejected
    for call in subject.entry.calls:
        positional, by_name = call.options if isinstance(call, Build) else (call.args, call.kwargs)
        for key, value in by_name.items():
            for wrong in nonsense(key, value):
                changed = {**by_name, key: wrong}
                yield (
                    replace(call, options=(positional, changed), note=f"{key}={wrong!r}")
                    if isinstance(call, Build)
                    else replace(call, kwargs=changed, note=f"{key}={wrong!r}")
                )
        for place, value in enumerate(positional):
            for wrong in nonsense("", value):
                changed = (*positional[:place], wrong, *positional[place + 1 :])
                yield (
                    replace(call, options=(changed, by_name), note=f"argument {place} {wrong!r}")
                    if isinstance(call, Build)
                    else replace(call, args=changed, note=f"argument {place} {wrong!r}")
                )


WORD = "one"  # where a number belongs


def nonsense(key: str, value: object) -> list:
    """Values of the wrong kind, or out of any range, for an option that has this value."""
    if key in ("reduction", "mode", "padding_mode", "approximate", "rounding_mode", "nonlinearity") or (
        isinstance(value, str) and key
    ):
        return ["nonsense"]
    if isinstance(value, bool):
        return []
    if isinstance(value, int):
        return [-100, 100, WORD] if key in ("dim", "axis", "start_dim", "end_dim", "dim0", "dim1") else [-100, WORD]
    if isinstance(value, float):
        return [WORD]
    if isinstance(value, tuple) and value and all(type(v) is int for v in value):
        return [(*value, 2, 2, 2), tuple(-9 for _ in value)]
    return []


# -------------------------------------------------------------------------------------------------------------- oracles


@dataclass(frozen=True)
class Check:
    """Which variations are made, how many derivatives are compared, and with what."""

    variations: Callable[[Subject], Variations]
    against: Callable[[Subject, Call, int], str | None]
    order: int = 0


FAMILIES = (IndexError, TypeError, ValueError, RuntimeError)


def beside_torch(subject: Subject, call: Call, order: int, families: tuple | None = None) -> str | None:
    """PyTorch's values, dtypes, shapes, gradients and errors; without it, the reference kernels'."""
    if torch is None:
        return on_reference(subject, call, order)
    ours = outcome(call, subject.function(tinyconv), tinyconv, order)
    if found := whole(subject, ours):
        return found
    theirs = outcome(call, subject.function(torch), torch, order)
    if theirs.error is not None and (lacks_kernel(theirs.error) or call.note.endswith("by keyword")):
        return None
    if ours.error is not None and theirs.error is None and empty(theirs):
        return None if isinstance(ours.error, EXPECTED) else f"raised {ours.error!r}"
    return difference(ours, theirs, values=not subject.entry.random, loose=mixed(call), families=families)


def errors_beside_torch(subject: Subject, call: Call, order: int) -> str | None:
    """PyTorch's error, of a class that a program which catches PyTorch's catches, too. (A word where a number belongs
    is a TypeError or a ValueError, as Python happens to stumble over it.)"""
    return beside_torch(subject, call, order, None if repr(WORD) in call.note else FAMILIES)


def mixed(call: Call) -> bool:
    """Whether float32 takes part: then a float64 result is no more precise."""
    if isinstance(call, Into):
        return True
    return len({a.dtype for a in call.arrays() if a.floating}) > 1 or (isinstance(call, Build) and not call.double)


def empty(found: Outcome) -> bool:
    """Whether there is nothing in the results: dtypes and shapes that do not fit may then be an error here."""
    arrays = [v for v in found.values if isinstance(v, np.ndarray)]
    return bool(arrays) and all(a.size == 0 for a in arrays)


# What PyTorch says where it only has no kernel (for a dtype, for no channels) or a defect; it need not be so here.
LACKING = (
    "not implemented for", "is not implemented", "not yet implemented", "not currently supported",
    "not supported on CPU", "INTERNAL ASSERT", "optional 0 dim batch size", "non-zero dimensions for input",
    "other non-zero dimensions", "Only zero batch", "could not create a primitive", "returned an invalid gradient",
    "Expected a proper Tensor but got None", "get_mkldnn_dtype", "Expected a long tensor for index",
    "Expected dtype int64 for index", "hardtanh on an unsigned type", "expected weight to be at least",
    "can't be cast to the desired output type", "could not infer output dtype",
    "expected common dtype to be floating point", "Integral inputs not supported", "without overflow",
    "dtype of indices should be Long", "to have one of the following scalar types",
    "expected target dtype to be Long or Byte", "expected scalar type Long but found Byte",
    "Expected dtype int32/int64", "non-zero size for non-batch dimensions",
)  # fmt: skip


def lacks_kernel(error: Exception) -> bool:
    """Whether PyTorch's error is about what it cannot do yet, not about what makes no sense."""
    return any(part in str(error) for part in LACKING)


def whole(subject: Subject, ours: Outcome) -> str | None:
    return "an argument was overwritten" if ours.overwritten and "overwrites" not in subject.entry.without else None


def memory_beside_torch(subject: Subject, call: Call, order: int) -> str | None:
    """A view here is a view there, and a copy a copy."""
    if torch is None:
        return None
    ours, theirs = outcome(call, subject.function(tinyconv)), outcome(call, subject.function(torch), torch)
    if ours.error or theirs.error or ours.shares == theirs.shares:
        return None
    return f"results look into arguments' memory: {ours.shares}, not {theirs.shares}"


def on_reference(subject: Subject, call: Call, order: int) -> str | None:
    """The reference kernels' result."""
    ours = outcome(call, subject.function(tinyconv), tinyconv, order)
    with tinyconv.use_kernels("reference"):
        plainly = outcome(call, subject.function(tinyconv), tinyconv, order)
    found = whole(subject, ours) or whole(subject, plainly)
    return found or difference(ours, plainly, values=not subject.entry.random, loose=mixed(call))


def in_other_layout(subject: Subject, call: Call, order: int) -> str | None:
    """The same as with contiguous arrays."""
    straight = call.varied(lambda a: a.but(layout=None), "")
    ours = outcome(call, subject.function(tinyconv), tinyconv, order)
    expected = outcome(straight, subject.function(tinyconv), tinyconv, order)
    return whole(subject, ours) or difference(ours, expected)


def on_threads(subject: Subject, call: Call, order: int) -> str | None:
    """One thread, two threads: the same to the last bit."""
    found = []
    before = tinyconv.get_num_threads()
    with contextlib.ExitStack() as after:
        after.callback(tinyconv.set_num_threads, before)
        for count in (1, 2):
            tinyconv.set_num_threads(count)
            found.append(outcome(call, subject.function(tinyconv), tinyconv, order))
    one, two = found
    if one.error is not None or two.error is not None:
        return difference(one, two)
    for a, b in zip([*one.values, *one.gradients], [*two.values, *two.gradients], strict=True):
        if isinstance(a, np.ndarray) and a.tobytes() != b.tobytes():
            return f"{a} on one thread, {b} on two"
    return None


def by_formula(subject: Subject, call: Call, order: int) -> str | None:
    """The entry's formula, on the same numbers."""
    if type(call) is not Call or subject.entry.formula is None or subject.in_place:
        return None
    ours = outcome(call, subject.function(tinyconv))
    if ours.error is not None:
        return None  # whether it is one in PyTorch, too, is another check
    with np.errstate(all="ignore"):
        expected, _ = call.run(subject.entry.formula, np, Array.values)
    expected = expected if isinstance(expected, (tuple, list)) else [expected]
    got = [v for v in ours.values if not (isinstance(v, tuple) and v[:1] == ("names",))]
    theirs = Outcome([np.asarray(e) for e in expected])
    return difference(replace_values(ours, [np.asarray(v) for v in got]), theirs, strict=False)


def replace_values(found: Outcome, values: list) -> Outcome:
    return Outcome(values, [], found.error)


CHECKS = {
    "forward": Check(plain, beside_torch),
    "gradient": Check(both_precisions, beside_torch, 1),
    "gradgrad": Check(precise, beside_torch, 2),
    "dtypes": Check(other_dtypes, beside_torch),
    "layouts": Check(other_layouts, in_other_layout, 1),
    "shapes": Check(other_shapes, beside_torch, 1),
    "values": Check(special_values, beside_torch, 1),
    "keywords": Check(by_keyword, beside_torch),
    "rejects": Check(rejected, errors_beside_torch),
    "memory": Check(plain, memory_beside_torch),
    "out": Check(into_out, beside_torch),
    "formula": Check(plain, by_formula),
    "reference": Check(plain, on_reference, 1),
    "threads": Check(plain, on_threads, 1),
}


# -------------------------------------------------------------------------------------------------------------- running


@dataclass
class Result:
    """How many variations passed, and what was wrong with the others."""

    passed: int = 0
    failures: list[str] | None = None
    reason: str = ""  # why the check was left out

    def __post_init__(self):
        self.failures = self.failures or []


def run(subject: Subject, name: str, full: bool = False) -> Result:
    """One check of one name; a sample of the variations, or all."""
    check = CHECKS[name]
    without = subject.entry.without
    if name in without:
        return Result(reason=without[name])
    if subject.entry.random and name in ("values", "layouts", "gradgrad", "reference", "gradient"):
        return Result(reason="random")
    found = Result()
    parts = [part.partition(": ")[2] for part in without if part.startswith(f"{name}: ")]
    calls = [c for c in check.variations(subject) if not any(part in str(c) for part in parts)]
    if not full and len(calls) > SAMPLE:
        calls = random.Random(zlib.crc32(f"{subject} {name}".encode())).sample(calls, SAMPLE)
    for call in calls:
        try:
            problem = check.against(subject, call, check.order)
        except LookupError as error:
            problem = str(error)
        if problem:
            found.failures.append(f"{subject}{call}: {problem}")
        else:
            found.passed += 1
    return found


def totals(results: dict[tuple[str, str], Result]) -> Counter:
    """Over the whole table: names, variations passed, variations failed."""
    count = Counter(names=len({subject for subject, _ in results}))
    for result in results.values():
        count["passed"] += result.passed
        count["failed"] += len(result.failures)
    return count
