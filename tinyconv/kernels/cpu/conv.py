"""Convolution and its two gradients as implicit matrix products, on the register tile of ``tile.py``.

All three are one operation, a sum over taps, if the taps are given as a list of displacements (r, c):

    y[o, i, j] = sum over channels a and taps t of  w[o, a, t] * x[a, i*SH + r_t, j*SW + c_t]          (x is 0 outside)

* forward: tap (kh, kw) has r = kh*DH - PH, c = kw*DW - PW;
* input gradient: gy plays x and the taps are mirrored. With stride 1, r = PH - kh*DH. With a larger stride the pixels
  of gx fall into SH*SW classes by their remainder, each of which sees only every SH-th tap: one such sum of stride 1
  each, over the taps that fit, and no multiplication by an inserted zero;
* weight gradient: the same products summed over positions instead, ``gw[o, a, t] = sum over i, j of gy[o, i, j] *
  x[...]``.

**Shifted copies instead of im2col.** The tile wants its vectors dense in memory: output positions (i, j) one after
another, in one stretch. So each channel is copied once for every *column* displacement (KW copies, not KH*KW), with
the row already cut to OW pixels, strided and zero-padded. A tap's values for all positions are then one dense
stretch, which starts OW elements later for each row it lies lower; the table ``columns`` holds these starts. (Rows
that a vertical stride never pairs lie in separate *phases*.) The copies of one image, or of a block of its channels,
stay in the second-level cache.
"""

from __future__ import annotations

import functools
import math
from typing import NamedTuple

import numpy as np

from .. import reference
from ..reference.conv import fold, unfold  # noqa: F401  (the learner's operations: clarity is all they need)
from .arrays import compiled_for, flat
from .compile import jit
from .matmul import _steps
from .parallel import parallel_for
from .rows import MARGIN, copy_every_second, copy_rows
from .target import VECTOR_BYTES
from .tile import ADD, BIAS, SLIM_ROWS, SLIM_VECTORS, ZERO, add_lanes, best_rows, dots, panel_rows, panel_unit

SCRATCH = 256 * 1024  # bytes of shifted copies at a time: a quarter of a large second-level cache
SHARES = 8  # work items that a batch of few images is cut into, and parts that a weight gradient is summed in


class Taps(NamedTuple):
    """The shifted copies of a block of channels, and where the taps find their values in them, for outputs of OH x
    OW."""

    shifts: np.ndarray  # the column displacement of each copy
    firsts: np.ndarray  # for each phase, the image row of its row 0
    height: int  # rows of a phase
    columns: np.ndarray  # for each channel of the block and each tap, where its values start
    channel: int  # elements of one channel's copies
    block: int  # channels at a time
    SH: int
    SW: int
    OH: int
    OW: int


