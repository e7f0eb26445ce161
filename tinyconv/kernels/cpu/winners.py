"""Gradients of a convolution with ReLU and max-pooling over 2 x 2 windows behind it, for a quarter of the arithmetic.

Of a window's four outputs only the one that won has a gradient. ``conv_images.py`` multiplies all four, three of them
zeros: with an image in each lane the winners of sixteen images differ. Here one window of one image is done at a time,
so its winner is one number, and the lanes are neighbours in memory:

* input gradient: the four outputs of a window together see a *patch* of the image, PR rows of PC pixels of C channels.
  A kernel is laid out as it lies in the patch, with zeros around it, so that what a window gives to its patch is a sum
  of long rows: ``patch = sum over o of gy[o] * kernels[o, winner[o]]``. It stays in registers, and goes to the image
  from there. (A winner one row further down has the same row of numbers, read from one row further up.)
* weight gradient: ``gw[o] += gy[o] * (what the winner saw)`` for one window after another, with gw[o] in registers. x
  is turned so that PIXEL channels of a pixel lie side by side, and a row of the kernel sees one row of numbers. Loading
  a vector that lies across two lines of the cache takes twice as long. Where a pixel is half a vector, x is there a
  second time, moved by a pixel, and every row begins where a vector may.

Either has its waste, the zeros of the patch and the channels that are not there: :func:`_pays` decides. And zero times
infinity is NaN, at pixels that the winner never saw: where gy is not finite, ``conv_images.py`` computes the input
gradient.
"""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from ..formulas import NOBODY
from .arrays import flat, lanes_of, workspace
from .compile import JIT, jit
from .conv import count_windows
from .lanes import to_lanes
from .parallel import parallel_for
from .sizes import packed, unpacked
from .target import PATCH, PATCH_DOTS, VECTOR_BYTES
from .vectors import (
    array_pointer,
    i64,
    load,
    loop,
    multiply_add,
    shuffle,
    size_of,
    spread,
    store,
    vector_pointer,
    vector_type,
    zeros,
)

PIXEL = 8  # channels of a pixel side by side; also, at most, numbers that go to a row of the image at once
IMAGES, PARTS = 16, 16  # of a work item, about; and how many of them there are, at most
KERNELS = 48 * 1024  # bytes of kernels in patches, which are read anew for every window: a first-level cache
DOT_ROWS, DOT_VECTORS = PATCH_DOTS


class Patches(NamedTuple):
    """The sizes that both kernels go by."""

    N: int
    G: int
    C: int  # channels of a group
    O: int  # outputs of a group
    H: int
    W: int
    PH: int  # windows
    PW: int
    KH: int
    KW: int
    SH: int
    SW: int
    top: int  # padding
    left: int
    DH: int
    DW: int
    HS: int  # the padded image
    WS: int
    PR: int  # a patch
    PC: int
    items: int  # that the images are shared out to


