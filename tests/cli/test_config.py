"""Options from a TOML file: the command line wins, and what is no option is an error. One folder, one process."""

import json

import pytest

from tinyconv.cli.config import run_toml
from tinyconv.training import RunDirectory


@pytest.fixture
def config(tmp_path, data_dir):
    def write(text):
        path = tmp_path / "config.toml"
        path.write_text(f"data-dir = {json.dumps(str(data_dir))}\ndata = 'mnist'\nlimit = 40\n{text}")
        return path

    return write


def test_the_file_and_the_command_line(tiny, config, tmp_path):
    path = config('model = "lenet5"\nepochs = 3\nbatch-size = 20\nweight_decay = 0.001\nout = "run"\n')
    result = tiny("train", "--config", path, "--epochs", 1)
    assert (result.status, result.err) == (0, "")
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert (metrics["epochs"], metrics["batch_size"], metrics["weight_decay"], metrics["seed"]) == (1, 20, 0.001, 0)
    again = tiny("train", "--config", tmp_path / "run" / "run.toml", "--data-dir", tmp_path, "--out", "again")
    assert again.status == 1  # where the data are is no part of the run
    again = tiny("train", "--config", tmp_path / "run" / "run.toml", "--data-dir", path_of(config), "--out", "again")
    assert again.status == 0
    models = [(tmp_path / name / "model.safetensors").read_bytes() for name in ("run", "again")]
    assert models[0] == models[1]


def path_of(config):
    return json.loads(config("").read_text().splitlines()[0].partition("= ")[2])


@pytest.mark.parametrize(
    "text, message",
    [
        ("epoch = 3", "'epoch' is no option of tinyconv train; known are accumulate, augment, batch-size"),
        ("epochs = 0", "epochs: expected a whole number from 1 to a billion, got '0'"),
        ("epochs = true", "epochs: expected a string or a number, got True"),
        ("optimizer = 'lion'", "optimizer: 'lion' is none of sgd, adam"),
        ("resume = 1", "resume: expected true or false, got 1"),
        ("[model]\nname = 1", "model: expected a string or a number, got {"),
        ("epochs = ", "is no TOML"),
        ("command = 'finetune'", "is for tinyconv finetune, not train"),
        ("", "which network?"),
    ],
)
def test_what_the_file_may_not_say(tiny, config, text, message):
    result = tiny("train", "--config", config(text))
    assert result.status == 1
    assert message in result.err
    assert result.err.count("\n") == 1


def test_no_file(tiny):
    assert "nowhere.toml" in tiny("train", "--config", "nowhere.toml").err


def test_strings_are_escaped():
    import tomllib

    options = {"data": 'a "quoted" \\ name\n', "lr": 1e-05, "weight_decay": 0.0, "clip_norm": None}
    assert tomllib.loads(run_toml("train", options))["data"] == options["data"]
    assert tomllib.loads(run_toml("train", options))["lr"] == 1e-05


def test_two_processes_into_one_folder(tiny, config, tmp_path):
    path = config('model = "lenet5"\nepochs = 1\nout = "run"\n')
    assert tiny("train", "--config", path).status == 0
    before = {p.name: p.read_bytes() for p in (tmp_path / "run").iterdir()}
    with RunDirectory(tmp_path / "run").lock():  # another descriptor is as good as another process
        result = tiny("train", "--config", path)
    assert result.status == 1
    assert "another process is training into this folder" in result.err
    assert {p.name: p.read_bytes() for p in (tmp_path / "run").iterdir()} == before
    assert tiny("train", "--config", path).status == 0
