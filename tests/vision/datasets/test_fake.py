"""FakeData: always the same noise."""

import numpy as np
import pytest

import tinyconv
from tinyconv.vision import transforms
from tinyconv.vision.datasets import FakeData


def test_samples_repeat_and_differ():
    before = tinyconv.default_generator.state
    data = FakeData(20, (3, 8, 9), num_classes=4)
    images = [np.asarray(image) for image, _ in data]
    assert len(images) == len(data) == 20
    assert images[0].shape == (8, 9, 3) and images[0].dtype == np.uint8
    assert len({image.tobytes() for image in images}) == 20
    np.testing.assert_array_equal(np.asarray(FakeData(20, (3, 8, 9))[7][0]), images[7])
    np.testing.assert_array_equal(np.asarray(data[-13][0]), images[7])
    np.testing.assert_array_equal(np.asarray(FakeData(20, (3, 8, 9), random_offset=5)[2][0]), images[7])
    assert {target for _, target in data} == {0, 1, 2, 3}
    assert abs(np.mean(images) - 127.5) < 3
    assert tinyconv.default_generator.state == before


def test_transforms_and_grey():
    x, y = FakeData(3, (1, 5, 6), transform=transforms.ToTensor(), target_transform=str)[1]
    assert x.shape == (1, 5, 6) and isinstance(y, str)


def test_errors():
    for index in (3, -4):
        with pytest.raises(IndexError, match=str(index)):
            FakeData(3)[index]
    with pytest.raises(ValueError, match=r"\(2, 5, 5\)"):
        FakeData(3, (2, 5, 5))
