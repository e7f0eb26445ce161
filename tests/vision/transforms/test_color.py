"""Colours: Pillow's results on PIL images, the formulas on Tensors."""

import colorsys

import numpy as np
import pytest
from PIL import Image, ImageEnhance

import tinyconv
from tinyconv.tensor import wrap
from tinyconv.vision.transforms import ColorJitter, Grayscale, RandomGrayscale
from tinyconv.vision.transforms import functional as F

FACTORS = pytest.mark.parametrize("factor", [0, 0.4, 1, 1.8])


def photo(mode="RGB"):
    x = np.random.default_rng(0).integers(0, 256, (9, 12, 3))
    return Image.fromarray(x.astype(np.uint8)).convert(mode)


def floats(*shape):
    return np.random.default_rng(0).random(shape, np.float32)


def grey(x):
    return 0.2989 * x[..., :1, :, :] + 0.587 * x[..., 1:2, :, :] + 0.114 * x[..., 2:, :, :]


@FACTORS
@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("function, enhancer", [
    (F.adjust_brightness, ImageEnhance.Brightness),
    (F.adjust_contrast, ImageEnhance.Contrast),
    (F.adjust_saturation, ImageEnhance.Color),
])  # fmt: skip
def test_pil_images_are_pillows(function, enhancer, mode, factor):
    img = photo(mode)
    y = function(img, factor)
    assert y.mode == mode and y.tobytes() == enhancer(img).enhance(factor).tobytes()


@FACTORS
def test_tensors_are_blends(factor):
    x = floats(2, 3, 5, 6)
    blend = lambda z: np.clip(factor * x + (1 - factor) * z, 0, 1)  # noqa: E731
    y = wrap(x)
    np.testing.assert_allclose(F.adjust_brightness(y, factor).numpy(), blend(0), atol=1e-6)
    np.testing.assert_allclose(F.adjust_saturation(y, factor).numpy(), blend(grey(x)), atol=1e-6)
    mean = grey(x).mean((1, 2, 3), keepdims=True)
    np.testing.assert_allclose(F.adjust_contrast(y, factor).numpy(), blend(mean), atol=1e-6)


@FACTORS
def test_bytes_are_blended_as_floats_and_cut(factor):
    x = np.moveaxis(np.asarray(photo()), 2, 0).copy()
    y = F.adjust_brightness(wrap(x), factor)
    assert y.array.dtype == np.uint8
    np.testing.assert_array_equal(y.numpy(), np.clip(np.float32(factor) * x, 0, 255).astype(np.uint8))


def test_one_channel_has_a_mean_but_no_colour():
    x = wrap(floats(1, 4, 4))
    assert F.adjust_saturation(x, 0.3) is x and F.adjust_hue(x, 0.3) is x
    np.testing.assert_allclose(F.adjust_contrast(x, 0).numpy(), x.numpy().mean(), rtol=1e-6)


@pytest.mark.parametrize("hue", [-0.5, -0.2, 0, 0.1, 0.45])
def test_hue_turns_in_hsv(hue):
    x = floats(3, 6, 7)
    x[:, 0, 0] = 0.3  # grey
    x[:, 0, 1] = 0
    want = np.empty_like(x)
    for i, j in np.ndindex(6, 7):
        h, s, v = colorsys.rgb_to_hsv(*x[:, i, j].astype(float))
        want[:, i, j] = colorsys.hsv_to_rgb((h + hue) % 1, s, v)
    np.testing.assert_allclose(F.adjust_hue(wrap(x), hue).numpy(), want, atol=1e-5)


@pytest.mark.parametrize("hue", [0.3, -0.1])
def test_hue_of_pil_images(hue):
    img = photo()
    h, s, v = img.convert("HSV").split()
    turned = Image.fromarray(((np.asarray(h).astype(int) + int(hue * 255)) % 256).astype(np.uint8))
    assert F.adjust_hue(img, hue).tobytes() == Image.merge("HSV", (turned, s, v)).convert("RGB").tobytes()
    back = np.asarray(F.adjust_hue(img, -0.5)).astype(int) - np.asarray(F.adjust_hue(img, 0.5))
    assert abs(back).mean() < 5  # half a turn either way
    assert F.adjust_hue(photo("L"), 0.3).tobytes() == photo("L").tobytes()


@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0, 2.2])
def test_gamma(gamma):
    x = floats(3, 4, 5)
    np.testing.assert_allclose(F.adjust_gamma(wrap(x), gamma, 0.9).numpy(), 0.9 * x**gamma, atol=1e-6)
    img = photo()
    want = np.floor(255.999 * 0.9 * (np.asarray(img) / 255.0) ** gamma)
    assert abs(np.asarray(F.adjust_gamma(img, gamma, 0.9)) - want).max() <= 0
    b = np.moveaxis(np.asarray(img), 2, 0).copy()
    assert abs(F.adjust_gamma(wrap(b), gamma, 0.9).numpy() - np.moveaxis(want, 2, 0)).max() <= 1


