"""Random tensors. ``tinyconv.random`` says where the numbers come from."""

from __future__ import annotations

import math
from typing import Any

from .. import dtypes, kernels
from ..autograd import check_may_change
from ..random import Generator, default_generator
from ..tensor import Tensor, wrap
from .convert import backend_on, cast
from .creation import check_sizes, named_size
from .elementwise import mul
from .shape import broadcast_shapes, sizes
from .sort import searchsorted, topk
from .types import expect, number


def _draw(n: int, dtype: Any, generator: Generator | None) -> tuple[int, int]:
    """Reserve the counters for n elements: four 32-bit words each counter, two words an 8-byte element."""
    per = 2 if dtype.itemsize == 8 else 4
    return (generator or default_generator).take(-(-n // per))


def _count(shape: tuple) -> int:
    n = 1
    for size in shape:
        n *= size
    return n


def _filled(kernel: str, shape: tuple, a: Any, b: Any, dtype: Any, device: Any, generator: Generator | None) -> Any:
    check_sizes(shape, kernel)
    backend = backend_on(device)
    return getattr(backend, kernel)(shape, a, b, dtype, *_draw(_count(shape), dtype, generator))


def _floating(dtype: Any, name: str) -> Any:
    numpy = dtypes.as_numpy(dtype)
    if numpy.kind != "f" or numpy.itemsize < 4:
        raise RuntimeError(f"{name}: dtype must be float32 or float64, got {dtype}")
    return numpy


@named_size
def rand(*size: Any, generator: Generator | None = None, dtype: Any = None, device: Any = None,
         requires_grad: bool = False) -> Tensor:  # fmt: skip
    """Uniform numbers in [0, 1)."""
    return wrap(_filled("uniform", sizes(size), 0.0, 1.0, _floating(dtype, "rand"), device, generator), requires_grad)


@named_size
def randn(*size: Any, generator: Generator | None = None, dtype: Any = None, device: Any = None,
          requires_grad: bool = False) -> Tensor:  # fmt: skip
    """Gaussian numbers with mean 0 and standard deviation 1."""
    return wrap(_filled("normal", sizes(size), 0.0, 1.0, _floating(dtype, "randn"), device, generator), requires_grad)


def randint(low: int = 0, high: Any = None, size: Any = None, *, generator: Generator | None = None, dtype: Any = None,
            device: Any = None, requires_grad: bool = False) -> Tensor:  # fmt: skip
    """Integers in [low, high): ``randint(high, size)`` or ``randint(low, high, size)``; by default int64.

    Raises:
        RuntimeError: ``low >= high``.
    """
    if size is None:
        low, high, size = 0, low, high
    elif high is None:
        low, high = 0, low
    if low >= high:
        raise RuntimeError(f"randint: expected low < high, got [{low}, {high})")
    shape, numpy = sizes((size,)), dtypes.int64.numpy
    check_sizes(shape, "randint")
    backend = backend_on(device)
    out = backend.randint(shape, low, high, numpy, *_draw(_count(shape), numpy, generator))
    return wrap(out if dtype is None else backend.cast(out, dtypes.as_numpy(dtype)), requires_grad)


def randint_like(input: Tensor, low: int, high: Any = None, *, dtype: Any = None, device: Any = None,
                 requires_grad: bool = False) -> Tensor:  # fmt: skip
    """:func:`randint` in the shape, dtype and place of ``input``: ``randint_like(x, high)`` or ``(x, low, high)``."""
    low, high = (0, low) if high is None else (low, high)
    dtype, device = dtype or input.dtype, device or input.device
    return randint(low, high, input.array.shape, dtype=dtype, device=device, requires_grad=requires_grad)


def randperm(n: int, *, generator: Generator | None = None, dtype: Any = None, device: Any = None) -> Tensor:
    """The numbers 0..n-1 in random order, int64.

    Raises:
        RuntimeError: ``n`` is negative.
    """
    if n < 0:
        raise RuntimeError(f"randperm: n must not be negative, got {n}")
    backend = backend_on(device)
    out = backend.randperm(n, *_draw(n, dtypes.int64.numpy, generator))
    return wrap(out if dtype is None else backend.cast(out, dtypes.as_numpy(dtype)))


def rand_like(input: Tensor, *, generator: Generator | None = None, dtype: Any = None, device: Any = None,
              requires_grad: bool = False, memory_format: Any = None) -> Tensor:  # fmt: skip
    """:func:`rand` in the shape, dtype and place of ``input``."""
    like = {"dtype": dtype or input.dtype, "device": device or input.device}
    return rand(input.array.shape, generator=generator, **like, requires_grad=requires_grad)


def randn_like(input: Tensor, *, generator: Generator | None = None, dtype: Any = None, device: Any = None,
               requires_grad: bool = False, memory_format: Any = None) -> Tensor:  # fmt: skip
    """:func:`randn` in the shape, dtype and place of ``input``."""
    like = {"dtype": dtype or input.dtype, "device": device or input.device}
    return randn(input.array.shape, generator=generator, **like, requires_grad=requires_grad)


def normal(mean: Any = 0.0, std: Any = 1.0, size: Any = None, *, generator: Generator | None = None, dtype: Any = None,
           device: Any = None, requires_grad: bool = False) -> Tensor:  # fmt: skip
    """Gaussian numbers: ``normal(mean, std, size)``, or with tensors of means or standard deviations their broadcast
    shape, and the type of the means (else of the deviations).

    Raises:
        RuntimeError: a negative ``std``.
        TypeError: neither a tensor nor a size.
    """
    mean, std = (x.detach() if isinstance(x, Tensor) else x for x in (mean, std))
    tensors = [x for x in (mean, std) if isinstance(x, Tensor)]
    if bool((std < 0).any()) if isinstance(std, Tensor) else std < 0:
        raise RuntimeError(f"normal: std must not be negative, got {std}")
    if size is None:
        if not tensors:
            raise TypeError("normal: expected a size, or a tensor as mean or std")
        size = broadcast_shapes(*[x.array.shape for x in tensors])
    if tensors:
        dtype, device = dtype or tensors[0].dtype, device or tensors[0].device
    y = mul(randn(size, generator=generator, dtype=dtype, device=device), std) + mean
    return cast(y, dtypes.as_numpy(dtype)).requires_grad_(requires_grad)


def bernoulli(input: Tensor, p: float | None = None, *, generator: Generator | None = None) -> Tensor:
    """1 with the probability that each element of ``input`` (or the number ``p``) gives, else 0; the type of ``input``.

    Raises:
        RuntimeError: a probability outside of [0, 1].
    """
    x = input.detach()
    chance = x if p is None else x.new_full((), p, dtype=_real(x))
    if chance.array.dtype.kind != "f":
        raise RuntimeError(f"bernoulli: probabilities must be floating point, got {chance.dtype}")
    if not bool(((chance >= 0) & (chance <= 1)).all()):
        raise RuntimeError("bernoulli: probabilities must be in [0, 1]")
    drawn = rand(x.array.shape, generator=generator, dtype=_real(x), device=x.device) < chance
    return cast(drawn, x.array.dtype)


def _real(x: Tensor) -> Any:
    """The type of random numbers for a tensor: its own if there are random numbers of that type."""
    return x.dtype if x.dtype in (dtypes.float32, dtypes.float64) else dtypes.float32


def multinomial(input: Tensor, num_samples: int, replacement: bool = False, *,
                generator: Generator | None = None) -> Tensor:  # fmt: skip
    """int64: places drawn with probabilities in proportion to the weights ``input``.

    With replacement a uniform number is looked up among the running totals. Without, the places are ordered by their
    weight over an exponential variate (an exponential race; Efraimidis & Spirakis 2006), and the first are taken.

    Args:
        input: ``(N,)`` or ``(M, N)``, not negative; they need not sum to 1.
        num_samples: how many places a row.
        replacement: whether a place may be drawn twice.
        generator: default: the default generator.

    Returns:
        ``(num_samples,)`` or ``(M, num_samples)``.

    Raises:
        RuntimeError: weights that are negative, not finite or all 0; more samples than places with a weight, without
            replacement.
    """
    if input.array.ndim not in (1, 2) or input.array.dtype.kind != "f":
        raise RuntimeError(
            f"multinomial: input must be 1-D or 2-D and floating point, got {input.dtype} of shape {tuple(input.shape)}"
        )
    weights = cast(input.detach(), dtypes.float64.numpy)
    rows, n = weights.array.shape[:-1], weights.array.shape[-1]
    if num_samples <= 0 or (not replacement and num_samples > n):
        raise RuntimeError(f"multinomial: cannot draw {num_samples} of {n} places without replacement")
    if not bool(((weights >= 0) & (weights < float("inf"))).all()):
        raise RuntimeError("multinomial: the weights must be finite and not negative")
    if not bool(((weights > 0).sum(-1) >= (1 if replacement else num_samples)).all()):
        raise RuntimeError(f"multinomial: too few places of a row have a weight to draw {num_samples}")
    totals = weights.cumsum(-1)
    u = rand((*rows, num_samples if replacement else n), generator=generator, dtype=dtypes.float64, device=input.device)
    if replacement:
        return searchsorted(totals, u * totals[..., -1:], right=True)
    return topk(weights / -(1 - u).log(), num_samples, -1)[1]


def _refill(x: Tensor, kernel: str, a: Any, b: Any, generator: Generator | None) -> Tensor:
    check_may_change(x, kernel + "_")
    dtype = x.array.dtype
    if dtype.kind != "f":
        raise RuntimeError(f"{kernel}_: a floating-point tensor is filled so, got {x.dtype}")
    backend = kernels.of(x.array)
    new = getattr(backend, kernel)(x.array.shape, a, b, dtype, *_draw(x.numel(), dtype, generator))
    if x.requires_grad:  # the new values depend on nothing: so does their history
        return x.zero_().add_(wrap(new))
    backend.assign(x.array, new)
    x._bump()
    return x


def uniform_(self: Tensor, a: float = 0.0, b: float = 1.0, *, to: float | None = None,
             generator: Generator | None = None) -> Tensor:  # fmt: skip
    """Fill with uniform numbers in [a, b), in place; ``to`` is PyTorch's name of b.

    Raises:
        RuntimeError: ``a > b``, or a leaf that requires grad (use ``with no_grad()``).
    """
    b = b if to is None else to
    if a > b:
        raise RuntimeError(f"uniform_: expected a <= b, got [{a}, {b})")
    return _refill(self, "uniform", float(a), float(b), generator)


def normal_(self: Tensor, mean: float = 0.0, std: float = 1.0, *, generator: Generator | None = None) -> Tensor:
    """Fill with Gaussian numbers, in place.

    Raises:
        RuntimeError: a negative ``std``.
    """
    mean, std = number(mean, "normal_: mean"), number(std, "normal_: std")
    if std < 0:
        raise RuntimeError(f"normal_: std must not be negative, got {std}")
    return _refill(self, "normal", mean, std, generator)


def bernoulli_(self: Tensor, p: Any = 0.5, *, generator: Generator | None = None) -> Tensor:
    """Fill with 1 where a random number is below ``p`` (a number, or a tensor of probabilities), else 0, in place.

    Raises:
        RuntimeError: a probability outside of [0, 1].
    """
    chance = p if isinstance(p, Tensor) else self.new_full((), p, dtype=_real(self))
    return self.copy_(bernoulli(chance.expand(self.array.shape), generator=generator))


def exponential_(self: Tensor, lambd: float = 1.0, *, generator: Generator | None = None) -> Tensor:
    """Fill with exponential numbers of rate ``lambd``, in place.

    Raises:
        RuntimeError: ``lambd`` is not positive.
    """
    expect("exponential_", "f", self=self)
    if lambd <= 0:
        raise RuntimeError(f"exponential_: lambd must be positive, got {lambd}")
    u = rand(self.array.shape, generator=generator, dtype=_real(self), device=self.device)
    return self.copy_((1 - u).log() / -lambd)


def cauchy_(self: Tensor, median: float = 0.0, sigma: float = 1.0, *, generator: Generator | None = None) -> Tensor:
    """Fill with numbers of the Cauchy distribution, ``median + sigma * tan(pi * (u - 1/2))``, in place.

    Raises:
        RuntimeError: ``sigma`` is not positive.
    """
    expect("cauchy_", "f", self=self)
    if sigma <= 0:
        raise RuntimeError(f"cauchy_: sigma must be positive, got {sigma}")
    u = rand(self.array.shape, generator=generator, dtype=_real(self), device=self.device)
    return self.copy_((math.pi * (u - 0.5)).tan() * sigma + median)


def log_normal_(self: Tensor, mean: float = 1.0, std: float = 2.0, *, generator: Generator | None = None) -> Tensor:
    """Fill with ``exp(x)`` for Gaussian x, in place.

    Args:
        mean: of x.
        std: of x.
        generator: default: the default generator.

    Raises:
        RuntimeError: ``std`` is not positive.
    """
    expect("log_normal_", "f", self=self)
    if std <= 0:
        raise RuntimeError(f"log_normal_: std must be positive, got {std}")
    x = randn(self.array.shape, generator=generator, dtype=_real(self), device=self.device)
    return self.copy_((x * std + mean).exp())


def geometric_(self: Tensor, p: float, *, generator: Generator | None = None) -> Tensor:
    """Fill with the number of the trial that is the first to succeed, 1, 2, ..., in place.

    Args:
        p: the probability of success.
        generator: default: the default generator.

    Raises:
        RuntimeError: ``p`` is not between 0 and 1, without these.
    """
    if not 0 < p < 1:
        raise RuntimeError(f"geometric_: p must be between 0 and 1, got {p}")
    u = rand(self.array.shape, generator=generator, dtype=_real(self), device=self.device)
    return self.copy_(((1 - u).log() / math.log1p(-p)).ceil().clamp(min=1))


def random_(self: Tensor, start: int = 0, to: int | None = None, *, generator: Generator | None = None) -> Tensor:
    """Fill with integers in [start, to): ``random_(to)`` or ``random_(start, to)``; by default from 0 to the largest
    up to which the type holds them all, in place."""
    if to is None and start:
        start, to = 0, start
    if to is None:
        kind, bits = self.array.dtype.kind, 8 * self.array.dtype.itemsize
        to = (
            2
            if kind == "b"
            else 2 ** {16: 11, 32: 24, 64: 53}[bits] + 1
            if kind == "f"
            else dtypes.iinfo(self.dtype).max
        )
    return self.copy_(randint(start, to, self.array.shape, generator=generator, device=self.device))
