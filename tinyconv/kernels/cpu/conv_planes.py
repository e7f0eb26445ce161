"""Depthwise 3 x 3 convolution with stride 1, and its two gradients, with neighbouring pixels in the lanes of a vector.

A plane has a kernel of its own and shares nothing with others: turning its pixels into lanes (``conv_images.py``) would
cost more than the products. Instead each plane is copied into zero-padded memory that stays in the first-level cache.
There a tap is a displacement, and a vector of it one load, of which most lie across two lines of the cache and count
twice; so the forward pass makes four rows at a time, and multiplies what it has loaded by all three weights of a
column. The input gradient is the same for gy and the kernel turned around. The weight gradient runs on ``image_dots``,
at vectors of pixels instead of images. Beyond a row's end gy has zeros, which can meet a pixel; where that one is
infinite or NaN, the sum is made again without them.
"""

from __future__ import annotations

import functools
import itertools
from typing import NamedTuple

import numpy as np
from numba import types
from numba.extending import intrinsic

from .arrays import workspace
from .compile import JIT, jit
from .conv_plan import ITEMS, SCRATCH, SINGLE
from .lane_tiles import make_image_dots
from .parallel import parallel_for
from .sizes import packed, unpacked
from .target import VECTOR_BYTES
from .vectors import (
    array_pointer,
    i64,
    lanes_between,
    load,
    loop,
    multiply_add,
    spread,
    store,
    vector_pointer,
    vector_type,
)

PIXELS = 8192  # in a work item, at least
K, TAPS, ROWS = 3, 9, 4  # of the kernel: its side, and taps; of the output: rows at a time
_dots = make_image_dots(*SINGLE)


class Padded(NamedTuple):
    """The padded memory of a plane."""

    HP: int  # rows
    WP: int  # columns
    top: int  # rows of padding above the plane
    left: int  # columns of padding left of it
    width: int  # columns of the output, in whole vectors
    turned: int  # whether the kernel is turned around


class Plan(NamedTuple):
    """What the kernels go by."""

    sizes: np.ndarray  # of the padded memory (sizes.py)
    taps: np.ndarray  # the displacement of each tap
    places: np.ndarray  # and of each vector of the output


