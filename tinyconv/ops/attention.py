"""Attention (Vaswani et al., "Attention is all you need", 2017): each query takes a weighted mean of values, by how
well their keys fit:

y = softmax(q k^T / sqrt(E) + mask) v

With several *heads*, queries, keys and values are first projected to shorter vectors, once for each head; each head
attends by itself, and what they find is joined and projected once more.
"""

from __future__ import annotations

import math
from typing import Any

from ..tensor import Tensor
from .compare import eq, where
from .creation import ones, zeros
from .diagonal import tril
from .dropout import dropout
from .elementwise import add, mul
from .gather import masked_fill
from .join import cat, chunk
from .logic import logical_not, logical_or
from .matmul import bmm, linear, matmul
from .pad import pad
from .rearrange import repeat_interleave
from .reduce import all, any_, mean
from .softmax import softmax
from .types import expect, same_type

Mask = Tensor | None


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
        ``(..., L, EV)``; zeros where no key takes part.

    Raises:
        RuntimeError: types that differ, both ``attn_mask`` and ``is_causal``, or shapes that do not fit.
    """
    name = "scaled_dot_product_attention"
    same_type(name, query=query, key=key, value=value)
    shapes = [tuple(t.array.shape) for t in (query, key, value)]
    if min(map(len, shapes)) < 2:
        raise RuntimeError(f"{name}: query, key and value must have at least 2 dimensions, got shapes {shapes}")
    if is_causal and attn_mask is not None:
        raise RuntimeError(f"{name}: attn_mask and is_causal cannot both be given")
    if enable_gqa:
        key, value = (_served(t, query, name) for t in (key, value))
    L, S, E = shapes[0][-2], shapes[1][-2], shapes[0][-1]
    scores = mul(matmul(query, key.transpose(-2, -1)), 1 / math.sqrt(E) if scale is None else scale)
    alone = None
    if is_causal:
        scores = masked_fill(scores, tril(ones(L, S, device=query.device)) == 0, -math.inf)
    elif attn_mask is not None:
        scores, alone = _masked(scores, attn_mask, name)
    y = matmul(dropout(softmax(scores, -1), dropout_p), value)
    return y if alone is None else masked_fill(y, alone, 0)


def _served(x: Tensor, query: Tensor, name: str) -> Tensor:
    """Keys or values, each head repeated for the queries that share it.

    Raises:
        RuntimeError: the number of heads does not divide that of the queries.
    """
    if query.array.ndim < 3 or x.array.ndim < 3 or query.array.shape[-3] % x.array.shape[-3]:
        raise RuntimeError(
            f"{name}: with enable_gqa the heads of key and value (axis -3) must divide those of query, got shapes "
            f"{tuple(x.array.shape)} and {tuple(query.array.shape)}"
        )
    return repeat_interleave(x, query.array.shape[-3] // x.array.shape[-3], -3)


def _masked(scores: Tensor, mask: Tensor, name: str) -> tuple[Tensor, Tensor]:
    """The scores after the mask, and which queries it leaves without any key: their scores stay as they are, so that
    softmax makes no NaN of them."""
    expect(name, "bf", attn_mask=mask)
    if mask.array.dtype.kind == "b":
        alone = logical_not(any_(mask, -1, keepdim=True))
        return masked_fill(scores, logical_not(logical_or(mask, alone)), -math.inf), alone
    if mask.dtype is not scores.dtype:
        raise RuntimeError(f"{name}: attn_mask must be bool or {scores.dtype} as query, got {mask.dtype}")
    alone = all(eq(mask, -math.inf), -1, keepdim=True)
    return add(scores, where(alone, 0.0, mask)), alone


# -------------------------------------------------------------------------------------------------------- several heads


def multi_head_attention_forward(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    embed_dim_to_check: int,
    num_heads: int,
    in_proj_weight: Tensor | None,
    in_proj_bias: Tensor | None,
    bias_k: Tensor | None,
    bias_v: Tensor | None,
    add_zero_attn: bool,
    dropout_p: float,
    out_proj_weight: Tensor,
    out_proj_bias: Tensor | None,
    training: bool = True,
    key_padding_mask: Tensor | None = None,
    need_weights: bool = True,
    attn_mask: Tensor | None = None,
    use_separate_proj_weight: bool = False,
    q_proj_weight: Tensor | None = None,
    k_proj_weight: Tensor | None = None,
    v_proj_weight: Tensor | None = None,
    static_k: Tensor | None = None,
    static_v: Tensor | None = None,
    average_attn_weights: bool = True,
    is_causal: bool = False,
) -> tuple[Tensor, Tensor | None]:
    """``concat(head_1, ..., head_H) W_O^T + b_O`` with ``head_h = attention(q W_Qh^T, k W_Kh^T, v W_Vh^T)``.

    Args:
        query: ``(L, N, E)``, or ``(L, E)`` without a batch.
        key: ``(S, N, EK)`` or ``(S, EK)``.
        value: ``(S, N, EV)`` or ``(S, EV)``.
        embed_dim_to_check: E.
        num_heads: H; it divides E.
        in_proj_weight: ``(3 * E, E)``: W_Q, W_K and W_V, one below the other, where EK and EV are E.
        in_proj_bias: ``(3 * E,)``, or None.
        bias_k, bias_v: ``(1, 1, E)``: one more key and its value, after the projection; or None.
        add_zero_attn: one more key and value of zeros.
        dropout_p: of the weights, in training.
        out_proj_weight: ``(E, E)``, W_O.
        out_proj_bias: ``(E,)``, or None.
        training: whether weights are dropped.
        key_padding_mask: ``(N, S)`` or ``(S,)``: bool, where True hides the key; or floating point, which is added.
        need_weights: return the weights, too.
        attn_mask: ``(L, S)`` or ``(N * H, L, S)``: bool, where True hides the key (the other way round than in
            :func:`scaled_dot_product_attention`); or floating point, which is added.
        use_separate_proj_weight: W_Q, W_K and W_V are the next three arguments, not ``in_proj_weight``.
        q_proj_weight, k_proj_weight, v_proj_weight: ``(E, E)``, ``(E, EK)``, ``(E, EV)``.
        static_k, static_v: ``(N * H, S, E / H)``: keys and values of all heads as they are to be used.
        average_attn_weights: return the mean of the heads' weights.
        is_causal: says that ``attn_mask``, which must be given, is causal.

    Returns:
        ``(L, N, E)`` or ``(L, E)``, and the weights (after dropout): ``(N, L, S)`` or ``(L, S)``, with the heads before
        L where they are not averaged; or None. A query that is left without a key gets NaN if weights are needed, else
        zeros.

    Raises:
        RuntimeError: shapes or types that do not fit, or ``is_causal`` without ``attn_mask``.
    """
    name = "multi_head_attention_forward"
    batched = _batched(query, key, value, key_padding_mask, name)
    if is_causal and attn_mask is None:
        raise RuntimeError(f"{name}: is_causal says that attn_mask is causal, and attn_mask is None")
    E = query.array.shape[-1]
    if embed_dim_to_check != E or num_heads < 1 or E % num_heads:
        raise RuntimeError(
            f"{name}: query must have {embed_dim_to_check} numbers per step, a multiple of num_heads {num_heads}, got "
            f"shape {tuple(query.array.shape)}"
        )
    packed: Any = in_proj_weight
    weights: Any = [q_proj_weight, k_proj_weight, v_proj_weight]
    if use_separate_proj_weight:
        if key.array.shape[:-1] != value.array.shape[:-1] or any([w is None for w in weights]):
            raise RuntimeError(
                f"{name}: three weights, and key and value of one length are needed, got shapes "
                f"{tuple(key.array.shape)} and {tuple(value.array.shape)}"
            )
    elif packed is None or key.array.shape != value.array.shape:
        raise RuntimeError(
            f"{name}: in_proj_weight, and key and value of one shape are needed, got {tuple(key.array.shape)} and "
            f"{tuple(value.array.shape)}"
        )
    if (bias_k is None) != (bias_v is None):
        raise RuntimeError(f"{name}: bias_k and bias_v must both be given, or neither")

    if not use_separate_proj_weight and query is key and key is value:
        q, k, v = chunk(linear(query, packed, in_proj_bias), 3, -1)
    else:
        weights = weights if use_separate_proj_weight else chunk(packed, 3)
        biases: Any = (None,) * 3 if in_proj_bias is None else chunk(in_proj_bias, 3)
        q, k, v = (linear(x, w, b) for x, w, b in zip((query, key, value), weights, biases))
    if not batched:
        q, k, v = (t.unsqueeze(1) for t in (q, k, v))
    L, N, S = q.array.shape[0], q.array.shape[1], k.array.shape[0]

    mask = _hiding(attn_mask, ((L, S), (N * num_heads, L, S)), q, "attn_mask", name)
    padding = _hiding(key_padding_mask, ((N, S) if batched else (S,),), q, "key_padding_mask", name)
    if bias_k is not None and bias_v is not None:
        k, v = cat([k, bias_k.expand(1, N, E)]), cat([v, bias_v.expand(1, N, E)])
    q, k, v = (t.reshape(t.array.shape[0], N * num_heads, E // num_heads).transpose(0, 1) for t in (q, k, v))
    k, v = (t if static is None else _static(static, t, name) for t, static in ((k, static_k), (v, static_v)))
    if add_zero_attn:
        nothing = zeros(N * num_heads, 1, E // num_heads, dtype=q.dtype, device=q.device)
        k, v = cat([k, nothing], 1), cat([v, nothing], 1)
    more = k.array.shape[1] - S
    if mask is not None:
        mask = pad(mask, (0, more)) if more else mask
    if padding is not None:
        padding = pad(padding, (0, more)) if more else padding
        padding = padding.reshape(N, 1, 1, -1).expand(N, num_heads, 1, S + more).reshape(N * num_heads, 1, S + more)
        mask = padding if mask is None else add(mask, padding)

    p = dropout_p if training else 0.0
    shares = None
    if need_weights:
        scores = bmm(mul(q, math.sqrt(num_heads / E)), k.transpose(1, 2))
        shares = dropout(softmax(scores if mask is None else add(scores, mask), -1), p)
        y = bmm(shares, v)
        shares = shares.reshape(N, num_heads, L, S + more)
        shares = mean(shares, 1) if average_attn_weights else shares
    else:
        y = scaled_dot_product_attention(q, k, v, mask, p)
    y = linear(y.transpose(0, 1).reshape(L, N, E), out_proj_weight, out_proj_bias)
    if batched:
        return y, shares
    return y.squeeze(1), shares if shares is None else shares.squeeze(0)


def _batched(query: Tensor, key: Tensor, value: Tensor, padding: Mask, name: str) -> bool:
    """Whether there is an axis of sequences.

    Raises:
        RuntimeError: tensors of different types, or not all with or without that axis.
    """
    same_type(name, query=query, key=key, value=value)
    shapes = [tuple(t.array.shape) for t in (query, key, value)]
    n = len(shapes[0])
    if n not in (2, 3) or {len(s) for s in shapes} != {n} or (n == 3 and len({s[1] for s in shapes}) > 1):
        raise RuntimeError(f"{name}: expected (L, N, E), (S, N, EK) and (S, N, EV), or all without N, got {shapes}")
    if padding is not None and padding.array.ndim != n - 1:
        raise RuntimeError(f"{name}: key_padding_mask must be {n - 1}-D, got shape {tuple(padding.array.shape)}")
    return n == 3


def _hiding(mask: Mask, shapes: tuple, x: Tensor, argument: str, name: str) -> Mask:
    """A mask as what is added to the scores.

    Raises:
        RuntimeError: it is neither bool nor floating point, or of none of the shapes.
    """
    if mask is None:
        return None
    expect(name, "bf", **{argument: mask})
    if tuple(mask.array.shape) not in shapes:
        expected = " or ".join(map(str, shapes))
        raise RuntimeError(f"{name}: {argument} must have shape {expected}, got {tuple(mask.array.shape)}")
    if mask.array.dtype.kind == "f":
        return mask
    return masked_fill(zeros(mask.array.shape, dtype=x.dtype, device=x.device), mask, -math.inf)


def _static(static: Tensor, x: Tensor, name: str) -> Tensor:
    """Keys or values that were given, in place of ``x``.

    Raises:
        RuntimeError: as many heads, or numbers a head, are not in them.
    """
    a, b = tuple(static.array.shape), tuple(x.array.shape)
    if len(a) != 3 or a[0] != b[0] or a[2] != b[2]:
        raise RuntimeError(f"{name}: static_k and static_v must have shape ({b[0]}, S, {b[2]}), got {a}")
    return static
