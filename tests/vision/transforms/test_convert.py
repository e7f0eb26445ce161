"""Images to Tensors and back, other types, Normalize: the formulas, every kind of image, the errors."""

import numpy as np
import pytest

import tinyconv
from tinyconv import Tensor
from tinyconv.tensor import wrap
from tinyconv.vision.transforms import ConvertImageDtype, Normalize, PILToTensor, ToPILImage, ToTensor
from tinyconv.vision.transforms import functional as F


def pixels(*shape, dtype=np.uint8):
    return np.random.default_rng(0).integers(0, 256, shape).astype(dtype)


@pytest.mark.parametrize("shape, out_shape", [((4, 5), (1, 4, 5)), ((4, 5, 1), (1, 4, 5)), ((4, 5, 3), (3, 4, 5))])
def test_array(shape, out_shape):
    x = pixels(*shape)
    y = ToTensor()(x)
    assert isinstance(y, Tensor)
    assert tuple(y.shape) == out_shape
    assert y.array.dtype == np.float32
    assert y.array.flags.c_contiguous
    expected = np.moveaxis(x.reshape(4, 5, -1), 2, 0).astype(np.float32) / np.float32(255)
    np.testing.assert_array_equal(y.array, expected)


def test_all_256_values_round_as_a_division():
    y = ToTensor()(np.arange(256, dtype=np.uint8)[None])
    np.testing.assert_array_equal(y.array.ravel(), (np.arange(256) / 255).astype(np.float32))


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int16, np.int64, np.bool_])
def test_other_dtypes_keep_their_values(dtype):
    x = pixels(3, 4, dtype=dtype)
    y = ToTensor()(x)
    assert y.array.dtype == dtype
    np.testing.assert_array_equal(y.array[0], x)
    assert not np.shares_memory(y.array, x)


def test_memmap(tmp_path):
    x = np.memmap(tmp_path / "x", np.uint8, "w+", shape=(2, 3, 3))
    assert type(ToTensor().batch(x).array) is np.ndarray


def test_uint16_becomes_int32():
    y = ToTensor()(np.array([[0, 40000]], np.uint16))
    assert y.array.dtype == np.int32
    assert y.array.tolist() == [[[0, 40000]]]


@pytest.mark.parametrize("layout", [lambda x: x[:, ::-1], lambda x: np.asfortranarray(x), lambda x: x[::2, 1:]])
def test_strides(layout):
    x = layout(pixels(6, 6, 3))
    x.setflags(write=False)
    np.testing.assert_array_equal(ToTensor()(x).array, ToTensor()(x.copy(order="C")).array)


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "LA", "CMYK", "1", "I", "F", "I;16", "P"])
def test_pil(mode):
    image_module = pytest.importorskip("PIL.Image")
    image = image_module.fromarray(pixels(4, 6)).convert(mode)
    y = ToTensor()(image)
    bands = len(image.getbands())
    assert tuple(y.shape) == (bands, 4, 6)
    x = np.array([[image.getpixel((j, i)) for j in range(6)] for i in range(4)]).reshape(4, 6, bands)
    scaled = mode not in ("I", "F", "I;16")
    np.testing.assert_allclose(y.array, np.moveaxis(x, 2, 0) / (255 if scaled else 1), rtol=1e-6)
    assert y.array.dtype == {"I": np.int32, "I;16": np.int32}.get(mode, np.float32)


@pytest.mark.parametrize("x, shape", [
    (pixels(2, 4, 5), (2, 1, 4, 5)),
    (wrap(pixels(2, 4, 5)), (2, 1, 4, 5)),
    (pixels(2, 4, 5, 3), (2, 3, 4, 5)),
    (pixels(0, 4, 5), (0, 1, 4, 5)),
])  # fmt: skip
def test_batch(x, shape):
    y = ToTensor().batch(x)
    assert tuple(y.shape) == shape
    assert y.array.dtype == np.float32
    assert y.array.flags.c_contiguous
    for one, image in zip(y.array, x.array if isinstance(x, Tensor) else x, strict=True):
        np.testing.assert_array_equal(one, ToTensor()(image).array)


