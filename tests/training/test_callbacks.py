"""Callbacks that change how a training goes (early stopping, clipping, the guard against NaN); the loop's options."""

import numpy as np
import pytest

import tinyconv
from tinyconv import nn
from tinyconv.nn import functional as F
from tinyconv.optim import SGD
from tinyconv.optim.lr_scheduler import ReduceLROnPlateau, StepLR
from tinyconv.serialization import load, save
from tinyconv.training import Callback, ClipGradients, Diverged, EarlyStopping, NaNGuard, TrainingState, fit, resume
from tinyconv.utils.data import DataLoader, TensorDataset


def linear(seed=0):
    tinyconv.manual_seed(seed)
    return nn.Linear(3, 2)


def data(n, seed=1):
    generator = tinyconv.Generator().manual_seed(seed)
    x = tinyconv.randn(n, 3, generator=generator)
    return TensorDataset(x, (x[:, 0] > 0).long())


def weights(model):
    return {name: x.numpy().copy() for name, x in model.state_dict().items()}


class Losses(Callback):
    """Pretends that the validation losses were these."""

    def __init__(self, losses):
        self.losses = losses

    def on_epoch(self, state):
        state.history[-1]["val_loss"] = self.losses[state.epoch - 1]


class WeightsOfEpochs(Callback):
    def __init__(self):
        self.of = {}

    def on_epoch(self, state):
        self.of[state.epoch] = weights(state.model)


@pytest.mark.parametrize(
    "losses, options, last, best",
    [
        ([3, 2, 1, 1.5, 1.2, 0.5], {"patience": 2}, 5, 3),
        ([3, 2, 2, 2, 2, 2], {"patience": 1}, 3, 2),
        ([3, 2.9, 2.8, 2.7, 2.6, 2.5], {"patience": 2, "min_delta": 1.0}, 3, 1),
        ([3, float("nan"), 2, 1, 1, 1], {"patience": 2}, 6, 4),
        ([1, 2, 3, 2, 2, 2], {"patience": 2, "mode": "max"}, 5, 3),
        ([3, 2, 1, 4, 5, 6], {"patience": 9}, 6, 3),
    ],
)
@pytest.mark.parametrize("restore", [True, False])
def test_early_stopping(losses, options, last, best, restore):
    model = linear()
    every, stopping = WeightsOfEpochs(), EarlyStopping(restore_best=restore, **options)
    history = fit(
        model,
        DataLoader(data(8), 4),
        optimizer=SGD(model.parameters(), 0.1),
        epochs=6,
        callbacks=[Losses(losses), stopping, every],
    )
    assert len(history) == last
    assert (stopping.best_epoch, stopping.best) == (best, losses[best - 1])
    assert stopping.stopped_epoch == (last if last < 6 or "patience" not in options else stopping.stopped_epoch)
    expected = every.of[best if restore else last]
    for name, value in weights(model).items():
        np.testing.assert_array_equal(value, expected[name])


def test_early_stopping_goes_on_after_an_interruption(tmp_path):
    losses = [3, 1, 2, 2, 2, 2]

    def state():
        model = linear()
        callbacks = [Losses(losses), EarlyStopping(patience=3)]
        return TrainingState(model, SGD(model.parameters(), 0.1), None, 6, callbacks=callbacks)

    whole = state()
    resume(whole, DataLoader(data(8), 4))
    first = state()
    first.epochs = 3
    first.callbacks[1].on_end = lambda state, error: None  # as if it had been killed
    resume(first, DataLoader(data(8), 4))
    save(first.state_dict(), tmp_path / "checkpoint")
    second = state()
    second.load_state_dict(load(tmp_path / "checkpoint"))
    resume(second, DataLoader(data(8), 4))
    assert second.epoch == whole.epoch == 5
    assert second.stopped
    for name, value in weights(whole.model).items():
        np.testing.assert_array_equal(weights(second.model)[name], value)
    second.callbacks = second.callbacks[:1]
    with pytest.raises(ValueError, match=r"saved with the callbacks \['EarlyStopping'\], and this run has \[\]"):
        second.load_state_dict(load(tmp_path / "checkpoint"))


