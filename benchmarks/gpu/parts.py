"""The parts of ``python -m benchmarks gpu``: each prints a table, and returns its rows."""

from __future__ import annotations

import argparse
import functools
import time
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

import numpy as np

import tinyconv
from tinyconv.kernels.cuda import runtime
from tinyconv.kernels.precision import PRECISION
from tinyconv.optim import SGD
from tinyconv.optim.lr_scheduler import CosineAnnealingLR
from tinyconv.training import Callback, TrainingState, fit
from tinyconv.utils.data import DataLoader
from tinyconv.vision.models import get_model

from .. import conv, gemm, kernels, training
from ..harness import BenchmarkError, Columns, Comparison, Table, geometric_mean
from ..ladder import gpu as ladder_of_the_gpu
from ..ladder import title_of
from ..place import Place
from .check import check_all
from .timing import compare_kernels, compare_steps, peers_seconds

Row = dict[str, Any]
GOAL = 0.99


class Sizes:
    """How large everything is; on the simulated GPU, toys."""

    def __init__(self, toy: bool):
        self.toy = toy
        self.launches = 3 if toy else 2000
        self.copied = (1 << 10,) if toy else (1 << 20, 1 << 24, 1 << 28)  # bytes
        self.check = 1 if toy else 4
        self.squares = (12,) if toy else (128, 256, 512, 1024, 2048, 4096, 8192)
        self.layers = [_toy_layer(layer) for layer in conv.LAYERS[-3:]] if toy else conv.LAYERS
        self.shapes = [(2, 3, 4, 6)] if toy else [(1024, 6, 28, 28), (256, 64, 56, 56), (1024, 64, 32, 32)]
        self.classes = [(4, 5)] if toy else [(1024, 10), (16384, 1000)]
        self.batches = (1,) if toy else (64, 256, 1024)
        self.networks = ("lenet5",) if toy else ("lenet5", "resnet20")
        self.images = 4 if toy else None
        self.epochs = 1 if toy else 10
        self.rungs = (12,) if toy else (1024, 4096)


def _toy_layer(layer: conv.Layer) -> conv.Layer:
    groups = min(layer.groups, 2)
    return layer._replace(N=1, C=2 * groups, O=2 * groups, H=6, groups=groups)


# ------------------------------------------------------------------------------------------------------------ the parts


def launch(place: Place, sizes: Sizes, options: argparse.Namespace) -> list[Row]:
    """What it costs to start a kernel."""
    n = sizes.launches
    x = tinyconv.ones(4, device="cuda")
    t = place.tensor(np.ones(4, np.float32))
    y = place.array(np.ones(4, np.float32))
    clocks: list[tuple[str, Callable, Callable | None]] = [
        ("a kernel", lambda: place.kernels.add_(y, y, 0), None),
        ("x + x, a tensor of 4", lambda: x + x, (lambda: t + t) if place.torch else None),
    ]
    table = Table("microseconds", **{"what is launched": 32})
    rows = []
    for name, ours, peer in clocks:
        comparison = Comparison(
            _by_the_host(ours, n, runtime.synchronize, options.repeats),
            _by_the_host(peer, n, lambda: _wait(place), options.repeats) if peer else None,
        )
        rows.append({"name": name, **comparison.times()})
        table.add(rows[-1], name)
        graphed = compare_kernels(ours, peer, place, options)
        rows.append({"name": f"{name}, in a graph", **graphed.times()})
        table.add(rows[-1], rows[-1]["name"])
    table.end("microseconds each")
    return rows


def _by_the_host(function: Callable, n: int, synchronize: Callable, repeats: int) -> np.ndarray:
    """Seconds of the host's time that one of n calls takes: nobody waits for the GPU until the end."""
    times = []
    for _ in range(repeats + 1):
        start = time.perf_counter()
        for _ in range(n):
            function()
        times.append((time.perf_counter() - start) / n)
        synchronize()
    return np.array(times[1:])


def _wait(place: Place) -> None:
    if place.torch and place.peer_device == "cuda":
        place.torch.cuda.synchronize()


def copy(place: Place, sizes: Sizes, options: argparse.Namespace) -> list[Row]:
    """The bandwidth of the memory: bytes read and written by a copy."""
    table = Table("gbytes_per_second", bytes=12)
    rows = []
    for moved in sizes.copied:
        rows.append({"bytes": moved, **_copying(place, moved, options).row(moved / 1e9, "gbytes_per_second")})
        table.add(rows[-1], moved)
    table.end("billions of bytes a second")
    return rows


