"""What Hypothesis draws: arrays in every memory layout, and every geometry of a sliding window.

Numbers come from a seeded generator, because which normal deviates an array holds is of no interest; Hypothesis spends
its choices on shapes, layouts, dtypes and options, and shrinks those.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st

FLOATS = (np.dtype("float32"), np.dtype("float64"))
DTYPES = (*FLOATS, np.dtype("int64"), np.dtype("int32"), np.dtype("uint8"), np.dtype("bool"))
SPECIAL = (0.0, -0.0, 1.0, -1.0, np.nan, np.inf, -np.inf, 1e-30, -1e30)

float_dtypes = st.sampled_from(FLOATS)
dtypes = st.sampled_from(DTYPES)
seeds = st.integers(0, 2**32 - 1)


def shapes(min_dims: int = 0, max_dims: int = 4, min_side: int = 0, max_side: int = 5) -> st.SearchStrategy:
    """Shapes, every number of axes equally often; where ``min_side`` is 0, one axis in 24 has no elements."""
    sides = st.integers(max(min_side, 1), max_side)
    if min_side == 0:
        some = sides
        sides = st.integers(1, 24).flatmap(lambda n: some if n < 24 else st.just(0))
    return st.integers(min_dims, max_dims).flatmap(lambda n: st.tuples(*[sides] * n))


any_shape = shapes()
batch_sizes = st.sampled_from([1, 2, 3, 1, 2, 3, 1, 0])


# -------------------------------------------------------------------------------------------------------------- layouts


def fortran(a):
    return np.asarray(a, order="F")


def negative(a):
    """Every stride negative."""
    return np.flip(np.flip(a).copy())


def strided(a):
    """Every second element of a larger array, which is NaN (or a large number) in between."""
    filler = np.nan if a.dtype.kind == "f" else 99
    spread = np.full([2 * n + 1 for n in a.shape], filler).astype(a.dtype)
    inner = spread[(*(slice(1, None, 2) for _ in a.shape), ...)]
    inner[...] = a
    return inner


def read_only(a):
    a = a.copy()
    a.flags.writeable = False
    return a


def transposed(a):
    """The last two axes lie in memory the other way round, as ``w.T`` does."""
    return a if a.ndim < 2 else np.swapaxes(np.swapaxes(a, -1, -2).copy(), -1, -2)


def contiguous(a):
    return a


LAYOUTS = (contiguous, fortran, negative, strided, read_only, transposed)


def laid_out(a: np.ndarray, writable: bool = False) -> st.SearchStrategy[np.ndarray]:
    """``a``, or an array equal to it that lies in memory in another way."""
    layouts = [layout for layout in LAYOUTS if not (writable and layout is read_only)]
    return st.sampled_from(layouts).map(lambda layout: np.asarray(layout(a)))


# --------------------------------------------------------------------------------------------------------------- arrays


def normal(rng: np.random.Generator, shape, dtype) -> np.ndarray:
    """Numbers of ordinary size: Gaussian floats, small integers, fair bools."""
    dtype = np.dtype(dtype)
    if dtype.kind == "f":
        return np.asarray(rng.standard_normal(shape), dtype)
    return np.asarray(rng.integers(0, 2 if dtype.kind == "b" else 10, shape), dtype)


@st.composite
def arrays(draw, dtype=float_dtypes, shape=any_shape, writable=False, special=False, ties=False, broadcast=True):
    """An array of any layout, a stride-0 broadcast among them.

    Args:
        dtype, shape: a value or a strategy.
        writable: no read-only layout and no broadcast.
        special: about a quarter of the elements are NaN, infinities, zeros of both signs, tiny or huge.
        ties: only few different values, so that equal ones are common.
        broadcast: whether stride 0 is allowed.
    """
    dtype = np.dtype(draw(dtype) if isinstance(dtype, st.SearchStrategy) else dtype)
    shape = draw(shape) if isinstance(shape, st.SearchStrategy) else tuple(shape)
    rng = np.random.default_rng(draw(seeds))
    a = np.asarray(rng.integers(0, 3, shape), dtype) if ties else normal(rng, shape, dtype)
    if special and dtype.kind == "f":
        a = np.where(rng.random(shape) < 0.25, rng.choice(SPECIAL, shape), a).astype(dtype)
    if broadcast and not writable and shape and shape[0] > 1 and draw(st.integers(0, 9)) == 0:
        return np.broadcast_to(a[:1], shape)
    return draw(laid_out(a, writable))


@st.composite
def broadcastable_shapes(draw, max_dims: int = 4) -> tuple[tuple, tuple]:
    """Two shapes that broadcast together: axes missing in front, or 1 in either."""
    full = draw(shapes(max_dims=max_dims))

    def thinned():
        kept = tuple(1 if draw(st.integers(0, 3)) == 0 else n for n in full)
        return kept[draw(st.integers(0, len(full))) if draw(st.booleans()) else 0 :]

    return thinned(), thinned()


@st.composite
def axes_of(draw, ndim: int) -> tuple[int, ...]:
    """Some of the axes of an ``ndim``-dimensional array, none and all included."""
    return tuple(axis for axis in range(ndim) if draw(st.booleans()))


# ------------------------------------------------------------------------------------------------------------- geometry


@dataclass(frozen=True)
class ConvGeometry:
    """Everything that shapes a convolution: ``x_shape`` (N, C, H, W), ``w_shape`` (O, C/G, KH, KW) and the options."""

    x_shape: tuple[int, ...]
    w_shape: tuple[int, ...]
    stride: tuple[int, int]
    padding: tuple[int, int]
    dilation: tuple[int, int]
    groups: int

    @property
    def options(self) -> tuple:
        """What the kernels take after the arrays."""
        return self.stride, self.padding, self.dilation, self.groups

    @property
    def output_size(self) -> tuple[int, int]:
        return tuple(
            (n + 2 * p - d * (k - 1) - 1) // s + 1
            for n, k, s, p, d in zip(
                self.x_shape[2:], self.w_shape[2:], self.stride, self.padding, self.dilation, strict=True
            )
        )

    @property
    def y_shape(self) -> tuple[int, ...]:
        return (self.x_shape[0], self.w_shape[0], *self.output_size)


def pairs(low: int, high: int) -> st.SearchStrategy[tuple[int, int]]:
    return st.tuples(st.integers(low, high), st.integers(low, high))


few = st.integers(1, 3)


@st.composite
def conv_geometries(draw, groups=few) -> ConvGeometry:
    """Every option, down to the smallest image that gives an output; now and then many channels."""
    stride, padding, dilation = draw(pairs(1, 3)), draw(pairs(0, 3)), draw(pairs(1, 3))
    kernel = draw(st.one_of(pairs(1, 4), st.sampled_from([(1, 1), (3, 3), (5, 5)])))
    least = [max(1, d * (k - 1) + 1 - 2 * p) for k, p, d in zip(kernel, padding, dilation, strict=True)]
    size = [n + draw(st.integers(0, 7)) for n in least]
    G = draw(groups)
    channels = st.one_of(st.integers(1, 4), st.sampled_from([6, 16, 17, 33]))
    C, O = draw(channels), draw(channels)
    N = draw(st.one_of(batch_sizes, st.sampled_from([1, 2, 16, 17])))  # some with more images than a vector has lanes
    return ConvGeometry((N, G * C, *size), (G * O, C, *kernel), stride, padding, dilation, G)


# The layers of LeNet-5, a strided ResNet block, a depthwise and a pointwise layer, a whole-image kernel.
COMMON_CONVOLUTIONS = (
    ConvGeometry((3, 1, 28, 28), (6, 1, 5, 5), (1, 1), (2, 2), (1, 1), 1),
    ConvGeometry((3, 6, 14, 14), (16, 6, 5, 5), (1, 1), (0, 0), (1, 1), 1),
    ConvGeometry((2, 8, 9, 9), (16, 8, 3, 3), (2, 2), (1, 1), (1, 1), 1),
    ConvGeometry((2, 8, 9, 9), (8, 1, 3, 3), (1, 1), (1, 1), (1, 1), 8),
    ConvGeometry((2, 8, 5, 5), (32, 8, 1, 1), (1, 1), (0, 0), (1, 1), 1),
    ConvGeometry((2, 16, 5, 5), (120, 16, 5, 5), (1, 1), (0, 0), (1, 1), 1),
)


@dataclass(frozen=True)
class PoolGeometry:
    """Everything that shapes a pooling."""

    x_shape: tuple[int, ...]
    kernel_size: tuple[int, int]
    stride: tuple[int, int]
    padding: tuple[int, int]
    dilation: tuple[int, int]
    output_size: tuple[int, int]

    @property
    def y_shape(self) -> tuple[int, ...]:
        return (*self.x_shape[:2], *self.output_size)

    @property
    def windows(self) -> tuple:
        """What the max-pooling kernels take in the end, but for the output size."""
        return self.kernel_size, self.stride, self.padding, self.dilation


@st.composite
def pool_geometries(draw, dilated=True) -> PoolGeometry:
    """Every option; rounding up or down; windows that hang over the end or lie wholly in the padding."""
    kernel, stride = draw(pairs(1, 4)), draw(pairs(1, 4))
    dilation = draw(pairs(1, 3)) if dilated else (1, 1)
    reach = [d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True)]
    padding = tuple(draw(st.integers(0, r)) for r in reach)
    least = [max(1, r - 2 * p) for r, p in zip(reach, padding, strict=True)]
    size = [n + draw(st.integers(0, 7)) for n in least]
    ceil_mode = draw(st.booleans())
    output_size = tuple(pooled(n, r, s, p, ceil_mode) for n, r, s, p in zip(size, reach, stride, padding, strict=True))
    x_shape = (draw(batch_sizes), draw(st.integers(1, 3)), *size)
    return PoolGeometry(x_shape, kernel, stride, padding, dilation, output_size)


def pooled(size: int, reach: int, stride: int, padding: int, ceil_mode: bool) -> int:
    """PyTorch's output size: rounding up, but no window may start in the padding behind the image."""
    if not ceil_mode:
        return (size + 2 * padding - reach) // stride + 1
    out = math.ceil((size + 2 * padding - reach) / stride) + 1
    return out - 1 if (out - 1) * stride >= size + padding else out
