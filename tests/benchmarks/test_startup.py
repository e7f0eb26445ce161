"""Start-up is measured from the start of a process; ``tinyconv train`` is stopped after its first step."""

from __future__ import annotations

import pytest

from benchmarks import startup
from benchmarks.__main__ import main
from benchmarks.harness import Line, run_process

from .conftest import SIDES


@pytest.mark.parametrize("side", SIDES)
def test_warm(measured, side):
    (row,), printed = measured("startup", *side, "--cold", "0", "--repeats", "1", "--threads", "2")
    assert (row["name"], row["threads"]) == ("warm", 2)
    assert row["ours_seconds"] > 0
    if side:
        assert row["ratio"] == pytest.approx(row["peer_seconds"] / row["ours_seconds"])
    else:
        assert "ratio" not in row and "peer_seconds" not in row
    assert "import + first step, warm" in printed


def test_sides_take_turns_and_the_first_of_each_does_not_count(monkeypatch):
    turns, seconds = [], iter([90.0, 80.0, 2.0, 6.0, 8.0, 4.0])

    def fake(task, options):
        turns.append(options["side"])
        return [Line(next(seconds), {"loss": 2.3})]

    monkeypatch.setattr(startup, "run_process", fake)
    row = startup.warm(threads=1, repeats=2, beside_peer=True)
    assert turns == ["theirs", "ours", "ours", "theirs", "theirs", "ours"]
    assert (row["ours_seconds"], row["peer_seconds"], row["ratio"]) == (3, 7, 7 / 3)


def test_the_command_stops_after_one_step(bright_squares, tmp_path):
    arguments = [
        "train",
        "lenet5",
        "--data",
        "mnist",
        "--data-dir",
        str(bright_squares),
        "--out",
        str(tmp_path / "run"),
    ]
    lines = run_process("first_step_of_command", {"arguments": arguments})
    assert [line.value for line in lines] == [{"step": 1}]
    assert not (tmp_path / "run" / "metrics.json").exists()


def test_cold_rows(measured, monkeypatch, bright_squares):
    monkeypatch.setattr(startup, "command", lambda folder, threads: (9.0 + threads, 2.0))
    rows, printed = measured("startup", "--repeats", "1", "--threads", "1")
    assert [(row["name"], row["ours_seconds"]) for row in rows[:2]] == [("cold command", 10), ("the same, warm", 2)]
    assert "cold command" in printed


@pytest.mark.slow
def test_a_cold_command_compiles_and_a_warm_one_does_not(bright_squares):
    cold, again = startup.command(bright_squares, 2)
    assert again < cold


def test_without_mnist_it_says_so(monkeypatch, tmp_path, capsys):
    monkeypatch.delenv("TINYCONV_DATA", raising=False)
    monkeypatch.setattr("tinyconv.vision.datasets.download.cache_folder", lambda: tmp_path)
    assert main(["startup"]) == 1
    assert "MNIST is not in" in capsys.readouterr().err
