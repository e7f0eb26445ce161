"""read_image: bytes as they are stored, or in the channels that are asked for."""

import numpy as np
import pytest
from PIL import Image

from tinyconv.vision.datasets import DamagedImage
from tinyconv.vision.io import ImageReadMode, read_image


def save(tmp_path, mode, **options):
    x = np.random.default_rng(0).integers(0, 256, (4, 5, 3)).astype(np.uint8)
    img = Image.fromarray(x).convert(mode)
    img.save(tmp_path / "a.png", **options)
    return tmp_path / "a.png", img


@pytest.mark.parametrize("mode, channels", [("L", 1), ("LA", 2), ("RGB", 3), ("RGBA", 4), ("1", 1), ("P", 3)])
def test_unchanged(tmp_path, mode, channels):
    path, img = save(tmp_path, mode)
    y = read_image(path)
    assert y.shape == (channels, 4, 5) and y.numpy().dtype == np.uint8
    want = np.asarray(img.convert({"1": "L", "P": "RGB"}.get(mode, mode))).reshape(4, 5, -1)
    np.testing.assert_array_equal(y.numpy(), np.moveaxis(want, 2, 0))


@pytest.mark.parametrize("wanted", list(ImageReadMode)[1:])
def test_channels_that_are_asked_for(tmp_path, wanted):
    path, img = save(tmp_path, "RGB")
    want = np.asarray(img.convert(wanted.value)).reshape(4, 5, -1)
    np.testing.assert_array_equal(read_image(path, wanted).numpy(), np.moveaxis(want, 2, 0))


def test_orientation(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 3
    path, img = save(tmp_path, "RGB", exif=exif)
    stored = np.moveaxis(np.asarray(img), 2, 0)
    np.testing.assert_array_equal(read_image(path).numpy(), stored)
    np.testing.assert_array_equal(read_image(path, apply_exif_orientation=True).numpy(), stored[:, ::-1, ::-1])


def test_sixteen_bits_and_damage(tmp_path):
    Image.fromarray(np.array([[0x1234]], np.uint16)).save(tmp_path / "a.png")
    assert read_image(tmp_path / "a.png").tolist() == [[[0x12]]]
    (tmp_path / "a.png").write_bytes(b"text")
    with pytest.raises(DamagedImage, match="a.png"):
        read_image(tmp_path / "a.png")
