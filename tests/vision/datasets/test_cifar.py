"""CIFAR-10 and CIFAR-100: the binary format, plain and compressed; what is missing or damaged; the download."""

import gzip
import hashlib
import io
import lzma
import os
import tarfile
from pathlib import Path

import numpy as np
import pytest

import tinyconv
from tinyconv.utils.data import DataLoader
from tinyconv.vision import transforms
from tinyconv.vision.datasets import CIFAR10, CIFAR100, DatasetNotFound, Offline, WrongChecksum

REAL = os.environ.get("TINYCONV_DATA", "")
PACK = {"": bytes, ".gz": gzip.compress, ".xz": lzma.compress}
N = 20


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    """Files of 20 records."""
    monkeypatch.setattr(CIFAR10, "train_parts", dict.fromkeys(CIFAR10.train_parts, N))
    monkeypatch.setattr(CIFAR10, "test_parts", {"test_batch.bin": N})
    monkeypatch.setattr(CIFAR100, "train_parts", {"train.bin": N})
    monkeypatch.setattr(CIFAR100, "test_parts", {"test.bin": N})


def records(seed, labels=(10,), n=N):
    rng = np.random.default_rng(seed)
    bytes_ = [rng.integers(0, most, (n, 1)).astype(np.uint8) for most in labels]
    return np.hstack([*bytes_, rng.integers(0, 256, (n, 3072)).astype(np.uint8)])


def put(place, name, content, suffix="", folder="cifar-10-batches-bin"):
    path = place / folder / (name + suffix)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(PACK[suffix](content.tobytes() if isinstance(content, np.ndarray) else content))
    return path


def put_all(place, suffix=""):
    for i in range(1, 6):
        put(place, f"data_batch_{i}.bin", records(i), suffix)
    put(place, "test_batch.bin", records(6), suffix)


@pytest.mark.parametrize("suffix", PACK)
def test_images_and_labels(tmp_path, suffix):
    put_all(tmp_path, suffix)
    dataset = CIFAR10(tmp_path)
    want = np.vstack([records(i) for i in range(1, 6)])
    assert dataset.data.shape == (5 * N, 32, 32, 3) and dataset.data.dtype == np.uint8
    assert dataset.targets == want[:, 0].tolist()
    for i in (0, 33, 99):
        r = want[i, 1:].reshape(3, 32, 32)
        np.testing.assert_array_equal(dataset.data[i], np.stack([r[0], r[1], r[2]], -1))
        image, label = dataset[i]
        assert (image.mode, image.size, label) == ("RGB", (32, 32), want[i, 0])
        np.testing.assert_array_equal(np.asarray(image), dataset.data[i])
    test = CIFAR10(tmp_path, train=False)
    assert test.targets == records(6)[:, 0].tolist()
    assert test.class_to_idx["ship"] == 8
    assert repr(test).endswith("Split: Test")


def test_the_label_of_cifar100_is_the_class(tmp_path):
    put(tmp_path, "train.bin", records(1, (20, 100)), folder="cifar-100-binary")
    dataset = CIFAR100(tmp_path)
    assert dataset.targets == records(1, (20, 100))[:, 1].tolist()
    np.testing.assert_array_equal(dataset.data[3, ..., 0].ravel(), records(1, (20, 100))[3, 2:1026])
    assert len(set(dataset.classes)) == 100 and dataset.classes == sorted(dataset.classes)


def test_batches_are_the_samples_stacked(tmp_path):
    put_all(tmp_path)
    chain = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.5, 0.4, 0.3), (0.2, 0.3, 0.4))])
    dataset = CIFAR10(tmp_path, transform=chain)
    x, y = dataset.batch(np.array([7, 0, 99]))
    assert x.shape == (3, 3, 32, 32) and y.dtype is tinyconv.int64
    np.testing.assert_array_equal(x.numpy(), np.stack([dataset[i][0].numpy() for i in (7, 0, 99)]))
    assert y.tolist() == [dataset.targets[i] for i in (7, 0, 99)]
    plain = CIFAR10(tmp_path).batch(np.array([1]))[0]
    np.testing.assert_array_equal(plain.numpy(), dataset.data[[1]])
    dataset.transform = transforms.Compose([transforms.RandomCrop(32, 4), transforms.RandomHorizontalFlip(), chain])
    assert [len(y) for _, y in DataLoader(dataset, 30)] == [30, 30, 30, 10]


def test_a_missing_part_is_named(tmp_path):
    put_all(tmp_path)
    for i in (2, 4):
        (tmp_path / "cifar-10-batches-bin" / f"data_batch_{i}.bin").unlink()
    with pytest.raises(DatasetNotFound, match=r"lacks data_batch_2.bin, data_batch_4.bin .*allow_missing"):
        CIFAR10(tmp_path)
    dataset = CIFAR10(tmp_path, allow_missing=True)
    assert dataset.parts == ["data_batch_1.bin", "data_batch_3.bin", "data_batch_5.bin"]
    assert len(dataset) == 3 * N
    assert repr(dataset).endswith("Parts: data_batch_1.bin, data_batch_3.bin, data_batch_5.bin")
    (tmp_path / "cifar-10-batches-bin" / "test_batch.bin").unlink()
    with pytest.raises(DatasetNotFound, match="CIFAR10 is not in") as raised:
        CIFAR10(tmp_path, train=False, allow_missing=True)
    assert "allow_missing" not in str(raised.value)


