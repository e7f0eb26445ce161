"""Padding, cropping, flipping: every kind of image, one at a time and a batch at a time."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinyconv
from tinyconv import Tensor
from tinyconv.tensor import wrap
from tinyconv.vision.transforms import (
    CenterCrop,
    FiveCrop,
    Pad,
    RandomCrop,
    RandomHorizontalFlip,
    RandomVerticalFlip,
    TenCrop,
)
from tinyconv.vision.transforms import functional as F


def pixels(*shape):
    return np.random.default_rng(0).integers(1, 256, shape).astype(np.uint8)


@settings(deadline=None)
@given(
    sides=st.tuples(*[st.integers(-1, 3)] * 4),
    mode=st.sampled_from(["constant", "edge", "reflect", "symmetric"]),
    kind=st.sampled_from(["HW", "HWC", "Tensor HW", "Tensor CHW", "Tensor NCHW"]),
)
def test_pad_is_numpys(sides, mode, kind):
    x = pixels(
        *{"HW": (5, 6), "HWC": (5, 6, 3), "Tensor HW": (5, 6), "Tensor CHW": (3, 5, 6), "Tensor NCHW": (2, 3, 5, 6)}[
            kind
        ]
    )
    axis = 0 if kind.startswith("H") else x.ndim - 2
    left, top, right, bottom = sides
    crop = [slice(None)] * x.ndim
    crop[axis] = slice(max(-top, 0), 5 - max(-bottom, 0))
    crop[axis + 1] = slice(max(-left, 0), 6 - max(-right, 0))
    widths = [(0, 0)] * x.ndim
    widths[axis : axis + 2] = [(max(top, 0), max(bottom, 0)), (max(left, 0), max(right, 0))]
    expected = np.pad(x[tuple(crop)], widths, mode=mode)

    is_tensor = kind.startswith("Tensor")
    y = Pad(sides, padding_mode=mode)(wrap(x) if is_tensor else x)
    assert isinstance(y, Tensor) == is_tensor
    np.testing.assert_array_equal(y.array if is_tensor else y, expected)


@pytest.mark.parametrize(
    "padding, sides", [(2, (2, 2, 2, 2)), ([3], (3, 3, 3, 3)), ((1, 2), (1, 2, 1, 2)), ([1, 2, 3, 4], (1, 2, 3, 4))]
)
def test_padding_forms(padding, sides):
    x = pixels(3, 4)
    left, top, right, bottom = sides
    np.testing.assert_array_equal(Pad(padding, fill=9)(x), np.pad(x, [(top, bottom), (left, right)], constant_values=9))


def test_fill_for_each_channel():
    y = Pad(1, fill=(10, 20, 30))(pixels(2, 2, 3))
    assert y[0, 0].tolist() == [10, 20, 30]
    z = Pad(1, fill=(10, 20, 30))(wrap(pixels(3, 2, 2)))
    assert z.array[:, 0, 0].tolist() == [10, 20, 30]
    one = Pad(1, fill=(7,))(pixels(2, 2))
    assert one[0].tolist() == [7, 7, 7, 7]


@pytest.mark.parametrize("x", [pixels(4, 5, 6), pixels(4, 5, 6, 3), wrap(pixels(4, 5, 6)), wrap(pixels(4, 3, 5, 6))])
@pytest.mark.parametrize("mode", ["constant", "reflect"])
def test_pad_batch(x, mode):
    pad = Pad((1, 2), padding_mode=mode)
    is_tensor = isinstance(x, Tensor)
    y = pad.batch(x)
    assert isinstance(y, Tensor) == is_tensor
    for got, image in zip(y.array if is_tensor else y, x.array if is_tensor else x, strict=True):
        want = pad(wrap(image)).array if is_tensor else pad(image)
        np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "LA", "CMYK", "YCbCr", "1", "I", "F", "P"])
def test_pil(mode):
    image_module = pytest.importorskip("PIL.Image")
    image = image_module.fromarray(pixels(4, 6)).convert(mode)
    y = Pad((1, 2, 3, 0))(image)
    assert y.mode == mode
    assert y.size == (10, 6)
    assert y.crop((1, 2, 7, 6)).tobytes() == image.tobytes()
    assert y.getpixel((0, 0)) == ((0,) * len(y.getbands()) if len(y.getbands()) > 1 else 0)
    assert y.getpalette() == image.getpalette()
    assert RandomCrop(3, padding=1)(image).size == (3, 3)


def windows(x, size, axis):
    """All crops of the array image ``x``, as bytes."""
    h, w = size
    rows, columns = x.shape[axis] - h + 1, x.shape[axis + 1] - w + 1
    before = (slice(None),) * axis
    return {
        x[(*before, slice(i, i + h), slice(j, j + w))].tobytes(): (i, j) for i in range(rows) for j in range(columns)
    }


@settings(deadline=None)
@given(
    kind=st.sampled_from(["HW", "HWC", "Tensor HW", "Tensor CHW"]),
    size=st.tuples(st.integers(1, 5), st.integers(1, 6)),
    padding=st.sampled_from([None, 0, 2, (1, 0)]),
    seed=st.integers(0, 2**32),
)
def test_each_image_gets_a_window_of_its_own(kind, size, padding, seed):
    is_tensor = kind.startswith("Tensor")
    x = pixels(7, *{"HW": (5, 6), "HWC": (5, 6, 3), "Tensor HW": (5, 6), "Tensor CHW": (3, 5, 6)}[kind])
    axis = x.ndim - 3 if is_tensor else 0
    crop = RandomCrop(size, padding=padding)
    tinyconv.manual_seed(seed)
    y = crop.batch(wrap(x) if is_tensor else x)
    one = crop(wrap(x[0]) if is_tensor else x[0])
    if is_tensor:
        y, one = y.array, one.array
    border = Pad(padding or 0)
    for got, image in [*zip(y, x, strict=True), (one, x[0])]:
        padded = border(wrap(image)).array if is_tensor else border(image)
        assert got.shape[axis : axis + 2] == size
        assert got.tobytes() in windows(padded, size, axis)
    assert not np.shares_memory(y, x)


def test_all_places_are_equally_likely():
    x = np.broadcast_to(np.arange(12).reshape(3, 4), (6000, 3, 4))
    places = RandomCrop((2, 2)).batch(x)[:, 0, 0]
    values, counts = np.unique(places, return_counts=True)
    assert values.tolist() == [0, 1, 2, 4, 5, 6]
    np.testing.assert_allclose(counts / 6000, 1 / 6, atol=0.025)


def test_batch_size_does_not_matter_for_the_window_shape():
    assert RandomCrop(28, padding=2).batch(pixels(0, 28, 28)).shape == (0, 28, 28)
    assert RandomCrop(28, padding=2).batch(pixels(1, 28, 28)).shape == (1, 28, 28)


def test_any_strides():
    x = pixels(6, 8, 10)[::-2, ::2, ::-1]
    x.setflags(write=False)
    for got, image in zip(RandomCrop(3).batch(x), x, strict=True):
        assert got.tobytes() in windows(image, (3, 3), 0)


def test_pad_if_needed():
    assert RandomCrop(9, pad_if_needed=True)(pixels(5, 12)).shape == (9, 9)
    y = RandomCrop((5, 9), pad_if_needed=True, padding_mode="edge")(np.full((5, 2), 3, np.uint8))
    assert (y == 3).all()
    assert y.shape == (5, 9)


# ------------------------------------------------------------------------------------- crops and flips that are told


def kinds(*shape):
    """The same pixels (H, W, 3) as every kind of image, with the way back to an array (H, W, 3)."""
    image_module = pytest.importorskip("PIL.Image")
    x = pixels(*shape, 3)
    return x, [
        (image_module.fromarray(x), np.asarray),
        (x, np.asarray),
        (wrap(np.moveaxis(x, 2, 0).copy()), lambda y: np.moveaxis(y.numpy(), 0, 2)),
    ]


@given(
    top=st.integers(-8, 8), left=st.integers(-8, 8), height=st.integers(1, 9), width=st.integers(1, 9),
)  # fmt: skip
def test_crop_has_zeros_outside(top, left, height, width):
    x, images = kinds(5, 6)
    want = np.pad(x, [(20, 20), (20, 20), (0, 0)])[top + 20 : top + 20 + height, left + 20 : left + 20 + width]
    for img, back in images:
        np.testing.assert_array_equal(back(F.crop(img, top, left, height, width)), want)


@pytest.mark.parametrize("size, rows, columns", [
    (4, (0, 4), (1, 5)),  # 0.5 to even: 0
    ((2, 3), (2, 4), (2, 5)),  # 1.5: 2
    ((5, 6), (0, 5), (0, 6)),
])  # fmt: skip
def test_center_crop(size, rows, columns):
    x, images = kinds(5, 6)
    for img, back in images:
        y = back(CenterCrop(size)(img))
        np.testing.assert_array_equal(y, x[slice(*rows), slice(*columns)])


def test_center_crop_pads_what_is_smaller():
    x, images = kinds(2, 3)
    for img, back in images:
        y = back(F.center_crop(img, (5, 2)))
        assert y.shape == (5, 2, 3)
        np.testing.assert_array_equal(y[1:3], x[:, 0:2])  # 1.5 above: 1; 0.5 beside: 0
        assert (y[[0, 3, 4]] == 0).all()


def test_five_and_ten_crops():
    x, images = kinds(5, 6)
    corners = [x[:2, :3], x[:2, 3:], x[3:, :3], x[3:, 3:], x[2:4, 2:5]]
    mirrored = x[:, ::-1]
    others = [mirrored[:2, :3], mirrored[:2, 3:], mirrored[3:, :3], mirrored[3:, 3:], mirrored[2:4, 2:5]]
    for img, back in images:
        np.testing.assert_array_equal([back(y) for y in FiveCrop((2, 3))(img)], corners)
        np.testing.assert_array_equal([back(y) for y in TenCrop((2, 3))(img)], corners + others)
        upside_down = TenCrop((2, 3), vertical_flip=True)(img)[5]
        np.testing.assert_array_equal(back(upside_down), x[::-1][:2, :3])


def test_flips():
    x, images = kinds(4, 5)
    for img, back in images:
        np.testing.assert_array_equal(back(F.hflip(img)), x[:, ::-1])
        np.testing.assert_array_equal(back(F.vflip(img)), x[::-1])
    with pytest.raises(TypeError, match="list"):
        F.hflip([1])


@pytest.mark.parametrize("cls, axis", [(RandomHorizontalFlip, 1), (RandomVerticalFlip, 0)])
@pytest.mark.parametrize("kind", ["BHW", "BHWC", "Tensor BHW", "Tensor BCHW"])
def test_each_image_of_a_batch_is_flipped_or_not(cls, axis, kind):
    shape = {"BHW": (400, 3, 4), "BHWC": (400, 3, 4, 2), "Tensor BHW": (400, 3, 4), "Tensor BCHW": (400, 2, 3, 4)}[kind]
    x = pixels(*shape)
    is_tensor = kind.startswith("Tensor")
    y = cls(0.3).batch(wrap(x) if is_tensor else x)
    y = y.numpy() if is_tensor else y
    flipped = np.flip(x, (x.ndim - 2 if is_tensor else 1) + axis)
    is_flipped = [(a == b).all() for a, b in zip(y, flipped, strict=True)]
    assert all(f or (a == b).all() for f, a, b in zip(is_flipped, y, x, strict=True))
    assert 85 < sum(is_flipped) < 155


def test_probability_of_a_flip():
    img = pixels(4, 5)
    assert 250 < sum((RandomHorizontalFlip(0.3)(img) != img).any() for _ in range(1000)) < 350
    assert RandomVerticalFlip(0)(img) is img
    np.testing.assert_array_equal(RandomVerticalFlip(1)(img), img[::-1])
    assert repr(RandomVerticalFlip()) == "RandomVerticalFlip(p=0.5)"


def test_crop_parameters_are_uniform():
    drawn = np.array([RandomCrop.get_params(np.zeros((5, 7)), (3, 4)) for _ in range(3000)])
    assert (drawn[:, 2:] == (3, 4)).all()
    counts = np.zeros((3, 4))
    np.add.at(counts, tuple(drawn[:, :2].T), 1)
    np.testing.assert_allclose(counts / 3000, 1 / 12, atol=0.02)


@pytest.mark.parametrize("call, error, match", [
    (lambda: Pad("2"), TypeError, "padding"),
    (lambda: Pad((1, 2, 3)), ValueError, r"\(1, 2, 3\)"),
    (lambda: Pad(1, fill="red"), TypeError, "fill"),
    (lambda: Pad(1, padding_mode="wrap"), ValueError, "'wrap'"),
    (lambda: Pad(1)([1, 2]), TypeError, "list"),
    (lambda: Pad(1)(pixels(3)), ValueError, r"\(3,\)"),
    (lambda: Pad(1)(wrap(pixels(3))), ValueError, r"\(3,\)"),
    (lambda: Pad(1).batch(pixels(3, 3)), ValueError, r"\(3, 3\)"),
    (lambda: RandomCrop((1, 2, 3)), ValueError, r"\(1, 2, 3\)"),
    (lambda: RandomCrop(0), ValueError, "got 0"),
    (lambda: RandomCrop(2, padding="2"), TypeError, "padding"),
    (lambda: RandomCrop(2, padding_mode="wrap"), ValueError, "'wrap'"),
    (lambda: RandomCrop(6)(pixels(5, 9)), ValueError, r"\(6, 6\) is larger than the image \(5, 9\)"),
    (lambda: CenterCrop((1, 2, 3)), ValueError, "size"),
    (lambda: F.five_crop(pixels(3, 3), 4), ValueError, r"\(4, 4\) is larger than the image \(3, 3\)"),
    (lambda: RandomCrop(6).batch(pixels(2, 9, 5)), ValueError, r"\(6, 6\) is larger than the image \(9, 5\)"),
])  # fmt: skip
def test_errors(call, error, match):
    with pytest.raises(error, match=match):
        call()


def test_repr():
    assert repr(Pad(2)) == "Pad(padding=2, fill=0, padding_mode=constant)"
    assert repr(RandomCrop(28, padding=2)) == "RandomCrop(size=(28, 28), padding=2)"
