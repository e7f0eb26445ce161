"""Convolution kernels: forward pass and both gradients, over the layers of known networks.

Ours are the kernels themselves, the peer's the operators behind its ``conv2d``; each result is compared before it is
timed.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from .harness import BenchmarkError, Table, compare, geometric_mean, peer_module, set_threads, versions
from .place import Place

UNIT = "gflops"


class Layer(NamedTuple):
    """A convolution of x ``(N, C, H, H)`` with w ``(O, C/groups, K, K)``; a transposed one has w ``(C, O, K, K)``."""

    name: str
    N: int
    C: int
    H: int
    O: int
    K: int
    stride: int = 1
    padding: int = 0
    groups: int = 1
    transposed: bool = False

    @property
    def OH(self) -> int:
        """Rows and columns of the output."""
        if self.transposed:
            return (self.H - 1) * self.stride - 2 * self.padding + self.K
        return (self.H + 2 * self.padding - self.K) // self.stride + 1

    @property
    def operations(self) -> int:
        """Multiplications and additions of the forward pass, and of either gradient."""
        pixels = self.H if self.transposed else self.OH
        return 2 * self.N * self.O * (self.C // self.groups) * self.K**2 * pixels**2


LAYERS = [
    Layer("LeNet-5 c1", 64, 1, 28, 6, 5, padding=2),
    Layer("LeNet-5 c3", 64, 6, 14, 16, 5),
    Layer("CIFAR 3-16", 64, 3, 32, 16, 3, padding=1),
    Layer("CIFAR 16-16", 64, 16, 32, 16, 3, padding=1),
    Layer("CIFAR 16-32 /2", 64, 16, 32, 32, 3, stride=2, padding=1),
    Layer("CIFAR 32-32", 64, 32, 16, 32, 3, padding=1),
    Layer("CIFAR 64-64", 64, 64, 8, 64, 3, padding=1),
    Layer("ResNet-18 stem 7x7 /2", 8, 3, 224, 64, 7, stride=2, padding=3),
    Layer("ResNet-18 64-64", 8, 64, 56, 64, 3, padding=1),
    Layer("ResNet-18 128-128", 8, 128, 28, 128, 3, padding=1),
    Layer("ResNet-18 256-256", 8, 256, 14, 256, 3, padding=1),
    Layer("ResNet-18 512-512", 8, 512, 7, 512, 3, padding=1),
    Layer("ResNet-18 1x1 /2", 8, 64, 56, 128, 1, stride=2),
    Layer("depthwise 3x3", 8, 64, 56, 64, 3, padding=1, groups=64),
    Layer("transposed 4x4 /2", 8, 64, 16, 32, 4, stride=2, padding=1, transposed=True),
]
PASSES = ("forward", "gx", "gw")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this benchmark alone."""
    parser.add_argument("--only", default="", metavar="TEXT", help="only layers whose name contains TEXT")


def run(options: argparse.Namespace) -> list[dict[str, Any]]:
    """Measure every layer and pass; one row each.

    Raises:
        BenchmarkError: no layer has such a name, or the peer's results differ.
    """
    torch = peer_module(options.vs)
    layers = [layer for layer in LAYERS if options.only in layer.name]
    if not layers:
        raise BenchmarkError(f"--only {options.only}: no such layer among {[layer.name for layer in LAYERS]}")
    print(f"convolution, float32, {versions(torch)}")
    table = Table(UNIT, layer=22, batch=5, threads=7, **{"pass": 7})
    rows = []
    for threads in options.threads:
        set_threads(threads, torch)
        for layer in layers:
            for which, (ours, peer) in zip(PASSES, contenders(layer, Place("cpu", torch)), strict=True):
                row = {"name": layer.name, "pass": which, "batch_size": layer.N, "threads": threads}
                row |= compare(ours, peer, options).row(layer.operations / 1e9, UNIT)
                rows.append(row)
                table.add(row, layer.name, layer.N, threads, which)
        if torch:
            these = [row for row in rows if row["threads"] == threads]
            for which in PASSES:
                mean = geometric_mean([row for row in these if row["pass"] == which])
                table.print("geometric mean", None, threads, which, None, None, mean)
            table.print("geometric mean", None, threads, "all", None, None, geometric_mean(these))
    table.end("billions of multiplications and additions a second")
    return rows


def contenders(layer: Layer, place: Place) -> list[tuple[Callable, Callable | None]]:
    """For each pass our function and the peer's, after a comparison of their results."""
    rng = np.random.default_rng(0)
    N, C, H, O, K, OH = layer.N, layer.C, layer.H, layer.O, layer.K, layer.OH
    w_shape = (C, O // layer.groups, K, K) if layer.transposed else (O, C // layer.groups, K, K)
    x, w, gy = (rng.standard_normal(shape, np.float32) for shape in ((N, C, H, H), w_shape, (N, O, OH, OH)))
    ours = our_passes(place.kernels, layer, *map(place.array, (x, w, gy)))
    if place.torch is None:
        return [(f, None) for f in ours]
    peer = their_passes(place.torch, layer, *map(place.tensor, (x, w, gy)))
    for which, f, g in zip(PASSES, ours, peer, strict=True):
        a, b = place.host(f()), place.host(g())
        if not np.allclose(a, b, rtol=1e-3, atol=1e-4 * np.abs(b).max()):
            raise BenchmarkError(f"{layer.name}, {which}: results differ by up to {np.abs(a - b).max()}")
    return list(zip(ours, peer, strict=True))


def our_passes(kernels: Any, layer: Layer, x: Any, w: Any, gy: Any) -> list[Callable]:
    """Forward pass, input gradient, weight gradient. A transposed convolution is the input gradient of one from y to
    x."""
    geometry = (layer.stride,) * 2, (layer.padding,) * 2, (1, 1), layer.groups
    if layer.transposed:
        return [
            lambda: kernels.conv2d_gx(x, w, gy.shape[2:], *geometry),
            lambda: kernels.conv2d(gy, w, None, *geometry),
            lambda: kernels.conv2d_gw(x, gy, w.shape[2:], *geometry),
        ]
    return [
        lambda: kernels.conv2d(x, w, None, *geometry),
        lambda: kernels.conv2d_gx(gy, w, x.shape[2:], *geometry),
        lambda: kernels.conv2d_gw(gy, x, w.shape[2:], *geometry),
    ]


def their_passes(torch: Any, layer: Layer, x: Any, w: Any, gy: Any) -> list[Callable]:
    """The forward pass and both gradients, in PyTorch."""
    geometry = [layer.stride] * 2, [layer.padding] * 2, [1, 1], layer.transposed, [0, 0], layer.groups
    forward, backward = torch.ops.aten.convolution, torch.ops.aten.convolution_backward
    return [
        lambda: forward(x, w, None, *geometry),
        lambda: backward(gy, x, w, None, *geometry, [True, False, False])[0],
        lambda: backward(gy, x, w, None, *geometry, [False, True, False])[1],
    ]
