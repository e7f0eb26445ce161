"""Instance normalization (Ulyanov, Vedaldi and Lempitsky, "Instance normalization: the missing ingredient for fast
stylization", 2016): batch normalization of each image by itself, in training and in evaluation alike."""

from __future__ import annotations

from typing import Any, ClassVar

from ..caller import warn
from ..tensor import Tensor
from . import functional as F
from .batchnorm import _NormBase

__all__ = ["InstanceNorm1d", "InstanceNorm2d", "InstanceNorm3d"]


class _InstanceNorm(_NormBase):
    """The settings and state of batch normalization, with other defaults."""

    axes: ClassVar[int]  # of one image, its channels included

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ):
        super().__init__(num_features, eps, momentum, affine, track_running_stats, device, dtype, bias=bias)

    def _check_input_dim(self, input: Tensor) -> None:
        n = self.axes
        if input.dim() not in (n, n + 1):
            raise ValueError(f"expected {n}D or {n + 1}D input (got {input.dim()}D input)")
        axis = input.dim() - n
        if input.shape[axis] != self.num_features:
            where = f"input's size at dim={axis}"
            if self.affine:
                raise ValueError(
                    f"expected {where} to match num_features ({self.num_features}), but got: {input.shape[axis]}."
                )
            warn(
                f"{where} does not match num_features. You can silence this warning by not passing in num_features, "
                "which is not used because affine=False",
            )

    def forward(self, input: Tensor) -> Tensor:
        """``input``, each channel of each image normalized; in training this updates the running statistics."""
        self._check_input_dim(input)
        single = input.dim() == self.axes
        y = F.instance_norm(
            input.unsqueeze(0) if single else input,
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            self.training or not self.track_running_stats,
            self.momentum or 0.0,
            self.eps,
        )
        return y.squeeze(0) if single else y


class InstanceNorm1d(_InstanceNorm):
    """Instance normalization of sequences ``(N, C, L)`` or ``(C, L)``.

    Args:
        num_features: C, the number of channels.
        eps: added to the variances, so that a constant channel is not divided by 0.
        momentum: the weight of the newest batch in the running statistics.
        affine: whether there are a learned weight and bias.
        track_running_stats: keep running statistics, and use them in evaluation.
        device: where the parameters and buffers are made.
        dtype: their type (default: the default dtype).
        bias: False leaves out the bias of an affine layer.

    Attributes:
        weight, bias, running_mean, running_var, num_batches_tracked: as in :class:`~tinyconv.nn.BatchNorm1d`.

    Raises:
        ValueError: when called with an input of another rank, or an affine layer with other channels.
    """

    axes = 2


class InstanceNorm2d(_InstanceNorm):
    """Instance normalization of images ``(N, C, H, W)`` or ``(C, H, W)``; the rest is as in :class:`InstanceNorm1d`."""

    axes = 3


class InstanceNorm3d(_InstanceNorm):
    """Instance normalization of volumes ``(N, C, D, H, W)`` or ``(C, D, H, W)``; the rest is as in
    :class:`InstanceNorm1d`."""

    axes = 4
