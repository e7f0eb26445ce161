"""Tones: Pillow's results, on PIL images exactly and on Tensors of bytes too."""

import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageOps

from tinyconv.tensor import wrap
from tinyconv.vision import transforms as T
from tinyconv.vision.transforms import functional as F

FUNCTIONS = {
    "invert": (F.invert, ImageOps.invert),
    "posterize": (lambda img: F.posterize(img, 3), lambda img: ImageOps.posterize(img, 3)),
    "solarize": (lambda img: F.solarize(img, 99), lambda img: ImageOps.solarize(img, 99)),
    "sharpness": (lambda img: F.adjust_sharpness(img, 2.5), lambda img: ImageEnhance.Sharpness(img).enhance(2.5)),
    "autocontrast": (F.autocontrast, ImageOps.autocontrast),
    "equalize": (F.equalize, ImageOps.equalize),
}


def photo():
    """Not all values, and in each channel others."""
    x = np.random.default_rng(0).normal((60, 120, 180), (9, 20, 15), (40, 60, 3))
    return Image.fromarray(np.clip(x, 0, 255).astype(np.uint8))


def channels_first(img):
    return np.moveaxis(np.asarray(img), 2, 0).copy()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_pil_images_are_pillows(name):
    ours, pillows = FUNCTIONS[name]
    assert ours(photo()).tobytes() == pillows(photo()).tobytes()
    assert pillows(photo()).tobytes() != photo().tobytes()


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("shape", ["image", "batch"])
def test_tensors_of_bytes_are_nearly_pillows(name, shape):
    ours, pillows = FUNCTIONS[name]
    x, want = channels_first(photo()), channels_first(pillows(photo()))
    y = ours(wrap(np.stack([x, x]) if shape == "batch" else x)).numpy()
    assert y.dtype == np.uint8
    tolerance = 2 if name in ("sharpness", "autocontrast") else 0  # Pillow rounds at other places
    assert abs((y[1] if shape == "batch" else y).astype(int) - want).max() <= tolerance


def test_tensors_of_floats():
    x = channels_first(photo()).astype(np.float32) / np.float32(255)
    np.testing.assert_array_equal(F.invert(wrap(x)).numpy(), 1 - x)
    np.testing.assert_array_equal(F.solarize(wrap(x), 0.4).numpy(), np.where(x >= np.float32(0.4), 1 - x, x))
    low, high = x.min((1, 2), keepdims=True), x.max((1, 2), keepdims=True)
    np.testing.assert_allclose(F.autocontrast(wrap(x)).numpy(), (x - low) / (high - low), atol=1e-6)
    soft = F.adjust_sharpness(wrap(x), 0).numpy()
    i, j = 7, 9
    mean = (x[:, i - 1 : i + 2, j - 1 : j + 2].sum((1, 2)) + 4 * x[:, i, j]) / 13
    np.testing.assert_allclose(soft[:, i, j], mean, atol=1e-6)
    np.testing.assert_array_equal(soft[:, 0], x[:, 0])


def test_the_lightest_becomes_white():
    for lightest in range(1, 256):
        x = wrap(np.array([[[0, lightest]]], np.uint8))
        assert F.autocontrast(x).tolist() == [[[0, 255]]]


def test_what_has_nothing_to_stretch_stays():
    flat = wrap(np.full((3, 5, 5), 77, np.uint8))
    for function in (F.autocontrast, F.equalize, lambda x: F.adjust_sharpness(x, 3)):
        np.testing.assert_array_equal(function(flat).numpy(), flat.numpy())
    small = wrap(np.zeros((1, 2, 9), np.float32))
    assert F.adjust_sharpness(small, 2) is small


@pytest.mark.parametrize("transform", [
    T.RandomInvert(0.3), T.RandomPosterize(3, 0.3), T.RandomSolarize(99, 0.3), T.RandomAdjustSharpness(2.5, 0.3),
    T.RandomAutocontrast(0.3), T.RandomEqualize(0.3),
])  # fmt: skip
def test_probabilities(transform):
    img = photo()
    results = [transform(img) for _ in range(1000)]
    changed = [y for y in results if y is not img]
    assert 250 < len(changed) < 350
    name = type(transform).__name__.removeprefix("Random").removeprefix("Adjust").lower()
    assert changed[0].tobytes() == FUNCTIONS[name][1](img).tobytes()
    assert "p=0.3" in repr(transform)


@pytest.mark.parametrize("call, error, match", [
    (lambda: F.posterize(photo(), 9), ValueError, "bits"),
    (lambda: F.posterize(wrap(np.zeros((1, 2, 2))), 2), TypeError, "uint8"),
    (lambda: F.equalize(wrap(np.zeros((1, 2, 2)))), TypeError, "uint8"),
    (lambda: F.solarize(wrap(np.zeros((1, 2, 2))), 2), TypeError, "threshold"),
    (lambda: F.adjust_sharpness(wrap(np.zeros((1, 5, 5))), -1), ValueError, "sharpness_factor"),
    (lambda: F.invert(np.zeros((2, 2, 3))), TypeError, "ndarray"),
])  # fmt: skip
def test_errors(call, error, match):
    with pytest.raises(error, match=match):
        call()
