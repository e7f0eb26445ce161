"""Convolution as implicit matrix products: the tile of ``tile.py``, fed with pixels where they lie. No im2col.

With k running over the *taps* (c, kh, kw) of a window and n over all output pixels of all images,

* forward:         ``y[o, n]    = sum over taps of w[o, tap] * x[pixel of n under tap]``;
* input gradient:  ``gx[c, n]   = sum over (o, kh, kw) of w[o, c, kh, kw] * gy[pixel of n under (kh, kw)]``;
* weight gradient: ``gw[o, tap] = sum over n of gy[o, n] * x[pixel of n under tap]``, k being n.

Which pixel a tap meets is a sum: of where the window lies (worked out once per thread, by divisions) and of where the
tap lies in the window (from a small table). A pixel outside of the image counts as zero. The input gradient of a
strided convolution falls into SH x SW classes of pixels by their remainders: each class meets only every SH-th row and
SW-th column of the kernel, and is a convolution of stride 1 of its own, so that no inserted zeros are multiplied.

Groups are the product's batches. A group with few output channels (depthwise convolution) would leave a tile empty:
there each thread has one result (each block, for the weight gradient).
"""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

from ..reference.windows import count_windows
from .array import DeviceArray
from .arrays import dense, from_host
from .kernel import FLOATS, T, kernel
from .language import cuda, load4, quotient
from .matmul import add_parts, along_k, column_of_matrix, one_by_one
from .runtime import ceil_div, device, empty, launch
from .tile import (
    A_BATCH,
    A_ROW,
    ALONG_K,
    BY_TENSOR_CORES,
    DOUBLE,
    FLAT,
    GATHERED,
    MEDIUM,
    NARROW,
    ONE_BY_ONE,
    SMALL,
    Operand,
    arithmetic,
    constants,
    functions,
    one_a_block,
    one_a_thread,
    parts_of,
    product,
    tile_for,
)
from .tile import PARAMETERS as _MATRIX

# p begins like a matrix product's; then come the pixels that are read (the sizes of an image and of a group of
# channels, rows and columns, the steps of a window), and those that are written, or over which k runs.
IMAGE, GROUP, H, W, SH, SW = range(_MATRIX, _MATRIX + 6)
ROWS, COLUMNS, TO_IMAGE, TO_GROUP, TO_PLANE, TO_ROW, TO_COLUMN, TO_FIRST = range(_MATRIX + 6, _MATRIX + 14)
PARAMETERS = _MATRIX + 14


# ------------------------------------------------------------------------------------------------------------- operands


def place_weights(table, p, batch, row):
    """The weights of an output channel, a dense row of a matrix."""
    return batch * p[A_BATCH] + row * p[A_ROW], 1, 0


def weights_by_table(x, table, p, start, _, __, k, end):
    """Four weights of an input channel: of ``table``'s taps k to k+3."""
    zero = T(0)
    return (
        x[start + table[k]] if k < end else zero,
        x[start + table[k + 1]] if k + 1 < end else zero,
        x[start + table[k + 2]] if k + 2 < end else zero,
        x[start + table[k + 3]] if k + 3 < end else zero,
    )


def place_window(table, p, batch, row):
    """Where the window of pixel ``row`` begins: its address, and its row and column in the image."""
    plane = p[ROWS] * p[COLUMNS]
    image = quotient(row, plane)
    pixel = row - image * plane
    i = quotient(pixel, p[COLUMNS])
    h, w = i * p[SH], (pixel - i * p[COLUMNS]) * p[SW]
    return image * p[IMAGE] + batch * p[GROUP] + h * p[W] + w, h, w


def under_tap(x, table, p, start, h, w, k, end):
    """The pixel of a window under ``table``'s tap k: (offset, row, column)."""
    if k < end:
        row, column = h + table[3 * k + 1], w + table[3 * k + 2]
        if row >= 0 and row < p[H] and column >= 0 and column < p[W]:
            return x[start + table[3 * k]]
    return T(0)