def test_places(tmp_path, monkeypatch):
    put_all(tmp_path / "named")
    put(tmp_path / "root", "data_batch_1.bin", records(9))
    with pytest.raises(DatasetNotFound, match="root"):
        CIFAR10(tmp_path / "root")
    monkeypatch.setenv("TINYCONV_DATA", str(tmp_path / "named"))
    assert len(CIFAR10(tmp_path / "root")) == 5 * N  # a complete place wins
    assert CIFAR10.find(train=None) == tmp_path / "named"


@pytest.mark.parametrize("suffix", PACK)
@pytest.mark.parametrize("change, message", [
    (lambda r: r[:-1], "expected 20 records .* the file holds only"),
    (lambda r: np.vstack([r, r[:1]]), "the file holds more"),
    (lambda r: r.tobytes() + b"?", "the file holds more"),
    (lambda r: b"", "holds only 0"),
    (lambda r: np.where(np.arange(3073) == 0, 10, r).astype(np.uint8), "labels from 0 to 9, got 10"),
])  # fmt: skip
def test_files_that_are_not_cifar(tmp_path, suffix, change, message):
    put_all(tmp_path)
    (tmp_path / "cifar-10-batches-bin" / "test_batch.bin").unlink()
    put(tmp_path, "test_batch.bin", change(records(6)), suffix)
    with pytest.raises(ValueError, match=f"test_batch.bin{suffix}: .*{message}"):
        CIFAR10(tmp_path, train=False)


@pytest.mark.parametrize("suffix", [".gz", ".xz"])
def test_damaged_compression(tmp_path, suffix):
    path = put(tmp_path, "test_batch.bin", records(6), suffix)
    whole = path.read_bytes()
    for content in (whole[:-20], whole[: len(whole) // 2], whole[:5000] + bytes(100) + whole[5100:]):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=f"test_batch.bin{suffix}: damaged (gzip|xz) file"):
            CIFAR10(tmp_path, train=False)


@pytest.mark.parametrize("suffix", [".gz", ".xz"])
def test_a_bomb_is_not_unpacked(tmp_path, suffix, monkeypatch):
    path = put(tmp_path, "test_batch.bin", bytes(10**8), suffix)
    assert path.stat().st_size < 10**6
    read = []
    reader = tinyconv.vision.datasets.cifar.read_up_to
    monkeypatch.setattr("tinyconv.vision.datasets.cifar.read_up_to", lambda f, n: read.append(reader(f, n)) or read[0])
    with pytest.raises(ValueError, match="holds more"):
        CIFAR10(tmp_path, train=False)
    assert len(read[0]) == N * 3073 + 1


# ---------------------------------------------------------------------------------------------------------- downloading


@pytest.fixture
def archive(tmp_path, monkeypatch, mirrors):
    """The published archive, on a mirror."""
    put_all(tmp_path / "origin")
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as file:
        file.add(tmp_path / "origin" / "cifar-10-batches-bin", "cifar-10-batches-bin")
    mirrors.files["cifar-10-binary.tar.gz"] = content.getvalue()
    monkeypatch.setattr(CIFAR10, "mirrors", mirrors("good"))
    monkeypatch.setattr(CIFAR10, "archive", ("cifar-10-binary.tar.gz", hashlib.md5(content.getvalue()).hexdigest()))
    return content.getvalue()


def test_it_is_downloaded_once(tmp_path, archive, mirrors):
    for train in (True, False):
        assert len(CIFAR10(tmp_path / "root", train=train, download=True)) == (5 * N if train else N)
    assert mirrors.asked == ["/good/cifar-10-binary.tar.gz"]
    assert not [path for path in (tmp_path / "root").iterdir() if path.name.startswith(".")]


def test_what_was_missing_comes_with_the_rest(tmp_path, archive):
    put(tmp_path / "root", "data_batch_1.bin", records(1))
    assert len(CIFAR10(tmp_path / "root", download=True)) == 5 * N


def test_an_archive_that_is_not_the_published_one(tmp_path, archive):
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "cifar-10-binary.tar.gz").write_bytes(archive[:-1])
    with pytest.raises(WrongChecksum, match="cifar-10-binary.tar.gz: not the published archive"):
        CIFAR10(tmp_path / "root", download=True)
    assert not (tmp_path / "root" / "cifar-10-batches-bin").exists()


def test_offline_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(CIFAR10, "mirrors", ["http://127.0.0.1:9/"])
    with pytest.raises(Offline, match="CIFAR10 could not be downloaded: .*no mirror can be reached"):
        CIFAR10(tmp_path / "root", download=True)


# ------------------------------------------------------------------------------------------------------- the real thing


def test_the_real_files(monkeypatch):
    if not Path(REAL, "cifar-10-batches-bin").is_dir():
        pytest.skip("TINYCONV_DATA holds no cifar-10-batches-bin")
    monkeypatch.undo()
    test = CIFAR10(REAL, train=False)
    assert test.data.shape == (10_000, 32, 32, 3)
    assert np.bincount(test.targets).tolist() == [1000] * 10
    np.testing.assert_allclose(test.data.mean((0, 1, 2)) / 255, [0.4942, 0.4851, 0.4504], atol=1e-4)
    assert test.targets[:8] == [3, 8, 8, 0, 6, 6, 1, 6]  # cat, ship, ship, airplane, frog, frog, automobile, frog
