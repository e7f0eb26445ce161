"""``python -m benchmarks lenet5 | conv | gemm``: one module of this package each."""

from __future__ import annotations

import argparse
import sys

from . import conv, gemm, lenet5
from .harness import BenchmarkError, add_common_arguments, write_json

NOUNS = {"lenet5": lenet5, "conv": conv, "gemm": gemm}


def main(argv: list[str] | None = None) -> int:
    """Run one benchmark, print its table, and return the process's exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="How fast tinyconv is.")
    commands = parser.add_subparsers(dest="noun", required=True, metavar="NOUN")
    for name, module in NOUNS.items():
        command = commands.add_parser(name, help=(module.__doc__ or "").partition("\n")[0], description=module.__doc__)
        add_common_arguments(command)
        module.add_arguments(command)
    options = parser.parse_args(argv)
    try:
        rows = NOUNS[options.noun].run(options)
    except BenchmarkError as error:
        print(f"python -m benchmarks: {error}", file=sys.stderr)
        return 1
    if options.json:
        write_json(options.json, rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
