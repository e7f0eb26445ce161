"""Training steps of a network, ours beside PyTorch's: what ``lenet5`` and ``resnet20`` share.

Through the public interface on both sides, with PyTorch in eager mode: forward pass, cross entropy, backward pass, SGD
with momentum. Both start from the same weights and see the same batches; before anything is timed, the gradients of the
first step and the losses of some are compared. Images are noise: speed does not depend on them.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Callable, Iterator
from itertools import cycle
from types import ModuleType
from typing import Any

import numpy as np

import tinyconv

from . import ours
from .harness import BenchmarkError, Table, compare, peer_module, set_threads, versions
from .place import Place

SGD: dict[str, Any] = {"lr": 0.01, "momentum": 0.9}
IMAGES = {"lenet5": (1, 28, 28), "resnet20": (3, 32, 32)}
CHECKED_STEPS = 5
LOSS_TOLERANCE = 1e-3  # rounding alone makes 1e-5
GRADIENT_TOLERANCE = 0.02  # and 4e-3, either side against float64: it opens some ReLU whose input is almost 0
COUNTED_STEPS = 20  # whose page faults are counted
BATCHES = 8  # different ones, taken in turn
UNIT = "images_per_second"


def run(network: str, title: str, options: argparse.Namespace) -> list[dict[str, Any]]:
    """Measure every combination of batch size and threads; one row each."""
    torch = peer_module(options.vs)
    set_threads(options.threads[0], torch)
    apart = getattr(options, "layer_by_layer", False)
    print(f"{title} training{', layer by layer' if apart else ''}, {versions(torch)}")
    print_first_steps(network, options.batch_size[0])
    table = Table(UNIT, batch=5, threads=7)
    rows = []
    for batch_size in options.batch_size:
        for threads in options.threads:
            set_threads(threads, torch)
            row = {"name": network, "batch_size": batch_size, "threads": threads, "layer_by_layer": apart}
            row |= compare(*steps(network, batch_size, Place("cpu", torch), apart), options).row(batch_size, UNIT)
            rows.append(row)
            table.add(row, batch_size, threads)
    table.end("images a second")
    return rows


def print_first_steps(network: str, batch_size: int) -> None:
    """What a median hides: compilation, and fresh memory pages."""
    step = repeated(ours.Training(network, **SGD).step, cycled(ours, batches(network, batch_size)))
    start = time.perf_counter()
    step()
    first = time.perf_counter() - start
    for _ in range(BATCHES):
        step()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(COUNTED_STEPS):
        step()
    faults = (resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before) / COUNTED_STEPS
    print(f"first step: {first:.2f} s (compiling, or loading what was compiled); page faults a step: {faults:g}")


def batches(network: str, n: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Images float32 ``(n, C, H, W)`` of the network's size, and labels ``(n,)`` int64."""
    rng = np.random.default_rng(0)
    return [(rng.standard_normal((n, *IMAGES[network]), np.float32), rng.integers(0, 10, n)) for _ in range(BATCHES)]


def steps(
    network: str, batch_size: int, place: Place, layer_by_layer: bool = False, graphs: bool = False
) -> tuple[Callable, Callable | None]:
    """Our training step and the peer's, from the same weights; with ``graphs`` as CUDA graphs.

    Raises:
        BenchmarkError: their losses or gradients differ.
    """
    tinyconv.manual_seed(0)
    training = ours.Training(network, layer_by_layer=layer_by_layer, device=place.device, **SGD)
    data = batches(network, batch_size)
    turns = cycled(ours, data, place.device)
    step = repeated(training.step, turns)
    if place.torch is None:
        return repeated(training.graphed(), turns) if graphs else step, None
    from . import theirs

    peer_training = theirs.Training(network, training.weights(), device=place.peer_device, **SGD)
    peer_turns = cycled(theirs, data, place.peer_device)
    peer = repeated(peer_training.step, peer_turns)
    losses = [(step().item(), peer().item())]
    gradients = training.gradients()
    for name, g in peer_training.gradients().items():
        error = float(np.linalg.norm(gradients[name] - g) / np.linalg.norm(g))
        if not error < GRADIENT_TOLERANCE:
            raise BenchmarkError(f"gradients of {name} differ by {error:.2g}, so speeds do not compare")
    losses += [(step().item(), peer().item()) for _ in range(CHECKED_STEPS - 1)]
    if not all(np.isclose(a, b, rtol=LOSS_TOLERANCE) for a, b in losses):
        raise BenchmarkError(f"losses differ, so speeds do not compare (ours, peer): {losses}")
    if graphs:
        step = repeated(training.graphed(), turns)
        if place.peer_device == "cuda":
            peer = repeated(peer_training.graphed(*next(peer_turns)), peer_turns)
    return step, peer


def cycled(side: ModuleType, data: list[tuple[np.ndarray, np.ndarray]], device: str = "cpu") -> Iterator[tuple]:
    """The batches as a side's tensors, over and over."""
    return cycle([(side.from_numpy(x).to(device), side.from_numpy(target).to(device)) for x, target in data])


def repeated(step: Callable, turns: Iterator[tuple]) -> Callable:
    """A function that does one training step on the next batch and returns the loss."""
    return lambda: step(*next(turns))