def window_pixels(x, table, p, start, h, w, k, end):
    """The pixels of a window under four taps."""
    return (
        under_tap(x, table, p, start, h, w, k, end),
        under_tap(x, table, p, start, h, w, k + 1, end),
        under_tap(x, table, p, start, h, w, k + 2, end),
        under_tap(x, table, p, start, h, w, k + 3, end),
    )


def place_channel(table, p, batch, row):
    """Where an output channel's gradients begin."""
    return batch * p[TO_GROUP] + row * p[TO_PLANE], 0, 0


def gradient(x, p, start, k, end):
    """A channel's gradient at pixel k of all images."""
    if k < end:
        image = quotient(k, p[TO_PLANE])
        return x[start + image * p[TO_IMAGE] + k - image * p[TO_PLANE]]
    return T(0)


def gradients(x, table, p, start, _, __, k, end):
    """A channel's gradients at four pixels."""
    return (
        gradient(x, p, start, k, end),
        gradient(x, p, start, k + 1, end),
        gradient(x, p, start, k + 2, end),
        gradient(x, p, start, k + 3, end),
    )


def four_gradients(x, table, p, start, _, __, k, end):
    """A channel's gradients at four pixels that lie side by side: where planes are multiples of four."""
    if k < end:
        image = quotient(k, p[TO_PLANE])
        return load4(x, start + image * p[TO_IMAGE] + k - image * p[TO_PLANE])
    return T(0), T(0), T(0), T(0)


def place_tap(table, p, batch, row):
    """A tap's offset, row and column in a window."""
    return table[3 * row] + batch * p[GROUP], table[3 * row + 1], table[3 * row + 2]


def in_window(x, p, start, tap_row, tap_column, k, end):
    """The pixel under a tap, in the window of output pixel k of all images."""
    if k < end:
        image = quotient(k, p[TO_PLANE])
        pixel = k - image * p[TO_PLANE]
        i = quotient(pixel, p[COLUMNS])
        h, w = i * p[SH], (pixel - i * p[COLUMNS]) * p[SW]
        row, column = h + tap_row, w + tap_column
        if row >= 0 and row < p[H] and column >= 0 and column < p[W]:
            return x[start + image * p[IMAGE] + h * p[W] + w]
    return T(0)


def tap_pixels(x, table, p, start, tap_row, tap_column, k, end):
    """The pixels under a tap, in four windows."""
    return (
        in_window(x, p, start, tap_row, tap_column, k, end),
        in_window(x, p, start, tap_row, tap_column, k + 1, end),
        in_window(x, p, start, tap_row, tap_column, k + 2, end),
        in_window(x, p, start, tap_row, tap_column, k + 3, end),
    )


def column_of_pixel(p, n):
    """Where pixel n of all images lies in a channel of y."""
    plane = p[ROWS] * p[COLUMNS]
    image = quotient(n, plane)
    pixel = n - image * plane
    i = quotient(pixel, p[COLUMNS])
    return image * p[TO_IMAGE] + i * p[TO_ROW] + (pixel - i * p[COLUMNS]) * p[TO_COLUMN] + p[TO_FIRST]


WEIGHTS = {True: Operand(place_weights, along_k, ALONG_K), False: Operand(place_weights, one_by_one, GATHERED)}
CHANNEL_WEIGHTS = Operand(place_weights, weights_by_table, GATHERED)
WINDOWS = Operand(place_window, window_pixels, GATHERED)
GRADIENTS = {True: Operand(place_channel, four_gradients, ALONG_K), False: Operand(place_channel, gradients, ALONG_K)}
TAPS = Operand(place_tap, tap_pixels, ALONG_K)

_PRODUCTS = [(WEIGHTS[True], WINDOWS, column_of_pixel), (WEIGHTS[False], WINDOWS, column_of_pixel),
             (CHANNEL_WEIGHTS, WINDOWS, column_of_pixel), (GRADIENTS[True], TAPS, column_of_matrix),
             (GRADIENTS[False], TAPS, column_of_matrix)]  # fmt: skip

