"""Convolution and its two gradients, with an output channel in each lane of a vector.

What ``conv_images.py`` does with images in lanes, done where images are few and channels many. Nothing of x is turned
into lanes: the tile reads one number of it for each position and step, in place or, where windows reach into the
padding, from a padded copy, and multiplies it by vectors of weights:

* forward and input gradient: ``y[p, o...] = sum over channels and taps t of x[t + p] * w[t, o...]``. Each work item
  turns the weights that it needs, a *panel* at a time: those of as many outputs as the tile is wide, and of so few
  channels that they stay in the first-level cache for all positions. So weights are read from memory once, however
  many they are, and taps that meet nothing but padding are left out for each image alone;
* weight gradient: ``gw[t, o...] = sum over positions p of x[t + p] * gy[p, o...]``: the same, of gy instead of weights,
  with taps and positions exchanged. No sum over lanes is needed.
"""

from __future__ import annotations

import numpy as np

from .arrays import lanes_of, workspace
from .compile import jit
from .conv_plan import ITEMS, ChannelCut
from .lane_tiles import make_image_tile
from .lanes import from_lanes, to_lanes
from .parallel import parallel_for
from .sizes import unpacked
from .target import CHANNEL_TILES

(WIDE_POSITIONS, WIDE_VECTORS), (SLIM_POSITIONS, SLIM_VECTORS) = CHANNEL_TILES[-1], CHANNEL_TILES[0]
_wide_tile = make_image_tile(WIDE_VECTORS, WIDE_POSITIONS, channels=True)
_slim_tile = make_image_tile(SLIM_VECTORS, SLIM_POSITIONS, channels=True)


@jit
def _copy(scratch, x, first, channels, H, W, apart, cut, strip):
    """The rows of a strip that lie in the image, of some channels of some images, which begin at ``first`` and are
    ``apart``, to ``scratch``, whose padding is there already."""
    low, high = max(0, strip * cut.down + cut.top), min(H, strip * cut.down + cut.top + cut.HP)
    for n in range(cut.images):
        for c in range(channels):
            to = ((n * cut.CB + c) * cut.HP + low - strip * cut.down - cut.top) * cut.WP - cut.left
            source = first + n * apart + (c * H + low) * W
            for _ in range(low, high):
                row, pixels = scratch[to:], x[source:]
                for q in range(W):
                    row[q] = pixels[q]
                to += cut.WP
                source += W


