"""Runs every kernel on arrays that lie next to inaccessible memory, on either side: one element too far ends the
process.

Run as a program::

    python -m tests.kernels.cpu.guarded [trespass]
"""

from __future__ import annotations

import ctypes
import functools
import math
import mmap
import sys
from typing import Any
from unittest import mock

import numpy as np

from tests.kernels.cpu.calls import IN_LANES, ONE, TWO, arrays_in, calls, copied, planned_with
from tinyconv.kernels import cpu
from tinyconv.kernels.cpu.target import VECTOR_BYTES

PAGE = mmap.PAGESIZE
PROT_NONE = 0
SIDES = "before", "behind"

libc = ctypes.CDLL(None, use_errno=True)
libc.mprotect.argtypes = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int


def empty_next_to_a_guard(shape: Any, dtype: Any = float, *, side: str, **order: str) -> np.ndarray:
    """An array whose last byte lies right before an inaccessible page, or whose first byte right behind one."""
    dtype, shape = np.dtype(dtype), tuple(map(int, np.atleast_1d(shape)))
    size = math.prod(shape) * dtype.itemsize
    pages = -(-size // PAGE)
    memory = mmap.mmap(-1, (pages + 2) * PAGE)
    address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    for guard in (address, address + (pages + 1) * PAGE):
        if libc.mprotect(guard, PAGE, PROT_NONE) != 0:
            raise OSError(ctypes.get_errno(), "mprotect")
    start = PAGE if side == "before" else (pages + 1) * PAGE - size
    return np.frombuffer(memory, dtype, math.prod(shape), start).reshape(shape)


def guarded(x: Any, side: str) -> Any:
    """Arrays in nested tuples and lists, moved next to a guard (those that are not dense only copied)."""
    if isinstance(x, (tuple, list)):
        return type(x)(guarded(item, side) for item in x)
    if not isinstance(x, np.ndarray):
        return x
    turned = x.ndim == 2 and not x.flags.c_contiguous and x.flags.f_contiguous
    y = empty_next_to_a_guard(x.T.shape if turned else x.shape, x.dtype, side=side)
    y[...] = x.T if turned else x
    return y.T if turned else y


def borders(dtype: Any) -> list[tuple[str, tuple]]:
    """Convolutions, products and poolings of every small width, where vectors end inside and outside of rows: up to two
    vectors and three numbers."""
    rng = np.random.default_rng(0)

    def drawn(*shape: int) -> np.ndarray:
        return rng.standard_normal(shape).astype(dtype)

    listed: list[tuple[str, tuple]] = []
    zero = (0, 0)
    for W in range(1, 2 * VECTOR_BYTES // np.dtype(dtype).itemsize + 4):
        for stride, padding, kernel in (
            (ONE, ONE, (3, 3)), (ONE, zero, (2, 1)), (TWO, ONE, (3, 3)), (TWO, zero, ONE), ((3, 3), zero, ONE)
        ):  # fmt: skip
            OH, OW = ((n + 2 * p - k) // s + 1 for n, p, k, s in zip((4, W), padding, kernel, stride, strict=True))
            for O in (2, 11):
                N = 2 + 16 * (W % 4 == 0)  # fewer images than a vector has lanes, or more
                x, w, gy = drawn(N, 3, 4, W), drawn(O, 3, *kernel), drawn(N, O, OH, OW)
                geometry = stride, padding, ONE, 1
                listed.append(("conv2d", (x, w, drawn(O), *geometry)))
                listed.append(("conv2d_gx", (gy, w, (4, W), *geometry)))
                listed.append(("conv2d_gw", (gy, x, kernel, *geometry)))
                if min(OH, OW) > 1:
                    g = drawn(N, O, OH // 2, OW // 2)
                    winners = rng.integers(0, 4, g.shape).astype(np.uint8)
                    listed.append(("conv2d_relu_max_pool2d", (x, w, drawn(O), *geometry)))
                    listed.append(("max_pool2d_conv2d_gx", (g, winners, w, (4, W), *geometry)))
                    listed.append(("max_pool2d_conv2d_gw", (g, winners, x, kernel, *geometry)))
        image, w = drawn(2, 4, 5, W), drawn(4, 1, 3, 3)  # each channel on its own
        listed.append(("conv2d", (image, w, drawn(4), ONE, ONE, ONE, 4)))
        listed.append(("conv2d_gx", (image, w, (5, W), ONE, ONE, ONE, 4)))
        listed.append(("conv2d_gw", (image, image, (3, 3), ONE, ONE, ONE, 4)))
        if W > 3:  # one window at a time
            x, w, g = drawn(9, 6, 6, W), drawn(16, 6, 5, 5), drawn(9, 16, 2, (W - 2) // 2)
            winners = rng.integers(0, 5, g.shape).astype(np.uint8)
            listed.append(("max_pool2d_conv2d_gx", (g, winners, w, (6, W), ONE, ONE, ONE, 1)))
            listed.append(("max_pool2d_conv2d_gw", (g, winners, x, (5, 5), ONE, ONE, ONE, 1)))
        x, y = drawn(9, W), drawn(W, 7)
        listed += [("matmul", (x, y)), ("matmul", (y.T, x.T)), ("matmul", (drawn(W, 9).T, y))]
        listed += [(name, (x, drawn(5, W), drawn(5))) for name in ("linear", "linear_relu")]
        if W > 1:
            image, pooled, windows = drawn(2, 3, 5, W), (2, W // 2), (TWO, TWO, zero, ONE)
            where = rng.integers(0, 4, (2, 3, *pooled)).astype(np.uint8)
            listed.append(("max_pool2d", (image, *windows, pooled)))
            listed.append(("max_pool2d_gx", (drawn(*where.shape), where, (5, W), *windows)))
            listed.append(("avg_pool2d", (image, TWO, TWO, zero, pooled, True, None)))
            listed.append(("avg_pool2d_gx", (drawn(*where.shape), (5, W), TWO, TWO, zero, True, None)))
            windows, pooled = ((3, 3), TWO, ONE, ONE), (3, (W + 1) // 2)
            where = rng.integers(4, 9, (2, 3, *pooled)).astype(np.uint8)
            listed.append(("max_pool2d", (image, *windows, pooled)))
            listed.append(("max_pool2d_gx", (drawn(*where.shape), where, (5, W), *windows)))
            scores, numbers = drawn(2, 3, W), drawn(4, 3)
            listed.append(("batch_norm_train", (scores, *numbers[:2], 1e-5)))
            listed.append(("batch_norm_gx", (scores, scores, *numbers[:3])))
    return listed


def main(trespass: bool) -> None:
    """Compare every call; convolutions also with channels in lanes, where they would have images."""
    if trespass:
        x = guarded(np.ones(5000, np.float32), "behind")
        cpu.relu(np.lib.stride_tricks.as_strided(x, (5001,)))
    for dtype in (np.float32, np.float64):
        listed = [(name, args) for name, several in calls(dtype).items() for args in several] + borders(dtype)
        compare(listed)
        with planned_with(**IN_LANES["channels"]):
            compare([call for call in listed if call[0] in ("conv2d", "conv2d_gx", "conv2d_gw")])
    print("untouched")


def compare(listed: list[tuple[str, tuple]]) -> None:
    """Compare calls on guarded arrays, with guarded results, with the same calls on ordinary ones."""
    for name, args in listed:
        expected = arrays_in(run(name, copied(args)))  # compiles: the compiler must find NumPy's own ``empty``
        for side in SIDES:
            inputs = guarded(args, side)
            print(side, end=" ")
            with mock.patch.object(np, "empty", functools.partial(empty_next_to_a_guard, side=side)):
                actual = arrays_in(run(name, inputs))
            if name != "empty":
                for a, e in zip(actual, expected, strict=True):
                    assert np.array_equal(a, e, equal_nan=a.dtype.kind == "f"), (name, side)


def run(name: str, args: tuple) -> Any:
    """What a kernel returns, or its arguments where it works in place."""
    print(name, [a.shape for a in arrays_in(args)], flush=True)
    result = getattr(cpu, name)(*args)
    return args if result is None else result


if __name__ == "__main__":
    main("trespass" in sys.argv[1:])
