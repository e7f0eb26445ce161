"""How parameters start.

If every layer multiplied the variance of its signal, fifty layers would blow it up or extinguish it. For y = w x with
independent entries, ``var(y) = fan_in * var(w) * var(x)``, and backwards ``var(gx) = fan_out * var(w) * var(gy)``, so

* Xavier (Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural networks", AISTATS 2010)
  takes ``var(w) = gain**2 * 2 / (fan_in + fan_out)``, between the two;
* Kaiming (He et al., "Delving deep into rectifiers", ICCV 2015) takes ``var(w) = gain**2 / fan_in``, with gain =
  sqrt(2) because ReLU throws half of the signal away.

A uniform distribution within ±a has the variance a**2 / 3. Every function fills its tensor in place, unrecorded, and
returns it; the random ones draw from ``generator``, or from the default generator.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

from .. import kernels
from ..autograd import no_grad
from ..caller import warn
from ..dtypes import float64
from ..ops import empty_like, randn, randperm, where
from ..random import Generator
from ..tensor import Tensor, wrap

__all__ = [
    "calculate_gain",
    "constant_",
    "dirac_",
    "eye_",
    "kaiming_normal_",
    "kaiming_uniform_",
    "normal_",
    "ones_",
    "orthogonal_",
    "sparse_",
    "trunc_normal_",
    "uniform_",
    "xavier_normal_",
    "xavier_uniform_",
    "zeros_",
]


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """By how much the weights before a nonlinearity must be larger to make up for what it damps.

    Args:
        nonlinearity: "linear", "conv2d" (and the like) and "sigmoid": 1; "tanh": 5/3; "relu": sqrt(2);
            "leaky_relu": sqrt(2 / (1 + param**2)); "selu": 3/4.
        param: the negative slope of a leaky ReLU (default 0.01).

    Raises:
        ValueError: an unknown nonlinearity, or a ``param`` that is no number.
    """
    if nonlinearity in ("linear", "sigmoid") or nonlinearity in _CONVOLUTIONS:
        return 1
    if nonlinearity == "tanh":
        return 5 / 3
    if nonlinearity == "relu":
        return math.sqrt(2)
    if nonlinearity == "leaky_relu":
        slope = 0.01 if param is None else param
        if isinstance(slope, bool) or not isinstance(slope, (int, float)):
            raise ValueError(f"negative_slope {param} not a valid number")
        return math.sqrt(2 / (1 + slope**2))
    if nonlinearity == "selu":
        return 3 / 4
    raise ValueError(f"Unsupported nonlinearity {nonlinearity}")


_CONVOLUTIONS = {f"{kind}{n}d" for kind in ("conv", "conv_transpose") for n in (1, 2, 3)}


def _calculate_fan_in_and_fan_out(tensor: Tensor) -> tuple[int, int]:
    """(fan_in, fan_out): how many inputs one output is made of, and how many outputs one input goes into."""
    if tensor.dim() < 2:
        raise ValueError(
            "Fan in and fan out can not be computed for tensor with fewer than 2 dimensions "
            f"(got shape {tuple(tensor.shape)})"
        )
    outputs, inputs, *window = tensor.shape
    return inputs * math.prod(window), outputs * math.prod(window)


def _calculate_correct_fan(tensor: Tensor, mode: str) -> int:
    modes = ("fan_in", "fan_out")
    if mode.lower() not in modes:
        raise ValueError(f"Mode {mode} not supported, please use one of {modes}")
    return _calculate_fan_in_and_fan_out(tensor)[modes.index(mode.lower())]


def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Uniform in [a, b)."""
    with no_grad():
        return tensor.uniform_(a, b, generator=generator)


