"""Watch a block of GPU threads run, line by line: a sum by shared memory, and the race it has without its barrier.

From the root of the repository, without a GPU: ``python -m examples.watch_a_block``.

What one thread does is written once. Eight threads run it in lockstep: a line is shown with every thread's numbers, and
threads that an ``if`` has switched off show a dot.
"""

import numpy as np

import tinyconv
from tinyconv.kernels import cuda as gpu
from tinyconv.kernels.cuda.kernel import kernel
from tinyconv.kernels.cuda.language import cuda, float32, shared
from tinyconv.kernels.cuda.runtime import empty, launch
from tinyconv.kernels.cuda.simulator import SimulatorError, Step, watch

THREADS = 8


@kernel("float32*, float32*", block=THREADS, registers=32)
def add_up(x, y):
    """y[0] = x[0] + ... + x[7]: in each round half of the threads add what the other half holds."""
    t = cuda.threadIdx.x
    s = shared(THREADS, float32)
    s[t] = x[t]
    cuda.syncthreads()
    half = THREADS // 2
    while half > 0:
        if t < half:
            s[t] += s[t + half]
        cuda.syncthreads()
        half //= 2
    if t == 0:
        y[0] = s[0]


@kernel("float32*, float32*", block=THREADS, registers=32)
def add_up_wrong(x, y):
    """The same, but nobody waits for the others' sums."""
    t = cuda.threadIdx.x
    s = shared(THREADS, float32)
    s[t] = x[t]
    cuda.syncthreads()
    half = THREADS // 2
    while half > 0:
        if t < half:
            s[t] += s[t + half]
        half //= 2
    if t == 0:
        y[0] = s[0]


def show(step: Step) -> None:
    """A line of the kernel, and what the threads hold before it runs."""
    print(f"{step.line:4} | {step.text.strip()}")
    print(f"     |     threads  {' '.join('#' if on else '.' for on in step.active)}")
    for name, value in step.variables.items():
        if name == "s":
            print(f"     |     s        {' '.join(f'{number:g}' for number in value.data)}")
        elif name == "half":
            print(f"     |     half     {np.broadcast_to(value, THREADS)[0]}")


def main() -> None:
    with tinyconv.cuda.simulated():
        x, y = gpu.from_host(np.arange(1, 9, dtype=np.float32)), empty((1,), np.float32)
        with watch(add_up, show):
            launch(add_up, 1, x, y)
        print(f"\n1 + 2 + ... + 8 = {gpu.to_host(y)[0]:g}\n\nWithout the barrier in the loop:")
        try:
            launch(add_up_wrong, 1, x, y)
        except SimulatorError as error:
            print(error)


if __name__ == "__main__":
    main()
