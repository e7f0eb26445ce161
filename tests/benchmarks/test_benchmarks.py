"""The benchmarks run, alone and beside PyTorch, and what they write is consistent. How fast, no test says."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.__main__ import NOUNS, main
from benchmarks.harness import MANY_PREEMPTIONS, BenchmarkError, Comparison, Table, geometric_mean, run_process

from .conftest import SIDES, needs_torch

QUICK = ["--repeats", "2", "--block", "0"]


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
    rows, printed = measured("lenet5", *side, "--batch-size", "8", "3", "--threads", "1", "2", *QUICK)
    assert [(row["batch_size"], row["threads"]) for row in rows] == [(8, 1), (8, 2), (3, 1), (3, 2)]
    for row in rows:
        assert row["name"] == "lenet5"
        check(row, "images_per_second", bool(side))
    assert "first step: " in printed and "page faults a step: " in printed


@pytest.mark.parametrize("side", SIDES)
def test_resnet20(measured, side):
    rows, printed = measured("resnet20", *side, "--batch-size", "16", *QUICK)
    assert [(row["name"], row["batch_size"], row["threads"]) for row in rows] == [("resnet20", 16, 1)]
    check(rows[0], "images_per_second", bool(side))
    assert "ResNet-20 training" in printed


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("layer", ["LeNet-5 c1", "CIFAR 16-32 /2", "transposed", "depthwise"])
def test_conv(measured, side, layer):
    rows, printed = measured("conv", *side, "--only", layer, *QUICK)
    assert [row["pass"] for row in rows] == ["forward", "gx", "gw"]
    for row in rows:
        check(row, "gflops", bool(side))
    assert ("geometric mean" in printed) == bool(side)


@pytest.mark.parametrize("side", SIDES)
def test_gemm(measured, side):
    rows, _ = measured("gemm", *side, "--only", "LeNet-5", *QUICK)
    assert len(rows) == 9
    for row in rows:
        check(row, "gflops", bool(side))


def test_gemm_beside_blas(measured):
    pytest.importorskip("threadpoolctl")
    rows, out = measured("gemm", "--blas", "--only", "LeNet-5 output", *QUICK)
    assert "openblas" in out or "mkl" in out or "accelerate" in out
    for row in rows:
        check(row, "gflops", True)


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


@needs_torch
@pytest.mark.parametrize("noun, kernel", [("conv", "conv2d"), ("gemm", "matmul")])
def test_wrong_results_are_not_timed(monkeypatch, capsys, noun, kernel):
    from tinyconv.kernels import cpu

    right = getattr(cpu, kernel)
    monkeypatch.setattr(cpu, kernel, lambda *args: right(*args) * 1.1)
    assert main([noun, "--vs", "torch", "--only", "LeNet-5", *QUICK]) == 1
    assert "results differ" in capsys.readouterr().err


@needs_torch
@pytest.mark.parametrize("noun", ["lenet5", "resnet20"])
def test_different_losses_are_not_timed(monkeypatch, capsys, noun):
    from benchmarks import ours

    step = ours.Training.step
    monkeypatch.setattr(ours.Training, "step", lambda self, *batch: step(self, *batch) * 1.01)
    assert main([noun, "--vs", "torch", "--batch-size", "16", *QUICK]) == 1
    assert "losses differ" in capsys.readouterr().err


@needs_torch
@pytest.mark.parametrize("noun, name", [("lenet5", "output.bias"), ("resnet20", "bn1.weight")])
def test_different_gradients_are_not_timed(monkeypatch, capsys, noun, name):
    from benchmarks import ours

    gradients = ours.Training.gradients
    monkeypatch.setattr(ours.Training, "gradients", lambda self: (g := gradients(self)) | {name: 1.05 * g[name]})
    assert main([noun, "--vs", "torch", "--batch-size", "16", *QUICK]) == 1
    assert f"gradients of {name} differ by 0.05" in capsys.readouterr().err


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


def test_times_are_in_microseconds_and_the_ratio_still_says_how_much_faster():
    row = Comparison(np.array([1e-6, 2e-6, 9e-6]), np.array([6e-6, 6e-6, 6e-6])).times()
    assert (row["ours_microseconds"], row["peer_microseconds"], row["ratio"]) == pytest.approx((2, 6, 3))
    assert row["ratio_quartiles"] == pytest.approx([(6 / 9 + 3) / 2, 4.5])


def test_every_noun_is_a_module_with_help(capsys):
    for noun in NOUNS:
        module = importlib.import_module(f"benchmarks.{noun.replace('-', '_')}")
        assert callable(module.run) and module.__doc__
        with pytest.raises(SystemExit) as exit_:
            main([noun, "--help"])
        assert exit_.value.code == 0
        printed = capsys.readouterr().out
        assert f"python -m benchmarks {noun}" in printed and "--threads" in printed
        assert ("--block" in printed) != getattr(module, "PROCESSES", False)


def test_help_lists_the_nouns_and_another_noun_is_refused(capsys):
    with pytest.raises(SystemExit):
        main(["--help"])
    printed = capsys.readouterr().out
    assert all(f"  {noun} " in printed for noun in NOUNS)
    with pytest.raises(SystemExit) as exit_:
        main(["nothing"])
    assert exit_.value.code == 2


@pytest.mark.parametrize("side, other", [("ours", "torch"), pytest.param("theirs", "tinyconv", marks=needs_torch)])
def test_a_process_of_one_side_knows_nothing_of_the_other(side, other):
    code = f"import sys, benchmarks.processes, benchmarks.{side}; print({other!r} in sys.modules)"
    root = Path(__file__).parents[2]
    result = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "False"


def test_a_process_that_fails_is_a_clear_error():
    with pytest.raises(BenchmarkError, match="nothing {}: KeyError: 'nothing'"):
        run_process("nothing", {})
