"""Embedding layers: a learned row for each word, or whatever else is numbered."""

from __future__ import annotations

from typing import Any, Self

from ..autograd import no_grad
from ..ops import empty
from ..tensor import Tensor
from . import functional as F
from . import init
from .module import Module
from .parameter import Parameter

__all__ = ["Embedding", "EmbeddingBag"]


class Embedding(Module):
    """A row of ``embedding_dim`` numbers for each integer: ``(...) -> (..., embedding_dim)``.

    Args:
        num_embeddings: V, how many rows.
        embedding_dim: D, how long they are.
        padding_idx: this row begins as zeros and is never trained.
        max_norm: rows that are taken and longer than this are first shortened to it, in place.
        norm_type: p of that length, the p-norm.
        scale_grad_by_freq: divide a row's gradient by how often the row was taken.
        sparse: accepted; the gradient is dense.
        _weight: the table to begin with, ``(V, D)``.
        _freeze: do not train it.
        device: where the table is made.
        dtype: its type (default: the default dtype).

    Attributes:
        weight: ``(V, D)``, Gaussian with standard deviation 1 at first.

    Raises:
        ValueError: a ``padding_idx`` out of range, or a ``_weight`` of another shape.
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
        _weight: Tensor | None = None,
        _freeze: bool = False,
        device: Any = None,
        dtype: Any = None,
    ):
        super().__init__()
        self.num_embeddings = num_embeddings
        self.embedding_dim = embedding_dim
        if padding_idx is not None:
            if not -num_embeddings <= padding_idx < num_embeddings:
                raise ValueError(f"padding_idx must be within num_embeddings, {num_embeddings}, got {padding_idx}")
            padding_idx %= num_embeddings
        self.padding_idx = padding_idx
        self.max_norm = max_norm
        self.norm_type = norm_type
        self.scale_grad_by_freq = scale_grad_by_freq
        self.sparse = sparse
        if _weight is None:
            _weight = empty(num_embeddings, embedding_dim, device=device, dtype=dtype)
            self.weight = Parameter(_weight, requires_grad=not _freeze)
            self.reset_parameters()
        else:
            if tuple(_weight.shape) != (num_embeddings, embedding_dim):
                raise ValueError(
                    f"_weight must have shape ({num_embeddings}, {embedding_dim}), got {tuple(_weight.shape)}"
                )
            self.weight = Parameter(_weight, requires_grad=not _freeze)

    def reset_parameters(self) -> None:
        """Draw the table anew; the padding's row is zeros."""
        init.normal_(self.weight)
        if self.padding_idx is not None:
            with no_grad():
                self.weight[self.padding_idx].fill_(0)

    def forward(self, input: Tensor) -> Tensor:
        """Integers in [0, V) -> their rows."""
        return F.embedding(
            input,
            self.weight,
            self.padding_idx,
            self.max_norm,
            self.norm_type,
            self.scale_grad_by_freq,
            self.sparse,
        )

    def extra_repr(self) -> str:
        parts = [f"{self.num_embeddings}, {self.embedding_dim}"]
        usual = {"padding_idx": None, "max_norm": None, "norm_type": 2, "scale_grad_by_freq": False, "sparse": False}
        parts += [f"{name}={getattr(self, name)}" for name, value in usual.items() if getattr(self, name) != value]
        return ", ".join(parts)

    @classmethod
    def from_pretrained(
        cls,
        embeddings: Tensor,
        freeze: bool = True,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
    ) -> Self:
        """A layer with a given table.

        Args:
            embeddings: ``(V, D)``.
            freeze: do not train it.
            padding_idx, max_norm, norm_type, scale_grad_by_freq, sparse: as in the constructor.

        Raises:
            ValueError: ``embeddings`` is not 2-D.
        """
        if embeddings.dim() != 2:
            raise ValueError(f"from_pretrained: embeddings must be 2-D, got shape {tuple(embeddings.shape)}")
        rows, columns = embeddings.shape
        return cls(
            rows, columns, padding_idx, max_norm, norm_type, scale_grad_by_freq, sparse, embeddings, freeze
        )  # fmt: skip


