"""What is said while training: plain lines without a terminal, a live line on one."""

import io

from rich.console import Console

from tinyconv.training import ConsoleProgress, resume

from .conftest import EPOCHS, SAMPLES


def run(problem, **options):
    out = io.StringIO()
    state, loader, test_loader = problem.start()
    console = Console(file=out, width=120, **options)
    state.callbacks = [ConsoleProgress(SAMPLES, console, interval=0.0)]
    resume(state, loader, test_loader)
    return state, out.getvalue()


def test_plain_lines(problem):
    state, text = run(problem)
    lines = text.splitlines()
    assert "\x1b" not in text
    assert "\r" not in text
    epochs = [line for line in lines if "val accuracy" in line]
    assert len(epochs) == EPOCHS
    for line, row in zip(epochs, state.history, strict=True):
        assert line.startswith(f"epoch {row['epoch']}/{EPOCHS}  loss {row['train_loss']:.4f}")
        assert f"val accuracy {row['val_accuracy']:.2%}" in line
    within = [line for line in lines if "of 64 images" in line]
    assert within[0].startswith("epoch 1/3  10 of 64 images")
    assert all(word in within[2] for word in ("images/s", "loss", "accuracy", "left"))


def test_a_live_line_on_a_terminal(problem):
    _, text = run(problem, force_terminal=True)
    assert "\x1b[" in text
    assert "images/s" in text
    assert "testing" in text


def test_the_loss_is_not_asked_for_between_updates(problem, monkeypatch):
    asked = []
    monkeypatch.setattr("tinyconv.training.metrics.Mean.value", lambda self: asked.append(self.count) or 1.0)
    state, loader, _ = problem.start()
    state.callbacks = [ConsoleProgress(SAMPLES, Console(file=io.StringIO()), interval=1e9)]
    resume(state, loader)
    assert asked == [SAMPLES] * 2 * EPOCHS  # loss and accuracy, at the end of each epoch
