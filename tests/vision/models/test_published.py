"""Published weights do what their authors say, on real images. (These take a minute each.)"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import tinyconv
from tinyconv.utils.data import DataLoader
from tinyconv.vision import models
from tinyconv.vision.datasets import CIFAR10, ImageFolder

DATA = Path(os.environ.get("TINYCONV_DATA", "/nowhere"))
pytestmark = pytest.mark.slow


def predictions(model, dataset):
    """(class found, label) of every image."""
    pairs = []
    with tinyconv.no_grad():
        for x, target in DataLoader(dataset, batch_size=50):
            pairs += zip(model(x).argmax(1).tolist(), target.tolist(), strict=True)
    return pairs


def test_resnet20_errs_on_827_of_cifars_test_images():
    """8.27%, as its author reports."""
    if not (DATA / "weights" / "resnet20-12fca82f.th").exists() or not (DATA / "cifar-10-batches-bin").exists():
        pytest.skip("TINYCONV_DATA has no weights/resnet20-12fca82f.th or no cifar-10-batches-bin")
    model = models.resnet20(weights="DEFAULT").eval()
    images = CIFAR10(DATA, train=False, transform=models.ResNet20_Weights.DEFAULT.transforms())
    pairs = predictions(model, images)
    assert len(pairs) == 10_000
    wrong = sum(found != label for found, label in pairs)
    print(f"ResNet-20 on CIFAR-10: {wrong} of {len(pairs)} wrong")
    assert abs(wrong - 827) <= 2


def test_squeezenet_knows_bees_and_ants():
    """ImageNet's class 309 is the bee, 310 the ant."""
    folder = DATA / "hymenoptera_data" / "val"
    if not (DATA / "weights" / "squeezenet1_1_fp16_torchvision_names.npz").exists() or not folder.exists():
        pytest.skip("TINYCONV_DATA has no weights/squeezenet1_1_fp16_torchvision_names.npz or no hymenoptera_data")
    weights = models.SqueezeNet1_1_Weights.DEFAULT
    model = models.squeezenet1_1(weights=weights).eval()
    images = ImageFolder(folder, transform=weights.transforms())
    pairs = predictions(model, images)
    ants = [found for found, label in pairs if images.classes[label] == "ants"]
    bees = [found for found, label in pairs if images.classes[label] == "bees"]
    assert (len(ants), len(bees)) == (70, 83)
    print(f"SqueezeNet 1.1: {bees.count(309)} of 83 bees, {ants.count(310)} of 70 ants")
    assert abs(bees.count(309) - 59) <= 2
    assert abs(ants.count(310) - 32) <= 2