def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Gaussian."""
    with no_grad():
        return tensor.normal_(mean, std, generator=generator)


def constant_(tensor: Tensor, val: float) -> Tensor:
    """Every element ``val``."""
    with no_grad():
        return tensor.fill_(val)


def ones_(tensor: Tensor) -> Tensor:
    """Every element 1."""
    return constant_(tensor, 1)


def zeros_(tensor: Tensor) -> Tensor:
    """Every element 0."""
    return constant_(tensor, 0)


def eye_(tensor: Tensor) -> Tensor:
    """Ones on the diagonal of a matrix, zeros elsewhere: a linear layer that passes its input on.

    Raises:
        ValueError: ``tensor`` is no matrix.
    """
    if tensor.dim() != 2:
        raise ValueError(f"Only tensors with 2 dimensions are supported (got shape {tuple(tensor.shape)})")
    with no_grad():
        return tensor.copy_(wrap(kernels.of(tensor.array).eye(*tensor.shape, tensor.array.dtype)))


def xavier_uniform_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Uniform within ±gain * sqrt(6 / (fan_in + fan_out)).

    Raises:
        ValueError: ``tensor`` has fewer than 2 dimensions.
    """
    bound = gain * math.sqrt(6 / sum(_calculate_fan_in_and_fan_out(tensor)))
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Gaussian with standard deviation gain * sqrt(2 / (fan_in + fan_out)).

    Raises:
        ValueError: ``tensor`` has fewer than 2 dimensions.
    """
    return normal_(tensor, 0, gain * math.sqrt(2 / sum(_calculate_fan_in_and_fan_out(tensor))), generator)


def kaiming_uniform_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:
    """Uniform within ±gain * sqrt(3 / fan).

    Args:
        tensor: the weight, ``(fan_out, fan_in, ...)``.
        a: the negative slope of the leaky ReLU that follows (0: ReLU).
        mode: "fan_in" keeps the variance forwards, "fan_out" backwards.
        nonlinearity: as in :func:`calculate_gain`.
        generator: where to draw from.

    Raises:
        ValueError: fewer than 2 dimensions; an unknown mode or nonlinearity.
    """
    if _is_empty(tensor):
        return tensor
    bound = calculate_gain(nonlinearity, a) * math.sqrt(3 / _calculate_correct_fan(tensor, mode))
    return uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:
    """Gaussian with standard deviation gain / sqrt(fan); arguments and errors as :func:`kaiming_uniform_`."""
    if _is_empty(tensor):
        return tensor
    return normal_(
        tensor, 0, calculate_gain(nonlinearity, a) / math.sqrt(_calculate_correct_fan(tensor, mode)), generator
    )


def trunc_normal_(
    tensor: Tensor, mean: float = 0.0, std: float = 1.0, a: float = -2.0, b: float = 2.0,
    generator: Generator | None = None,
) -> Tensor:  # fmt: skip
    """Gaussian, but only within [a, b]: what falls outside is drawn again.

    Where [a, b] holds little of the distribution, uniform numbers are drawn there instead, and kept with a probability
    in proportion to the density.

    Raises:
        ValueError: ``a > b`` or a negative ``std``.
    """
    if a > b or std < 0:
        raise ValueError(f"trunc_normal_: expected a <= b and std >= 0, got a={a}, b={b}, std={std}")
    if std == 0:
        return constant_(tensor, min(max(mean, a), b))
    inside = (math.erf((b - mean) / (std * math.sqrt(2))) - math.erf((a - mean) / (std * math.sqrt(2)))) / 2
    with no_grad():
        new = tensor.detach().clone()
        again = new == new  # all of them
        again.fill_(True)
        while again.any().item():
            if inside > 0.25:
                drawn = empty_like(new).normal_(mean, std, generator=generator)
                kept = (drawn >= a) & (drawn <= b)
            else:
                drawn = empty_like(new).uniform_(a, b, generator=generator)
                highest = ((min(max(mean, a), b) - mean) / std) ** 2
                density = (-0.5 * (((drawn - mean) / std) ** 2 - highest)).exp()
                kept = empty_like(new).uniform_(generator=generator) < density
            new = where(again & kept, drawn, new)
            again = again & ~kept
        return tensor.copy_(new)


def dirac_(tensor: Tensor, groups: int = 1) -> Tensor:
    """A convolution's weight that passes as many channels on as it can: 1 in the middle of the window from input i to
    output i, in each of the ``groups``, and 0 elsewhere.

    Raises:
        ValueError: ``tensor`` has not 3, 4 or 5 dimensions, or its outputs do not divide into ``groups``.
    """
    if tensor.dim() not in (3, 4, 5):
        raise ValueError(f"Only tensors with 3, 4, or 5 dimensions are supported (got shape {tuple(tensor.shape)})")
    outputs, inputs, *window = tensor.shape
    if outputs % groups != 0:
        raise ValueError(f"dim 0 must be divisible by groups (got {outputs} and {groups})")
    middle = tuple([k // 2 for k in window])
    with no_grad():
        tensor.zero_()
        for first in range(0, outputs, outputs // groups):
            for i in range(min(outputs // groups, inputs)):
                tensor[(first + i, i, *middle)] = 1
    return tensor


def orthogonal_(tensor: Tensor, gain: float = 1, generator: Generator | None = None) -> Tensor:
    """A random matrix with orthonormal rows (or columns, if there are more rows), times ``gain`` (Saxe, McClelland and
    Ganguli, "Exact solutions to the nonlinear dynamics of learning in deep linear neural networks", 2013).

    The rows of a Gaussian matrix, each freed of its part along those before it (Gram and Schmidt), twice, because
    rounding leaves a rest. Axes but the first count as one.

    Raises:
        ValueError: fewer than 2 dimensions.
    """
    if tensor.dim() < 2:
        raise ValueError(f"Only tensors with 2 or more dimensions are supported (got shape {tuple(tensor.shape)})")
    if _is_empty(tensor):
        return tensor
    rows = tensor.shape[0]
    columns = tensor.numel() // rows
    with no_grad():
        q = randn(min(rows, columns), max(rows, columns), dtype=float64, generator=generator)
        for i in range(q.shape[0]):
            row = q[i]
            for _ in range(2 if i else 0):
                row = row - (q[:i] @ row) @ q[:i]
            q[i] = row / (row * row).sum().sqrt()
        if rows > columns:
            q = q.t()
        return tensor.copy_((q * gain).reshape(tensor.shape).to(dtype=tensor.dtype, device=tensor.device))


def sparse_(tensor: Tensor, sparsity: float, std: float = 0.01, generator: Generator | None = None) -> Tensor:
    """Gaussian, with the share ``sparsity`` of each column, rounded up, set to 0 (Martens, "Deep learning via
    Hessian-free optimization", ICML 2010).

    Raises:
        ValueError: ``tensor`` is no matrix.
    """
    if tensor.dim() != 2:
        raise ValueError(f"Only tensors with 2 dimensions are supported (got shape {tuple(tensor.shape)})")
    rows, columns = tensor.shape
    zeros = math.ceil(sparsity * rows)
    normal_(tensor, 0, std, generator)
    with no_grad():
        for column in range(columns):
            tensor[randperm(rows, generator=generator)[:zeros], column] = 0
    return tensor


def bias_uniform_(bias: Tensor, weight: Tensor, generator: Generator | None = None) -> Tensor:
    """PyTorch's start for the bias of a linear or convolutional layer: uniform within ±1/sqrt(fan_in) of its weight."""
    fan_in, _ = _calculate_fan_in_and_fan_out(weight)
    bound = 1 / math.sqrt(fan_in) if fan_in > 0 else 0
    return uniform_(bias, -bound, bound, generator)


def _is_empty(tensor: Tensor) -> bool:
    if 0 not in tensor.shape:
        return False
    warn("Initializing zero-element tensors is a no-op")
    return True


def _older(name: str) -> Callable[..., Tensor]:
    """The function that PyTorch once called ``name``: it warns, and is ``name_``."""
    function = globals()[f"{name}_"]

    @functools.wraps(function)
    def older(*args: Any, **kwargs: Any) -> Tensor:
        warn(f"nn.init.{name} is now deprecated in favor of nn.init.{name}_.", FutureWarning)
        return function(*args, **kwargs)

    older.__name__ = older.__qualname__ = name
    return older


uniform, normal, constant, eye = _older("uniform"), _older("normal"), _older("constant"), _older("eye")
xavier_uniform, xavier_normal = _older("xavier_uniform"), _older("xavier_normal")
kaiming_uniform, kaiming_normal = _older("kaiming_uniform"), _older("kaiming_normal")
dirac, orthogonal, sparse = _older("dirac"), _older("orthogonal"), _older("sparse")