def _arrange(taps, stride, size, channels, itemsize) -> Taps:
    """The shifted copies for taps with these displacements, (r, c) each."""
    rows, columns = zip(*taps, strict=True)
    (SH, SW), (OH, OW) = stride, size
    shifts, top = sorted(set(columns)), min(rows)
    phases = sorted({(r - top) % SH for r in rows})
    height = max((r - top) // SH for r in rows) + OH
    channel = len(shifts) * len(phases) * height * OW
    block = max(1, min(channels, SCRATCH // max(1, channel * itemsize)))
    starts = [
        a * channel + ((shifts.index(c) * len(phases) + phases.index((r - top) % SH)) * height + (r - top) // SH) * OW
        for a in range(block)
        for r, c in zip(rows, columns, strict=True)
    ]
    as_array = functools.partial(np.array, dtype=np.int64)
    return Taps(as_array(shifts), top + as_array(phases), height, as_array(starts), channel, block, SH, SW, OH, OW)


@functools.lru_cache(maxsize=256)
def _forward_taps(kernel_size, stride, padding, dilation, size, channels, itemsize) -> Taps:
    (KH, KW), (PH, PW), (DH, DW) = kernel_size, padding, dilation
    taps = [(kh * DH - PH, kw * DW - PW) for kh in range(KH) for kw in range(KW)]
    return _arrange(taps, stride, size, channels, itemsize)


@functools.lru_cache(maxsize=256)
def _backward_taps(
    kernel_size, stride, padding, dilation, a, b, size, channels, itemsize
) -> tuple[Taps | None, np.ndarray]:
    """For the pixels of gx in rows a, a + SH, ... and columns b, b + SW, ...: the taps that reach them, and which
    those are."""
    (KH, KW), (SH, SW), (PH, PW), (DH, DW) = kernel_size, stride, padding, dilation
    taps, which = [], []
    for kh in range(KH):
        for kw in range(KW):
            r, c = a + PH - kh * DH, b + PW - kw * DW
            if r % SH == 0 and c % SW == 0:
                taps.append((r // SH, c // SW))
                which.append(kh * KW + kw)
    arranged = _arrange(taps, (1, 1), size, channels, itemsize) if taps else None
    return arranged, np.array(which, np.int64)


# ---------------------------------------------------------------------------------------------------- work items


@jit
def _shifted_copies(scratch, x, start, channels, H, W, taps):
    """Fill ``scratch[channel, shift, phase, row, 0:OW]`` from the image planes that begin at ``start``."""
    OW, SH, SW, height = taps.OW, taps.SH, taps.SW, taps.height
    t = 0
    for a in range(channels):
        plane = start + a * H * W
        for shift in taps.shifts:
            low = min(OW, max(0, -(shift // SW)))
            high = max(low, min(OW, (W - 1 - shift) // SW + 1))
            for first in taps.firsts:  # rows above the image, in it, below it
                above = min(height, max(0, -(first // SH)))
                below = max(above, min(height, (H - 1 - first) // SH + 1))
                copy_rows(scratch, t, x, plane, 0, above, 0, 0, OW)
                t += above * OW
                s, rows = plane + (first + above * SH) * W + shift, below - above
                if SW == 1:
                    copy_rows(scratch, t, x, s, SH * W, rows, low, high, OW)
                elif SW == 2:
                    copy_every_second(scratch, t, x, s, SH * W, rows, low, high, OW)
                else:
                    for r in range(rows):
                        for j in range(OW):
                            scratch[t + r * OW + j] = x[s + r * SH * W + j * SW] if low <= j < high else 0
                t += rows * OW
                copy_rows(scratch, t, x, plane, 0, height - below, 0, 0, OW)
                t += (height - below) * OW


@jit
def _output(item, x, C, H, W, packed, MR, bias, y, O, G, parts, taps):
    """One image's output, or one of ``parts`` shares of its channels. C and O count the channels of one group."""
    n, part = item // parts, item % parts
    L, panels, T = taps.OH * taps.OW, (O + MR - 1) // MR, taps.columns.size // taps.block
    scratch = np.empty(taps.block * taps.channel + MARGIN, x.dtype)
    for g in range(G):
        for a in range(0, C, taps.block):
            channels = min(taps.block, C - a)
            _shifted_copies(scratch, x, ((n * G + g) * C + a) * H * W, channels, H, W, taps)
            start = ADD if a else BIAS if bias.size else ZERO
            for p in range(panels * part // parts, panels * (part + 1) // parts):
                o = p * MR
                w, out, m = ((g * panels + p) * C + a) * T * MR, ((n * G + g) * O + o) * L, min(MR, O - o)
                panel_unit(
                    MR, channels * T, packed, w, MR, scratch, 0, taps.columns, y, out, L, m, L, start, bias, g * O + o
                )


@jit
def _correlate(items, x, C, H, W, packed, MR, bias, y, O, G, parts,
               shifts, firsts, height, columns, channel, block, SH, SW, OH, OW):  # fmt: skip
    taps = Taps(shifts, firsts, height, columns, channel, block, SH, SW, OH, OW)
    parallel_for(_output, items, (x, C, H, W, packed, MR, bias, y, O, G, parts, taps))


@jit
def _pack_panel(item, w, packed, MR, O, C, which, o_step, c_step, g_step):
    """The weights of MR outputs as the tile reads them: for each channel and tap, MR numbers side by side."""
    panels, T = (O + MR - 1) // MR, which.size
    g, o = item // panels, item % panels * MR
    q = item * C * T * MR
    for c in range(C):
        for t in which:
            first = g * g_step + o * o_step + c * c_step + t
            for i in range(MR):
                packed[q + i] = w[first + i * o_step] if o + i < O else 0
            q += MR


@jit
def _pack(items, w, packed, MR, O, C, which, o_step, c_step, g_step):
    parallel_for(_pack_panel, items, (w, packed, MR, O, C, which, o_step, c_step, g_step))


@jit
def _weight_part(item, x, C, H, W, gy, N, O, G, parts, MR, steps, partial, taps):
    """One part of the images' share in the weight gradient of one block of channels: partial[part, g, (c, t), o].

    The lanes of the tile run along the output channels, for which gy is turned to have them side by side."""
    blocks = (C + taps.block - 1) // taps.block
    part, g, a = item // (G * blocks), item // blocks % G, item % blocks * taps.block
    L, T, channels = taps.OH * taps.OW, taps.columns.size // taps.block, min(taps.block, C - a)
    wide = steps[1] if steps.size > 1 else O  # lanes of a row of gy, turned
    scratch = np.empty(taps.block * taps.channel + MARGIN, x.dtype)
    turned = np.empty(L * wide, x.dtype)
    base = ((part * G + g) * C + a) * T * O
    first, last = N * part // parts, N * (part + 1) // parts
    for n in range(first, last):
        _shifted_copies(scratch, x, ((n * G + g) * C + a) * H * W, channels, H, W, taps)
        for o in range(O):
            row = gy[((n * G + g) * O + o) * L :]
            for p in range(L):
                turned[p * wide + o] = row[p]
        start = ZERO if n == first else ADD
        for t in range(0, channels * T, MR):
            m, out = min(MR, channels * T - t), base + t * O
            panel_rows(
                MR, L, scratch, 0, 1, taps.columns, t, turned, 0, steps, partial, out, O, m, O, start, partial, 0
            )


@jit
def _weight_part_few(item, x, C, H, W, gy, N, O, G, parts, partial, taps):
    """The same for few output channels, which would leave most lanes idle: here lanes run along the positions."""
    blocks = (C + taps.block - 1) // taps.block
    part, g, a = item // (G * blocks), item // blocks % G, item % blocks * taps.block
    L, T, channels = taps.OH * taps.OW, taps.columns.size // taps.block, min(taps.block, C - a)
    lanes = VECTOR_BYTES // x.itemsize
    tile, across = SLIM_ROWS * SLIM_VECTORS * lanes, (channels * T + SLIM_VECTORS - 1) // SLIM_VECTORS
    scratch = np.empty(taps.block * taps.channel + MARGIN, x.dtype)
    sums = np.zeros((O + SLIM_ROWS - 1) // SLIM_ROWS * across * tile, x.dtype)
    for n in range(N * part // parts, N * (part + 1) // parts):
        _shifted_copies(scratch, x, ((n * G + g) * C + a) * H * W, channels, H, W, taps)
        for o in range(0, O, SLIM_ROWS):
            for t in range(0, channels * T, SLIM_VECTORS):
                m, k = min(SLIM_ROWS, O - o), min(SLIM_VECTORS, channels * T - t)
                q = (o // SLIM_ROWS * across + t // SLIM_VECTORS) * tile
                dots(L, gy, ((n * G + g) * O + o) * L, L, scratch, 0, taps.columns, t, sums, q, m, k)
    base = ((part * G + g) * C + a) * T * O
    for t in range(channels * T):
        for o in range(O):
            q = (o // SLIM_ROWS * across + t // SLIM_VECTORS) * tile
            q += (o % SLIM_ROWS * SLIM_VECTORS + t % SLIM_VECTORS) * lanes
            partial[base + t * O + o] = add_lanes(sums, q)


@jit
def _add_parts(item, partial, gw, parts, size, R, O):
    """gw[g, o, r] = sum over the parts of partial[part, g, r, o], for one group and output channel."""
    g, o = item // O, item % O
    line = gw[item * R :]
    for r in range(R):
        line[r] = partial[(g * R + r) * O + o]
    for part in range(1, parts):
        q = part * size + g * R * O + o
        for r in range(R):
            line[r] += partial[q + r * O]


@jit
def _weights(items, x, C, H, W, gy, N, O, G, parts, MR, steps, partial, gw,
             shifts, firsts, height, columns, channel, block, SH, SW, OH, OW):  # fmt: skip
    taps = Taps(shifts, firsts, height, columns, channel, block, SH, SW, OH, OW)
    if VECTOR_BYTES // x.itemsize // 2 < O:
        parallel_for(_weight_part, items, (x, C, H, W, gy, N, O, G, parts, MR, steps, partial, taps))
    else:
        parallel_for(_weight_part_few, items, (x, C, H, W, gy, N, O, G, parts, partial, taps))
    parallel_for(_add_parts, G * O, (partial, gw, parts, gw.size, C * (columns.size // block), O))


# -------------------------------------------------------------------------------------------------- the contract


def _sum_over_taps(x, w, bias, taps, which, y, O, C, G, o_step, c_step, g_step):
    """``y`` (N, G*O, OH, OW) from ``x`` (N, G*C, H, W); the weight of output o, channel c, tap t is at
    ``g*g_step + o*o_step + c*c_step + which[t]``."""
    N, (H, W) = len(x), x.shape[2:]
    if not C:
        y[...] = 0 if bias is None else bias[:, None, None]
    if not y.size or not C:
        return
    MR = best_rows(O)
    panels = -(-O // MR)
    packed = np.empty(G * panels * C * which.size * MR, x.dtype)
    _pack(G * panels, flat(w), packed, MR, O, C, which, o_step, c_step, g_step)
    parts = max(1, min(panels, SHARES // N))
    bias = packed[:0] if bias is None else flat(bias)
    _correlate(N * parts, flat(x), C, H, W, packed, MR, bias, y.reshape(-1), O, G, parts, *taps)


@functools.lru_cache(maxsize=64)
def _all_taps(n: int) -> np.ndarray:
    return np.arange(n)


def conv2d(x, w, b, stride, padding, dilation, groups):
    if not compiled_for(x):
        return reference.conv2d(x, w, b, stride, padding, dilation, groups)
    (N, _, H, W), (O, CG, KH, KW) = x.shape, w.shape
    OH = (H + 2 * padding[0] - dilation[0] * (KH - 1) - 1) // stride[0] + 1
    OW = (W + 2 * padding[1] - dilation[1] * (KW - 1) - 1) // stride[1] + 1
    taps = _forward_taps((KH, KW), stride, padding, dilation, (OH, OW), CG, x.itemsize)
    y = np.empty((N, O, OH, OW), x.dtype)
    K = KH * KW
    _sum_over_taps(x, w, b, taps, _all_taps(K), y, O // groups, CG, groups, CG * K, K, O // groups * CG * K)
    return y


def conv2d_gx(gy, w, input_size, stride, padding, dilation, groups):
    if not compiled_for(gy):
        return reference.conv2d_gx(gy, w, input_size, stride, padding, dilation, groups)
    N, (O, CG, KH, KW), (H, W), (SH, SW) = len(gy), w.shape, input_size, stride
    K, OG = KH * KW, O // groups
    gx = np.empty((N, CG * groups, H, W), gy.dtype)
    for a in range(min(SH, H)):
        for b in range(min(SW, W)):
            size = -(-(H - a) // SH), -(-(W - b) // SW)
            taps, which = _backward_taps((KH, KW), stride, padding, dilation, a, b, size, OG, gy.itemsize)
            if taps is None:
                gx[:, :, a::SH, b::SW] = 0
                continue
            part = gx if SH == SW == 1 else np.empty((N, CG * groups, *size), gy.dtype)
            _sum_over_taps(gy, w, None, taps, which, part, CG, OG, groups, K, CG * K, OG * CG * K)
            if part is not gx:
                gx[:, :, a::SH, b::SW] = part
    return gx


def conv2d_gw(gy, x, kernel_size, stride, padding, dilation, groups):
    if not compiled_for(x):
        return reference.conv2d_gw(gy, x, kernel_size, stride, padding, dilation, groups)
    (N, C, H, W), (_, O, OH, OW), K = x.shape, gy.shape, math.prod(kernel_size)
    CG, OG = C // groups, O // groups
    gw = np.empty((O, CG, *kernel_size), x.dtype)
    if not gw.size or not gy.size:
        gw[...] = 0
        return gw
    taps = _forward_taps(kernel_size, stride, padding, dilation, (OH, OW), CG, x.itemsize)
    lanes = VECTOR_BYTES // x.itemsize
    blocks = -(-CG // taps.block)
    parts = max(1, min(N, -(-2 * SHARES // (groups * blocks))))
    partial = np.empty(parts * gw.size, x.dtype)
    steps = _steps(OH * OW, -(-OG // lanes) * lanes)
    MR = best_rows(taps.block * K)
    items, sums = parts * groups * blocks, gw.reshape(-1)
    _weights(items, flat(x), CG, H, W, flat(gy), N, OG, groups, parts, MR, steps, partial, sums, *taps)
    return gw
