"""Normalization of each sample by itself, so that training and evaluation do the same: layer and group normalization,
and the local response normalization of AlexNet. The formulas stand in ``ops/norm.py``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..ops import empty
from ..tensor import Tensor
from . import functional as F
from . import init
from .module import Module
from .parameter import Parameter

__all__ = ["GroupNorm", "LayerNorm", "LocalResponseNorm", "RMSNorm"]


def _sizes(normalized_shape: int | Sequence[int]) -> tuple[int, ...]:
    return (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)


class LayerNorm(Module):
    """Layer normalization (Ba et al., "Layer normalization", 2016) of ``(..., *normalized_shape)``.

    Args:
        normalized_shape: the sizes of the last axes, which share mean and variance; or that of the last one.
        eps: added to the variance, so that a constant sample is not divided by 0.
        elementwise_affine: whether there are a learned weight and bias.
        bias: False leaves out the bias.
        device: where the parameters are made.
        dtype: their type (default: the default dtype).

    Attributes:
        weight, bias: ``normalized_shape``, 1 and 0 at first, or None.
    """

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ):
        super().__init__()
        self.normalized_shape = _sizes(normalized_shape)
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        for name, wanted in (("weight", elementwise_affine), ("bias", elementwise_affine and bias)):
            value = Parameter(empty(self.normalized_shape, device=device, dtype=dtype)) if wanted else None
            self.register_parameter(name, value)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Set weight 1, bias 0."""
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def forward(self, input: Tensor) -> Tensor:
        """``input``, normalized over its last axes."""
        return F.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}, "
            f"bias={self.bias is not None}"
        )


class RMSNorm(Module):
    """Normalization by the root of the mean square (Zhang and Sennrich, "Root mean square layer normalization",
    NeurIPS 2019) of ``(..., *normalized_shape)``.

    Args:
        normalized_shape: the sizes of the last axes, or that of the last one.
        eps: added to the mean square (default: the type's ``finfo.eps``).
        elementwise_affine: whether there is a learned weight.
        device: where it is made.
        dtype: its type (default: the default dtype).

    Attributes:
        weight: ``normalized_shape``, 1 at first, or None.
    """

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float | None = None,
        elementwise_affine: bool = True,
        device: Any = None,
        dtype: Any = None,
    ):
        super().__init__()
        self.normalized_shape = _sizes(normalized_shape)
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        weight = Parameter(empty(self.normalized_shape, device=device, dtype=dtype)) if elementwise_affine else None
        self.register_parameter("weight", weight)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Set weight 1."""
        if self.weight is not None:
            init.ones_(self.weight)

    def forward(self, input: Tensor) -> Tensor:
        """``input``, normalized over its last axes."""
        return F.rms_norm(input, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self) -> str:
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"


class GroupNorm(Module):
    """Group normalization (Wu and He, "Group normalization", ECCV 2018) of ``(N, C, ...)``.

    Args:
        num_groups: into how many groups the channels are divided, each with a mean and a variance.
        num_channels: C.
        eps: added to the variances.
        affine: whether there are a learned weight and bias.
        device: where the parameters are made.
        dtype: their type (default: the default dtype).
        bias: False leaves out the bias.

    Attributes:
        weight, bias: ``(C,)``, 1 and 0 at first, or None.

    Raises:
        ValueError: ``num_groups`` does not divide ``num_channels``.
    """

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ):
        super().__init__()
        if num_channels % num_groups:
            raise ValueError(f"num_channels ({num_channels}) must be divisible by num_groups ({num_groups})")
        self.num_groups = num_groups
        self.num_channels = num_channels
        self.eps = eps
        self.affine = affine
        for name, wanted in (("weight", affine), ("bias", affine and bias)):
            value = Parameter(empty(num_channels, device=device, dtype=dtype)) if wanted else None
            self.register_parameter(name, value)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Set weight 1, bias 0."""
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def forward(self, input: Tensor) -> Tensor:
        """``input``, normalized group by group."""
        return F.group_norm(input, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}, "
            f"bias={self.bias is not None}"
        )


class LocalResponseNorm(Module):
    """Local response normalization (Krizhevsky et al., "ImageNet classification with deep convolutional neural
    networks", NeurIPS 2012) of ``(N, C, ...)``: ``x / (k + alpha * mean of the squares)**beta``.

    Args:
        size: over how many neighbouring channels the mean goes.
        alpha, beta, k: of the formula.
    """

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0):
        super().__init__()
        self.size = size
        self.alpha = alpha
        self.beta = beta
        self.k = k

    def forward(self, input: Tensor) -> Tensor:
        """``input``, each value divided by what its neighbours make of it."""
        return F.local_response_norm(input, self.size, self.alpha, self.beta, self.k)

    def extra_repr(self) -> str:
        return f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"
