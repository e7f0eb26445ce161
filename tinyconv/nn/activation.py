"""Nonlinearities as layers. All but :class:`GLU` keep the shape."""

from __future__ import annotations

from typing import Any

from ..ops import full
from ..tensor import Tensor
from . import functional as F
from .module import Module
from .parameter import Parameter

__all__ = [
    "CELU",
    "ELU",
    "GELU",
    "GLU",
    "SELU",
    "Hardshrink",
    "Hardsigmoid",
    "Hardswish",
    "Hardtanh",
    "LeakyReLU",
    "LogSigmoid",
    "LogSoftmax",
    "Mish",
    "PReLU",
    "RReLU",
    "ReLU",
    "ReLU6",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softmax2d",
    "Softmin",
    "Softplus",
    "Softshrink",
    "Softsign",
    "Tanh",
    "Tanhshrink",
    "Threshold",
]


class _InPlace(Module):
    """A layer that may write into its input."""

    inplace: bool

    def _options(self, *shown: str) -> str:
        """Options as ``repr`` shows them: ``inplace`` only where it is set."""
        return ", ".join([*shown, *(["inplace=True"] if self.inplace else [])])

    def extra_repr(self) -> str:
        return self._options()


class ReLU(_InPlace):
    """``max(x, 0)``.

    Args:
        inplace: write into the input.
    """

    def __init__(self, inplace: bool = False):
        super().__init__()
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        """``max(input, 0)``."""
        return F.relu(input, self.inplace)


class LeakyReLU(_InPlace):
    """``x`` where it is positive, else ``negative_slope * x``.

    Args:
        negative_slope: the slope below 0.
        inplace: write into the input.
    """

    def __init__(self, negative_slope: float = 1e-2, inplace: bool = False):
        super().__init__()
        self.negative_slope, self.inplace = negative_slope, inplace

    def forward(self, input: Tensor) -> Tensor:
        return F.leaky_relu(input, self.negative_slope, self.inplace)

    def extra_repr(self) -> str:
        return self._options(f"negative_slope={self.negative_slope}")


class PReLU(Module):
    """``x`` where it is positive, else ``weight * x``, with a slope that is learned.

    Args:
        num_parameters: 1, or the number of channels (dimension 1 of the input), each of which then has its own slope.
        init: the slope to begin with.
        device, dtype: of the parameter.
    """

    def __init__(self, num_parameters: int = 1, init: float = 0.25, device: Any = None, dtype: Any = None):
        super().__init__()
        self.num_parameters, self.init = num_parameters, init
        self.weight = Parameter(full((num_parameters,), float(init), device=device, dtype=dtype))

    def forward(self, input: Tensor) -> Tensor:
        return F.prelu(input, self.weight)

    def extra_repr(self) -> str:
        return f"num_parameters={self.num_parameters}"


class RReLU(_InPlace):
    """``x`` where it is positive, else a random slope times ``x``; in evaluation their mean.

    Args:
        lower, upper: the slopes lie between them.
        inplace: write into the input.
    """

    def __init__(self, lower: float = 1.0 / 8, upper: float = 1.0 / 3, inplace: bool = False):
        super().__init__()
        self.lower, self.upper, self.inplace = lower, upper, inplace

    def forward(self, input: Tensor) -> Tensor:
        return F.rrelu(input, self.lower, self.upper, self.training, self.inplace)

    def extra_repr(self) -> str:
        return self._options(f"lower={self.lower}, upper={self.upper}")


class Threshold(_InPlace):
    """``x`` where it is above ``threshold``, else ``value``.

    Args:
        threshold, value: two numbers.
        inplace: write into the input.
    """

    def __init__(self, threshold: float, value: float, inplace: bool = False):
        super().__init__()
        self.threshold, self.value, self.inplace = threshold, value, inplace

    def forward(self, input: Tensor) -> Tensor:
        return F.threshold(input, self.threshold, self.value, self.inplace)

    def extra_repr(self) -> str:
        return self._options(f"threshold={self.threshold}, value={self.value}")


class Hardtanh(_InPlace):
    """``x`` brought into ``[min_val, max_val]``.

    Args:
        min_val, max_val: the ends.
        inplace: write into the input.
        min_value, max_value: PyTorch's older names of the ends.

    Raises:
        ValueError: ``min_val`` is not below ``max_val``.
    """

    def __init__(
        self,
        min_val: float = -1.0,
        max_val: float = 1.0,
        inplace: bool = False,
        min_value: float | None = None,
        max_value: float | None = None,
    ):
        super().__init__()
        self.min_val = min_val if min_value is None else min_value
        self.max_val = max_val if max_value is None else max_value
        if not self.max_val > self.min_val:
            raise ValueError(f"Hardtanh: min_val must be below max_val, got {self.min_val} and {self.max_val}")
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        return F.hardtanh(input, self.min_val, self.max_val, self.inplace)

    def extra_repr(self) -> str:
        return self._options(f"min_val={self.min_val}, max_val={self.max_val}")


class ReLU6(Hardtanh):
    """``min(max(x, 0), 6)``.

    Args:
        inplace: write into the input.
    """

    def __init__(self, inplace: bool = False):
        super().__init__(0.0, 6.0, inplace)

    def extra_repr(self) -> str:
        return self._options()


class Hardsigmoid(_InPlace):
    """``relu6(x + 3) / 6``.

    Args:
        inplace: write into the input.
    """

    def __init__(self, inplace: bool = False):
        super().__init__()
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        return F.hardsigmoid(input, self.inplace)

    def extra_repr(self) -> str:
        return ""


