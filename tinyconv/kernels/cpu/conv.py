"""Convolution and its two gradients, with a strip of an image in each lane of a vector.

A work item takes LANES images (see ``conv_plan.py`` for fewer), turns the rows that it needs into lanes, zero-padded,
``x[channel, row, column, lane]``; computes its outputs there on the tiles of ``lanes.py``; and turns them back:

* forward and input gradient: ``y[o, p] = sum over channels and taps t of w[o, t] * x[t + p]`` on ``image_tile``, where
  t and p are displacements from the plan's tables. No im2col buffer exists (*implicit GEMM*);
* weight gradient: ``gw[o, t] = sum over positions p and lanes of gy[o, p] * x[t + p]`` on ``image_dots``.

Channels go in blocks where they are many, so that a work item's memory stays in the second-level cache.
"""

from __future__ import annotations

import math

import numpy as np

from .. import reference
from ..reference.conv import fold, unfold  # noqa: F401  (the learner's operations: clarity is all they need)
from .arrays import compiled_for, flat
from .compile import jit
from .conv_plan import ITEMS, SINGLE, backward_plan, forward_plan, tile_for
from .lanes import from_lanes, make_image_dots, make_image_tile, to_lanes
from .parallel import parallel_for
from .target import DOTS, TILES, VECTOR_BYTES

(WIDE_ROWS, WIDE_COLUMNS), (SLIM_ROWS, SLIM_COLUMNS), SINGLE_COLUMNS = *TILES, SINGLE[1]
_wide_tile, _slim_tile, _single_tile = make_image_tile(*TILES[0]), make_image_tile(*TILES[1]), make_image_tile(*SINGLE)
(MANY_ROWS, _), (FEW_ROWS, _) = DOTS
_many_dots, _few_dots, _single_dots = make_image_dots(*DOTS[0]), make_image_dots(*DOTS[1]), make_image_dots(*SINGLE)


