"""Random tensors and dropout. ``tinyconv.random`` says where the numbers come from."""

from __future__ import annotations

from typing import Any

from .. import dtypes, kernels
from ..autograd import Function, check_may_change
from ..random import Generator, default_generator
from ..tensor import Tensor
from ..tensor import device as Device
from .elementwise import mul
from .shape import sizes


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
    if any([n < 0 for n in shape]):
        raise RuntimeError(f"{kernel}: sizes must not be negative, got {shape}")
    backend = kernels.on(Device(device or "cpu").type)
    return getattr(backend, kernel)(shape, a, b, dtype, *_draw(_count(shape), dtype, generator))


def _floating(dtype: Any, name: str) -> Any:
    numpy = dtypes.as_numpy(dtype)
    if numpy.kind != "f" or numpy.itemsize < 4:
        raise RuntimeError(f"{name}: dtype must be float32 or float64, got {dtype}")
    return numpy


def rand(*size: Any, generator: Generator | None = None, dtype: Any = None, device: Any = None,
         requires_grad: bool = False) -> Tensor:  # fmt: skip
    """Uniform numbers in [0, 1)."""
    return Tensor(_filled("uniform", sizes(size), 0.0, 1.0, _floating(dtype, "rand"), device, generator), requires_grad)


def randn(*size: Any, generator: Generator | None = None, dtype: Any = None, device: Any = None,
          requires_grad: bool = False) -> Tensor:  # fmt: skip
    """Gaussian numbers with mean 0 and standard deviation 1."""
    return Tensor(_filled("normal", sizes(size), 0.0, 1.0, _floating(dtype, "randn"), device, generator), requires_grad)


def randint(low: int, high: Any = None, size: Any = None, *, generator: Generator | None = None, dtype: Any = None,
            device: Any = None) -> Tensor:  # fmt: skip
    """Integers in [low, high): ``randint(high, size)`` or ``randint(low, high, size)``.

    Raises:
        RuntimeError: ``low >= high``.
    """
    if size is None:
        low, high, size = 0, low, high
    if low >= high:
        raise RuntimeError(f"randint: expected low < high, got [{low}, {high})")
    numpy = dtypes.int64.numpy if dtype is None else dtypes.as_numpy(dtype)
    shape = sizes((size,))
    backend = kernels.on(Device(device or "cpu").type)
    return Tensor(backend.randint(shape, low, high, numpy, *_draw(_count(shape), dtypes.int64.numpy, generator)))


def randperm(n: int, *, generator: Generator | None = None, dtype: Any = None, device: Any = None) -> Tensor:
    """The numbers 0..n-1 in random order, int64.

    Raises:
        RuntimeError: ``n`` is negative.
    """
    if n < 0:
        raise RuntimeError(f"randperm: n must not be negative, got {n}")
    backend = kernels.on(Device(device or "cpu").type)
    out = backend.randperm(n, *_draw(n, dtypes.int64.numpy, generator))
    return Tensor(out if dtype is None else backend.cast(out, dtypes.as_numpy(dtype)))


def rand_like(input: Tensor, *, generator: Generator | None = None, dtype: Any = None) -> Tensor:
    """:func:`rand` in the shape of ``input``."""
    return rand(input.array.shape, generator=generator, dtype=dtype or input.dtype, device=input.device)


def randn_like(input: Tensor, *, generator: Generator | None = None, dtype: Any = None) -> Tensor:
    """:func:`randn` in the shape of ``input``."""
    return randn(input.array.shape, generator=generator, dtype=dtype or input.dtype, device=input.device)


def normal(mean: Any = 0.0, std: Any = 1.0, size: Any = None, *, generator: Generator | None = None) -> Tensor:
    """Gaussian numbers: ``normal(mean, std, size)``, or with a tensor of means or standard deviations its shape."""
    if size is None:
        like = mean if isinstance(mean, Tensor) else std
        size = like.array.shape
    return mul(randn(size, generator=generator), std) + mean


def _refill(x: Tensor, kernel: str, a: Any, b: Any, generator: Generator | None) -> Tensor:
    check_may_change(x, kernel + "_")
    dtype = x.array.dtype
    backend = kernels.of(x.array)
    new = getattr(backend, kernel)(x.array.shape, a, b, dtype, *_draw(x.numel(), dtype, generator))
    if x.requires_grad:  # the new values depend on nothing: so does their history
        return x.zero_().add_(Tensor(new))
    backend.assign(x.array, new)
    x._bump()
    return x


def uniform_(self: Tensor, a: float = 0.0, b: float = 1.0, *, generator: Generator | None = None) -> Tensor:
    """Fill with uniform numbers in [a, b), in place.

    Raises:
        RuntimeError: ``a > b``, or a leaf that requires grad (use ``with no_grad()``).
    """
    if a > b:
        raise RuntimeError(f"uniform_: expected a <= b, got [{a}, {b})")
    return _refill(self, "uniform", float(a), float(b), generator)


def normal_(self: Tensor, mean: float = 0.0, std: float = 1.0, *, generator: Generator | None = None) -> Tensor:
    """Fill with Gaussian numbers, in place.

    Raises:
        RuntimeError: a negative ``std``.
    """
    if std < 0:
        raise RuntimeError(f"normal_: std must not be negative, got {std}")
    return _refill(self, "normal", float(mean), float(std), generator)


class Dropout(Function):
    """y = x / (1 - p) where a random number is >= p, else 0. Given the seed it is linear in x and diagonal, so gx is
    the same function of gy, and the mask is drawn again instead of being stored."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, p: float, seed: int, offset: int) -> Tensor:
        ctx.arguments = p, seed, offset
        return Tensor(kernels.of(x.array).dropout(x.array, p, seed, offset))

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> tuple:
        return Dropout.apply(gy, *ctx.arguments), None, None, None


def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """In training, set each element to 0 with probability ``p`` and divide the others by 1 - p (Srivastava et al.
    2014).

    Args:
        input: any shape, floating point.
        p: probability of a zero, in [0, 1].
        training: False returns ``input`` unchanged.
        inplace: write the result into ``input``.

    Raises:
        ValueError: ``p`` outside [0, 1].
    """
    if not 0 <= p <= 1:
        raise ValueError(f"dropout: p must be a probability in [0, 1], got {p}")
    if not training or p == 0:
        return input
    seed, offset = default_generator.take(-(-input.numel() // 4))
    if inplace:
        return input.dropout_(p, seed, offset)
    return Dropout.apply(input, float(p), seed, offset)
