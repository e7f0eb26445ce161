"""ImageFolder and DatasetFolder: what they find, what they read, and what they say about the rest."""

import io
import os
import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps

from tinyconv.utils.data import DataLoader
from tinyconv.vision import transforms
from tinyconv.vision.datasets import DamagedImage, DatasetFolder, ImageFolder, image

REAL = Path(os.environ.get("TINYCONV_DATA", ""), "hymenoptera_data")


def pixels(*shape):
    return np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)


@pytest.fixture
def folder(tmp_path):
    """root/ant/{a,b,sub/c}.png, root/bee/{B.JPEG,z z.png}, of 5x4 pixels."""
    for name in ("ant/b.png", "ant/a.png", "ant/sub/c.png", "bee/z z.png", "bee/B.JPEG", "ant/notes.txt"):
        path = tmp_path / "root" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("no image") if path.suffix == ".txt" else Image.fromarray(pixels(4, 5, 3)).save(path)
    (tmp_path / "root" / "README").touch()
    return tmp_path / "root"


def names(dataset):
    return [os.path.relpath(path, dataset.root) for path, _ in dataset.samples]


def test_what_is_found(folder):
    dataset = ImageFolder(folder)
    assert dataset.classes == ["ant", "bee"]
    assert dataset.class_to_idx == {"ant": 0, "bee": 1}
    assert names(dataset) == ["ant/a.png", "ant/b.png", "ant/sub/c.png", "bee/B.JPEG", "bee/z z.png"]
    assert dataset.targets == [0, 0, 0, 1, 1]
    assert dataset.imgs is dataset.samples
    assert len(dataset) == 5


def test_samples(folder):
    dataset = ImageFolder(str(folder), transform=lambda img: np.asarray(img), target_transform=lambda t: -t)
    x, y = dataset[1]
    np.testing.assert_array_equal(x, pixels(4, 5, 3))
    assert (y, dataset[-1][1], dataset[np.int64(3)][1]) == (0, -1, -1)
    with pytest.raises(IndexError):
        dataset[5]
    assert repr(ImageFolder(folder)).splitlines()[:2] == ["Dataset ImageFolder", "    Number of datapoints: 5"]


def test_no_file_is_opened_before_it_is_asked_for(folder):
    asked = []
    dataset = DatasetFolder(folder, asked.append, extensions=(".png",))
    assert asked == []
    dataset[2]
    assert [os.path.basename(path) for path in asked] == ["c.png"]


def test_is_valid_file(folder):
    dataset = DatasetFolder(
        folder, str, is_valid_file=lambda path: "z" in os.path.basename(path) or path.endswith("txt")
    )
    assert names(dataset) == ["ant/notes.txt", "bee/z z.png"]
    for arguments in ({}, {"extensions": (".png",), "is_valid_file": bool}):
        with pytest.raises(ValueError, match="Both extensions and is_valid_file"):
            DatasetFolder(folder, str, **arguments)


def test_empty_classes(folder):
    (folder / "cat").mkdir()
    (folder / "cow").mkdir()
    with pytest.raises(
        FileNotFoundError, match=r"no valid file for the classes cat, cow\. Supported extensions are: .jpg"
    ):
        ImageFolder(folder)
    dataset = ImageFolder(folder, allow_empty=True)
    assert dataset.classes == ["ant", "bee", "cat", "cow"]
    assert len(dataset) == 5


def test_no_classes(tmp_path):
    with pytest.raises(FileNotFoundError, match="Couldn't find any class folder"):
        ImageFolder(tmp_path)
    with pytest.raises(FileNotFoundError, match="nowhere"):
        ImageFolder(tmp_path / "nowhere")


def test_a_subclass_may_choose_classes(folder):
    class BeesOnly(ImageFolder):
        def find_classes(self, directory):
            return ["bee"], {"bee": 0}

    assert names(BeesOnly(folder)) == ["bee/B.JPEG", "bee/z z.png"]


def test_links_are_followed_but_not_in_circles(folder):
    (folder / "bee" / "more").symlink_to(folder / "ant" / "sub")
    (folder / "ant" / "sub" / "up").symlink_to(folder / "ant")
    assert names(ImageFolder(folder)) == [
        "ant/a.png", "ant/b.png", "ant/sub/c.png", "bee/B.JPEG", "bee/z z.png", "bee/more/c.png",
        "bee/more/up/a.png", "bee/more/up/b.png",
    ]  # fmt: skip


def test_transforms_of_both(folder):
    dataset = ImageFolder(folder)
    dataset.transforms = lambda img, target: (img.size, target + 10)
    assert dataset[3] == ((5, 4), 11)


def test_a_loader_reads_it(folder):
    dataset = ImageFolder(folder, transforms.ToTensor())
    x, y = next(iter(DataLoader(dataset, batch_size=5)))
    assert x.shape == (5, 3, 4, 5)
    assert y.tolist() == [0, 0, 0, 1, 1]


