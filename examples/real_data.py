"""Where the examples find their data: on this machine, else on the network, else drawn by tinyconv itself."""

from pathlib import Path

from tinyconv.vision import datasets
from tinyconv.vision.datasets.archive import download_and_extract_archive
from tinyconv.vision.datasets.download import DatasetNotFound, download_place, places_of


def mnist(train, transform, dataset=datasets.MNIST):
    """MNIST or another set of its kind; StrokeDigits, which tinyconv draws, where that can't be found or fetched."""
    try:
        return dataset(train=train, transform=transform, download=True)
    except RuntimeError as error:
        if train:  # once
            print(f"{error}\nStrokeDigits instead.")
        return datasets.StrokeDigits(train=train, transform=transform)


def fashion_mnist(train, transform):
    """Fashion-MNIST, with the same way out."""
    return mnist(train, transform, datasets.FashionMNIST)


def cifar10(train, transform):
    """CIFAR-10, or those of its files that are here."""
    try:
        return datasets.CIFAR10(train=train, transform=transform, allow_missing=True)
    except DatasetNotFound:
        pass
    try:
        return datasets.CIFAR10(train=train, transform=transform, download=True)
    except DatasetNotFound as error:
        raise SystemExit(f"{error}\nPut cifar-10-batches-bin into {download_place(None)} or $TINYCONV_DATA.") from error


def ants_and_bees():
    """The folder of photographs that PyTorch's tutorial on transfer learning made famous.

    Returns:
        ``hymenoptera_data``, with 244 images in ``train/ants`` and ``train/bees``, 153 in ``val/ants`` and
        ``val/bees``; it is downloaded where neither ``data`` nor ``$TINYCONV_DATA`` nor the user's cache folder has it.
    """
    for place in places_of("data"):
        if (place / "hymenoptera_data").is_dir():
            return place / "hymenoptera_data"
    place = download_place(None)
    try:
        download_and_extract_archive("https://download.pytorch.org/tutorial/hymenoptera_data.zip", place)
    except DatasetNotFound as error:
        raise SystemExit(f"{error}\nPut the folder hymenoptera_data into {place} or $TINYCONV_DATA.") from error
    return place / "hymenoptera_data"


def portrait():
    """A photograph that every machine with matplotlib has: Grace Hopper, by the US Navy, in the public domain."""
    import matplotlib

    return Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg"
