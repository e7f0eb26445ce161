"""Every operation gives the same results in both libraries before it is timed."""

from __future__ import annotations

import pytest

import tinyconv
from benchmarks import overhead
from benchmarks.__main__ import main

from .conftest import SIDES, needs_torch

QUICK = ["--repeats", "2", "--block", "0"]


@pytest.mark.parametrize("side", SIDES)
def test_all_operations(measured, side):
    rows, printed = measured("overhead", *side, *QUICK)
    assert [row["name"] for row in rows] == list(overhead.MAKERS)
    for row in rows:
        assert row["ours_microseconds"] > 0
        if side:
            assert row["ratio"] == pytest.approx(row["peer_microseconds"] / row["ours_microseconds"])
    assert ("geometric mean" in printed) == bool(side)


def test_gradients_are_made_anew_by_every_call():
    operation = overhead.MAKERS["add (4) + (4)"](tinyconv)
    for _ in range(3):
        operation.call()
        assert [g.tolist() for g in operation.results()] == [[1.0] * 4] * 2


@needs_torch
def test_wrong_results_are_not_timed(monkeypatch, capsys):
    monkeypatch.setattr(tinyconv, "relu", lambda x: x * 1.1)
    assert main(["overhead", "--vs", "torch", "--only", "relu", *QUICK]) == 1
    assert "relu (4): results differ" in capsys.readouterr().err


def test_an_unknown_name_is_a_clear_error(capsys):
    assert main(["overhead", "--only", "nothing", *QUICK]) == 1
    assert "--only nothing: no such" in capsys.readouterr().err