@functools.lru_cache(maxsize=256)
def plan_for(kernel_size, stride, padding, dilation, out, channels, outputs, itemsize, turned=False) -> Plan | None:
    """For convolutions (``turned``: their input gradients) to planes of size ``out``, of groups with so many channels
    and outputs. None if this is not the way to compute them."""
    lanes, (OH, OW) = VECTOR_BYTES // itemsize, out
    top, left = [K - 1 - P for P in padding] if turned else padding
    width = -(-OW // lanes) * lanes
    HP, WP = OH + K - 1, width + -(-(K - 1) // lanes) * lanes
    depthwise = channels == outputs == 1 and kernel_size == (K, K) and stride == dilation == (1, 1)
    if not depthwise or OH < ROWS or min(top, left) < 0 or HP * WP * itemsize > SCRATCH:
        return None
    taps, places = (
        np.array([i * WP + j for i, j in itertools.product(*both)])
        for both in ((range(K), range(K)), (range(OH), range(0, width, lanes)))
    )
    return Plan(packed(Padded(HP, WP, top, left, width, int(turned))), taps, places)


if JIT:

    @intrinsic
    def _copy(typingctx, target, t, t_step, source, s, s_step, rows, n):
        """Rows of n numbers from one array to another, each with its distance between rows."""

        def codegen(context, b, signature, args):
            target, t, t_step, source, s, s_step, rows, n = args
            to, line = (
                array_pointer(context, b, signature.args[k], *of) for k, *of in ((0, target, t), (3, source, s))
            )
            vector = vector_type(to.type.pointee)
            whole, rest, mask = _parts(b, n, vector.count)

            def part(i, q, mask):
                here, there = (b.gep(p, [b.add(b.mul(i, step), q)]) for p, step in ((line, s_step), (to, t_step)))
                store(b, load(b, vector_pointer(b, here, vector), mask), vector_pointer(b, there, vector), mask)
                return []

            def row(i, state):
                loop(b, whole, [], lambda q, _: part(i, b.mul(q, i64(vector.count)), None))
                part(i, rest, mask)
                return state

            loop(b, rows, [], row)
            return context.get_dummy_value()

        n64 = types.int64
        return types.void(target, n64, n64, source, n64, n64, n64, n64), codegen

    @intrinsic
    def _rows(typingctx, out, o, OW, w, x, s, step):
        """``out[o + i*OW + j] = w[0] + sum of w[1 + 3*kh + kw] * x[s + (i + kh)*step + j + kw]``, i < ROWS, j < OW."""

        def codegen(context, b, signature, args):
            out, o, OW, w, x, s, step = args
            to, w, x = (
                array_pointer(context, b, signature.args[k], *of) for k, *of in ((0, out, o), (3, w, i64(0)), (4, x, s))
            )
            vector = vector_type(to.type.pointee)
            bias, *weights = [spread(b, b.load(b.gep(w, [i64(k)])), vector.count) for k in range(1 + TAPS)]

            def column(j, mask):
                sums = [bias] * ROWS
                for r, kw in itertools.product(range(ROWS + K - 1), range(K)):
                    place = b.add(b.add(j, i64(kw)), b.mul(step, i64(r)))
                    pixels = load(b, vector_pointer(b, b.gep(x, [place]), vector))
                    for i in range(max(0, r - K + 1), min(ROWS, r + 1)):
                        sums[i] = multiply_add(b, weights[(r - i) * K + kw], pixels, sums[i])
                for i, total in enumerate(sums):
                    store(b, total, vector_pointer(b, b.gep(to, [b.add(j, b.mul(OW, i64(i)))]), vector), mask)
                return []

            whole, rest, mask = _parts(b, OW, vector.count)
            loop(b, whole, [], lambda q, _: column(b.mul(q, i64(vector.count)), None))
            with b.if_then(b.icmp_signed("<", rest, OW)):
                column(rest, mask)
            return context.get_dummy_value()

        n64 = types.int64
        return types.void(out, n64, n64, w, x, n64, n64), codegen

    def _parts(b, n, lanes):
        """How many whole vectors n numbers are, where the rest of them begins, and its mask."""
        whole = b.sdiv(n, i64(lanes))
        rest = b.mul(whole, i64(lanes))
        return whole, rest, lanes_between(b, i64(0), b.sub(n, rest), lanes)

else:

    def _copy(target, t, t_step, source, s, s_step, rows, n):
        """Rows of n numbers from one array to another, each with its distance between rows."""
        for i in range(rows):
            target[t + i * t_step :][:n] = source[s + i * s_step :][:n]

    def _rows(out, o, OW, w, x, s, step):
        """``out[o + i*OW + j] = w[0] + sum of w[1 + 3*kh + kw] * x[s + (i + kh)*step + j + kw]``, i < ROWS, j < OW."""
        for i, j in itertools.product(range(ROWS), range(OW)):
            window = [x[s + (i + kh) * step + j + kw] for kh in range(K) for kw in range(K)]
            out[o + i * OW + j] = w[0] + np.dot(w[1:], np.array(window))


@jit
def _planes(item, x, w, bias, y, several, shape, memory):
    """A forward pass over some planes, one behind the other in memory."""
    N, C, H, W, OH, OW = shape
    padded, kernel = workspace(memory.HP * memory.WP, x), workspace(1 + TAPS, x)
    padded[:] = 0
    for p in range(item * several, min((item + 1) * several, N * C)):
        kernel[0] = bias[p % C] if bias.size else 0
        for k in range(TAPS):
            kernel[1 + k] = w[p % C * TAPS + (TAPS - 1 - k if memory.turned else k)]
        _copy(padded, memory.top * memory.WP + memory.left, memory.WP, x, p * H * W, W, H, W)
        for block in range(0, OH, ROWS):
            i = min(block, OH - ROWS)  # the last rows may be computed twice
            _rows(y, (p * OH + i) * OW, OW, kernel, padded, i * memory.WP, memory.WP)


@jit
def correlate(x, w, bias, y, shape, sizes):
    N, C, H, W, _, _ = shape
    several, memory = max(1, min(PIXELS // (H * W), N * C // ITEMS)), unpacked(Padded, sizes)
    parallel_for(_planes, (N * C + several - 1) // several, (x, w, bias, y, several, shape, memory))


@jit
def _one_tap(c, k, x, gy, shape, memory):
    """The weight gradient of one channel's tap, pixel by pixel."""
    N, C, H, W, OH, OW = shape
    total = gy.dtype.type(0)
    for p in range(c, N * C, C):
        for i in range(OH):
            for j in range(OW):
                h, w = i + k // K - memory.top, j + k % K - memory.left
                pixel = x[(p * H + h) * W + w] if 0 <= h < H and 0 <= w < W else gy.dtype.type(0)
                total += gy[(p * OH + i) * OW + j] * pixel
    return total


@jit
def _weight_planes(c, x, gy, gw, shape, memory, taps, places):
    """The weight gradient of one channel."""
    N, C, H, W, OH, OW = shape
    padded, turned, sums = workspace(memory.HP * memory.WP, x), workspace(OH * memory.width, x), workspace(4 * TAPS, x)
    padded[:], turned[:], sums[:] = 0, 0, 0
    for p in range(c, N * C, C):
        _copy(padded, memory.top * memory.WP + memory.left, memory.WP, x, p * H * W, W, H, W)
        _copy(turned, 0, memory.width, gy, p * OH * OW, OW, OH, OW)
        _dots(places.size, turned, 0, padded, taps, 0, TAPS - 1, places, sums, 0)
    for k in range(TAPS):
        gw[c * TAPS + k] = _one_tap(c, k, x, gy, shape, memory) if np.isnan(sums[k]) else sums[k]


@jit
def weights(x, gy, gw, shape, sizes, taps, places):
    parallel_for(_weight_planes, shape[1], (x, gy, gw, shape, unpacked(Padded, sizes), taps, places))
