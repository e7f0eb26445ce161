"""Training steps of LeNet-5: forward pass, loss, backward pass, SGD with momentum.

Through the public interface on both sides, with PyTorch in eager mode. Both start from the same weights and see the
same batches; before anything is timed, the losses of some steps are compared. Images are noise: speed does not depend
on them.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Callable
from itertools import cycle
from types import ModuleType
from typing import Any

import numpy as np

import tinyconv
from tinyconv import optim
from tinyconv.nn import functional as F
from tinyconv.vision.models import LeNet5, lenet5

from .harness import BenchmarkError, Table, compare, peer_module, positive, set_threads, versions

LR, MOMENTUM = 0.01, 0.9
CHECKED_STEPS = 5
BATCHES = 8  # different ones, taken in turn
UNIT = "images_per_second"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this benchmark alone."""
    parser.add_argument("--batch-size", type=positive, nargs="+", default=[64], metavar="N", help="(default: 64)")


def run(options: argparse.Namespace) -> list[dict[str, Any]]:
    """Measure every combination of batch size and threads; one row each."""
    torch = peer_module(options.vs)
    set_threads(options.threads[0], torch)
    print(f"LeNet-5 training, {versions(torch)}")
    print_first_steps(options.batch_size[0])
    table = Table(UNIT, batch=5, threads=7)
    rows = []
    for batch_size in options.batch_size:
        for threads in options.threads:
            set_threads(threads, torch)
            ours, peer = steps(batch_size, torch)
            row = {"name": "lenet5", "batch_size": batch_size, "threads": threads}
            row |= compare(ours, peer, options).row(batch_size, UNIT)
            rows.append(row)
            table.add(row, batch_size, threads)
    table.end("images a second")
    return rows


def print_first_steps(batch_size: int) -> None:
    """What a median hides: compilation, and fresh memory pages."""
    step = our_step(lenet5(), batches(batch_size))
    start = time.perf_counter()
    step()
    first = time.perf_counter() - start
    for _ in range(10):
        step()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(100):
        step()
    faults = (resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before) / 100
    print(f"first step: {first:.2f} s (compiling, or loading what was compiled); page faults a step: {faults:g}")


def batches(n: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Images ``(n, 1, 28, 28)`` float32 and labels ``(n,)`` int64."""
    rng = np.random.default_rng(0)
    return [(rng.standard_normal((n, 1, 28, 28), np.float32), rng.integers(0, 10, n)) for _ in range(BATCHES)]


def steps(batch_size: int, torch: ModuleType | None) -> tuple[Callable, Callable | None]:
    """Our training step and the peer's, from the same weights.

    Raises:
        BenchmarkError: their losses differ.
    """
    tinyconv.manual_seed(0)
    model, data = lenet5(), batches(batch_size)
    peer = their_step(torch, model, data) if torch else None
    ours = our_step(model, data)
    if peer:
        losses = np.array([[ours().item(), peer().item()] for _ in range(CHECKED_STEPS)])
        if not np.allclose(losses[:, 0], losses[:, 1], rtol=1e-4):
            raise BenchmarkError(f"losses differ, so speeds do not compare (ours, peer): {losses.tolist()}")
    return ours, peer


def our_step(model: LeNet5, data: list) -> Callable:
    """A function that does one training step on the next batch and returns the loss."""
    optimizer = optim.SGD(model.parameters(), lr=LR, momentum=MOMENTUM)
    turns = cycle([(tinyconv.from_numpy(x), tinyconv.from_numpy(t)) for x, t in data])

    def step() -> tinyconv.Tensor:
        x, target = next(turns)
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), target)
        loss.backward()
        optimizer.step()
        return loss

    return step


def their_step(torch: Any, ours: LeNet5, data: list) -> Callable:
    """The same in PyTorch."""
    nn, functional = torch.nn, torch.nn.functional

    class Net(nn.Module):  # type: ignore[name-defined]
        def __init__(self):
            super().__init__()
            self.c1 = nn.Conv2d(1, 6, kernel_size=5, padding=2)
            self.s2 = nn.MaxPool2d(kernel_size=2)
            self.c3 = nn.Conv2d(6, 16, kernel_size=5)
            self.s4 = nn.MaxPool2d(kernel_size=2)
            self.c5 = nn.Linear(16 * 5 * 5, 120)
            self.f6 = nn.Linear(120, 84)
            self.output = nn.Linear(84, 10)

        def forward(self, x):
            x = self.s2(functional.relu(self.c1(x)))
            x = self.s4(functional.relu(self.c3(x)))
            x = functional.relu(self.c5(x.flatten(1)))
            return self.output(functional.relu(self.f6(x)))

    model = Net()
    model.load_state_dict({name: torch.tensor(p.detach().numpy()) for name, p in ours.state_dict().items()})
    optimizer = torch.optim.SGD(model.parameters(), lr=LR, momentum=MOMENTUM)
    turns = cycle([(torch.from_numpy(x), torch.from_numpy(t)) for x, t in data])

    def step() -> Any:
        x, target = next(turns)
        optimizer.zero_grad()
        loss = functional.cross_entropy(model(x), target)
        loss.backward()
        optimizer.step()
        return loss

    return step
