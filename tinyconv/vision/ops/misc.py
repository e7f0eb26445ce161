"""Blocks that many networks share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from ... import nn, ones, zeros
from ...tensor import Tensor

__all__ = ["MLP", "Conv2dNormActivation", "FrozenBatchNorm2d", "Permute", "SqueezeExcitation"]

Layer = Callable[..., nn.Module]


class Conv2dNormActivation(nn.Sequential):
    """A convolution, a normalization and an activation.

    Args:
        in_channels, out_channels, kernel_size, stride, groups, dilation: of the convolution.
        padding: likewise; None keeps the size of the image where the stride is 1.
        norm_layer: makes the normalization of a number of channels; None: none.
        activation_layer: makes the activation; None: none.
        inplace: whether the activation writes into its input; None: it is not asked.
        bias: of the convolution; None: where there is no normalization.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | tuple[int, int] = 3,
        stride: int | tuple[int, int] = 1,
        padding: int | tuple[int, int] | str | None = None,
        groups: int = 1,
        norm_layer: Layer | None = nn.BatchNorm2d,
        activation_layer: Layer | None = nn.ReLU,
        dilation: int | tuple[int, int] = 1,
        inplace: bool | None = True,
        bias: bool | None = None,
    ) -> None:
        if padding is None:
            kernels, dilations = nn.modules._pair(kernel_size), nn.modules._pair(dilation)
            padding = tuple((k - 1) // 2 * d for k, d in zip(kernels, dilations, strict=True))
            padding = padding[0] if isinstance(kernel_size, int) and isinstance(dilation, int) else padding
        bias = norm_layer is None if bias is None else bias
        layers: list[nn.Module] = [
            nn.Conv2d(in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias)
        ]
        if norm_layer is not None:
            layers.append(norm_layer(out_channels))
        if activation_layer is not None:
            layers.append(activation_layer(**({} if inplace is None else {"inplace": inplace})))
        super().__init__(*layers)
        self.out_channels = out_channels


class SqueezeExcitation(nn.Module):
    """Each channel times a factor that the means of all channels decide (Hu et al., "Squeeze-and-excitation networks",
    CVPR 2018).

    Args:
        input_channels: of x.
        squeeze_channels: inside.
        activation: makes the activation inside.
        scale_activation: makes the one that gives the factors.

    Shape:
        x ``(N, input_channels, H, W)`` -> the same.
    """

    def __init__(
        self,
        input_channels: int,
        squeeze_channels: int,
        activation: Layer = nn.ReLU,
        scale_activation: Layer = nn.Sigmoid,
    ) -> None:
        super().__init__()
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc1 = nn.Conv2d(input_channels, squeeze_channels, 1)
        self.fc2 = nn.Conv2d(squeeze_channels, input_channels, 1)
        self.activation = activation()
        self.scale_activation = scale_activation()

    def forward(self, input: Tensor) -> Tensor:
        """``(N, input_channels, H, W)``, of the same shape."""
        scale = self.activation(self.fc1(self.avgpool(input)))
        return self.scale_activation(self.fc2(scale)) * input


class MLP(nn.Sequential):
    """Fully connected layers, each but the last with a normalization and an activation, and all with dropout.

    Args:
        in_channels: features of x.
        hidden_channels: of each layer's output.
        norm_layer: makes a normalization of a number of features; None: none.
        activation_layer: makes an activation.
        inplace: whether activations and dropout write into their inputs; None: they are not asked.
        bias: whether the layers have one.
        dropout: its probability.
    """

    def __init__(
        self,
        in_channels: int,
        hidden_channels: Sequence[int],
        norm_layer: Layer | None = None,
        activation_layer: Layer = nn.ReLU,
        inplace: bool | None = None,
        bias: bool = True,
        dropout: float = 0.0,
    ) -> None:
        options: dict[str, Any] = {} if inplace is None else {"inplace": inplace}
        layers: list[nn.Module] = []
        *inner, last = hidden_channels
        for features in inner:
            layers.append(nn.Linear(in_channels, features, bias=bias))
            if norm_layer is not None:
                layers.append(norm_layer(features))
            layers += [activation_layer(**options), nn.Dropout(dropout, **options)]
            in_channels = features
        super().__init__(*layers, nn.Linear(in_channels, last, bias=bias), nn.Dropout(dropout, **options))


class Permute(nn.Module):
    """``x.permute(dims)`` as a layer."""

    def __init__(self, dims: Iterable[int]) -> None:
        super().__init__()
        self.dims = list(dims)

    def forward(self, x: Tensor) -> Tensor:
        """x with its axes in another order."""
        return x.permute(self.dims)


def _without_count(module: nn.Module, state_dict: dict[str, Any], prefix: str, *args: Any) -> None:
    state_dict.pop(f"{prefix}num_batches_tracked", None)  # which a batch norm has saved


class FrozenBatchNorm2d(nn.Module):
    """Batch norm whose statistics, weight and bias are fixed: buffers, which no optimizer changes.

    Args:
        num_features: channels.
        eps: added to the variance.
    """

    def __init__(self, num_features: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.eps = eps
        self.register_buffer("weight", ones(num_features))
        self.register_buffer("bias", zeros(num_features))
        self.register_buffer("running_mean", zeros(num_features))
        self.register_buffer("running_var", ones(num_features))
        self.register_load_state_dict_pre_hook(_without_count)

    def forward(self, x: Tensor) -> Tensor:
        """``(N, C, H, W)``, of the same shape."""
        shape = (1, -1, 1, 1)
        scale = (self.weight * (self.running_var + self.eps).rsqrt()).reshape(shape)
        return x * scale + (self.bias.reshape(shape) - self.running_mean.reshape(shape) * scale)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.weight.shape[0]}, eps={self.eps})"