# --------------------------------------------------------------------------------------------------------- other modes


def save(path, mode, **options):
    img = Image.fromarray(pixels(4, 5, 3)).convert(mode)
    img.save(path, **options)
    return img


@pytest.mark.parametrize(
    "mode, suffix", [("L", ".png"), ("1", ".png"), ("P", ".png"), ("RGBA", ".png"), ("LA", ".png"), ("CMYK", ".jpg"),
                     ("L", ".jpg"), ("RGB", ".bmp"), ("RGB", ".webp"), ("CMYK", ".tif"), ("F", ".tif"),
                     ("RGB", ".ppm")],
)  # fmt: skip
def test_every_mode_becomes_colour_as_pillow_converts_it(tmp_path, mode, suffix):
    path = tmp_path / f"a{suffix}"
    save(path, mode, **({"lossless": True} if suffix == ".webp" else {}))
    y = image.pil_loader(path)
    with Image.open(path) as stored:
        want = stored.convert("RGB")
    assert (y.mode, y.size, y.tobytes()) == ("RGB", (5, 4), want.tobytes())


def test_alpha_is_dropped(tmp_path):
    Image.fromarray(np.array([[[200, 100, 50, 0]]], np.uint8)).save(tmp_path / "a.png")
    assert image.pil_loader(tmp_path / "a.png").getpixel((0, 0)) == (200, 100, 50)
    palette = Image.fromarray(np.array([[0, 1]], np.uint8))
    palette = palette.convert("P")
    palette.putpalette([10, 20, 30, 40, 50, 60])
    palette.save(tmp_path / "p.png", transparency=0)
    assert [image.pil_loader(tmp_path / "p.png").getpixel((i, 0)) for i in (0, 1)] == [(10, 20, 30), (40, 50, 60)]


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_of_sixteen_bits_the_upper_eight_count(tmp_path, suffix):
    x = np.array([[0, 255, 256, 0x1234, 65535]], np.uint16)
    Image.fromarray(x).save(tmp_path / f"a{suffix}")
    y = np.asarray(image.pil_loader(tmp_path / f"a{suffix}"))
    np.testing.assert_array_equal(y, np.repeat((x >> 8)[..., None], 3, 2))


def test_orientation_is_left_to_a_transform(tmp_path):
    img = Image.fromarray(pixels(4, 5, 3))
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held upright
    (tmp_path / "root" / "a").mkdir(parents=True)
    img.save(tmp_path / "root" / "a" / "a.png", exif=exif)
    stored = ImageFolder(tmp_path / "root")[0][0]
    assert stored.tobytes() == img.tobytes()
    turned = ImageFolder(tmp_path / "root", transforms.Lambda(ImageOps.exif_transpose))[0][0]
    assert turned.tobytes() == img.transpose(Image.Transpose.ROTATE_270).tobytes()


def test_the_first_frame_of_an_animation(tmp_path):
    frames = [Image.new("RGB", (3, 2), color) for color in ("red", "blue")]
    frames[0].save(tmp_path / "a.png", format="GIF", save_all=True, append_images=frames[1:])  # under a wrong name
    assert image.pil_loader(tmp_path / "a.png").getpixel((0, 0)) == (255, 0, 0)


# ------------------------------------------------------------------------------------------------------- damaged files


def encoded(format, **options):
    content = io.BytesIO()
    Image.fromarray(pixels(40, 50, 3)).save(content, format=format, **options)
    return content.getvalue()


PNG, JPEG = encoded("PNG"), encoded("JPEG")


