"""``tinyconv predict`` and what it does to a picture before the network sees it."""

import io
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tinyconv.cli.digit import mnist_like, read_grey
from tinyconv.cli.errors import CommandError
from tinyconv.vision.datasets.strokes import draw_digits


@pytest.fixture(scope="module")
def digits():
    return draw_digits(200, split=1)


def photo(digit, size=28, paper=1.0, ink=0.0, height=100, width=100, top=0, left=0):
    """A digit (28, 28), enlarged to ``size``, somewhere on a sheet of paper; grey in [0, 1]."""
    large = np.asarray(Image.fromarray(digit).resize((size, size), Image.Resampling.BICUBIC), np.float32) / 255
    sheet = np.zeros((height, width), np.float32)
    sheet[top : top + size, left : left + size] = large
    return paper + (ink - paper) * sheet


@given(
    st.sampled_from([20, 28, 60, 200]),
    st.sampled_from([(1.0, 0.0), (0.0, 1.0), (0.9, 0.3), (0.2, 0.6)]),
    st.floats(0, 1),
    st.floats(0, 1),
)
@settings(max_examples=20)
def test_size_place_and_polarity_do_not_matter(digits, size, colours, down, right):
    paper, ink = colours
    differences = []
    for digit in digits[0][:10]:
        plain = mnist_like(photo(digit, size, height=size + 6, width=size + 6, top=3, left=3))
        room = 2 * size
        top, left = 3 + int(down * (room - size - 6)), 3 + int(right * (room - size - 6))
        other = mnist_like(photo(digit, size, paper, ink, room, room, top, left))
        differences.append(np.abs(plain.astype(int) - other).mean())
    assert np.mean(differences) < 8  # of 255; another digit is 40 away, a shift by a pixel 7


def test_the_form_is_mnists(digits):
    for digit in digits[0][:20]:
        out = mnist_like(photo(digit, 90, height=150, width=120, top=20, left=10))
        rows, columns = np.nonzero(out > 0)
        assert 18 <= max(np.ptp(rows), np.ptp(columns)) + 1 <= 20
        assert out.max() == 255
        y, x = (out * np.arange(28)[:, None]).sum() / out.sum(), (out * np.arange(28)).sum() / out.sum()
        assert abs(y - 13.5) <= 0.55
        assert abs(x - 13.5) <= 0.55


def test_noise_and_shadows_are_paper(digits):
    clean = photo(digits[0][0], 90, height=150, width=150, top=30, left=30, paper=0.85, ink=0.1)
    noise = np.random.default_rng(0).normal(0, 0.03, clean.shape).astype(np.float32)
    shadow = np.linspace(-0.08, 0.08, 150, dtype=np.float32)
    difference = mnist_like(clean).astype(int) - mnist_like(np.clip(clean + noise + shadow, 0, 1))
    assert np.abs(difference).mean() < 8


@pytest.mark.parametrize("grey", [np.ones((50, 50)), np.full((50, 50), 0.5) + np.eye(50) * 0.05, np.ones((2, 9))])
def test_nothing_to_read(grey):
    with pytest.raises(ValueError, match="no digit stands out|has only 9x2 pixels"):
        mnist_like(grey.astype(np.float32))


def saved(image, name, tmp_path, **options):
    path = tmp_path / name
    image.save(path, **options)
    return path


def test_read_grey_of_many_kinds_of_files(tmp_path):
    ramp = np.tile(np.linspace(0, 255, 40).astype(np.uint8), (30, 1))
    grey = Image.fromarray(ramp)
    expected = ramp / 255
    for name, image in {
        "l.png": grey,
        "rgb.png": grey.convert("RGB"),
        "rgba.png": grey.convert("RGBA"),
        "p.gif": grey,
        "16.png": Image.fromarray(ramp.astype(np.uint16) * 257),
        "q.jpg": grey,
        "cmyk.jpg": grey.convert("RGB").convert("CMYK"),
    }.items():
        got = read_grey(saved(image, name, tmp_path))
        assert got.shape == (30, 40), name
        assert got.dtype == np.float32
        assert np.abs(got - expected).max() < 0.03, name


