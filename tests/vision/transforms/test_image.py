"""Sizes of images of every kind."""

import numpy as np
import pytest
from PIL import Image

from tinyconv.tensor import wrap
from tinyconv.vision.transforms import functional as F


@pytest.mark.parametrize("img, expected", [
    (Image.new("RGB", (5, 4)), [3, 4, 5]),
    (Image.new("L", (5, 4)), [1, 4, 5]),
    (wrap(np.zeros((4, 5))), [1, 4, 5]),
    (wrap(np.zeros((2, 3, 4, 5))), [3, 4, 5]),
    (np.zeros((4, 5)), [1, 4, 5]),
    (np.zeros((4, 5, 3)), [3, 4, 5]),
])  # fmt: skip
def test_sizes(img, expected):
    assert F.get_dimensions(img) == expected
    assert F.get_image_size(img) == expected[:0:-1]
    assert F.get_image_num_channels(img) == expected[0]


@pytest.mark.parametrize("img", [3, [1], np.zeros(3), wrap(np.zeros(3))])
def test_no_image(img):
    with pytest.raises(TypeError, match="expected"):
        F.get_dimensions(img)