for _a, _b, _column in _PRODUCTS:
    for _tile in (MEDIUM, SMALL, FLAT, DOUBLE):
        for _T in FLOATS[_tile is DOUBLE :][:1]:
            product.walk(T=_T, **constants(_tile, _a, _b, _column, PARAMETERS))
    for _tile in (NARROW, SMALL):
        product.walk(T=FLOATS[0], **constants(_tile, _a, _b, _column, PARAMETERS, BY_TENSOR_CORES))
for _T in FLOATS:
    one_a_thread.walk(T=_T, **functions(WEIGHTS[False], WINDOWS, column_of_pixel, PARAMETERS))
    one_a_thread.walk(T=_T, **functions(CHANNEL_WEIGHTS, WINDOWS, column_of_pixel, PARAMETERS))
    one_a_block.walk(T=_T, **functions(GRADIENTS[False], TAPS, column_of_matrix, PARAMETERS))


# ------------------------------------------------------------------------------------------------------------- launches


@functools.lru_cache(maxsize=1024)
def _table(where: Any, rows: tuple[tuple[int, ...], ...]) -> DeviceArray:
    """Small numbers on the device ``where``."""
    return from_host(np.array(rows, np.int32).reshape(-1))


def _tabled(rows: list[tuple[int, ...]]) -> DeviceArray | None:
    where: Any = device()
    return _table(where, tuple(rows)) if rows else None


def _few(O: int, G: int) -> bool:
    """Whether a group's output channels would leave a tile mostly empty."""
    return G > 1 and O // G < 8


def conv2d(x, w, b, stride, padding, dilation, groups):
    (N, C, height, width), (O, CG, KH, KW) = x.shape, w.shape
    (SV, SU), (PH, PW), (DH, DW) = stride, padding, dilation
    OH, OW = count_windows((height, width), (KH, KW), stride, padding, dilation)
    y = empty((N, O, OH, OW), x.dtype)
    if y.size == 0:
        return y
    x, w, OG, K = dense(x), dense(w), O // groups, CG * KH * KW
    taps = [
        (c * height * width + (kh * DH - PH) * width + kw * DW - PW, kh * DH - PH, kw * DW - PW)
        for c in range(CG) for kh in range(KH) for kw in range(KW)
    ]  # fmt: skip
    p = _parameters(
        a=(K, 1, OG * K), y=(OH * OW, OG * OH * OW, 0, 0), bias=b, channels=OG,
        read=(C * height * width, CG * height * width, height, width, SV, SU),
        write=(OH, OW, O * OH * OW, OG * OH * OW, OH * OW, OW, 1, 0),
    )  # fmt: skip
    weights = WEIGHTS[K % 4 == 0 and w.pointer % (4 * w.dtype.itemsize) == 0 and not _few(O, groups)]
    _windows(weights, w, None, x, taps, b, y, OG, N * OH * OW, K, groups, p)
    return y


