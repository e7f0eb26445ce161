"""How a convolution is cut into work items, and the tables that its kernels in ``conv_images.py`` and
``conv_channels.py`` go by. All of it depends on shapes alone, and is made once for each.

**Cutting.** What fills the lanes of a vector is decided first: images, or output channels, whatever should take fewer
cycles.

* *Images in lanes* (:class:`Cut`). A work item computes ``R`` output rows of an image, a *strip*, for LANES images at
  once; where there are fewer images, a lane is one of several strips of an image. These LANES strips are a *block of
  strips*. The item turns the ``HP`` rows of input that they read, zero-padded to ``WP`` columns, into lanes, in memory
  of its own: ``x[channel, row, column, lane]``. It takes ``CB`` input channels (a *block of channels*) at a time, and
  computes ``OB`` output channels (a *block of outputs*).
* *Channels in lanes* (:class:`ChannelCut`). The same for single images, or for as many of them as fill a tile.

**Tables.** In that memory a tap of the kernel is a *displacement*, a number of elements, and so is the step from one
output position to the next: the sum at a position is over ``w[weights[k]] * x[taps[k] + position]``, and goes to
``y[goal]``. So one kernel, which reads displacements from tables, serves every stride, dilation and kernel size:

* Forward, every position sees all taps: one *class* of positions, with one list of taps.
* For the input gradient gy plays the input. The pixels of gx fall into SH*SW *kinds* by their remainders: each kind
  sees only every SH-th row and SW-th column of the kernel, and is a sum over those taps with stride 1. No zero is
  inserted and multiplied.
* Near the border of a small image most taps meet nothing but padding (half of them, in the gradient of LeNet-5's second
  convolution). Outputs of an axis that see the same taps are a *run* (:class:`Run`); a run of rows and one of columns
  make a class of its own, with fewer taps.
"""

from __future__ import annotations

import functools
import itertools
from typing import NamedTuple

import numpy as np

from .sizes import packed
from .target import CHANNEL_TILES, DOTS, TILES, VECTOR_BYTES, WINDOW_DOTS, WINDOW_TILES

SCRATCH = 384 * 1024  # bytes for the input of a work item, and for its output: three quarters of a large L2 cache
ITEMS = 4  # work items that a small problem is cut into: smaller ones would read more rows twice
TURN = 4  # cycles that turning a vector of pixels into lanes takes; a multiply-add takes half of one
BORDERED = 64  # pixels of an output's longer side, up to which there is something to gain at the border
CHUNKS = 1, 2, 4, 8  # how many outputs at the border may be a run although they miss different taps; the best is taken
PANEL = 36 * 1024  # bytes of weights that are turned into lanes at a time: three quarters of a first-level cache
IMAGES_COST = 1.13  # cycles that images in lanes take for each that is counted: their vectors come from L2 more often
SINGLE = 1, 9  # the tile of groups with one output, as depthwise layers have