class EmbeddingBag(Module):
    """The sum, mean or maximum of rows, a bag of integers at a time: ``(B, L) -> (B, embedding_dim)``.

    Args:
        num_embeddings: V, how many rows.
        embedding_dim: D, how long they are.
        max_norm, norm_type, scale_grad_by_freq, sparse: as in :class:`Embedding`.
        mode: "sum", "mean" or "max".
        _weight: the table to begin with, ``(V, D)``.
        include_last_offset: offsets have one more number, where the last bag ends.
        padding_idx: this row begins as zeros, is never trained and is in no bag.
        device: where the table is made.
        dtype: its type (default: the default dtype).

    Attributes:
        weight: ``(V, D)``, Gaussian with standard deviation 1 at first.

    Raises:
        ValueError: a ``padding_idx`` out of range, or a ``_weight`` of another shape.
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        mode: str = "mean",
        sparse: bool = False,
        _weight: Tensor | None = None,
        include_last_offset: bool = False,
        padding_idx: int | None = None,
        device: Any = None,
        dtype: Any = None,
    ):
        super().__init__()
        table = Embedding(num_embeddings, embedding_dim, padding_idx, _weight=_weight, device=device, dtype=dtype)
        self.num_embeddings = num_embeddings
        self.embedding_dim = embedding_dim
        self.max_norm = max_norm
        self.norm_type = norm_type
        self.scale_grad_by_freq = scale_grad_by_freq
        self.padding_idx = table.padding_idx
        self.weight = table.weight
        self.mode = mode
        self.sparse = sparse
        self.include_last_offset = include_last_offset

    def reset_parameters(self) -> None:
        """Draw the table anew; the padding's row is zeros."""
        init.normal_(self.weight)
        if self.padding_idx is not None:
            with no_grad():
                self.weight[self.padding_idx].fill_(0)

    def forward(self, input: Tensor, offsets: Tensor | None = None, per_sample_weights: Tensor | None = None) -> Tensor:
        """Integers ``(B, L)``, or ``(M,)`` with ``offsets`` ``(B,)``, where each bag begins -> ``(B, D)``;
        ``per_sample_weights``, of the shape of ``input``, multiply the rows (mode "sum" only)."""
        return F.embedding_bag(
            input,
            self.weight,
            offsets,
            self.max_norm,
            self.norm_type,
            self.scale_grad_by_freq,
            self.mode,
            self.sparse,
            per_sample_weights,
            self.include_last_offset,
            self.padding_idx,
        )

    def extra_repr(self) -> str:
        parts = [f"{self.num_embeddings}, {self.embedding_dim}"]
        usual = {"max_norm": None, "norm_type": 2, "scale_grad_by_freq": False, "mode": "", "padding_idx": None}
        parts += [f"{name}={getattr(self, name)!r}" for name, value in usual.items() if getattr(self, name) != value]
        return ", ".join(parts)

    @classmethod
    def from_pretrained(
        cls,
        embeddings: Tensor,
        freeze: bool = True,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        mode: str = "mean",
        sparse: bool = False,
        include_last_offset: bool = False,
        padding_idx: int | None = None,
    ) -> Self:
        """A layer with a given table ``(V, D)``, which is not trained if ``freeze``; the other arguments as in the
        constructor.

        Raises:
            ValueError: ``embeddings`` is not 2-D.
        """
        if embeddings.dim() != 2:
            raise ValueError(f"from_pretrained: embeddings must be 2-D, got shape {tuple(embeddings.shape)}")
        rows, columns = embeddings.shape
        made = cls(rows, columns, max_norm, norm_type, scale_grad_by_freq, mode, sparse, embeddings,
                   include_last_offset, padding_idx)  # fmt: skip
        made.weight.requires_grad = not freeze
        return made
