"""The run's folder: whole files, and clear words about files that are not what they should be."""

import json

import pytest

import tinyconv
from tinyconv import nn
from tinyconv.serialization import CheckpointError, load, save
from tinyconv.training import CheckpointEvery, RunDirectory, evaluate, resume

OPTIONS = {"model": "small", "data": "clouds"}


@pytest.fixture
def directory(tmp_path):
    directory = RunDirectory(tmp_path / "a" / "b")
    directory.create()
    return directory


def test_save_and_restore(problem, directory):
    state, loader, test_loader = problem.start()
    resume(state, loader, test_loader)
    directory.save(state, OPTIONS)
    assert [json.loads(line) for line in directory.history.read_text().splitlines()] == state.history
    options, training = directory.load()
    assert options == OPTIONS
    restored, *_ = problem.start(seed=3)
    directory.restore(restored, training)
    assert (restored.epoch, restored.history) == (3, state.history)
    other = problem.start(seed=4)[0].model
    directory.load_model(other)
    for name, value in state.model.state_dict().items():
        assert tinyconv.equal(other.state_dict()[name], value)


def test_finish(problem, directory):
    state, loader, test_loader = problem.start()
    resume(state, loader, test_loader)
    directory.finish(state, evaluate(state.model, test_loader), {"val_accuracy": 0.5})
    assert json.loads(directory.metrics.read_text()) == {"val_accuracy": 0.5}
    assert directory.curves.read_bytes().startswith(b"\x89PNG")
    assert directory.confusion.read_bytes().startswith(b"\x89PNG")


def test_an_earlier_run_is_put_aside_whole(problem, directory):
    assert directory.put_aside() is None
    (directory.path / "notes.txt").write_text("mine")
    for number in (1, 2):
        state, *_ = problem.start(seed=number)
        directory.save(state, {**OPTIONS, "number": number})
        aside = directory.put_aside()
        assert aside == directory.path / f"earlier-{number}"
        assert RunDirectory(aside).load()[0]["number"] == number
        assert sorted(f.name for f in directory.path.iterdir() if f.is_file()) == ["notes.txt"]


def test_saves_after_each_epoch_and_every_so_many_seconds(problem, directory):
    state, loader, _ = problem.start()
    saved = []
    every = CheckpointEvery(directory, OPTIONS, seconds=0)
    directory.save = lambda state, options: saved.append((state.epoch, state.step))
    state.callbacks = [every]
    resume(state, loader)
    assert saved == [at for e in range(3) for at in [*((e, s) for s in range(1, 8)), (e + 1, 0)]]
    saved.clear()
    state, loader, _ = problem.start()
    state.callbacks = [CheckpointEvery(directory, OPTIONS, seconds=1e9)]
    resume(state, loader)
    assert saved == [(1, 0), (2, 0), (3, 0)]


@pytest.mark.parametrize("content", [{}, {"options": 3, "training": {}}, [1], {"w": tinyconv.zeros(2)}], ids=str)
def test_load_refuses_what_is_no_checkpoint(directory, content):
    save(content, directory.checkpoint)
    with pytest.raises(CheckpointError, match="no checkpoint of a training run"):
        directory.load()


def _remove(training, key):
    del training[key]


@pytest.mark.parametrize(
    "damage, message",
    [
        (lambda t: _remove(t, "optimizer"), "no complete checkpoint: 'optimizer' is missing"),
        (lambda t: _remove(t, "generator"), "no complete checkpoint: 'generator' is missing"),
        (lambda t: _remove(t["model"], "0.weight"), "does not fit this run: (.|\\s)*Missing key"),
        (
            lambda t: t["model"].update({"0.weight": tinyconv.zeros(2, 2)}),
            "does not fit this run: (.|\\s)*size mismatch",
        ),
        (lambda t: t["optimizer"].update(param_groups=[]), "does not fit this run"),
        (lambda t: t["optimizer"]["state"][0].update(momentum_buffer=tinyconv.zeros(3)), "does not fit this run"),
        (lambda t: t.update(generator=(1,)), "does not fit this run"),
        (lambda t: t.update(epoch="one"), "does not fit this run"),
        (lambda t: t.update(history=[1]), "does not fit this run"),
        (lambda t: t.update(scheduler=None), "does not fit this run"),
    ],
)
def test_restore_refuses_what_does_not_fit(problem, directory, damage, message):
    state, loader, _ = problem.start()
    resume(state, loader)
    directory.save(state, OPTIONS)
    _, training = directory.load()
    damage(training)
    with pytest.raises(CheckpointError, match=rf"checkpoint.safetensors: (is )?{message}"):
        directory.restore(problem.start()[0], training)


def test_load_model_refuses_another_models_weights(problem, directory):
    save(nn.Linear(2, 2).state_dict(), directory.model)
    model = problem.start()[0].model
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with pytest.raises(CheckpointError, match="model.safetensors: holds no weights of this model: (.|\\s)*Missing key"):
        directory.load_model(model)
    for name, value in model.state_dict().items():
        assert tinyconv.equal(value, before[name])


def test_a_failed_save_leaves_the_earlier_checkpoint(problem, directory, monkeypatch):
    state, *_ = problem.start()
    directory.save(state, OPTIONS)
    before = directory.checkpoint.read_bytes()

    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    state.epoch = 2
    with pytest.raises(OSError, match="No space left"):
        directory.save(state, OPTIONS)
    assert directory.checkpoint.read_bytes() == before
    assert load(directory.checkpoint)["training"]["epoch"] == 0
    assert sorted(f.name for f in directory.path.iterdir()) == [
        "checkpoint.safetensors",
        "history.jsonl",
        "model.safetensors",
    ]
