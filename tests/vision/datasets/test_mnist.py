"""MNIST: where its files are found, what is in it, and what damaged files lead to."""

import os
from pathlib import Path

import numpy as np
import pytest

import tinyconv
from tinyconv.utils.data import DataLoader
from tinyconv.vision import transforms
from tinyconv.vision.datasets import MNIST, DatasetNotFound, FashionMNIST, Offline, write_idx

from .conftest import NAMES

REAL = os.environ.get("TINYCONV_DATA", "")


class Doubled:
    """A transform that only knows one image."""

    def __call__(self, image):
        return transforms.ToTensor()(np.asarray(image)) * 2


# ---------------------------------------------------------------------------------------------------------- the samples


@pytest.mark.parametrize("suffix", ["", ".gz"])
@pytest.mark.parametrize("train", [True, False])
def test_data_and_targets(tmp_path, write, train, suffix):
    images, labels = write(tmp_path, train=train, suffix=suffix)
    dataset = MNIST(tmp_path, train=train)
    assert len(dataset) == 5
    assert dataset.data.dtype is tinyconv.uint8
    assert dataset.targets.dtype is tinyconv.int64
    np.testing.assert_array_equal(dataset.data.numpy(), images)
    np.testing.assert_array_equal(dataset.targets.numpy(), labels)


def test_a_sample_is_an_image_and_an_int(tmp_path, write):
    images, labels = write(tmp_path)
    dataset = MNIST(tmp_path)
    for i in (0, 3, -1, np.int64(2)):
        image, label = dataset[i]
        assert (image.mode, image.size) == ("L", (28, 28))
        np.testing.assert_array_equal(np.asarray(image), images[i])
        assert type(label) is int
        assert label == labels[i]
    with pytest.raises(IndexError):
        dataset[5]
    with pytest.raises(TypeError):
        dataset[0:1]


def test_transforms_reach_image_and_label(tmp_path, write):
    _, labels = write(tmp_path)
    dataset = MNIST(tmp_path, transform=lambda image: image.size, target_transform=lambda label: -label)
    assert dataset[1] == ((28, 28), -int(labels[1]))


@pytest.mark.parametrize(
    "transform",
    [
        transforms.ToTensor(),
        transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.1,), (0.3,))]),
        Doubled(),
    ],
    ids=["ToTensor", "Compose", "one by one"],
)
def test_a_batch_is_the_samples_stacked(tmp_path, write, transform):
    write(tmp_path)
    dataset = MNIST(tmp_path, transform=transform)
    indices = np.array([4, 0, 0, 2])
    images, labels = dataset.batch(indices)
    assert images.dtype is tinyconv.float32
    assert images.shape == (4, 1, 28, 28)
    assert labels.dtype is tinyconv.int64
    np.testing.assert_array_equal(images.numpy(), np.stack([dataset[i][0].numpy() for i in indices]))
    np.testing.assert_array_equal(labels.numpy(), [dataset[i][1] for i in indices])


def test_a_batch_without_transforms_is_bytes(tmp_path, write):
    images, labels = write(tmp_path)
    batch = MNIST(tmp_path).batch(np.array([3, 1]))
    assert [x.dtype for x in batch] == [tinyconv.uint8, tinyconv.int64]
    np.testing.assert_array_equal(batch[0].numpy(), images[[3, 1]])
    np.testing.assert_array_equal(batch[1].numpy(), labels[[3, 1]])


def test_a_batch_does_not_share_memory(tmp_path, write):
    images, _ = write(tmp_path)
    dataset = MNIST(tmp_path)
    dataset.batch(np.arange(5))[0].numpy()[:] = 0
    np.testing.assert_array_equal(dataset.data.numpy(), images)


def test_target_transform_in_a_batch(tmp_path, write):
    _, labels = write(tmp_path)
    dataset = MNIST(tmp_path, transform=transforms.ToTensor(), target_transform=lambda label: label + 100)
    np.testing.assert_array_equal(dataset.batch(np.array([1, 2]))[1].numpy(), labels[[1, 2]] + 100)


def test_the_loader_takes_whole_batches(tmp_path, write, monkeypatch):
    _, labels = write(tmp_path)
    dataset = MNIST(tmp_path, transform=transforms.ToTensor())
    monkeypatch.setattr("tinyconv.vision.datasets.vision._pil_image", None)  # a single sample would fail
    batches = list(DataLoader(dataset, batch_size=2))
    assert [images.shape for images, _ in batches] == [(2, 1, 28, 28), (2, 1, 28, 28), (1, 1, 28, 28)]
    np.testing.assert_array_equal(np.concatenate([y.numpy() for _, y in batches]), labels)


def test_data_may_be_replaced_by_a_part(tmp_path, write):
    images, labels = write(tmp_path)
    dataset = MNIST(tmp_path)
    dataset.data, dataset.targets = dataset.data[2:], dataset.targets[2:]
    assert len(dataset) == 3
    assert dataset[0][1] == labels[2]
    np.testing.assert_array_equal(dataset.batch(np.array([1]))[0].numpy(), images[3:4])


def test_classes():
    assert MNIST.classes[3] == "3 - three"
    assert FashionMNIST.classes[9] == "Ankle boot"
    assert len(MNIST.classes) == len(FashionMNIST.classes) == 10


def test_repr(tmp_path, write):
    write(tmp_path, train=False)
    assert repr(MNIST(tmp_path, train=False, transform=transforms.ToTensor())) == (
        f"Dataset MNIST\n    Number of datapoints: 5\n    Root location: {tmp_path}\n    Split: Test\n"
        "    Transform: ToTensor()"
    )