@pytest.mark.parametrize("channels", [1, 3])
def test_grey(channels):
    img = photo()
    y = F.to_grayscale(img, channels)
    assert y.mode == ("L" if channels == 1 else "RGB")
    assert all(band.tobytes() == img.convert("L").tobytes() for band in y.split())
    x = floats(2, 3, 4, 5)
    y = F.rgb_to_grayscale(wrap(x), channels).numpy()
    np.testing.assert_allclose(y, np.repeat(grey(x), channels, 1), atol=1e-6)
    b = np.full((3, 2, 2), 255, np.uint8)
    assert F.rgb_to_grayscale(wrap(b)).tolist() == [[[254, 254], [254, 254]]]  # 0.9999 * 255, rounded down
    assert Grayscale(channels)(img).tobytes() == F.to_grayscale(img, channels).tobytes()


# -------------------------------------------------------------------------------------------------------- what is drawn


def test_jitter_draws_from_its_ranges_in_every_order():
    jitter = ColorJitter(0.5, (0.2, 0.9), 2, 0.1)
    assert (jitter.brightness, jitter.contrast, jitter.saturation, jitter.hue) == (
        (0.5, 1.5),
        (0.2, 0.9),
        (0, 3),
        (-0.1, 0.1),
    )
    drawn = [jitter.get_params(jitter.brightness, jitter.contrast, jitter.saturation, jitter.hue) for _ in range(600)]
    assert len({tuple(order.tolist()) for order, *_ in drawn}) == 24
    factors = np.array([f for _, *f in drawn])
    low, high = np.array([[0.5, 0.2, 0, -0.1], [1.5, 0.9, 3, 0.1]])
    assert (factors.min(0) >= low).all() and (factors.max(0) <= high).all()
    np.testing.assert_allclose(factors.mean(0), (low + high) / 2, atol=0.1)


def test_jitter_does_what_it_drew(monkeypatch):
    monkeypatch.setattr(
        ColorJitter, "get_params", staticmethod(lambda *_: (tinyconv.tensor([3, 1, 0, 2]), 0.7, 1.2, None, 0.1))
    )
    img = photo()
    want = F.adjust_brightness(F.adjust_contrast(F.adjust_hue(img, 0.1), 1.2), 0.7)
    assert ColorJitter(1, 1, 0, 0.5)(img).tobytes() == want.tobytes()


def test_jitter_of_nothing():
    img = photo()
    assert ColorJitter()(img) is img
    assert ColorJitter(hue=(0, 0)).hue is None and ColorJitter(brightness=(1, 1)).brightness is None


def test_grey_by_chance():
    img = photo()
    assert 250 < sum(RandomGrayscale(0.3)(img) is not img for _ in range(1000)) < 350
    assert RandomGrayscale(0)(img) is img
    assert RandomGrayscale(1)(img).mode == "RGB"
    assert RandomGrayscale(1)(wrap(floats(3, 2, 2))).shape == (3, 2, 2)


@pytest.mark.parametrize("call, error, match", [
    (lambda: F.adjust_brightness(wrap(floats(3, 2, 2)), -1), ValueError, "brightness_factor.*-1"),
    (lambda: F.adjust_hue(photo(), 0.6), ValueError, "0.6"),
    (lambda: F.adjust_gamma(photo(), -1), ValueError, "gamma"),
    (lambda: F.adjust_contrast(wrap(floats(2, 2, 2)), 1), TypeError, r"\(2, 2, 2\)"),
    (lambda: F.adjust_contrast(wrap(floats(2, 2)), 1), TypeError, r"\(2, 2\)"),
    (lambda: F.adjust_contrast(floats(3, 2, 2), 1), TypeError, "ndarray"),
    (lambda: F.rgb_to_grayscale(photo(), 2), ValueError, "1 or 3"),
    (lambda: F.to_grayscale(wrap(floats(3, 2, 2))), TypeError, "rgb_to_grayscale"),
    (lambda: ColorJitter(-1), ValueError, "brightness"),
    (lambda: ColorJitter(contrast=(2, 1)), ValueError, "contrast"),
    (lambda: ColorJitter(hue=0.7), ValueError, "hue"),
    (lambda: ColorJitter(saturation="a"), TypeError, "saturation"),
])  # fmt: skip
def test_errors(call, error, match):
    with pytest.raises(error, match=match):
        call()


def test_repr():
    assert repr(ColorJitter(0.5)) == "ColorJitter(brightness=(0.5, 1.5), contrast=None, saturation=None, hue=None)"
    assert repr(Grayscale(3)) == "Grayscale(num_output_channels=3)"
    assert repr(RandomGrayscale()) == "RandomGrayscale(p=0.1)"
