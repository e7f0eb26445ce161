"""What runs in a process of its own: ``python -m benchmarks.processes TASK OPTIONS``, as ``harness.run_process`` does.

A task prints JSON, one line for each thing that happens; whoever started it notes when. It imports one side only
(``ours.py`` or ``theirs.py``), so that nothing of the other is in its time or its memory. Hence it imports no
``harness`` either, which knows tinyconv.
"""

from __future__ import annotations

import contextlib
import gzip
import importlib
import json
import math
import os
import resource
import sys
from pathlib import Path
from typing import Any

import numpy as np

TEST_BATCH = 1000
MEAN, DEVIATION = np.float32(33.3), np.float32(78.6)  # of MNIST's training pixels


def main() -> None:
    """Run the task that the command line names; its options are JSON."""
    tasks = {f.__name__: f for f in (first_step, first_step_of_command, memory, accuracy)}
    tasks[sys.argv[1]](**json.loads(sys.argv[2]))


def say(**values: Any) -> None:
    """Tell whoever started this process what has happened."""
    print(json.dumps(values), file=sys.__stdout__, flush=True)


def load(side: str, threads: int) -> Any:
    """The module ``ours`` or ``theirs``, with so many threads."""
    module = importlib.import_module(f".{side}", __package__)
    module.set_num_threads(threads)
    return module


# ---------------------------------------------------------------------------------------------------------- start-up


def first_step(side: str, threads: int, batch_size: int) -> None:
    """Import a library, make LeNet-5 and take one training step."""
    library = load(side, threads)
    rng = np.random.default_rng(0)
    x = library.from_numpy(rng.standard_normal((batch_size, 1, 28, 28), np.float32))
    target = library.from_numpy(rng.integers(0, 10, batch_size))
    training = library.Training("lenet5", lr=0.01, momentum=0.9)
    say(loss=training.step(x, target).item())


def first_step_of_command(arguments: list[str]) -> None:
    """``tinyconv train ...``, until its optimizer has taken one step."""
    from tinyconv.cli import main
    from tinyconv.optim import SGD

    step = SGD.step

    def step_and_leave(self: SGD, closure: Any = None) -> None:
        step(self, closure)
        say(step=1)
        os._exit(0)  # the rest of the run is not measured

    SGD.step = step_and_leave  # type: ignore[method-assign]
    with contextlib.redirect_stdout(sys.stderr):
        sys.exit(main(arguments))


# ------------------------------------------------------------------------------------------------------------ memory


def memory(side: str, network: str, image: list[int], threads: int, batch_size: int, steps: int) -> None:
    """Resident memory of the loaded library (after a step on one image) and at its peak in training, in bytes, and
    page faults a step once the first half of the steps is done."""
    library = load(side, threads)
    rng = np.random.default_rng(0)
    batches = [
        [library.from_numpy(a) for a in (rng.standard_normal((n, *image), np.float32), rng.integers(0, 10, n))]
        for n in [batch_size] * 4 + [1]
    ]
    sgd = {"lr": 0.01, "momentum": 0.9}
    library.Training(network, **sgd).step(*batches.pop())
    loaded = resident("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew from here
    training = library.Training(network, **sgd)
    for i in range(2 * steps):
        if i == steps:
            faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        training.step(*batches[i % len(batches)])
    faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt - faults
    say(loaded=loaded, peak=resident("VmHWM"), faults=faults / steps)


def resident(name: str) -> int:
    """Bytes of this process's memory that ``/proc/self/status`` lists as ``name``."""
    status = Path("/proc/self/status").read_text()
    kilobytes = next(line.split()[1] for line in status.splitlines() if line.startswith(f"{name}:"))
    return 1024 * int(kilobytes)


# --------------------------------------------------------------------------------------------------- time to accuracy


def accuracy(
    side: str,
    threads: int,
    folder: str,
    weights: str,
    goal: float,
    seed: int,
    lr: float,
    sgd: dict[str, Any],
    batch_size: int,
    epochs: int,
    evaluations: int,
    limit: int | None,
) -> None:
    """Train LeNet-5 on MNIST until it reads ``goal`` percent of the test images.

    The learning rate falls from ``lr`` to 0 along half a cosine, over all epochs; every image is shifted by up to one
    pixel each way. Images stay bytes until they are part of a batch, and both sides get the same arrays.

    Args:
        side: "ours" or "theirs".
        threads: to compute on.
        folder: which holds MNIST's files.
        weights: an npz file of the first weights.
        goal: percent of the test images.
        seed: of the order and the shifts.
        lr: the first learning rate.
        sgd: the optimizer's other options.
        batch_size: images per step; what remains of an epoch is left out.
        epochs: how often to see every image.
        evaluations: on all test images, so many an epoch.
        limit: use the first training and test images only; None for all.
    """
    library = load(side, threads)
    images, labels, test_images, test_labels = (
        read_idx(Path(folder), f"{half}-{kind}-ubyte")[:limit]
        for half in ("train", "t10k")
        for kind in ("images-idx3", "labels-idx1")
    )
    labels, test_labels = labels.astype(np.int64), test_labels.astype(np.int64)
    parts = [slice(i, i + TEST_BATCH) for i in range(0, len(test_images), TEST_BATCH)]
    test = [(normalized(library, test_images[i][:, None]), library.from_numpy(test_labels[i])) for i in parts]
    training = library.Training("lenet5", dict(np.load(weights)), lr=lr, **sgd)

    rng = np.random.default_rng(seed)
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1)))
    shifted = np.lib.stride_tricks.sliding_window_view(padded, images.shape[1:], axis=(1, 2))  # a view: 9 of each image
    steps = len(images) // batch_size
    for epoch in range(epochs):
        order = rng.permutation(len(images))
        dy, dx = rng.integers(0, 3, (2, len(images)))
        for step in range(1, steps + 1):
            i = order[(step - 1) * batch_size : step * batch_size]
            x = normalized(library, shifted[i, dy[i], dx[i], None])
            done = (epoch * steps + step - 1) / (epochs * steps)
            training.optimizer.param_groups[0]["lr"] = lr * (1 + math.cos(math.pi * done)) / 2
            training.step(x, library.from_numpy(labels[i]))
            if step * evaluations // steps > (step - 1) * evaluations // steps:
                reached = 100 * sum(training.correct(*batch) for batch in test) / len(test_images)
                say(epoch=epoch + step / steps, accuracy=reached)
                if reached >= goal:
                    return


def read_idx(folder: Path, name: str) -> np.ndarray:
    """An array of bytes from an IDX file, plain or compressed: two zeros, type, number of dimensions, their sizes."""
    plain = folder / name
    content = plain.read_bytes() if plain.exists() else gzip.decompress((folder / f"{name}.gz").read_bytes())
    dimensions = content[3]
    shape = np.frombuffer(content, ">u4", dimensions, offset=4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * dimensions).reshape(shape)


def normalized(library: Any, images: np.ndarray) -> Any:
    """Bytes as a tensor of mean 0 and deviation 1."""
    x = np.subtract(images, MEAN)
    x /= DEVIATION
    return library.from_numpy(x)


if __name__ == "__main__":
    main()
