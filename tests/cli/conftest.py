"""Commands run in this process, on a small MNIST of drawn digits, where no network can be asked."""

import subprocess
import sys
from types import SimpleNamespace

import pytest

import tinyconv
from tinyconv.cli import main
from tinyconv.vision.datasets import MNIST, FashionMNIST, write_idx
from tinyconv.vision.datasets.strokes import draw_digits

TRAIN, TEST = 600, 200


@pytest.fixture(scope="session")
def data_dir(tmp_path_factory):
    """A folder with MNIST/raw: 600 and 200 drawn digits."""
    root = tmp_path_factory.mktemp("data")
    raw = root / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for name, count, split in (("train", TRAIN, 0), ("t10k", TEST, 1)):
        images, labels = draw_digits(count, split=split)
        write_idx(raw / f"{name}-images-idx3-ubyte", images)
        write_idx(raw / f"{name}-labels-idx1-ubyte", labels.astype("uint8"))
    return root


@pytest.fixture(autouse=True)
def _own_world(tmp_path, monkeypatch):
    """No MNIST anywhere, no mirror to ask, and the settings that a command changes restored."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TINYCONV_DATA", raising=False)
    monkeypatch.setattr("tinyconv.vision.datasets.download.cache_folder", lambda: tmp_path / "cache")
    for dataset in (MNIST, FashionMNIST):
        monkeypatch.setattr(dataset, "mirrors", [])
    threads = tinyconv.get_num_threads()
    yield
    tinyconv.set_num_threads(threads)


@pytest.fixture
def tiny(capsys):
    """``tiny("train", "lenet5", ...)``: its status, output and errors."""

    def run(*argv):
        capsys.readouterr()
        status = main([str(argument) for argument in argv])
        out, err = capsys.readouterr()
        return SimpleNamespace(status=status, out=out, err=err)

    return run


@pytest.fixture(scope="session")
def trained(data_dir, tmp_path_factory):
    """The folder of a finished run, which reads drawn digits fairly well. Do not change it: copy it."""
    out = tmp_path_factory.mktemp("trained") / "run"
    argv = ["train", "lenet5", "--data", "mnist", "--data-dir", data_dir, "--epochs", 15, "--batch-size", 20]
    command = [sys.executable, "-m", "tinyconv", *map(str, argv), "--out", str(out)]
    subprocess.run(command, check=True, capture_output=True)
    return out