@pytest.mark.parametrize("call, error, match", [
    (lambda: ToTensor()([[1]]), TypeError, "list"),
    (lambda: ToTensor()(wrap(pixels(3, 3))), TypeError, "Tensor"),
    (lambda: ToTensor()(pixels(3)), ValueError, r"\(3,\)"),
    (lambda: ToTensor()(pixels(1, 2, 3, 3)), ValueError, r"\(1, 2, 3, 3\)"),
    (lambda: ToTensor()(np.zeros((2, 2), complex)), TypeError, "complex128"),
    (lambda: ToTensor().batch(pixels(3, 3)), ValueError, r"\(3, 3\)"),
    (lambda: ToTensor().batch([[1]]), TypeError, "list"),
    (lambda: ToTensor().batch(wrap(pixels(2, 3, 4, 4))), ValueError, r"\(B, H, W\)"),
])  # fmt: skip
def test_to_tensor_errors(call, error, match):
    with pytest.raises(error, match=match):
        call()


@pytest.mark.parametrize("shape", [(3, 4, 5), (2, 3, 4, 5), (6, 2, 3, 1, 1)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_normalize(shape, dtype):
    x = np.random.default_rng(0).standard_normal(shape).astype(dtype)
    before = x.copy()
    mean, std = [0.1, 0.2, 0.3], [0.5, 2.0, 0.7]
    y = Normalize(mean, std)(wrap(x))
    assert y.array.dtype == dtype
    m, s = (np.array(v, dtype).reshape(3, 1, 1) for v in (mean, std))
    np.testing.assert_array_equal(y.array, (x - m) / s)
    np.testing.assert_array_equal(x, before)


def test_normalize_batch_is_call():
    x = wrap(np.random.default_rng(0).random((4, 1, 3, 3), np.float32))
    np.testing.assert_array_equal(Normalize((0.5,), (2,)).batch(x).array, (x.array - np.float32(0.5)) / np.float32(2))


def test_normalize_one_number_for_all_channels():
    x = wrap(np.ones((3, 2, 2), np.float32))
    assert (Normalize(0.5, 0.25)(x).array == 2).all()


def test_normalize_lets_gradients_through():
    x = wrap(np.random.default_rng(0).random((2, 3, 4, 4), np.float32), requires_grad=True)
    y = Normalize([0.1, 0.2, 0.3], [0.5, 2.0, 4.0])(x)
    np.testing.assert_array_equal(y.detach().numpy(), Normalize([0.1, 0.2, 0.3], [0.5, 2.0, 4.0])(x.detach()).numpy())
    y.sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), np.broadcast_to(np.float32([[[2]], [[0.5]], [[0.25]]]), x.shape))


def test_normalize_inplace():
    x = wrap(np.ones((1, 2, 2), np.float32))
    assert Normalize([0], [2], inplace=True)(x) is x
    assert (x.array == 0.5).all()


@pytest.mark.parametrize("x, mean, std, error, match", [
    (np.zeros((1, 2, 2)), 0, 1, TypeError, "ndarray"),
    (wrap(np.zeros((1, 2, 2), np.uint8)), 0, 1, TypeError, "uint8"),
    (wrap(np.zeros((2, 2), np.float32)), 0, 1, ValueError, r"\(2, 2\)"),
    (wrap(np.zeros((1, 2, 2), np.float32)), [0], [0], ValueError, "std is zero"),
    (wrap(np.zeros((1, 2, 2), np.float32)), [0], [1e-60], ValueError, "std is zero"),
    (wrap(np.zeros((1, 2, 2), np.float32)), [0, 0, 0], [1, 1, 1], ValueError, "do not fit 1 channels"),
    (wrap(np.zeros((4, 2, 2), np.float32)), [0, 0, 0], [1], ValueError, "3 means and 1 stds do not fit 4 channels"),
])  # fmt: skip
def test_normalize_errors(x, mean, std, error, match):
    with pytest.raises(error, match=match):
        Normalize(mean, std)(x)


# ------------------------------------------------------------------------------------------------------------ and back


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "LA", "CMYK", "1", "I", "F", "P"])
def test_pil_to_tensor_keeps_the_numbers(mode):
    image_module = pytest.importorskip("PIL.Image")
    image = image_module.fromarray(pixels(4, 6)).convert(mode)
    y = PILToTensor()(image)
    x = np.asarray(image).reshape(4, 6, -1)
    np.testing.assert_array_equal(y.numpy(), np.moveaxis(x, 2, 0))
    assert y.numpy().dtype == x.dtype
    y.numpy()[:] = 0  # memory of its own


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "LA", "CMYK", "I", "F", "YCbCr", "HSV"])
def test_a_round_trip(mode):
    image_module = pytest.importorskip("PIL.Image")
    image = image_module.fromarray(pixels(4, 6, 3)).convert(mode)
    back = ToPILImage(mode)(PILToTensor()(image))
    assert (back.mode, back.size, back.tobytes()) == (image.mode, image.size, image.tobytes())