def _copying(place: Place, moved: int, options: argparse.Namespace) -> Comparison:
    x = np.zeros(max(1, moved // 8), np.float32)
    y, t = place.array(x), place.tensor(x)
    target, peers_target = place.kernels.empty(x.shape, x.dtype), place.tensor(x)
    peer = (lambda: peers_target.copy_(t)) if place.torch else None
    return compare_kernels(lambda: place.kernels.assign(target, y), peer, place, options)


def check(place: Place, sizes: Sizes, options: argparse.Namespace) -> list[Row]:
    """Every kernel of the contract against float64."""
    table = Columns(kernel=24, cases=5, error=9, **{"": 1})
    rows = []
    for verdict in check_all(place, options.seed, sizes.check):
        rows.append(verdict._asdict())
        table.print(verdict.name, verdict.cases, f"{verdict.error:.1e}", verdict.wrong)
    right = sum(not row["wrong"] for row in rows)
    print(f"{right} of {len(rows)} kernels are right; error: the largest, relative to the numbers' size")
    return rows


def products(place: Place, sizes: Sizes, options: argparse.Namespace) -> list[Row]:
    """Matrix products of float32; the large ones once more on tensor cores, as exact (3xTF32)."""
    table = Table("tflops", product=22)
    rows = []
    chosen = [(f"square {n}", n, n, n, "") for n in sizes.squares]
    chosen += [product for product in gemm.PRODUCTS if product[4] and "square" in product[0] and not sizes.toy]
    chosen += [(f"3xTF32 {n}", n, n, n, "") for n in sizes.squares if n >= 2048 or sizes.toy]
    for name, M, K, N, turned in chosen:
        ours, peer = gemm.contenders(M, K, N, turned, place)
        row = {"name": name, "shape": [M, K, N]}
        before, PRECISION["matmul"] = PRECISION["matmul"], "high" if name.startswith("3xTF32") else "highest"
        try:
            rows.append(row | compare_kernels(ours, peer, place, options).row(2e-12 * M * K * N, "tflops"))
        finally:
            PRECISION["matmul"] = before
        table.add(rows[-1], name)
    table.end("trillions of multiplications and additions a second")
    return rows


def convolutions(place: Place, sizes: Sizes, options: argparse.Namespace) -> list[Row]:
    """The layers of ``benchmarks conv``, forward and both gradients."""
    table = Table("tflops", layer=22, batch=5, **{"pass": 7})
    rows = []
    for layer in sizes.layers:
        for which, (ours, peer) in zip(conv.PASSES, conv.contenders(layer, place), strict=True):
            row = {"name": layer.name, "pass": which, "batch_size": layer.N, "kernel_size": layer.K}
            rows.append(row | compare_kernels(ours, peer, place, options).row(layer.operations / 1e12, "tflops"))
            table.add(rows[-1], layer.name, layer.N, which)
    table.print("geometric mean", None, None, None, None, geometric_mean(rows))
    table.end("trillions of multiplications and additions a second")
    return rows


def memory_bound(place: Place, sizes: Sizes, options: argparse.Namespace) -> list[Row]:
    """Kernels that the memory limits, as shares of what a copy of as many bytes reaches."""
    table = Table("gbytes_per_second", kernel=26, shape=16, **{"of copy": 7})
    rows: list[Row] = []
    copies: dict[int, float] = {}
    for kernel in kernels.memory_bound(place, sizes.shapes, sizes.classes):
        kernels.check(kernel, kernel.peer if place.torch else None, place)
        moved = kernel.bytes()
        size = 1 << (moved - 1).bit_length()
        if size not in copies:
            found = _copying(place, size, options)
            copies[size] = size / min(float(np.median(side)) for side in (found.ours, found.peer) if side is not None)
        row = {"name": kernel.name, "shape": list(kernel.shape), "bytes": moved}
        peer = kernel.peer if place.torch else None
        row |= compare_kernels(kernel.ours, peer, place, options).row(moved / 1e9, "gbytes_per_second")
        row["of_copy"] = 1e9 * row["ours_gbytes_per_second"] / copies[size]
        rows.append(row)
        table.add(row, kernel.name, "x".join(map(str, kernel.shape)), f"{row['of_copy']:.0%}")
    table.end("billions of bytes a second that must move at least")
    return rows


def steps(place: Place, sizes: Sizes, options: argparse.Namespace) -> list[Row]:
    """Training steps, launched one by one and as CUDA graphs."""
    table = Table("images_per_second", network=9, batch=5, graphs=6)
    rows = []
    for network in sizes.networks:
        for batch_size in sizes.batches:
            for graphs in (False, True):
                ours, peer = training.steps(network, batch_size, place, graphs=graphs)
                row = {"name": network, "batch_size": batch_size, "graphs": graphs}
                row |= compare_steps(ours, peer, place, options).row(batch_size, "images_per_second")
                rows.append(row)
                table.add(row, network, batch_size, "yes" if graphs else "no")
    table.end("images a second, forward pass to the end of SGD's step")
    return rows


class _UntilTheGoal(Callback):
    """Prints and keeps each epoch's result, and ends the training with the first that is good enough."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.table = Columns(epoch=5, **{"test accuracy": 13}, seconds=8, **{"images/s": 9})
        self.began = time.perf_counter()

    def on_epoch(self, state: TrainingState) -> None:
        last = state.history[-1]
        row = {
            "name": "lenet5", "epoch": last["epoch"], "accuracy": last["val_accuracy"],
            "seconds": time.perf_counter() - self.began, "images_per_second": last["images_per_second"],
        }  # fmt: skip
        self.rows.append(row)
        self.table.print(row["epoch"], f"{row['accuracy']:.2%}", row["seconds"], row["images_per_second"])
        if row["accuracy"] >= GOAL:
            state.stopped = True


def train(place: Place, sizes: Sizes, options: argparse.Namespace) -> list[Row]:
    """LeNet-5 learns to read digits on the GPU, by the recipe of ``tinyconv train``."""
    from tinyconv.cli import data
    from tinyconv.cli.train import RECIPE
    from tinyconv.vision.datasets import MNIST, DatasetNotFound

    try:
        MNIST.find(None, download=False)
        name = "mnist"
    except DatasetNotFound:
        name = "strokes"
        print("No MNIST is found here (TINYCONV_DATA names its folder): digits drawn by the program instead.")
    tinyconv.manual_seed(RECIPE["seed"])
    model = get_model("lenet5").to("cuda")
    source = data.DATA[name]
    train_set = data.load(source, None, True, data.transform(source, "lenet5", source.augment), sizes.images)
    test_set = data.load(source, None, False, data.transform(source, "lenet5"), sizes.images)
    loader = DataLoader(train_set, 2 if sizes.toy else RECIPE["batch_size"], shuffle=True)
    optimizer = SGD(
        model.parameters(), RECIPE["lr"], momentum=RECIPE["momentum"], nesterov=True,
        weight_decay=RECIPE["weight_decay"],
    )  # fmt: skip
    scheduler = CosineAnnealingLR(optimizer, T_max=sizes.epochs * len(loader))
    until = _UntilTheGoal()
    fit(
        model, loader, DataLoader(test_set, batch_size=500), optimizer=optimizer, epochs=sizes.epochs,
        scheduler=scheduler, schedule="step", callbacks=[until],
    )  # fmt: skip
    for row in until.rows:
        row |= {"data": source.title, "reached": row["accuracy"] >= GOAL}
    return until.rows


def ladder(place: Place, sizes: Sizes, options: argparse.Namespace) -> list[Row]:
    """Six matrix products, one idea per rung; the library's; and PyTorch's."""
    from ..ladder.gpu.whole import TOY

    rows: list[Row] = []
    for n in sizes.rungs:
        x, y = (np.random.default_rng(seed).standard_normal((n, n), np.float32) for seed in (0, 1))
        a, b, truth = place.array(x), place.array(y), x.astype(np.float64) @ y
        table = Columns(rung=10, n=6, **{"TFLOP/s": 8, "step": 6, "idea": 40})
        before: float | None = None
        for name, title, function in _rungs(place, x, y, a, b, TOY if sizes.toy else None):
            error = float(np.abs(place.host(function()) - truth).max())
            if not error < 4 * np.finfo(np.float32).eps * n:
                raise BenchmarkError(f"{name}, {n}: wrong by up to {error}")
            seconds = np.median(_alone(function, name, place, options))
            speed = 2e-12 * n**3 / float(seconds)
            step = speed / before if before and name in ladder_of_the_gpu.RUNGS else None
            rows.append({"name": name, "n": n, "tflops": speed, "step": step, "title": title})
            table.print(name, n, speed, "" if step is None else f"x {step:.2f}", title)
            before = speed
    return rows


def _alone(function: Callable, name: str, place: Place, options: argparse.Namespace) -> np.ndarray:
    if name != "torch":
        return compare_kernels(function, None, place, options).ours
    return peers_seconds(function, place, options)


def _rungs(place: Place, x: np.ndarray, y: np.ndarray, a: Any, b: Any, toy: Any) -> Iterator[tuple]:
    """Name, idea, function."""
    for name in ladder_of_the_gpu.RUNGS:
        module = import_module(f"{ladder_of_the_gpu.__name__}.{name}")
        small: dict[str, Any] = {"shared": {"side": 4}, "naive": {}, "coalesced": {}}.get(name, {"tile": toy})
        yield name, title_of(module), functools.partial(module.matmul, a, b, **(small if toy else {}))
    yield "library", "tinyconv's own kernel", lambda: place.kernels.matmul(a, b)
    if place.torch:
        t, u = place.tensor(x), place.tensor(y)
        yield "torch", "PyTorch's, cuBLAS", lambda: place.torch.matmul(t, u)  # type: ignore[union-attr]


PARTS: dict[str, Callable[[Place, Sizes, argparse.Namespace], list[Row]]] = {
    "launch": launch, "copy": copy, "check": check, "gemm": products, "conv": convolutions, "kernels": memory_bound,
    "steps": steps, "train": train, "ladder": ladder,
}  # fmt: skip
