"""Convolution and its two gradients, with a strip of an image in each lane of a vector.

A work item takes LANES images (see ``conv_plan.py`` for fewer), turns the rows that it needs into lanes, zero-padded,
``x[channel, row, column, lane]``; computes its outputs there on the tiles of ``lane_tiles.py``; and turns them back:

* forward and input gradient: ``y[o, p] = sum over channels and taps t of w[o, t] * x[t + p]`` on ``image_tile``, where
  t and p are displacements from the plan's tables. No im2col buffer exists (*implicit GEMM*). With ReLU and
  max-pooling behind it, on ``window_tile``, which keeps one pixel of four while they are in registers;
* weight gradient: ``gw[o, t] = sum over positions p and lanes of gy[o, p] * x[t + p]`` on ``image_dots``; where gy
  comes from max-pooling, on ``window_dots``, which never writes its zeros down.

Channels go in blocks where they are many, so that a work item's memory stays in the second-level cache.

All kernels here go by the same sizes and tables:

* ``shape`` is ``(N, G, C, H, W, O, OH, OW)``: images, groups, input channels and output channels *of a group*, and the
  sizes of input and output. (For the input gradient gy is the input, and gx the output.)
* ``MR`` is the number of outputs (rows) of a tile, ``NT`` that of taps; ``K`` is KH*KW.
* ``cut`` says how large a work item is, and ``tables`` where everything lies: ``conv_plan.py`` makes both.
* ``item`` is a work item's number: its blocks of strips, groups and blocks of outputs are counted through, outputs
  first.
"""

from __future__ import annotations

import numpy as np

from .arrays import lanes_of, workspace
from .compile import jit
from .conv_plan import ITEMS, SINGLE, Cut
from .lane_tiles import make_image_dots, make_image_tile, make_window_dots, make_window_tile
from .lanes import from_lanes, kept_sum, to_lanes, to_winners
from .parallel import parallel_for
from .sizes import unpacked
from .target import DOTS, TILES, WINDOW_DOTS, WINDOW_TILES

(WIDE_ROWS, WIDE_COLUMNS), (SLIM_ROWS, SLIM_COLUMNS), SINGLE_COLUMNS = *TILES, SINGLE[1]
_wide_tile, _slim_tile, _single_tile = make_image_tile(*TILES[0]), make_image_tile(*TILES[1]), make_image_tile(*SINGLE)
TALL_ROWS, SHORT_ROWS = WINDOW_TILES[0][0], WINDOW_TILES[-1][0]
_tall_window, _short_window = make_window_tile(TALL_ROWS), make_window_tile(SHORT_ROWS)
(MANY_ROWS, _), (FEW_ROWS, _) = DOTS
TALL_DOTS = WINDOW_DOTS[0][0]
_tall_window_dots, _short_window_dots = make_window_dots(*WINDOW_DOTS[0]), make_window_dots(*WINDOW_DOTS[-1])
_many_dots, _few_dots, _single_dots = make_image_dots(*DOTS[0]), make_image_dots(*DOTS[1]), make_image_dots(*SINGLE)


