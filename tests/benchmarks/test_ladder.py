"""Every rung of the ladder computes the formula, and the command prints a line for each. How fast, no test says."""

from __future__ import annotations

import importlib.util
import json
from importlib import import_module

import numpy as np
import pytest
from scipy.signal import correlate

import tinyconv
from benchmarks import harness, ladder
from benchmarks.__main__ import NOUNS, main
from benchmarks.ladder.tile import LANES, MR, NR
from tests.kernels.compare import assert_close

QUICK = ["--repeats", "2", "--block", "0", "--threads", "1", "2"]
RUNGS = [(kind, name) for kind, names in ladder.RUNGS.items() for name in names]


@pytest.fixture(autouse=True)
def _as_many_threads_as_before():
    before = tinyconv.get_num_threads()
    yield
    tinyconv.set_num_threads(before)


def drawn(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).standard_normal(shape, np.float32)


@pytest.mark.parametrize("name", ladder.RUNGS["conv2d"])
def test_conv2d(name):
    """One pixel, 1 x 1, kernels as large as the image, and every side of a tile exceeded by one."""
    conv2d = import_module(f"benchmarks.ladder.conv2d.{name}").conv2d
    for (N, C, H, W), (O, KH, KW) in [
        ((1, 1, 1, 1), (1, 1, 1)),
        ((2, 3, 4, 5), (MR + 1, 4, 5)),
        ((LANES + 1, 2, 5, NR + 4), (MR, 3, 4)),
        ((3, 5, 9, 6), (2 * MR + 3, 2, 3)),
        ((LANES, 1, 7, 7), (3, 1, 1)),
    ]:
        x, w = drawn(N, C, H, W), drawn(O, C, KH, KW)
        expected = [
            [correlate(image.astype(float), kernel, mode="valid", method="direct")[0] for kernel in w] for image in x
        ]
        y = conv2d(x, w)
        assert y.dtype == np.float32
        assert_close(y, np.array(expected), terms=C * KH * KW)


@pytest.mark.parametrize("name", ladder.RUNGS["gemm"])
def test_gemm(name):
    """One number, vectors, and every side of a tile and of a block exceeded by one."""
    matmul = import_module(f"benchmarks.ladder.gemm.{name}").matmul
    for M, K, N in [(1, 1, 1), (1, 7, NR), (MR + 1, 193, NR + 1), (97, 5, 2 * NR - 1), (2 * MR, 400, 1)]:
        a, b = drawn(M, K), drawn(K, N)
        c = matmul(a, b)
        assert c.dtype == np.float32
        assert_close(c, a.astype(float) @ b.astype(float), terms=K)


@pytest.mark.parametrize("kind, name", [(kind, name) for kind, name in RUNGS if name == "threads"])
def test_the_number_of_threads_changes_nothing(kind, name):
    function = ladder.kernel_of(import_module(f"benchmarks.ladder.{kind}.{name}"))
    arguments = (drawn(70, 2, 6, 6), drawn(4, 2, 3, 3)) if kind == "conv2d" else (drawn(300, 50), drawn(50, 200))
    results = []
    for threads in (1, 2, 3):
        tinyconv.set_num_threads(threads)
        results.append(function(*arguments).tobytes())
    assert len(set(results)) == 1


@pytest.mark.parametrize("kind, name", RUNGS)
def test_a_rung_is_short_and_explained(kind, name):
    module = import_module(f"benchmarks.ladder.{kind}.{name}")
    assert 5 < len(ladder.title_of(module)) < 40
    explanation = module.__doc__.partition(":")[2]
    assert len(explanation) > 150
    with open(module.__file__) as file:
        assert len(file.readlines()) - module.__doc__.count("\n") < 60


@pytest.fixture
def small(monkeypatch):
    """Problems small enough for a test."""
    problems = [
        ladder.Problem("conv2d", "a layer", ((3, 2, 6, 7), (5, 2, 3, 3))),
        ladder.Problem("gemm", "a product", ((7, 9), (9, 11)), without=("loops",)),
    ]
    monkeypatch.setattr(ladder, "PROBLEMS", problems)
    monkeypatch.setitem(NOUNS, "ladder", "the module under test")


@pytest.fixture
def run(small, tmp_path, capsys):
    """Runs the command; returns its exit code, its JSON rows and what it printed, to the output and as an error."""

    def command(*arguments: str) -> tuple[int, list[dict], str, str]:
        file = tmp_path / "rows.json"
        code = main(["ladder", *arguments, *QUICK, "--json", str(file)])
        printed = capsys.readouterr()
        return code, [] if code else json.loads(file.read_text()), printed.out, printed.err

    return command


@pytest.mark.parametrize("kind", ["conv2d", "gemm"])
def test_a_row_a_rung(run, kind):
    code, rows, printed, _ = run(kind)
    assert code == 0
    names = [name for name in ladder.RUNGS[kind] if kind == "conv2d" or name != "loops"]
    assert [(row["rung"], row["threads"]) for row in rows] == [
        *[(name, 2 if name == "threads" else 1) for name in names],
        ("library", 1),
        ("library", 2),
    ]
    for before, row in zip([None, *rows], rows):
        assert row["gflops"] > 0 and row["first_call_seconds"] > 0
        assert row["share_of_peak"] == pytest.approx(row["gflops"] / row["peak_gflops"])
        if before is None or row["rung"] == "library":
            assert row["step"] is None
        else:
            assert row["step"] == pytest.approx(row["gflops"] / before["gflops"])
    lines = [line.split() for line in printed.splitlines() if line]
    for row in rows:
        (line,) = [line for line in lines if line[:2] == [row["rung"], str(row["threads"])]]
        assert " ".join(line).endswith(row["title"])
        assert ("!" in line) == (row["preemptions_per_second"] > harness.MANY_PREEMPTIONS)
    assert [line[:2] for line in lines if line[0] == "peak"] == [["peak", "1"], ["peak", "2"]]


def test_operations():
    conv = ladder.Problem("conv2d", "", ((3, 2, 6, 7), (5, 2, 3, 2)))
    assert conv.operations == 2 * (3 * 5 * 4 * 6) * (2 * 3 * 2)
    assert ladder.Problem("gemm", "", ((7, 9), (9, 11))).operations == 2 * 7 * 9 * 11


def test_a_wrong_rung_is_not_timed(run, monkeypatch):
    from benchmarks.ladder.gemm import blocks

    right = blocks.matmul
    monkeypatch.setattr(blocks, "matmul", lambda a, b: right(a, b) + np.float32(1e-3))
    code, _, _, error = run("gemm")
    assert code == 1 and "gemm, a product, blocks: wrong by up to 0.001" in error


def test_only_and_unknown_names(run):
    assert {row["name"] for row in run("--only", "layer")[1]} == {"a layer"}
    code, _, _, error = run("--only", "nothing")
    assert code == 1 and "--only nothing: no such problem among ['a layer', 'a product']" in error


def test_the_picture(run, tmp_path):
    assert run("--plot", str(tmp_path / "ladder.png"))[0] == 0
    assert (tmp_path / "ladder.png").read_bytes().startswith(b"\x89PNG")
    code, _, _, error = run("gemm", "--plot", str(tmp_path / "nowhere" / "ladder.png"))
    assert code == 1 and "--plot" in error


@pytest.mark.skipif(not importlib.util.find_spec("torch"), reason="PyTorch is not installed")
def test_beside_pytorch(run):
    code, rows, _, _ = run("--vs", "torch")
    assert code == 0
    assert [row["threads"] for row in rows if row["rung"] == "torch"] == [1, 2, 1, 2]
