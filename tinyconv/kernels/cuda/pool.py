"""Pooling: one thread per number of the result, gradients included.

A gradient is usually thought of as scattering: every window hands its gy to pixels, and where windows overlap the
additions must be atomic, in an order that nobody knows. Turned round it is *gathering*: a pixel asks the few windows
that cover it whether it won there. Window i covers row h as its row kh where ``h + PH = i*SH + kh*DH``, so the windows
that come into question are ``(h + PH) // SH`` and those just before it. Every pixel is written once, by one thread, in
a fixed order. Where windows tile the image without gap or overlap, a pixel has but one window, and a thread writes all
pixels of its window at once.

The windows' size, stride and dilation are constants of the kernels: the loops over a window unroll, and what is divided
by them is divided by known numbers.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..formulas import wins
from .arrays import BLOCK, dense
from .kernel import FLOATS, Constant, T, kernel
from .language import cuda, int32, int64, quotient, store4, uint8
from .runtime import ceil_div, empty, launch

I: Any = Constant("I")  # the type of a place in a window
KH: Any = Constant("KH")
KW: Any = Constant("KW")
SH: Any = Constant("SH")
SW: Any = Constant("SW")
DH: Any = Constant("DH")
DW: Any = Constant("DW")

PLACES = (uint8, int32)
COMMON: Any = {"KH": (2, 3), "KW": (2, 3), "SH": (2,), "SW": (2,)}  # what tests compile
DILATED: Any = {**COMMON, "DH": (1,), "DW": (1,)}


def _square(KH: int, KW: int, I: Any = uint8, **_: Any) -> bool:
    return KH == KW and (I is uint8 or KH == 2)


# --------------------------------------------------------------------------------------------------------- the maximum


@kernel("T*, T*, I*, int32, int32, int32, int32, int32, int32, int32", T=FLOATS, I=PLACES, **DILATED, only=_square,
        block=BLOCK, registers=40)  # fmt: skip
def largest(x, y, where, n, H, W, OH, OW, PH, PW):
    """y = the largest number of each window, where = its place in the window."""
    i = cuda.grid(1)
    if i < n:
        row = quotient(i, OW)
        plane = quotient(row, OH)
        top = (row - plane * OH) * SH - PH
        left = (i - row * OW) * SW - PW
        best = T(-math.inf)
        place = int64(-1)
        for kh in range(KH):
            h = top + kh * DH
            if 0 <= h < H:
                for kw in range(KW):
                    w = left + kw * DW
                    if 0 <= w < W:
                        candidate = x[(plane * H + h) * W + w]
                        if place < 0 or wins(candidate, best):
                            best = candidate
                            place = int64(kh * KW + kw)
        y[i] = best
        where[i] = I(place if place > 0 else int64(0))


@kernel("T*, I*, T*, int32, int32, int32, int32, int32, int32, int32", T=FLOATS, I=PLACES, **DILATED, only=_square,
        block=BLOCK, registers=40)  # fmt: skip
def from_winners(gy, where, gx, n, H, W, OH, OW, PH, PW):
    """gx = the sum of the gy of those windows in which the pixel won."""
    i = cuda.grid(1)
    if i < n:
        row = quotient(i, W)
        plane = quotient(row, H)
        down = row - plane * H + PH  # from the padding's edge
        across = i - row * W + PW
        last_row = quotient(down, SH)
        last_column = quotient(across, SW)
        down -= last_row * SH
        across -= last_column * SW
        corner = int32((plane * OH + last_row) * OW + last_column)
        total = T(0)
        for a in range((KH - 1) * DH // SH + 1):
            kh = quotient(down + a * SH, DH)
            if 0 <= last_row - a < OH and kh < KH and kh * DH == down + a * SH:
                for b in range((KW - 1) * DW // SW + 1):
                    kw = quotient(across + b * SW, DW)
                    if 0 <= last_column - b < OW and kw < KW and kw * DW == across + b * SW:
                        at = corner - a * OW - b
                        if where[at] == kh * KW + kw:
                            total += gy[at]
        gx[i] = total


@kernel("T*, I*, T*, int32, int32", T=FLOATS, I=PLACES, **COMMON, only=_square, block=BLOCK, registers=40)
def to_winners(gy, where, gx, n, OW):
    """gx where windows tile the image: each thread writes a window's pixels."""
    i = cuda.grid(1)
    if i < n:
        row = quotient(i, OW)
        corner = row * SH * OW * SW + (i - row * OW) * SW
        place = where[i]
        g = gy[i]
        for kh in range(KH):
            for kw in range(KW):
                gx[corner + kh * OW * SW + kw] = g if place == kh * KW + kw else T(0)


