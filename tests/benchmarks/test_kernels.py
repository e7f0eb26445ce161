"""The table of all kernels and the roofline: they run, agree with the peer, and count bytes and operations rightly."""

from __future__ import annotations

import inspect
import math

import numpy as np
import pytest

from benchmarks import gemm, kernels, limits
from benchmarks.__main__ import main
from benchmarks.place import Place
from benchmarks.roofline import points
from tinyconv.kernels import cpu
from tinyconv.vision.models import lenet5

from .conftest import SIDES, needs_torch

QUICK = ["--repeats", "2", "--block", "0"]


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    """Shapes with the same structure, and little to do."""
    monkeypatch.setattr(kernels, "SHAPES", [(2, 3, 6, 6), (2, 3, 7, 9)])
    monkeypatch.setattr(kernels, "CLASSES", [(4, 5)])
    monkeypatch.setattr(kernels, "NETWORKS", {"LeNet-5": lenet5})
    monkeypatch.setattr(kernels.gemm, "PRODUCTS", [("square 8", 8, 8, 8, "")])
    monkeypatch.setattr(kernels.conv, "LAYERS", [layer for layer in kernels.conv.LAYERS if layer.name == "LeNet-5 c3"])


@pytest.mark.parametrize("side", SIDES)
def test_every_kernel_is_measured(measured, side, tmp_path):
    rows, printed = measured("kernels", *side, "--threads", "1", "2", "--plot", str(tmp_path / "roofline.png"), *QUICK)
    names = {row["name"] for row in rows}
    assert {"relu", "max pool 3x3 gradient", "dropout", "batch norm", "cross-entropy", "gemm square 8"} <= names
    assert {"sgd", "sgd of LeNet-5", "adam", "adam of LeNet-5"} <= names
    assert {f"conv LeNet-5 c3 {which}" for which in ("forward", "gx", "gw")} <= names
    assert {row["threads"] for row in rows} == {1, 2}
    for row in rows:
        assert row["name"] in printed
        seconds = row["microseconds"] / 1e6
        assert row["ours_gbytes_per_second"] == pytest.approx(row["bytes"] / seconds / 1e9)
        assert row["of_copy"] == pytest.approx(row["ours_gbytes_per_second"] / row["copy_gbytes_per_second"])
        assert row["of_peak"] == pytest.approx(row["gflops"] / row["peak_gflops"])
        assert row["intensity"] == pytest.approx(row["gflops"] / row["ours_gbytes_per_second"])
        assert ("ratio" in row) == bool(side)
    assert (tmp_path / "roofline.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    "name, expected",
    [
        ("relu", 2 * 4 * 216),
        ("relu gradient", 3 * 4 * 216),
        ("max pool 2x2", 4 * 216 + 5 * 54),  # each maximum, and where it was, in a byte
        ("max pool 2x2 gradient", 5 * 54 + 4 * 216),
        ("average of planes", 4 * 216 + 4 * 6),
        ("sum of channels", 4 * 216 + 4 * 3),
        ("sgd", 5 * 4 * 216),  # three arrays are read, two written
        ("adam", 7 * 4 * 216),  # four, three
    ],
)
def test_bytes_that_have_to_move(name, expected):
    (kernel, _) = [kernel for kernel in kernels.all_kernels(Place()) if kernel.name == name]
    assert kernel.bytes() == expected


def test_only_some(measured):
    rows, _ = measured("kernels", "--only", "pool", *QUICK)
    assert rows and all("pool" in row["name"] for row in rows)


def test_an_unknown_name_is_a_clear_error(capsys):
    assert main(["kernels", "--only", "nothing", *QUICK]) == 1
    assert "--only nothing: no such kernel among ['relu', 'relu gradient', " in capsys.readouterr().err


@needs_torch
@pytest.mark.parametrize("name", ["relu", "batch_norm_gx", "cross_entropy", "max_pool2d_gx", "sgd", "adam"])
def test_wrong_results_are_not_timed(monkeypatch, capsys, name):
    right = getattr(cpu, name)

    def wrong(*args):
        if name in ("sgd", "adam"):
            rate = {"sgd": 3, "adam": 5}[name]
            return right(*args[:rate], 1.0, *args[rate + 1 :])
        result = right(*args)
        return tuple(a * 1.1 for a in result) if isinstance(result, tuple) else result * 1.1

    monkeypatch.setattr(cpu, name, wrong)
    assert main(["kernels", "--vs", "torch", *QUICK]) == 1
    assert "results differ" in capsys.readouterr().err


def test_the_picture_shows_a_kernel_once():
    def row(name: str, bytes: int, threads: int) -> dict:
        return {"name": name, "bytes": bytes, "threads": threads}

    rows = [
        row("relu", 9, 1),
        row("relu", 5, 2),
        row("relu", 7, 2),
        row("conv c1 forward", 1, 2),
        row("conv c1 gx", 1, 2),
    ]
    assert points(rows) == [row("relu", 7, 2), row("conv c1 forward", 1, 2)]


def test_a_copy_copies_everything():
    for n, size in ((10, 4), (16, 16), (1, 5)):
        x, y, z = np.arange(n, dtype=np.float32), np.full(n, -1, np.float32), np.full(n, -1, np.float32)
        limits._copy(math.ceil(n / size), x, y, size)
        limits._negate(math.ceil(n / size), x, z, size)
        np.testing.assert_array_equal(y, x)
        np.testing.assert_array_equal(z, -x)


def test_the_peak_multiplies_as_much_as_it_says():
    """One step of the tile adds the product of a matrix of ones with another to what is there."""
    MR, size, depth = limits.MR, limits.NV * limits.VECTOR_BYTES // 4, 3
    S, V, out = np.ones(MR * depth, np.float32), np.ones(depth * size, np.float32), np.zeros(2 * MR * size, np.float32)
    limits._multiply(2, 5, S, np.arange(MR) * depth, V, np.arange(depth) * size, out, size)
    np.testing.assert_array_equal(out, 5.0 * depth)


@needs_torch
@pytest.mark.parametrize("turned", ["", "x", "y"])
def test_both_sides_of_a_product_have_arrays_of_their_own(turned):
    import torch

    functions = gemm.contenders(20, 30, 40, turned, Place("cpu", torch))
    ours, theirs = (inspect.getclosurevars(function).nonlocals for function in functions)
    for mine, other in (("u", "a"), ("v", "b")):
        assert theirs[other].untyped_storage().resizable()  # not NumPy's memory
        assert np.array_equal(ours[mine], theirs[other])
        assert [4 * step for step in theirs[other].stride()] == list(ours[mine].strides)