@jit
def _fill(scratch, x, block, N, C, first, channels, H, W, top, down, HP, WP, strips, pixels, side):
    """Turn ``channels`` channels of a block of strips into lanes: of x (N, C, H, W), from channel ``first`` on, for
    strip s the rows from s*down + top on. ``side`` channels lie side by side in ``scratch`` for each pixel."""
    lanes = VECTOR_BYTES // x.itemsize
    where = np.empty(lanes, np.int64)
    unit = block * lanes
    strip = unit // N
    if unit + lanes <= (strip + 1) * N:  # all lanes at the same strip
        low = max(0, strip * down + top)
        rows = max(0, min(H, strip * down + top + HP) - low)
        if rows < HP or W < WP:
            scratch[:] = 0
        for lane in range(lanes):
            where[lane] = ((unit + lane - strip * N) * C + first) * H * W + low * W
        for c in range(channels):
            t = ((c // side * HP + low - strip * down - top) * WP * side + c % side) * lanes
            to_lanes(scratch, t, pixels, x, c * H * W, where, rows * W)
        return
    if W < WP:
        scratch[:] = 0
    for r in range(HP):
        for lane in range(lanes):
            n, h = (unit + lane) % N, (unit + lane) // N * down + top + r
            there = unit + lane < N * strips and 0 <= h < H
            where[lane] = ((n * C + first) * H + h) * W if there else -1
        for c in range(channels):
            to_lanes(scratch, ((c // side * HP + r) * WP * side + c % side) * lanes, pixels, x, c * H * W, where, W)


@jit
def _strip(item, x, y, packed, MR, K, shape, cut, tables):
    """One block of outputs of one group, in one block of strips."""
    N, G, C, H, W, O, OH, OW = shape
    R, HP, WP, CB, OB, top, down, strips, _ = cut
    pixels, starts, classes, taps, weights, positions, goals = tables
    lanes, panels = VECTOR_BYTES // x.itemsize, (O + MR - 1) // MR
    cblocks, oblocks, size = (C + CB - 1) // CB, (O + OB - 1) // OB, (1 + CB * K) * MR
    block, g, o0 = item // (G * oblocks), item // oblocks % G, item % oblocks * OB
    outputs, row = min(OB, O - o0), R * OW * lanes
    scratch = np.empty(min(C, CB) * HP * WP * lanes, x.dtype)
    out = np.empty((outputs + MR - 1) // MR * MR * row, x.dtype)
    strip = block * lanes // N if starts.size > 2 else 0
    for cb in range(cblocks):
        channels = min(CB, C - cb * CB)
        _fill(scratch, x, block, N, G * C, g * C + cb * CB, channels, H, W, top, down, HP, WP, strips, pixels, 1)
        for o in range(0, outputs, MR):
            w, at = ((g * panels + (o0 + o) // MR) * cblocks + cb) * size, o * row
            for k in range(starts[strip], starts[strip + 1], 4):
                t, T, p = classes[k], classes[k + 1] * channels, classes[k + 2]
                last = p + classes[k + 3] - 1
                if MR == WIDE_ROWS:
                    for q in range(p, last + 1, WIDE_COLUMNS):
                        _wide_tile(T, t, packed, w, weights, scratch, taps, positions, goals, q, last, out, at, row, cb)
                elif MR == SLIM_ROWS:
                    for q in range(p, last + 1, SLIM_COLUMNS):
                        _slim_tile(T, t, packed, w, weights, scratch, taps, positions, goals, q, last, out, at, row, cb)
                else:
                    for q in range(p, last + 1, SINGLE_COLUMNS):
                        _single_tile(
                            T, t, packed, w, weights, scratch, taps, positions, goals, q, last, out, at, row, cb
                        )
    where, counts = np.empty(lanes, np.int64), np.empty(lanes, np.int64)
    for lane in range(lanes):
        unit = block * lanes + lane
        n, first = unit % N, unit // N * R
        where[lane] = (((n * G + g) * O + o0) * OH + first) * OW
        counts[lane] = max(0, min(R, OH - first)) * OW
    for o in range(outputs):
        from_lanes(y, o * OH * OW, where, counts, out, o * row, R * OW)


@jit
def _pack_panel(item, w, bias, packed, MR, O, C, CB, K, steps):
    """The weights of MR outputs as the tile reads them, for each block of channels: where the sum starts (from the
    bias, then from 0), then for each channel and tap MR numbers side by side. The weight of group g, output o, channel
    c, tap k is at g*steps[0] + o*steps[1] + c*steps[2] + k."""
    panels, cblocks = (O + MR - 1) // MR, (C + CB - 1) // CB
    g, o = item // panels, item % panels * MR
    for cb in range(cblocks):
        q = (item * cblocks + cb) * (1 + CB * K) * MR
        channels = min(CB, C - cb * CB)
        for i in range(min(MR, O - o)):
            packed[q + i] = bias[g * O + o + i] if bias.size and cb == 0 else 0
            for c in range(channels):
                line = w[g * steps[0] + (o + i) * steps[1] + (cb * CB + c) * steps[2] :]
                for k in range(K):
                    packed[q + (1 + c * K + k) * MR + i] = line[k]
        for i in range(min(MR, O - o), MR):
            for k in range(1 + channels * K):
                packed[q + k * MR + i] = 0


@jit
def _correlate(x, w, bias, y, MR, K, steps, shape, cut, tables):
    _, G, C, _, _, O, _, _ = shape
    CB, panels = cut.CB, (O + MR - 1) // MR
    packed = np.empty(G * panels * ((C + CB - 1) // CB) * (1 + CB * K) * MR, x.dtype)
    parallel_for(_pack_panel, G * panels, (w, bias, packed, MR, O, C, CB, K, steps))
    parallel_for(_strip, cut.blocks * G * ((O + cut.OB - 1) // cut.OB), (x, y, packed, MR, K, shape, cut, tables))


@jit
def _tile_size(MR, NT, lanes):
    """Elements of a tile of sums, in whole vectors."""
    return (MR * NT + lanes - 1) // lanes * lanes


@jit
def _weight_part(item, x, gy, partial, parts, MR, NT, K, shape, cut, tables):
    """The weight gradient of one block of channels and one of outputs, summed over one part of the blocks of strips:
    ``partial[part, group, panel of outputs, block of channels, tile]``."""
    N, G, C, H, W, O, OH, OW = shape
    R, HP, WP, CB, OB, top, down, strips, blocks = cut
    pixels, starts, classes, taps, columns, positions, _ = tables
    lanes = VECTOR_BYTES // x.itemsize
    cblocks, oblocks, panels = (C + CB - 1) // CB, (O + OB - 1) // OB, (O + MR - 1) // MR
    tile, across = _tile_size(MR, NT, lanes), (CB * K + NT - 1) // NT
    o0, cb, g, part = (
        item % oblocks * OB,
        item // oblocks % cblocks,
        item // (oblocks * cblocks) % G,
        item // (oblocks * cblocks * G),
    )
    outputs, channels = min(OB, O - o0), min(CB, C - cb * CB)
    scratch = np.empty(channels * HP * WP * lanes, x.dtype)
    turned = np.zeros((outputs + MR - 1) // MR * R * OW * MR * lanes, x.dtype)
    first, last = blocks * part // parts, blocks * (part + 1) // parts
    for block in range(first, last):
        _fill(scratch, x, block, N, G * C, g * C + cb * CB, channels, H, W, top, down, HP, WP, strips, pixels, 1)
        _fill(turned, gy, block, N, G * O, g * O + o0, outputs, OH, OW, 0, R, R, OW, strips, columns, MR)
        strip = block * lanes // N if starts.size > 2 else 0
        count, where = classes[4 * strip + 3], positions[classes[4 * strip + 2] :]
        for o in range(0, outputs, MR):
            q = (((part * G + g) * panels + (o0 + o) // MR) * cblocks + cb) * across * tile
            if block == first:
                partial[q : q + across * tile] = 0
            for j in range(0, channels * K, NT):
                if MR == MANY_ROWS:
                    _many_dots(count, turned, o * R * OW * lanes, scratch, taps, j, channels * K - 1, where, partial, q)
                elif MR == FEW_ROWS:
                    _few_dots(count, turned, o * R * OW * lanes, scratch, taps, j, channels * K - 1, where, partial, q)
                else:
                    _single_dots(
                        count, turned, o * R * OW * lanes, scratch, taps, j, channels * K - 1, where, partial, q
                    )
                q += tile


@jit
def _add_parts(item, partial, gw, parts, MR, NT, panels, O, C, CB, K):
    """gw[g, o, (c, kh, kw)] for one group and panel of outputs: the parts added up, out of the tiles' order."""
    g, o = item // panels, item % panels * MR
    tile, cblocks, across = _tile_size(MR, NT, VECTOR_BYTES // gw.itemsize), (C + CB - 1) // CB, (CB * K + NT - 1) // NT
    size, stride = cblocks * across * tile, partial.size // parts
    total = partial[item * size : (item + 1) * size]
    for part in range(1, parts):
        other = partial[part * stride + item * size :]
        for q in range(size):
            total[q] += other[q]
    for i in range(min(MR, O - o)):
        for cb in range(cblocks):
            line, count = gw[((g * O + o + i) * C + cb * CB) * K :], min(CB, C - cb * CB) * K
            for j in range(0, count, NT):
                source = total[(cb * across + j // NT) * tile + i :]
                for k in range(min(NT, count - j)):
                    line[j + k] = source[k * MR]


@jit
def _weights(x, gy, gw, MR, NT, K, shape, cut, tables):
    _, G, C, _, _, O, _, _ = shape
    CB, cblocks, panels = cut.CB, (C + cut.CB - 1) // cut.CB, (O + MR - 1) // MR
    items = G * cblocks * ((O + cut.OB - 1) // cut.OB)
    parts = min(cut.blocks, (ITEMS + items - 1) // items)
    size = _tile_size(MR, NT, VECTOR_BYTES // x.itemsize)
    partial = np.empty(parts * G * panels * cblocks * ((CB * K + NT - 1) // NT) * size, x.dtype)
    parallel_for(_weight_part, parts * items, (x, gy, partial, parts, MR, NT, K, shape, cut, tables))
    parallel_for(_add_parts, G * panels, (partial, gw, parts, MR, NT, panels, O, C, CB, K))


# -------------------------------------------------------------------------------------------------- the contract


def conv2d(x, w, b, stride, padding, dilation, groups):
    if not compiled_for(x):
        return reference.conv2d(x, w, b, stride, padding, dilation, groups)
    (N, _, H, W), (O, C, KH, KW), OG = x.shape, w.shape, len(w) // groups
    OH = (H + 2 * padding[0] - dilation[0] * (KH - 1) - 1) // stride[0] + 1
    OW = (W + 2 * padding[1] - dilation[1] * (KW - 1) - 1) // stride[1] + 1
    y = np.empty((N, O, OH, OW), x.dtype)
    if not C:
        y[...] = 0 if b is None else b[:, None, None]
    elif y.size:
        plan = forward_plan((KH, KW), stride, padding, dilation, (H, W), (OH, OW), N, groups, C, OG, x.itemsize)
        b = np.empty(0, x.dtype) if b is None else flat(b)
        K, shape = KH * KW, (N, groups, C, H, W, OG, OH, OW)
        _correlate(flat(x), flat(w), b, y.reshape(-1), tile_for(OG)[0], K, (OG * C * K, C * K, K), shape, *plan)
    return y


def conv2d_gx(gy, w, input_size, stride, padding, dilation, groups):
    if not compiled_for(gy):
        return reference.conv2d_gx(gy, w, input_size, stride, padding, dilation, groups)
    (N, _, OH, OW), (_, C, KH, KW), (H, W), OG = gy.shape, w.shape, input_size, len(w) // groups
    gx = np.empty((N, C * groups, H, W), gy.dtype)
    if not gy.size:
        gx[...] = 0
    elif gx.size:
        plan = backward_plan((KH, KW), stride, padding, dilation, (OH, OW), (H, W), N, groups, OG, C, gy.itemsize)
        K, shape = KH * KW, (N, groups, OG, OH, OW, C, H, W)
        none = np.empty(0, gy.dtype)
        _correlate(flat(gy), flat(w), none, gx.reshape(-1), tile_for(C)[0], K, (OG * C * K, K, C * K), shape, *plan)
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
    plan = forward_plan(kernel_size, stride, padding, dilation, (H, W), (OH, OW), N, groups, CG, OG, x.itemsize, True)
    _weights(flat(x), flat(gy), gw.reshape(-1), *tile_for(OG, DOTS), K, (N, groups, CG, H, W, OG, OH, OW), *plan)
    return gw
