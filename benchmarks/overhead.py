"""Overhead: what an operation costs when its tensors are so small that only the engine takes time.

On one thread. Each is the same Python code run with either library: a forward pass and, but for the last two, the
backward pass that makes the inputs' gradients anew.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

import tinyconv

from .harness import BenchmarkError, Table, compare, geometric_mean, peer_module, set_threads, versions

UNIT = "microseconds"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this benchmark alone."""
    parser.add_argument("--only", default="", metavar="TEXT", help="only operations whose name contains TEXT")
    parser.set_defaults(block=0.02)


class Operation(NamedTuple):
    """What to call, and the tensors whose values it makes or changes."""

    call: Callable
    results: Callable


def run(options: argparse.Namespace) -> list[dict[str, Any]]:
    """Measure every operation; one row each.

    Raises:
        BenchmarkError: no operation has such a name, or the peer's results differ.
    """
    torch = peer_module(options.vs)
    makers = {name: make for name, make in MAKERS.items() if options.only in name}
    if not makers:
        raise BenchmarkError(f"--only {options.only}: no such operation among {list(MAKERS)}")
    print(f"operations on tiny tensors, {versions(torch)}")
    table = Table(UNIT, operation=34, threads=7)
    rows = []
    for threads in options.threads:
        set_threads(threads, torch)
        for name, make in makers.items():
            ours, peer = make(tinyconv), make(torch) if torch else None
            if peer:
                check(name, ours, peer)
            row = {"name": name, "threads": threads}
            row |= compare(ours.call, peer.call if peer else None, options).times()
            rows.append(row)
            table.add(row, name, threads)
        if torch:
            mean = geometric_mean([row for row in rows if row["threads"] == threads])
            table.print("geometric mean", threads, None, None, mean)
    table.end("microseconds a call")
    return rows


def check(name: str, ours: Operation, peer: Operation) -> None:
    """Call both, and compare.

    Raises:
        BenchmarkError: their results differ.
    """
    ours.call()
    peer.call()
    for a, b in zip(ours.results(), peer.results(), strict=True):
        if not np.allclose(a.detach().numpy(), b.detach().numpy(), rtol=1e-5, atol=1e-6):
            raise BenchmarkError(f"{name}: results differ (ours, peer): {a.tolist()}, {b.tolist()}")


# ----------------------------------------------------------------------------------------- the code of either library


def forward_and_backward(function: Callable, *shapes: tuple[int, ...]) -> Callable[[Any], Operation]:
    """``function(library, *tensors)`` and the gradients of its inputs."""

    def make(m: Any) -> Operation:
        rng = np.random.default_rng(0)
        xs = [m.tensor(rng.standard_normal(shape).astype(np.float32), requires_grad=True) for shape in shapes]
        gy = m.ones_like(function(m, *xs).detach())

        def call() -> None:
            for x in xs:
                x.grad = None
            function(m, *xs).backward(gy)

        return Operation(call, lambda: [x.grad for x in xs])

    return make


def linear_layer(m: Any) -> Operation:
    """A layer of four inputs and outputs, forward and backward."""
    layer = constant_layer(m)
    x, gy = m.ones(4, 4), m.ones(4, 4)

    def call() -> None:
        layer.weight.grad = layer.bias.grad = None
        layer(x).backward(gy)

    return Operation(call, lambda: [layer.weight.grad, layer.bias.grad])


def forward_only(m: Any) -> Operation:
    """A linear layer without gradients."""
    layer = constant_layer(m)
    x = m.ones(4, 4)

    def call() -> Any:
        with m.no_grad():
            return layer(x)

    return Operation(call, lambda: [call()])


def training_step(m: Any) -> Operation:
    """zero_grad, forward, loss, backward and SGD step of the same layer."""
    layer = constant_layer(m)
    optimizer = m.optim.SGD(layer.parameters(), lr=0.01, momentum=0.9)
    x, target = m.ones(4, 4), m.zeros(4, 4)

    def call() -> None:
        optimizer.zero_grad()
        m.nn.functional.mse_loss(layer(x), target).backward()
        optimizer.step()

    return Operation(call, lambda: list(layer.parameters()))


def optimizer_step(m: Any) -> Operation:
    """The SGD step alone, of eight parameters with gradients that stay."""
    parameters = [m.nn.Parameter(m.ones(4)) for _ in range(8)]
    for parameter in parameters:
        parameter.grad = m.ones(4)
    return Operation(m.optim.SGD(parameters, lr=1e-6, momentum=0.9).step, lambda: parameters)


def constant_layer(m: Any) -> Any:
    """``Linear(4, 4)`` with the same weights in either library."""
    layer = m.nn.Linear(4, 4)
    m.nn.init.constant_(layer.weight, 0.1)
    m.nn.init.constant_(layer.bias, 0.2)
    return layer


MAKERS: dict[str, Callable[[ModuleType | Any], Operation]] = {
    "add (4) + (4)": forward_and_backward(lambda m, a, b: a + b, (4,), (4,)),
    "mul (4) * (4)": forward_and_backward(lambda m, a, b: a * b, (4,), (4,)),
    "add (4, 4) + (4), broadcast": forward_and_backward(lambda m, a, b: a + b, (4, 4), (4,)),
    "relu (4)": forward_and_backward(lambda m, x: m.relu(x), (4,)),
    "sum (4)": forward_and_backward(lambda m, x: x.sum(), (4,)),
    "matmul (4, 4) @ (4, 4)": forward_and_backward(lambda m, a, b: a @ b, (4, 4), (4, 4)),
    "reshape (4, 4) to (16)": forward_and_backward(lambda m, x: x.reshape(16), (4, 4)),
    "chain of ten adds (4)": forward_and_backward(lambda m, a, b: chain(a, b), (4,), (4,)),
    "Linear(4, 4) of (4, 4)": linear_layer,
    "training step of Linear(4, 4)": training_step,
    "Linear(4, 4) of (4, 4), no_grad": forward_only,
    "SGD step of 8 x (4)": optimizer_step,
}


def chain(a: Any, b: Any) -> Any:
    """a + b + b + ..., ten additions."""
    for _ in range(10):
        a = a + b
    return a
