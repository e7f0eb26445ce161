"""Matrix products: squares, and the linear layers of LeNet-5."""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np

from tinyconv.kernels import cpu

from .harness import BenchmarkError, Table, compare, geometric_mean, peer_module, set_threads, versions
from .place import Place

UNIT = "gflops"

# name; M, K, N of (M, K) @ (K, N); which of the two is stored transposed
PRODUCTS = [
    *[(f"square {n}", n, n, n, "") for n in (128, 256, 512, 1024, 2048)],
    ("square 512, x.T", 512, 512, 512, "x"),
    ("square 512, y.T", 512, 512, 512, "y"),
    *[
        (f"LeNet-5 {layer} {which}", *sizes, turned)
        for layer, inputs, outputs in (("c5", 400, 120), ("f6", 120, 84), ("output", 84, 10))
        for which, sizes, turned in (
            ("forward", (64, inputs, outputs), "y"),
            ("gx", (64, outputs, inputs), ""),
            ("gw", (outputs, 64, inputs), "x"),
        )
    ],
]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this benchmark alone."""
    parser.add_argument("--only", default="", metavar="TEXT", help="only products whose name contains TEXT")
    parser.add_argument("--blas", action="store_true", help="compare with NumPy's BLAS (OpenBLAS in its wheels)")


def run(options: argparse.Namespace) -> list[dict[str, Any]]:
    """Measure every product; one row each.

    Raises:
        BenchmarkError: no product has such a name, or the peer's results differ.
    """
    torch = peer_module(None if options.blas else options.vs)
    blas = Blas() if options.blas else None
    products = [product for product in PRODUCTS if options.only in product[0]]
    if not products:
        raise BenchmarkError(f"--only {options.only}: no such product among {[name for name, *_ in PRODUCTS]}")
    print(f"matrix products, float32, {versions(torch)}{f' beside {blas.names} (NumPy)' if blas else ''}")
    table = Table(UNIT, product=22, threads=7)
    rows = []
    for threads in options.threads:
        set_threads(threads, torch)
        if blas:
            blas.set_num_threads(threads)
        for name, M, K, N, turned in products:
            ours, peer = contenders(M, K, N, turned, Place("cpu", torch), blas)
            row = {"name": name, "shape": [M, K, N], "threads": threads}
            row |= compare(ours, peer, options).row(2e-9 * M * K * N, UNIT)
            rows.append(row)
            table.add(row, name, threads)
        if torch or blas:
            mean = geometric_mean([row for row in rows if row["threads"] == threads])
            table.print("geometric mean", threads, None, None, mean)
    table.end("billions of multiplications and additions a second")
    return rows


class Blas:
    """NumPy's BLAS, whose threads one library alone can set.

    Raises:
        BenchmarkError: it is not installed.
    """

    def __init__(self) -> None:
        try:
            from threadpoolctl import ThreadpoolController
        except ImportError as error:
            raise BenchmarkError(f"--blas: not installed ({error}); pip install 'tinyconv[parity]'") from error
        self._libraries = ThreadpoolController().select(user_api="blas").lib_controllers
        self.names = ", ".join([f"{library.internal_api} {library.version}" for library in self._libraries])

    def set_num_threads(self, n: int) -> None:
        """For all products from now on."""
        for library in self._libraries:
            library.set_num_threads(n)


def contenders(M: int, K: int, N: int, turned: str, place: Place, blas: Any = None) -> tuple:
    """Our function and the peer's, after a comparison of their results."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((K, M), np.float32).T if turned == "x" else rng.standard_normal((M, K), np.float32)
    y = rng.standard_normal((N, K), np.float32).T if turned == "y" else rng.standard_normal((K, N), np.float32)
    if blas:
        if not np.allclose(cpu.matmul(x, y), x @ y, rtol=1e-3, atol=1e-3):
            raise BenchmarkError(f"({M}, {K}) @ ({K}, {N}): results differ")
        return lambda: cpu.matmul(x, y), lambda: x @ y
    kernels, torch = place.kernels, place.torch
    u = kernels.permute(place.array(x.T), (1, 0)) if turned == "x" else place.array(x)
    v = kernels.permute(place.array(y.T), (1, 0)) if turned == "y" else place.array(y)
    if torch is None:
        return lambda: kernels.matmul(u, v), None
    a, b = place.tensor(x), place.tensor(y)
    if not np.allclose(place.host(kernels.matmul(u, v)), place.host(torch.matmul(a, b)), rtol=1e-3, atol=1e-3):
        raise BenchmarkError(f"({M}, {K}) @ ({K}, {N}): results differ")
    return lambda: kernels.matmul(u, v), lambda: torch.matmul(a, b)
