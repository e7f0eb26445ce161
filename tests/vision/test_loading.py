"""Images from files, through random transforms and a loader, into batches: whatever the workers, the same."""

import numpy as np
import pytest
from PIL import Image

import tinyconv
from tinyconv.utils.data import DataLoader
from tinyconv.vision import transforms
from tinyconv.vision.datasets import DamagedImage, ImageFolder

AUGMENT = transforms.Compose(
    [
        transforms.RandomResizedCrop(8),
        transforms.RandomHorizontalFlip(),
        transforms.RandomAffine(20, (0.1, 0.1), (0.8, 1.2), 10),
        transforms.ColorJitter(0.4, 0.4, 0.4, 0.1),
        transforms.ToTensor(),
        transforms.RandomErasing(),
    ]
)


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(0)
    for label in ("a", "b"):
        (tmp_path / label).mkdir()
        for i in range(9):
            Image.fromarray(rng.integers(0, 256, (11, 13, 3)).astype(np.uint8)).save(tmp_path / label / f"{i}.png")
    return tmp_path


def epochs(folder, seed=1, **options):
    tinyconv.manual_seed(seed)
    loader = DataLoader(ImageFolder(folder, AUGMENT), batch_size=4, shuffle=True, **options)
    return [[(x.numpy().tobytes(), y.tolist()) for x, y in loader] for _ in range(2)]


def test_the_number_of_workers_changes_nothing(folder):
    one = epochs(folder, num_workers=1)
    assert one == epochs(folder, num_workers=3)
    assert one == epochs(folder, num_workers=2, multiprocessing_context="fork")
    assert one != epochs(folder, seed=2, num_workers=1)
    images = [x for epoch in one for x, _ in epoch]
    assert len(set(images)) == len(images)


def test_no_workers_repeat_too(folder):
    assert epochs(folder) == epochs(folder)


@pytest.mark.parametrize("num_workers", [0, 2])
def test_a_damaged_file_ends_the_epoch_and_is_named(folder, num_workers):
    (folder / "b" / "4.png").write_bytes(b"text")
    with pytest.raises(DamagedImage, match="4.png"):
        list(DataLoader(ImageFolder(folder, AUGMENT), batch_size=4, num_workers=num_workers))
    with pytest.warns(UserWarning, match="skips .*4.png"):
        batches = list(DataLoader(ImageFolder(folder, AUGMENT, damaged="skip"), batch_size=4, num_workers=num_workers))
    assert [len(y) for _, y in batches] == [4, 4, 4, 4, 2]
