"""The loop: it is SGD, it counts right, and it goes on to the bit from wherever it stopped."""

import numpy as np
import pytest

import tinyconv
from tinyconv import nn
from tinyconv.nn import functional as F
from tinyconv.optim import SGD
from tinyconv.serialization import load, save
from tinyconv.training import Callback, Diverged, TrainingState, evaluate, resume
from tinyconv.utils.data import DataLoader, TensorDataset

from .conftest import BATCH, EPOCHS, SAMPLES

STEPS = -(-SAMPLES // BATCH)


class Stop(Exception):
    pass


class StopAfter(Callback):
    """Raises after so many steps (or test batches), and notes what was heard."""

    def __init__(self, steps=None, test_steps=None):
        self.left, self.test_left, self.heard = steps, test_steps, []

    def on_step(self, state):
        self.heard.append(("step", state.epoch, state.step))
        if self.left is not None:
            self.left -= 1
            if self.left == 0:
                raise Stop

    def on_test_step(self, state):
        self.heard.append(("test step", state.epoch, state.step))
        if self.test_left is not None:
            self.test_left -= 1
            if self.test_left == 0:
                raise Stop

    def on_epoch(self, state):
        self.heard.append(("epoch", state.epoch, len(state.history)))


def weights(state):
    return {name: value.numpy().copy() for name, value in state.model.state_dict().items()}


def without_times(history):
    return [{k: v for k, v in row.items() if "seconds" not in k and "per_second" not in k} for row in history]


def test_one_step_is_sgd():
    x, y = tinyconv.randn(5, 3), tinyconv.tensor([0, 1, 1, 0, 1])
    model = nn.Linear(3, 2)
    w, b = (p.detach().numpy().astype(np.float64) for p in (model.weight, model.bias))
    z = x.numpy() @ w.T + b
    p = np.exp(z) / np.exp(z).sum(1, keepdims=True)
    gz = (p - np.eye(2)[y.numpy()]) / 5
    state = TrainingState(model, SGD(model.parameters(), lr=0.5), None, epochs=1)
    resume(state, DataLoader(TensorDataset(x, y), batch_size=5))
    np.testing.assert_allclose(model.weight.detach().numpy(), w - 0.5 * gz.T @ x.numpy(), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(model.bias.detach().numpy(), b - 0.5 * gz.sum(0), rtol=1e-5, atol=1e-6)


def test_history_and_events(problem):
    state, loader, test_loader = problem.start()
    callback = StopAfter()
    state.callbacks = [callback]
    history = resume(state, loader, test_loader)
    assert history is state.history
    assert [row["epoch"] for row in history] == [1, 2, 3]
    assert history[0]["lr"] == 0.1 > history[1]["lr"] > history[2]["lr"] > 0
    assert state.optimizer.param_groups[0]["lr"] == pytest.approx(0, abs=1e-12)
    assert history[-1]["train_loss"] < history[0]["train_loss"]
    assert all(row["images_per_second"] > 0 for row in history)
    per_epoch = [[("step", e, s + 1) for s in range(STEPS)] + [("test step", e, STEPS)] * 2 for e in range(EPOCHS)]
    expected = [event for e, events in enumerate(per_epoch) for event in [*events, ("epoch", e + 1, e + 1)]]
    assert callback.heard == expected


def test_training_loss_and_accuracy_are_means_over_the_epoch():
    x, y = tinyconv.randn(7, 3), tinyconv.randint(0, 2, (7,))
    model = nn.Linear(3, 2)
    state = TrainingState(model, SGD(model.parameters(), lr=0.0), None, epochs=1)  # nothing moves
    (row,) = resume(state, DataLoader(TensorDataset(x, y), batch_size=3))
    assert row["train_loss"] == pytest.approx(F.cross_entropy(model(x), y).item(), rel=1e-6)
    assert row["train_accuracy"] == pytest.approx((model(x).argmax(1) == y).sum().item() / 7)
    assert "val_loss" not in row


@pytest.mark.parametrize(
    "where",
    [{"steps": 1}, {"steps": 4}, {"steps": STEPS}, {"steps": STEPS + 1}, {"steps": EPOCHS * STEPS}, {"test_steps": 3}],
    ids=str,
)
def test_interrupted_and_resumed_is_uninterrupted_to_the_bit(problem, tmp_path, where):
    state, loader, test_loader = problem.start()
    resume(state, loader, test_loader)
    generator = tinyconv.default_generator.state

    interrupted, loader, test_loader = problem.start()
    interrupted.callbacks = [StopAfter(**where)]
    with pytest.raises(Stop):
        resume(interrupted, loader, test_loader)
    save(interrupted.state_dict(), tmp_path / "checkpoint")
    resumed, loader, test_loader = problem.start(seed=5)  # whatever it starts from
    tinyconv.rand(3)
    resumed.load_state_dict(load(tmp_path / "checkpoint"))
    resume(resumed, loader, test_loader)

    assert without_times(resumed.history) == without_times(state.history)
    assert tinyconv.default_generator.state == generator
    for name, value in weights(state).items():
        assert weights(resumed)[name].tobytes() == value.tobytes(), name


def test_interrupted_many_times(problem, tmp_path):
    whole, loader, test_loader = problem.start()
    resume(whole, loader, test_loader)
    state, loader, test_loader = problem.start()
    for _ in range(EPOCHS * STEPS):
        state.callbacks = [StopAfter(steps=1)]
        with pytest.raises(Stop):
            resume(state, loader, test_loader)
        save(state.state_dict(), tmp_path / "checkpoint")
        state, loader, test_loader = problem.start(seed=9)
        state.load_state_dict(load(tmp_path / "checkpoint"))
    resume(state, loader, test_loader)
    assert without_times(state.history) == without_times(whole.history)
    assert {n: v.tobytes() for n, v in weights(state).items()} == {n: v.tobytes() for n, v in weights(whole).items()}


def test_a_loss_that_is_no_number_ends_the_training(problem):
    state, loader, _ = problem.start()
    state.optimizer.param_groups[0]["lr"] = 1e30
    with pytest.raises(Diverged, match="mean loss of epoch 1 is .* smaller learning rate"):
        resume(state, loader)


def test_so_does_a_val_loss_that_is_none(problem):
    state, loader, test_loader = problem.start()
    x, y = next(iter(test_loader))
    with pytest.raises(Diverged, match="val loss of epoch 1 is nan: try a smaller learning rate"):
        resume(state, loader, DataLoader(TensorDataset(x * float("nan"), y)))
    assert state.history == []


def test_evaluate():
    x = tinyconv.tensor([[2.0, 0.0], [0.0, 2.0], [0.0, 3.0]])
    y = tinyconv.tensor([0, 1, 0])
    model = nn.Sequential(nn.Dropout(0.9))
    for batch_size in (1, 2, 3):
        result = evaluate(model, DataLoader(TensorDataset(x, y), batch_size=batch_size))
        assert model.training  # as before; but it was tested without dropout:
        assert result.loss == pytest.approx(F.cross_entropy(x, y).item(), rel=1e-6)
        assert result.accuracy == pytest.approx(2 / 3)
        assert result.confusion.tolist() == [[1, 1], [0, 1]]


def test_evaluate_of_nothing():
    empty = TensorDataset(tinyconv.zeros(0, 2), tinyconv.zeros(0).long())
    with pytest.raises(ValueError, match="no batches"):
        evaluate(nn.Linear(2, 2), DataLoader(empty))
