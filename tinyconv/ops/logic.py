"""Logic of truth values, and of the bits of integers, element by element. Nothing here has a gradient."""

from __future__ import annotations

from typing import Any

from .. import kernels
from ..tensor import Tensor, wrap
from .compare import ne, where
from .types import arrays, expect, operands


def logical_not(input: Tensor) -> Tensor:
    """bool: whether each element is zero."""
    expect("logical_not", input=input)
    return wrap(kernels.of(input.array).logical_not(input.array))


def logical_and(input: Tensor, other: Tensor) -> Tensor:
    """bool: whether both elements are non-zero."""
    expect("logical_and", input=input, other=other)
    return where(ne(input, 0), ne(other, 0), False)


def logical_or(input: Tensor, other: Tensor) -> Tensor:
    """bool: whether either element is non-zero."""
    expect("logical_or", input=input, other=other)
    return where(ne(input, 0), True, ne(other, 0))


def logical_xor(input: Tensor, other: Tensor) -> Tensor:
    """bool: whether just one of the two elements is non-zero."""
    expect("logical_xor", input=input, other=other)
    return ne(ne(input, 0), ne(other, 0))


def _of_bits(function: str, symbol: str, kinds: str, meaning: str) -> Any:
    """The operation ``symbol``, which the kernel ``binary`` knows as ``function``, of tensors of some kinds."""
    name = function if function.startswith("bitwise_") else f"bitwise_{function}"
    words = "bool or integer" if "b" in kinds else "integer"

    def of_bits(input: Any, other: Any) -> Tensor:
        a, b = operands(input, other, name)
        backend, x, y = arrays(a, b)
        if (a if isinstance(a, Tensor) else b).array.dtype.kind not in kinds:
            which = " and ".join([str(getattr(o, "dtype", o)) for o in (input, other)])
            raise TypeError(f"{symbol} expects {words} tensors, got {which} (conditions need parentheses: "
                            f"(x > 0) {symbol} (x < 1))")  # fmt: skip
        return wrap(backend.binary(x, y, function))

    of_bits.__name__ = of_bits.__qualname__ = name
    of_bits.__doc__ = f"""``input {symbol} other`` of {words} tensors (one may be a number), broadcast: {meaning}.

    Raises:
        TypeError: a floating-point tensor.
    """
    return of_bits


bitwise_and = _of_bits("bitwise_and", "&", "biu", "each bit, or truth value, that both have")
bitwise_or = _of_bits("bitwise_or", "|", "biu", "each bit, or truth value, that either has")
bitwise_xor = _of_bits("bitwise_xor", "^", "biu", "each bit, or truth value, that just one of them has")
bitwise_left_shift = _of_bits("left_shift", "<<", "iu", "``input * 2**other``, without the bits that do not fit")
bitwise_right_shift = _of_bits("right_shift", ">>", "iu", "``input // 2**other``")


def reversed_left_shift(input: Tensor, other: Any) -> Tensor:
    """``other << input``."""
    return bitwise_left_shift(other, input)


def reversed_right_shift(input: Tensor, other: Any) -> Tensor:
    """``other >> input``."""
    return bitwise_right_shift(other, input)


def bitwise_not(input: Tensor) -> Tensor:
    """``~input``: not, of bools; all bits turned, of integers (``-input - 1``).

    Raises:
        TypeError: ``input`` is floating point.
    """
    expect("bitwise_not", input=input)
    if input.array.dtype.kind == "f":
        raise TypeError(f"~ expects a bool or integer tensor, got {input.dtype}")
    return logical_not(input) if input.array.dtype.kind == "b" else bitwise_xor(input, -1)