def test_to_tensor_and_back_is_the_image():
    image_module = pytest.importorskip("PIL.Image")
    every = np.arange(256, dtype=np.uint8).reshape(16, 16)
    assert F.to_pil_image(F.to_tensor(image_module.fromarray(every))).tobytes() == every.tobytes()


@pytest.mark.parametrize("x, mode, size", [
    (pixels(4, 5), "L", (5, 4)), (pixels(4, 5, 1), "L", (5, 4)), (pixels(4, 5, 2), "LA", (5, 4)),
    (pixels(4, 5, 3), "RGB", (5, 4)), (pixels(4, 5, 4), "RGBA", (5, 4)), (wrap(pixels(3, 4, 5)), "RGB", (5, 4)),
    (wrap(pixels(4, 5)), "L", (5, 4)), (pixels(4, 5, dtype=np.int16), "I;16", (5, 4)),
    (pixels(4, 5, dtype=np.int32), "I", (5, 4)), (np.ones((4, 5), np.float32), "L", (5, 4)),
])  # fmt: skip
def test_modes_of_pil_images(x, mode, size):
    y = F.to_pil_image(x)
    assert (y.mode, y.size) == (mode, size)


def test_floats_are_rounded_down():
    assert list(F.to_pil_image(np.float32([[0, 0.5, 0.999, 1]])).tobytes()) == [0, 127, 254, 255]
    assert F.to_pil_image(np.float32([[0.5, -3]]), mode="F").getpixel((1, 0)) == -3


@pytest.mark.parametrize("call, error, match", [
    (lambda: F.to_pil_image([[1]]), TypeError, "list"),
    (lambda: F.to_pil_image(pixels(2, 2, 5)), ValueError, r"\(2, 2, 5\)"),
    (lambda: F.to_pil_image(pixels(2)), ValueError, r"\(2,\)"),
    (lambda: F.to_pil_image(pixels(2, 2, 3), mode="L"), ValueError, "'L'.*RGB"),
    (lambda: F.to_pil_image(pixels(2, 2, 3, dtype=np.int64)), TypeError, "int64"),
    (lambda: F.pil_to_tensor(pixels(2, 2)), TypeError, "ndarray"),
    (lambda: F.convert_image_dtype(pixels(2, 2)), TypeError, "ndarray"),
    (lambda: F.convert_image_dtype(wrap(np.ones((1, 1), np.float32)), tinyconv.int32), RuntimeError, "safely"),
    (lambda: F.convert_image_dtype(wrap(np.ones((1, 1))), tinyconv.int64), RuntimeError, "safely"),
])  # fmt: skip
def test_errors_of_conversions(call, error, match):
    with pytest.raises(error, match=match):
        call()


def test_types_are_rescaled():
    x = wrap(np.array([[0, 1, 127, 255]], np.uint8))
    np.testing.assert_array_equal(F.convert_image_dtype(x).numpy(), np.float32([[0, 1 / 255, 127 / 255, 1]]))
    assert F.convert_image_dtype(x, tinyconv.uint8) is x
    assert F.convert_image_dtype(x, tinyconv.int16).tolist() == [[0, 128, 127 * 128, 255 * 128]]
    assert F.convert_image_dtype(F.convert_image_dtype(x, tinyconv.int16), tinyconv.uint8).tolist() == x.tolist()
    f = wrap(np.linspace(0, 1, 2561, dtype=np.float64)[None])
    counts = np.bincount(F.convert_image_dtype(f, tinyconv.uint8).numpy()[0])
    assert len(counts) == 256 and set(counts) <= {10, 11}  # equal shares
    assert ConvertImageDtype(tinyconv.float64)(x).dtype is tinyconv.float64
    assert repr(ToPILImage("RGB")) == "ToPILImage(mode=RGB)" and repr(PILToTensor()) == "PILToTensor()"
