"""Shuffling: channels into pixels, pixels into channels, and channels among each other. Nothing is computed: an axis is
split, the axes change places, and two are merged."""

from __future__ import annotations

from ..tensor import Tensor


def pixel_shuffle(input: Tensor, upscale_factor: int) -> Tensor:
    """An image r times as large, made of r*r images (Shi et al. 2016): ``y[c, h*r + i, w*r + j] = x[(c*r + i)*r + j, h,
    w]``.

    Args:
        input: ``(..., C*r*r, H, W)``.
        upscale_factor: r.

    Returns:
        ``(..., C, H*r, W*r)``.

    Raises:
        RuntimeError: fewer than 3 dimensions, or channels that r*r does not divide.
    """
    r, shape = upscale_factor, tuple(input.array.shape)
    if len(shape) < 3:
        raise RuntimeError(f"pixel_shuffle: expected input of shape (..., C*r*r, H, W), got {shape}")
    if r < 1:
        raise RuntimeError(f"pixel_shuffle: upscale_factor must be positive, got {r}")
    *lead, C, H, W = shape
    if C % (r * r):
        raise RuntimeError(f"pixel_shuffle: upscale_factor {r} squared must divide the {C} channels of input {shape}")
    n = len(lead)
    split = input.reshape(*lead, C // (r * r), r, r, H, W)
    y = split.permute(*range(n), n, n + 3, n + 1, n + 4, n + 2).clone()
    return y.view(*lead, C // (r * r), H * r, W * r)


def pixel_unshuffle(input: Tensor, downscale_factor: int) -> Tensor:
    """The inverse of :func:`pixel_shuffle`: ``(..., C, H*r, W*r) -> (..., C*r*r, H, W)``.

    Raises:
        RuntimeError: fewer than 3 dimensions, or a height or width that r does not divide.
    """
    r, shape = downscale_factor, tuple(input.array.shape)
    if len(shape) < 3:
        raise RuntimeError(f"pixel_unshuffle: expected input of shape (..., C, H*r, W*r), got {shape}")
    if r < 1:
        raise RuntimeError(f"pixel_unshuffle: downscale_factor must be positive, got {r}")
    *lead, C, H, W = shape
    if H % r or W % r:
        raise RuntimeError(f"pixel_unshuffle: downscale_factor {r} must divide height and width of input {shape}")
    n = len(lead)
    split = input.reshape(*lead, C, H // r, r, W // r, r)
    y = split.permute(*range(n), n, n + 2, n + 4, n + 1, n + 3).clone()
    return y.view(*lead, C * r * r, H // r, W // r)


def channel_shuffle(input: Tensor, groups: int) -> Tensor:
    """The channels dealt out anew (Zhang et al. 2018): channel ``g * C/G + k`` becomes channel ``k * G + g``, so that
    the next grouped convolution sees some of every group.

    Args:
        input: ``(N, C, ...)``.
        groups: G.

    Raises:
        RuntimeError: fewer than 3 dimensions, or groups that do not divide the channels.
    """
    shape = tuple(input.array.shape)
    if len(shape) < 3:
        raise RuntimeError(f"channel_shuffle: expected input of shape (N, C, L, ...), got {shape}")
    if groups < 1 or not shape[1] or shape[1] % groups:
        raise RuntimeError(
            f"channel_shuffle: groups must divide the {shape[1]} channels of input {shape}, got {groups}"
        )
    return input.reshape(shape[0], groups, shape[1] // groups, *shape[2:]).transpose(1, 2).clone().view(shape)