@pytest.mark.parametrize("ink, expected", [(0, 1.0), (255, 0.0)])
def test_a_transparent_sheet_gets_the_other_colour(tmp_path, ink, expected):
    pixels = np.zeros((20, 20, 4), np.uint8)
    pixels[5:15, 8:12] = ink, ink, ink, 255
    grey = read_grey(saved(Image.fromarray(pixels), "t.png", tmp_path))
    assert grey[0, 0] == expected
    assert grey[10, 10] == ink / 255


def test_exif_turns_the_picture(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees to see it upright
    assert read_grey(saved(Image.new("L", (30, 10)), "e.jpg", tmp_path, exif=exif)).shape == (30, 10)


def half_a_png():
    buffer = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (50, 50), np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()[:1000]


def png_of_claimed_size(width, height):
    """A small file whose header claims many pixels."""
    buffer = io.BytesIO()
    Image.new("L", (8, 8)).save(buffer, "PNG")
    data = bytearray(buffer.getvalue())
    data[16:24] = width.to_bytes(4, "big") + height.to_bytes(4, "big")
    data[29:33] = zlib.crc32(data[12:29]).to_bytes(4, "big")
    return bytes(data)


@pytest.mark.parametrize(
    "content, message",
    [
        (b"", "is no image"),
        (b"hello", "is no image that can be read; expected PNG, JPEG or the like"),
        (half_a_png(), "is a damaged image"),
        (png_of_claimed_size(20000, 20000), "more than 50,000,000"),
        (png_of_claimed_size(8000, 8000), "8000x8000 pixels, more than 50,000,000"),
    ],
    ids=["empty", "text", "half", "400 million pixels", "64 million pixels"],
)
@pytest.mark.filterwarnings("error")
def test_what_is_no_image(tmp_path, content, message):
    path = tmp_path / "x.png"
    path.write_bytes(content)
    with pytest.raises(CommandError, match=message):
        read_grey(path)


# -------------------------------------------------------------------------------------------------------- the command


def test_predict(tiny, trained, digits, tmp_path):
    """Pictures in both polarities and several sizes are read nearly as well as the images they were made of."""
    images, labels = digits
    right = 0
    for i in range(20):
        look = ((1.0, 0.0), (0.0, 1.0))[i % 2]
        sheet = photo(images[i], 80 + 10 * i, *look, height=300, width=400, top=5, left=9 * (i % 10))
        path = saved(Image.fromarray((255 * sheet).astype(np.uint8)), f"{i}.{'png' if i % 3 else 'jpg'}", tmp_path)
        result = tiny("predict", trained, path)
        assert result.status == 0
        right += result.out.startswith(f"{path}: {labels[i]}\n")
        probabilities = [float(line.split("│")[2].strip(" %")) for line in result.out.splitlines() if "%" in line]
        assert len(probabilities) == 10
        assert sum(probabilities) == pytest.approx(100, abs=0.1)
    assert right >= 14


def test_several_pictures(tiny, trained, digits, tmp_path):
    paths = [saved(Image.fromarray(digits[0][i]), f"{i} [red].png", tmp_path) for i in range(3)]
    together = tiny("predict", trained, *paths)
    assert together.out == "".join(tiny("predict", trained, path).out for path in paths)


@pytest.mark.parametrize("content", [None, b"no image"])
def test_a_picture_that_cannot_be_read(tiny, trained, tmp_path, content):
    path = tmp_path / "x.png"
    if content is not None:
        path.write_bytes(content)
    result = tiny("predict", trained, path)
    assert result.status == 1
    assert result.err.startswith(f"tinyconv predict: error: {path}: ")
    assert result.err.count("\n") == 1


def test_an_empty_sheet(tiny, trained, tmp_path):
    path = saved(Image.new("L", (50, 50), 200), "empty.png", tmp_path)
    result = tiny("predict", trained, path)
    assert (result.status, result.err) == (
        1,
        f"tinyconv predict: error: {path}: no digit stands out from the background\n",
    )
