"""All kernels beside the machine's two limits: how fast it copies memory, and how fast it multiplies and adds.

A kernel that does little arithmetic to each byte can be no faster than the memory lets it. Its speed is in GB/s: the
bytes that must move at least once (arguments read, results written) over the time; ``of copy`` is the share of what a
plain copy of as many bytes reaches, which takes turns with the two sides. A kernel that does much arithmetic to each
byte is bound by the fused multiply-add units; ``of peak`` is the share of what the register tile of
``kernels/cpu/tile.py`` reaches on data in the first-level cache. Which of the two binds depends on the *intensity*,
operations per byte: the roofline (Williams, Waterman and Patterson, 2009), drawn by ``--plot``.

Sizes are those of LeNet-5 (batch 64), ResNet-20 (batch 128) and ResNet-18 (batch 8), and one beyond the cache;
optimizers also go through these networks' parameters. The peer runs the operators behind its functions, optimizers in
their fused form; each result is compared before it is timed.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from tinyconv import ops
from tinyconv.tensor import wrap
from tinyconv.vision import models

from . import conv, gemm
from .harness import (
    BenchmarkError,
    Comparison,
    Table,
    geometric_mean,
    peer_module,
    quartiles,
    set_threads,
    take_turns,
    versions,
)
from .limits import Limits
from .place import Place, nbytes

UNIT = "gbytes_per_second"
SHAPES = [
    (64, 6, 28, 28), (64, 16, 10, 10),  # LeNet-5
    (128, 16, 32, 32), (128, 32, 16, 16), (128, 64, 8, 8),  # ResNet-20
    (8, 64, 112, 112), (8, 64, 56, 56), (8, 512, 7, 7),  # ResNet-18
    (96, 64, 32, 32),  # 24 MiB an array
]  # fmt: skip
NETWORKS = {"LeNet-5": models.lenet5, "ResNet-20": models.resnet20, "ResNet-18": models.resnet18}
CLASSES = [(64, 10), (256, 10), (128, 1000)]
ROWS = [(512, 512), (4096, 256)]  # N samples of D numbers


class Kernel(NamedTuple):
    """Something to measure: ``ours()`` and ``peer()`` return what they wrote, having read ``reads``; the peer may
    return less, or what cannot be compared (``random``)."""

    name: str
    shape: tuple
    operations: float
    reads: tuple
    ours: Callable
    peer: Callable | None
    random: bool = False

    def bytes(self) -> int:
        """What has to move at least."""
        results = self.ours()
        return sum(map(nbytes, (*self.reads, *(results if isinstance(results, tuple) else [results]))))


# -------------------------------------------------------------------------------------------------------- the kernels


def normal(*shape: int) -> np.ndarray:
    """Numbers from the standard normal distribution."""
    return np.random.default_rng(math.prod(shape)).standard_normal(shape, np.float32)


def all_kernels(place: Place) -> Iterator[Kernel]:
    """Every row of the table. Without a peer, its functions are never called."""
    yield from memory_bound(place, SHAPES, CLASSES)
    for name, make in NETWORKS.items():
        shapes = [tuple(p.shape) for p in make().parameters()]
        for step, kind in OPTIMIZERS.items():
            yield kind(place, f"{step} of {name}", (sum(map(math.prod, shapes)),), shapes)
    for shape in ROWS:
        yield from lines(place, shape)
    for name, M, K, N, turned in gemm.PRODUCTS:
        x, y = normal(M, K), normal(K, N)
        yield Kernel(f"gemm {name}", (M, K, N), 2 * M * K * N, (x, y), *gemm.contenders(M, K, N, turned, place))
    for layer in conv.LAYERS:
        w = normal(layer.O, layer.C // layer.groups, layer.K, layer.K)
        x, y = normal(layer.N, layer.C, layer.H, layer.H), normal(layer.N, layer.O, layer.OH, layer.OH)
        reads = {"forward": (x, w), "gx": (y, w), "gw": (y, x)}
        for which, (ours, peer) in zip(conv.PASSES, conv.contenders(layer, place), strict=True):
            name = f"conv {layer.name} {which}"
            yield Kernel(name, (layer.N, layer.C, layer.H, layer.H), layer.operations, reads[which], ours, peer)


def memory_bound(place: Place, shapes: list, classes: list) -> Iterator[Kernel]:
    """Kernels that do little arithmetic to each byte, over images of these shapes and scores of (images, classes)."""
    for shape in shapes:
        for family in (elementwise, pooling, normalization):
            yield from family(place, shape)
    for N, C in classes:
        yield from losses(place, N, C)


def both(place: Place, *arrays: np.ndarray) -> list:
    """On our side of the place, and as copies on the peer's."""
    return [*map(place.array, arrays), *map(place.tensor, arrays)]