@jit(apart=True)
def _fill(scratch, x, like, block, image, rows, pixels):
    """Turn a block of strips of x (N, C, H, W) into lanes: to ``scratch[channel, row, column, lane]``, zero-padded.

    Args:
        scratch: memory of the work item.
        x: the images, flat.
        like: an array of the type whose vectors say how many lanes there are.
        block: the number of the block of strips.
        image: ``(N, C, first, channels, H, W)``: so many ``channels`` from ``first`` on are turned.
        rows: ``(top, down, HP, WP, strips, side)``: strip s reads the HP rows from s*down + top on. ``side`` channels
            lie side by side for each pixel (1, or the rows of a tile).
        pixels: the place of each pixel of these rows in a channel of ``scratch``.
    """
    (N, C, first, channels, H, W), (top, down, HP, WP, strips, side) = image, rows
    lanes = lanes_of(like)
    starts, unit = np.empty(lanes, np.int64), block * lanes
    begin, chunks, height = _chunks(unit, N, H, top, down, HP, lanes)
    if chunks * height < HP or W < WP:
        scratch[:] = 0
    for r in range(begin, begin + chunks):
        for lane in range(lanes):
            n, h = (unit + lane) % N, (unit + lane) // N * down + top + r
            there = unit + lane < N * strips and 0 <= h < H
            starts[lane] = ((n * C + first) * H + h) * W if there else -1
        for c in range(channels):
            t = ((c // side * HP + r) * WP * side + c % side) * lanes
            to_lanes(scratch, t, pixels, x, c * H * W, starts, height * W, like)


@jit
def _chunks(unit, N, H, top, down, HP, lanes):
    """How to turn the HP rows from ``top`` on: (first row, how many times, how many rows at a time). That is row by
    row, unless all lanes are at the same strip, and so have the same rows in the image: then it is all at once."""
    strip = unit // N
    if unit + lanes > (strip + 1) * N:
        return 0, HP, 1
    low = max(0, strip * down + top)
    height = max(0, min(H, strip * down + top + HP) - low)
    return low - strip * down - top, min(1, height), height


@jit(apart=True)
def _fill_from_windows(scratch, gy, winners, block, image, rows, pixels):
    """What :func:`_fill` does, where x is not written down: the gradient that max-pooling over 2 x 2 windows makes of
    gy and ``winners``, both (N, C, H // 2, W // 2). Each of their rows is turned once, and makes two rows of x.
    ``down`` is even."""
    (N, C, first, channels, H, W), (top, down, HP, WP, strips, _) = image, rows
    lanes, PH, PW, odd = lanes_of(gy), H // 2, W // 2, top % 2
    count, base = (HP + odd + 1) // 2, (top - odd) // 2  # rows of windows; the first one in strip 0
    dense, starts, unit = np.arange(count * PW) * lanes, np.empty(lanes, np.int64), block * lanes
    values, codes = workspace(count * PW * lanes, gy), workspace(count * PW * lanes, winners)
    values[:], codes[:] = 0, 0
    begin, chunks, height = _chunks(unit, N, PH, base, down // 2, count, lanes)
    left, right = pixels[0], pixels[0] + PW * 2 * lanes  # the columns that are in windows
    for c in range(channels):
        for r in range(begin, begin + chunks):
            for lane in range(lanes):
                n, h = (unit + lane) % N, (unit + lane) // N * (down // 2) + base + r
                there = unit + lane < N * strips and 0 <= h < PH
                starts[lane] = ((n * C + first + c) * PH + h) * PW if there else -1
            to_lanes(values, r * PW * lanes, dense, gy, 0, starts, height * PW, gy)
            to_lanes(codes, r * PW * lanes, dense, winners, 0, starts, height * PW, gy)
        for r in range(HP):
            row, window = (c * HP + r) * WP * lanes, (r + odd) // 2 * PW * lanes
            scratch[row : row + left], scratch[row + right : row + WP * lanes] = 0, 0
            to_winners(scratch, row + left, lanes, (r + odd) % 2, values, codes, window, PW)


@jit
def _strip(item, x, winners, y, packed, MR, K, shape, cut, tables):
    """The work item of a convolution, or of an input gradient: one block of outputs of one group, in one block of
    strips. If ``winners`` is not empty, x is the gradient of the windows of a max-pooling."""
    N, G, C, H, W, O, OH, OW = shape
    R, HP, WP, CB, OB, top, down, strips, _ = cut
    pixels, ranges, classes, taps, weights, positions, goals = tables
    lanes, panels = lanes_of(x), (O + MR - 1) // MR
    cblocks, oblocks, size = (C + CB - 1) // CB, (O + OB - 1) // OB, (1 + CB * K) * MR
    block, g, o0 = item // (G * oblocks), item // oblocks % G, item % oblocks * OB
    outputs, row = min(OB, O - o0), R * OW * lanes
    scratch = workspace(min(C, CB) * HP * WP * lanes, x)
    out = workspace((outputs + MR - 1) // MR * MR * row, x)
    strip = block * lanes // N if ranges.size > 2 else 0
    rows_in = top, down, HP, WP, strips, np.int64(1)
    for cb in range(cblocks):
        channels = min(CB, C - cb * CB)
        image = N, G * C, g * C + cb * CB, channels, H, W
        if winners.size:
            _fill_from_windows(scratch, x, winners, block, image, rows_in, pixels)
        else:
            _fill(scratch, x, x, block, image, rows_in, pixels)
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
    starts, counts = _places(block, (N, G * O, g * O + o0, OH, OW), R, lanes)
    for o in range(outputs):
        from_lanes(y, o * OH * OW, starts, counts, out, o * row, R * OW, x)


@jit
def _pooled_strip(item, x, y, winners, packed, MR, K, shape, cut, tables):
    """The work item of a convolution with ReLU and the maxima of 2 x 2 windows behind it: as :func:`_strip`, but with
    all channels in one block. Outputs that are in no window are not computed."""
    N, G, C, H, W, O, OH, OW = shape
    R, HP, WP, _, OB, top, down, strips, _ = cut
    pixels, ranges, classes, taps, weights, positions, goals = tables
    lanes, panels, oblocks = lanes_of(x), (O + MR - 1) // MR, (O + OB - 1) // OB
    block, g, o0 = item // (G * oblocks), item // oblocks % G, item % oblocks * OB
    PR, PH, PW = R // 2, OH // 2, OW // 2
    outputs, row = min(OB, O - o0), PR * PW * lanes
    scratch = workspace(C * HP * WP * lanes, x)
    out = workspace((outputs + MR - 1) // MR * MR * row, x)
    codes = workspace(out.size, winners)
    strip = block * lanes // N if ranges.size > 2 else 0
    rows_in = top, down, HP, WP, strips, np.int64(1)
    _fill(scratch, x, x, block, (N, G * C, g * C, C, H, W), rows_in, pixels)
    for o in range(0, outputs, MR):
        w, at = (g * panels + (o0 + o) // MR) * (1 + C * K) * MR, o * row
        for k in range(ranges[2 * strip], ranges[2 * strip + 1], 4):
            t, T, p = classes[k], classes[k + 1] * C, classes[k + 2]
            if MR == TALL_ROWS:
                for q in range(p, p + classes[k + 3]):
                    _tall_window(T, t, packed, w, weights, scratch, taps, positions, goals, q, out, codes, at, row)
            else:
                for q in range(p, p + classes[k + 3]):
                    _short_window(T, t, packed, w, weights, scratch, taps, positions, goals, q, out, codes, at, row)
    starts, counts = _places(block, (N, G * O, g * O + o0, PH, PW), PR, lanes)
    for o in range(outputs):
        from_lanes(y, o * PH * PW, starts, counts, out, o * row, PR * PW, x)
        from_lanes(winners, o * PH * PW, starts, counts, codes, o * row, PR * PW, x)


@jit(apart=True)
def _places(block, images, R, lanes):
    """For each lane: where its strip begins in memory, R rows of channel ``first`` of an image, and how many pixels it
    has there."""
    N, C, first, H, W = images
    starts, counts = np.empty(lanes, np.int64), np.empty(lanes, np.int64)
    for lane in range(lanes):
        n, h = (block * lanes + lane) % N, (block * lanes + lane) // N * R
        starts[lane] = ((n * C + first) * H + h) * W
        counts[lane] = max(0, min(R, H - h)) * W
    return starts, counts


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


@jit(apart=True)
def _pack(x, w, bias, MR, K, steps, shape, cut):
    """All weights as the tiles read them."""
    _, G, C, _, _, O, _, _ = shape
    CB, panels = cut.CB, (O + MR - 1) // MR
    packed = workspace(G * panels * ((C + CB - 1) // CB) * (1 + CB * K) * MR, x)
    parallel_for(_pack_panel, G * panels, (w, bias, packed, MR, O, C, CB, K, steps))
    return packed, cut.blocks * G * ((O + cut.OB - 1) // cut.OB)


@jit
def correlate(x, winners, w, bias, y, MR, K, steps, shape, sizes, tables):
    cut = unpacked(Cut, sizes)
    packed, items = _pack(x, w, bias, MR, K, steps, shape, cut)
    parallel_for(_strip, items, (x, winners, y, packed, MR, K, shape, cut, tables))


@jit
def correlate_and_pool(x, w, bias, y, winners, MR, K, shape, sizes, tables):
    C, O, cut = shape[2], shape[5], unpacked(Cut, sizes)
    packed, items = _pack(x, w, bias, MR, K, (O * C * K, C * K, K), shape, cut)
    parallel_for(_pooled_strip, items, (x, y, winners, packed, MR, K, shape, cut, tables))


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
    pixels, ranges, classes, taps, columns, positions, _ = tables
    lanes = lanes_of(x)
    cblocks, oblocks, panels = (C + CB - 1) // CB, (O + OB - 1) // OB, (O + MR - 1) // MR
    tile, across = _tile_size(MR, NT, lanes), (CB * K + NT - 1) // NT
    o0, cb, item = item % oblocks * OB, item // oblocks % cblocks, item // (oblocks * cblocks)
    g, part = item % G, item // G
    outputs, channels = min(OB, O - o0), min(CB, C - cb * CB)
    scratch = workspace(channels * HP * WP * lanes, x)
    turned = workspace((outputs + MR - 1) // MR * R * OW * MR * lanes, x)
    if outputs % MR:
        turned[:] = 0
    first, last = blocks * part // parts, blocks * (part + 1) // parts
    rows_in, rows_out = (top, down, HP, WP, strips, np.int64(1)), (np.int64(0), R, R, OW, strips, MR)
    for block in range(first, last):
        _fill(scratch, x, x, block, (N, G * C, g * C + cb * CB, channels, H, W), rows_in, pixels)
        _fill(turned, gy, gy, block, (N, G * O, g * O + o0, outputs, OH, OW), rows_out, columns)
        strip = block * lanes // N if ranges.size > 2 else 0
        k = ranges[2 * strip]
        count, places = classes[k + 3], positions[classes[k + 2] :]
        for o in range(0, outputs, MR):
            q, at = (((part * G + g) * panels + (o0 + o) // MR) * cblocks + cb) * across * tile, o * R * OW * lanes
            if block == first:
                partial[q : q + across * tile] = 0
            for j in range(0, channels * K, NT):
                if MR == MANY_ROWS:
                    _many_dots(count, turned, at, scratch, taps, j, channels * K - 1, places, partial, q)
                elif MR == FEW_ROWS:
                    _few_dots(count, turned, at, scratch, taps, j, channels * K - 1, places, partial, q)
                else:
                    _single_dots(count, turned, at, scratch, taps, j, channels * K - 1, places, partial, q)
                q += tile


@jit
def _pooled_weight_part(item, x, gy, winners, partial, kept, parts, MR, NT, K, shape, cut, tables):
    """What :func:`_weight_part` computes, where gy is the gradient of the windows of a max-pooling; and the bias' part,
    ``kept[part, group, output]``."""
    N, G, C, H, W, O, OH, OW = shape
    R, HP, WP, CB, OB, top, down, strips, blocks = cut
    pixels, ranges, classes, taps, columns, positions, _ = tables
    lanes, PR, PH, PW = lanes_of(x), R // 2, OH // 2, OW // 2
    cblocks, oblocks, panels = (C + CB - 1) // CB, (O + OB - 1) // OB, (O + MR - 1) // MR
    tile, across = _tile_size(MR, NT, lanes), (CB * K + NT - 1) // NT
    o0, cb, item = item % oblocks * OB, item // oblocks % cblocks, item // (oblocks * cblocks)
    g, part = item % G, item // G
    outputs, channels = min(OB, O - o0), min(CB, C - cb * CB)
    scratch = workspace(channels * HP * WP * lanes, x)
    turned = workspace((outputs + MR - 1) // MR * PR * PW * MR * lanes, x)
    codes = workspace(turned.size, winners)
    if outputs % MR:
        turned[:] = 0
    first, last = blocks * part // parts, blocks * (part + 1) // parts
    rows_in, rows_out = (top, down, HP, WP, strips, np.int64(1)), (np.int64(0), PR, PR, PW, strips, MR)
    for block in range(first, last):
        _fill(scratch, x, x, block, (N, G * C, g * C + cb * CB, channels, H, W), rows_in, pixels)
        _fill(turned, gy, gy, block, (N, G * O, g * O + o0, outputs, PH, PW), rows_out, columns)
        _fill(codes, winners, gy, block, (N, G * O, g * O + o0, outputs, PH, PW), rows_out, columns)
        strip = block * lanes // N if ranges.size > 2 else 0
        k = ranges[2 * strip]
        count, places = classes[k + 3], positions[4 * classes[k + 2] :]
        for o in range(0, outputs, MR):
            q, at = (((part * G + g) * panels + (o0 + o) // MR) * cblocks + cb) * across * tile, o * PR * PW * lanes
            if block == first:
                partial[q : q + across * tile] = 0
            for j in range(0, channels * K, NT):
                if MR == TALL_DOTS:
                    _tall_window_dots(count, turned, codes, at, scratch, taps, j, channels * K - 1, places, partial, q)
                else:
                    _short_window_dots(count, turned, codes, at, scratch, taps, j, channels * K - 1, places, partial, q)
                q += tile
            for i in range(min(MR, outputs - o) if cb == 0 else 0):
                total = kept_sum(turned, codes, at + i * lanes, MR * lanes, count)
                to = (part * G + g) * O + o0 + o + i
                kept[to] = total if block == first else kept[to] + total


@jit
def _add_parts(item, partial, gw, kept, gb, parts, MR, NT, panels, O, C, CB, K):
    """gw[g, o, (c, kh, kw)], and gb[g, o] if asked for, of one group and panel of outputs: the parts added up, out of
    the tiles' order."""
    g, o = item // panels, item % panels * MR
    tile, cblocks, across = _tile_size(MR, NT, lanes_of(gw)), (C + CB - 1) // CB, (CB * K + NT - 1) // NT
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
    for i in range(g * O + o, min(g * O + o + MR, (g + 1) * O, gb.size)):
        gb[i] = 0
        for part in range(parts):
            gb[i] += kept[part * gb.size + i]


@jit(apart=True)
def _parts(x, MR, NT, K, shape, cut):
    """How many work items there are, over how many parts of the images each sum is spread, and memory for them."""
    _, G, C, _, _, O, _, _ = shape
    CB, cblocks, panels = cut.CB, (C + cut.CB - 1) // cut.CB, (O + MR - 1) // MR
    items = G * cblocks * ((O + cut.OB - 1) // cut.OB)
    parts = min(cut.blocks, (ITEMS + items - 1) // items)
    size = _tile_size(MR, NT, lanes_of(x))
    return parts * items, parts, workspace(parts * G * panels * cblocks * ((CB * K + NT - 1) // NT) * size, x)


@jit
def weights(x, gy, gw, MR, NT, K, shape, sizes, tables):
    (_, G, C, _, _, O, _, _), cut = shape, unpacked(Cut, sizes)
    items, parts, partial = _parts(x, MR, NT, K, shape, cut)
    panels, none = (O + MR - 1) // MR, gw[:0]
    parallel_for(_weight_part, items, (x, gy, partial, parts, MR, NT, K, shape, cut, tables))
    parallel_for(_add_parts, G * panels, (partial, gw, none, none, parts, MR, NT, panels, O, C, cut.CB, K))


@jit
def pooled_weights(x, gy, winners, gw, gb, MR, NT, K, shape, sizes, tables):
    (_, G, C, _, _, O, _, _), cut = shape, unpacked(Cut, sizes)
    items, parts, partial = _parts(x, MR, NT, K, shape, cut)
    panels, kept = (O + MR - 1) // MR, workspace(parts * G * O, x)
    parallel_for(_pooled_weight_part, items, (x, gy, winners, partial, kept, parts, MR, NT, K, shape, cut, tables))
    parallel_for(_add_parts, G * panels, (partial, gw, kept, gb, parts, MR, NT, panels, O, C, cut.CB, K))
