"""Every kernel of the contract on the GPU, against the obvious kernels in float64.

Inputs are drawn anew at each run (the seed is printed), some of them in memory that is not dense. Before a kernel
runs, whatever memory it will be given is filled with bytes that are NaN as floats: what it forgets to write, or reads
before it is written, shows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

from tinyconv.kernels import contract, reference
from tinyconv.kernels.contract import ACTIVATIONS
from tinyconv.kernels.cuda import runtime

from ..place import Place

TOLERANCE = 3e-5  # of a float32, relative to itself and to the root mean square of all: sums of some thousands
IN_PLACE = {"assign": [0], "setitem": [0], "index_add": [0], "add_": [0], "mul_": [0], "sgd": [0, 2],
            "adam": [0, 2, 3, 4]}  # fmt: skip
EXACT = {"uniform", "randint", "randperm", "dropout"}  # drawn, not computed: float32 on both sides
DRAWN_AND_COMPUTED = {"normal"}


class Draw:
    """Random arguments; ``large`` times as many as the simulator could take."""

    def __init__(self, seed: int, large: int):
        self.rng, self.large = np.random.default_rng(seed), large

    def normal(self, *shape: int) -> np.ndarray:
        """float32 from the standard normal distribution."""
        return self.rng.standard_normal(shape, np.float32)

    def uniform(self, low: float, high: float, *shape: int) -> np.ndarray:
        """float32 in [low, high)."""
        return self.rng.uniform(low, high, shape).astype(np.float32)

    def integers(self, low: int, high: int, *shape: int) -> np.ndarray:
        """int64 in [low, high)."""
        return self.rng.integers(low, high, shape)

    def image(self, channels: int = 0) -> np.ndarray:
        """(N, C, H, W), no size of which is round."""
        n = self.large
        return self.normal(1 + n, channels or 2 + n, 5 + 3 * n, 6 + 3 * n)


def elementwise(d: Draw) -> tuple[int, ...]:
    """A shape."""
    return 3, 4 + d.large, 5 + 16 * d.large


WINDOWS = [((2, 2), (2, 2), (0, 0), (1, 1)), ((3, 2), (2, 1), (1, 1), (1, 2))]
GEOMETRIES = [
    ((1, 1), (0, 0), (1, 1), 1), ((1, 1), (1, 1), (1, 1), 1), ((2, 1), (1, 2), (1, 2), 1), ((1, 1), (1, 1), (1, 1), 2),
]  # fmt: skip


def _size(x: np.ndarray, kernel: tuple, stride: tuple, padding: tuple, dilation: tuple) -> tuple[int, ...]:
    return tuple(
        (n + 2 * p - d * (k - 1) - 1) // s + 1
        for n, k, s, p, d in zip(x.shape[2:], kernel, stride, padding, dilation, strict=True)
    )


def _two(d: Draw) -> Iterator[tuple]:
    shape = elementwise(d)
    yield d.normal(*shape), d.normal(*shape)
    yield d.normal(*shape), d.normal(shape[1], 1)
    yield d.normal(1, *shape[1:]), d.normal(shape[0], 1, 1)


def _one(d: Draw) -> Iterator[tuple]:
    yield (d.normal(*elementwise(d)),)
    yield (d.normal(1),)


def _positive(d: Draw) -> Iterator[tuple]:
    yield (d.uniform(0.01, 9, *elementwise(d)),)


def _gradient(d: Draw) -> Iterator[tuple]:
    shape = elementwise(d)
    yield d.normal(*shape), np.tanh(d.normal(*shape))


def _unary(d: Draw) -> Iterator[tuple]:
    inside = {"acos", "asin", "atanh"}
    above = {"acosh": 1.01, "log10": 0.01, "log2": 0.01, "log1p": -0.9}
    for name in contract.UNARY:
        low, high = (-0.95, 0.95) if name in inside else (above.get(name, -1.4), 1.4 + above.get(name, 0))
        yield d.uniform(low, high, *elementwise(d)), name


def _binary(d: Draw) -> Iterator[tuple]:
    for name in contract.BINARY:
        if name.startswith("bitwise") or name.endswith("shift"):
            yield d.integers(0, 200, 7, 9), d.integers(0, 8, 9), name
        elif name in ("floor_divide", "fmod", "remainder"):  # of integers: a quotient that rounds is another quotient
            yield d.integers(-99, 99, 7, 9), d.integers(1, 9, 9), name
        else:
            yield d.normal(7, 9), d.normal(9), name


def _special(d: Draw) -> Iterator[tuple]:
    for name in contract.SPECIAL:
        yield [d.uniform(0.1, 0.9, *elementwise(d))], name
    for name in contract.SPECIAL_OF_TWO:
        yield [d.uniform(1.5, 4, 7, 9), d.uniform(0.5, 4, 7, 9)], name


def _definite(d: Draw) -> np.ndarray:
    x = d.normal(2, 5, 5)
    return x @ x.swapaxes(1, 2) + np.eye(5, dtype=x.dtype)


def _compared(d: Draw) -> Iterator[tuple]:
    for relation in ("==", "!=", "<", "<=", ">", ">="):
        yield d.integers(0, 3, 7, 9).astype(np.float32), d.integers(0, 3, 9).astype(np.float32), relation


def _reduced(d: Draw) -> Iterator[tuple]:
    x = d.image()
    for axes in ((0, 1, 2, 3), (0, 2, 3), (3,), (1,), (0,), (1, 2)):
        yield x, axes, False
    yield x, (2, 3), True


def _along(d: Draw) -> Iterator[tuple]:
    for axis in (0, 1, 2):
        yield d.normal(*elementwise(d)), axis


def _softmaxes(d: Draw) -> Iterator[tuple]:
    for shape, axis in (((5, 3 + 40 * d.large), 1), ((4, 10), 1), ((3, 7, 5), 1), ((6, 4), 0)):
        yield d.normal(*shape) * 5, axis


def _softmax_gradients(d: Draw, log: bool) -> Iterator[tuple]:
    for x, axis in _softmaxes(d):
        y = (reference.log_softmax if log else reference.softmax)(x, axis)
        yield d.normal(*x.shape), y, axis


def _products(d: Draw) -> Iterator[tuple]:
    n = d.large
    for M, K, N in ((5, 7, 3), (16 * n, 8 * n, 12 * n), (4, 60 * n, 5), (33 * n, 17, 29), (1, 9, 40)):
        yield d.normal(M, K), d.normal(K, N)
    yield d.normal(3, 1, 5, 6), d.normal(4, 6, 7)
    yield d.normal(6, 5).T, d.normal(7, 6).T


def _linear(d: Draw) -> Iterator[tuple]:
    yield d.normal(5, 8 * d.large), d.normal(7, 8 * d.large), d.normal(7)
    yield d.normal(5, 8), d.normal(7, 8), None


def _linear_gradients(d: Draw) -> Iterator[tuple]:
    for M, O, I in ((5, 7, 8 * d.large), (33 * d.large, 20, 17)):
        gy, y, x, w = d.normal(M, O), d.normal(M, O), d.normal(M, I), d.normal(O, I)
        yield gy, y, x, w, True
        yield gy, None, x, w, False
        yield gy, None, None, w, True
        yield gy, y, x, None, True


def _convolutions(d: Draw) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray, tuple]]:
    """x, w, gy, geometry."""
    for geometry in GEOMETRIES:
        stride, padding, dilation, groups = geometry
        C, O = 4 * groups, 6 * groups if d.large > 1 else 2 * groups
        x = d.image(C)
        for kernel in ((3, 3), (1, 1), (5, 2)):
            w = d.normal(O, C // groups, *kernel)
            yield x, w, d.normal(len(x), O, *_size(x, kernel, stride, padding, dilation)), geometry


def _pools(d: Draw) -> Iterator[tuple[np.ndarray, tuple, tuple[int, ...]]]:
    """x, windows, output size."""
    x = d.image()
    for windows in WINDOWS:
        yield x, windows, _size(x, *windows)


def _winners(d: Draw) -> Iterator[tuple[np.ndarray, np.ndarray, tuple]]:
    """x, where, windows."""
    for x, windows, size in _pools(d):
        yield x, reference.max_pool2d(x, *windows, size)[1], windows


def _fused(d: Draw) -> Iterator[tuple]:
    """x, w, gy, where, geometry."""
    for x, w, _, geometry in _convolutions(d):
        y, where = reference.conv2d_relu_max_pool2d(x, w, None, *geometry)
        yield x, w, d.normal(*y.shape), where, geometry


def _channels(d: Draw) -> tuple[np.ndarray, ...]:
    x = d.image()
    N, C = x.shape[:2]
    return x.reshape(N, C, -1), d.normal(C), d.uniform(0.5, 2, C), d.normal(C), d.normal(C)


def _normalized(d: Draw) -> Iterator[tuple]:
    x, mean, rstd, w, b = _channels(d)
    yield x, mean, rstd, w, b


def _trained(d: Draw) -> Iterator[tuple]:
    x, _, _, w, b = _channels(d)
    yield x + np.float32(100), w, b, 1e-5


def _normalized_gradient(d: Draw) -> Iterator[tuple]:
    x, _, _, w, _ = _channels(d)
    _, mean, _, rstd = reference.batch_norm_train(x, w, w, 1e-5)
    yield d.normal(*x.shape), x, mean, rstd, w


def _rows_gradient(d: Draw) -> Iterator[tuple]:
    x, w = _channels(d)[0][0], d.normal(_channels(d)[0].shape[2])
    _, mean, rstd = reference.layer_norm(x, w, w, 1e-5)
    yield d.normal(*x.shape), x, mean, rstd, w


def _lstm_gradient(d: Draw) -> Iterator[tuple]:
    c = d.normal(5, 3 * d.large)
    _, new_c, gates = reference.lstm(*d.normal(2, 5, 12 * d.large), c)
    yield *d.normal(2, *c.shape), gates, c, new_c


def _targets(d: Draw) -> Iterator[tuple]:
    N, C, L = 5 + d.large, 4 + d.large, 3
    target = d.integers(0, C, N, L)
    target[0, 0] = -100
    y = reference.log_softmax(d.normal(N, C, L), 1)
    yield y, target, None, -100
    yield y, target, d.uniform(0.5, 2, C), -100


def _target_gradients(d: Draw) -> Iterator[tuple]:
    for y, target, weight, ignored in _targets(d):
        yield d.normal(*target.shape), target, reference.nll_loss(y, target, weight, ignored)[1], y.shape[1]


def _cross_entropy_gradients(d: Draw) -> Iterator[tuple]:
    for y, target, weight, ignored in _targets(d):
        for total in (None, d.uniform(1, 2)):
            yield d.normal(), y, target, reference.nll_loss(y, target, weight, ignored)[1], total


def _parameters(d: Draw, several: int) -> list[list[np.ndarray]]:
    return [[np.abs(d.normal(*shape)) for shape in ((7 * d.large,), (3, 5), (1,))] for _ in range(several)]


def _sgd(d: Draw) -> Iterator[tuple]:
    yield *_parameters(d, 2), None, 0.1, 0.0, 0.0, 0.01, False, False, False
    for nesterov, first in ((False, True), (True, False)):
        yield *_parameters(d, 3), 0.1, 0.9, 0.0, 0.01, nesterov, True, first


def _adam(d: Draw) -> Iterator[tuple]:
    yield *_parameters(d, 4), None, 1e-2, 0.9, 0.99, 1e-6, 0.01, True, False, 3
    yield *_parameters(d, 5), 1e-2, 0.9, 0.99, 1e-6, 0.01, False, True, 1


def _indexed(d: Draw) -> Iterator[tuple[np.ndarray, Any]]:
    x = d.normal(6, 7, 5)
    yield x, (d.integers(0, 6, 9),)
    yield x, (slice(None), d.integers(-7, 7, 4), slice(1, 4))
    yield x, (x > 0,)


def _set(d: Draw, several: bool) -> Iterator[tuple]:
    for x, index in _indexed(d):
        if not several and index[0] is not slice(None) and not isinstance(index[0], slice):
            index = (np.arange(len(x))[::-1].copy(),) if index[0].dtype != bool else index
        elif not several:
            index = (slice(None), np.arange(4)[::-1].copy(), slice(1, 4))
        yield x, index, d.normal(*reference.getitem(x, index).shape)


def _activations(d: Draw) -> Iterator[tuple]:
    for function in ACTIVATIONS:
        a, b = {"clamp": (-0.5, 0.75), "hardtanh": (-0.5, 0.75), "leaky_relu": (0.2, 0.0)}.get(function, (0.0, 0.0))
        yield d.normal(*elementwise(d)) * 2, function, a, b


F32, I64 = np.dtype("float32"), np.dtype("int64")
CASES: dict[str, Callable[[Draw], Iterator[tuple]]] = {
    # memory and views
    "full": lambda d: iter([((3, 5), 2.5, F32), ((), 7, I64)]),
    "arange": lambda d: iter([(2, 99, 3, I64), (0.0, 1.0, 0.125, F32)]),
    "eye": lambda d: iter([(4, 6, F32)]),
    "from_host": _one,
    "to_host": _one,
    "copy": _one,
    "cast": lambda d: iter([(d.normal(5, 7) * 9, I64), (d.integers(-9, 9, 5, 7), F32)]),
    "assign": lambda d: iter([(d.normal(5, 7), d.normal(7)), (d.normal(5, 7), 2.5)]),
    "view": lambda d: iter([(d.normal(24), (3, 8))]),
    "permute": lambda d: iter([(d.normal(6, 4, 5), (2, 0, 1))]),
    "flip": lambda d: iter([(d.normal(6, 4, 5), (0, 2))]),
    "broadcast_to": lambda d: iter([(d.normal(6, 1), (3, 6, 4))]),
    "diagonal": lambda d: iter([(d.normal(6, 4, 5), 1, 0, 2)]),
    "as_strided": lambda d: iter([(d.normal(20), (3, 4), (5, 2), 2)]),
    "sliding_windows": lambda d: iter([(d.normal(3, 9), 1, 4, 2)]),
    "reinterpret": lambda d: iter([(d.integers(0, 9, 12), np.dtype("int32"))]),
    "getitem": _indexed,
    "setitem": lambda d: _set(d, False),
    "index_add": lambda d: _set(d, True),
    "cat": lambda d: iter([([d.normal(3, 4), d.normal(3, 1), d.normal(3, 6)], 1)]),
    # elementwise
    **dict.fromkeys(("add", "sub", "mul", "maximum", "minimum"), _two),
    "div": lambda d: ((x, y + np.float32(3) * np.sign(y)) for x, y in _two(d)),
    "pow": lambda d: ((np.abs(x) + np.float32(0.1), y) for x, y in _two(d)),
    "binary": _binary,
    "add_": lambda d: iter([(d.normal(5, 7), d.normal(7), 0.5)]),
    "mul_": lambda d: iter([(d.normal(5, 7), d.normal(7))]),
    "compare": _compared,
    "where": lambda d: iter([(d.normal(5, 7) > 0, d.normal(5, 7), d.normal(7))]),
    "logical_not": lambda d: iter([(d.integers(0, 3, 5, 7).astype(np.float32),)]),
    "unary": _unary,
    **dict.fromkeys(("neg", "abs", "sign", "exp", "tanh", "sigmoid", "relu"), _one),
    **dict.fromkeys(("log", "sqrt"), _positive),
    **dict.fromkeys(("relu_gx", "tanh_gx", "sigmoid_gx"), _gradient),
    "activation": _activations,
    "activation_gx": lambda d: ((d.normal(*x.shape), x, *rest) for x, *rest in _activations(d)),
    # reductions, order
    **dict.fromkeys(("sum", "amax", "amin"), _reduced),
    "prod": lambda d: ((np.exp(x / 16), *rest) for x, *rest in _reduced(d)),
    **dict.fromkeys(("argmax", "argmin", "cumsum", "cumprod", "cummax", "cummin"), _along),
    "sort": lambda d: ((x, axis, axis == 1, count) for x, axis in _along(d) for count in (x.shape[axis], 2)),
    # what the host computes
    "special": _special,
    **dict.fromkeys(("cholesky", "det", "eigh", "slogdet"), lambda d: iter([(_definite(d),)])),
    "lu": lambda d: iter([(d.normal(2, 6, 4),), (d.normal(2, 4, 6),)]),
    "solve": lambda d: iter([(_definite(d), d.normal(2, 5, 3))]),
    **dict.fromkeys(("qr", "svd"), lambda d: ((d.normal(2, 6, 4), whole) for whole in (False, True))),
    # products, convolutions
    "matmul": _products,
    "linear": lambda d: _linear(d),
    "linear_gradients": lambda d: _linear_gradients(d),
    "linear_relu": lambda d: _linear(d),
    "conv2d": lambda d: ((x, w, d.normal(len(w)), *g) for x, w, _, g in _convolutions(d)),
    "conv2d_gx": lambda d: ((gy, w, x.shape[2:], *g) for x, w, gy, g in _convolutions(d)),
    "conv2d_gw": lambda d: ((gy, x, w.shape[2:], *g) for x, w, gy, g in _convolutions(d)),
    "unfold": lambda d: ((x, *windows) for x, windows, _ in _pools(d)),
    "fold": lambda d: (
        (d.normal(*reference.unfold(x, *windows).shape), x.shape[2:], *windows) for x, windows, _ in _pools(d)
    ),
    "conv2d_relu_max_pool2d": lambda d: ((x, w, d.normal(len(w)), *g) for x, w, _, g in _convolutions(d)),
    "max_pool2d_conv2d_gx": lambda d: ((gy, at, w, x.shape[2:], *g) for x, w, gy, at, g in _fused(d)),
    "max_pool2d_conv2d_gw": lambda d: ((gy, at, x, w.shape[2:], *g) for x, w, gy, at, g in _fused(d)),
    # pooling
    "max_pool2d": lambda d: ((x, *windows, size) for x, windows, size in _pools(d)),
    "max_pool2d_gx": lambda d: ((d.normal(*at.shape), at, x.shape[2:], *windows) for x, at, windows in _winners(d)),
    "max_pool2d_gather": lambda d: ((x, at, *windows) for x, at, windows in _winners(d)),
    "max_pool2d_indices": lambda d: ((at, x.shape[2:], *windows) for x, at, windows in _winners(d)),
    "avg_pool2d": lambda d: (
        (x, *windows[:3], _size(x, *windows[:3], (1, 1)), inside, None)
        for x, windows, _ in _pools(d)
        for inside in (True, False)
    ),
    "avg_pool2d_gx": lambda d: (
        (d.normal(*x.shape[:2], *_size(x, *windows[:3], (1, 1))), x.shape[2:], *windows[:3], True, None)
        for x, windows, _ in _pools(d)
    ),
    # normalization, softmax, losses
    "batch_norm_train": _trained,
    "batch_norm": _normalized,
    "batch_norm_gx": _normalized_gradient,
    "lstm": lambda d: iter([(*d.normal(2, 5, 12 * d.large), d.normal(5, 3 * d.large))]),
    "lstm_gx": _lstm_gradient,
    "layer_norm": lambda d: ((x[0], *d.normal(2, x.shape[2]), 1e-5) for x, *_ in _normalized(d)),
    "layer_norm_gx": _rows_gradient,
    **dict.fromkeys(("softmax", "log_softmax"), _softmaxes),
    "log_softmax_gx": lambda d: _softmax_gradients(d, log=True),
    "softmax_gx": lambda d: _softmax_gradients(d, log=False),
    "nll_loss": _targets,
    "nll_loss_gx": _target_gradients,
    "cross_entropy": lambda d: ((*arguments, mean) for arguments in _targets(d) for mean in (True, False)),
    "cross_entropy_gx": _cross_entropy_gradients,
    # random
    "uniform": lambda d: iter([((3, 5), -1.0, 2.0, F32, 3, 4), ((7 * d.large,), 0.0, 1.0, F32, 2**63, 1)]),
    "normal": lambda d: iter([((3, 5), 1.0, 2.0, F32, 3, 4)]),
    "randint": lambda d: iter([((3, 5), -5, 9, I64, 3, 4)]),
    "randperm": lambda d: iter([(9 * d.large, 3, 4)]),
    "dropout": lambda d: iter([(d.normal(*elementwise(d)), 0.3, 3, 4)]),
    # optimizers
    "sgd": _sgd,
    "adam": _adam,
}  # fmt: skip
UNCHECKED = {
    "address": "is another one here",
    "empty": "has no contents",
    "is_contiguous": "has no numbers",
    "storage": "may be larger here",
    "strides": "has no numbers",
}


class Verdict(NamedTuple):
    """How far a kernel is from the truth: ``error`` is the largest of all its cases; ``wrong`` says what is the
    matter, or is empty."""

    name: str
    cases: int
    error: float
    wrong: str


def check_all(place: Place, seed: int, large: int, only: str = "") -> Iterator[Verdict]:
    """Every kernel of the contract whose name contains ``only``."""
    with poisoned():
        for name in sorted(CASES):
            if only in name:
                yield checked(name, place, Draw(seed, large))


def checked(name: str, place: Place, draw: Draw) -> Verdict:
    """All cases of one kernel."""
    worst, n = 0.0, 0
    for n, args in enumerate(CASES[name](draw), 1):
        try:
            worst = max(worst, _error(name, place, draw, args))
        except (
            ArithmeticError,
            AssertionError,
            AttributeError,
            LookupError,
            RuntimeError,
            TypeError,
            ValueError,
        ) as error:
            return Verdict(name, n, float("nan"), f"case {n}: {type(error).__name__}: {error}".partition("\n")[0])
    limit = 0.0 if name in EXACT else TOLERANCE
    return Verdict(name, n, worst, "" if worst <= limit else f"wrong by {worst:.2g}")


def _error(name: str, place: Place, draw: Draw, args: tuple) -> float:
    truth_args = _mapped(_as_float64 if name not in EXACT | DRAWN_AND_COMPUTED else np.copy, args)
    truth = getattr(reference, name)(*truth_args)
    given = _mapped(lambda x: _on_device(place, draw, x), args) if name != "from_host" else args
    result = getattr(place.kernels, name)(*given)
    if name in IN_PLACE:
        truth, result = ([a for i in IN_PLACE[name] for a in _arrays(x[i])] for x in (truth_args, given))
    pairs = zip(_arrays(truth), _arrays(result), strict=True)
    return max((_distance(place.host(b), a) for a, b in pairs), default=0.0)


def _distance(y: np.ndarray, truth: np.ndarray) -> float:
    """The largest error of an element, relative to its size and that of the others; integers differ by all or nothing.

    Raises:
        ValueError: the shapes differ, or NaN and infinities are in other places.
    """
    if y.shape != truth.shape:
        raise ValueError(f"shape {y.shape}, not {truth.shape}")
    if y.dtype.kind != "f":
        return float(not np.array_equal(y, truth))
    finite = np.isfinite(truth)
    if not np.array_equal(np.isfinite(y), finite) or not np.array_equal(y[~finite], truth[~finite], equal_nan=True):
        raise ValueError("NaN or infinities where there should be none, or none where there should be")
    if not finite.any():
        return 0.0
    y, truth = y[finite].astype(np.float64), truth[finite].astype(np.float64)
    return float((np.abs(y - truth) / (np.abs(truth) + np.sqrt(np.mean(truth**2)) + 1e-30)).max())


def _mapped(function: Callable, x: Any) -> Any:
    """``function`` applied to every array in nested tuples and lists."""
    if isinstance(x, (tuple, list)):
        return type(x)(_mapped(function, item) for item in x)
    return function(x) if isinstance(x, np.ndarray) else x


def _arrays(x: Any) -> list:
    """Every array in nested tuples and lists."""
    if isinstance(x, (tuple, list)):
        return [a for item in x for a in _arrays(item)]
    return [] if x is None or isinstance(x, (int, float)) else [x]


def _as_float64(x: np.ndarray) -> np.ndarray:
    return x.astype(np.float64) if x.dtype == np.float32 else x.copy()


def _on_device(place: Place, draw: Draw, x: np.ndarray) -> Any:
    """There, half of the time with its axes the other way round in memory."""
    if x.ndim < 2 or draw.rng.random() < 0.5:
        return place.kernels.from_host(x.copy())
    order = tuple(reversed(range(x.ndim)))
    return place.kernels.permute(place.kernels.from_host(np.ascontiguousarray(x.transpose(order))), order)


@contextmanager
def poisoned() -> Iterator[None]:
    """Fill all memory with NaN before it is used (the simulator does so by itself)."""
    on: Any = runtime.device()
    if not hasattr(on, "stream"):
        yield
        return
    on.fresh = lambda array: on.call("cuMemsetD8Async", array.block.pointer, 0xFF, array.block.nbytes, on.stream)
    try:
        yield
    finally:
        del on.fresh