@kernel("T*, uint8*, T*, int32, int32", T=FLOATS, block=BLOCK, registers=40)
def to_winners_of_four(gy, where, gx, n, half):
    """gx where windows of 2 x 2 pixels tile an image whose width is a multiple of 4: two windows per thread."""
    i = cuda.grid(1)
    if i < n:
        row = quotient(i, half)
        corner = row * 8 * half + (i - row * half) * 4
        p = where[2 * i]
        q = where[2 * i + 1]
        f = gy[2 * i]
        g = gy[2 * i + 1]
        zero = T(0)
        store4(gx, corner, f if p == 0 else zero, f if p == 1 else zero, g if q == 0 else zero, g if q == 1 else zero)
        store4(gx, corner + 4 * half, f if p == 2 else zero, f if p == 3 else zero, g if q == 2 else zero,
               g if q == 3 else zero)  # fmt: skip


@kernel("T*, I*, T*, int32, int32, int32, int32, int32, int32, int32, int32, int32, int32, int32, int32", T=FLOATS,
        I=PLACES, block=BLOCK, registers=40)  # fmt: skip
def gather_winners(x, where, y, n, H, W, OH, OW, columns, sh, sw, ph, pw, dh, dw):
    """y = x at the winner's place, 0 outside the image."""
    i = cuda.grid(1)
    if i < n:
        row = quotient(i, OW)
        plane = quotient(row, OH)
        kh = quotient(where[i], columns)
        h = (row - plane * OH) * sh + kh * dh - ph
        w = (i - row * OW) * sw + (where[i] - kh * columns) * dw - pw
        value = T(0)
        if 0 <= h < H and 0 <= w < W:
            value = x[(plane * H + h) * W + w]
        y[i] = value


@kernel("I*, int64*, int32, int32, int32, int32, int32, int32, int32, int32, int32, int32, int32, int32", I=PLACES,
        block=BLOCK, registers=40)  # fmt: skip
def name_winners(where, y, n, H, W, OH, OW, columns, sh, sw, ph, pw, dh, dw):
    """y = the winner's place in its plane, -1 outside the image."""
    i = cuda.grid(1)
    if i < n:
        row = quotient(i, OW)
        plane = quotient(row, OH)
        kh = quotient(where[i], columns)
        h = (row - plane * OH) * sh + kh * dh - ph
        w = (i - row * OW) * sw + (where[i] - kh * columns) * dw - pw
        y[i] = int64(h * W + w) if 0 <= h < H and 0 <= w < W else int64(-1)


# --------------------------------------------------------------------------------------------------------- the average


def extent(i, size, padding, outputs_step, window, padded):
    """How many rows (or columns) a window has: in the padded image (1), or in the image itself (0)."""
    first = i * outputs_step - padding
    last = min(first + window, size + padding)
    if padded == 0:
        first = max(first, 0)
        last = min(last, size)
    return max(last - first, 0)


@kernel("T*, T*, int32, int32, int32, int32, int32, int32, int32, int32, int32", T=FLOATS, **COMMON, only=_square,
        block=BLOCK, registers=40)  # fmt: skip
def averages(x, y, n, H, W, OH, OW, PH, PW, padded, divisor):
    """y = the sum of each window over its divisor (if that is 0, over its area)."""
    i = cuda.grid(1)
    if i < n:
        row = quotient(i, OW)
        plane = quotient(row, OH)
        oh = row - plane * OH
        ow = i - row * OW
        total = T(0)
        for kh in range(KH):
            h = oh * SH - PH + kh
            if 0 <= h < H:
                for kw in range(KW):
                    w = ow * SW - PW + kw
                    if 0 <= w < W:
                        total += x[(plane * H + h) * W + w]
        area = int64(divisor)
        if divisor == 0:
            area = max(extent(oh, H, PH, SH, KH, padded) * extent(ow, W, PW, SW, KW, padded), 1)
        y[i] = total / T(area)


@kernel("T*, T*, int32, int32, int32, int32, int32, int32, int32, int32, int32", T=FLOATS, **COMMON, only=_square,
        block=BLOCK, registers=56)  # fmt: skip
