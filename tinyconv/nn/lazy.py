"""Layers that read the size of their input off the first one they get: ``LazyLinear(10)`` is ``Linear(?, 10)``.

Such a layer is made with uninitialized parameters (:class:`~tinyconv.nn.parameter.UninitializedParameter`), and its
first call gives them their shape, draws them, and turns the layer into the ordinary one: its class *becomes*
``Linear``. So a network is built, called once with any batch (a dry run), and is from then on a network like any other.
"""

from __future__ import annotations

from itertools import chain
from typing import Any

from .. import dtypes
from ..autograd import no_grad
from ..ops import zeros
from ..tensor import Tensor
from .batchnorm import BatchNorm1d, BatchNorm2d, BatchNorm3d, _NormBase
from .conv import (
    Conv1d,
    Conv2d,
    Conv3d,
    ConvTranspose1d,
    ConvTranspose2d,
    ConvTranspose3d,
    Pair,
    Single,
    Triple,
    _Conv,
)
from .instancenorm import InstanceNorm1d, InstanceNorm2d, InstanceNorm3d, _InstanceNorm
from .linear import Linear
from .module import Module
from .parameter import UninitializedBuffer, UninitializedParameter, is_lazy

__all__ = [
    "LazyBatchNorm1d",
    "LazyBatchNorm2d",
    "LazyBatchNorm3d",
    "LazyConv1d",
    "LazyConv2d",
    "LazyConv3d",
    "LazyConvTranspose1d",
    "LazyConvTranspose2d",
    "LazyConvTranspose3d",
    "LazyInstanceNorm1d",
    "LazyInstanceNorm2d",
    "LazyInstanceNorm3d",
    "LazyLinear",
    "LazyModuleMixin",
]


class LazyModuleMixin(Module):
    """What makes a module lazy; a module of one's own lists it before the class that it will become.

    Attributes:
        cls_to_become: that class, or None to stay what it is.
    """

    cls_to_become: type[Module] | None = None

    def initialize_parameters(self, *args: Any, **kwargs: Any) -> None:
        """Give the parameters shapes and values that fit this input. Subclasses say how."""
        raise NotImplementedError(f"initialize_parameters is not implemented for {type(self).__name__}")

    def has_uninitialized_params(self) -> bool:
        """Whether a parameter or buffer of this module is still without a shape."""
        return any(map(is_lazy, chain(self._parameters.values(), self._buffers.values())))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self.cls_to_become is not None or self.has_uninitialized_params():
            with no_grad():
                self.initialize_parameters(*args, **kwargs)
            if self.has_uninitialized_params():
                raise RuntimeError(f"module {self._get_name()} has not been fully initialized")
        if self.cls_to_become is not None:
            self.__class__ = self.cls_to_become  # type: ignore[assignment]
            return self(*args, **kwargs)  # by the other class's __call__
        return super().__call__(*args, **kwargs)


class LazyLinear(LazyModuleMixin, Linear):
    """A :class:`Linear` with the first input's last size as ``in_features``.

    Args:
        out_features, bias, device, dtype: as :class:`Linear` has them.
    """

    cls_to_become = Linear
    weight: Any
    bias: Any

    def __init__(self, out_features: int, bias: bool = True, device: Any = None, dtype: Any = None):
        super().__init__(0, 0, False)
        self.out_features = out_features
        self.weight = UninitializedParameter(device=device, dtype=dtype)
        if bias:
            self.bias = UninitializedParameter(device=device, dtype=dtype)

    def reset_parameters(self) -> None:
        """Draw the parameters anew, once they have a shape."""
        if self.in_features and not self.has_uninitialized_params():
            super().reset_parameters()

    def initialize_parameters(self, input: Tensor) -> None:
        """``in_features`` from ``input`` (or from a weight that was loaded), then the parameters."""
        if not self.has_uninitialized_params():
            self.in_features = self.weight.shape[1]
            return
        self.in_features = input.shape[-1]
        self.weight.materialize((self.out_features, self.in_features))
        if self.bias is not None:
            self.bias.materialize((self.out_features,))
        self.reset_parameters()


