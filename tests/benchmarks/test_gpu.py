"""``benchmarks gpu`` in the simulator: every part runs, a wrong kernel is found, and what is missing is said."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

import tinyconv
from benchmarks import gpu, training
from benchmarks.__main__ import main
from benchmarks.gpu import check, parts, summary, timing
from benchmarks.place import Place
from tinyconv.kernels import contract
from tinyconv.kernels import cuda as backend

from .conftest import needs_torch


@pytest.fixture
def run(tmp_path, capsys, monkeypatch):
    """The command in the simulator; returns its exit code, its rows, what it printed, and its errors."""
    monkeypatch.setattr(training, "CHECKED_STEPS", 1)
    monkeypatch.setattr(training, "BATCHES", 1)

    def command(*arguments: str) -> tuple[int, list[dict], str, str]:
        out = tmp_path / "gpu"
        code = main(["gpu", "--simulate", "--out", str(out), *arguments])
        printed = capsys.readouterr()
        return code, json.loads((out / "gpu.json").read_text()), printed.out, printed.err

    return command


def test_every_kernel_is_checked_and_right():
    assert check.CASES.keys() | check.UNCHECKED.keys() == contract.KERNELS.keys()
    with tinyconv.cuda.simulated():
        verdicts = list(check.check_all(Place("cuda"), seed=3, large=1))
    assert {v.name for v in verdicts} == check.CASES.keys()
    assert [v for v in verdicts if v.wrong or not v.cases] == []


@pytest.mark.parametrize(
    "name, broken, message",
    [
        ("relu", lambda right, x: backend.mul(right(x), backend.full((), 1.001, x.dtype)), "wrong by 0.0"),
        ("sum", lambda right, x, axes, keep: backend.full(right(x, axes, keep).shape, np.nan, x.dtype), "NaN or infin"),
        ("sum", lambda right, x, axes, keep: right(x, axes, not keep), "ValueError: shape"),
        ("argmax", lambda right, x, axis: right(backend.neg(x), axis), "wrong by 1"),
        ("copy", lambda right, x: backend.empty(x.shape, x.dtype), "NaN|written"),
    ],
)  # fmt: skip
def test_a_wrong_kernel_is_found(monkeypatch, name, broken, message):
    right = getattr(backend, name)
    monkeypatch.setattr(backend, name, lambda *args: broken(right, *args))
    with tinyconv.cuda.simulated():
        verdict = check.checked(name, Place("cuda"), check.Draw(0, 1))
    assert verdict.wrong and re.search(message, verdict.wrong)


def test_memory_is_poisoned_on_the_real_device(monkeypatch):
    """Every new array's block is filled with bytes that are NaN, and the device is as before at the end."""

    class Device:
        stream = 13

        def __init__(self):
            self.calls = []

        def call(self, *args):
            self.calls.append(args)

        def fresh(self, array):
            self.calls.append("as before")

    device = Device()
    monkeypatch.setattr(check.runtime, "device", lambda: device)
    block = type("Block", (), {"pointer": 64, "nbytes": 512})
    array = type("Array", (), {"block": block})
    with check.poisoned():
        device.fresh(array)
    device.fresh(array)
    assert device.calls == [("cuMemsetD8Async", 64, 0xFF, 512, 13), "as before"]


def test_the_quick_parts(run):
    names = ["launch", "copy", "gemm", "conv", "kernels", "ladder"]
    code, rows, printed, _ = run("--alone", "--only", *names)
    assert code == 0
    assert [row["part"] for row in rows if "seconds" in row] == names
    assert rows[0]["gpu"] == "simulator" and rows[0]["torch"] is None
    assert {row["name"] for row in summary.part(rows, "ladder")} == {*gpu.parts.ladder_of_the_gpu.RUNGS, "library"}
    assert {row["pass"] for row in summary.part(rows, "conv")} == {"forward", "gx", "gw"}
    assert all(row["of_copy"] > 0 for row in summary.part(rows, "kernels"))
    assert "ratio" not in {key for row in rows for key in row}
    assert printed.count("not measured") >= 8
    assert "times mean nothing" in printed


