"""What a kernel may say: the dialect of Python that runs on a GPU, and in the simulator.

A kernel is what *one thread* does. It is plain Python: numbers, ``if``, ``while``, ``for ... in range(...)``, calls of
other plain functions (``formulas.py`` among them), and the names below, which mean what they mean in CUDA C. Three
habits keep it fast and the same everywhere:

* **Pointers, not arrays.** ``x[i]`` is the number i places behind the address ``x``: no shape, no strides, no
  wraparound of negative indexes (which costs more instructions than the arithmetic). Sizes and strides are passed as
  ints, and an index is computed in the open.
* **Types in the open.** ``0.5`` is a float64 and drags everything it meets along; write ``T(0.5)`` where ``T`` is the
  kernel's type. The simulator refuses to store a float64 where a float32 lives.
* **Integers are 64 bits wide as they are computed**, as in Numba. ``quotient`` and ``remainder`` divide non-negative
  ones in 32 bits without Python's rounding rules. A ``uint32`` is to be cast again after every operation.

Where the names come from: compiled, ``cuda`` is ``numba.cuda`` and the functions are a few instructions each
(``compiler.py``); in the simulator all are replaced by the twins in ``simulator/``. Called anywhere else they raise.
"""

from __future__ import annotations

from typing import Any

import numpy as np

float32, float64 = np.float32, np.float64
uint8, uint16, uint32, uint64 = np.uint8, np.uint16, np.uint32, np.uint64
int32, int64 = np.int32, np.int64

WARP = 32  # threads that execute one instruction together
ALL_LANES = 0xFFFFFFFF  # the mask of a whole warp

NAMES: dict[str, Any] = {}  # of the functions, for the simulator and the compiler to replace


def spoken(function: Any) -> Any:
    """Add ``function`` to the dialect."""
    NAMES[function.__name__] = function
    return function


class cuda:
    """The names that are Numba's: ``threadIdx``, ``blockIdx``, ``blockDim``, ``gridDim`` (each with ``.x .y .z``),
    ``grid(1)``, ``syncthreads()``, ``syncthreads_or/and/count(predicate)``, ``syncwarp()``,
    ``shfl_sync/shfl_down_sync/shfl_up_sync/shfl_xor_sync(mask, value, lane)``, ``any_sync/all_sync/ballot_sync(mask,
    predicate)``, ``fma(x, y, z)``, ``laneid``.
    """  # fmt: skip

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(f"cuda.{name}: kernels run through launch(), on a GPU or in the simulator")


cuda: Any = cuda()  # type: ignore[no-redef]


def _outside(name: str) -> RuntimeError:
    return RuntimeError(f"{name}: only a kernel can call it, and kernels run through launch()")


@spoken
def shared(count: int, dtype: Any) -> Any:
    """Memory of the block: a pointer to ``count`` numbers that all its threads see; undefined at first."""
    raise _outside("shared")


@spoken
def local(count: int, dtype: Any) -> Any:
    """``count`` numbers of the thread's own, to be indexed by numbers that the compiler can work out (else they move
    from registers to memory)."""
    raise _outside("local")


@spoken
def pointer_at(address: int, dtype: Any) -> Any:
    """A pointer to numbers of ``dtype`` at an address, an int64 as ``DeviceArray.pointer`` says it: read from a table,
    it lets one launch work on any number of arrays."""
    raise _outside("pointer_at")


@spoken
def load4(x: Any, i: int) -> Any:
    """``(x[i], x[i+1], x[i+2], x[i+3])`` in one access (of 128 bits for float32): ``x + i`` lies on a multiple of four
    elements."""
    raise _outside("load4")


@spoken
def store4(x: Any, i: int, a: Any, b: Any, c: Any, d: Any) -> None:
    """``x[i], x[i+1], x[i+2], x[i+3] = a, b, c, d`` likewise."""
    raise _outside("store4")


@spoken
def atomic_add(x: Any, i: int, value: Any) -> Any:
    """``x[i] += value`` undivided, however many threads do it; returns the number that was there. The order is open:
    of floats, so is the last bit."""
    raise _outside("atomic_add")


@spoken
def atomic_max(x: Any, i: int, value: Any) -> Any:
    """``x[i] = max(x[i], value)`` undivided (integers); returns the number that was there."""
    raise _outside("atomic_max")


@spoken
def store_any(x: Any, i: int, value: Any) -> None:
    """``x[i] = value`` where several threads may do so at once: one of their values is left, no matter which."""
    raise _outside("store_any")


@spoken
def quotient(a: int, b: int) -> int:
    """``a // b`` for ``0 <= a < 2**31`` and ``0 < b < 2**31``: one unsigned 32-bit division."""
    raise _outside("quotient")


@spoken
def remainder(a: int, b: int) -> int:
    """``a % b`` likewise."""
    raise _outside("remainder")


@spoken
def tf32(x: Any) -> Any:
    """``x``, a float32, rounded to the 11 significant bits of a TF32 number (halves away from zero), the precision that
    tensor cores multiply in. Needs compute capability 8.0."""
    raise _outside("tf32")


@spoken
def multiply_add_16x8x8(a0: Any, a1: Any, a2: Any, a3: Any, b0: Any, b1: Any, c0: Any, c1: Any, c2: Any,
                        c3: Any) -> Any:  # fmt: skip
    """``c + a @ b`` by a tensor core, for a 16 x 8 matrix a, b 8 x 8 and c 16 x 8 that the 32 threads of a warp hold
    together (PTX: ``mma.sync.m16n8k8``). a and b are TF32 numbers, c is float32. Needs compute capability 8.0.

    Thread ``lane`` has, with ``g = lane // 4`` and ``t = lane % 4``, of a ``[g, t], [g + 8, t], [g, t + 4], [g + 8, t +
    4]``, of b ``[t, g], [t + 4, g]``, of c and of the result ``[g, 2t], [g, 2t + 1], [g + 8, 2t], [g + 8, 2t + 1]``.
    """
    raise _outside("multiply_add_16x8x8")
