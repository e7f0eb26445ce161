"""Softmax, its logarithm, and the negative log-likelihood: the end of every classifier."""

from __future__ import annotations

import numpy as np

from .arrays import dense
from .reduce import wide


@np.errstate(all="ignore")
def log_softmax(x, axis):
    z = x.astype(wide(x.dtype))
    z = z - np.max(z, axis, keepdims=True, initial=-np.inf)  # now z <= 0: exp cannot overflow
    return (z - np.log(np.sum(np.exp(z), axis, keepdims=True))).astype(x.dtype, order="C")


@np.errstate(all="ignore")
def log_softmax_gx(gy, y, axis):
    total = np.sum(gy, axis, keepdims=True, dtype=wide(gy.dtype))
    return (gy - np.exp(y) * total).astype(gy.dtype, order="C")


@np.errstate(all="ignore")
def softmax(x, axis):
    return np.exp(log_softmax(x.astype(wide(x.dtype)), axis)).astype(x.dtype)


@np.errstate(all="ignore")
def softmax_gx(gy, y, axis):
    total = np.sum(gy * y, axis, keepdims=True, dtype=wide(gy.dtype))
    return (y * (gy - total)).astype(gy.dtype, order="C")


@np.errstate(all="ignore")
def nll_loss(x, target, weight, ignore_index):
    C = x.shape[1]
    counts = target != ignore_index
    wrong = counts & ((target < 0) | (target >= C))
    if wrong.any():
        n, position = np.argwhere(wrong)[0]
        raise IndexError(
            f"Target {target[n, position]} is out of bounds: classes must be in [0, {C}) or ignore_index = "
            f"{ignore_index} (at {(int(n), int(position))})"
        )
    hit = one_hot(target, C) & counts[:, None, :]
    weight = np.ones(C, x.dtype) if weight is None else weight
    scale = np.sum(np.where(hit, weight[:, None], 0), axis=1)  # the sum of one number and zeros: a choice
    loss = np.sum(np.where(hit, -weight[:, None] * x, 0), axis=1)
    return dense(loss), dense(scale)


@np.errstate(all="ignore")
def nll_loss_gx(gy, target, scale, classes):
    counts = one_hot(target, classes) & (scale != 0)[:, None, :]  # what counts for nothing gets 0, not 0 times NaN
    return dense(np.where(counts, -(scale * gy)[:, None, :], 0))


def cross_entropy(x, target, weight, ignore_index, mean):
    logp = log_softmax(x, 1)
    loss, scale = nll_loss(logp, target, weight, ignore_index)
    loss, total = (np.sum(part, dtype=wide(x.dtype)) for part in (loss, scale))
    with np.errstate(all="ignore"):
        return np.asarray(loss / total if mean else loss, x.dtype), logp, scale, np.asarray(total, x.dtype)


@np.errstate(all="ignore")
def cross_entropy_gx(gloss, logp, target, scale, total):
    g = np.broadcast_to(gloss if total is None else gloss / total, target.shape)
    return log_softmax_gx(nll_loss_gx(g, target, scale, logp.shape[1]), logp, 1)


def one_hot(target, classes):
    """bool ``(N, classes, L)``: whether class c is the target of (n, l); for a target out of range, no class is."""
    return target[:, None, :] == np.arange(classes)[:, None]