def conv2d_gx(gy, w, input_size, stride, padding, dilation, groups):
    (N, O, OH, OW), (_, CG, KH, KW), (height, width) = gy.shape, w.shape, input_size
    (SV, SU), (PH, PW), (DH, DW) = stride, padding, dilation
    gx = empty((N, CG * groups, height, width), gy.dtype)
    if gx.size == 0:
        return gx
    gy, w, OG, C = dense(gy), dense(w), O // groups, CG * groups
    for rh in range(min(SV, height)):
        for rw in range(min(SU, width)):
            rows, columns = ceil_div(height - rh, SV), ceil_div(width - rw, SU)
            window = [
                (kh * KW + kw, (rh + PH - kh * DH) // SV, (rw + PW - kw * DW) // SU)
                for kh in range(KH) for kw in range(KW)
                if (rh + PH - kh * DH) % SV == 0 and (rw + PW - kw * DW) % SU == 0
            ]  # fmt: skip
            taps = [(o * OH * OW + i * OW + j, i, j) for o in range(OG) for _, i, j in window]
            places = [(o * CG * KH * KW + at,) for o in range(OG) for at, _, _ in window]
            p = _parameters(
                a=(KH * KW, 1, OG * CG * KH * KW), y=(height * width, CG * height * width, 0, 0),
                read=(O * OH * OW, OG * OH * OW, OH, OW, 1, 1),
                write=(rows, columns, C * height * width, CG * height * width, height * width, SV * width, SU,
                       rh * width + rw),
            )  # fmt: skip
            _windows(CHANNEL_WEIGHTS, w, places, gy, taps, None, gx, CG, N * rows * columns, len(taps), groups, p)
    return gx


def _windows(
    weights: Operand, w: DeviceArray, places: Any, x: DeviceArray, taps: Any, bias: DeviceArray | None,
    y: DeviceArray, M: int, N: int, K: int, groups: int, p: tuple,
) -> None:  # fmt: skip
    """A product of weights and windows."""
    args = (w, _tabled(places) if places else None, x, _tabled(taps), bias, y, M, N, K)
    if _few(M * groups, groups):
        launch(one_a_thread, (ceil_div(N, ONE_BY_ONE), M, groups), *args, p,
               **functions(weights, WINDOWS, column_of_pixel, PARAMETERS))  # fmt: skip
        return
    how = arithmetic("conv", M, x.dtype.itemsize)
    tile = tile_for(M, N, x.dtype.itemsize, False, how)
    grid = (ceil_div(N, tile.BN), ceil_div(M, tile.BM), groups)
    launch(product, grid, *args, 1, p, **constants(tile, weights, WINDOWS, column_of_pixel, PARAMETERS, how))


def conv2d_gw(gy, x, kernel_size, stride, padding, dilation, groups):
    (N, O, OH, OW), (_, C, height, width) = gy.shape, x.shape
    (KH, KW), (SV, SU), (PH, PW), (DH, DW) = kernel_size, stride, padding, dilation
    CG, OG = C // groups, O // groups
    gw = empty((O, CG, KH, KW), gy.dtype)
    if gw.size == 0:
        return gw
    gy, x, M, columns, K = dense(gy), dense(x), OG, CG * KH * KW, N * OH * OW
    taps = [
        (c * height * width + (kh * DH - PH) * width + kw * DW - PW, kh * DH - PH, kw * DW - PW)
        for c in range(CG) for kh in range(KH) for kw in range(KW)
    ]  # fmt: skip
    p = _parameters(
        a=(0, 0, 0), y=(columns, M * columns, gw.size, int(columns % 4 == 0)),
        read=(C * height * width, CG * height * width, height, width, SV, SU),
        write=(OH, max(1, OW), O * OH * OW, OG * OH * OW, max(1, OH * OW), OW, 1, 0),
    )  # fmt: skip
    four = OH * OW % 4 == 0 and gy.pointer % (4 * gy.dtype.itemsize) == 0
    if _few(O, groups):
        launch(one_a_block, (columns, M, groups), gy, None, x, _tabled(taps), None, gw, M, columns, K, p,
               **functions(GRADIENTS[False], TAPS, column_of_matrix, PARAMETERS))  # fmt: skip
        return gw
    how = arithmetic("conv", M, gy.dtype.itemsize)
    tile = tile_for(M, columns, gy.dtype.itemsize, False, how)
    tiles = ceil_div(M, tile.BM) * ceil_div(columns, tile.BN)
    parts = parts_of(tiles * groups, K)
    to = gw if parts == 1 else empty((parts, *gw.shape), gw.dtype)
    launch(product, (ceil_div(columns, tile.BN), ceil_div(M, tile.BM), groups * parts),
           gy, None, x, _tabled(taps), None, to, M, columns, K, parts, p,
           **constants(tile, GRADIENTS[four], TAPS, column_of_matrix, PARAMETERS, how))  # fmt: skip
    if parts > 1:
        launch(add_parts, ceil_div(gw.size, 256), to, None, gw, gw.size, parts, columns, 0, 0)
    return gw


def _parameters(
    a: tuple, y: tuple, read: tuple, write: tuple, bias: DeviceArray | None = None, channels: int = 0
) -> tuple[int, ...]:
    """p, of its parts: a's steps and y's, the pixels read and written; a bias for each of a group's channels."""
    step = 0 if bias is None else bias.strides[0]
    return (*a, 0, 0, 0, *y, int(bias is not None), step, 0, step * channels, *read, *write)


# ----------------------------------------------------------------------------------------------------- unfold and fold


# g: the sizes of the images (C, H, W), the window (KH, KW) and the output (OH, OW), then stride, padding, dilation.
_C, _H, _W, _KH, _KW, _OH, _OW, _SH, _SW, _PH, _PW, _DH, _DW = range(13)


@kernel("T*, T*, int32, int32[13]", T=FLOATS, block=256, registers=40)
def spread(x, y, n, g):
    """im2col, one number per thread: y ``(N, C*KH*KW, OH*OW)``."""
    i = cuda.grid(1)
    if i < n:
        place = quotient(i, g[_OH] * g[_OW])
        pixel = i - place * g[_OH] * g[_OW]
        channel = quotient(place, g[_KH] * g[_KW])  # of all images' channels
        tap = place - channel * g[_KH] * g[_KW]
        kh, oh = quotient(tap, g[_KW]), quotient(pixel, g[_OW])
        h = oh * g[_SH] + kh * g[_DH] - g[_PH]
        w = (pixel - oh * g[_OW]) * g[_SW] + (tap - kh * g[_KW]) * g[_DW] - g[_PW]
        value = T(0)
        if h >= 0 and h < g[_H] and w >= 0 and w < g[_W]:
            value = x[(channel * g[_H] + h) * g[_W] + w]
        y[i] = value


@kernel("T*, T*, int32, int32[13]", T=FLOATS, block=256, registers=48)
def gather(columns, x, n, g):
    """col2im, a pixel a thread: it adds up the columns' numbers that fall on it, in the order of the taps."""
    i = cuda.grid(1)
    if i < n:
        channel = quotient(i, g[_H] * g[_W])
        pixel = i - channel * g[_H] * g[_W]
        row = quotient(pixel, g[_W])
        h, w = row + g[_PH], pixel - row * g[_W] + g[_PW]
        total = T(0)
        for kh in range(g[_KH]):
            for kw in range(g[_KW]):
                above, left = h - kh * g[_DH], w - kw * g[_DW]
                if above >= 0 and left >= 0:
                    oh, ow = quotient(above, g[_SH]), quotient(left, g[_SW])
                    if oh * g[_SH] == above and ow * g[_SW] == left and oh < g[_OH] and ow < g[_OW]:
                        at = ((channel * g[_KH] + kh) * g[_KW] + kw) * g[_OH] + oh
                        total += columns[at * g[_OW] + ow]
        x[i] = total


def unfold(x, kernel_size, stride, padding, dilation):
    N, C, height, width = x.shape
    OH, OW = count_windows((height, width), kernel_size, stride, padding, dilation)
    y = empty((N, C * math.prod(kernel_size), OH * OW), x.dtype)
    g = (C, height, width, *kernel_size, OH, OW, *stride, *padding, *dilation)
    launch(spread, ceil_div(y.size, 256), dense(x), y, y.size, g)
    return y


def fold(columns, output_size, kernel_size, stride, padding, dilation):
    N, CKK, _ = columns.shape
    C = CKK // math.prod(kernel_size)
    OH, OW = count_windows(output_size, kernel_size, stride, padding, dilation)
    x = empty((N, C, *output_size), columns.dtype)
    g = (C, *output_size, *kernel_size, OH, OW, *stride, *padding, *dilation)
    launch(gather, ceil_div(x.size, 256), dense(columns), x, x.size, g)
    return x
