"""Attention (Vaswani et al. 2017): each query takes a weighted mean of values, by how well their keys fit:

y = softmax(q k^T / sqrt(E) + mask) v
"""

from __future__ import annotations

import math

from ..tensor import Tensor
from .creation import ones
from .diagonal import tril
from .dropout import dropout
from .elementwise import add, mul
from .gather import masked_fill
from .logic import logical_not
from .matmul import matmul
from .rearrange import repeat_interleave
from .softmax import softmax
from .types import expect, same_type


def scaled_dot_product_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    """``softmax(query @ key^T * scale + mask) @ value``.

    Args:
        query: ``(..., L, E)``.
        key: ``(..., S, E)``.
        value: ``(..., S, EV)``.
        attn_mask: broadcasts to ``(..., L, S)``: bool, where True takes part; or floating point, which is added.
        dropout_p: the probability with which a weight is dropped (always: there is no evaluation mode here).
        is_causal: query i sees the keys up to i alone.
        scale: default ``1 / sqrt(E)``.
        enable_gqa: keys and values have fewer heads (axis -3) than queries, and each serves several.

    Returns:
        ``(..., L, EV)``.

    Raises:
        RuntimeError: types that differ, both ``attn_mask`` and ``is_causal``, or shapes that do not fit.
    """
    name = "scaled_dot_product_attention"
    same_type(name, query=query, key=key, value=value)
    if is_causal and attn_mask is not None:
        raise RuntimeError(f"{name}: attn_mask and is_causal cannot both be given")
    if enable_gqa:
        heads = query.array.shape[-3]
        key, value = (repeat_interleave(t, heads // t.array.shape[-3], -3) for t in (key, value))
    L, S, E = query.array.shape[-2], key.array.shape[-2], query.array.shape[-1]
    scores = mul(matmul(query, key.transpose(-2, -1)), 1 / math.sqrt(E) if scale is None else scale)
    if is_causal:
        attn_mask = tril(ones(L, S, device=query.device)) > 0
    if attn_mask is not None:
        expect(name, "bf", attn_mask=attn_mask)
        if attn_mask.array.dtype.kind == "b":
            scores = masked_fill(scores, logical_not(attn_mask), -math.inf)
        else:
            scores = add(scores, attn_mask)
    return matmul(dropout(softmax(scores, -1), dropout_p), value)