def test_class_to_idx(tmp_path, write):
    write(tmp_path)
    assert MNIST(tmp_path).class_to_idx["7 - seven"] == 7


# ------------------------------------------------------------------------------------------------------ where it looks


def test_the_first_place_wins(tmp_path, write, monkeypatch):
    root, named, cache = tmp_path / "root", tmp_path / "named", tmp_path / "cache" / "tinyconv"

    def found():
        return MNIST(root).data.numpy()[0, 0, 0], MNIST.find(root, train=True)

    write(cache, first_pixel=3)
    assert found() == (3, cache)
    assert MNIST().data.numpy()[0, 0, 0] == 3
    monkeypatch.setenv("TINYCONV_DATA", str(named))
    assert found() == (3, cache)
    write(named, first_pixel=2)
    assert found() == (2, named)
    write(root, first_pixel=1)
    assert found() == (1, root)
    assert MNIST().data.numpy()[0, 0, 0] == 2


def test_a_place_without_the_labels_does_not_count(tmp_path, write):
    cache = tmp_path / "cache" / "tinyconv"
    write(cache, first_pixel=3)
    write(tmp_path, first_pixel=1)
    (tmp_path / "MNIST" / "raw" / NAMES[True][1]).unlink()
    assert MNIST(tmp_path).data.numpy()[0, 0, 0] == 3


def test_find_wants_both_halves_unless_told(tmp_path, write):
    write(tmp_path)
    assert MNIST.find(tmp_path, train=True) == tmp_path
    for train in (False, None):
        with pytest.raises(DatasetNotFound):
            MNIST.find(tmp_path, train=train)
    write(tmp_path, train=False)
    assert MNIST.find(tmp_path) == tmp_path


def test_tilde_in_root(tmp_path, write, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    write(tmp_path / "data")
    assert len(MNIST("~/data")) == 5


def test_fashion_has_a_folder_of_its_own(tmp_path, write):
    write(tmp_path, first_pixel=1)
    write(tmp_path, first_pixel=2, name="FashionMNIST")
    assert MNIST(tmp_path).data.numpy()[0, 0, 0] == 1
    assert FashionMNIST(tmp_path).data.numpy()[0, 0, 0] == 2


def test_not_found_says_where_it_looked_and_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setenv("TINYCONV_DATA", str(tmp_path / "named"))
    with pytest.raises(DatasetNotFound) as raised:
        MNIST(tmp_path / "root")
    message = str(raised.value)
    for part in ("MNIST", "root", "named", "cache", "download=True", "TINYCONV_DATA"):
        assert part in message
    assert "\n" not in message
    assert list(tmp_path.iterdir()) == []


def test_offline_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(MNIST, "mirrors", ["http://127.0.0.1:9/", "http://127.0.0.1:9/other/"])  # nobody listens there
    with pytest.raises(Offline, match="MNIST is not in .* and could not be downloaded: .*no mirror can be reached"):
        MNIST(tmp_path / "root", download=True)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


# ------------------------------------------------------------------------------------------------------- damaged files


def damage(tmp_path, which, array):
    write_idx(tmp_path / "MNIST" / "raw" / NAMES[True][which], array)


@pytest.mark.parametrize(
    ("which", "array", "message"),
    [
        (0, np.zeros((5, 28, 27), np.uint8), r"train-images.*expected uint8 images \(N, 28, 28\), got .*27"),
        (0, np.zeros((5, 784), np.uint8), r"train-images.*expected uint8 images"),
        (0, np.zeros((5, 28, 28), np.int32), r"train-images.*int32"),
        (0, np.zeros((4, 28, 28), np.uint8), r"train-labels.*5 labels for the 4 images of .*train-images"),
        (1, np.zeros(6, np.uint8), r"train-labels.*6 labels for the 5 images"),
        (1, np.zeros((5, 1), np.uint8), r"train-labels.*expected uint8 labels"),
        (1, np.zeros(5, np.int32), r"train-labels.*int32"),
        (1, np.array([0, 1, 10, 3, 4], np.uint8), r"train-labels.*from 0 to 9, got 10"),
    ],
)
def test_files_that_are_not_mnist(tmp_path, write, which, array, message):
    write(tmp_path)
    damage(tmp_path, which, array)
    with pytest.raises(ValueError, match=message):
        MNIST(tmp_path)


@pytest.mark.parametrize("which", [0, 1])
def test_a_truncated_file_is_named(tmp_path, write, which):
    write(tmp_path)
    path = tmp_path / "MNIST" / "raw" / NAMES[True][which]
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ValueError, match=path.name):
        MNIST(tmp_path)


def test_an_empty_data_set(tmp_path, write):
    write(tmp_path, n=0)
    assert len(MNIST(tmp_path)) == 0


# ------------------------------------------------------------------------------------------------------ the real thing


@pytest.mark.parametrize(("cls", "mean"), [(MNIST, 0.1307), (FashionMNIST, 0.2860)])
def test_the_real_files(cls, mean):
    if not (REAL and Path(REAL, cls.__name__, "raw").is_dir()):
        pytest.skip(f"TINYCONV_DATA holds no {cls.__name__}")
    train, test = cls(REAL), cls(REAL, train=False)
    assert (train.data.shape, test.data.shape) == ((60_000, 28, 28), (10_000, 28, 28))
    assert round(train.data.numpy().mean() / 255, 4) == mean
    assert np.bincount(test.targets.numpy()).sum() == 10_000
    assert set(np.unique(train.targets.numpy())) == set(range(10))
