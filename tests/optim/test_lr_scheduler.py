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


def warm_restarts(t, period, factor):
    while t >= period:
        t, period = t - period, period * factor
    return (1 + math.cos(math.pi * t / period)) / 2


CLOSED = [
    (lambda s, o: s.StepLR(o, 3, 0.5), lambda t: 0.5 ** (t // 3), 0),
    (lambda s, o: s.LambdaLR(o, lambda t: 1 / (t + 1)), lambda t: 1 / (t + 1), 0),
    (lambda s, o: s.MultiplicativeLR(o, lambda t: t / (t + 1)), lambda t: 1 / (t + 1), 0),
    (lambda s, o: s.MultiStepLR(o, [4, 2, 9, 9], 0.5), lambda t: 0.5 ** ((t >= 2) + (t >= 4) + 2 * (t >= 9)), 0),
    (lambda s, o: s.ConstantLR(o), lambda t: 1 / 3 if t < 5 else 1, 0),
    (lambda s, o: s.ConstantLR(o, 0.25, 3), lambda t: 0.25 if t < 3 else 1, 0),
    (lambda s, o: s.ExponentialLR(o, 0.9), lambda t: 0.9**t, 0),
    (lambda s, o: s.PolynomialLR(o), lambda t: 1 - min(t, 5) / 5, 0),
    (lambda s, o: s.PolynomialLR(o, 30, 2.0), lambda t: (1 - min(t, 30) / 30) ** 2, 0),
    (lambda s, o: s.LinearLR(o, 0.25, 0.75, 4), lambda t: 0.25 + 0.5 * min(t, 4) / 4, 0),
    (lambda s, o: s.LinearLR(o, total_iters=7), lambda t: (1 + 2 * min(t, 7) / 7) / 3, 0),
    (lambda s, o: s.CosineAnnealingLR(o, 5), lambda t: (1 + math.cos(math.pi * t / 5)) / 2, 0),
    (lambda s, o: s.CosineAnnealingLR(o, 5, 0.1), lambda t: (1 + math.cos(math.pi * t / 5)) / 2, 0.1),
    (lambda s, o: s.CosineAnnealingWarmRestarts(o, 7), lambda t: warm_restarts(t, 7, 1), 0),
    (lambda s, o: s.CosineAnnealingWarmRestarts(o, 3, 2, 0.1), lambda t: warm_restarts(t, 3, 2), 0.1),
]


@pytest.mark.parametrize("make, factor, low", CLOSED)
def test_closed_formulas(make, factor, low):
    got = rates(make(lr_scheduler, optimizer()), 50)
    for t, lrs in enumerate(got):
        assert lrs == pytest.approx([low + (base - low) * factor(t) for base in (0.5, 2.0)], abs=1e-12)


def chained(s, o):
    return s.ChainedScheduler([s.LinearLR(o, 0.1, total_iters=3), s.CosineAnnealingLR(o, 10), s.StepLR(o, 4)])


def sequential(s, o):
    parts = [s.LinearLR(o, 0.1, total_iters=4), s.CosineAnnealingLR(o, 20), s.ExponentialLR(o, 0.9)]
    return s.SequentialLR(o, parts, [7, 20])


CYCLES = [
    lambda s, o: s.CyclicLR(o, 0.1, [1.0, 2.0], 6),
    lambda s, o: s.CyclicLR(o, [0.1, 0.2], 1.0, 4, 7, "triangular2", base_momentum=0.5, max_momentum=0.99),
    lambda s, o: s.CyclicLR(o, 0.1, 1.0, 5, mode="exp_range", gamma=0.95, cycle_momentum=False),
    lambda s, o: s.CyclicLR(o, 0.1, 1.0, 5, scale_fn=lambda x: 1 / (x + 1)),
    lambda s, o: s.CyclicLR(o, 0.1, 1.0, 5, scale_fn=lambda x: 0.99**x, scale_mode="iterations"),
    lambda s, o: s.OneCycleLR(o, 1.0, 50),
    lambda s, o: s.OneCycleLR(o, [1.0, 3.0], epochs=10, steps_per_epoch=6, anneal_strategy="linear", pct_start=0.4),
    lambda s, o: s.OneCycleLR(o, 1.0, 60, three_phase=True, div_factor=10.0, final_div_factor=100.0),
    lambda s, o: s.OneCycleLR(o, 1.0, 51, cycle_momentum=False, base_momentum=0.1),
    lambda s, o: s.OneCycleLR(o, 1.0, 51, base_momentum=[0.1, 0.2], max_momentum=0.9),
]


@pytest.mark.parametrize("make", [make for make, _, _ in CLOSED] + [chained, sequential, *CYCLES])
def test_as_pytorch_to_the_last_bit(make):
    torch = pytest.importorskip("torch")
    ours = rates(make(lr_scheduler, optimizer()), 50)
    assert ours == rates(make(torch.optim.lr_scheduler, optimizer(torch)), 50)


@pytest.mark.parametrize("make", CYCLES)
@pytest.mark.parametrize("rule, options", [("SGD", {"momentum": 0.1}), ("Adam", {"betas": (0.1, 0.2)})])
def test_the_momentum_follows_pytorch(make, rule, options):
    torch = pytest.importorskip("torch")
    if not hasattr(tinyconv.optim, rule):
        pytest.skip("no such rule")

    def trajectory(lib):
        groups = [{"params": [lib.nn.Parameter(lib.ones(1))], "lr": lr} for lr in (0.5, 2.0)]
        o = getattr(lib.optim, rule)(groups, lr=1.0, **options)
        scheduler, out = make(lib.optim.lr_scheduler, o), []
        for _ in range(50):
            out.append([group.get("momentum", group.get("betas")) for group in o.param_groups])
            o.step()
            scheduler.step()
        return out

    assert trajectory(tinyconv) == trajectory(torch)


def test_cycles_by_hand():
    got = rates(lr_scheduler.CyclicLR(optimizer(), 0.1, 0.5, 2, cycle_momentum=False), 5)
    assert [lr for lr, _ in got] == pytest.approx([0.1, 0.3, 0.5, 0.3, 0.1, 0.3])
    got = rates(lr_scheduler.OneCycleLR(optimizer(), 1.0, 10, cycle_momentum=False, anneal_strategy="linear"), 9)
    low = 1 / 25
    falling = [1 + (low / 1e4 - 1) * i / 7 for i in range(1, 8)]
    assert [lr for lr, _ in got] == pytest.approx([low, (1 + low) / 2, 1.0, *falling])


def test_one_cycle_ends():
    scheduler = lr_scheduler.OneCycleLR(optimizer(), 1.0, 3)
    rates(scheduler, 3)
    with pytest.raises(ValueError, match="Tried to step 4 times. The specified number of total steps is 3"):
        scheduler.step()


METRICS = [5, 4, 4, 4, 3.9999, 3.9999, 3, 3, 3, 3, 3, math.nan, 3, 2, 2.5, 2.5, 2.5, 2.5, 2.5, 2.5, math.inf] * 2


@pytest.mark.parametrize("mode", ["min", "max"])
@pytest.mark.parametrize(
    "options",
    [
        {"patience": 2},
        {"patience": 0, "factor": 0.5, "cooldown": 2},
        {"patience": 1, "threshold": 0.5, "threshold_mode": "abs", "min_lr": [0.01, 0.1]},
        {"patience": 1, "min_lr": 0.3, "eps": 0.05, "threshold": 0},
    ],
)
def test_plateaus_as_pytorch(mode, options):
    torch = pytest.importorskip("torch")

    def run(lib):
        scheduler = lib.optim.lr_scheduler.ReduceLROnPlateau(optimizer(lib), mode, **options)
        out = []
        for metric in METRICS:
            scheduler.step(lib.tensor(float(metric)))
            out.append((scheduler.get_last_lr(), scheduler.num_bad_epochs, scheduler.best))
        return out

    assert run(tinyconv) == run(torch)


def test_plateau_by_hand():
    scheduler = lr_scheduler.ReduceLROnPlateau(optimizer(), patience=1, cooldown=1, verbose=True)
    lrs = []
    for metric in (1, 1, 1, 1, 1, 1):
        scheduler.step(metric)
        lrs.append(scheduler.get_last_lr()[0])
    assert lrs == pytest.approx([0.5, 0.5, 0.05, 0.05, 0.05, 0.005])
    saved = scheduler.state_dict()
    other = lr_scheduler.ReduceLROnPlateau(optimizer(), patience=7)
    other.load_state_dict(saved)
    assert (other.patience, other.best, other.cooldown_counter) == (1, 1, 1)


@pytest.mark.parametrize("name, args", [
    ("StepLR", (3, 0.5)), ("MultiStepLR", ([2, 5], 0.5)), ("ConstantLR", (0.5, 4)), ("LinearLR", (0.1, 0.9, 6)),
    ("ExponentialLR", (0.9,)), ("CosineAnnealingLR", (7, 0.1)), ("PolynomialLR", (8, 2.0)),
    ("LambdaLR", (lambda t: 1 / (t + 1),)), ("CosineAnnealingWarmRestarts", (3, 2)),
])  # fmt: skip
@pytest.mark.filterwarnings("ignore:The epoch parameter")  # PyTorch's
def test_jumps_as_pytorch(name, args):
    torch = pytest.importorskip("torch")

    def run(lib):
        scheduler, out = getattr(lib.optim.lr_scheduler, name)(optimizer(lib), *args), []
        for epoch in (0, 5, 2, 11, 11, None, None):
            scheduler.optimizer.step()
            scheduler.step(epoch)
            out.append(scheduler.get_last_lr())
        return out

    assert run(tinyconv) == run(torch)


def test_fractions_of_an_epoch_with_warm_restarts():
    scheduler = lr_scheduler.CosineAnnealingWarmRestarts(optimizer(), 4, 2)
    scheduler.step(5.5)
    assert (scheduler.T_cur, scheduler.T_i, scheduler.last_epoch) == (1.5, 8, 5)
    assert scheduler.get_last_lr()[0] == pytest.approx(0.5 * (1 + math.cos(math.pi * 1.5 / 8)) / 2)
    with pytest.raises(ValueError, match="non-negative epoch, but got -1"):
        scheduler.step(-1)


def test_a_tensor_keeps_its_identity():
    lr = tinyconv.tensor(0.5)
    o = SGD([tinyconv.nn.Parameter(tinyconv.ones(1))], lr=lr)
    scheduler = lr_scheduler.StepLR(o, 1, 0.5)
    o.step()
    scheduler.step()
    assert o.param_groups[0]["lr"] is lr and lr.item() == 0.25
    assert o.param_groups[0]["initial_lr"].item() == 0.5
    assert scheduler.get_last_lr()[0] is not lr


def test_the_wrong_order_is_noticed_once():
    o = optimizer()
    scheduler = lr_scheduler.StepLR(o, 1)
    with pytest.warns(UserWarning, match=r"`lr_scheduler.step\(\)` before `optimizer.step\(\)`"):
        scheduler.step()
    scheduler.step()
    o.step()
    scheduler.step()


def test_schedules_on_one_optimizer_multiply():
    o = optimizer(tinyconv, 1.0)
    parts = [lr_scheduler.LinearLR(o, 0.1, total_iters=3), lr_scheduler.StepLR(o, 4)]
    scheduler = lr_scheduler.ChainedScheduler(parts)
    assert [lr for (lr,) in rates(scheduler, 5)] == pytest.approx([0.1, 0.4, 0.7, 1.0, 0.1, 0.1])


def test_initial_lr_is_remembered():
    o = optimizer()
    lr_scheduler.StepLR(o, 1)
    assert [group["initial_lr"] for group in o.param_groups] == [0.5, 2.0]


@pytest.mark.parametrize("make", [make for make, _, _ in CLOSED] + [chained, sequential, *CYCLES])
def test_state_dict_continues_exactly(make):
    o = optimizer()
    scheduler = make(lr_scheduler, o)
    rates(scheduler, 4)
    saved, options = scheduler.state_dict(), o.state_dict()
    assert "optimizer" not in saved and saved.get("last_epoch", 4) == 4
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
    with pytest.raises(ValueError, match="step_size must not be 0"):
        lr_scheduler.StepLR(optimizer(), 0)
    with pytest.raises(ValueError, match="Expected 2 lr_lambdas, but got 1"):
        lr_scheduler.LambdaLR(optimizer(), [lambda t: 1.0])
    with pytest.raises(TypeError, match="should be a function, but got float"):
        lr_scheduler.MultiplicativeLR(optimizer(), 0.5)
    for start, end in ((0, 1), (1.5, 1), (0.5, -1), (0.5, 2)):
        with pytest.raises(ValueError, match="factor"):
            lr_scheduler.LinearLR(optimizer(), start, end)
    with pytest.raises(NotImplementedError):
        lr_scheduler.LRScheduler(optimizer())


@pytest.mark.parametrize("make, message", [
    (lambda o: lr_scheduler.ConstantLR(o, 1.5), r"between 0 and 1 \(got 1.5\)"),
    (lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, 0), "positive integer T_0, but got 0"),
    (lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, 1, 0.5), "T_mult >= 1, but got 0.5"),
    (lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, 1, 1, "0"), "eta_min, but got 0"),
    (lambda o: lr_scheduler.CyclicLR(o, 0.1, [1.0]), "max_lr must have the same length"),
    (lambda o: lr_scheduler.CyclicLR(o, 0.1, 1.0, mode="square"), "mode is invalid"),
    (lambda o: lr_scheduler.OneCycleLR(o, 1.0), "either total_steps OR"),
    (lambda o: lr_scheduler.OneCycleLR(o, 1.0, 0), "positive integer total_steps, but got 0"),
    (lambda o: lr_scheduler.OneCycleLR(o, 1.0, epochs=2, steps_per_epoch=1.5), "steps_per_epoch, but got 1.5"),
    (lambda o: lr_scheduler.OneCycleLR(o, 1.0, 5, pct_start=2.0), "pct_start, but got 2.0"),
    (lambda o: lr_scheduler.OneCycleLR(o, 1.0, 5, anneal_strategy="sin"), "instead got sin"),
    (lambda o: lr_scheduler.ReduceLROnPlateau(o, "mean"), "mode mean is unknown"),
    (lambda o: lr_scheduler.ReduceLROnPlateau(o, threshold_mode="x"), "threshold mode x is unknown"),
    (lambda o: lr_scheduler.ReduceLROnPlateau(o, factor=1.0), "Factor should be < 1.0"),
    (lambda o: lr_scheduler.ReduceLROnPlateau(o, min_lr=[0.1]), "min_lr must have the same length"),
    (lambda o: lr_scheduler.SequentialLR(o, [], []), "at least one scheduler"),
    (lambda o: lr_scheduler.SequentialLR(o, [lr_scheduler.StepLR(o, 1)], [3]), "1 schedulers and 1 milestones"),
    (lambda o: lr_scheduler.SequentialLR(o, [lr_scheduler.ReduceLROnPlateau(o)], []), "ReduceLROnPlateau"),
    (lambda o: lr_scheduler.ChainedScheduler([lr_scheduler.StepLR(o, 1), lr_scheduler.StepLR(optimizer(), 1)]),
     "index 1 has another one"),
])  # fmt: skip
def test_bad_options(make, message):
    with pytest.raises(ValueError, match=message):
        make(optimizer())


def test_cycling_the_momentum_needs_one():
    class Plain(tinyconv.optim.Optimizer):
        def __init__(self, params):
            super().__init__(params, {"lr": 1.0})

    o = Plain([tinyconv.nn.Parameter(tinyconv.ones(1))])
    for make in (
        lambda **k: lr_scheduler.CyclicLR(o, 0.1, 1.0, **k),
        lambda **k: lr_scheduler.OneCycleLR(o, 1.0, 9, **k),
    ):
        with pytest.raises(ValueError, match="must support momentum or beta1"):
            make()
        make(cycle_momentum=False)


def test_the_rate_is_the_one_that_steps():
    p = tinyconv.nn.Parameter(tinyconv.zeros(1))
    o = SGD([p], lr=1.0)
    scheduler = lr_scheduler.StepLR(o, 1, 0.5)
    p.grad = tinyconv.ones(1)
    for want in (-1.0, -1.5, -1.75):
        o.step()
        scheduler.step()
        assert p.item() == want
