"""The pictures are PNGs, and show what they are given."""

import io

import numpy as np
import pytest
from PIL import Image

from tinyconv.training.plots import confusion_plot, curves_plot


def pixels(png):
    assert png.startswith(b"\x89PNG")
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))


def row(epoch, loss):
    return {"epoch": epoch, "train_loss": loss, "train_accuracy": 0.9, "test_loss": loss, "test_accuracy": 0.95}


@pytest.mark.parametrize("epochs", [1, 3])
def test_curves(epochs):
    history = [row(i + 1, 1 / (i + 1)) for i in range(epochs)]
    assert not np.array_equal(pixels(curves_plot(history)), pixels(curves_plot([*history[:-1], row(epochs, 3.0)])))


def test_curves_without_a_test():
    history = [{"epoch": 1, "train_loss": 1.0, "train_accuracy": 0.5}]
    assert pixels(curves_plot(history)).shape[2] == 3


def test_confusion():
    right = np.diag([5, 6, 7])
    wrong = right.copy()
    wrong[0, 2] = 4
    assert not np.array_equal(pixels(confusion_plot(right)), pixels(confusion_plot(wrong)))
    assert (pixels(confusion_plot(right, ["a", "b", "c"])) < 255).any()
