"""A small data set on disk, and places that hold nothing else."""

import numpy as np
import pytest

from tinyconv.vision.datasets import write_idx

NAMES = {
    True: ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
    False: ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
}


@pytest.fixture(autouse=True)
def _own_places(tmp_path, monkeypatch):
    """No data set of the machine's is in sight."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("pooch.os_cache", lambda project: tmp_path / "cache" / project)
    monkeypatch.delenv("TINYCONV_DATA", raising=False)
    monkeypatch.setenv("NO_PROXY", "*")


@pytest.fixture
def write():
    """write(place, first_pixel=0, n=5, train=True, suffix="", name="MNIST"): n images and labels below ``place``."""

    def write(place, first_pixel=0, n=5, train=True, suffix="", name="MNIST"):
        images = np.random.default_rng(n).integers(0, 256, (n, 28, 28), np.uint8)
        images[:, 0, 0] = first_pixel
        labels = (np.arange(n) * 3 % 10).astype(np.uint8)
        folder = place / name / "raw"
        folder.mkdir(parents=True, exist_ok=True)
        for array, file in zip((images, labels), NAMES[train], strict=True):
            write_idx(folder / (file + suffix), array)
        return images, labels

    return write
