"""Memory is measured in processes of their own, and grows with what is trained."""

from __future__ import annotations

import sys

import pytest

from benchmarks.__main__ import main
from benchmarks.harness import run_process
from benchmarks.training import IMAGES

from .conftest import SIDES

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux's /proc")
QUICK = ["--steps", "2"]


@pytest.mark.parametrize("side", SIDES)
def test_memory(measured, side):
    rows, printed = measured("memory", *side, "--only", "lenet5", "--batch-size", "3", "8", *QUICK)
    assert [(row["name"], row["batch_size"], row["threads"]) for row in rows] == [("lenet5", 3, 1), ("lenet5", 8, 1)]
    for row in rows:
        for key in ("ours", "peer") if side else ("ours",):
            assert row[f"{key}_loaded_bytes"] > 10 * 2**20  # an interpreter with NumPy
            assert row[f"{key}_added_bytes"] == row[f"{key}_peak_bytes"] - row[f"{key}_loaded_bytes"] >= 0
            assert row[f"{key}_faults_per_step"] >= 0
        assert ("ratio" in row) == bool(side)
    assert ("peer" in printed.partition("loaded")[2].partition("MiB")[0]) == bool(side)


def test_training_adds_at_least_what_it_keeps():
    """ResNet-20 keeps at least the outputs of its 19 convolutions for the backward pass."""
    n = 32
    options = {"side": "ours", "threads": 1, "network": "resnet20", "image": IMAGES["resnet20"], "steps": 1}
    (line,) = run_process("memory", {**options, "batch_size": n})
    kept = 4 * n * (7 * 16 * 32 * 32 + 6 * 32 * 16 * 16 + 6 * 64 * 8 * 8)
    assert line.value["peak"] - line.value["loaded"] > kept


def test_elsewhere_it_says_so(monkeypatch, capsys):
    monkeypatch.setattr("benchmarks.memory.sys.platform", "darwin")
    assert main(["memory"]) == 1
    assert "needs Linux's /proc" in capsys.readouterr().err
