import math

import pytest

import tinyconv
from tinyconv.optim import SGD, lr_scheduler


def optimizer(lib=tinyconv, *lrs):
    groups = [{"params": [lib.nn.Parameter(lib.ones(1))], "lr": lr} for lr in lrs or (0.5, 2.0)]
    return lib.optim.SGD(groups, lr=1.0)


def rates(scheduler, steps):
    out = [scheduler.get_last_lr()]
    for _ in range(steps):
        scheduler.optimizer.step()
        scheduler.step()
        assert scheduler.get_last_lr() == [group["lr"] for group in scheduler.optimizer.param_groups]
        out.append(scheduler.get_last_lr())
    return out


CLOSED = [
    (lambda s, o: s.StepLR(o, 3, 0.5), lambda t: 0.5 ** (t // 3), 0),
    (lambda s, o: s.LambdaLR(o, lambda t: 1 / (t + 1)), lambda t: 1 / (t + 1), 0),
    (lambda s, o: s.LinearLR(o, 0.25, 0.75, 4), lambda t: 0.25 + 0.5 * min(t, 4) / 4, 0),
    (lambda s, o: s.LinearLR(o, total_iters=7), lambda t: (1 + 2 * min(t, 7) / 7) / 3, 0),
    (lambda s, o: s.CosineAnnealingLR(o, 5), lambda t: (1 + math.cos(math.pi * t / 5)) / 2, 0),
    (lambda s, o: s.CosineAnnealingLR(o, 5, 0.1), lambda t: (1 + math.cos(math.pi * t / 5)) / 2, 0.1),
]


@pytest.mark.parametrize("make, factor, low", CLOSED)
def test_closed_formulas(make, factor, low):
    got = rates(make(lr_scheduler, optimizer()), 13)
    for t, lrs in enumerate(got):
        assert lrs == pytest.approx([low + (base - low) * factor(t) for base in (0.5, 2.0)], abs=1e-12)


def chained(s, o):
    class Both:
        optimizer = o

        def __init__(self):
            self.parts = s.LinearLR(o, 0.1, total_iters=3), s.CosineAnnealingLR(o, 10), s.StepLR(o, 4)

        def step(self):
            for part in self.parts:
                part.step()

        def get_last_lr(self):
            return self.parts[-1].get_last_lr()

    return Both()


@pytest.mark.filterwarnings("ignore:Detected call of `lr_scheduler.step:UserWarning")
@pytest.mark.parametrize("make", [make for make, _, _ in CLOSED] + [chained])
def test_as_pytorch_to_the_last_bit(make):
    torch = pytest.importorskip("torch")
    ours = rates(make(lr_scheduler, optimizer()), 25)
    assert ours == rates(make(torch.optim.lr_scheduler, optimizer(torch)), 25)


def test_schedules_on_one_optimizer_multiply():
    scheduler = chained(lr_scheduler, optimizer(tinyconv, 1.0))
    scheduler.parts = scheduler.parts[0], scheduler.parts[2]
    assert [lr for (lr,) in rates(scheduler, 5)] == pytest.approx([0.1, 0.4, 0.7, 1.0, 0.1, 0.1])


def test_initial_lr_is_remembered():
    o = optimizer()
    lr_scheduler.StepLR(o, 1)
    assert [group["initial_lr"] for group in o.param_groups] == [0.5, 2.0]


@pytest.mark.parametrize("make, factor, low", CLOSED)
def test_state_dict_continues_exactly(make, factor, low):
    o = optimizer()
    scheduler = make(lr_scheduler, o)
    rates(scheduler, 4)
    saved, options = scheduler.state_dict(), o.state_dict()
    assert "optimizer" not in saved and saved["last_epoch"] == 4
    o2 = optimizer()
    resumed = make(lr_scheduler, o2)
    o2.load_state_dict(options)
    resumed.load_state_dict(dict(saved))
    assert rates(resumed, 9) == rates(scheduler, 9)


def test_resuming_by_last_epoch():
    o = optimizer()
    rates(lr_scheduler.StepLR(o, 3, 0.5), 4)
    assert rates(lr_scheduler.StepLR(o, 3, 0.5, last_epoch=3), 2)[-1] == [0.125, 0.5]
    with pytest.raises(KeyError, match="initial_lr"):
        lr_scheduler.StepLR(optimizer(), 3, last_epoch=3)


def test_lambdas_that_are_objects_save_their_attributes():
    class Decay:
        def __init__(self, rate):
            self.rate = rate

        def __call__(self, t):
            return self.rate**t

    scheduler = lr_scheduler.LambdaLR(optimizer(), [Decay(0.5), lambda t: 1.0])
    saved = scheduler.state_dict()
    assert saved["lr_lambdas"] == [{"rate": 0.5}, None]
    other = lr_scheduler.LambdaLR(optimizer(), [Decay(0.9), lambda t: 1.0])
    other.load_state_dict(saved)
    assert rates(other, 1)[-1] == [0.25, 2.0]
    assert "lr_lambdas" in saved


def test_what_is_refused():
    with pytest.raises(TypeError, match="int is not an Optimizer"):
        lr_scheduler.StepLR(3, 1)
    with pytest.raises(ValueError, match="Expected 2 lr_lambdas, but got 1"):
        lr_scheduler.LambdaLR(optimizer(), [lambda t: 1.0])
    for start, end in ((0, 1), (1.5, 1), (0.5, -1), (0.5, 2)):
        with pytest.raises(ValueError, match="factor"):
            lr_scheduler.LinearLR(optimizer(), start, end)
    with pytest.raises(NotImplementedError):
        lr_scheduler.LRScheduler(optimizer())


def test_the_rate_is_the_one_that_steps():
    p = tinyconv.nn.Parameter(tinyconv.zeros(1))
    o = SGD([p], lr=1.0)
    scheduler = lr_scheduler.StepLR(o, 1, 0.5)
    p.grad = tinyconv.ones(1)
    for want in (-1.0, -1.5, -1.75):
        o.step()
        scheduler.step()
        assert p.item() == want