@needs_torch
def test_beside_pytorch(run, tmp_path):
    code, rows, _, _ = run("--only", "gemm", "kernels")
    assert code == 0
    assert all(row["ratio"] > 0 for row in summary.part(rows, "gemm") + summary.part(rows, "kernels"))
    assert (tmp_path / "gpu" / "gpu.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.slow
def test_steps_and_training(run):
    code, rows, printed, _ = run("--alone", "--only", "steps", "train")
    assert code == 0
    assert [row["graphs"] for row in summary.part(rows, "steps")] == [False, True]
    (epoch,) = summary.part(rows, "train")
    assert epoch["data"] in printed and 0 <= epoch["accuracy"] <= 1


def test_what_does_not_fit_into_the_time_is_left_out(run):
    code, rows, printed, _ = run("--alone", "--only", "copy", "--within", "-1")
    assert code == 0
    assert {"part": "copy", "left_out": True} in rows
    assert "copy: left out" in printed


def test_a_part_that_fails_does_not_stop_the_others(run, monkeypatch):
    def failing(*_):
        raise RuntimeError("no luck")

    monkeypatch.setitem(parts.PARTS, "launch", failing)
    code, rows, printed, error = run("--alone", "--only", "launch", "copy")
    assert code == 1 and "launch: RuntimeError: no luck" in error
    assert summary.part(rows, "copy") and "failed: no luck" in printed


def test_without_a_gpu(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr(tinyconv.cuda, "why_unavailable", lambda: "no GPU: buy one")
    assert main(["gpu", "--out", str(tmp_path / "gpu")]) == 1
    error = capsys.readouterr().err
    assert "no GPU: buy one" in error and "--simulate" in error
    assert not (tmp_path / "gpu").exists()


def test_events_are_asked_of_the_driver(monkeypatch):
    """On the real device the clock is a pair of events around the launches, on our stream."""
    log = []

    class Device:
        stream = 13

        def call(self, name, *args):
            log.append((name, *args))
            return {"cuEventElapsedTime": 2.5}.get(name, len(log))

    monkeypatch.setattr(timing.runtime, "device", Device)
    monkeypatch.setattr(timing.runtime, "synchronize", lambda: log.append(("wait",)))
    assert timing.Clock().seconds(lambda: log.append(("launches",))) == 0.0025
    assert log == [
        ("cuEventCreate", 0), ("cuEventCreate", 0), ("wait",), ("cuEventRecord", 1, 13), ("launches",),
        ("cuEventRecord", 2, 13), ("cuEventSynchronize", 2), ("cuEventElapsedTime", 1, 2),
    ]  # fmt: skip


def test_the_summary_says_what_was_measured():
    rows = [
        {"part": "gemm", "name": "square 2048", "shape": [2048] * 3, "ratio": 0.8},
        {"part": "gemm", "name": "square 4096", "shape": [4096] * 3, "ratio": 0.2},
        {"part": "gemm", "name": "square 512", "shape": [512] * 3, "ratio": 9.0},
        {"part": "steps", "name": "lenet5", "batch_size": 64, "graphs": False, "peer_images_per_second": 10.0,
         "ratio": 1.5},
        {"part": "steps", "name": "lenet5", "batch_size": 64, "graphs": True, "ours_images_per_second": 30.0,
         "ratio": 0.5},
    ]  # fmt: skip
    found = {what: text for what, _, text in summary.lines(rows)}
    assert found["SGEMM from 2048 on / cuBLAS"] == "0.40, least 0.20"
    assert found["lenet5 steps, eager / PyTorch eager"] == "1.50, least 1.50"
    assert found["lenet5 steps, graphs / PyTorch eager"] == "3.00, least 3.00"
    assert found["3x3 convolutions / cuDNN"] == found["LeNet-5, trained"] == "not measured"
