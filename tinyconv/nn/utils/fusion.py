"""Batch normalization in evaluation is linear, so it goes into the weights of the layer before it:
``(w x + b - mean) / sqrt(var + eps) * g + h`` is ``w' x + b'`` with ``w' = w s``, ``b' = (b - mean) s + h`` and
``s = g / sqrt(var + eps)``."""

from __future__ import annotations

import copy
from typing import Any

from ...ops import ones_like, rsqrt, zeros_like
from ...tensor import Tensor
from ..parameter import Parameter

__all__ = ["fuse_conv_bn_eval", "fuse_conv_bn_weights", "fuse_linear_bn_eval", "fuse_linear_bn_weights"]


def _eval_pair(layer: Any, bn: Any, name: str) -> Any:
    """A copy of the layer to put the fused weights into."""
    if layer.training or bn.training:
        raise AssertionError(f"{name}: fusion is only for evaluation; call eval() on both first")
    if bn.running_mean is None or bn.running_var is None:
        raise AssertionError(f"{name}: the batch normalization has no running statistics")
    return copy.deepcopy(layer)


def fuse_conv_bn_eval(conv: Any, bn: Any, transpose: bool = False) -> Any:
    """A convolution that computes ``bn(conv(x))``, both in evaluation; ``transpose`` for a transposed one.

    Raises:
        AssertionError: one of them is in training, or ``bn`` keeps no statistics.
    """
    fused = _eval_pair(conv, bn, "fuse_conv_bn_eval")
    fused.weight, fused.bias = fuse_conv_bn_weights(
        fused.weight, fused.bias, bn.running_mean, bn.running_var, bn.eps, bn.weight, bn.bias, transpose
    )
    return fused


def fuse_conv_bn_weights(conv_w: Tensor, conv_b: Tensor | None, bn_rm: Tensor, bn_rv: Tensor, bn_eps: float,
                         bn_w: Tensor | None, bn_b: Tensor | None,
                         transpose: bool = False) -> tuple[Parameter, Parameter]:  # fmt: skip
    """(weight, bias) of the fused convolution.

    Args:
        conv_w, conv_b: those of the convolution; no bias is one of zeros.
        bn_rm, bn_rv: the running mean and variance.
        bn_eps: what is added to the variance.
        bn_w, bn_b: weight and bias of the normalization; none are ones and zeros.
        transpose: whether the output channels are the weight's second axis.
    """
    bias = zeros_like(bn_rm) if conv_b is None else conv_b
    scale = (ones_like(bn_rm) if bn_w is None else bn_w) * rsqrt(bn_rv + bn_eps)
    shape = [1, -1] if transpose else [-1, 1]
    weight = conv_w * scale.reshape(shape + [1] * (conv_w.dim() - 2))
    shifted = (bias - bn_rm) * scale + (zeros_like(bn_rm) if bn_b is None else bn_b)
    trained = conv_w.requires_grad, True if conv_b is None else conv_b.requires_grad
    return Parameter(weight.detach(), trained[0]), Parameter(shifted.detach(), trained[1])


def fuse_linear_bn_eval(linear: Any, bn: Any) -> Any:
    """A linear layer that computes ``bn(linear(x))``, both in evaluation.

    Raises:
        AssertionError: one of them is in training, ``bn`` keeps no statistics, or the features differ.
    """
    fused = _eval_pair(linear, bn, "fuse_linear_bn_eval")
    if linear.out_features != bn.num_features and bn.num_features != 1:
        raise AssertionError(
            f"fuse_linear_bn_eval: the layer has {linear.out_features} features, the normalization {bn.num_features}"
        )
    fused.weight, fused.bias = fuse_linear_bn_weights(
        fused.weight, fused.bias, bn.running_mean, bn.running_var, bn.eps, bn.weight, bn.bias
    )
    return fused


def fuse_linear_bn_weights(linear_w: Tensor, linear_b: Tensor | None, bn_rm: Tensor, bn_rv: Tensor, bn_eps: float,
                           bn_w: Tensor | None, bn_b: Tensor | None) -> tuple[Parameter, Parameter]:  # fmt: skip
    """(weight, bias) of the fused linear layer; the arguments of :func:`fuse_conv_bn_weights`."""
    return fuse_conv_bn_weights(linear_w, linear_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b)
