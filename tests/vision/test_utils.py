"""make_grid and save_image: where each pixel goes, and files that are whole."""

import io

import numpy as np
import pytest
from PIL import Image

from tinyconv.tensor import wrap
from tinyconv.vision.utils import make_grid, save_image


def images(*shape):
    return np.random.default_rng(0).random(shape, np.float32)


def by_hand(x, nrow, padding, value):
    n = len(x)
    columns = min(nrow, n)
    rows = -(-n // columns)
    bordered = np.pad(x, [(0, 0), (0, 0), (padding, 0), (padding, 0)], constant_values=value)
    empty = np.full((rows * columns - n, *bordered.shape[1:]), value, x.dtype)
    cells = np.concatenate([bordered, empty]).reshape(rows, columns, *bordered.shape[1:])
    grid = np.concatenate([np.concatenate(list(row), 2) for row in cells], 1)
    return np.pad(grid, [(0, 0), (0, padding), (0, padding)], constant_values=value)


@pytest.mark.parametrize("n, nrow, padding, value", [(5, 2, 2, 0), (5, 8, 1, 0.5), (2, 1, 0, 0), (6, 3, 3, 1)])
def test_the_grid(n, nrow, padding, value):
    x = images(n, 3, 4, 5)
    want = by_hand(x, nrow, padding, value)
    for given in (wrap(x), [wrap(image) for image in x]):
        y = make_grid(given, nrow, padding, pad_value=value).numpy()
        np.testing.assert_array_equal(y, want)


def test_grey_becomes_three_channels():
    x = images(4, 1, 3, 3)
    np.testing.assert_array_equal(make_grid(wrap(x)).numpy(), by_hand(np.repeat(x, 3, 1), 8, 2, 0))


@pytest.mark.parametrize("shape", [(4, 5), (1, 4, 5), (3, 4, 5), (1, 3, 4, 5), (2, 4, 5)])
def test_one_image_has_no_border(shape):
    x = images(*shape)
    y = make_grid(wrap(x)).numpy()
    want = x.reshape((1,) * (3 - min(x.ndim, 3)) + x.shape[-3:])
    np.testing.assert_array_equal(y, np.repeat(want, 3, 0) if want.shape[0] == 1 else want)
    assert not np.shares_memory(y, x)


def test_normalize():
    x = images(3, 3, 4, 4) * [[[[1]]], [[[4]]], [[[9]]]] - 2
    before = x.copy()
    together = make_grid(wrap(x), normalize=True, padding=0).numpy()
    np.testing.assert_allclose(together, by_hand((x - x.min()) / np.ptp(x), 8, 0, 0), atol=1e-6)
    each = make_grid(wrap(x), normalize=True, scale_each=True, padding=0).numpy()
    low, span = x.min((1, 2, 3), keepdims=True), np.ptp(x, (1, 2, 3), keepdims=True)
    np.testing.assert_allclose(each, by_hand((x - low) / span, 8, 0, 0), atol=1e-6)
    fixed = make_grid(wrap(x), normalize=True, value_range=(-1, 1), padding=0).numpy()
    np.testing.assert_allclose(fixed, by_hand((np.clip(x, -1, 1) + 1) / 2, 8, 0, 0), atol=1e-6)
    flat = make_grid(wrap(np.ones((2, 3, 2, 2), np.float32)), normalize=True).numpy()
    assert (flat == 0).all()
    np.testing.assert_array_equal(x, before)


def test_the_grid_is_torchvisions_example():
    torch_utils = pytest.importorskip("torchvision.utils")
    torch = pytest.importorskip("torch")
    x = images(7, 3, 5, 6)
    for options in ({}, {"nrow": 3, "padding": 1, "pad_value": 0.3}, {"normalize": True, "scale_each": True}):
        want = torch_utils.make_grid(torch.from_numpy(x), **options).numpy()
        np.testing.assert_allclose(make_grid(wrap(x), **options).numpy(), want, atol=1e-6)


def test_the_saved_file(tmp_path):
    x = images(3, 3, 4, 5) * 1.4 - 0.2
    save_image(wrap(x), tmp_path / "a.png", nrow=2)
    want = np.clip(by_hand(x, 2, 2, 0) * 255 + 0.5, 0, 255).astype(np.uint8)
    with Image.open(tmp_path / "a.png") as img:
        assert img.mode == "RGB"
        np.testing.assert_array_equal(np.moveaxis(np.asarray(img), 2, 0), want)
    file = io.BytesIO()
    save_image(wrap(x), file, format="png", nrow=2)
    assert file.getvalue() == (tmp_path / "a.png").read_bytes()
    save_image(wrap(x), str(tmp_path / "b.JPG"))
    with Image.open(tmp_path / "b.JPG") as img:
        assert img.format == "JPEG"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.png", "b.JPG"]


def test_an_old_file_survives_a_failure(tmp_path, monkeypatch):
    path = tmp_path / "a.png"
    save_image(wrap(images(3, 4, 5)), path)
    old = path.read_bytes()

    def full(*_):
        raise OSError("no space left on device")

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(OSError, match="no space"):
        save_image(wrap(images(3, 9, 9)), path)
    assert path.read_bytes() == old


@pytest.mark.parametrize("call, error, match", [
    (lambda: make_grid(images(2, 3, 4, 4)), TypeError, "ndarray"),
    (lambda: make_grid([images(3, 4, 4)]), TypeError, "ndarray"),
    (lambda: make_grid(wrap(images(2, 3, 4, 4)), value_range=[0, 1]), TypeError, "value_range"),
    (lambda: make_grid(wrap(images(3))), ValueError, r"\(3,\)"),
    (lambda: make_grid(wrap(images(0, 3, 4, 4))), ValueError, r"\(0, 3, 4, 4\)"),
    (lambda: save_image(wrap(images(3, 4, 4)), "a.xyz"), ValueError, ".xyz"),
])  # fmt: skip
def test_errors(call, error, match):
    with pytest.raises(error, match=match):
        call()
