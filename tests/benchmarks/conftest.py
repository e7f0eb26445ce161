"""A benchmark run with as few repeats as possible, alone and beside PyTorch, on images that are learnt at once."""

from __future__ import annotations

import importlib.util
import json

import numpy as np
import pytest

import tinyconv
from benchmarks import harness
from benchmarks.__main__ import main
from tinyconv.vision.datasets import write_idx

needs_torch = pytest.mark.skipif(not importlib.util.find_spec("torch"), reason="PyTorch is not installed")
SIDES = [[], pytest.param(["--vs", "torch"], marks=needs_torch)]


@pytest.fixture(autouse=True)
def _as_many_threads_as_before():
    before = tinyconv.get_num_threads()
    yield
    tinyconv.set_num_threads(before)


@pytest.fixture(autouse=True)
def _no_wait_between_sides(monkeypatch):
    monkeypatch.setattr(harness, "PAUSE", 0)
    monkeypatch.setattr(harness, "WARM_UP", 0)


@pytest.fixture
def measured(tmp_path, capsys):
    """Runs a benchmark; returns its JSON rows and what it printed."""

    def run(*arguments: str) -> tuple[list[dict], str]:
        assert main([*arguments, "--json", str(tmp_path / "rows.json")]) == 0
        return json.loads((tmp_path / "rows.json").read_text()), capsys.readouterr().out

    return run


@pytest.fixture
def bright_squares(tmp_path, monkeypatch):
    """A folder with MNIST/raw, and TINYCONV_DATA set to it: 800 and 200 images, each with a square where its label
    says."""
    raw = tmp_path / "data" / "MNIST" / "raw"
    raw.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for name, n in (("train", 800), ("t10k", 200)):
        labels = rng.integers(0, 10, n)
        images = rng.integers(0, 100, (n, 28, 28))
        for image, label in zip(images, labels, strict=True):
            row, column = 3 + 12 * (label // 5), 2 + 5 * (label % 5)
            image[row : row + 5, column : column + 5] = 255
        suffix = ".gz" if name == "train" else ""
        write_idx(raw / f"{name}-images-idx3-ubyte{suffix}", images.astype(np.uint8))
        write_idx(raw / f"{name}-labels-idx1-ubyte{suffix}", labels.astype(np.uint8))
    monkeypatch.setenv("TINYCONV_DATA", str(tmp_path / "data"))
    return tmp_path / "data"
