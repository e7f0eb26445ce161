"""The benchmarks run, alone and beside PyTorch, and what they write is consistent. How fast, no test says."""

from __future__ import annotations

import importlib.util
import json
import sys

import numpy as np
import pytest

import tinyconv
from benchmarks.__main__ import main
from benchmarks.harness import MANY_PREEMPTIONS, Comparison, Table, geometric_mean

QUICK = ["--repeats", "2", "--block", "0"]
SIDES = [
    [],
    pytest.param(
        ["--vs", "torch"],
        marks=pytest.mark.skipif(not importlib.util.find_spec("torch"), reason="PyTorch is not installed"),
    ),
]


@pytest.fixture(autouse=True)
def _as_many_threads_as_before():
    before = tinyconv.get_num_threads()
    yield
    tinyconv.set_num_threads(before)


@pytest.fixture
def measured(tmp_path, capsys):
    """Runs a benchmark; returns its JSON rows and what it printed."""

    def run(*arguments: str) -> tuple[list[dict], str]:
        assert main([*arguments, *QUICK, "--json", str(tmp_path / "rows.json")]) == 0
        return json.loads((tmp_path / "rows.json").read_text()), capsys.readouterr().out

    return run


def check(row: dict, unit: str, with_peer: bool) -> None:
    assert row[f"ours_{unit}"] > 0
    if with_peer:
        assert row["ratio"] == pytest.approx(row[f"ours_{unit}"] / row[f"peer_{unit}"])
    else:
        assert not [key for key in row if "peer" in key or "ratio" in key]
    for key in [key for key in row if key.endswith("_quartiles")]:
        low, high = row[key]
        assert 0 < low <= high


@pytest.mark.parametrize("side", SIDES)
def test_lenet5(measured, side):
    rows, printed = measured("lenet5", *side, "--batch-size", "8", "3", "--threads", "1", "2")
    assert [(row["batch_size"], row["threads"]) for row in rows] == [(8, 1), (8, 2), (3, 1), (3, 2)]
    for row in rows:
        assert row["name"] == "lenet5"
        check(row, "images_per_second", bool(side))
    assert "first step: " in printed and "page faults a step: " in printed


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("layer", ["LeNet-5 c1", "CIFAR 16-32 /2", "transposed", "depthwise"])
def test_conv(measured, side, layer):
    rows, printed = measured("conv", *side, "--only", layer)
    assert [row["pass"] for row in rows] == ["forward", "gx", "gw"]
    for row in rows:
        check(row, "gflops", bool(side))
    assert ("geometric mean" in printed) == bool(side)


@pytest.mark.parametrize("side", SIDES)
def test_gemm(measured, side):
    rows, _ = measured("gemm", *side, "--only", "LeNet-5")
    assert len(rows) == 9
    for row in rows:
        check(row, "gflops", bool(side))


def test_medians_ratio_and_quartiles():
    comparison = Comparison(np.array([0.1, 0.2, 9.0]), np.array([0.4, 0.4, 0.4]), preemptions=3)
    row = comparison.row(10, "rate")
    assert (row["ours_rate"], row["peer_rate"], row["ratio"]) == pytest.approx((50, 25, 2))
    assert row["peer_rate_quartiles"] == pytest.approx([25, 25])
    assert row["ratio_quartiles"] == pytest.approx([(2 + 0.4 / 9) / 2, 3])
    assert row["preemptions_per_second"] == 3
    assert geometric_mean([{"ratio": 1}, {"ratio": 4}]) == pytest.approx(2)


def test_a_disturbed_row_is_marked(capsys):
    table = Table("rate", what=4)
    for preemptions in (MANY_PREEMPTIONS, MANY_PREEMPTIONS + 1):
        table.add(Comparison(np.ones(3), None, preemptions).row(1, "rate"), preemptions)
    table.end("things")
    head, quiet, disturbed, _, note = capsys.readouterr().out.splitlines()
    assert "!" not in head + quiet
    assert disturbed.endswith("!") and note.startswith("!: ")


def test_a_peer_that_is_not_installed_is_a_clear_error(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "torch", None)
    assert main(["lenet5", "--vs", "torch", *QUICK]) == 1
    assert "--vs torch: not installed" in capsys.readouterr().err


@pytest.mark.skipif(not importlib.util.find_spec("torch"), reason="PyTorch is not installed")
@pytest.mark.parametrize("noun, kernel", [("conv", "conv2d"), ("gemm", "matmul")])
def test_wrong_results_are_not_timed(monkeypatch, capsys, noun, kernel):
    from tinyconv.kernels import cpu

    right = getattr(cpu, kernel)
    monkeypatch.setattr(cpu, kernel, lambda *args: right(*args) * 1.1)
    assert main([noun, "--vs", "torch", "--only", "LeNet-5", *QUICK]) == 1
    assert "results differ" in capsys.readouterr().err


@pytest.mark.skipif(not importlib.util.find_spec("torch"), reason="PyTorch is not installed")
def test_different_losses_are_not_timed(monkeypatch, capsys):
    from benchmarks import lenet5

    monkeypatch.setattr(lenet5.F, "cross_entropy", lambda y, target: (y * y).mean())
    assert main(["lenet5", "--vs", "torch", "--batch-size", "4", *QUICK]) == 1
    assert "losses differ" in capsys.readouterr().err


@pytest.mark.parametrize("noun", ["conv", "gemm"])
def test_an_unknown_name_is_a_clear_error(noun, capsys):
    assert main([noun, "--only", "nothing", *QUICK]) == 1
    assert "--only nothing: no such" in capsys.readouterr().err


@pytest.mark.parametrize(
    "option, value", [("--threads", "0"), ("--repeats", "x"), ("--vs", "jax"), ("--batch-size", "-1")]
)
def test_bad_arguments(option, value, capsys):
    with pytest.raises(SystemExit) as exit_:
        main(["lenet5", option, value])
    assert exit_.value.code == 2
    assert option in capsys.readouterr().err
