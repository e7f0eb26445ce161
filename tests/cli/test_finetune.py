"""``tinyconv finetune`` and folders of images: what is learnt, what is cached, what is refused."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image

from tinyconv.serialization import save
from tinyconv.vision.models import get_model


@pytest.fixture
def folder(tmp_path):
    """Dark and light images, 12 to learn from and 6 to test on."""
    rng = np.random.default_rng(0)
    for part, count in (("train", 6), ("val", 3)):
        for label, brightness in (("dark", 40), ("light", 200)):
            place = tmp_path / "images" / part / label
            place.mkdir(parents=True)
            for i in range(count):
                pixels = rng.normal(brightness, 10, (40, 50, 3)).clip(0, 255).astype(np.uint8)
                Image.fromarray(pixels).save(place / f"{i}.png")
    return tmp_path / "images"


@pytest.fixture
def weights(tmp_path):
    path = tmp_path / "weights.safetensors"
    save(get_model("resnet20").state_dict(), path)
    return path


def test_frozen_features(tiny, folder, weights, tmp_path):
    command = ("finetune", "resnet20", "--data", folder, "--weights", weights, "--epochs", 5)
    result = tiny(*command, "--out", "run")
    assert (result.status, result.err) == (0, "")
    assert result.out.count("features of ") == 2  # training and validation
    again = tiny(*command, "--out", "again")
    assert "features of " not in again.out  # from the cache
    models = [(tmp_path / name / "model.safetensors").read_bytes() for name in ("run", "again")]
    assert models[0] == models[1]
    accuracy = json.loads((tmp_path / "run" / "metrics.json").read_text())["test_accuracy"]
    tested = tiny("eval", "run", "--report", "report")
    assert f"test accuracy {accuracy:.2%}" in tested.out
    assert "sensitivity for light" in tested.out
    report = json.loads((tmp_path / "report" / "report.json").read_text())
    assert report["accuracy"] == pytest.approx(accuracy)
    assert {"roc.png", "calibration.png", "confusion.png", "report.txt"} <= {
        p.name for p in (tmp_path / "report").iterdir()
    }
    said = tiny("predict", "run", folder / "val" / "light" / "0.png")
    assert said.status == 0
    assert "dark" in said.out and "light" in said.out
    # Another file changes the key.
    shutil.copy(folder / "train" / "dark" / "0.png", folder / "train" / "dark" / "9.png")
    assert tiny(*command, "--out", "third").out.count("features of ") == 1


def test_run_toml_does_it_again(tiny, folder, weights, tmp_path):
    command = ("finetune", "resnet20", "--data", folder, "--weights", weights, "--epochs", 2, "--lr", "0.01")
    assert tiny(*command, "--seed", 5, "--out", "run").status == 0
    result = tiny("finetune", "--config", tmp_path / "run" / "run.toml", "--weights", weights, "--out", "again")
    assert (result.status, result.err) == (0, "")
    models = [(tmp_path / name / "model.safetensors").read_bytes() for name in ("run", "again")]
    assert models[0] == models[1]


@pytest.mark.parametrize("mode", ["all", "scratch"])
def test_all_layers(tiny, folder, weights, mode):
    options = ("--epochs", 1, "--batch-size", 4, "--accumulate", 2, "--clip-norm", 1, "--early-stopping", 1)
    result = tiny(
        "finetune", "resnet20", "--data", folder, "--weights", weights, "--mode", mode, "--out", "run", *options
    )
    assert (result.status, result.err) == (0, "")
    assert "of 6)" in tiny("eval", "run").out


def test_train_on_a_folder(tiny, folder):
    result = tiny("train", "lenet5", "--data", folder, "--epochs", 1, "--optimizer", "adam", "--schedule", "plateau")
    assert (result.status, result.err) == (0, "")
    assert "(12 training images, 6 test images)" in result.out
    assert "of 6)" in tiny("eval", "runs/lenet5-images").out


def error(result):
    assert result.status == 1
    assert result.err.count("\n") == 1
    return result.err


def test_folders_that_will_not_do(tiny, folder, weights):
    command = ("finetune", "resnet20", "--weights", weights, "--data")
    assert "expected the folders train and val" in error(tiny(*command, folder / "train"))
    assert "there is no such folder" in error(tiny(*command, folder / "nowhere"))
    (folder / "val" / "grey").mkdir()
    assert "Found no valid file for the classes grey" in error(tiny(*command, folder))
    shutil.rmtree(folder / "val" / "grey")
    shutil.rmtree(folder / "val" / "dark")
    assert "train has the classes ['dark', 'light'], and val has ['light']" in error(tiny(*command, folder))
    assert "--data is missing" in error(tiny("finetune", "resnet20"))
    assert "MODEL is missing" in error(tiny("finetune", "--data", folder))


def test_a_damaged_image_is_named(tiny, folder, weights):
    broken = folder / "train" / "dark" / "0.png"
    broken.write_bytes(broken.read_bytes()[:100])
    assert str(broken) in error(tiny("finetune", "resnet20", "--data", folder, "--weights", weights))


def test_weights_that_will_not_do(tiny, folder, tmp_path):
    other = tmp_path / "other.safetensors"
    save(get_model("lenet5").state_dict(), other)
    assert "resnet20" in error(tiny("finetune", "resnet20", "--data", folder, "--weights", other))
