"""Convolution and its two gradients, with a strip of an image in each lane of a vector.

A work item takes LANES images (see ``conv_plan.py`` for fewer), turns the rows that it needs into lanes, zero-padded,
``x[channel, row, column, lane]``; computes its outputs there on the tiles of ``lanes.py``; and turns them back:

* forward and input gradient: ``y[o, p] = sum over channels and taps t of w[o, t] * x[t + p]`` on ``image_tile``, where
  t and p are displacements from the plan's tables. No im2col buffer exists (*implicit GEMM*);
* weight gradient: ``gw[o, t] = sum over positions p and lanes of gy[o, p] * x[t + p]`` on ``image_dots``.

Channels go in blocks where they are many, so that a work item's memory stays in the second-level cache.
"""

from __future__ import annotations

import numpy as np

from .. import reference
from ..reference.conv import fold, unfold  # noqa: F401  (the learner's operations: clarity is all they need)
from .arrays import compiled_for, flat, workspace
from .compile import jit
from .conv_plan import ITEMS, SINGLE, backward_plan, forward_plan, tile_for
from .lanes import from_lanes, make_image_dots, make_image_tile, relu_of_max, to_lanes, to_winners
from .parallel import parallel_for
from .target import DOTS, TILES, VECTOR_BYTES

(WIDE_ROWS, WIDE_COLUMNS), (SLIM_ROWS, SLIM_COLUMNS), SINGLE_COLUMNS = *TILES, SINGLE[1]
_wide_tile, _slim_tile, _single_tile = make_image_tile(*TILES[0]), make_image_tile(*TILES[1]), make_image_tile(*SINGLE)
(MANY_ROWS, _), (FEW_ROWS, _) = DOTS
_many_dots, _few_dots, _single_dots = make_image_dots(*DOTS[0]), make_image_dots(*DOTS[1]), make_image_dots(*SINGLE)


