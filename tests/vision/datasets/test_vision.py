"""VisionDataset: the base class that one's own data sets of images may have."""

import numpy as np
import pytest

from tinyconv.vision.datasets import InMemoryDataset, VisionDataset


class Squares(VisionDataset):
    def __getitem__(self, index):
        return self.transformed(index, index**2)

    def __len__(self):
        return 3


def test_transforms():
    assert Squares("x")[2] == (2, 4)
    assert Squares(transform=str, target_transform=float)[2] == ("2", 4.0)
    assert Squares(transforms=lambda x, y: (y, x))[2] == (4, 2)
    with pytest.raises(ValueError, match="Only transforms or transform/target_transform"):
        Squares(transforms=max, transform=str)


def test_joint_transforms_in_a_batch():
    data = InMemoryDataset(np.zeros((4, 2, 3), np.uint8), np.arange(4))
    data.transforms = lambda image, target: (target, image.size)
    targets, sizes = data.batch(np.array([3, 1]))
    assert targets.tolist() == [3, 1]
    assert [s.tolist() for s in sizes] == [[3, 3], [2, 2]]


def test_root_and_repr(monkeypatch):
    monkeypatch.setenv("HOME", "/home/of/mine")
    assert Squares("~/x").root == "/home/of/mine/x"
    assert repr(Squares("x", transform=str)).splitlines() == [
        "Dataset Squares", "    Number of datapoints: 3", "    Root location: x", "    Transform: <class 'str'>",
    ]  # fmt: skip