class Hardswish(Hardsigmoid):
    """``x * relu6(x + 3) / 6``.

    Args:
        inplace: write into the input.
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.hardswish(input, self.inplace)


class Hardshrink(Module):
    """``x``, but 0 in ``[-lambd, lambd]``.

    Args:
        lambd: where it begins.
    """

    def __init__(self, lambd: float = 0.5):
        super().__init__()
        self.lambd = lambd

    def forward(self, input: Tensor) -> Tensor:
        return F.hardshrink(input, self.lambd)

    def extra_repr(self) -> str:
        return str(self.lambd)


class Softshrink(Hardshrink):
    """``x`` moved by ``lambd`` towards 0, and 0 in ``[-lambd, lambd]``.

    Args:
        lambd: by how much.
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.softshrink(input, self.lambd)


class ELU(_InPlace):
    """``x`` where it is positive, else ``alpha * (e**x - 1)``.

    Args:
        alpha: minus the limit for small x.
        inplace: write into the input.
    """

    def __init__(self, alpha: float = 1.0, inplace: bool = False):
        super().__init__()
        self.alpha, self.inplace = alpha, inplace

    def forward(self, input: Tensor) -> Tensor:
        return F.elu(input, self.alpha, self.inplace)

    def extra_repr(self) -> str:
        return self._options(f"alpha={self.alpha}")


class CELU(ELU):
    """``x`` where it is positive, else ``alpha * (e**(x / alpha) - 1)``.

    Args:
        alpha: minus the limit for small x.
        inplace: write into the input.
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.celu(input, self.alpha, self.inplace)


class SELU(_InPlace):
    """``scale * elu(x, alpha)``, whose constants keep mean 0 and variance 1.

    Args:
        inplace: write into the input.
    """

    def __init__(self, inplace: bool = False):
        super().__init__()
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        return F.selu(input, self.inplace)


class GELU(Module):
    """``x * P(Z < x)`` for a standard normal Z.

    Args:
        approximate: ``"none"`` or ``"tanh"``.
    """

    def __init__(self, approximate: str = "none"):
        super().__init__()
        self.approximate = approximate

    def forward(self, input: Tensor) -> Tensor:
        return F.gelu(input, self.approximate)

    def extra_repr(self) -> str:
        return f"approximate={self.approximate!r}"


class SiLU(_InPlace):
    """``x * sigmoid(x)``.

    Args:
        inplace: write into the input.
    """

    def __init__(self, inplace: bool = False):
        super().__init__()
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        return F.silu(input, self.inplace)


class Mish(SiLU):
    """``x * tanh(softplus(x))``.

    Args:
        inplace: write into the input.
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.mish(input, self.inplace)


class Softplus(Module):
    """``log(1 + e**(beta * x)) / beta``, and ``x`` itself where ``beta * x > threshold``.

    Args:
        beta: how sharp the bend is.
        threshold: from where on the difference is neglected.
    """

    def __init__(self, beta: float = 1.0, threshold: float = 20.0):
        super().__init__()
        self.beta, self.threshold = beta, threshold

    def forward(self, input: Tensor) -> Tensor:
        return F.softplus(input, self.beta, self.threshold)

    def extra_repr(self) -> str:
        return f"beta={self.beta}, threshold={self.threshold}"


class GLU(Module):
    """``a * sigmoid(b)``, with a and b the halves of x along ``dim``.

    Args:
        dim: the axis that is halved.
    """

    def __init__(self, dim: int = -1):
        super().__init__()
        self.dim = dim

    def forward(self, input: Tensor) -> Tensor:
        return F.glu(input, self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class Sigmoid(Module):
    """``1 / (1 + exp(-x))``."""

    def forward(self, input: Tensor) -> Tensor:
        """``1 / (1 + exp(-input))``."""
        return F.sigmoid(input)


class LogSigmoid(Module):
    """``log(1 / (1 + exp(-x)))``."""

    def forward(self, input: Tensor) -> Tensor:
        return F.logsigmoid(input)


class Tanh(Module):
    """The hyperbolic tangent."""

    def forward(self, input: Tensor) -> Tensor:
        """``tanh(input)``."""
        return F.tanh(input)


class Tanhshrink(Module):
    """``x - tanh(x)``."""

    def forward(self, input: Tensor) -> Tensor:
        return F.tanhshrink(input)


class Softsign(Module):
    """``x / (1 + |x|)``."""

    def forward(self, input: Tensor) -> Tensor:
        return F.softsign(input)


class Softmax(Module):
    """``exp(x) / sum(exp(x))`` along ``dim``: positive, with sum 1.

    Args:
        dim: the axis of the classes.
    """

    def __init__(self, dim: int | None = None):
        super().__init__()
        self.dim = dim

    def forward(self, input: Tensor) -> Tensor:
        """Probabilities along ``dim``."""
        return F.softmax(input, self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class LogSoftmax(Softmax):
    """``x - log(sum(exp(x)))`` along ``dim``: the logarithm of :class:`Softmax`, without its over- and underflow.

    Args:
        dim: the axis of the classes.
    """

    def forward(self, input: Tensor) -> Tensor:
        """Log-probabilities along ``dim``."""
        return F.log_softmax(input, self.dim)


class Softmin(Softmax):
    """:class:`Softmax` of ``-x``.

    Args:
        dim: the axis of the classes.
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.softmin(input, self.dim)


class Softmax2d(Module):
    """:class:`Softmax` over the channels of each pixel: ``(N, C, H, W)`` or ``(C, H, W)``.

    Raises:
        ValueError: the input has neither 3 nor 4 dimensions.
    """

    def forward(self, input: Tensor) -> Tensor:
        if input.dim() not in (3, 4):
            raise ValueError(f"Softmax2d: expected (N, C, H, W) or (C, H, W), got shape {tuple(input.shape)}")
        return F.softmax(input, -3)
