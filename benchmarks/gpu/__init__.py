"""Everything there is to do with a GPU, in under ten minutes: is it right, how fast is it, does it learn.

In this order, so that what is cut off at the end matters least:

* ``launch``: what it costs to start a kernel, from Python and in a graph; ``copy``: the bandwidth of the memory;
* ``check``: every kernel of the contract against float64, on inputs drawn anew, in memory full of NaN;
* ``gemm``, ``conv``, ``kernels``: products, convolutions, and the kernels that the memory limits, as shares of its
  bandwidth;
* ``steps``: training steps of LeNet-5 and ResNet-20, launched one by one and as CUDA graphs;
* ``train``: LeNet-5 until it reads 99% of MNIST, or where there is none, of the digits that the program draws;
* ``ladder``: six matrix products, one idea faster each.

Beside PyTorch with its cuBLAS and cuDNN, where it is installed, in float32: TF32 is switched off. The rows go to
``gpu.json``, after each part, and pictures beside it. ``--simulate`` runs all of it on toy sizes in the simulator: a
rehearsal that needs no GPU, whose times mean nothing.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import tinyconv

from ..harness import BenchmarkError, peer_module, versions
from ..place import Place
from . import summary
from .parts import PARTS, Sizes

WITHIN = 570.0  # seconds, after which no further part begins


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this benchmark alone."""
    parser.add_argument("--only", nargs="+", choices=PARTS, metavar="PART", help=f"of {', '.join(PARTS)}")
    parser.add_argument("--simulate", action="store_true", help="toy sizes on a simulated GPU")
    parser.add_argument("--alone", action="store_true", help="without PyTorch, though it is installed")
    parser.add_argument("--seed", type=int, help="of the inputs of the check (default: the clock)")
    parser.add_argument("--within", type=float, default=WITHIN, metavar="SECONDS", help="(default: %(default)s)")
    parser.add_argument("--out", type=Path, default=Path("gpu"), metavar="DIR", help="(default: %(default)s)")
    installed = importlib.util.find_spec("torch") is not None
    parser.set_defaults(repeats=9, block=0.01, vs="torch" if installed else None)


def run(options: argparse.Namespace) -> list[dict[str, Any]]:
    """Do it; a list of rows, each with its ``part``.

    Raises:
        BenchmarkError: there is no GPU, and why; or a kernel is wrong.
    """
    if options.simulate:
        options.repeats, options.block = 1, 0.0
        with tinyconv.cuda.simulated():
            return _run(options)
    if (reason := tinyconv.cuda.why_unavailable()) is not None:
        raise BenchmarkError(f"{reason}\n--simulate rehearses everything on toy sizes, without a GPU")
    return _run(options)


def _run(options: argparse.Namespace) -> list[dict[str, Any]]:
    began = time.perf_counter()
    torch = None if options.alone else peer_module(options.vs)
    place = Place("cuda", torch, "cuda" if torch and torch.cuda.is_available() and not options.simulate else "cpu")
    if torch and place.peer_device == "cpu" and not options.simulate:
        print("PyTorch sees no GPU: our figures stand alone")
        place = Place("cuda")
    options.seed = int(time.time()) if options.seed is None else options.seed
    machine = described(place)
    print(f"{machine['gpu']}, sm_{machine['capability']}; {versions(place.torch)}, {machine['details']}")
    print(f"float32, without TF32; inputs of the check: --seed {options.seed}")
    rows: list[dict[str, Any]] = [{"part": "machine", **machine, "seed": options.seed}]
    sizes = Sizes(toy=options.simulate)
    with _float32(torch):
        for name in options.only or PARTS:
            spent = time.perf_counter() - began
            if spent > options.within:
                print(f"\n{name}: left out, as {spent:.0f} seconds have passed (--within)")
                rows.append({"part": name, "left_out": True})
                continue
            print(f"\n{name}: {_title(PARTS[name])}", flush=True)
            try:
                rows += [{"part": name, **row} for row in PARTS[name](place, sizes, options)]
            except (BenchmarkError, RuntimeError, NotImplementedError) as error:  # the other parts can do without it
                print(f"failed: {error}")
                rows.append({"part": name, "failed": f"{type(error).__name__}: {error}"})
            rows.append({"part": name, "seconds": time.perf_counter() - began - spent})
            _write(options.out, rows)
    if options.simulate:
        print("\n(simulated: these times mean nothing)")
    print()
    summary.print_table(rows)
    summary.draw(rows, options.out)
    _write(options.out, rows)
    print(f"{time.perf_counter() - began:.0f} seconds; written to {options.out}")
    failed = [row for row in rows if row.get("wrong") or row.get("failed")]
    if failed:
        raise BenchmarkError("; ".join(f"{r.get('name', r['part'])}: {r.get('wrong') or r['failed']}" for r in failed))
    return rows


def described(place: Place) -> dict[str, Any]:
    """The machine and the software."""
    major, minor = tinyconv.cuda.get_device_capability()
    details = [f"Python {sys.version.split()[0]}"]
    with contextlib.suppress(ImportError):
        details.append(f"numba-cuda {importlib.import_module('numba_cuda').__version__}")
    if place.torch and place.peer_device == "cuda":
        details.append(f"its CUDA {place.torch.version.cuda}, cuDNN {place.torch.backends.cudnn.version()}")
    return {
        "gpu": tinyconv.cuda.get_device_name(),
        "capability": f"{major}{minor}",
        "details": ", ".join(details),
        "tinyconv": tinyconv.__version__,
        "torch": place.torch.__version__ if place.torch else None,
    }


@contextlib.contextmanager
def _float32(torch: Any) -> Any:
    """PyTorch computes in float32, not in TF32, and looks for cuDNN's fastest algorithms."""
    if torch is None:
        yield
        return
    cudnn, matmul = torch.backends.cudnn, torch.backends.cuda.matmul
    before = cudnn.allow_tf32, matmul.allow_tf32, cudnn.benchmark
    cudnn.allow_tf32, matmul.allow_tf32, cudnn.benchmark = False, False, True
    try:
        yield
    finally:
        cudnn.allow_tf32, matmul.allow_tf32, cudnn.benchmark = before


def _title(part: Callable) -> str:
    return (part.__doc__ or "").partition("\n")[0].rstrip(".")


def _write(folder: Path, rows: list[dict[str, Any]]) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "gpu.json").write_text(json.dumps(rows, indent=1) + "\n")
    except OSError as error:
        raise BenchmarkError(f"--out {folder}: {error.strerror}") from error