def _patches(shape, kernel_shape, stride, padding, dilation, groups) -> Patches:
    """The sizes for x and w of these shapes."""
    (N, C, H, W), (O, _, KH, KW) = shape, kernel_shape
    out = count_windows((H, W), (KH, KW), stride, padding, dilation)
    PR, PC = (S + (K - 1) * D + 1 for S, K, D in zip(stride, (KH, KW), dilation, strict=True))
    padded = H + 2 * padding[0], W + 2 * padding[1]
    windows, items = (out[0] // 2, out[1] // 2), min(PARTS, -(-N // IMAGES))
    sizes = N, groups, C // groups, O // groups, H, W, *windows, KH, KW, *stride, *padding, *dilation, *padded, PR, PC
    return Patches._make((*sizes, items))


def _whole(n, unit):
    """``n``, rounded up to a multiple of ``unit``."""
    return -(-n // unit) * unit


def _pays(cost, sizes, lanes) -> bool:
    """Whether ``cost`` for each window and output, in multiply-adds of vectors, is less than those that
    ``conv_images.py`` does, which wastes nothing; and there are images for several threads. What it counts is measured:
    on LeNet-5's second layer and some twenty others, the way chosen was never slower by more than a few percent."""
    return sizes.N >= 8 and cost < 4 * sizes.C * sizes.KH * sizes.KW / lanes


def _winner(b, gy, codes, place):
    """The gradient of a window, 0 if nobody won, and which pixel won (if nobody did, the first). Of the codes NOBODY
    alone has its bit; a comparison would become a jump on some processors, which cannot be foreseen."""
    value, code = b.load(b.gep(gy, [place])), b.load(b.gep(codes, [place]))
    bits = ir.IntType(8 * size_of(value.type))
    somebody = b.sub(b.udiv(b.zext(code, bits), ir.Constant(bits, NOBODY)), ir.Constant(bits, 1))  # all ones
    kept = b.bitcast(b.and_(b.bitcast(value, bits), somebody), value.type)
    return kept, b.and_(b.zext(code, ir.IntType(64)), i64(NOBODY - 1))


def piece(lanes):
    """How many numbers of a patch's row go to the image at once: no more than most have."""
    return min(PIXEL, lanes)


# ------------------------------------------------------------------------------------------------ the input gradient

if JIT:

    @intrinsic
    def add_kernels(typingctx, count, kernels, k, step, moves, gy, codes, g, stride, image, at, places, first):
        """``image[at + places[first + i] + j] += sum over o < count of gy[g + o*stride] *
        kernels[k + o*step + moves[codes[g + o*stride]] + i*P + j]`` for the pieces i of PATCH vectors and j < P, the
        length of a piece. NOBODY adds nothing."""

        def codegen(context, b, signature, args):
            count, kernels, k, step, moves, gy, codes, g, stride, image, at, places, first = args
            kinds = signature.args
            kernels, moves, gy, codes, image, places = (
                array_pointer(context, b, kinds[i], *of)
                for i, *of in (
                    (1, kernels, k), (4, moves, i64(0)), (5, gy, g), (6, codes, g), (9, image, at), (11, places, first)
                )
            )  # fmt: skip
            vector = vector_type(image.type.pointee)

            def output(o, sums):
                value, code = _winner(b, gy, codes, b.mul(o, stride))
                kernel = b.gep(kernels, [b.add(b.mul(o, step), b.load(b.gep(moves, [code])))])
                value = spread(b, value, vector.count)
                return [
                    multiply_add(b, value, load(b, vector_pointer(b, kernel, vector, i)), total)
                    for i, total in enumerate(sums)
                ]

            for i, total in enumerate(loop(b, count, [zeros(vector)] * PATCH, output)):
                for j in range(0, vector.count, piece(vector.count)):
                    more = shuffle(b, total, total, range(j, j + piece(vector.count)))
                    place = b.load(b.gep(places, [i64((i * vector.count + j) // piece(vector.count))]))
                    place = vector_pointer(b, b.gep(image, [place]), more.type)
                    store(b, b.fadd(load(b, place), more), place)
            return context.get_dummy_value()

        n64 = types.int64
        return types.void(n64, kernels, n64, n64, moves, gy, codes, n64, n64, image, n64, places, n64), codegen

else:

    def add_kernels(count, kernels, k, step, moves, gy, codes, g, stride, image, at, places, first):
        """A sum of kernels, each where its output's winner is, to the image."""
        lanes = lanes_of(image)
        P = piece(lanes)
        for o in range(count):
            code = codes[g + o * stride]
            if code != NOBODY:
                kernel = kernels[k + o * step + moves[code] :]
                for i in range(PATCH * lanes // P):
                    place = image[at + places[first + i] :][:P]
                    place += gy[g + o * stride] * kernel[i * P : (i + 1) * P]


@jit(apart=True)
def _lay_out(item, w, kernels, shape, sizes):
    """The kernel of one output as it lies in a patch, with SH rows of zeros above; and again, SW pixels to the
    right."""
    C, KH, KW, (width, size) = sizes.C, sizes.KH, sizes.KW, shape
    kernels[item * 2 * size : (item + 1) * 2 * size] = 0
    for c in range(C):
        for kh in range(KH):
            at = item * 2 * size + ((sizes.SH + kh * sizes.DH) * C + c) * width
            for kw in range(KW):
                weight = w[((item * C + c) * KH + kh) * KW + kw]
                kernels[at + kw * sizes.DW] = kernels[at + size + sizes.SW + kw * sizes.DW] = weight


@jit(reorder=True)
def _is_finite(x):
    total = x.dtype.type(0)
    for i in range(x.size):
        total += x[i] * 0
    return total == 0


@jit
def _input_item(item, gy, winners, kernels, moves, places, gx, finite, shape, sizes):
    """The gradient of some images; whether gy is finite there to ``finite[item]``."""
    G, C, O, PH, PW, WS, (_, size) = sizes.G, sizes.C, sizes.O, sizes.PH, sizes.PW, sizes.WS, shape
    first, last = sizes.N * item // sizes.items, sizes.N * (item + 1) // sizes.items
    finite[item] = _is_finite(gy[first * G * O * PH * PW : last * G * O * PH * PW])
    lanes = lanes_of(gy)
    P, image = min(PIXEL, lanes), workspace(C * sizes.HS * WS + PIXEL, gy)
    for n in range(first * G, last * G):
        image[:] = 0
        for i in range(PH):
            for j in range(PW):
                g, k, at = (n * O * PH + i) * PW + j, n % G * O * 2 * size, 2 * (i * sizes.SH * WS + j * sizes.SW)
                for q in range(0, places.size, PATCH * lanes // P):
                    add_kernels(O, kernels, k + q * P, 2 * size, moves, gy, winners, g, PH * PW, image, at, places, q)
        _crop(image, gx[n * C * sizes.H * sizes.W :], sizes)


@jit(apart=True)
def _crop(image, target, sizes):
    """The image without its padding."""
    H, W, HS, WS = sizes.H, sizes.W, sizes.HS, sizes.WS
    rows, width = (sizes.C * H, W) if H * W < HS * WS else (1, sizes.C * H * W)
    for r in range(rows):
        source, to = image[(r // H * HS + sizes.top + r % H) * WS + sizes.left :], target[r * width :]
        for q in range(width):
            to[q] = source[q]


@jit
def _input(gy, winners, w, gx, moves, places, shape, numbers):
    sizes = unpacked(Patches, numbers)
    kernels, finite = workspace(sizes.G * sizes.O * 2 * shape[1], gy), np.empty(sizes.items, np.bool_)
    for o in range(sizes.G * sizes.O):
        _lay_out(o, w, kernels, shape, sizes)
    parallel_for(_input_item, sizes.items, (gy, winners, kernels, moves, places, gx, finite, shape, sizes))
    return finite.all()


@functools.lru_cache(maxsize=256)
def _input_plan(itemsize, *geometry):
    """How to compute the input gradient; None where it does not pay.

    A kernel is laid out as it lies in the patch: PR rows, of C channels each, of PC numbers, filled up to whole pieces.

    Returns:
        moves: for each of the four pixels of a window, where the kernel begins that it is to be multiplied with.
        places: where each piece of the patch lies in the padded image.
        shape: the length of a row, and of a whole kernel with the zeros above it.
        numbers: the sizes, packed.
    """
    sizes, lanes = _patches(*geometry), VECTOR_BYTES // itemsize
    P = piece(lanes)
    width = _whole(sizes.PC, P)
    r, c, q = np.unravel_index(np.arange(sizes.PR * sizes.C * width // P), (sizes.PR, sizes.C, width // P))
    places = (c * sizes.HS + r) * sizes.WS + q * P
    places = np.resize(places, _whole(len(places), PATCH * lanes // P))  # those too many have zeros to add
    above = sizes.SH * sizes.C * width
    size = _whole(above + len(places) * P, lanes)
    cost = len(places) * P / lanes + 4 + 3 * len(places) / max(1, sizes.O)
    if not _pays(cost, sizes, lanes) or sizes.O * 2 * size * itemsize > KERNELS:
        return None
    row, column = np.divmod(np.arange(4), 2)
    return (1 - row) * above + column * size, places, (width, size), packed(sizes)


def input_gradient(gy, winners, w, gx, stride, padding, dilation, groups) -> bool:
    """The gradient of the convolution's input, to gx, from that of the windows' maxima, gy, at the pixels that
    ``winners`` say. False, and nothing that counts in gx, where ``conv_images.py`` is the better way."""
    plan = _input_plan(gy.itemsize, gx.shape, w.shape, stride, padding, dilation, groups)
    return plan is not None and _input(flat(gy), flat(winners), flat(w), gx.reshape(-1), *plan)


# ----------------------------------------------------------------------------------------------- the weight gradient

if JIT:

    @intrinsic
    def add_seen(typingctx, count, gy, codes, g, x, at, places, moves, pitch, sums, q):
        """``sums[q + r*columns + i] += sum over p < count of gy[g + p] * x[at + places[p] + moves[codes[g + p]] +
        r*pitch + i]`` for r < DOT_ROWS, i < columns, which are DOT_VECTORS vectors; returns the sum of gy. NOBODY adds
        nothing."""

        def codegen(context, b, signature, args):
            count, gy, codes, g, x, at, places, moves, pitch, sums, q = args
            kinds = signature.args
            gy, codes, x, places, moves, sums = (
                array_pointer(context, b, kinds[i], *of)
                for i, *of in (
                    (1, gy, g), (2, codes, g), (4, x, at), (6, places, i64(0)), (7, moves, i64(0)), (9, sums, q)
                )
            )  # fmt: skip
            vector = vector_type(sums.type.pointee)

            def window(p, state):
                value, code = _winner(b, gy, codes, p)
                seen = b.gep(x, [b.add(b.load(b.gep(places, [p])), b.load(b.gep(moves, [code])))])
                wide, new = spread(b, value, vector.count), []
                for r in range(DOT_ROWS):
                    row = b.gep(seen, [b.mul(pitch, i64(r))])
                    for j in range(DOT_VECTORS):
                        pixels = load(b, vector_pointer(b, row, vector, j))
                        new.append(multiply_add(b, wide, pixels, state[r * DOT_VECTORS + j]))
                return [*new, b.fadd(state[-1], value)]

            none = [zeros(vector)] * (DOT_ROWS * DOT_VECTORS) + [ir.Constant(vector.element, 0.0)]
            *totals, kept = loop(b, count, none, window)
            for j, total in enumerate(totals):
                place = vector_pointer(b, sums, vector, j)
                store(b, b.fadd(load(b, place), total), place)
            return kept

        n64 = types.int64
        return gy.dtype(n64, gy, codes, n64, x, n64, places, moves, n64, sums, n64), codegen

else:

    def add_seen(count, gy, codes, g, x, at, places, moves, pitch, sums, q):
        """What the winners saw, times their gradients; returns the gradients' sum."""
        columns, kept = DOT_VECTORS * lanes_of(sums), gy.dtype.type(0)
        for p in range(count):
            if codes[g + p] != NOBODY:
                kept += gy[g + p]
                for r in range(DOT_ROWS):
                    seen = x[at + places[p] + moves[codes[g + p]] + r * pitch :][:columns]
                    sums[q + r * columns : q + (r + 1) * columns] += gy[g + p] * seen
        return kept


@jit
def _weight_item(item, gy, winners, x, places, moves, pixels, octet, shape, partial, kept, sizes):
    """The weight gradient over some images, ``partial[item, group, output, block of channels, tile]``, and the bias',
    ``kept[item, group, output]``."""
    G, C, O, PH, PW, items, (pitch, area, copies) = sizes.G, sizes.C, sizes.O, sizes.PH, sizes.PW, sizes.items, shape
    columns, blocks, down = DOT_VECTORS * lanes_of(gy), (C + PIXEL - 1) // PIXEL, sizes.DH * pitch
    size, tile, starts = partial.size // (items * G * O * blocks), DOT_ROWS * columns, np.empty(PIXEL, np.int64)
    memory = workspace(copies * area, gy)
    memory[:] = 0
    partial[item * G * O * blocks * size : (item + 1) * G * O * blocks * size] = 0
    kept[item * G * O : (item + 1) * G * O] = 0
    for n in range(sizes.N * item // items, sizes.N * (item + 1) // items):
        for k in range(G * blocks):
            group, block = k // blocks, k % blocks
            for c in range(PIXEL):  # a channel that is not there may be any: its sums are not looked at
                starts[c] = ((n * G + group) * C + min(block * PIXEL + c, C - 1)) * pixels.size
            to_lanes(memory, 0, pixels, x, 0, starts, pixels.size, octet)
            if copies == 2:
                for q in range(area - PIXEL):
                    memory[area + q] = memory[q + PIXEL]
            for o in range(group * O, (group + 1) * O):
                g, q, total = (n * G * O + o) * PH * PW, ((item * G * O + o) * blocks + block) * size, gy.dtype.type(0)
                for r in range(0, sizes.KH, DOT_ROWS):
                    for column in range(0, sizes.KW * PIXEL, columns):
                        at = r * down + column
                        total = add_seen(PH * PW, gy, winners, g, memory, at, places, moves, down, partial, q)
                        q += tile
                kept[item * G * O + o] += total if block == 0 else 0


@jit
def _gather(o, partial, kept, gw, gb, sizes):
    """The parts of one output's gradient added up, and out of the tiles' order."""
    C, KH, KW, items, outputs = sizes.C, sizes.KH, sizes.KW, sizes.items, sizes.G * sizes.O
    columns = DOT_VECTORS * lanes_of(gw)
    tiles, blocks = (KW * PIXEL + columns - 1) // columns, (C + PIXEL - 1) // PIXEL
    size = partial.size // (items * outputs)
    total = partial[o * size : (o + 1) * size]
    for item in range(1, items):
        other = partial[(item * outputs + o) * size :]
        for q in range(size):
            total[q] += other[q]
    for c in range(C):
        line, source = gw[(o * C + c) * KH * KW :], total[c // PIXEL * (size // blocks) :]
        for kh in range(KH):
            for kw in range(KW):
                tile, column = divmod(kw * PIXEL + c % PIXEL, columns)
                row = (kh // DOT_ROWS * tiles + tile) * DOT_ROWS + kh % DOT_ROWS
                line[kh * KW + kw] = source[row * columns + column]
    gb[o] = 0
    for item in range(items):
        gb[o] += kept[item * outputs + o]


@jit
def _weights(gy, winners, x, gw, gb, places, moves, pixels, octet, shape, size, numbers):
    sizes = unpacked(Patches, numbers)
    partial = workspace(sizes.items * sizes.G * sizes.O * size, gy)
    kept = workspace(sizes.items * sizes.G * sizes.O, gy)
    arguments = gy, winners, x, places, moves, pixels, octet, shape, partial, kept, sizes
    parallel_for(_weight_item, sizes.items, arguments)
    parallel_for(_gather, sizes.G * sizes.O, (partial, kept, gw, gb, sizes))


@functools.lru_cache(maxsize=256)
def _weight_plan(itemsize, *geometry):
    """How to compute the weight gradient; None where it does not pay.

    Returns:
        places: where what each window sees begins in the turned image.
        moves: how much further on lies what each of the window's four pixels saw.
        pixels: where each pixel of x is in the turned image.
        octet: an empty array of a type of which a vector has as many lanes as a pixel has channels, PIXEL.
        shape: the length of a row of the turned image, that of the image, and how many copies of it there are.
        size: how many numbers the gradient of an output takes, in whole tiles.
        numbers: the sizes, packed.
    """
    sizes, lanes = _patches(*geometry), VECTOR_BYTES // itemsize
    columns, copies = DOT_VECTORS * lanes, max(1, lanes // PIXEL)
    rows, width = _whole(sizes.KH, DOT_ROWS), _whole(sizes.KW * PIXEL, columns)
    size = -(-sizes.C // PIXEL) * rows * width
    if sizes.DW > 1 or not _pays(1.3 * (size / lanes + 4), sizes, lanes):
        return None
    pitch = _whole(sizes.WS, copies) * PIXEL
    area = _whole((sizes.HS + rows * sizes.DH) * pitch + width, lanes)  # a vector may read on beyond what counts
    i, j = np.divmod(np.arange(sizes.PH * sizes.PW), sizes.PW)
    places = 2 * (i * sizes.SH * pitch + j * sizes.SW * PIXEL)
    row, column = np.divmod(np.arange(4), 2)
    copy = column * sizes.SW % copies
    moves = row * sizes.SH * pitch + (column * sizes.SW - copy) * PIXEL + copy * area
    h, w = np.divmod(np.arange(sizes.H * sizes.W), sizes.W)
    pixels = (h + sizes.top) * pitch + (w + sizes.left) * PIXEL
    octet = np.empty(0, f"i{VECTOR_BYTES // PIXEL}")
    return places, moves, pixels, octet, (pitch, area, copies), size, packed(sizes)


def weight_gradient(gy, winners, x, gw, gb, stride, padding, dilation, groups) -> bool:
    """The gradients of the convolution's weights to gw, and of its bias to gb. False, and nothing, where
    ``conv_images.py`` is the better way."""
    plan = _weight_plan(gy.itemsize, x.shape, gw.shape, stride, padding, dilation, groups)
    if plan is None:
        return False
    _weights(flat(gy), flat(winners), flat(x), gw.reshape(-1), gb, *plan)
    return True