@jit
def _strip(item, x, w, bias, y, NV, K, steps, shape, cut, tables):
    """One block of outputs of one group, in one strip of some images. The weight of group g, output o, channel c, tap
    k is at g*steps[0] + o*steps[1] + c*steps[2] + k."""
    _, G, C, H, W, O, OH, OW = shape
    R, CB, OB, NI, strips = cut.R, cut.CB, cut.OB, cut.images, cut.strips
    ranges, classes, taps, weights, positions, goals, panel = tables
    lanes = lanes_of(x)
    width, oblocks = NV * lanes, (O + OB - 1) // OB
    o0, item = item % oblocks * OB, item // oblocks
    g, item = item % G, item // G
    strip, n0 = item % strips, item // strips * NI
    outputs, row, starts = min(OB, O - o0), NI * R * OW * lanes, np.empty(lanes, np.int64)
    packed = workspace((1 + CB * K) * width, x)
    out = workspace((outputs + width - 1) // width * NV * row, x)
    scratch = workspace(NI * CB * cut.HP * cut.WP if cut.copied else 0, x)
    scratch[:] = 0
    run = C * K if steps[2] == K else K  # weights of an output that lie side by side
    for cb in range(0, C, CB):
        channels, source = min(CB, C - cb), scratch
        first = ((n0 * G + g) * C + cb) * H * W
        if cut.copied:
            _copy(scratch, x, first, channels, H, W, G * C * H * W, cut, strip)
        else:
            source = x[first + strip * cut.down * W :]
        for o in range(0, outputs, width):
            for j in range(0, width, lanes):
                for lane in range(lanes):
                    there = o + j + lane < outputs
                    starts[lane] = g * steps[0] + (o0 + o + j + lane) * steps[1] + cb * steps[2] if there else -1
                    packed[j + lane] = bias[g * O + o0 + o + j + lane] if bias.size and there and cb == 0 else 0
                for k in range(0, channels * K, run):
                    count = min(run, channels * K)
                    to_lanes(packed, (1 + k) * width + j, panel, w, k // K * steps[2], starts, count, x)
            at = o // lanes * row
            for k in range(ranges[2 * strip], ranges[2 * strip + 1], 4):
                t, T, p = classes[k], classes[k + 1] * channels, classes[k + 2]
                last = p + classes[k + 3] - 1
                if NV == WIDE_VECTORS:
                    for q in range(p, last + 1, WIDE_POSITIONS):
                        _wide_tile(T, t, packed, 0, weights, source, taps, positions, goals, q, last, out, at, row, cb)
                else:
                    for q in range(p, last + 1, SLIM_POSITIONS):
                        _slim_tile(T, t, packed, 0, weights, source, taps, positions, goals, q, last, out, at, row, cb)
    counts, pixels = np.empty(lanes, np.int64), min(R, OH - strip * R) * OW
    for n in range(NI):
        for o in range(0, outputs, lanes):
            for lane in range(lanes):
                there = o + lane < outputs
                starts[lane] = ((((n0 + n) * G + g) * O + o0 + o + lane) * OH + strip * R) * OW if there else 0
                counts[lane] = pixels if there else 0
            from_lanes(y, 0, starts, counts, out, o // lanes * row + n * R * OW * lanes, pixels, x)


@jit
def correlate(x, w, bias, y, NV, K, steps, shape, sizes, tables):
    (N, G, _, _, _, O, _, _), cut = shape, unpacked(ChannelCut, sizes)
    items = N // cut.images * cut.strips * G * ((O + cut.OB - 1) // cut.OB)
    parallel_for(_strip, items, (x, w, bias, y, NV, K, steps, shape, cut, tables))


@jit
def _weight_part(item, x, gy, partial, parts, NV, K, shape, cut, tables):
    """The weight gradient of one block of channels and one of outputs, summed over one part of the strips:
    ``partial[part, group, block of channels, vector of outputs, channel and tap, lane]``."""
    N, G, C, H, W, O, OH, OW = shape
    R, CB, OB, NI, strips = cut.R, cut.CB, cut.OB, cut.images, cut.strips
    ranges, classes, taps, rows, positions, goals, panel = tables
    lanes = lanes_of(x)
    width, panels = NV * lanes, (O + NV * lanes - 1) // (NV * lanes)
    cblocks, oblocks = (C + CB - 1) // CB, (O + OB - 1) // OB
    o0, item = item % oblocks * OB, item // oblocks
    block, item = item % cblocks, item // cblocks
    g, part = item % G, item // G
    cb, row, starts = block * CB, CB * K * lanes, np.empty(lanes, np.int64)
    channels, outputs = min(CB, C - cb), min(OB, O - o0)
    turned = workspace((1 + NI * R * OW) * width, x)
    turned[:width] = 0
    scratch = workspace(NI * CB * cut.HP * cut.WP if cut.copied else 0, x)
    last, all_strips = channels * K - 1, N // NI * strips
    first_strip = all_strips * part // parts
    for s in range(first_strip, all_strips * (part + 1) // parts):
        strip, n0, source = s % strips, s // strips * NI, scratch
        first = ((n0 * G + g) * C + cb) * H * W
        if cut.copied:
            if s == first_strip or strips > 1:
                scratch[:] = 0
            _copy(scratch, x, first, channels, H, W, G * C * H * W, cut, strip)
        else:
            source = x[first + strip * cut.down * W :]
        pixels, k = min(R, OH - strip * R) * OW, ranges[2 * strip]
        count, places, more = classes[k + 3], positions[classes[k + 2] :], s - first_strip
        for o in range(0, outputs, width):
            for n in range(NI):
                for j in range(0, width, lanes):
                    for lane in range(lanes):
                        line = ((n0 + n) * G + g) * O + o0 + o + j + lane
                        starts[lane] = (line * OH + strip * R) * OW if o + j + lane < outputs else -1
                    to_lanes(turned, (1 + n * pixels) * width + j, panel, gy, 0, starts, pixels, x)
            at = (((part * G + g) * cblocks + block) * panels * NV + (o0 + o) // lanes) * row
            if NV == WIDE_VECTORS:
                for q in range(0, last + 1, WIDE_POSITIONS):
                    _wide_tile(count, 0, turned, 0, rows, source, places, taps, goals, q, last, partial, at, row, more)
            else:
                for q in range(0, last + 1, SLIM_POSITIONS):
                    _slim_tile(count, 0, turned, 0, rows, source, places, taps, goals, q, last, partial, at, row, more)


@jit
def _add_parts(item, partial, gw, parts, vectors, cblocks, O, C, CB, K):
    """gw[g, o, (c, kh, kw)] of one group and one vector of outputs: the parts added up, out of the lanes."""
    g, v = item // vectors, item % vectors
    lanes, stride = lanes_of(gw), partial.size // parts
    starts, counts, size = np.empty(lanes, np.int64), np.empty(lanes, np.int64), CB * K * lanes
    for block in range(cblocks):
        count, at = min(CB, C - block * CB) * K, ((g * cblocks + block) * vectors + v) * size
        total = partial[at : at + count * lanes]
        for part in range(1, parts):
            other = partial[at + part * stride :]
            for q in range(total.size):
                total[q] += other[q]
        for lane in range(lanes):
            there = v * lanes + lane < O
            starts[lane] = ((g * O + v * lanes + lane) * C + block * CB) * K if there else 0
            counts[lane] = count if there else 0
        from_lanes(gw, 0, starts, counts, total, 0, count, gw)


@jit
def weights(x, gy, gw, NV, K, shape, sizes, tables):
    (N, G, C, _, _, O, _, _), cut = shape, unpacked(ChannelCut, sizes)
    lanes, cblocks = lanes_of(x), (C + cut.CB - 1) // cut.CB
    vectors = (O + NV * lanes - 1) // (NV * lanes) * NV
    items = G * cblocks * ((O + cut.OB - 1) // cut.OB)
    parts = min(N // cut.images * cut.strips, (ITEMS + items - 1) // items)
    partial = workspace(parts * G * cblocks * vectors * cut.CB * K * lanes, x)
    parallel_for(_weight_part, parts * items, (x, gy, partial, parts, NV, K, shape, cut, tables))
    parallel_for(_add_parts, G * vectors, (partial, gw, parts, vectors, cblocks, O, C, cut.CB, K))
