"""The ladder: convolution and the matrix product, from naive loops to the machine's limit, one idea per rung.

Each rung is a file of ``conv2d/`` or ``gemm/``, some thirty lines under a paragraph that says what they do and why it
helps; its first words are the rung's title. The last lines of a table are the library's own kernel and, with ``--vs
torch``, PyTorch's. Every function is compared with the formula in float64 before it is timed. They take turns, as
everywhere here, and the machine's peak, of multiply-adds in registers, takes its turn among them.
"""

from __future__ import annotations

import argparse
import math
import resource
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

from tinyconv.kernels import cpu, reference
from tinyconv.kernels.cpu.parallel import cores

from ..harness import MANY_PREEMPTIONS, BenchmarkError, peer_module, quartiles, set_threads, text, versions
from .peak import multiply_adds, peak_operations

RUNGS = {
    "conv2d": ["loops", "rows", "im2col", "cache", "tile", "lanes", "threads"],
    "gemm": ["loops", "rows", "tile", "blocks", "packing", "threads"],
}
LEGEND = f"""
GFLOP/s: billions of multiplications and additions a second, medians; peak: share of the measured one of as many
threads; step: over the rung above; first: seconds of the first call, which compiles; !: other programs took cores
away more than {MANY_PREEMPTIONS} times a second, measure again"""
SLOW = 1.0  # seconds a call, from which on a rung is timed once


class Problem(NamedTuple):
    """Shapes: of x (already padded) and w for conv2d, of a and b for gemm."""

    ladder: str
    name: str
    shapes: tuple[tuple[int, ...], tuple[int, ...]]
    without: tuple[str, ...] = ()  # rungs that would take minutes

    @property
    def operations(self) -> int:
        """Multiplications and additions."""
        if self.ladder == "gemm":
            (M, K), (_, N) = self.shapes
            return 2 * M * K * N
        (N, C, H, W), (O, _, KH, KW) = self.shapes
        return 2 * N * O * C * KH * KW * (H - KH + 1) * (W - KW + 1)


PROBLEMS = [
    Problem("conv2d", "LeNet-5 c3", ((64, 6, 14, 14), (16, 6, 5, 5))),
    Problem("conv2d", "64-64, 16x16", ((64, 64, 18, 18), (64, 64, 3, 3))),
    Problem("gemm", "square 512", ((512, 512), (512, 512))),
    Problem("gemm", "square 1024", ((1024, 1024), (1024, 1024))),
    Problem("gemm", "square 3000", ((3000, 3000), (3000, 3000)), without=("loops",)),
]


