"""Batch normalization of ``(N, C, L)``: every channel gets mean 0 and variance 1, then a learned scale and shift. Layer
normalization of ``(R, L)`` does so with every row.

Ioffe and Szegedy, "Batch Normalization", ICML 2015; the gradient is the end of its section 3, simplified.
"""

from __future__ import annotations

import numpy as np

from .reduce import wide

PER_CHANNEL = (None, slice(None), None)  # (C,) -> (1, C, 1)


@np.errstate(all="ignore")
def batch_norm_train(x, w, b, eps):
    M = x.shape[0] * x.shape[2]
    mean = np.sum(x, axis=(0, 2), dtype=wide(x.dtype)) / M
    var = np.sum((x - mean[PER_CHANNEL]) ** 2, axis=(0, 2)) / M
    mean, var = mean.astype(x.dtype), var.astype(x.dtype)  # whose squares may not fit in this type
    rstd = (1 / np.sqrt(var.astype(wide(x.dtype)) + eps)).astype(x.dtype)
    return batch_norm(x, mean, rstd, w, b), mean, var, rstd


@np.errstate(all="ignore")
def batch_norm(x, mean, rstd, w, b):
    mean, rstd, w, b = (a.astype(wide(x.dtype))[PER_CHANNEL] for a in (mean, rstd, w, b))
    return ((x - mean) * rstd * w + b).astype(x.dtype, order="C")


@np.errstate(all="ignore")
def batch_norm_gx(gy, x, mean, rstd, w):
    dtype, M = x.dtype, x.shape[0] * x.shape[2]
    mean, rstd, w = (a.astype(wide(dtype))[PER_CHANNEL] for a in (mean, rstd, w))
    xh = (x - mean) * rstd
    gb = np.sum(gy, axis=(0, 2), keepdims=True, dtype=xh.dtype)
    gw = np.sum(gy * xh, axis=(0, 2), keepdims=True)
    gx = w * rstd * (gy - gb / M - xh * gw / M)
    return gx.astype(dtype, order="C"), gw[0, :, 0].astype(dtype), gb[0, :, 0].astype(dtype)


@np.errstate(all="ignore")
def layer_norm(x, w, b, eps):
    wider = x.astype(wide(x.dtype))
    mean = wider.mean(1, keepdims=True)
    rstd = 1 / np.sqrt(((wider - mean) ** 2).mean(1, keepdims=True) + eps)
    y = (wider - mean) * rstd * w + b
    return y.astype(x.dtype, order="C"), mean[:, 0].astype(x.dtype), rstd[:, 0].astype(x.dtype)


@np.errstate(all="ignore")
def layer_norm_gx(gy, x, mean, rstd, w):
    rstd, gy = rstd.astype(wide(x.dtype))[:, None], gy.astype(wide(x.dtype))
    xh, g = (x - mean[:, None]) * rstd, gy * w
    gx = rstd * (g - g.mean(1, keepdims=True) - xh * (g * xh).mean(1, keepdims=True))
    return gx.astype(x.dtype, order="C"), np.sum(gy * xh, axis=0).astype(x.dtype), np.sum(gy, axis=0).astype(x.dtype)
