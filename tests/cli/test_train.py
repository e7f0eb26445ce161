"""``tinyconv train``: what it writes, what it says, and that being stopped changes nothing."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from safetensors.numpy import load_file

from tinyconv.cli import main
from tinyconv.training import ConsoleProgress

FILES = {
    "checkpoint.safetensors",
    "confusion.png",
    "curves.png",
    "history.jsonl",
    "metrics.json",
    "model.safetensors",
    "run.toml",
}
SMALL = ("train", "lenet5", "--limit", 100, "--batch-size", 16, "--epochs", 2)  # 7 steps an epoch


@pytest.fixture
def small(data_dir):
    """A small training on MNIST."""
    return (*SMALL, "--data-dir", data_dir)


@pytest.fixture
def few_strokes(monkeypatch):
    """StrokeDigits with 120 images: all of them take seconds."""
    from tinyconv.vision.datasets import strokes

    draw = strokes.draw_digits
    monkeypatch.setattr(strokes, "draw_digits", lambda count, **options: draw(120, **options))


def stop_after(monkeypatch, steps, signum=signal.SIGINT, event="on_step"):
    """Send this process a signal in the middle of the step (or test batch) of that number."""
    original, left = getattr(ConsoleProgress, event), [steps]

    def on_event(self, state):
        original(self, state)
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signum)

    monkeypatch.setattr(ConsoleProgress, event, on_event)


def files(folder):
    return {path.name for path in folder.iterdir()}


def test_what_it_writes(tiny, small, tmp_path):
    result = tiny(*small, "--seed", 3, "--threads", 1)
    assert (result.status, result.err) == (0, "")
    run = tmp_path / "runs" / "lenet5-mnist"
    assert files(run) == FILES
    metrics = json.loads((run / "metrics.json").read_text())
    assert metrics["data"] == "mnist"
    assert (metrics["epochs"], metrics["seed"], metrics["threads"]) == (2, 3, 1)
    assert 0 <= metrics["test_accuracy"] <= 1
    assert metrics["seconds"] > 0
    assert metrics["images_per_second"] > 0
    history = [json.loads(line) for line in (run / "history.jsonl").read_text().splitlines()]
    assert [row["epoch"] for row in history] == [1, 2]
    assert history[-1]["test_accuracy"] == metrics["test_accuracy"]
    weights = load_file(run / "model.safetensors")
    assert sum(w.size for w in weights.values()) == 61_706
    assert f"test accuracy {metrics['test_accuracy']:.2%} on MNIST after 2 epochs" in result.out
    assert "\x1b" not in result.out


def test_the_seed_decides_everything(tiny, small, tmp_path):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        assert tiny(*small, "--seed", seed, "--out", name).status == 0
    a, b, c = ((tmp_path / name / "model.safetensors").read_bytes() for name in "abc")
    assert a == b != c


def test_reference_kernels(tiny, data_dir, tmp_path):
    import tinyconv

    with tinyconv.use_kernels("cpu"):  # to be restored
        options = ("--limit", 20, "--epochs", 1, "--data-dir", data_dir, "--kernels", "reference", "--out", "run")
        assert tiny("train", "lenet5", *options).status == 0
    assert json.loads((tmp_path / "run" / "metrics.json").read_text())["kernels"] == "reference"


# --------------------------------------------------------------------------------------------------- stopping, going on


@pytest.mark.parametrize(
    "where",
    [
        {"steps": 1},
        {"steps": 10, "signum": signal.SIGTERM},
        {"steps": 7},
        {"steps": 1, "event": "on_test_step"},
        {"steps": 2, "event": "on_epoch"},
    ],
    ids=str,
)
def test_stopped_and_resumed_gives_the_same_bytes(tiny, small, tmp_path, monkeypatch, where):
    assert tiny(*small, "--out", "whole").status == 0
    with monkeypatch.context() as patch:
        stop_after(patch, **where)
        stopped = tiny(*small, "--out", "stopped")
    assert stopped.status == 128 + where.get("signum", signal.SIGINT)
    assert "--resume goes on from there" in stopped.out
    assert files(tmp_path / "stopped") == {"checkpoint.safetensors", "history.jsonl", "model.safetensors", "run.toml"}
    resumed = tiny("train", "lenet5", "--resume", "--out", "stopped", *small[-2:])
    assert (resumed.status, resumed.err) == (0, "")
    assert files(tmp_path / "stopped") == FILES
    for name in ("model.safetensors", "confusion.png"):
        assert (tmp_path / "stopped" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def start(*argv, **options):
    command = [sys.executable, "-m", "tinyconv", *map(str, argv)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)


def wait_for(path, process):
    while not path.exists() or not path.read_bytes():
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)


def test_processes_that_get_signals(tiny, small, tmp_path):
    """One run, stopped twice in processes of its own, ends as one that nobody stopped."""
    options = (*small, "--limit", 60, "--epochs", 60)
    for signum in (signal.SIGINT, signal.SIGTERM):
        history = tmp_path / "stopped" / "history.jsonl"
        history.unlink(missing_ok=True)
        process = start(*options, "--out", tmp_path / "stopped", "--resume")
        wait_for(history, process)  # an epoch is done
        process.send_signal(signum)
        out, err = process.communicate()
        assert process.returncode == 128 + signum
        assert err == ""
        assert f"{signum.name}: stopped after" in out
    assert tiny(*options, "--out", "stopped", "--resume").status == 0
    assert tiny(*options, "--out", "whole").status == 0
    models = [(tmp_path / name / "model.safetensors").read_bytes() for name in ("stopped", "whole")]
    assert models[0] == models[1]


@pytest.mark.slow
def test_killed_again_and_again(tiny, small, tmp_path):
    """SIGKILL, which nothing can catch, at any moment: during a save, an epoch, the plots."""
    options = (*small, "--epochs", 30)
    assert tiny(*options, "--out", "whole").status == 0
    seconds = 0.5
    for _ in range(200):
        process = start(*options, "--out", tmp_path / "killed", "--resume")
        try:
            process.communicate(timeout=seconds)
            break
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            seconds += 0.05
    assert process.returncode == 0
    assert files(tmp_path / "killed") >= FILES
    for name in ("model.safetensors", "confusion.png"):
        assert (tmp_path / "killed" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_resume_needs_no_more_than_the_folder(tiny, small, tmp_path, monkeypatch):
    """What was trained there is in the checkpoint."""
    with monkeypatch.context() as patch:
        stop_after(patch, 3)
        tiny(*small, "--out", "run")
    result = tiny("train", "--resume", "--out", "run", "--data-dir", small[small.index("--data-dir") + 1])
    assert result.status == 0
    assert "lenet5 (61,706 parameters)" in result.out
    assert "going on after" in result.out
    for argv, words in (
        (("--resume", "--out", "nowhere"), "nowhere: holds no run to resume; to start one there, give MODEL"),
        (("--resume",), "which network? give MODEL, "),
        (("--out", "run"), "which network? give MODEL, "),
    ):
        result = tiny("train", *argv)
        assert result.status == 1
        assert result.err.startswith(f"tinyconv train: error: {words}")
    assert not (tmp_path / "nowhere").exists()


def test_resume_without_a_run_starts_one(tiny, small):
    result = tiny(*small, "--out", "new", "--resume")
    assert result.status == 0
    assert "new holds no run to resume: starting from the beginning" in result.out


def test_resume_of_a_finished_run_writes_its_results_again(tiny, small, tmp_path):
    assert tiny(*small, "--out", "run").status == 0
    run = tmp_path / "run"
    before = {path.name: path.read_bytes() for path in run.iterdir()}
    (run / "metrics.json").unlink()
    (run / "curves.png").unlink()
    assert tiny(*small, "--out", "run", "--resume").status == 0
    assert {path.name: path.read_bytes() for path in run.iterdir()} == before


def test_resume_finds_the_run_that_auto_has_started(tiny, small, monkeypatch):
    with monkeypatch.context() as patch:
        stop_after(patch, 3)
        assert tiny(*small).status == 130
    result = tiny("train", "lenet5", "--resume", *small[-2:])
    assert result.status == 0
    assert "going on after 0 of 2 epochs and 3 steps" in result.out


@pytest.mark.parametrize(
    "option, value, message",
    [
        ("--epochs", 5, "started with epochs 2, and can't go on with 5"),
        ("--batch-size", 8, "started with batch-size 16, and can't go on with 8"),
        ("--seed", 1, "started with seed 0, and can't go on with 1"),
        ("--data", "strokes", "started with data mnist, and can't go on with strokes"),
    ],
)
def test_resume_with_other_options_is_refused(tiny, small, tmp_path, monkeypatch, option, value, message):
    with monkeypatch.context() as patch:
        stop_after(patch, 3)
        tiny(*small, "--out", "run")
    before = {path.name: path.read_bytes() for path in (tmp_path / "run").iterdir()}
    result = tiny("train", "lenet5", "--resume", "--out", "run", option, value)
    assert result.status == 1
    assert message in result.err
    assert {path.name: path.read_bytes() for path in (tmp_path / "run").iterdir()} == before


@pytest.mark.parametrize("damage", ["truncated", "another"])
def test_resume_from_a_damaged_checkpoint_is_refused(tiny, small, tmp_path, damage):
    run = tmp_path / "run"
    assert tiny(*small, "--out", run).status == 0
    checkpoint = run / "checkpoint.safetensors"
    if damage == "truncated":
        checkpoint.write_bytes(checkpoint.read_bytes()[:-1000])
    else:
        shutil.copy(run / "model.safetensors", checkpoint)
    before = {path.name: path.read_bytes() for path in run.iterdir()}
    result = tiny(*small, "--out", run, "--resume")
    assert result.status == 1
    assert result.err.startswith(f"tinyconv train: error: {checkpoint}: is ")
    assert result.err.count("\n") == 1
    assert {path.name: path.read_bytes() for path in run.iterdir()} == before


# ----------------------------------------------------------------------------------------------------- where it writes


def test_a_new_run_puts_the_earlier_one_aside(tiny, small, tmp_path):
    assert tiny(*small, "--out", "run").status == 0
    first = (tmp_path / "run" / "model.safetensors").read_bytes()
    result = tiny(*small, "--seed", 7, "--out", "run")
    assert result.status == 0
    assert f"run held an earlier run; it is in {os.path.join('run', 'earlier-1')} now" in result.out
    assert (tmp_path / "run" / "earlier-1" / "model.safetensors").read_bytes() == first
    assert files(tmp_path / "run" / "earlier-1") == FILES
    assert files(tmp_path / "run") == FILES | {"earlier-1"}


def test_an_output_that_is_no_folder(tiny, small, tmp_path):
    (tmp_path / "file").write_text("mine")
    for out in ("file", os.path.join("file", "below")):
        result = tiny(*small, "--out", out)
        assert result.status == 1
        assert result.err == "tinyconv train: error: file: is a file; expected a folder, or a new name\n"
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.parametrize("after", [0, 6])
def test_a_full_disk(tiny, small, tmp_path, monkeypatch, after):
    """At the first save, and at one in the middle."""
    fsync, calls = os.fsync, []

    def full(descriptor):
        calls.append(descriptor)
        if len(calls) > after:
            raise OSError(28, "No space left on device")
        fsync(descriptor)

    monkeypatch.setattr("os.fsync", full)
    result = tiny(*small, "--out", "run")
    assert result.status == 1
    assert "No space left on device" in result.err
    assert result.err.count("\n") == 1
    monkeypatch.undo()
    os.chdir(tmp_path)
    left = files(tmp_path / "run")
    assert left <= FILES
    if after:
        assert tiny(*small, "--out", "run", "--resume").status == 0


def test_a_learning_rate_that_is_too_large(tiny, small, tmp_path):
    result = tiny(*small, "--lr", "1e20", "--out", "run")
    assert result.status == 1
    assert "try a smaller learning rate" in result.err
    assert "metrics.json" not in files(tmp_path / "run")


# --------------------------------------------------------------------------------------------------------- which images


def test_auto_without_mnist_says_so_in_one_line_and_draws_digits(tiny, few_strokes, tmp_path):
    result = tiny(*SMALL)
    assert result.status == 0
    assert result.err.startswith("No MNIST: ")
    assert result.err.count("\n") == 1
    for word in ("could not be downloaded", "StrokeDigits", "--data-dir", "TINYCONV_DATA"):
        assert word in result.err
    assert "on StrokeDigits (100 training images" in result.out
    metrics = json.loads((tmp_path / "runs" / "lenet5-strokes" / "metrics.json").read_text())
    assert metrics["data"] == "strokes"


@pytest.mark.parametrize("name", ["mnist", "fashion-mnist"])
def test_mnist_by_name_without_mnist_is_an_error(tiny, tmp_path, name):
    result = tiny(*SMALL, "--data", name)
    assert result.status == 1
    for words in ("MNIST is not in", "name the folder that holds the data by --data-dir or TINYCONV_DATA"):
        assert words in result.err
    assert result.err.count("\n") == 1
    assert not (tmp_path / "runs").exists()


def test_mnist_from_the_environment(tiny, data_dir, monkeypatch):
    monkeypatch.setenv("TINYCONV_DATA", str(data_dir))
    assert "on MNIST (100 training images" in tiny(*SMALL).out


def test_a_damaged_mnist_is_an_error_and_no_reason_for_strokes(tiny, data_dir, tmp_path):
    shutil.copytree(data_dir, tmp_path / "data")
    images = tmp_path / "data" / "MNIST" / "raw" / "train-images-idx3-ubyte"
    images.write_bytes(images.read_bytes()[:-1])
    result = tiny(*SMALL, "--data-dir", tmp_path / "data")
    assert result.status == 1
    assert str(images) in result.err
    assert result.err.count("\n") == 1


def test_without_the_gpu_that_was_asked_for(tiny, monkeypatch):
    monkeypatch.setattr("tinyconv.cuda.why_unavailable", lambda: "no GPU: buy one")
    monkeypatch.setattr("tinyconv.cli.data.choose", lambda *args: pytest.fail("looked for data first"))
    result = tiny("train", "lenet5", "--device", "cuda")
    assert result.status == 1
    assert result.err == "tinyconv train: error: --device cuda: no GPU: buy one\n"


def test_a_part_of_cifar_is_trained_on(tmp_path, monkeypatch, capsys):
    """One of five training files is enough, and said, where the others cannot be fetched."""
    folder = tmp_path / "data" / "cifar-10-batches-bin"
    folder.mkdir(parents=True)
    records = np.random.default_rng(0).integers(0, 256, (10_000, 3073), np.uint8)
    records[:, 0] %= 10
    for name in ("data_batch_2.bin", "test_batch.bin"):
        (folder / name).write_bytes(records.tobytes())
    for scheme in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.setenv(scheme, "http://127.0.0.1:9")
    options = ["--data", "cifar10", "--data-dir", str(tmp_path / "data"), "--limit", "32", "--epochs", "1"]
    assert main(["train", "resnet20", *options, "--out", str(tmp_path / "run")]) == 0
    assert "only data_batch_2.bin are here" in capsys.readouterr().err
