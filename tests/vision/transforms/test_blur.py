"""Gaussian blur: SciPy's correlation with the window, mirrored at the edge."""

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from tinyconv.tensor import wrap
from tinyconv.vision.transforms import GaussianBlur
from tinyconv.vision.transforms import functional as F


def window(size, sigma):
    w = np.exp(-0.5 * ((np.arange(size) - size // 2) / sigma) ** 2)
    return w / w.sum()


@pytest.mark.parametrize("size, sigma, wanted", [
    (3, 0.5, (3, 3, 0.5, 0.5)),
    ((5, 3), (1.0, 0.4), (5, 3, 1.0, 0.4)),
    ([7], [2.0], (7, 7, 2.0, 2.0)),
    (5, None, (5, 5, 1.1, 1.1)),
    (1, 3, (1, 1, 3, 3)),
])  # fmt: skip
def test_the_formula(size, sigma, wanted):
    x = np.random.default_rng(0).random((2, 3, 8, 9))
    kx, ky, sx, sy = wanted
    want = ndimage.correlate1d(
        ndimage.correlate1d(x, window(kx, sx), 3, mode="mirror"), window(ky, sy), 2, mode="mirror"
    )
    np.testing.assert_allclose(F.gaussian_blur(wrap(x), size, sigma).numpy(), want, atol=1e-12)


def test_images_of_bytes_are_rounded():
    x = np.random.default_rng(0).integers(0, 256, (9, 8, 3)).astype(np.uint8)
    w = window(3, 1)
    want = np.rint(ndimage.correlate1d(ndimage.correlate1d(x.astype(float), w, 1, mode="mirror"), w, 0, mode="mirror"))
    img = F.gaussian_blur(Image.fromarray(x), 3, 1)
    assert img.mode == "RGB"
    np.testing.assert_array_equal(np.asarray(img), want)
    y = F.gaussian_blur(wrap(np.moveaxis(x, 2, 0).copy()), 3, 1)
    assert y.array.dtype == np.uint8
    np.testing.assert_array_equal(y.numpy(), np.moveaxis(want, 2, 0))


def test_sigma_is_drawn():
    drawn = [GaussianBlur.get_params(0.5, 2) for _ in range(1000)]
    assert 0.5 <= min(drawn) < 0.52 and 1.98 < max(drawn) <= 2
    x = wrap(np.random.default_rng(0).random((1, 9, 9)))
    fixed = GaussianBlur(3, 0.7)
    np.testing.assert_array_equal(fixed(x).numpy(), F.gaussian_blur(x, 3, 0.7).numpy())
    assert repr(fixed) == "GaussianBlur(kernel_size=(3, 3), sigma=(0.7, 0.7))"


@pytest.mark.parametrize("call, error, match", [
    (lambda x: F.gaussian_blur(x, 4), ValueError, "odd"),
    (lambda x: F.gaussian_blur(x, (3, 3, 3)), ValueError, "kernel_size"),
    (lambda x: F.gaussian_blur(x, 3, 0), ValueError, "sigma"),
    (lambda x: F.gaussian_blur(x, 19), ValueError, "needs more than 9, the image has 9"),
    (lambda x: F.gaussian_blur(x.numpy(), 3), TypeError, "ndarray"),
    (lambda x: GaussianBlur(2), ValueError, "odd"),
    (lambda x: GaussianBlur(3, (2, 1)), ValueError, "sigma"),
    (lambda x: GaussianBlur(3, 0), ValueError, "sigma"),
])  # fmt: skip
def test_errors(call, error, match):
    with pytest.raises(error, match=match):
        call(wrap(np.zeros((1, 9, 9))))
