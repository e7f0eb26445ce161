"""``python -m benchmarks NOUN``: each noun is a module of this package, imported when it is asked for.

Such a module has ``add_arguments(parser)``, the options of its own, and ``run(options)``, which prints a table and
returns its rows. Its docstring is its help. One that measures whole processes says ``PROCESSES = True``: it gets no
``--repeats`` and ``--block`` from here.
"""

from __future__ import annotations

import argparse
import importlib
import sys

from .harness import BenchmarkError, add_common_arguments, add_timing_arguments, write_json

NOUNS = {
    "lenet5": "training steps of LeNet-5",
    "resnet20": "training steps of ResNet-20 for CIFAR",
    "time-to-accuracy": "seconds from the start of a program until LeNet-5 reads 99% of MNIST",
    "startup": "seconds from the start of a program to the end of its first training step",
    "memory": "peak memory and page faults of training",
    "overhead": "operations on tensors so small that only the engine takes time",
    "kernels": "every kernel beside the machine's limits: shares of the roofline",
    "ladder": "convolution and matrix product, from naive loops to the limit, one idea per rung",
    "conv": "convolution kernels, forward and both gradients",
    "gemm": "matrix products",
    "gpu": "everything there is to do with a GPU, in under ten minutes",
}


def main(argv: list[str] | None = None) -> int:
    """Run one benchmark, print its table, and return the process's exit code."""
    width = max(map(len, NOUNS))
    listed = "\n".join(f"  {noun:{width}}  {text}" for noun, text in NOUNS.items())
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="How fast tinyconv is.",
        epilog=f"nouns:\n{listed}\n\nNOUN --help says more of one",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("noun", choices=NOUNS, metavar="NOUN", help="what to measure")
    parser.add_argument("options", nargs=argparse.REMAINDER, help="of the noun")
    chosen = parser.parse_args(argv)

    module = importlib.import_module(f".{chosen.noun.replace('-', '_')}", __package__)
    command = argparse.ArgumentParser(
        prog=f"{parser.prog} {chosen.noun}",
        description=module.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_common_arguments(command)
    if not getattr(module, "PROCESSES", False):
        add_timing_arguments(command)
    module.add_arguments(command)
    options = command.parse_args(chosen.options)
    try:
        rows = module.run(options)
    except BenchmarkError as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 1
    if options.json:
        write_json(options.json, rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