def elementwise(place: Place, shape: tuple) -> Iterator[Kernel]:
    """One number in, one out; sums; dropout; the steps of optimizers."""
    n, C = math.prod(shape), shape[1]
    x, g, bias, tx, tg, tbias = both(place, normal(*shape), normal(*shape)[::-1].copy(), normal(1, C, 1, 1))
    k, aten = place.kernels, place.aten
    yield Kernel("relu", shape, n, (x,), lambda: k.relu(x), lambda: aten.relu(tx))
    yield Kernel("relu gradient", shape, n, (g, x), lambda: k.relu_gx(g, x), lambda: aten.threshold_backward(tg, tx, 0))
    yield Kernel("add", shape, n, (x, g), lambda: k.add(x, g), lambda: aten.add(tx, tg))
    yield Kernel("add a channel's bias", shape, n, (x,), lambda: k.add(x, bias), lambda: aten.add(tx, tbias))
    yield Kernel("sum of channels", shape, n, (g,), lambda: k.sum(g, (0, 2, 3), False), lambda: tg.sum((0, 2, 3)))
    yield Kernel("exp", shape, 10 * n, (x,), lambda: k.exp(x), lambda: aten.exp(tx))
    yield Kernel("sigmoid", shape, 12 * n, (x,), lambda: k.sigmoid(x), lambda: aten.sigmoid(tx))
    yield Kernel("tanh", shape, 12 * n, (x,), lambda: k.tanh(x), lambda: aten.tanh(tx))
    mask = place.tensor(place.host(k.dropout(place.array(np.ones(shape, np.float32)), 0.5, 1, 2)) != 0)
    yield Kernel(
        "dropout", shape, n, (x,), lambda: k.dropout(x, 0.5, 1, 2), lambda: aten.native_dropout(tx, 0.5, True), True
    )
    yield Kernel(
        "dropout gradient",
        shape,
        n,
        (g,),
        lambda: k.dropout(g, 0.5, 1, 2),
        lambda: aten.native_dropout_backward(tg, mask, 2.0),
    )
    for step, kind in OPTIMIZERS.items():
        yield kind(place, step, shape, [shape])


def sgd_step(place: Place, name: str, shape: tuple, shapes: list) -> Kernel:
    """SGD with momentum, for parameters of these shapes."""
    ours, theirs = parameters(place, shapes, 1)
    settings = {"lr": 1e-6, "momentum": 0.9, "dampening": 0.0, "weight_decay": 1e-4, "nesterov": False}

    def our_step() -> tuple:
        place.kernels.sgd(*ours, *settings.values(), False, False)
        return (*ours[0], *ours[2])

    def their_step() -> tuple:
        place.torch._fused_sgd_(*theirs, **settings, maximize=False, is_first_step=False)  # type: ignore[union-attr]
        return (*theirs[0], *theirs[2])

    return Kernel(name, shape, 6 * sum(map(math.prod, shapes)), tuple(chain(*ours)), our_step, their_step)


def adam_step(place: Place, name: str, shape: tuple, shapes: list) -> Kernel:
    """Adam's fifth step, for parameters of these shapes."""
    ours, theirs = parameters(place, shapes, 2)
    settings = {"lr": 1e-6, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "weight_decay": 1e-4}
    steps = [place.tensor(np.array(5, np.float32)) for _ in shapes]

    def our_step() -> tuple:
        place.kernels.adam(*ours, None, *settings.values(), False, False, 5)
        return (*ours[0], *ours[2], *ours[3])

    def their_step() -> tuple:
        place.torch._fused_adam_(*theirs, [], steps, **settings, amsgrad=False, maximize=False)  # type: ignore[union-attr]
        return (*theirs[0], *theirs[2], *theirs[3])

    return Kernel(name, shape, 14 * sum(map(math.prod, shapes)), tuple(chain(*ours)), our_step, their_step)


def parameters(place: Place, shapes: list, buffers: int) -> tuple[list, list]:
    """Parameters, their gradients, and buffers of positive numbers, on both sides: a list of each."""
    sides: tuple[list, list] = [[] for _ in range(2 + buffers)], [[] for _ in range(2 + buffers)]
    for shape in shapes:
        p = normal(*shape)
        arrays = both(place, p + 1, p[::-1].copy(), *[p**2] * buffers)
        for kind, array in zip(chain(*sides), arrays, strict=True):
            kind.append(array)
    return sides