class Contender(NamedTuple):
    """A line of the table."""

    name: str
    title: str
    threads: int
    function: Callable


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this benchmark alone."""
    parser.add_argument("ladder", nargs="?", choices=RUNGS, help="which one (default: both)")
    parser.add_argument("--only", default="", metavar="TEXT", help="only problems whose name contains TEXT")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw the ladders there (PNG, SVG, PDF)")
    parser.set_defaults(threads=sorted({1, cores()}), repeats=9, block=0.05)


def run(options: argparse.Namespace) -> list[dict[str, Any]]:
    """Climb the ladder for every problem; one row for each rung.

    Raises:
        BenchmarkError: no problem has such a name, a result is wrong, or the picture cannot be written.
    """
    torch = peer_module(options.vs)
    problems = [p for p in PROBLEMS if options.ladder in (None, p.ladder) and options.only in p.name]
    if not problems:
        raise BenchmarkError(f"--only {options.only}: no such problem among {[p.name for p in PROBLEMS]}")
    print(f"the ladder, float32, {versions(torch)}")
    rows = [row for problem in problems for row in climb(problem, torch, options)]
    print(LEGEND)
    if options.plot:
        from .plot import save

        save(options.plot, rows)
    return rows


def climb(problem: Problem, torch: ModuleType | None, options: argparse.Namespace) -> list[dict[str, Any]]:
    """Check and time every rung; print the table."""
    arrays = [np.random.default_rng(0).standard_normal(shape, np.float32) for shape in problem.shapes]
    truth = formula(problem.ladder, *arrays)
    lines = contenders(problem, torch, options.threads)
    first_calls = [check(line, problem, arrays, truth, torch) for line in lines]
    for threads in sorted({line.threads for line in lines}):
        lines.append(Contender("peak", "multiply-adds in registers", threads, lambda *_, n=threads: multiply_adds(n)))
    times, preemptions = measure(lines, arrays, torch, options)

    x, y = (" x ".join(map(str, shape)) for shape in problem.shapes)
    print(f"\n{problem.ladder}, {problem.name}: ({x}) and ({y}), {problem.operations / 1e6:,.0f} million operations")
    template = "{:>12}  {:>7}  {:>8}  {:>5}  {:>6}  {:>6} {:1} {}"
    print(template.format("rung", "threads", "GFLOP/s", "peak", "step", "first", "", "idea").rstrip())
    peak = {n: peak_operations(n) / np.median(t) for (name, _, n, _), t in zip(lines, times) if name == "peak"}
    rows: list[dict[str, Any]] = []
    for (name, title, threads, _), first, seconds, lost in zip(lines, first_calls, times, preemptions):  # not the peak
        speeds = problem.operations / seconds / 1e9
        row = {"ladder": problem.ladder, "name": problem.name, "rung": name, "title": title, "threads": threads}
        row |= {"gflops": float(np.median(speeds)), "gflops_quartiles": quartiles(speeds), "first_call_seconds": first}
        row |= {"peak_gflops": peak[threads] / 1e9, "share_of_peak": 1e9 * float(np.median(speeds)) / peak[threads]}
        row["preemptions_per_second"] = lost
        row["step"] = row["gflops"] / rows[-1]["gflops"] if rows and name in RUNGS[problem.ladder] else None
        rows.append(row)
        share, step = f"{row['share_of_peak']:.0%}", f"x {row['step']:.2f}" if row["step"] else ""
        disturbed = "!" if lost > MANY_PREEMPTIONS else ""
        print(template.format(name, threads, text(row["gflops"]), share, step, f"{first:.1f}", disturbed, title))
    for n, speed in peak.items():
        print(template.format("peak", n, text(speed / 1e9), "", "", "", "", "multiply-adds in registers"))
    return rows


def contenders(problem: Problem, torch: ModuleType | None, threads: list[int]) -> list[Contender]:
    """The rungs, each on one thread up to the one about threads; the library's kernel; the peer's."""
    lines = []
    for name in RUNGS[problem.ladder]:
        if name not in problem.without:
            module = import_module(f".{problem.ladder}.{name}", __package__)
            used = max(threads) if name == "threads" else 1
            lines.append(Contender(name, title_of(module), used, kernel_of(module)))
    for n in threads:
        lines.append(Contender("library", "tinyconv's own kernel", n, LIBRARY[problem.ladder]))
    if torch:
        a_function = torch.nn.functional.conv2d if problem.ladder == "conv2d" else torch.matmul
        for n in threads:
            lines.append(Contender("torch", "PyTorch's", n, lambda x, w: a_function(*map(torch.from_numpy, (x, w)))))
    return lines


LIBRARY: dict[str, Callable] = {
    "conv2d": lambda x, w: cpu.conv2d(x, w, None, (1, 1), (0, 0), (1, 1), 1),
    "gemm": lambda a, b: cpu.matmul(a, b),
}


def kernel_of(module: ModuleType) -> Callable:
    """The function of a rung."""
    return module.matmul if module.__name__.split(".")[-2] == "gemm" else module.conv2d


def title_of(module: ModuleType) -> str:
    """The first words of a rung's paragraph."""
    return (module.__doc__ or "").partition(":")[0].replace("\n", " ")


def formula(ladder: str, x: np.ndarray, w: np.ndarray) -> np.ndarray:
    """The truth, in float64."""
    x, w = x.astype(np.float64), w.astype(np.float64)
    return x @ w if ladder == "gemm" else reference.conv2d(x, w, None, (1, 1), (0, 0), (1, 1), 1)


def check(line: Contender, problem: Problem, arrays: list, truth: np.ndarray, torch: ModuleType | None) -> float:
    """Compare a rung's first result with the truth; return how many seconds it took, compilation included.

    Raises:
        BenchmarkError: they differ.
    """
    set_threads(line.threads, torch)
    start = time.perf_counter()
    result = line.function(*arrays)
    seconds = time.perf_counter() - start
    error = float(np.abs(np.asarray(result) - truth).max())
    terms = problem.operations / 2 / truth.size
    if not error < 4 * np.finfo(np.float32).eps * terms:
        raise BenchmarkError(f"{problem.ladder}, {problem.name}, {line.name}: wrong by up to {error}")
    return seconds


def measure(
    lines: list[Contender], arrays: list, torch: ModuleType | None, options: argparse.Namespace
) -> tuple[list[np.ndarray], list[float]]:
    """In turns: seconds a call, ``options.repeats`` numbers for each line (slow ones are timed once); and how often a
    second it lost its core."""
    times: list[list[float]] = [[] for _ in lines]
    lost, spent = np.zeros(len(lines)), np.zeros(len(lines))
    for repeat in range(options.repeats):
        for i, (line, measured) in enumerate(zip(lines, times)):
            if repeat and measured[0] > SLOW:
                continue
            set_threads(line.threads, torch)
            if not repeat and line.name == "peak":
                line.function(*arrays)  # compiles
            calls = max(1, math.ceil(options.block / measured[0])) if repeat else 1
            preempted, start = resource.getrusage(resource.RUSAGE_SELF).ru_nivcsw, time.perf_counter()
            for _ in range(calls):
                line.function(*arrays)
            seconds = time.perf_counter() - start
            measured.append(seconds / calls)
            lost[i] += resource.getrusage(resource.RUSAGE_SELF).ru_nivcsw - preempted
            spent[i] += seconds
    # the first time finds cold caches
    return [np.array(measured[min(1, len(measured) - 1) :]) for measured in times], list(lost / spent)
