"""A small problem that a small network learns in a second."""

import pytest

import tinyconv
from tinyconv import nn
from tinyconv.optim import SGD
from tinyconv.optim.lr_scheduler import CosineAnnealingLR
from tinyconv.training import TrainingState
from tinyconv.utils.data import DataLoader, TensorDataset

EPOCHS, BATCH, SAMPLES = 3, 10, 64  # 7 steps an epoch, the last one shorter


class Problem:
    """x in two noisy clouds; dropout, so that a step depends on the random numbers."""

    def __init__(self):
        generator = tinyconv.Generator().manual_seed(1)
        y = tinyconv.randint(0, 2, (SAMPLES,), generator=generator)
        x = tinyconv.randn(SAMPLES, 4, generator=generator) + y.float().reshape(-1, 1)
        self.dataset = TensorDataset(x, y)

    def start(self, seed=0, callbacks=()):
        tinyconv.manual_seed(seed)
        model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Dropout(0.2), nn.Linear(8, 2))
        optimizer = SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-3)
        loader = DataLoader(self.dataset, batch_size=BATCH, shuffle=True)
        scheduler = CosineAnnealingLR(optimizer, T_max=EPOCHS * len(loader))
        state = TrainingState(model, optimizer, scheduler, EPOCHS, schedule="step", callbacks=callbacks)
        return state, loader, DataLoader(self.dataset, batch_size=40)


@pytest.fixture(scope="session")
def problem():
    return Problem()
