"""Batch normalization (Ioffe and Szegedy, "Batch Normalization", ICML 2015).

Each channel is shifted and scaled to mean 0 and variance 1, then by a learned weight and bias:
``y = (x - mean) / sqrt(var + eps) * weight + bias``. In training, mean and (biased) variance are the batch's own, and
the running ones move towards them, ``running = (1 - momentum) * running + momentum * batch`` (with the unbiased
variance); in evaluation the running ones are used.
"""

from __future__ import annotations

from typing import Any

from .. import dtypes
from ..ops import empty, zeros
from ..tensor import Tensor
from . import functional as F
from . import init
from .module import Module
from .parameter import Parameter

__all__ = ["BatchNorm1d", "BatchNorm2d", "BatchNorm3d", "SyncBatchNorm"]


class _NormBase(Module):
    """The parameters and the running statistics, which instance norm has, too."""

    _version = 2
    _since_version = {"num_batches_tracked": 2}  # which PyTorch has saved since 0.4.1

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ):
        super().__init__()
        self.num_features = num_features
        self.eps = eps
        self.momentum = momentum
        self.affine = affine
        self.track_running_stats = track_running_stats

        def channels(wanted: bool) -> Tensor | None:
            return empty(num_features, device=device, dtype=dtype) if wanted else None

        self.register_parameter("weight", Parameter(channels(True)) if affine else None)
        self.register_parameter("bias", Parameter(channels(True)) if affine and bias else None)
        self.register_buffer("running_mean", channels(track_running_stats))
        self.register_buffer("running_var", channels(track_running_stats))
        batches = zeros((), dtype=dtypes.int64, device=device) if track_running_stats else None
        self.register_buffer("num_batches_tracked", batches)
        self.reset_parameters()

    def reset_running_stats(self) -> None:
        """Forget all batches: mean 0, variance 1."""
        if self.track_running_stats:
            self.running_mean.zero_()
            self.running_var.fill_(1)
            self.num_batches_tracked.zero_()

    def reset_parameters(self) -> None:
        """Forget all batches and set weight 1, bias 0."""
        self.reset_running_stats()
        if self.affine:
            init.ones_(self.weight)
            if self.bias is not None:
                init.zeros_(self.bias)

    def _check_input_dim(self, input: Tensor) -> None:
        raise NotImplementedError

    def extra_repr(self) -> str:
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"bias={self.bias is not None}, track_running_stats={self.track_running_stats}"
        )


class _BatchNorm(_NormBase):
    """All but the check of the input's rank."""

    def forward(self, input: Tensor) -> Tensor:
        """``input``, normalized channel by channel; in training this updates the running statistics."""
        self._check_input_dim(input)
        momentum = self.momentum
        if self.training and self.track_running_stats and self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)
            if momentum is None:
                momentum = 1.0 / float(self.num_batches_tracked)  # the k-th batch moves the mean of all k by 1/k
        mean, var = self.running_mean, self.running_var
        if self.training and not self.track_running_stats:
            mean = var = None
        return F.batch_norm(
            input, mean, var, self.weight, self.bias, self.training or mean is None, momentum or 0.0, self.eps
        )


class BatchNorm1d(_BatchNorm):
    """Batch normalization of ``(N, C)`` or ``(N, C, L)``.

    Args:
        num_features: C, the number of channels.
        eps: added to the variance, so that a constant channel is not divided by 0.
        momentum: the weight of the newest batch in the running statistics; None weights all batches alike.
        affine: whether there are a learned weight and bias.
        track_running_stats: False keeps no running statistics: evaluation too uses the batch's own.
        device: where the parameters and buffers are made.
        dtype: their type (default: the default dtype).
        bias: False leaves out the bias of an affine layer.

    Attributes:
        weight, bias: ``(C,)``, 1 and 0 at first, or None.
        running_mean, running_var: ``(C,)``, 0 and 1 at first, or None.
        num_batches_tracked: int64, how many batches the running statistics have seen, or None.

    Raises:
        ValueError: when called with an input of another rank.
    """

    def _check_input_dim(self, input: Tensor) -> None:
        if input.dim() not in (2, 3):
            raise ValueError(f"expected 2D or 3D input (got {input.dim()}D input)")


class BatchNorm2d(_BatchNorm):
    """Batch normalization of images ``(N, C, H, W)``; arguments and attributes are those of :class:`BatchNorm1d`.

    Raises:
        ValueError: when called with an input of another rank.
    """

    def _check_input_dim(self, input: Tensor) -> None:
        if input.dim() != 4:
            raise ValueError(f"expected 4D input (got {input.dim()}D input)")


class BatchNorm3d(_BatchNorm):
    """Batch normalization of volumes ``(N, C, D, H, W)``; arguments and attributes are those of :class:`BatchNorm1d`.

    Raises:
        ValueError: when called with an input of another rank.
    """

    def _check_input_dim(self, input: Tensor) -> None:
        if input.dim() != 5:
            raise ValueError(f"expected 5D input (got {input.dim()}D input)")


class SyncBatchNorm(_BatchNorm):
    """Batch normalization of ``(N, C, ...)`` with the statistics of all processes' batches: here of the one there is,
    so that it differs from :class:`BatchNorm1d`, whose arguments and attributes it has, in what inputs it takes.

    Args:
        num_features, eps, momentum, affine, track_running_stats, device, dtype, bias: as there.
        process_group: accepted for PyTorch's sake; without effect.

    Raises:
        ValueError: when called with an input of fewer than two axes.
    """

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        process_group: Any = None,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ):
        super().__init__(num_features, eps, momentum, affine, track_running_stats, device, dtype, bias=bias)
        self.process_group = process_group

    def _check_input_dim(self, input: Tensor) -> None:
        if input.dim() < 2:
            raise ValueError(f"expected at least 2D input (got {input.dim()}D input)")

    @classmethod
    def convert_sync_batchnorm(cls, module: Module, process_group: Any = None) -> Module:
        """``module`` with a SyncBatchNorm, which has the same parameters and statistics, in the place of each batch
        norm in it; of a batch norm itself the SyncBatchNorm."""
        converted = module
        if isinstance(module, _BatchNorm):
            converted = SyncBatchNorm(
                module.num_features, module.eps, module.momentum, module.affine, module.track_running_stats,
                process_group, bias=module.bias is not None,
            )  # fmt: skip
            for name in ("weight", "bias", "running_mean", "running_var", "num_batches_tracked"):
                setattr(converted, name, getattr(module, name))
            converted.training = module.training
        for name, child in list(module.named_children()):
            converted.add_module(name, cls.convert_sync_batchnorm(child, process_group))
        return converted
