"""Sliding windows, one kernel position at a time: what convolution and pooling share.

A kernel position, a *tap* (kh, kw), meets the padded image at row ``i*SH + kh*DH`` and column ``j*SW + kw*DW`` of every
window (i, j). Over all windows that is a strided slice of the image, of the size of the output. So a sliding-window
operation is a short loop over taps, and each tap is one operation on two arrays of equal size::

    for kh, kw, at in windows.taps():
        y += w[kh, kw] * x[at]           # an operation
        gx[at] += w[kh, kw] * gy         # its adjoint: the same slices, written instead of read
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np


def count_windows(size, kernel_size, stride, padding, dilation) -> tuple[int, int]:
    """How many windows fit below and beside each other, (OH, OW), with
    ``OH = floor((H + 2*PH - DH*(KH-1) - 1) / SH) + 1``."""
    OH, OW = (
        (n + 2 * p - d * (k - 1) - 1) // s + 1
        for n, k, s, p, d in zip(size, kernel_size, stride, padding, dilation, strict=True)
    )
    return OH, OW


class Windows:
    """Where the windows of one call lie.

    Attributes:
        input_size: ``(H, W)``.
        output_size: ``(OH, OW)``; where not given, as many windows as fit (:func:`count_windows`).
        padded_size: the image with its padding, and with more of it where windows hang over the end (``ceil_mode``).
    """

    def __init__(self, input_size, kernel_size, stride, padding, dilation, output_size=None):
        self.input_size, self.kernel_size, self.stride = input_size, kernel_size, stride
        self.padding, self.dilation = padding, dilation
        reach = [d * (k - 1) + 1 for k, d in zip(kernel_size, dilation, strict=True)]
        size = [n + 2 * p for n, p in zip(input_size, padding, strict=True)]
        self.output_size = output_size or count_windows(input_size, kernel_size, stride, padding, dilation)
        ends = [(n - 1) * s + r for n, s, r in zip(self.output_size, stride, reach, strict=True)]
        self.padded_size = tuple(max(n, end) for n, end in zip(size, ends, strict=True))

    def taps(self) -> Iterator[tuple[int, int, tuple]]:
        """For each kernel position, row by row: kh, kw, and the index of what it meets in a padded image."""
        (KH, KW), (SH, SW), (DH, DW), (OH, OW) = self.kernel_size, self.stride, self.dilation, self.output_size
        for kh in range(KH):
            for kw in range(KW):
                rows = slice(kh * DH, kh * DH + OH * SH, SH)
                columns = slice(kw * DW, kw * DW + OW * SW, SW)
                yield kh, kw, (..., rows, columns)

    def pad(self, x, fill=0):
        """``x`` ``(..., H, W)`` as a padded image, with ``fill`` in the padding."""
        image = np.full((*x.shape[:-2], *self.padded_size), fill, x.dtype)
        self.crop(image)[...] = x
        return image

    def crop(self, image):
        """The part of a padded image that is not padding (a view)."""
        (PH, PW), (H, W) = self.padding, self.input_size
        return image[..., PH : PH + H, PW : PW + W]
