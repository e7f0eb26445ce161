"""Convolution as a sum over kernel positions, its two adjoints, and im2col.

The three convolutions are one sum, ``y[o, i, j] += w[o, c, kh, kw] * x[c, i*SH + kh*DH, j*SW + kw*DW]``, read for the
output, for the image and for the kernel: the einsums below differ only in which of the three letters groups is left.
Letters: n image, g group, o output channel, c input channel (both counted inside the group), i j output position.
"""

from __future__ import annotations

import numpy as np

from .reduce import wide
from .windows import Windows


@np.errstate(all="ignore")
def conv2d(x, w, b, stride, padding, dilation, groups):
    (N, C, H, W), (O, _, KH, KW), G = x.shape, w.shape, groups
    windows = Windows((H, W), (KH, KW), stride, padding, dilation)
    image = windows.pad(x.reshape(N, G, C // G, H, W).astype(wide(x.dtype)))
    kernel = w.reshape(G, O // G, C // G, KH, KW)

    y = np.zeros((N, G, O // G, *windows.output_size), image.dtype)
    for kh, kw, at in windows.taps():
        y += np.einsum("goc,ngcij->ngoij", kernel[..., kh, kw], image[at])
    y = y.reshape(N, O, *windows.output_size)
    if b is not None:
        y += b[:, None, None]
    return y.astype(x.dtype)


@np.errstate(all="ignore")
def conv2d_gx(gy, w, input_size, stride, padding, dilation, groups):
    (N, O, OH, OW), (_, _, KH, KW), G = gy.shape, w.shape, groups
    C = w.shape[1] * G
    windows = Windows(input_size, (KH, KW), stride, padding, dilation, (OH, OW))
    gy = gy.reshape(N, G, O // G, OH, OW)
    kernel = w.reshape(G, O // G, C // G, KH, KW).astype(wide(w.dtype))

    image = np.zeros((N, G, C // G, *windows.padded_size), kernel.dtype)
    for kh, kw, at in windows.taps():
        image[at] += np.einsum("goc,ngoij->ngcij", kernel[..., kh, kw], gy)
    return windows.crop(image).reshape(N, C, *input_size).astype(w.dtype)


@np.errstate(all="ignore")
def conv2d_gw(gy, x, kernel_size, stride, padding, dilation, groups):
    (N, O, OH, OW), (_, C, H, W), G = gy.shape, x.shape, groups
    windows = Windows((H, W), kernel_size, stride, padding, dilation, (OH, OW))
    image = windows.pad(x.reshape(N, G, C // G, H, W).astype(wide(x.dtype)))
    gy = gy.reshape(N, G, O // G, OH, OW)

    gw = np.zeros((G, O // G, C // G, *kernel_size), image.dtype)
    for kh, kw, at in windows.taps():
        gw[..., kh, kw] = np.einsum("ngoij,ngcij->goc", gy, image[at])
    return gw.reshape(O, C // G, *kernel_size).astype(x.dtype)


def unfold(x, kernel_size, stride, padding, dilation):
    N, C, H, W = x.shape
    windows = Windows((H, W), kernel_size, stride, padding, dilation)
    image = windows.pad(x)

    columns = np.empty((N, C, *kernel_size, *windows.output_size), x.dtype)
    for kh, kw, at in windows.taps():
        columns[:, :, kh, kw] = image[at]
    (KH, KW), (OH, OW) = kernel_size, windows.output_size
    return columns.reshape(N, C * KH * KW, OH * OW)


@np.errstate(all="ignore")
def fold(columns, output_size, kernel_size, stride, padding, dilation):
    (N, CKK, _), (KH, KW) = columns.shape, kernel_size
    C = CKK // (KH * KW)
    windows = Windows(output_size, kernel_size, stride, padding, dilation)
    columns = columns.reshape(N, C, KH, KW, *windows.output_size)

    image = np.zeros((N, C, *windows.padded_size), wide(columns.dtype))
    for kh, kw, at in windows.taps():
        image[at] += columns[:, :, kh, kw]
    return windows.crop(image).astype(columns.dtype, order="C")