class _LazyConv(LazyModuleMixin, _Conv):
    """A convolution with the first input's channels as ``in_channels``."""

    weight: Any
    bias: Any

    def _leave_open(self, bias: bool, device: Any, dtype: Any) -> None:
        self.weight = UninitializedParameter(device=device, dtype=dtype)
        if bias:
            self.bias = UninitializedParameter(device=device, dtype=dtype)

    def reset_parameters(self) -> None:
        """Draw the parameters anew, once they have a shape."""
        if self.in_channels and not self.has_uninitialized_params():
            super().reset_parameters()

    def initialize_parameters(self, input: Tensor, *args: Any, **kwargs: Any) -> None:
        """``in_channels`` from ``input`` (or from a weight that was loaded), then the parameters.

        Raises:
            RuntimeError: an input of another rank.
            ValueError: groups that do not divide its channels.
        """
        if not self.has_uninitialized_params():
            self.in_channels = self.weight.shape[0] if self.transposed else self.weight.shape[1] * self.groups
            return
        n = self.axes + 1
        if input.dim() not in (n, n + 1):
            raise RuntimeError(
                f"Expected {n}D (unbatched) or {n + 1}D (batched) input to {type(self).__name__}, but got input of "
                f"size: {input.shape}"
            )
        self.in_channels = input.shape[-n]
        if self.in_channels % self.groups:
            raise ValueError(f"in_channels must be divisible by groups, got {self.in_channels} and {self.groups}")
        channels = (self.in_channels, self.out_channels) if self.transposed else (self.out_channels, self.in_channels)
        self.weight.materialize((channels[0], channels[1] // self.groups, *self.kernel_size))
        if self.bias is not None:
            self.bias.materialize((self.out_channels,))
        self.reset_parameters()


class LazyConv1d(_LazyConv, Conv1d):
    """A :class:`Conv1d` with the first input's channels as ``in_channels``; the other arguments are its own."""

    cls_to_become = Conv1d

    def __init__(
        self,
        out_channels: int,
        kernel_size: Single,
        stride: Single = 1,
        padding: str | Single = 0,
        dilation: Single = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ):
        Conv1d.__init__(
            self, 0, out_channels, kernel_size, stride, padding, dilation, groups, False, padding_mode, device, dtype
        )
        self._leave_open(bias, device, dtype)


class LazyConv2d(_LazyConv, Conv2d):
    """A :class:`Conv2d` with the first input's channels as ``in_channels``; the other arguments are its own."""

    cls_to_become = Conv2d

    def __init__(
        self,
        out_channels: int,
        kernel_size: Pair,
        stride: Pair = 1,
        padding: str | Pair = 0,
        dilation: Pair = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ):
        Conv2d.__init__(
            self, 0, out_channels, kernel_size, stride, padding, dilation, groups, False, padding_mode, device, dtype
        )
        self._leave_open(bias, device, dtype)


class LazyConv3d(_LazyConv, Conv3d):
    """A :class:`Conv3d` with the first input's channels as ``in_channels``; the other arguments are its own."""

    cls_to_become = Conv3d

    def __init__(
        self,
        out_channels: int,
        kernel_size: Triple,
        stride: Triple = 1,
        padding: str | Triple = 0,
        dilation: Triple = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ):
        Conv3d.__init__(
            self, 0, out_channels, kernel_size, stride, padding, dilation, groups, False, padding_mode, device, dtype
        )
        self._leave_open(bias, device, dtype)


class LazyConvTranspose1d(_LazyConv, ConvTranspose1d):
    """A :class:`ConvTranspose1d` with the first input's channels as ``in_channels``; the other arguments are its
    own."""

    cls_to_become = ConvTranspose1d

    def __init__(
        self,
        out_channels: int,
        kernel_size: Single,
        stride: Single = 1,
        padding: Single = 0,
        output_padding: Single = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Single = 1,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ):
        ConvTranspose1d.__init__(
            self, 0, out_channels, kernel_size, stride, padding, output_padding, groups, False, dilation, padding_mode,
            device, dtype,
        )  # fmt: skip
        self._leave_open(bias, device, dtype)


class LazyConvTranspose2d(_LazyConv, ConvTranspose2d):
    """A :class:`ConvTranspose2d` with the first input's channels as ``in_channels``; the other arguments are its
    own."""

    cls_to_become = ConvTranspose2d

    def __init__(
        self,
        out_channels: int,
        kernel_size: Pair,
        stride: Pair = 1,
        padding: Pair = 0,
        output_padding: Pair = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: int = 1,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ):
        ConvTranspose2d.__init__(
            self, 0, out_channels, kernel_size, stride, padding, output_padding, groups, False, dilation, padding_mode,
            device, dtype,
        )  # fmt: skip
        self._leave_open(bias, device, dtype)


class LazyConvTranspose3d(_LazyConv, ConvTranspose3d):
    """A :class:`ConvTranspose3d` with the first input's channels as ``in_channels``; the other arguments are its
    own."""

    cls_to_become = ConvTranspose3d

    def __init__(
        self,
        out_channels: int,
        kernel_size: Triple,
        stride: Triple = 1,
        padding: Triple = 0,
        output_padding: Triple = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Triple = 1,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ):
        ConvTranspose3d.__init__(
            self, 0, out_channels, kernel_size, stride, padding, output_padding, groups, False, dilation, padding_mode,
            device, dtype,
        )  # fmt: skip
        self._leave_open(bias, device, dtype)


class _LazyNorm(LazyModuleMixin, _NormBase):
    """A normalization with the first input's channels as ``num_features``."""

    def __init__(
        self,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ):
        _NormBase.__init__(self, 0, eps, momentum, False, False, device, dtype, bias=False)
        self.affine = affine
        self.track_running_stats = track_running_stats
        if affine:
            self.weight = UninitializedParameter(device=device, dtype=dtype)
            if bias:
                self.bias = UninitializedParameter(device=device, dtype=dtype)
        if track_running_stats:
            self.running_mean = UninitializedBuffer(device=device, dtype=dtype)
            self.running_var = UninitializedBuffer(device=device, dtype=dtype)
            self.num_batches_tracked = zeros((), dtype=dtypes.int64, device=device)

    def reset_parameters(self) -> None:
        """Forget all batches and set weight 1, bias 0, once there is a shape."""
        if self.num_features and not self.has_uninitialized_params():
            super().reset_parameters()

    def initialize_parameters(self, input: Tensor) -> None:
        """``num_features`` from ``input`` (or from what was loaded), then the parameters and statistics."""
        own = [t for t in (self.weight, self.bias, self.running_mean, self.running_var) if t is not None]
        if own and not self.has_uninitialized_params():
            self.num_features = own[0].shape[0]
            return
        self.num_features = input.shape[1]
        for tensor in own:
            tensor.materialize((self.num_features,))
        self.reset_parameters()


class LazyBatchNorm1d(_LazyNorm, BatchNorm1d):
    """A :class:`BatchNorm1d` with the first input's channels as ``num_features``; the other arguments are its own."""

    cls_to_become = BatchNorm1d


class LazyBatchNorm2d(_LazyNorm, BatchNorm2d):
    """A :class:`BatchNorm2d` with the first input's channels as ``num_features``; the other arguments are its own."""

    cls_to_become = BatchNorm2d


class LazyBatchNorm3d(_LazyNorm, BatchNorm3d):
    """A :class:`BatchNorm3d` with the first input's channels as ``num_features``; the other arguments are its own."""

    cls_to_become = BatchNorm3d


class _LazyInstanceNorm(_LazyNorm, _InstanceNorm):
    """Of one image without a batch, too, the channels are known."""

    def initialize_parameters(self, input: Tensor) -> None:
        super().initialize_parameters(input if input.dim() > self.axes else input.unsqueeze(0))


class LazyInstanceNorm1d(_LazyInstanceNorm, InstanceNorm1d):
    """An :class:`InstanceNorm1d` with the first input's channels as ``num_features``. As in PyTorch it has weights and
    running statistics unless told otherwise, which :class:`InstanceNorm1d` has not."""

    cls_to_become = InstanceNorm1d


class LazyInstanceNorm2d(_LazyInstanceNorm, InstanceNorm2d):
    """An :class:`InstanceNorm2d` with the first input's channels as ``num_features``; the rest is as in
    :class:`LazyInstanceNorm1d`."""

    cls_to_become = InstanceNorm2d


class LazyInstanceNorm3d(_LazyInstanceNorm, InstanceNorm3d):
    """An :class:`InstanceNorm3d` with the first input's channels as ``num_features``; the rest is as in
    :class:`LazyInstanceNorm1d`."""

    cls_to_become = InstanceNorm3d
