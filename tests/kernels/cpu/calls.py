"""Arguments for every kernel of the contract, so that a test can run them all and forget none."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import numpy as np

from tinyconv.kernels.contract import ACTIVATIONS, BINARY, SPECIAL, SPECIAL_OF_TWO, UNARY
from tinyconv.kernels.cpu import conv, conv_plan

ONE, TWO = (1, 1), (2, 2)
# What the lanes of vectors are for, where a convolution has the choice.
IN_LANES: dict[str, dict[str, float]] = {"images": {"IMAGES_COST": 0}, "channels": {"IMAGES_COST": float("inf")}}
PLANS = conv_plan.forward_plan, conv_plan.backward_plan, conv._plan  # what remembers them


def calls(dtype: Any, large: bool = False) -> dict[str, list[tuple]]:
    """For each kernel of the contract, lists of arguments.

    The small ones are just large enough for the compiled loops (smaller arrays are left to NumPy), and small enough for
    plain Python. The large ones give every thread of a team something to do, and have long sums.
    """
    rng = np.random.default_rng(0)
    dtype = np.dtype(dtype)
    n, N, C, L = (1_000_003, 37, 21, 400) if large else (5000, 3, 5, 100)

    def drawn(*shape: int) -> np.ndarray:
        return rng.standard_normal(shape).astype(dtype)

    def pooled_gradient(gy: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """A gradient of the maxima of gy's windows of 2 x 2 pixels, and who won."""
        N, O, OH, OW = gy.shape
        g = drawn(N, O, OH // 2, OW // 2)
        return g, rng.integers(0, 4, g.shape).astype(np.uint8)

    def positive(*shape: int) -> np.ndarray:
        return abs(drawn(*shape)) + dtype.type(0.5)

    x, y, image = drawn(n), drawn(n), drawn(N, C, 14, 14) if large else drawn(N, C, 7, 6)
    rows, target, scores = drawn(N * 10, C), rng.integers(0, C, (N, L)), drawn(N, C, L)
    H, W = image.shape[2:]
    unit = np.linspace(0.01, 0.99, n).astype(dtype)
    one_argument = {key: [(x,)] for key in ("neg", "abs", "sign", "exp", "tanh", "sigmoid", "relu", "logical_not")}
    pairs = [(x, y), (rows, rows[0]), (rows, 0.5)]
    two_arguments = dict.fromkeys(("add", "sub", "mul", "div", "maximum", "minimum"), pairs)
    with_output = {key: [(x, y)] for key in ("relu_gx", "tanh_gx", "sigmoid_gx")}
    over = [(x, (0,), False), (scores, (0, 2), True), (scores, (1,), False)]
    reductions = dict.fromkeys(("sum", "prod", "amax", "amin"), over)
    winners = {key: [(scores, 1), (x, 0)] for key in ("argmax", "argmin")}
    along_an_axis = {
        key: [(scores, axis) for axis in (0, 1, 2)] + [(target, 1)] for key in ("cumsum", "cumprod", "cummax", "cummin")
    }
    steps = [np.arange(m).reshape([-1 if i == d else 1 for i in range(3)]) for d, m in enumerate(scores.shape)]
    lists = [(slice(None),) * d + (rng.integers(-m, m, 90),) for d, m in enumerate(scores.shape)] + [
        tuple(rng.integers(0, m, scores.shape) if i == d else steps[i] for i in range(3))
        for d, m in enumerate(scores.shape)
    ]

    square = drawn(3, 9, 9)
    symmetric = square @ square.transpose(0, 2, 1) + np.eye(9, dtype=square.dtype)
    windows = ((3, 3), TWO, ONE, ONE)
    pooled = ((H - 1) // 2 + 1, (W - 1) // 2 + 1)
    where = rng.integers(0, 9, (N, C, *pooled)).astype(np.uint8)
    where_2x2 = rng.integers(0, 4, (N, C, H // 2, W // 2)).astype(np.uint8)
    gy, gy_2x2 = drawn(*where.shape), drawn(*where_2x2.shape)

    scale = positive(N, L)
    mean, rstd, w, b = drawn(C), positive(C), drawn(C), drawn(C)
    convolutions = list(convolution_calls(drawn, large))
    momentum = [(p, g, v) for p, g, v in zip(*[[drawn(n), drawn(30, 7)] for _ in range(3)], strict=True)]
    params, grads, buffers = (list(part) for part in zip(*momentum, strict=True))
    squares, largest = ([positive(*p.shape) for p in params] for _ in range(2))

    return {
        "empty": [((3, 4), dtype)],
        "full": [((3, 4), 1.5, dtype)],
        "arange": [(1, 9, 2, dtype)],
        "eye": [(3, 4, dtype)],
        "from_host": [(x,)],
        "to_host": [(x,)],
        "copy": [(image,)],
        "cast": [(image, np.dtype(np.int64))],
        "assign": [(image.copy(), image[:1]), (image.copy(), 2)],
        "view": [(image, (N, C, H * W)), (image, (N * C, H, W))],
        "is_contiguous": [(image,)],
        "permute": [(image, (1, 0, 3, 2))],
        "flip": [(image, (2, 3))],
        "broadcast_to": [(rows[0], (4, C))],
        "diagonal": [(image, 1, 2, 3)],
        "strides": [(image.transpose(3, 0, 1, 2),)],
        "as_strided": [(image.ravel(), (2, 3), (5, 1), 4)],
        "sliding_windows": [(image, 3, 3, 2)],
        "reinterpret": [(image, np.dtype(f"i{dtype.itemsize}"))],
        "getitem": [(image, (slice(None), 1)), (rows, ([0, 2],))] + [(scores, index) for index in lists],
        "setitem": [(image.copy(), (slice(None), 1), 0.5)] + [(scores.copy(), index, 0.5) for index in lists],
        "index_add": [(rows.copy(), (np.array([0, 2, 0]),), rows[:3].copy())]
        + [(scores.copy(), index, scores[index]) for index in lists],
        "cat": [([image, image], 1)],
        **one_argument,
        **two_arguments,
        "log": [(positive(n),)],
        "sqrt": [(positive(n),)],
        "pow": [(positive(n), y), (x, 2)],
        "add_": [(x.copy(), y, 0.5), (rows.copy(), rows[0], 1)],
        "mul_": [(x.copy(), y), (x.copy(), 0.5)],
        "compare": [(x, y, relation) for relation in ("==", "!=", "<", "<=", ">", ">=")],
        "where": [(x > 0, x, y), (x > 0, x, 0), (x > 0, 0.5, y), (rows > 0, rows, rows[0])],
        "unary": [(unit, name) for name in UNARY],
        "binary": [(x, positive(n), name) for name in ("floor_divide", "remainder", "fmod", "atan2", "hypot")]
        + [(target, 1 + target, name) for name in BINARY if name not in ("atan2", "hypot")],
        **with_output,
        "activation": [(x, name, -0.5, 0.75) for name in ACTIVATIONS],
        "activation_gx": [(y, x, name, -0.5, 0.75) for name in ACTIVATIONS],
        "address": [],  # is another one in every process
        "storage": [(rows[1:],)],
        **reductions,
        **winners,
        **along_an_axis,
        "sort": [
            (a, axis, descending, a.shape[axis] // part)
            for a, axis in [(scores, 0), (scores, 1), (scores, 2), (target, 1)]
            for descending, part in [(False, 1), (True, 1), (False, 3)]
        ],
        "special": [([positive(n) / 4], name) for name in SPECIAL]
        + [([1 + positive(n), positive(n)], name) for name in SPECIAL_OF_TWO],
        "cholesky": [(symmetric,)],
        "det": [(symmetric,)],
        "eigh": [(symmetric,)],
        "lu": [(drawn(3, 7, 5),), (drawn(3, 5, 7),)],
        "qr": [(drawn(3, 7, 5), False), (drawn(3, 7, 5), True)],
        "slogdet": [(symmetric,)],
        "solve": [(symmetric, drawn(3, 9, 2))],
        "svd": [(drawn(3, 7, 5), False), (drawn(3, 7, 5), True)],
        "matmul": list(product_calls(drawn, large)),
        "linear": [(x, w, bias) for x, w in [(drawn(N, 2 * L), drawn(C, 2 * L))] for bias in (None, drawn(C))],
        "conv2d": [(x, w, bias, *options) for x, w, _, *options in convolutions for bias in (None, drawn(len(w)))],
        "conv2d_gx": [(gy, w, x.shape[2:], *options) for x, w, gy, *options in convolutions],
        "conv2d_gw": [(gy, x, w.shape[2:], *options) for x, w, gy, *options in convolutions],
        "linear_gradients": [
            (drawn(N, C), y, x, w, bias)
            for x, w in [(drawn(N, 2 * L), drawn(C, 2 * L))]
            for y, x, w, bias in [(None, x, w, True), (drawn(N, C), x, w, True), (None, x, None, False)]
        ],
        "linear_relu": [(drawn(N, 2 * L), drawn(C, 2 * L), bias) for bias in (None, drawn(C))],
        "conv2d_relu_max_pool2d": [(x, w, drawn(len(w)), *options) for x, w, _, *options in convolutions],
        "max_pool2d_conv2d_gx": [
            (*pooled_gradient(gy), w, x.shape[2:], *options) for x, w, gy, *options in convolutions
        ],
        "max_pool2d_conv2d_gw": [
            (*pooled_gradient(gy), x, w.shape[2:], *options) for x, w, gy, *options in convolutions
        ],
        "unfold": [(image, *windows)],
        "fold": [(drawn(N, C * 9, pooled[0] * pooled[1]), (H, W), *windows)],
        "max_pool2d": [(image, *windows, pooled), (image, TWO, TWO, (0, 0), ONE, (H // 2, W // 2))],
        "max_pool2d_gx": [(gy, where, (H, W), *windows), (gy_2x2, where_2x2, (H, W), TWO, TWO, (0, 0), ONE)],
        "max_pool2d_gather": [(image, where, *windows)],
        "max_pool2d_indices": [(where, (H, W), *windows)],
        "avg_pool2d": [(image, *windows[:3], pooled, include, divisor) for include, divisor in AVERAGES],
        "avg_pool2d_gx": [(gy, (H, W), *windows[:3], include, divisor) for include, divisor in AVERAGES],
        "batch_norm_train": [(scores, w, b, 1e-5)],
        "batch_norm": [(scores, mean, rstd, w, b)],
        "batch_norm_gx": [(drawn(*scores.shape), scores, mean, rstd, w)],
        "layer_norm": [(rows, w, b, 1e-5)],
        "layer_norm_gx": [(drawn(*rows.shape), rows, drawn(len(rows)), positive(len(rows)), w)],
        "lstm": [(drawn(N, 4 * C), drawn(N, 4 * C), drawn(N, C))],
        "lstm_gx": [(drawn(N, C), drawn(N, C), drawn(N, 4 * C), drawn(N, C), drawn(N, C))],
        "log_softmax": [(scores, 1), (rows, 1)],
        "log_softmax_gx": [(drawn(*scores.shape), -positive(*scores.shape), 1)],
        "softmax": [(scores, 1)],
        "softmax_gx": [(drawn(*scores.shape), positive(*scores.shape), 1)],
        "nll_loss": [(scores, target, None, -100), (scores, target, positive(C), 2)],
        "nll_loss_gx": [(drawn(N, L), target, scale, C)],
        "cross_entropy": [(scores, target, None, -100, True), (scores[:, :, :1], target[:, :1], positive(C), 2, False)],
        "cross_entropy_gx": [
            (drawn(), scores, target, scale, positive()),
            (drawn(), scores[:, :, :1], target[:, :1], scale[:, :1], None),
        ],
        "uniform": [((n,), -1, 2, dtype, 3, 5)],
        "normal": [((n,), 1, 2, dtype, 3, 5)],
        "randint": [((n,), -4, 9, np.dtype(np.int64), 3, 5)],
        "randperm": [(n, 3, 5)],
        "dropout": [(x, 0.25, 3, 5)],
        "adam": [
            (params, grads, buffers, squares, None, 0.1, 0.9, 0.99, 1e-8, 0.01, True, False, 3),
            (params, grads, buffers, squares, largest, 0.1, 0.9, 0.99, 1e-8, 0.01, False, True, 3),
        ],
        "sgd": [
            (params, grads, None, 0.1, 0.0, 0.0, 0.01, False, False, True),
            (params, grads, buffers, 0.1, 0.9, 0.1, 0.01, True, True, False),
        ],
    }


AVERAGES = ((True, None), (False, None), (True, 1))


def product_calls(drawn: Any, large: bool) -> Iterator[tuple]:
    """Products of matrices stored by rows and by columns, with long sums, alone and in batches."""
    M, K, N = (150, 5003, 133) if large else (9, 270, 50)
    yield drawn(M, K), drawn(K, N)
    yield drawn(K, M).T, drawn(N, K).T
    yield drawn(3, 2, 11, 13), drawn(2, 13, 40)
    yield drawn(3, 11, 13), drawn(13, 1)


def convolution_calls(drawn: Any, large: bool) -> Iterator[tuple]:
    """(x, w, gy, stride, padding, dilation, groups): each option alone, LeNet's layers, few images with many
    channels."""
    N = 64 if large else 2
    size = (28, 28) if large else (6, 7)
    geometries = [
        ((N if large else 17, 1, *size), (6, 1, 5, 5), ONE, TWO, ONE, 1),
        ((N, 6, 14, 14) if large else (9, 6, 6, 7), (16, 6, 5, 5), ONE, (0, 0), ONE, 1),
        ((N // 2, 4, *size), (7, 4, 3, 3), TWO, ONE, ONE, 1),
        ((N // 2, 4, *size), (4, 1, 3, 2), (1, 2), ONE, ONE, 4),
        ((N // 2, 4, *size), (6, 2, 2, 3), ONE, (0, 2), (2, 1), 2),
        ((1, 130, 30, 30) if large else (1, 5, 5, 4), (40, 130, 3, 3) if large else (9, 5, 3, 3), ONE, ONE, ONE, 1),
        ((N // 2, 8, *size), (12, 8, 1, 1), TWO, (0, 0), ONE, 1),
        # these fill the lanes with channels
        ((3, 64, *size) if large else (3, 20, 4, 5), (60, 64, 3, 3) if large else (28, 20, 3, 3), ONE, ONE, ONE, 1),
        ((3, 64, *size), (120, 32, 1, 1), TWO, (0, 0), ONE, 2),
        ((3, 4, *size), (4, 1, 3, 3), ONE, ONE, ONE, 4),
    ]
    for x_shape, w_shape, stride, padding, dilation, groups in geometries:
        out = [
            (n + 2 * p - d * (k - 1) - 1) // s + 1
            for n, k, s, p, d in zip(x_shape[2:], w_shape[2:], stride, padding, dilation, strict=True)
        ]
        x, w, gy = drawn(*x_shape), drawn(*w_shape), drawn(x_shape[0], w_shape[0], *out)
        yield x, w, gy, stride, padding, dilation, groups


def results(backend: Any, dtype: Any, large: bool = False, only: Collection[str] = ()) -> Iterator[tuple]:
    """Run the calls of every kernel (or of ``only`` some) on a backend.

    Yields:
        The kernel's name, and the arrays that came out or were written.
    """
    for name, arguments in calls(dtype, large).items():
        for args in arguments if not only or name in only else ():
            args = copied(args)
            result = getattr(backend, name)(*args)
            yield name, arrays_in((result, args) if result is None else result)


def copied(x: Any) -> Any:
    """Arrays in nested tuples and lists, copied: kernels that work in place must find the same values again."""
    if isinstance(x, (tuple, list)):
        return type(x)(copied(item) for item in x)
    return x.copy() if isinstance(x, np.ndarray) else x


def arrays_in(x: Any) -> list[np.ndarray]:
    """Every array or number in nested tuples and lists."""
    if isinstance(x, (tuple, list)):
        return list(itertools.chain.from_iterable(map(arrays_in, x)))
    return [np.asarray(x)] if isinstance(x, (np.ndarray, np.generic, bool)) else []


@contextmanager
def planned_with(**constants: float) -> Iterator[None]:
    """Convolutions planned with other constants, until the end of the block."""
    with mock.patch.multiple(conv_plan, **constants):
        try:
            for plan in PLANS:
                plan.cache_clear()
            yield
        finally:
            for plan in PLANS:
                plan.cache_clear()