@jit
def _fill(scratch, x, winners, block, image, rows, pixels):
    """Turn some channels of a block of strips into lanes: of x (N, C, H, W), ``channels`` from ``first`` on, for strip
    s the HP rows from s*down + top on. ``side`` channels lie side by side in ``scratch`` for each pixel."""
    if winners.size:
        _fill_from_windows(scratch, x, winners, block, image, rows, pixels)
        return
    (N, C, first, channels, H, W), (top, down, HP, WP, strips, side) = image, rows
    lanes = VECTOR_BYTES // x.itemsize
    where, unit = np.empty(lanes, np.int64), block * lanes
    begin, chunks, height = _chunks(unit, N, H, top, down, HP, lanes)
    if chunks * height < HP or W < WP:
        scratch[:] = 0
    for r in range(begin, begin + chunks):
        for lane in range(lanes):
            n, h = (unit + lane) % N, (unit + lane) // N * down + top + r
            there = unit + lane < N * strips and 0 <= h < H
            where[lane] = ((n * C + first) * H + h) * W if there else -1
        for c in range(channels):
            t = ((c // side * HP + r) * WP * side + c % side) * lanes
            to_lanes(scratch, t, pixels, x, c * H * W, where, height * W, x)


@jit
def _chunks(unit, N, H, top, down, HP, lanes):
    """How to turn the HP rows from ``top`` on: the first row, how many times, and how many rows at a time. Row by row,
    unless all lanes are at the same strip, and have the same rows in the image."""
    strip = unit // N
    if unit + lanes > (strip + 1) * N:
        return 0, HP, 1
    low = max(0, strip * down + top)
    height = max(0, min(H, strip * down + top + HP) - low)
    return low - strip * down - top, min(1, height), height


@jit
def _fill_from_windows(scratch, gy, winners, block, image, rows, pixels):
    """The same where x is the gradient of max-pooling over 2 x 2 windows: gy and winners (N, C, H // 2, W // 2), of
    which each row is turned once, and makes two rows of x. ``down`` is even."""
    (N, C, first, channels, H, W), (top, down, HP, WP, strips, side) = image, rows
    lanes, PH, PW, odd = VECTOR_BYTES // gy.itemsize, H // 2, W // 2, top % 2
    count, base = (HP + odd + 1) // 2, (top - odd) // 2  # rows of windows; the first one in strip 0
    dense, where, unit = np.arange(count * PW) * lanes, np.empty(lanes, np.int64), block * lanes
    values, codes = workspace(count * PW * lanes, gy), workspace(count * PW * lanes, winners)
    values[:], codes[:] = 0, 0
    begin, chunks, height = _chunks(unit, N, PH, base, down // 2, count, lanes)
    if W < WP or W % 2:
        scratch[:] = 0
    for c in range(channels):
        for r in range(begin, begin + chunks):
            for lane in range(lanes):
                n, h = (unit + lane) % N, (unit + lane) // N * (down // 2) + base + r
                there = unit + lane < N * strips and 0 <= h < PH
                where[lane] = ((n * C + first + c) * PH + h) * PW if there else -1
            to_lanes(values, r * PW * lanes, dense, gy, 0, where, height * PW, gy)
            to_lanes(codes, r * PW * lanes, dense, winners, 0, where, height * PW, gy)
        t = (c // side * HP * WP * side + c % side) * lanes
        for r in range(HP):
            window = (r + odd) // 2 * PW * lanes
            to_winners(scratch, t + pixels[r * W], side * lanes, (r + odd) % 2, values, codes, window, PW)


@jit
def _strip(item, x, x_winners, y, y_winners, packed, MR, K, shape, cut, tables):
    """One block of outputs of one group, in one block of strips. Where there is memory for ``y_winners``, of each 2 x 2
    outputs only the largest is kept, or 0 if it is less; ``x_winners``: see ``_fill``."""
    N, G, C, H, W, O, OH, OW = shape
    R, HP, WP, CB, OB, top, down, strips, _ = cut
    pixels, ranges, classes, taps, weights, positions, goals = tables
    lanes, panels = VECTOR_BYTES // x.itemsize, (O + MR - 1) // MR
    cblocks, oblocks, size = (C + CB - 1) // CB, (O + OB - 1) // OB, (1 + CB * K) * MR
    block, g, o0 = item // (G * oblocks), item // oblocks % G, item % oblocks * OB
    outputs, row = min(OB, O - o0), R * OW * lanes
    scratch = workspace(min(C, CB) * HP * WP * lanes, x)
    out = workspace((outputs + MR - 1) // MR * MR * row, x)
    strip = block * lanes // N if ranges.size > 2 else 0
    rows_in = top, down, HP, WP, strips, np.int64(1)
    for cb in range(cblocks):
        channels = min(CB, C - cb * CB)
        _fill(scratch, x, x_winners, block, (N, G * C, g * C + cb * CB, channels, H, W), rows_in, pixels)
        for o in range(0, outputs, MR):
            w, at = ((g * panels + (o0 + o) // MR) * cblocks + cb) * size, o * row
            for k in range(ranges[2 * strip], ranges[2 * strip + 1], 4):
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
    pooled = 2 if y_winners.size else 1
    PH, PW = OH // pooled, OW // pooled
    codes = np.empty(outputs * row // 4 if y_winners.size else 0, np.uint8)
    if y_winners.size:
        for o in range(outputs):
            for i in range(R // 2):
                to, start = o * row + i * PW * lanes, o * row + 2 * i * OW * lanes
                relu_of_max(out, to, codes, o * (row // 4) + i * PW * lanes, out, start, OW * lanes, PW)
    where, counts = np.empty(lanes, np.int64), np.empty(lanes, np.int64)
    for lane in range(lanes):
        unit = block * lanes + lane
        n, first = unit % N, unit // N * R
        where[lane] = (((n * G + g) * O + o0) * PH + first // pooled) * PW
        counts[lane] = max(0, min(R, OH - first)) // pooled * PW
    for o in range(outputs):
        from_lanes(y, o * PH * PW, where, counts, out, o * row, R // pooled * PW, x)
        if y_winners.size:
            from_lanes(y_winners, o * PH * PW, where, counts, codes, o * (row // 4), R // 2 * PW, x)


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
def _correlate(x, x_winners, w, bias, y, y_winners, MR, K, steps, shape, cut, tables):
    _, G, C, _, _, O, _, _ = shape
    CB, panels = cut.CB, (O + MR - 1) // MR
    packed = workspace(G * panels * ((C + CB - 1) // CB) * (1 + CB * K) * MR, x)
    parallel_for(_pack_panel, G * panels, (w, bias, packed, MR, O, C, CB, K, steps))
    items = cut.blocks * G * ((O + cut.OB - 1) // cut.OB)
    parallel_for(_strip, items, (x, x_winners, y, y_winners, packed, MR, K, shape, cut, tables))


@jit
def _tile_size(MR, NT, lanes):
    """Elements of a tile of sums, in whole vectors."""
    return (MR * NT + lanes - 1) // lanes * lanes


@jit
def _weight_part(item, x, gy, winners, partial, parts, MR, NT, K, shape, cut, tables):
    """The weight gradient of one block of channels and one of outputs, summed over one part of the blocks of strips:
    ``partial[part, group, panel of outputs, block of channels, tile]``."""
    N, G, C, H, W, O, OH, OW = shape
    R, HP, WP, CB, OB, top, down, strips, blocks = cut
    pixels, ranges, classes, taps, columns, positions, _ = tables
    lanes = VECTOR_BYTES // x.itemsize
    cblocks, oblocks, panels = (C + CB - 1) // CB, (O + OB - 1) // OB, (O + MR - 1) // MR
    tile, across = _tile_size(MR, NT, lanes), (CB * K + NT - 1) // NT
    o0, cb, item = item % oblocks * OB, item // oblocks % cblocks, item // (oblocks * cblocks)
    g, part = item % G, item // G
    outputs, channels = min(OB, O - o0), min(CB, C - cb * CB)
    scratch = workspace(channels * HP * WP * lanes, x)
    turned = workspace((outputs + MR - 1) // MR * R * OW * MR * lanes, x)
    turned[:] = 0
    first, last, none = blocks * part // parts, blocks * (part + 1) // parts, winners[:0]
    rows_in, rows_out = (top, down, HP, WP, strips, np.int64(1)), (np.int64(0), R, R, OW, strips, MR)
    for block in range(first, last):
        _fill(scratch, x, none, block, (N, G * C, g * C + cb * CB, channels, H, W), rows_in, pixels)
        _fill(turned, gy, winners, block, (N, G * O, g * O + o0, outputs, OH, OW), rows_out, columns)
        strip = block * lanes // N if ranges.size > 2 else 0
        k = ranges[2 * strip]
        count, where = classes[k + 3], positions[classes[k + 2] :]
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
def _weights(x, gy, winners, gw, MR, NT, K, shape, cut, tables):
    _, G, C, _, _, O, _, _ = shape
    CB, cblocks, panels = cut.CB, (C + cut.CB - 1) // cut.CB, (O + MR - 1) // MR
    items = G * cblocks * ((O + cut.OB - 1) // cut.OB)
    parts = min(cut.blocks, (ITEMS + items - 1) // items)
    size = _tile_size(MR, NT, VECTOR_BYTES // x.itemsize)
    partial = workspace(parts * G * panels * cblocks * ((CB * K + NT - 1) // NT) * size, x)
    parallel_for(_weight_part, parts * items, (x, gy, winners, partial, parts, MR, NT, K, shape, cut, tables))
    parallel_for(_add_parts, G * panels, (partial, gw, parts, MR, NT, panels, O, C, CB, K))


# -------------------------------------------------------------------------------------------------- the contract


NONE = np.empty(0, np.uint8)  # for winners, where nothing is pooled


def output_size(size, kernel_size, stride, padding, dilation):
    axes = zip(size, kernel_size, stride, padding, dilation, strict=True)
    return tuple([(n + 2 * P - D * (K - 1) - 1) // S + 1 for n, K, S, P, D in axes])


def forward(x, w, b, y, winners, out, stride, padding, dilation, groups):
    """conv2d, with output size ``out``, to y; or with memory for ``winners`` its windows' maxima."""
    (N, _, H, W), (_, C, KH, KW), OG, unit = x.shape, w.shape, len(w) // groups, 2 if winners.size else 1
    plan = forward_plan((KH, KW), stride, padding, dilation, (H, W), out, N, groups, C, OG, x.itemsize, unit)
    b = np.empty(0, x.dtype) if b is None else flat(b)
    K, MR, shape = KH * KW, tile_for(OG)[0], (N, groups, C, H, W, OG, *out)
    steps = OG * C * K, C * K, K
    _correlate(flat(x), NONE, flat(w), b, y.reshape(-1), winners.reshape(-1), MR, K, steps, shape, *plan)


def input_gradient(gy, winners, w, gx, out, stride, padding, dilation, groups):
    """conv2d_gx of gy, which has size ``out``, or is the gradient of its windows' maxima, to gx."""
    (_, C, KH, KW), (N, _, H, W), OG, unit = w.shape, gx.shape, len(w) // groups, 2 if winners.size else 1
    plan = backward_plan((KH, KW), stride, padding, dilation, out, (H, W), N, groups, OG, C, gy.itemsize, unit)
    none, K, MR, shape = np.empty(0, gy.dtype), KH * KW, tile_for(C)[0], (N, groups, OG, *out, C, H, W)
    steps = OG * C * K, K, C * K
    _correlate(flat(gy), flat(winners), flat(w), none, gx.reshape(-1), NONE, MR, K, steps, shape, *plan)


def weight_gradient(gy, winners, x, gw, out, stride, padding, dilation, groups):
    """conv2d_gw, likewise."""
    (N, _, H, W), (O, C, KH, KW), unit = x.shape, gw.shape, 2 if winners.size else 1
    OG, K = O // groups, KH * KW
    plan = forward_plan((KH, KW), stride, padding, dilation, (H, W), out, N, groups, C, OG, x.itemsize, unit, True)
    shape = N, groups, C, H, W, OG, *out
    _weights(flat(x), flat(gy), flat(winners), gw.reshape(-1), *tile_for(OG, DOTS), K, shape, *plan)


def conv2d(x, w, b, stride, padding, dilation, groups):
    if not compiled_for(x):
        return reference.conv2d(x, w, b, stride, padding, dilation, groups)
    out = output_size(x.shape[2:], w.shape[2:], stride, padding, dilation)
    y = np.empty((len(x), len(w), *out), x.dtype)
    if not w.shape[1]:
        y[...] = 0 if b is None else b[:, None, None]
    elif y.size:
        forward(x, w, b, y, NONE, out, stride, padding, dilation, groups)
    return y


def conv2d_gx(gy, w, input_size, stride, padding, dilation, groups):
    if not compiled_for(gy):
        return reference.conv2d_gx(gy, w, input_size, stride, padding, dilation, groups)
    gx = np.empty((len(gy), w.shape[1] * groups, *input_size), gy.dtype)
    if not gy.size:
        gx[...] = 0
    elif gx.size:
        input_gradient(gy, NONE, w, gx, gy.shape[2:], stride, padding, dilation, groups)
    return gx


def conv2d_gw(gy, x, kernel_size, stride, padding, dilation, groups):
    if not compiled_for(x):
        return reference.conv2d_gw(gy, x, kernel_size, stride, padding, dilation, groups)
    gw = np.empty((gy.shape[1], x.shape[1] // groups, *kernel_size), x.dtype)
    if not gw.size or not gy.size:
        gw[...] = 0
    else:
        weight_gradient(gy, NONE, x, gw, gy.shape[2:], stride, padding, dilation, groups)
    return gw
