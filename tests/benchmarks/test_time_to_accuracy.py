"""Both sides learn from the same batches, and time stops at the goal."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks import processes, time_to_accuracy
from benchmarks.__main__ import main
from benchmarks.harness import Line
from tinyconv.vision.datasets import read_idx

from .conftest import SIDES

QUICK = ["--no-cold", "--epochs", "8"]


@pytest.mark.parametrize("side", SIDES)
def test_both_sides_reach_the_goal(measured, bright_squares, side):
    rows, printed = measured("time-to-accuracy", *side, "--accuracy", "95", "--threads", "2", *QUICK)
    (row,) = rows
    assert (row["name"], row["threads"], row["seed"], row["goal"]) == ("lenet5", 2, 0, 95)
    curves = [row[f"{key}_curve"] for key in (("ours", "peer") if side else ("ours",))]
    for curve in curves:
        assert curve[-1]["accuracy"] >= 95 > max([0, *[point["accuracy"] for point in curve[:-1]]])
        assert [point["epoch"] for point in curve] == [(i + 1) / 2 for i in range(len(curve))]
        seconds = [point["seconds"] for point in curve]
        assert seconds == sorted(seconds)
    assert row["ours_seconds"] == row["ours_curve"][-1]["seconds"]
    if side:
        assert row["ratio"] == pytest.approx(row["peer_seconds"] / row["ours_seconds"])
        # The same weights and batches: the first accuracies differ by rounding only, so by hardly an image.
        assert abs(curves[0][0]["accuracy"] - curves[1][0]["accuracy"]) <= 3
        assert "geometric mean" in printed
    assert "goal" in printed


def test_a_goal_that_is_never_reached(measured, bright_squares):
    rows, printed = measured("time-to-accuracy", "--accuracy", "101", "--limit", "128", "--no-cold", "--epochs", "1")
    assert rows[0]["ours_seconds"] is None and "ratio" not in rows[0]
    assert len(rows[0]["ours_curve"]) == 2
    assert "never" in printed


def test_one_row_for_each_seed_and_number_of_threads(monkeypatch, measured, bright_squares):
    asked, weights = [], []

    def fake(task, options, environment=None):
        asked.append((options["threads"], options["seed"]))
        weights.append(float(np.load(options["weights"])["c1.weight"][0, 0, 0, 0]))
        return [Line(3.0, {"epoch": 0.5, "accuracy": 98.0}), Line(5.0, {"epoch": 1.0, "accuracy": 99.0})]

    monkeypatch.setattr(time_to_accuracy, "run_process", fake)
    rows, _ = measured("time-to-accuracy", "--threads", "1", "2", "--seed", "3", "4", "--no-cold")
    assert [(row["threads"], row["seed"]) for row in rows] == asked[1:] == [(1, 3), (1, 4), (2, 3), (2, 4)]
    assert asked[0] == (1, 3)  # compiles
    assert weights[1] == weights[3] != weights[2] == weights[4]
    assert [row["ours_seconds"] for row in rows] == [5.0] * 4


def test_what_compiling_adds(monkeypatch):
    seconds = {True: iter([20.0, 5.0]), False: iter([30.0])}

    def fake(task, options, environment=None):
        assert options["limit"] == 128 and options["epochs"] == 1
        return [Line(1.0, {}), Line(next(seconds[bool(environment)]), {})]

    monkeypatch.setattr(time_to_accuracy, "run_process", fake)
    assert time_to_accuracy.compile_kernels({"batch_size": 64}, cold=True) == {"compiling_seconds": 15.0}


def test_without_mnist_it_says_so(monkeypatch, tmp_path, capsys):
    monkeypatch.delenv("TINYCONV_DATA", raising=False)
    monkeypatch.setattr("tinyconv.vision.datasets.download.cache_folder", lambda: tmp_path)
    assert main(["time-to-accuracy"]) == 1
    assert "MNIST is not in" in capsys.readouterr().err


class Recorder:
    """A library that learns nothing and notes everything."""

    def __init__(self):
        self.batches, self.rates, self.evaluated = [], [], []
        self.optimizer = SimpleNamespace(param_groups=[{}])

    def from_numpy(self, array):
        return array

    def Training(self, network, weights, **sgd):
        self.sgd = sgd
        return self

    def step(self, x, target):
        self.batches.append((x, target))
        self.rates.append(self.optimizer.param_groups[0]["lr"])

    def correct(self, x, target):
        self.evaluated.append((len(self.batches), len(x)))
        return len(x) if len(self.batches) >= 40 else 0


def test_the_data_path(bright_squares, monkeypatch, tmp_path):
    library, said = Recorder(), []
    monkeypatch.setattr(processes, "load", lambda side, threads: library)
    monkeypatch.setattr(processes, "say", lambda **values: said.append(values))
    monkeypatch.setattr(processes, "TEST_BATCH", 150)
    np.savez(tmp_path / "weights.npz", w=np.zeros(1))
    folder = bright_squares / "MNIST" / "raw"
    processes.accuracy(
        "ours", 1, str(folder), str(tmp_path / "weights.npz"), 100, 0, 0.1, {"momentum": 0.5}, 32, 2, 2, None
    )
    assert library.sgd == {"lr": 0.1, "momentum": 0.5}
    # 25 steps an epoch; evaluation after 13 and 25, until the goal, on all 200 test images
    assert library.evaluated == [(13, 150), (13, 50), (25, 150), (25, 50), (38, 150), (38, 50), (50, 150), (50, 50)]
    assert [point["accuracy"] for point in said] == [0, 0, 0, 100]
    np.testing.assert_allclose(library.rates, [0.05 * (1 + math.cos(math.pi * i / 50)) for i in range(50)])

    images = read_idx(folder / "train-images-idx3-ubyte.gz")
    labels = read_idx(folder / "train-labels-idx1-ubyte.gz")
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1)))
    shifts = [(dy, dx) for dy in range(3) for dx in range(3)]
    known = {padded[i, dy : dy + 28, dx : dx + 28].tobytes(): (i, dy, dx) for i in range(800) for dy, dx in shifts}
    for epoch in (library.batches[:25], library.batches[25:]):
        assert all(x.shape == (32, 1, 28, 28) and x.dtype == np.float32 for x, _ in epoch)
        pixels = [np.rint(x * 78.6 + 33.3).astype(np.uint8) for x, _ in epoch]
        found = [known[image.tobytes()] for x in pixels for image in x]
        assert sorted(i for i, _, _ in found) == list(range(800))
        assert {(dy, dx) for _, dy, dx in found} == set(shifts)
        np.testing.assert_array_equal(np.concatenate([t for _, t in epoch]), labels[[i for i, _, _ in found]])


def test_idx_files_plain_and_compressed(bright_squares):
    folder = bright_squares / "MNIST" / "raw"
    for name in ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte"):
        path = folder / name
        truth = read_idx(path if path.exists() else folder / f"{name}.gz")
        np.testing.assert_array_equal(processes.read_idx(folder, name), truth)