@pytest.mark.parametrize(
    "content",
    [b"", b"text", PNG[:-300], JPEG[: len(JPEG) // 2], PNG[:20], PNG[:100] + b"?" + PNG[101:]],
)
def test_a_damaged_file_is_named(folder, content):
    path = folder / "bee" / "z z.png"
    path.write_bytes(content)
    dataset = ImageFolder(folder)
    with pytest.raises(DamagedImage, match="z z.png"):
        dataset[4]
    assert issubclass(DamagedImage, OSError) and issubclass(DamagedImage, ValueError)
    dataset[3]


@pytest.mark.parametrize("content", [PNG, JPEG, encoded("BMP"), encoded("TIFF"), encoded("GIF"), encoded("WEBP"),
                                     encoded("PPM"), encoded("JPEG", progressive=True)])  # fmt: skip
@given(data=st.data())
def test_any_damage_is_an_image_or_a_damaged_image(tmp_path_factory, content, data):
    path = tmp_path_factory.mktemp("damage") / "a.png"
    bad = bytearray(content[: data.draw(st.integers(0, len(content)))])
    for _ in range(data.draw(st.integers(0, 5))):
        if bad:
            bad[data.draw(st.integers(0, min(len(bad), 200) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(bad)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            assert image.pil_loader(path).mode == "RGB"
        except DamagedImage as error:
            assert str(path) in str(error)


def png_of(width, height):
    """A PNG of a few bytes that says how large it is, and is not."""

    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


@pytest.mark.parametrize("size", [(12_000, 12_000), (50_000, 50_000)])  # Pillow only warns about the first
@pytest.mark.filterwarnings("ignore:Image size")
def test_a_bomb_is_not_decoded(tmp_path, size, monkeypatch):
    (tmp_path / "a.png").write_bytes(png_of(*size))
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", None)  # to decode it would fail
    with pytest.raises(DamagedImage, match=r"a.png: .*(144000000|12000 x 12000|2500000000) pixels"):
        image.pil_loader(tmp_path / "a.png")


def test_a_warning_that_is_an_error(tmp_path):
    (tmp_path / "a.png").write_bytes(png_of(12_000, 12_000))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(DamagedImage, match=r"a.png: too many pixels"):
            image.pil_loader(tmp_path / "a.png")


def test_a_mode_without_a_way_to_colour(tmp_path, monkeypatch):
    def convert(*_):
        raise ValueError("conversion from LAB to RGB not supported")

    Image.frombytes("LAB", (2, 2), bytes(12)).save(tmp_path / "a.tif")
    monkeypatch.setattr("PIL.Image.Image.convert", convert)
    with pytest.raises(DamagedImage, match="a.tif: an image of mode 'LAB' has no RGB form"):
        image.pil_loader(tmp_path / "a.tif")


@pytest.mark.filterwarnings("ignore:Image size")
def test_the_limit_is_pillows(tmp_path, monkeypatch):
    (tmp_path / "a.png").write_bytes(PNG)
    monkeypatch.setattr("PIL.Image.MAX_IMAGE_PIXELS", 1999)
    with pytest.raises(DamagedImage, match="50 x 40 pixels are more than the limit of 1999"):
        image.pil_loader(tmp_path / "a.png")
    monkeypatch.setattr("PIL.Image.MAX_IMAGE_PIXELS", 2000)
    assert image.pil_loader(tmp_path / "a.png").size == (50, 40)


def test_a_missing_file_is_not_a_damaged_one(tmp_path):
    with pytest.raises(FileNotFoundError, match="a.png"):
        image.pil_loader(tmp_path / "a.png")


def test_formats_that_start_programs_are_not_opened(tmp_path):
    (tmp_path / "a.png").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\n")
    with pytest.raises(DamagedImage, match="not an image in a known format"):
        image.pil_loader(tmp_path / "a.png")


def test_damaged_files_may_be_skipped_and_are_counted(folder):
    for name in ("a.png", "sub/c.png"):
        (folder / "ant" / name).write_bytes(JPEG[:500])
    dataset = ImageFolder(folder, transform=lambda img: img.size, damaged="skip")
    assert dataset.skipped == {}
    with pytest.warns(UserWarning, match="skips .*a.png"):
        assert dataset[0] == ((5, 4), 0)
    with pytest.warns(UserWarning, match="skips .*c.png"):
        assert dataset[2] == ((5, 4), 0)  # of its class, not the next one's
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert [dataset[i][1] for i in range(5)] == [0, 0, 0, 1, 1]  # warned once
    assert [os.path.basename(path) for path in dataset.skipped] == ["a.png", "c.png"]
    assert "Truncated" in dataset.skipped[dataset.samples[0][0]]
    (folder / "ant" / "b.png").write_bytes(b"")
    dataset = ImageFolder(folder, damaged="skip")
    with (
        pytest.warns(UserWarning, match="skips"),
        pytest.raises(OSError, match="no file of the class 'ant' can be read"),
    ):
        dataset[1]
    assert dataset[3][1] == 1
    with pytest.raises(ValueError, match="'ignore'"):
        ImageFolder(folder, damaged="ignore")


# ------------------------------------------------------------------------------------------------------ the real thing


@pytest.mark.skipif(not REAL.is_dir(), reason="TINYCONV_DATA holds no hymenoptera_data")
def test_real_photographs():
    resize = transforms.Compose([transforms.Resize(256), transforms.CenterCrop(224), transforms.ToTensor()])
    val = ImageFolder(REAL / "val", resize)
    assert val.classes == ["ants", "bees"]
    assert np.bincount(val.targets).tolist() == [70, 83]
    assert np.bincount(ImageFolder(REAL / "train").targets).tolist() == [123, 121]
    for i in range(0, 153, 12):
        with Image.open(val.samples[i][0]) as img:
            img = img.convert("RGB")
        w, h = img.size
        size = (256, int(256 * h / w)) if w < h else (int(256 * w / h), 256)
        img = img.resize(size, Image.Resampling.BILINEAR)
        left, top = round((size[0] - 224) / 2), round((size[1] - 224) / 2)
        want = np.asarray(img)[top : top + 224, left : left + 224].astype(np.float32) / np.float32(255)
        np.testing.assert_array_equal(val[i][0].numpy(), np.moveaxis(want, 2, 0))
