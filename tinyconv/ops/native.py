"""What PyTorch has under two names that take different arguments: ``torch.embedding(weight, indices)`` is
``F.embedding(indices, weight)``. These are the former; the losses among them count their reductions, and
reduce nothing unless told to."""

from __future__ import annotations

from typing import Any

from ..tensor import Tensor
from .dropout import alpha_dropout as _alpha_dropout
from .dropout import feature_alpha_dropout as _feature_alpha_dropout
from .dropout import feature_dropout as _feature_dropout
from .embedding import embedding as _embedding
from .margin_loss import cosine_embedding_loss as _cosine_embedding_loss
from .margin_loss import hinge_embedding_loss as _hinge_embedding_loss
from .margin_loss import margin_ranking_loss as _margin_ranking_loss
from .margin_loss import triplet_margin_loss as _triplet_margin_loss
from .norm import batch_norm as _batch_norm
from .norm import instance_norm as _instance_norm
from .pad import pad as _pad
from .pool import adaptive_max_pool1d as _adaptive_max_pool1d
from .probability_loss import binary_cross_entropy_with_logits as _binary_cross_entropy_with_logits
from .probability_loss import kl_div as _kl_div
from .probability_loss import poisson_nll_loss as _poisson_nll_loss


def _reduction(number: int) -> str:
    """0, 1 and 2 as "none", "mean" and "sum".

    Raises:
        ValueError: another number.
    """
    names = ("none", "mean", "sum")
    if not isinstance(number, int) or not 0 <= number < len(names):
        raise ValueError(f"reduction: expected 0 (none), 1 (mean) or 2 (sum), got {number!r}")
    return names[number]


def adaptive_max_pool1d(input: Tensor, output_size: Any) -> tuple[Tensor, Tensor]:
    """(maxima, their places) of :func:`tinyconv.nn.functional.adaptive_max_pool1d`."""
    return _adaptive_max_pool1d(input, output_size, True)


def alpha_dropout_(input: Tensor, p: float, train: bool) -> Tensor:
    """:func:`tinyconv.nn.functional.alpha_dropout`, in place."""
    return _alpha_dropout(input, p, train, inplace=True)


def feature_alpha_dropout_(input: Tensor, p: float, train: bool) -> Tensor:
    """:func:`tinyconv.nn.functional.feature_alpha_dropout`, in place."""
    return _feature_alpha_dropout(input, p, train, inplace=True)


def feature_dropout(input: Tensor, p: float, train: bool) -> Tensor:
    """:func:`tinyconv.nn.functional.dropout` of whole channels of ``(N, C, ...)``."""
    return _feature_dropout(input, p, train)


def feature_dropout_(input: Tensor, p: float, train: bool) -> Tensor:
    """:func:`feature_dropout`, in place."""
    return _feature_dropout(input, p, train, inplace=True)


def batch_norm(input: Tensor, weight: Tensor | None, bias: Tensor | None, running_mean: Tensor | None,
               running_var: Tensor | None, training: bool, momentum: float, eps: float,
               cudnn_enabled: bool) -> Tensor:  # fmt: skip
    """:func:`tinyconv.nn.functional.batch_norm`; ``cudnn_enabled`` is without effect."""
    return _batch_norm(input, running_mean, running_var, weight, bias, training, momentum, eps)


def instance_norm(input: Tensor, weight: Tensor | None, bias: Tensor | None, running_mean: Tensor | None,
                  running_var: Tensor | None, use_input_stats: bool, momentum: float, eps: float,
                  cudnn_enabled: bool) -> Tensor:  # fmt: skip
    """:func:`tinyconv.nn.functional.instance_norm`; ``cudnn_enabled`` is without effect."""
    return _instance_norm(input, running_mean, running_var, weight, bias, use_input_stats, momentum, eps)


def constant_pad_nd(input: Tensor, pad: Any, value: float = 0) -> Tensor:
    """:func:`tinyconv.nn.functional.pad` with a constant."""
    return _pad(input, pad, "constant", value)


def embedding(weight: Tensor, indices: Tensor, padding_idx: int = -1, scale_grad_by_freq: bool = False,
              sparse: bool = False) -> Tensor:  # fmt: skip
    """:func:`tinyconv.nn.functional.embedding`; a ``padding_idx`` of -1 is none."""
    padding = None if padding_idx == -1 else padding_idx
    return _embedding(indices, weight, padding, scale_grad_by_freq=scale_grad_by_freq, sparse=sparse)


def binary_cross_entropy_with_logits(input: Tensor, target: Tensor, weight: Tensor | None = None,
                                     pos_weight: Tensor | None = None, reduction: int = 0) -> Tensor:  # fmt: skip
    """:func:`tinyconv.nn.functional.binary_cross_entropy_with_logits`, with a numbered ``reduction``."""
    return _binary_cross_entropy_with_logits(
        input, target, weight, reduction=_reduction(reduction), pos_weight=pos_weight
    )


def cosine_embedding_loss(input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0.0,
                          reduction: int = 0) -> Tensor:  # fmt: skip
    """:func:`tinyconv.nn.functional.cosine_embedding_loss`, with a numbered ``reduction``."""
    return _cosine_embedding_loss(input1, input2, target, margin, reduction=_reduction(reduction))


def hinge_embedding_loss(input: Tensor, target: Tensor, margin: float = 1.0, reduction: int = 0) -> Tensor:
    """:func:`tinyconv.nn.functional.hinge_embedding_loss`, with a numbered ``reduction``."""
    return _hinge_embedding_loss(input, target, margin, reduction=_reduction(reduction))


def kl_div(input: Tensor, target: Tensor, reduction: int = 0, *, log_target: bool = False) -> Tensor:
    """:func:`tinyconv.nn.functional.kl_div`, with a numbered ``reduction``."""
    return _kl_div(input, target, reduction=_reduction(reduction), log_target=log_target)


def margin_ranking_loss(input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0.0,
                        reduction: int = 0) -> Tensor:  # fmt: skip
    """:func:`tinyconv.nn.functional.margin_ranking_loss`, with a numbered ``reduction``."""
    return _margin_ranking_loss(input1, input2, target, margin, reduction=_reduction(reduction))


def poisson_nll_loss(input: Tensor, target: Tensor, log_input: bool, full: bool, eps: float,
                     reduction: int) -> Tensor:  # fmt: skip
    """:func:`tinyconv.nn.functional.poisson_nll_loss`, with a numbered ``reduction``."""
    return _poisson_nll_loss(input, target, log_input, full, eps=eps, reduction=_reduction(reduction))


def triplet_margin_loss(anchor: Tensor, positive: Tensor, negative: Tensor, margin: float = 1.0, p: float = 2,
                        eps: float = 1e-6, swap: bool = False, reduction: int = 0) -> Tensor:  # fmt: skip
    """:func:`tinyconv.nn.functional.triplet_margin_loss`, with a numbered ``reduction``."""
    return _triplet_margin_loss(anchor, positive, negative, margin, p, eps, swap, reduction=_reduction(reduction))
