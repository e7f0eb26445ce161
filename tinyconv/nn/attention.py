"""Attention with several heads. The formula stands in ``ops/attention.py``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from typing import Any

from ..ops import empty
from ..tensor import Tensor
from . import functional as F
from . import init
from .linear import Linear
from .module import Module
from .parameter import Parameter

__all__ = ["MultiheadAttention", "SDPBackend", "sdpa_kernel"]


class SDPBackend(Enum):
    """PyTorch's ways to compute :func:`~tinyconv.nn.functional.scaled_dot_product_attention`, by name: here is one."""

    ERROR = -1
    MATH = 0
    FLASH_ATTENTION = 1
    EFFICIENT_ATTENTION = 2
    CUDNN_ATTENTION = 3
    OVERRIDEABLE = 4


@contextmanager
def sdpa_kernel(backends: SDPBackend | list[SDPBackend], set_priority: bool = False) -> Iterator[None]:
    """The block of a ``with`` in which PyTorch would use one of ``backends``; attention is computed as outside of it.

    Raises:
        TypeError: what is no :class:`SDPBackend` and no list of them.
    """
    for backend in backends if isinstance(backends, list) else [backends]:
        if not isinstance(backend, SDPBackend):
            raise TypeError(f"sdpa_kernel: backends must be an SDPBackend or a list of them, got {backend!r}")
    yield


class NonDynamicallyQuantizableLinear(Linear):
    """A :class:`Linear`, under the name that PyTorch prints for this one."""


class MultiheadAttention(Module):
    """Attention with ``num_heads`` heads (Vaswani et al., "Attention is all you need", 2017).

    Args:
        embed_dim: E, numbers in a step of the queries and of the result.
        num_heads: how many heads; each sees E / num_heads numbers.
        dropout: of the attention's weights, in training.
        bias: whether the projections have biases.
        add_bias_kv: one more, learned, key and value.
        add_zero_attn: one more key and value of zeros.
        kdim, vdim: numbers in a step of the keys, of the values (default: E).
        batch_first: sequences are ``(N, L, E)`` instead of ``(L, N, E)``.
        device: where the parameters are made.
        dtype: their type (default: the default dtype).

    Attributes:
        in_proj_weight: ``(3 * E, E)``, the projections of queries, keys and values, one below the other, Glorot uniform
            at first; or None, and ``q_proj_weight``, ``k_proj_weight`` and ``v_proj_weight`` are there, where the sizes
            differ.
        in_proj_bias: ``(3 * E,)``, 0 at first, or None.
        out_proj: the linear layer after the heads.
        bias_k, bias_v: ``(1, 1, E)``, Glorot normal at first, or None.

    Raises:
        ValueError: sizes that are not positive, or an ``embed_dim`` that ``num_heads`` does not divide.
    """

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        add_bias_kv: bool = False,
        add_zero_attn: bool = False,
        kdim: int | None = None,
        vdim: int | None = None,
        batch_first: bool = False,
        device: Any = None,
        dtype: Any = None,
    ):
        if embed_dim <= 0 or num_heads <= 0 or embed_dim % num_heads:
            raise ValueError(
                f"embed_dim and num_heads must be positive, and num_heads must divide embed_dim, got {embed_dim} and "
                f"{num_heads}"
            )
        super().__init__()
        self.embed_dim = embed_dim
        self.kdim = embed_dim if kdim is None else kdim
        self.vdim = embed_dim if vdim is None else vdim
        self.num_heads = num_heads
        self.head_dim = embed_dim // num_heads
        self.dropout = dropout
        self.batch_first = batch_first
        self.add_zero_attn = add_zero_attn

        def parameter(*shape: int) -> Parameter:
            return Parameter(empty(shape, device=device, dtype=dtype))

        separate = (self.kdim, self.vdim) != (embed_dim, embed_dim)
        for name, size in (("q", embed_dim), ("k", self.kdim), ("v", self.vdim)):
            self.register_parameter(f"{name}_proj_weight", parameter(embed_dim, size) if separate else None)
        self.register_parameter("in_proj_weight", None if separate else parameter(3 * embed_dim, embed_dim))
        self.register_parameter("in_proj_bias", parameter(3 * embed_dim) if bias else None)
        self.out_proj = NonDynamicallyQuantizableLinear(embed_dim, embed_dim, bias, device, dtype)
        for name in ("bias_k", "bias_v"):
            self.register_parameter(name, parameter(1, 1, embed_dim) if add_bias_kv else None)
        self._reset_parameters()

    def _reset_parameters(self) -> None:
        """Draw the parameters anew."""
        for weight in (self.in_proj_weight, self.q_proj_weight, self.k_proj_weight, self.v_proj_weight):
            if weight is not None:
                init.xavier_uniform_(weight)
        if self.in_proj_bias is not None:
            init.zeros_(self.in_proj_bias)
            init.zeros_(self.out_proj.bias)
        for bias in (self.bias_k, self.bias_v):
            if bias is not None:
                init.xavier_normal_(bias)

    def forward(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        key_padding_mask: Tensor | None = None,
        need_weights: bool = True,
        attn_mask: Tensor | None = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        """What the queries find among the values, and with ``need_weights`` the weights.

        Args:
            query: ``(L, N, E)``, with ``batch_first`` ``(N, L, E)``, or ``(L, E)``.
            key, value: likewise, S steps of ``kdim`` and ``vdim`` numbers.
            key_padding_mask: ``(N, S)`` or ``(S,)``: bool, where True hides the key; or floating point, which is added.
            need_weights: False saves time.
            attn_mask: ``(L, S)`` or ``(N * num_heads, L, S)``, likewise.
            average_attn_weights: return the mean of the heads' weights.
            is_causal: says that ``attn_mask``, which must be given, is causal.

        Returns:
            As :func:`~tinyconv.nn.functional.multi_head_attention_forward`; the result with ``batch_first`` is
            ``(N, L, E)``.
        """
        swapped = self.batch_first and query.dim() == 3
        if swapped:
            query, key, value = _swapped(query, key, value)
        y, weights = F.multi_head_attention_forward(
            query,
            key,
            value,
            self.embed_dim,
            self.num_heads,
            self.in_proj_weight,
            self.in_proj_bias,
            self.bias_k,
            self.bias_v,
            self.add_zero_attn,
            self.dropout,
            self.out_proj.weight,
            self.out_proj.bias,
            self.training,
            key_padding_mask,
            need_weights,
            attn_mask,
            self.in_proj_weight is None,
            self.q_proj_weight,
            self.k_proj_weight,
            self.v_proj_weight,
            average_attn_weights=average_attn_weights,
            is_causal=is_causal,
        )
        return y.transpose(0, 1) if swapped else y, weights


def _swapped(query: Tensor, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The three with their first two axes exchanged; what was one tensor stays one, and is projected at once."""
    q = query.transpose(0, 1)
    k = q if key is query else key.transpose(0, 1)
    return q, k, k if value is key else value.transpose(0, 1)