def from_averages(gy, gx, n, H, W, OH, OW, PH, PW, padded, divisor):
    """gx = the sum over the windows that cover the pixel of gy over their divisors."""
    i = cuda.grid(1)
    if i < n:
        row = quotient(i, W)
        plane = quotient(row, H)
        down = row - plane * H + PH
        across = i - row * W + PW
        last_row = quotient(down, SH)
        last_column = quotient(across, SW)
        down -= last_row * SH
        across -= last_column * SW
        corner = int32((plane * OH + last_row) * OW + last_column)
        total = T(0)
        for a in range((KH - 1) // SH + 1):
            oh = last_row - a
            if 0 <= oh < OH and down + a * SH < KH:
                for b in range((KW - 1) // SW + 1):
                    ow = last_column - b
                    if 0 <= ow < OW and across + b * SW < KW:
                        area = int64(divisor)
                        if divisor == 0:
                            area = max(extent(oh, H, PH, SH, KH, padded) * extent(ow, W, PW, SW, KW, padded), 1)
                        total += gy[corner - a * OW - b] / T(area)
        gx[i] = total


# --------------------------------------------------------------------------------------------------------- the contract


def _constants(kernel_size: Any, stride: Any, dilation: Any = None) -> dict[str, int]:
    constants = dict(zip(("KH", "KW", "SH", "SW"), (*kernel_size, *stride), strict=True))
    if dilation is not None:
        constants["DH"], constants["DW"] = dilation
    return constants


def _tiled(input_size: Any, output_size: Any, kernel_size: Any, stride: Any, padding: Any, dilation: Any) -> bool:
    """Whether every pixel lies in one window."""
    covered = tuple(n * s for n, s in zip(output_size, stride, strict=True))
    plain = tuple(dilation) == (1, 1) and tuple(padding) == (0, 0)
    return plain and tuple(kernel_size) == tuple(stride) and covered == tuple(input_size)


def max_pool2d(x, kernel_size, stride, padding, dilation, output_size):
    x = dense(x)
    y = empty((*x.shape[:2], *output_size), x.dtype)
    where = empty(y.shape, np.uint8 if math.prod(kernel_size) <= 256 else np.int32)
    launch(
        largest, ceil_div(y.size, BLOCK), x, y, where, y.size, *x.shape[2:], *output_size, *padding,
        **_constants(kernel_size, stride, dilation),
    )  # fmt: skip
    return y, where


def max_pool2d_gx(gy, where, input_size, kernel_size, stride, padding, dilation):
    gy, where = dense(gy), dense(where)
    gx, output_size = empty((*gy.shape[:2], *input_size), gy.dtype), gy.shape[2:]
    constants = _constants(kernel_size, stride)
    if not _tiled(input_size, output_size, kernel_size, stride, padding, dilation):
        launch(
            from_winners, ceil_div(gx.size, BLOCK), gy, where, gx, gx.size, *input_size, *output_size, *padding,
            **constants, DH=dilation[0], DW=dilation[1],
        )  # fmt: skip
    elif tuple(kernel_size) == (2, 2) and output_size[1] % 2 == 0:
        launch(to_winners_of_four, ceil_div(gy.size, 2 * BLOCK), gy, where, gx, gy.size // 2, output_size[1] // 2)
    else:
        launch(to_winners, ceil_div(gy.size, BLOCK), gy, where, gx, gy.size, output_size[1], **constants)
    return gx


def max_pool2d_gather(x, where, kernel_size, stride, padding, dilation):
    x, where = dense(x), dense(where)
    y = empty(where.shape, x.dtype)
    launch(
        gather_winners, ceil_div(y.size, BLOCK), x, where, y, y.size, *x.shape[2:], *where.shape[2:], kernel_size[1],
        *stride, *padding, *dilation,
    )  # fmt: skip
    return y


def max_pool2d_indices(where, input_size, kernel_size, stride, padding, dilation):
    where = dense(where)
    y = empty(where.shape, np.int64)
    launch(
        name_winners, ceil_div(y.size, BLOCK), where, y, y.size, *input_size, *where.shape[2:], kernel_size[1],
        *stride, *padding, *dilation,
    )  # fmt: skip
    return y


def avg_pool2d(x, kernel_size, stride, padding, output_size, count_include_pad, divisor):
    x = dense(x)
    y = empty((*x.shape[:2], *output_size), x.dtype)
    launch(
        averages, ceil_div(y.size, BLOCK), x, y, y.size, *x.shape[2:], *output_size, *padding, int(count_include_pad),
        divisor or 0, **_constants(kernel_size, stride),
    )  # fmt: skip
    return y


def avg_pool2d_gx(gy, input_size, kernel_size, stride, padding, count_include_pad, divisor):
    gy = dense(gy)
    gx = empty((*gy.shape[:2], *input_size), gy.dtype)
    launch(
        from_averages, ceil_div(gx.size, BLOCK), gy, gx, gx.size, *input_size, *gy.shape[2:], *padding,
        int(count_include_pad), divisor or 0, **_constants(kernel_size, stride),
    )  # fmt: skip
    return gx
