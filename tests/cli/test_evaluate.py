"""``tinyconv eval``: the numbers of the run itself, and clear words about folders that are none."""

import json
import shutil

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file


@pytest.fixture
def run(trained, tmp_path):
    shutil.copytree(trained, tmp_path / "run")
    return tmp_path / "run"


def test_it_finds_the_accuracy_of_the_training(tiny, trained, data_dir):
    accuracy = json.loads((trained / "metrics.json").read_text())["test_accuracy"]
    assert accuracy > 0.6  # it has learnt something
    result = tiny("eval", trained, "--data-dir", data_dir)
    assert result.status == 0
    assert f"test accuracy {accuracy:.2%} ({round(200 * accuracy)} of 200)" in result.out
    assert "trained on MNIST, tested on MNIST" in result.out
    result = tiny("eval", trained, "--data-dir", data_dir, "--limit", 50)
    assert "of 50)" in result.out


def test_other_images(tiny, trained, data_dir):
    shutil.copytree(data_dir / "MNIST", "FashionMNIST")
    result = tiny("eval", trained, "--data", "fashion-mnist", "--data-dir", ".")
    assert "tested on Fashion-MNIST" in result.out
    assert "Sneaker" in result.out


def error(result):
    assert result.status == 1
    assert result.err.startswith("tinyconv eval: error: ")
    assert result.err.count("\n") == 1
    return result.err


def test_no_run(tiny, tmp_path):
    assert "is no folder of a training run: there is no checkpoint.safetensors in it" in error(tiny("eval", tmp_path))
    assert "nowhere: is no folder of a training run: there is no such folder\n" in error(tiny("eval", "nowhere"))


def test_the_runs_that_there_are_are_named(tiny, run):
    """Without MNIST the first command of the README trains on strokes, and the folder is called after those."""
    misspelt = run.with_name("lenet5-mnist")
    assert error(tiny("eval", misspelt)).endswith(f"there is no such folder; there is {run}\n")
    file = run / "model.safetensors"
    assert "it is a file; expected the folder that it is in" in error(tiny("eval", file))


@pytest.mark.parametrize("name", ["model.safetensors", "checkpoint.safetensors"])
def test_a_truncated_file(tiny, run, data_dir, name):
    path = run / name
    path.write_bytes(path.read_bytes()[:5000])
    assert f"{path}: is a damaged or truncated safetensors file" in error(tiny("eval", run, "--data-dir", data_dir))


def test_missing_keys(tiny, run, data_dir):
    weights = load_file(run / "model.safetensors")
    del weights["c3.bias"]
    save_file(weights, run / "model.safetensors")
    message = error(tiny("eval", run, "--data-dir", data_dir))
    assert 'Missing key(s) in state_dict: "c3.bias"' in message


def test_another_models_weights(tiny, run, data_dir):
    save_file({"c1.weight": np.zeros((3, 1, 5, 5), np.float32)}, run / "model.safetensors")
    message = error(tiny("eval", run, "--data-dir", data_dir))
    assert "model.safetensors: holds no weights of this model" in message
    assert "size mismatch for c1.weight" in message


def test_a_model_that_is_unknown(tiny, run, data_dir):
    from tinyconv.serialization import save

    save({"options": {"model": "lenet9", "data": "mnist"}, "training": {}}, run / "checkpoint.safetensors")
    assert "its model is 'lenet9'; known are [" in error(tiny("eval", run, "--data-dir", data_dir))