OPTIMIZERS = {"sgd": sgd_step, "adam": adam_step}


def pooling(place: Place, shape: tuple) -> Iterator[Kernel]:
    """Maxima of 2 x 2 and 3 x 3 windows, averages of 2 x 2 windows and of whole planes."""
    (H, W), (x, tx) = shape[2:], both(place, normal(*shape))
    kernels, aten = place.kernels, place.aten
    for k, padding in ((2, 0), (3, 1)):
        size = tuple((n + 2 * padding - k) // 2 + 1 for n in (H, W))
        windows: Any = ((k, k), (2, 2), (padding, padding), (1, 1))
        y, where = kernels.max_pool2d(x, *windows, size)
        (g, tg), lists = both(place, normal(*y.shape)), [list(pair) for pair in windows]
        indices = aten.max_pool2d_with_indices(tx, *lists)[1] if aten else None
        yield Kernel(
            f"max pool {k}x{k}",
            shape,
            (k * k - 1) * y.size,
            (x,),
            lambda windows=windows, size=size: kernels.max_pool2d(x, *windows, size),
            lambda lists=lists: aten.max_pool2d_with_indices(tx, *lists)[0],
        )
        yield Kernel(
            f"max pool {k}x{k} gradient",
            shape,
            y.size,
            (g, where),
            lambda g=g, where=where, windows=windows: kernels.max_pool2d_gx(g, where, (H, W), *windows),
            lambda tg=tg, lists=lists, indices=indices: aten.max_pool2d_with_indices_backward(
                tg, tx, *lists, False, indices
            ),
        )
    for name, window in (("average pool 2x2", (2, 2)), ("average of planes", (H, W))):
        size = H // window[0], W // window[1]
        (g, tg), windows = both(place, normal(*shape[:2], *size)), (window, window, (0, 0))
        yield Kernel(
            name,
            shape,
            x.size,
            (x,),
            lambda windows=windows, size=size: kernels.avg_pool2d(x, *windows, size, True, None),
            lambda window=window: (
                aten.avg_pool2d(tx, window, window) if window == (2, 2) else aten._adaptive_avg_pool2d(tx, (1, 1))
            ),
        )
        yield Kernel(
            f"{name} gradient",
            shape,
            x.size,
            (g,),
            lambda g=g, windows=windows: kernels.avg_pool2d_gx(g, (H, W), *windows, True, None),
            lambda tg=tg, window=window: (
                aten.avg_pool2d_backward(tg, tx, window, window, (0, 0), False, True, None)
                if window == (2, 2)
                else aten._adaptive_avg_pool2d_backward(tg, tx)
            ),
        )


def normalization(place: Place, shape: tuple) -> Iterator[Kernel]:
    """Batch normalization: in training, its gradient, in evaluation."""
    (N, C), n = shape[:2], math.prod(shape)
    k, aten = place.kernels, place.aten
    x, g, w, b, tx, tg, tw, tb = both(
        place, normal(N, C, n // (N * C)), normal(C, N, n // (N * C)).reshape(N, C, -1), normal(C), normal(C) + 1
    )
    eps = 1e-5
    _, mean, var, rstd = k.batch_norm_train(x, w, b, eps)
    tm, tv, tr = (place.tensor(place.host(array)) for array in (mean, var, rstd))
    yield Kernel(
        "batch norm",
        shape,
        8 * n,
        (x,),
        lambda: k.batch_norm_train(x, w, b, eps)[0],
        lambda: aten.native_batch_norm(tx, tw, tb, None, None, True, 0.1, eps)[0],
    )
    yield Kernel(
        "batch norm gradient",
        shape,
        9 * n,
        (g, x),
        lambda: k.batch_norm_gx(g, x, mean, rstd, w),
        lambda: aten.native_batch_norm_backward(tg, tx, tw, None, None, tm, tr, True, eps, [True] * 3),
    )
    yield Kernel(
        "batch norm evaluation",
        shape,
        3 * n,
        (x,),
        lambda: k.batch_norm(x, mean, rstd, w, b),
        lambda: aten.native_batch_norm(tx, tw, tb, tm, tv, False, 0.1, eps)[0],
    )


def losses(place: Place, N: int, C: int) -> Iterator[Kernel]:
    """Softmax and cross-entropy of N images and C classes."""
    k, aten, torch = place.kernels, place.aten, place.torch
    x, target, ours, tx, tt, _ = both(place, normal(N, C), np.arange(N)[:, None] * 7 % C, np.ones((), np.float32))
    scores = k.view(x, (N, C, 1))
    _, y, scale, total = k.cross_entropy(scores, target, None, -100, True)
    ty, tt = place.tensor(place.host(y).reshape(N, C)), tt.reshape(-1) if torch else None
    one, count = map(place.tensor, (np.array(1, np.float32), np.array(N, np.float32)))

    def their_gradient() -> Any:
        g = aten.nll_loss_backward(one, ty, tt, None, 1, -100, count)
        return aten._log_softmax_backward_data(g, ty, 1, torch.float32)

    yield Kernel("softmax", (N, C), 13 * x.size, (x,), lambda: k.softmax(x, 1), lambda: aten._softmax(tx, 1, False))
    yield Kernel(
        "cross-entropy",
        (N, C),
        13 * x.size,
        (x, target),
        lambda: k.cross_entropy(scores, target, None, -100, True)[0],
        lambda: aten.nll_loss_forward(aten._log_softmax(tx, 1, False), tt, None, 1, -100)[0],
    )
    yield Kernel(
        "cross-entropy gradient",
        (N, C),
        12 * x.size,
        (y, target),
        lambda: k.cross_entropy_gx(ours, y, target, scale, total),
        their_gradient,
    )


def lines(place: Place, shape: tuple[int, int]) -> Iterator[Kernel]:
    """Along the last axis of N samples of D numbers: places, running totals, order, products; and a table's rows. Where
    an operation is several kernels the whole of it is measured."""
    N, D = shape
    n, k, aten, rng = math.prod(shape), place.kernels, place.aten, np.random.default_rng(N)
    x, g, near_one, w, b, places, own, index, tx, tg, tn, tw, tb, tp, _, ti = both(
        place, normal(*shape), normal(*shape)[::-1].copy(), 1 + normal(*shape) / 100, normal(D), normal(D) + 1,
        rng.integers(0, N, N), np.arange(N)[:, None], rng.integers(0, D, shape),
    )  # fmt: skip
    zeros = place.tensor(np.zeros(shape, np.float32))

    def scattered() -> Any:
        y = k.full(shape, 0, np.dtype(np.float32))
        k.index_add(y, (own, index), x)
        return y

    def rows_added() -> Any:
        y = k.full(shape, 0, np.dtype(np.float32))
        k.index_add(y, (places,), g)
        return y

    def of_tensors(function: Callable, *args: Any) -> Callable:
        return lambda: function(*[wrap(a) if hasattr(a, "strides") else a for a in args]).array

    yield Kernel("gather", shape, n, (x, index), lambda: k.getitem(x, (own, index)), lambda: aten.gather(tx, 1, ti))
    yield Kernel("scatter_add", shape, n, (x, index), scattered, lambda: aten.scatter_add(zeros, 1, ti, tx))
    yield Kernel("embedding", shape, n, (x, places), lambda: k.getitem(x, (places,)), lambda: aten.embedding(tx, tp))
    yield Kernel(
        "embedding gradient",
        shape,
        n,
        (g, places),
        rows_added,
        lambda: aten.embedding_dense_backward(tg, tp, N, -1, False),
    )
    yield Kernel("cumsum", shape, n, (x,), lambda: k.cumsum(x, 1), lambda: aten.cumsum(tx, 1))
    yield Kernel(
        "sort", shape, n * D.bit_length(), (x,), lambda: k.sort(x, 1, False, D)[0], lambda: aten.sort(tx, 1)[0]
    )
    yield Kernel("top 5", shape, n, (x,), lambda: k.sort(x, 1, True, 5)[0], lambda: aten.topk(tx, 5, 1, True, True)[0])
    yield Kernel("maximum with a number", shape, n, (x,), lambda: k.maximum(x, 0.5), lambda: aten.clamp_min(tx, 0.5))
    yield Kernel("compare", shape, n, (x, g), lambda: k.compare(x, g, "<"), lambda: aten.lt(tx, tg))
    yield Kernel("prod", shape, n, (near_one,), of_tensors(ops.prod, near_one, 1), lambda: aten.prod(tn, 1))
    yield Kernel("gelu", shape, 20 * n, (x,), of_tensors(ops.gelu, x), lambda: aten.gelu(tx))
    yield Kernel("silu", shape, 14 * n, (x,), of_tensors(ops.silu, x), lambda: aten.silu(tx))
    yield Kernel("hardswish", shape, 5 * n, (x,), of_tensors(ops.hardswish, x), lambda: aten.hardswish(tx))
    yield Kernel("clamp", shape, 2 * n, (x,), of_tensors(ops.clamp, x, -0.5, 0.5), lambda: aten.clamp(tx, -0.5, 0.5))
    yield Kernel("maximum of rows", shape, n, (x,), of_tensors(ops.amax, x, 1), lambda: aten.amax(tx, [1]))
    yield Kernel(
        "softmax gradient",
        shape,
        4 * n,
        (g, near_one),
        lambda: k.softmax_gx(g, near_one, 1),
        lambda: aten._softmax_backward_data(tg, tn, 1, tn.dtype),
    )
    yield Kernel(
        "layer norm",
        shape,
        8 * n,
        (x,),
        of_tensors(ops.layer_norm, x, (D,), w, b),
        lambda: aten.native_layer_norm(tx, (D,), tw, tb, 1e-5)[0],
    )


# ----------------------------------------------------------------------------------------------------------- the table


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this benchmark alone; there are many rows, so blocks are short."""
    parser.add_argument("--only", default="", metavar="TEXT", help="only kernels whose name contains TEXT")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw the roofline there")
    parser.set_defaults(threads=[1, 2], repeats=9, block=0.005)


def run(options: argparse.Namespace) -> list[dict[str, Any]]:
    """Measure every kernel; one row each.

    Raises:
        BenchmarkError: no kernel has such a name, or the peer's results differ.
    """
    torch = peer_module(options.vs)
    place = Place("cpu", torch)
    print(f"kernels, float32, {versions(torch)}")
    columns = {"us": 8, "of copy": 7, "GFLOP/s": 7, "of peak": 7, "FLOP/byte": 9}
    table = Table(UNIT, kernel=36, shape=18, threads=7, **columns)
    rows: list[dict[str, Any]] = []
    for threads in options.threads:
        set_threads(threads, torch)
        limits = Limits(threads, options)
        for kernel in all_kernels(place):
            if options.only in kernel.name:
                row = measured(kernel, place, limits, options)
                rows.append(row)
                shares = [f"{100 * row[key]:.0f}%" for key in ("of_copy", "of_peak")]
                shape = "x".join(map(str, kernel.shape))
                table.add(row, kernel.name, shape, threads, row["microseconds"], shares[0], row["gflops"], shares[1],
                          row["intensity"])  # fmt: skip
        if torch and rows:
            mean = geometric_mean([row for row in rows if row["threads"] == threads])
            table.print("geometric mean", None, threads, *[None] * 7, mean)
    if not rows:
        names = list(dict.fromkeys(kernel.name for kernel in all_kernels(place)))
        raise BenchmarkError(f"--only {options.only}: no such kernel among {names}")
    table.end("billions of bytes a second that must move at least")
    if options.plot:
        from .roofline import draw

        draw(rows, options.plot)
    return rows


def check(kernel: Kernel, peer: Callable | None, place: Place) -> None:
    """Compare the two sides' results.

    Raises:
        BenchmarkError: they differ.
    """
    if peer and not kernel.random:
        for a, b in zip(place.listed(kernel.ours()), place.listed(peer()), strict=False):
            if not np.allclose(a, b.reshape(a.shape), rtol=1e-3, atol=1e-4 * max(1, np.abs(b).max())):
                raise BenchmarkError(f"{kernel.name} {kernel.shape}: results differ")


def measured(kernel: Kernel, place: Place, limits: Limits, options: argparse.Namespace) -> dict[str, Any]:
    """A row, after a comparison of results."""
    peer = kernel.peer if options.vs else None
    check(kernel, peer, place)
    moved = kernel.bytes()
    (ours, copy, *theirs), preemptions = take_turns([kernel.ours, limits.copy(moved), *[peer] * bool(peer)], options)
    comparison, seconds = Comparison(ours, theirs[0] if peer else None, preemptions), float(np.median(ours))
    return {
        "name": kernel.name,
        "shape": list(kernel.shape),
        "threads": limits.threads,
        "microseconds": 1e6 * seconds,
        "of_copy": float(np.median(copy)) / seconds,
        "of_copy_quartiles": quartiles(copy / ours),
        "gflops": kernel.operations / seconds / 1e9,
        "of_peak": kernel.operations / seconds / limits.peak,
        "intensity": kernel.operations / moved,
        "bytes": moved,
        "copy_gbytes_per_second": moved / float(np.median(copy)) / 1e9,
        "peak_gflops": limits.peak / 1e9,
    } | comparison.row(moved / 1e9, UNIT)
