"""Resize: Pillow's results on PIL images, the formula (and PyTorch's) on Tensors; RandomResizedCrop."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tinyconv.tensor import wrap
from tinyconv.vision.transforms import InterpolationMode, RandomResizedCrop, Resize
from tinyconv.vision.transforms import functional as F

MODES = {
    InterpolationMode.NEAREST: Image.Resampling.NEAREST,
    InterpolationMode.BOX: Image.Resampling.BOX,
    InterpolationMode.BILINEAR: Image.Resampling.BILINEAR,
    InterpolationMode.HAMMING: Image.Resampling.HAMMING,
    InterpolationMode.BICUBIC: Image.Resampling.BICUBIC,
    InterpolationMode.LANCZOS: Image.Resampling.LANCZOS,
}
TENSOR_MODES = ["nearest", "nearest-exact", "bilinear", "bicubic"]


def pixels(*shape):
    return np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)


def photo(width, height, mode="RGB"):
    return Image.fromarray(pixels(height, width, 3)).convert(mode)


@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA", "LA", "CMYK", "I", "F", "P", "1"])
@pytest.mark.parametrize("interpolation", MODES)
@pytest.mark.parametrize("size", [(5, 7), (40, 30)])
def test_pil_images_are_pillows(mode, interpolation, size):
    img = photo(17, 23, mode)
    y = Resize(size, interpolation)(img)
    want = img.resize(size[::-1], MODES[interpolation])
    assert (y.mode, y.size, y.tobytes()) == (want.mode, want.size, want.tobytes())


@pytest.mark.parametrize(
    "shape, size, max_size, expected",
    [
        ((30, 20), 10, None, (15, 10)),
        ((20, 30), 10, None, (10, 15)),
        ((20, 30), [10], None, (10, 15)),
        ((20, 20), 7, None, (7, 7)),
        ((300, 500), 256, None, (256, 426)),  # 426.67, rounded down
        ((20, 70), 10, 30, (8, 30)),  # 35 would be too long; 8.57, rounded down
        ((70, 20), 10, 30, (30, 8)),
        ((20, 30), 10, 30, (10, 15)),
        ((20, 30), (9, 4), None, (9, 4)),
    ],
)
def test_the_new_size(shape, size, max_size, expected):
    resize = Resize(size, max_size=max_size)
    assert resize(photo(*shape[::-1])).size == expected[::-1]
    assert resize(wrap(pixels(3, *shape))).shape == (3, *expected)


def test_the_right_size_is_left_alone():
    x, img = wrap(pixels(3, 4, 5)), photo(5, 4)
    assert F.resize(x, [4, 5]) is x
    assert F.resize(img, 4) is img


def line(n, m, mode, antialias):
    """The weights of one output line, by the formula in a loop."""
    s = n / m
    t = max(s, 1) if antialias else 1
    a = -0.5 if antialias else -0.75

    def f(d):
        d = abs(d)
        if mode == "bilinear":
            return max(1 - d, 0)
        if d < 1:
            return (a + 2) * d**3 - (a + 3) * d**2 + 1
        return a * d**3 - 5 * a * d**2 + 8 * a * d - 4 * a if d < 2 else 0

    w = np.zeros((m, n))
    for i in range(m):
        c = (i + 0.5) * s - 0.5
        for j in range(-3, n + 3):
            if antialias and 0 <= j < n:
                w[i, j] += f((j - c) / t)
            elif not antialias:
                w[i, min(max(j, 0), n - 1)] += f(j - c)
    return w / w.sum(1, keepdims=True)


@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
@pytest.mark.parametrize("antialias", [True, False])
@pytest.mark.parametrize("size", [(3, 4), (9, 13), (5, 30), (1, 1)])
def test_tensors_follow_the_formula(mode, antialias, size):
    x = np.random.default_rng(0).standard_normal((2, 3, 9, 13))
    y = F.resize(wrap(x), size, InterpolationMode(mode), antialias=antialias).numpy()
    want = line(9, size[0], mode, antialias) @ x @ line(13, size[1], mode, antialias).T
    np.testing.assert_allclose(y, want, atol=1e-12)


@pytest.mark.parametrize("mode, shift", [("nearest", 0), ("nearest-exact", 0.5)])
@given(n=st.integers(1, 40), m=st.integers(1, 40))
def test_nearest_takes_the_pixel_under_the_corner_or_the_centre(mode, shift, n, m):
    y = F.resize(wrap(np.arange(n)[None]), (1, m), InterpolationMode(mode)).numpy()[0]
    exact = [int((2 * i + 2 * shift) * n) // (2 * m) for i in range(m)]
    near_a_border = [(2 * i + 2 * shift) * n % (2 * m) == 0 for i in range(m)]  # where a rounding decides
    assert all(a == b or tie for a, b, tie in zip(y, exact, near_a_border, strict=True))


@pytest.mark.parametrize("mode", TENSOR_MODES)
@pytest.mark.parametrize("antialias", [True, False])
def test_tensors_are_pytorchs(mode, antialias):
    torch = pytest.importorskip("torch")
    x = np.random.default_rng(0).random((2, 3, 37, 51), np.float32)
    linear = mode in ("bilinear", "bicubic")
    for size in [(12, 60), (37, 7), (100, 100)]:
        y = F.resize(wrap(x), size, InterpolationMode(mode), antialias=antialias).numpy()
        want = torch.nn.functional.interpolate(
            torch.from_numpy(x),
            size,
            mode=mode,
            antialias=antialias and linear,
            align_corners=False if linear else None,
        ).numpy()
        np.testing.assert_allclose(y, want, atol=1e-5)


@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
def test_an_antialiased_tensor_is_nearly_what_pillow_makes_of_the_image(mode):
    img = photo(60, 80)
    mode = InterpolationMode(mode)
    y = F.resize(F.pil_to_tensor(img), 24, mode).numpy().astype(int)
    want = np.moveaxis(np.asarray(F.resize(img, 24, mode)), 2, 0).astype(int)
    assert abs(y - want).max() <= 1  # Pillow rounds after each of the two passes


def test_integers_are_rounded_and_limited():
    x = np.zeros((1, 1, 8), np.uint8)
    x[..., 4:] = 255
    y = F.resize(wrap(x), (1, 16), InterpolationMode.BICUBIC, antialias=False)  # overshoots at the step
    assert y.array.dtype == np.uint8
    assert y.numpy().min() == 0 and y.numpy().max() == 255
    z = F.resize(wrap(np.array([[0, 1]], np.int16)), (1, 1))  # 0.5: to even
    assert z.tolist() == [[0]]


@pytest.mark.parametrize("call, error, match", [
    (lambda: Resize(5.0), TypeError, "float"),
    (lambda: Resize((1, 2, 3)), ValueError, r"\(1, 2, 3\)"),
    (lambda: Resize(0), ValueError, "positive"),
    (lambda: Resize((4, 4), max_size=9), ValueError, "max_size"),
    (lambda: Resize(9, max_size=9), ValueError, "max_size=9 must be greater"),
    (lambda: Resize(3, "bilinear"), TypeError, "'bilinear'"),
    (lambda: Resize(3)(np.zeros((4, 4))), TypeError, "ndarray"),
    (lambda: Resize(3)([1]), TypeError, "list"),
    (lambda: Resize(3, InterpolationMode.LANCZOS)(wrap(np.zeros((1, 5, 5)))), ValueError, "lanczos"),
])  # fmt: skip
def test_errors(call, error, match):
    with pytest.raises(error, match=match):
        call()


def test_pillows_numbers_are_modes():
    assert Resize(3, Image.Resampling.BICUBIC).interpolation is InterpolationMode.BICUBIC
    assert Resize(3, 0).interpolation is InterpolationMode.NEAREST


def test_a_pil_image_cannot_do_without_antialias():
    with pytest.warns(UserWarning, match="antialias"):
        F.resize(photo(9, 9), 4, antialias=False)


# ------------------------------------------------------------------------------------------------ RandomResizedCrop


def test_parts_have_the_shares_and_ratios_asked_for():
    img = photo(100, 80)
    drawn = np.array([RandomResizedCrop.get_params(img, (0.2, 0.5), (0.5, 2)) for _ in range(3000)])
    top, left, h, w = drawn.T
    assert ((top >= 0) & (left >= 0) & (top + h <= 80) & (left + w <= 100)).all()
    share, ratio = h * w / 8000, w / h
    assert share.min() > 0.19 and share.max() < 0.51
    assert ratio.min() > 0.48 and ratio.max() < 2.1
    assert abs(share.mean() - 0.35) < 0.01
    assert abs(np.log(ratio).mean()) < 0.05
    room = (80 - h > 0) & (100 - w > 0)
    assert abs((top / np.maximum(80 - h, 1))[room].mean() - 0.5) < 0.03


def test_what_never_fits_is_the_largest_central_part():
    assert RandomResizedCrop.get_params(photo(100, 10), (1, 1), (3 / 4, 4 / 3)) == (0, 43, 10, 13)
    assert RandomResizedCrop.get_params(photo(10, 100), (1, 1), (3 / 4, 4 / 3)) == (43, 0, 13, 10)
    assert RandomResizedCrop.get_params(photo(10, 10), (2, 2), (3 / 4, 4 / 3)) == (0, 0, 10, 10)


def test_the_part_is_cropped_and_resized(monkeypatch):
    monkeypatch.setattr(RandomResizedCrop, "get_params", staticmethod(lambda *_: (2, 3, 6, 8)))
    img = photo(20, 20)
    want = img.crop((3, 2, 11, 8)).resize((5, 4), Image.Resampling.BILINEAR)
    assert RandomResizedCrop((4, 5))(img).tobytes() == want.tobytes()
    assert RandomResizedCrop(5)(img).size == (5, 5)


def test_repr_and_arguments():
    assert repr(Resize(256)) == "Resize(size=256, interpolation=bilinear, max_size=None, antialias=True)"
    assert repr(RandomResizedCrop(9)).startswith(
        "RandomResizedCrop(size=(9, 9), scale=(0.08, 1.0), ratio=(0.75, 1.3333)"
    )
    with pytest.warns(UserWarning, match="scale"):
        RandomResizedCrop(9, scale=(1, 0.5))
    with pytest.raises(TypeError, match="ratio"):
        RandomResizedCrop(9, ratio=1)
