"""Prints a SHA-256 of the results of every kernel, and of 20 steps of training LeNet-5, one a line.

Run as a program, with the number of threads in the environment::

    OMP_NUM_THREADS=7 python -m tests.kernels.cpu.digests [KERNEL...]
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator

import numpy as np

import tinyconv
from tests.kernels.cpu.calls import results
from tinyconv import optim
from tinyconv.kernels import cpu
from tinyconv.nn import functional as F
from tinyconv.vision.models import lenet5


def digest(*arrays: np.ndarray) -> str:
    sha = hashlib.sha256()
    for a in arrays:
        sha.update(f"{a.dtype} {a.shape}".encode() + np.asarray(a, order="C").tobytes())
    return sha.hexdigest()[:16]


def trained() -> Iterator[np.ndarray]:
    """The losses of 20 steps, then the parameters."""
    tinyconv.manual_seed(0)
    model = lenet5()
    optimizer = optim.SGD(model.parameters(), lr=0.05, momentum=0.9, weight_decay=1e-4)
    x, target = tinyconv.randn(32, 1, 28, 28), tinyconv.randint(0, 10, (32,))
    for _ in range(20):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), target)
        loss.backward()
        optimizer.step()
        yield loss.detach().numpy()
    for parameter in model.parameters():
        yield parameter.detach().numpy()


def main(only: set[str]) -> None:
    """Print the digests of all kernels for both types, or of those named for float32."""
    print("threads", tinyconv.get_num_threads())
    for dtype in ("float32",) if only else ("float32", "float64"):
        for i, (name, arrays) in enumerate(results(cpu, dtype, large=True, only=only)):
            if name != "empty":
                print(name, dtype, i, digest(*arrays))
    if not only:
        print("LeNet-5", digest(*trained()))


if __name__ == "__main__":
    main(set(sys.argv[1:]))