class Axis(NamedTuple):
    """One direction of a convolution, vertical or horizontal: output ``first + i*distance``, for i = 0, 1, ..., reads
    the inputs ``i*step + r`` for all (k, r) in ``taps``, where k is a row (or column) of the kernel."""

    taps: tuple[tuple[int, int], ...]
    step: int
    first: int
    distance: int

    def indices(self, low: int, high: int) -> range:
        """The i of the outputs low <= h < high."""
        return range(*(max(0, -(-(h - self.first) // self.distance)) for h in (low, high)))

    def end(self, outputs: int) -> int:
        """The last input that the first so many outputs need; -1 if none."""
        rows = self.indices(0, outputs)
        return rows[-1] * self.step + max(r for _, r in self.taps) if rows and self.taps else -1

    def runs(self, low: int, high: int, size: int, chunk: int, unit: int) -> list[Run]:
        """Cut the outputs low <= h < high into runs, each with the taps that meet the input there.

        Args:
            low, high: outputs.
            size: of the input; what lies outside is padding.
            chunk: how many outputs at the border make a run, at most; those that no tap misses are one run, however
                many they are. 0: all outputs are one run, with all taps.
            unit: runs are made of whole units of so many outputs (windows of pooling).
        """
        outputs = self.indices(low, high)
        if not chunk:
            return [Run(self, outputs, self.taps)] if outputs else []
        met = [
            {tap for tap in self.taps if any(0 <= i * self.step + tap[1] < size for i in outputs[u : u + unit])}
            for u in range(0, len(outputs), unit)
        ]
        runs, chunk = [], max(1, chunk // unit)
        for _, group in itertools.groupby(
            range(len(met)), lambda u: -1 if len(met[u]) == len(self.taps) else (outputs[0] // unit + u) // chunk
        ):
            run = list(group)
            union = set().union(*[met[u] for u in run])
            taps = tuple([tap for tap in self.taps if tap in union])
            runs.append(Run(self, outputs[run[0] * unit : (run[-1] + 1) * unit], taps))
        return runs


def _forward_axes(kernel_size, stride, padding, dilation) -> list[tuple[Axis, ...]]:
    """The (vertical, horizontal) axes of a convolution: one such pair."""
    axes = zip(kernel_size, stride, padding, dilation, strict=True)
    return [tuple([Axis(tuple([(k, k * D - P) for k in range(K)]), S, 0, 1) for K, S, P, D in axes])]


def _backward_axes(kernel_size, stride, padding, dilation, out) -> list[tuple[Axis, ...]]:
    """The (vertical, horizontal) axes of its adjoint: a pair for each kind of pixels of the output, which has size
    ``out``."""
    kinds = [
        [
            Axis(tuple([(k, (a + P - k * D) // S) for k in range(K) if (a + P - k * D) % S == 0]), 1, a, S)
            for a in range(min(S, L))
        ]
        for K, S, P, D, L in zip(kernel_size, stride, padding, dilation, out, strict=True)
    ]
    return list(itertools.product(*kinds))


class Run(NamedTuple):
    """Outputs of an axis that see the same taps: those numbered by the i's in ``outputs``."""

    axis: Axis
    outputs: range
    taps: tuple[tuple[int, int], ...]

    def below(self, low: int) -> Run:
        """This run with its outputs counted from ``low`` on (a multiple of the axis' distance)."""
        first = low // self.axis.distance
        return self._replace(outputs=range(self.outputs.start - first, self.outputs.stop - first))


class Cut(NamedTuple):
    """The sizes of a work item."""

    R: int  # output rows
    HP: int  # input rows
    WP: int  # input columns
    CB: int  # input channels at a time
    OB: int  # output channels
    top: int  # the image row that is the first input row of strip 0
    down: int  # image rows from one strip to the next
    strips: int
    blocks: int  # of LANES strips


class Plan(NamedTuple):
    """How to compute with images in lanes."""

    tile: tuple[int, int]  # rows and columns of the register tile
    cut: Cut
    sizes: np.ndarray  # the cut as kernels get it (sizes.py)
    tables: tuple[np.ndarray, ...]  # what :func:`_tables` makes


class ChannelCut(NamedTuple):
    """The sizes of a work item with channels in lanes."""

    R: int  # output rows
    HP: int  # input rows
    WP: int  # input columns
    CB: int  # input channels at a time
    OB: int  # output channels
    top: int  # the image row that is the first input row of strip 0
    left: int  # and the column that is the first
    down: int  # image rows from one strip to the next
    strips: int
    images: int  # of which an item takes the same strip
    copied: int  # whether their rows are copied into padded memory; else they are read where they lie


class ChannelPlan(NamedTuple):
    """How to compute with output channels in lanes."""

    vectors: int  # of output channels that the register tile is wide
    cut: ChannelCut
    sizes: np.ndarray
    tables: tuple[np.ndarray, ...]  # of :func:`_tables` all but the first; then, where each row of a panel begins


class Kind(NamedTuple):
    """What is computed: outputs or a weight gradient, of all pixels or of those that win a window of pooling."""

    tiles: tuple[tuple[int, int], ...]  # to choose from
    summed: bool = False  # a weight gradient
    pooled: bool = False  # of each 2 x 2 outputs only the maximum is wanted, or has a gradient


OUTPUTS, POOLED = Kind(TILES), Kind(WINDOW_TILES, pooled=True)
WEIGHTS, POOLED_WEIGHTS = Kind(DOTS, summed=True), Kind(WINDOW_DOTS, summed=True, pooled=True)


def tile_for(outputs: int, kind: Kind = OUTPUTS) -> tuple[int, int]:
    """Rows and columns of the tile that cuts so many outputs with the least waste."""
    if outputs == 1 and not kind.pooled:
        return SINGLE
    return min(kind.tiles, key=lambda tile: (-(-outputs // tile[0]) * tile[0], -tile[0]))


def _evenly(total: int, most: int, unit: int = 1) -> int:
    """The size of equal parts, multiples of ``unit``, of which none is above ``most`` (but at least a unit)."""
    units = -(-total // unit)
    parts = -(-units // max(1, most // unit))
    return -(-units // parts) * unit


def _cut(axes, kernel_size, size, out, images, groups, channels, outputs, lanes, itemsize, unit, kind):
    """The cut that should take the fewest cycles, in strips of multiples of ``unit`` rows; and these cycles."""
    (OH, OW), W, taps, summed = out, size[1], kernel_size[0] * kernel_size[1], kind.summed
    window = 4 if kind.pooled else 1  # outputs of which one is kept
    MR, NP = tile_for(outputs, kind)
    rows, columns = ({pair[side] for pair in axes} for side in (0, 1))
    top, left = (min([r for axis in some for _, r in axis.taps], default=0) for some in (rows, columns))
    WP = max(W - 1, *[axis.end(OW) for axis in columns]) - min(0, left) + 1
    some = next(iter(rows))

    def cut(R, oblocks):
        HP = max(1, *[axis.end(R) - top + 1 for axis in rows])
        CB = _evenly(channels, SCRATCH // (HP * WP * lanes * itemsize))
        OB = _evenly(outputs, min(SCRATCH * window // (R * OW * lanes * itemsize), -(-outputs // oblocks)), MR)
        strips = -(-OH // R)
        return Cut(R, HP, WP, CB, OB, top, R // some.distance * some.step, strips, -(-images * strips // lanes))

    def cycles(cut):
        cblocks, oblocks = -(-channels // cut.CB), -(-outputs // cut.OB)
        rows = OH / cut.strips if images % lanes == 0 else cut.R  # the last may be shorter
        products = -(-outputs // MR) * MR * channels * taps
        positions = rows * OW + (4 if summed else 2 * NP)  # with what beginning and ending a tile costs
        turned = oblocks * channels * (cut.HP * W + lanes) + outputs * rows * OW * (cblocks if summed else 1) / window
        work = products * positions / 2 + turned * TURN
        items = cut.blocks * groups * oblocks * (cblocks if summed else 1)
        memory = max(cut.CB * cut.HP * cut.WP, cut.OB * cut.R * OW / window) * lanes * itemsize
        return work * cut.blocks * max(1, ITEMS / items) * max(1, memory / SCRATCH), -cut.R, -cut.OB

    unit *= some.distance
    units = -(-OH // unit)
    heights = {-(-units // n) * unit for n in range(1, units + 1)}
    best = min([cut(R, oblocks) for R in heights for oblocks in (1, 2, 4, 8)], key=cycles)
    return best, cycles(best)[0]


def _channel_cut(axes, kernel_size, size, out, images, groups, channels, outputs, lanes, itemsize, kind):
    """The cut that should take the fewest cycles with channels in lanes: (tile, cut, cycles)."""
    (H, W), (OH, OW), taps, summed = size, out, kernel_size[0] * kernel_size[1], kind.summed
    rows, columns = ({pair[side] for pair in axes} for side in (0, 1))
    top, left = (min([0, *[r for axis in some for _, r in axis.taps]]) for some in (rows, columns))
    right = max(W - 1, *[axis.end(OW) for axis in columns])
    copied = top < 0 or left < 0 or right >= W or any(axis.end(OH) >= H for axis in rows)
    some, WP = next(iter(rows)), right - left + 1

    def cut(tile, NI, R, oblocks):
        width = tile[1] * lanes
        HP = max(1, *[axis.end(R) - top + 1 for axis in rows]) if copied else H
        CB = _evenly(channels, (SCRATCH if summed else PANEL) // (taps * width * itemsize))
        OB = _evenly(outputs, -(-outputs // oblocks), width)
        return ChannelCut(R, HP, WP, CB, OB, top, left, R // some.distance * some.step, -(-OH // R), NI, int(copied))

    def cycles(pair):
        (NP, NV), cut = pair
        cblocks, oblocks, positions = -(-channels // cut.CB), -(-outputs // cut.OB), cut.images * cut.R * OW
        vectors = -(-cut.OB // (NV * lanes)) * NV
        work = vectors * channels * taps * -(-positions // NP) * NP / 2
        if summed:  # gy is turned, and each tile's sums are added to those of other positions
            turned = vectors * (positions * cblocks * TURN + channels * taps * 4)
        else:  # weights and outputs are turned, and each tile's sums added to those of other channels
            turned = vectors * (channels * taps * TURN + positions * (TURN + 3 * cblocks))
        copied = cut.copied * cut.images * channels * cut.HP * W
        items, memory = images // cut.images * cut.strips * oblocks, cut.copied * cut.images * cut.CB * cut.HP * cut.WP
        memory = max(memory, 0 if summed else cut.OB * positions) * itemsize
        parts = max(1, ITEMS / (items * groups)) * max(1, memory / SCRATCH)
        return (work + turned + copied) * items * parts, -cut.R, -cut.images

    units = -(-OH // some.distance)
    heights = {-(-units // n) * some.distance for n in range(1, units + 1)}
    strips = [(1, R) for R in heights] + [(n, max(heights)) for n in range(2, images + 1) if images % n == 0]
    cuts = [(tile, cut(tile, *pair, n)) for tile in CHANNEL_TILES for pair in strips for n in (1, 2, 4, 8)]
    best = min(cuts, key=cycles)
    return *best, cycles(best)[0]


def _tables(
    axes, kernel_size, size, out, cut, tile, pixel, goal, trimmed, aligned, pooled, images=range(1)
) -> tuple[np.ndarray, ...]:
    """The tables of displacements in a work item's memory, in elements; what each holds is said at the end.

    For an image of 3 x 3 pixels, a kernel of 2 x 2 taps and one lane (``pixel`` and ``goal`` are 1), they are::

        pixels     0 1 2 3 4 5 6 7 8     the image lies as it is, without padding
        ranges     0 4                   one strip: its classes are classes[0:4], one class of four numbers
        classes    0 4 0 4               from taps[0] on, 4 taps; from positions[0] on, 4 positions
        taps       0 1 3 4               the window's pixels: beside each other, and one row (3 pixels) further on
        weights    1 2 3 4               (the weight number 0 is the bias)
        positions  0 1 3 4               where the windows of the four outputs begin
        goals      0 1 2 3               where the outputs go

    and a kernel computes ``y[goals[p]] = w[0] + sum over k of w[weights[k]] * x[taps[k] + positions[p]]``.

    Args:
        axes: the pairs of :class:`Axis`, one for each kind.
        kernel_size, size, out: of the kernel, the input and the output.
        cut: a :class:`Cut` or a :class:`ChannelCut`.
        tile: rows of weights that lie side by side, and positions of a tile.
        pixel, goal: how many elements a pixel of the input has, and one of the output.
        trimmed: leave out taps that meet nothing but padding.
        aligned: all lanes are at the same strip of their image; else rows are not trimmed, as lanes do not agree.
        pooled: of each 2 x 2 outputs one is kept.
        images: where the images begin that lie one behind the other in a work item's memory.
    """
    (H, W), (OH, OW), (KH, KW), (MR, NP), unit = size, out, kernel_size, tile, 2 if pooled else 1
    left = min([0, *[c for _, axis in axes for _, c in axis.taps]])

    def classes_of(strips, chunks):
        """For each strip, its classes: pairs of runs."""
        return [
            [pair for v, h in axes for pair in itertools.product(
                v.runs(strip * cut.R, min((strip + 1) * cut.R, OH) if aligned else cut.R, H, chunks[0], unit),
                h.runs(0, OW, W, chunks[1], unit),
            )]
            for strip in strips
        ]  # fmt: skip

    def steps(strips):
        """How many steps all tiles take, with 8 for starting and ending each."""
        return sum(
            -(-len(images) * len(v.outputs) * len(h.outputs) // NP) * (cut.CB * len(v.taps) * len(h.taps) + 8)
            for strip in strips
            for v, h in strip
        )

    strips = range(cut.strips if aligned else 1)
    chunks = itertools.product(CHUNKS if trimmed and aligned else (0,), CHUNKS if trimmed else (0,))
    taps: list[int] = []
    weights: list[int] = []
    positions: list[int] = []
    goals: list[int] = []
    classes: list[int] = []
    ranges: list[int] = []
    known_taps: dict = {}
    known_strips: dict = {}
    for strip, pairs in zip(strips, min([classes_of(strips, pair) for pair in chunks], key=steps), strict=True):
        alike = tuple([(rows.below(strip * cut.R), columns) for rows, columns in pairs])
        if alike not in known_strips:
            known_strips[alike] = len(classes), len(classes) + 4 * len(alike)
            for rows, columns in alike:
                v, h, key = rows.axis, columns.axis, (rows.taps, columns.taps)
                if key not in known_taps:
                    known_taps[key] = len(taps)
                    for c, (kh, r), (kw, q) in itertools.product(range(cut.CB), *key):
                        taps.append(((c * cut.HP + r - cut.top) * cut.WP + q - left) * pixel)
                        weights.append((1 + (c * KH + kh) * KW + kw) * MR)
                places = list(itertools.product(range(len(images)), rows.outputs[::unit], columns.outputs[::unit]))
                classes += [known_taps[key], len(rows.taps) * len(columns.taps), len(goals), len(places)]
                window = list(itertools.product(range(unit), repeat=2))
                positions += [
                    images[n] + ((i + di) * v.step * cut.WP + (j + dj) * h.step) * pixel
                    for n, i, j in places
                    for di, dj in window
                ]
                goals += [
                    (n * cut.R * OW + (v.first + i * v.distance) // unit * (OW // unit)
                     + (h.first + j * h.distance) // unit) * goal
                    for n, i, j in places
                ]  # fmt: skip
        ranges += known_strips[alike]
    pixels = [(r * cut.WP + c - left) * pixel for r in range(cut.HP) for c in range(W)]
    return tuple([np.array(table, np.int64) for table in (
        pixels,  # for each pixel of the input rows: its place in a channel
        ranges,  # for each strip: where its classes begin and end (strips that are alike share them)
        classes,  # for each class: first tap, taps of one channel, first position (or window), number of them
        taps,  # for each tap of each class, channel after channel: its displacement in the input
        weights,  # and that of its weights in the packed weights
        positions,  # for each position of each class (of a window, four): its displacement in the input
        goals,  # for each position (or window): its place in the output
    )])  # fmt: skip


def _plan(axes, kernel_size, size, out, images, groups, channels, outputs, itemsize, unit, kind) -> Plan | ChannelPlan:
    lanes, tile = VECTOR_BYTES // itemsize, tile_for(outputs, kind)
    sizes = axes, kernel_size, size, out, images, groups, channels, outputs, lanes, itemsize
    cut, cycles = _cut(*sizes, unit, kind)
    if unit == 1:
        other_tile, other_cut, fewer = _channel_cut(*sizes, kind)
        if fewer < IMAGES_COST * cycles:
            return _channel_plan(axes, kernel_size, size, out, groups * channels, other_tile, other_cut, lanes, kind)
    aligned = images % lanes == 0 or cut.strips == 1
    trimmed = not kind.summed and max(out) <= BORDERED
    tables = _tables(axes, kernel_size, size, out, cut, tile, lanes, lanes, trimmed, aligned, kind.pooled)
    if kind.summed:  # no weights, but the place of each pixel of gy, which lies beside those of the tile's other rows
        tables = (*tables[:4], np.arange(cut.R * out[1]) * tile[0] * lanes, *tables[5:])
    return Plan(tile, cut, packed(cut), tables)


def _channel_plan(axes, kernel_size, size, out, channels, tile, cut, lanes, kind) -> ChannelPlan:
    """The tables for a cut of images that have so many ``channels`` in memory."""
    (H, W), K, (NP, NV) = size, kernel_size[0] * kernel_size[1], tile
    apart, width = cut.CB * cut.HP * cut.WP if cut.copied else channels * H * W, NV * lanes
    trimmed, images = not kind.summed and max(out) <= BORDERED, range(0, cut.images * apart, apart)
    tables = _tables(axes, kernel_size, size, out, cut, (width, NP), 1, lanes, trimmed, True, False, images)[1:]
    steps = np.arange(1 + (cut.images * cut.R * out[1] if kind.summed else cut.CB * K)) * width
    if kind.summed:  # a step is a position, and a tile's goals are taps
        tables = (*tables[:3], steps[1:], tables[4], np.arange(cut.CB * K) * lanes)
    return ChannelPlan(NV, cut, packed(cut), (*tables, steps))


@functools.lru_cache(maxsize=256)
def forward_plan(kernel_size, stride, padding, dilation, size, out, images, groups, channels, outputs, itemsize,
                 kind=OUTPUTS) -> Plan | ChannelPlan:  # fmt: skip
    """For y, its windows' maxima, or the weight gradient: images of ``size``, outputs of size ``out``."""
    unit = 2 if kind.pooled else 1
    out = tuple([n // unit * unit for n in out])  # a row or column in no window is not computed
    axes = _forward_axes(kernel_size, stride, padding, dilation)
    return _plan(axes, kernel_size, size, out, images, groups, channels, outputs, itemsize, unit, kind)


@functools.lru_cache(maxsize=256)
def backward_plan(
    kernel_size, stride, padding, dilation, size, out, images, groups, channels, outputs, itemsize, unit=1
) -> Plan | ChannelPlan:
    """For gx: gy, of ``size``, is the input, from multiples of ``unit`` rows on, and gx, of size ``out``, the
    output."""
    axes = _backward_axes(kernel_size, stride, padding, dilation, out)
    return _plan(axes, kernel_size, size, out, images, groups, channels, outputs, itemsize, unit, OUTPUTS)