def test_a_column_that_is_not_there():
    model = linear()
    with pytest.raises(ValueError, match=r"monitor must be one of \['lr', 'train_loss', .* got 'val_loss'"):
        fit(
            model,
            DataLoader(data(4)),
            optimizer=SGD(model.parameters(), 0.1),
            epochs=1,
            callbacks=[EarlyStopping()],
        )


@pytest.mark.parametrize("samples", [12, 11, 9])
def test_accumulation_is_one_large_batch(samples):
    """With a last group that is smaller, and a last batch in it that is smaller still."""
    results = []
    for batch_size, accumulate in ((6, 1), (2, 3)):
        model = linear()
        state = TrainingState(model, SGD(model.parameters(), 0.5, momentum=0.9), None, 2, accumulate=accumulate)
        history = resume(state, DataLoader(data(samples), batch_size))
        results.append((weights(model), [row["train_loss"] for row in history]))
    (one, loss_one), (other, loss_other) = results
    for name, value in one.items():
        np.testing.assert_allclose(other[name], value, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(loss_other, loss_one, rtol=1e-5)


def test_clipping():
    norms = []

    class Look(Callback):
        def on_gradients(self, state):
            norms.append(float(nn.utils.get_total_norm([p.grad for p in state.model.parameters()])))

    model = linear()
    options = {"optimizer": SGD(model.parameters(), 0.1), "epochs": 2}
    fit(model, DataLoader(data(8), 4), callbacks=[Look(), ClipGradients(max_norm=1e-3), Look()], **options)
    assert all(norm > 0.01 for norm in norms[::2])
    np.testing.assert_allclose(norms[1::2], 1e-3, rtol=1e-2)
    fit(model, DataLoader(data(8), 4), callbacks=[ClipGradients(max_value=1e-4)], **options)
    assert max(float(p.grad.abs().max()) for p in model.parameters()) == pytest.approx(1e-4)
    for arguments in ({}, {"max_norm": 0.0}, {"max_value": -1}):
        with pytest.raises(ValueError, match="ClipGradients"):
            ClipGradients(**arguments)


def test_schedules():
    def rates(epochs=4, val=None, schedule="epoch", make=None):
        model = linear()
        optimizer = SGD(model.parameters(), 1.0)
        scheduler = make(optimizer)
        options = {"optimizer": optimizer, "epochs": epochs, "scheduler": scheduler, "schedule": schedule}
        return [row["lr"] for row in fit(model, DataLoader(data(8), 4), val, **options)]

    assert rates(make=lambda o: StepLR(o, 2, 0.5)) == [1.0, 1.0, 0.5, 0.5]
    assert rates(make=lambda o: StepLR(o, 2, 0.5), schedule="step") == [1.0, 0.5, 0.25, 0.125]
    never = {"patience": 0, "threshold": 1e9, "threshold_mode": "abs"}  # nothing is good enough
    for val in (None, DataLoader(data(4))):
        assert rates(make=lambda o: ReduceLROnPlateau(o, **never), val=val)[1:] == pytest.approx([1.0, 0.1, 0.01])
    with pytest.raises(ValueError, match="ReduceLROnPlateau looks at the epochs"):
        rates(make=ReduceLROnPlateau, schedule="step")
    with pytest.raises(ValueError, match="schedule must be 'epoch' or 'step', got 'batch'"):
        rates(make=lambda o: StepLR(o, 2), schedule="batch")


def test_other_targets_and_metrics():
    x = data(8).tensors[0]
    model = nn.Linear(3, 3)
    options = {"optimizer": SGD(model.parameters(), 0.1), "epochs": 1, "loss_function": F.mse_loss}
    (row,) = fit(model, DataLoader(TensorDataset(x, x), 3), DataLoader(TensorDataset(x, x), 3), **options)
    assert "train_accuracy" not in row
    metrics = {"distance": lambda y, x: (y - x).abs().sum(1)}
    (row,) = fit(
        model, DataLoader(TensorDataset(x, x), 3), DataLoader(TensorDataset(x, x), 3), metrics=metrics, **options
    )
    expected = (model(x) - x).abs().sum(1).mean().item()
    assert row["val_distance"] == pytest.approx(expected, rel=1e-5)
    with pytest.raises(ValueError, match=r"'mean' must give one value per sample, \(3,\), got \(\)"):
        fit(model, DataLoader(TensorDataset(x, x), 3), metrics={"mean": lambda y, x: y.mean()}, **options)


# ---------------------------------------------------------------------------------------------------------- NaN guard


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(3, 4)
        self.second = nn.Linear(4, 2)

    def forward(self, x):
        return self.second(self.first(x))


def guarded(model, dataset, lr=0.1, loss_function=F.cross_entropy, **options):
    fit(
        model,
        DataLoader(dataset, 4),
        optimizer=SGD(model.parameters(), lr),
        epochs=3,
        loss_function=loss_function,
        callbacks=[NaNGuard(**options)],
    )


def test_the_guard_names_step_and_layer_and_keeps_good_weights():
    tinyconv.manual_seed(0)
    model, good = Network(), []

    class Poison(Callback):
        def on_step(self, state):
            if (state.epoch, state.step) == (1, 1):
                good.append(weights(state.model))
            if (state.epoch, state.step) == (1, 2):
                with tinyconv.no_grad():
                    state.model.second.weight[0, 0] = float("inf")

    with pytest.raises(
        Diverged, match=r"epoch 2, step 3: .* output of layer 'second' \(Linear\) .* its weight"
    ) as caught:
        fit(
            model,
            DataLoader(data(12), 4),
            optimizer=SGD(model.parameters(), 0.1),
            epochs=3,
            callbacks=[NaNGuard(), Poison()],
        )
    assert (caught.value.epoch, caught.value.step) == (2, 3)
    for name, value in weights(model).items():  # those that the step before began with, the last that were seen to work
        np.testing.assert_array_equal(value, good[0][name])


def test_the_guard_knows_a_bad_batch_a_bad_loss_and_a_bad_gradient():
    x, y = data(8).tensors
    model = Network()
    before = weights(model)
    bad = x.clone()
    bad[0, 0] = float("nan")
    with pytest.raises(Diverged, match="epoch 1, step 1: the loss is nan: the batch itself holds values"):
        guarded(model, TensorDataset(bad, y))
    with pytest.raises(
        Diverged, match="step 1: the loss is nan: every layer's output is finite: it is the loss function"
    ):
        guarded(model, TensorDataset(x, y), loss_function=lambda s, y: F.cross_entropy(s, y) * float("nan"))
    # The square root's slope at 0 is infinite, its value is not.
    with pytest.raises(Diverged, match="the gradient of 'second.bias' is not finite"):
        guarded(model, TensorDataset(x, y), loss_function=lambda s, y: (s - s.detach()).abs().sqrt().sum())
    for name, value in weights(model).items():
        np.testing.assert_array_equal(value, before[name])


def test_the_guard_disturbs_nothing(problem):
    results = []
    for callbacks in ((), (NaNGuard(),), (NaNGuard(every=3),)):
        state, loader, val = problem.start(callbacks=callbacks)
        resume(state, loader, val)
        results.append({name: value.tobytes() for name, value in weights(state.model).items()})
    assert results[0] == results[1] == results[2]


# ------------------------------------------------------------------------------------------------------ frozen layers


def test_frozen_layers_do_not_move_by_a_bit_and_new_ones_do():
    """Nor do batch normalization's statistics, where the frozen part is in evaluation mode."""

    class Transfer(nn.Module):
        def __init__(self):
            super().__init__()
            self.features = nn.Sequential(nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.ReLU(), nn.Dropout(0.3))
            self.head = nn.Linear(3, 2)
            self.features.requires_grad_(False)

        def train(self, mode=True):
            super().train(mode)
            self.features.eval()
            return self

        def forward(self, x):
            return self.head(self.features(x).mean((2, 3)))

    x, y = tinyconv.randn(12, 1, 8, 8) * 3 + 1, tinyconv.arange(12) % 2
    model = Transfer()
    before = weights(model)
    trained = [p for p in model.parameters() if p.requires_grad]
    options = {"optimizer": SGD(trained, 0.5, momentum=0.9, weight_decay=0.1), "epochs": 2}
    fit(model, DataLoader(TensorDataset(x, y), 4), DataLoader(TensorDataset(x, y), 4), **options)
    for name, value in weights(model).items():
        if name.startswith("features"):
            assert value.tobytes() == before[name].tobytes(), name
        else:
            assert (value != before[name]).any(), name
    assert model.features[1].num_batches_tracked.item() == 0
