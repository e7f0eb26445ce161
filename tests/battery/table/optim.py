"""Optimizers and schedulers: fifty steps, parameter by parameter and rate by rate."""

import warnings

from ..arrays import x
from .entry import Program, entry, exclude

STEPS = 50


def descent(m, optimizer, w, b, **options):
    """A least-squares problem; the parameters on the way, and what the state is called."""
    parameters = [w.detach().clone().requires_grad_(), b.detach().clone().requires_grad_()]
    groups = [{"params": parameters[:1]}, {"params": parameters[1:], "lr": options.get("lr", 0.01) * 0.5}]
    made = optimizer(groups, **options)
    seen = []
    for step in range(STEPS):
        made.zero_grad()

        def closure(made=made, step=step):
            made.zero_grad()
            error = ((parameters[0] * (step % 3 + 1) - 1) ** 2).sum() + (
                (parameters[1] + parameters[0].sum()) ** 2
            ).sum()
            error.backward()
            return error

        seen.append(made.step(closure).detach())
        if step % 10 == 9:
            seen += [p.detach().clone() for p in parameters]
        if step == 25:
            state = made.state_dict()
            made = optimizer(groups_of(parameters, options), **options)
            made.load_state_dict(state)
    state = made.state_dict()
    return seen, sorted(str(k) for s in state["state"].values() for k in s), [sorted(g) for g in state["param_groups"]]


def groups_of(parameters, options):
    return [{"params": parameters[:1]}, {"params": parameters[1:], "lr": options.get("lr", 0.01) * 0.5}]


def options(*kinds):
    """Each in single and in double precision."""
    return tuple(
        Program((descent, x(3, dtype=dtype), x(2, 2, salt=1, dtype=dtype)), kind)
        for kind in kinds
        for dtype in ("float32", "float64")
    )


STEADY = {
    check: "a trajectory: forward compares it"
    for check in ("gradient", "gradgrad", "dtypes", "layouts", "shapes", "values", "keywords", "memory", "formula")
}
weight_decay = {"lr": 0.01, "weight_decay": 0.1}
common = ({"lr": 0.01}, weight_decay, {"lr": 0.01, "maximize": True}, {"lr": 0.01, "foreach": False})
entry(
    "optim.SGD",
    *options(
        *common,
        {"lr": 0.01, "momentum": 0.9},
        {"lr": 0.01, "momentum": 0.9, "nesterov": True},
        {"lr": 0.01, "momentum": 0.9, "dampening": 0.3, "weight_decay": 0.1},
        {"lr": 0.01, "momentum": 0.5, "maximize": True},
    ),
    without=STEADY,
)
for name in ("Adam", "AdamW"):
    entry(
        f"optim.{name}",
        *options(
            {},
            *common,
            {"lr": 0.01, "amsgrad": True},
            {"lr": 0.01, "betas": (0.5, 0.9), "eps": 1e-4},
            {"lr": 0.01, "amsgrad": True, "weight_decay": 0.1},
        ),
        without=STEADY,
    )
entry(
    "optim.RMSprop",
    *options(
        {},
        *common,
        {"lr": 0.01, "alpha": 0.5},
        {"lr": 0.01, "momentum": 0.9},
        {"lr": 0.01, "centered": True, "eps": 1e-3},
        {"lr": 0.01, "centered": True, "momentum": 0.5, "weight_decay": 0.1},
    ),
    without=STEADY,
)
entry(
    "optim.Adagrad",
    *options({}, *common, {"lr": 0.1, "lr_decay": 0.1}, {"lr": 0.1, "initial_accumulator_value": 0.5, "eps": 1e-3}),
    without=STEADY,
)
entry("optim.Adadelta", *options({}, *common, {"lr": 0.5, "rho": 0.5, "eps": 1e-3}), without=STEADY)
entry("optim.Adamax", *options({}, *common, {"betas": (0.5, 0.9), "eps": 1e-3}), without=STEADY)
entry(
    "optim.NAdam",
    *options({}, *common, {"lr": 0.01, "momentum_decay": 0.1}, {**weight_decay, "decoupled_weight_decay": True}),
    without=STEADY,
)
entry("optim.RAdam", *options({}, *common, {**weight_decay, "decoupled_weight_decay": True}), without=STEADY)
entry("optim.ASGD", *options({}, *common), without=STEADY)
entry(
    "optim.Adafactor",
    *options(
        {},
        *common,
        {"lr": 0.1, "beta2_decay": -0.5, "d": 1.5},
        {"lr": 0.1, "eps": (1e-3, 1e-2)},
    ),
    without=STEADY,
)
exclude("optim.Muon", "computed in bfloat16 there: tests/optim/test_muon.py")
entry("optim.Rprop", *options({}, {"lr": 0.01, "etas": (0.4, 1.3)}), without=STEADY)


def one_group(m, optimizer, w, **options):
    """L-BFGS takes one group of parameters."""
    parameter = w.detach().clone().requires_grad_()
    made = optimizer([parameter], **options)

    def closure():
        made.zero_grad()
        error = ((parameter - 1) ** 4).sum() + (parameter.sum() - 2) ** 2
        error.backward()
        return error

    return [(made.step(closure).detach(), parameter.detach().clone())[1] for _ in range(3)]


entry(
    "optim.LBFGS",
    *(
        Program((one_group, x(3, dtype=dtype)), kind)
        for kind in (
            {"lr": 0.1},
            {"lr": 1, "max_iter": 4, "history_size": 2},
            {"line_search_fn": "strong_wolfe", "max_iter": 4},
        )
        for dtype in ("float32", "float64")
    ),
    without=STEADY,
)
exclude("optim.Optimizer", "a base class: tests/optim has its tests")


def rates(m, scheduler, *arguments, **keywords):
    """The rates and momenta of fifty steps, the state saved and loaded half-way."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        parameter = m.zeros(2, requires_grad=True)
        optimizer = m.optim.SGD(
            [{"params": [parameter]}, {"params": [m.zeros(1, requires_grad=True)], "lr": 0.3}], lr=0.1, momentum=0.9
        )
        made = scheduler(
            optimizer, *(a(m, optimizer) if callable(a) and a.__name__ == "parts" else a for a in arguments), **keywords
        )
        seen = []
        for step in range(STEPS):
            optimizer.step()
            made.step(*([abs(20 - step) // 3 * 0.1] if scheduler.__name__ == "ReduceLROnPlateau" else []))
            seen.append([(g["lr"], g["momentum"]) for g in optimizer.param_groups])
            if step == 25 and scheduler.__name__ not in ("LambdaLR", "MultiplicativeLR"):
                made.load_state_dict(made.state_dict())
        return seen, made.get_last_lr()


def schedule(*kinds):
    return tuple(Program((rates, *args), kwargs) for args, kwargs in kinds)


def parts(m, optimizer):
    s = m.optim.lr_scheduler
    return [s.ConstantLR(optimizer, factor=0.1, total_iters=5), s.ExponentialLR(optimizer, gamma=0.9)]


S = "lr_scheduler."
entry(S + "StepLR", *schedule(((7,), {}), ((10, 0.5), {}), ((), {"step_size": 3, "gamma": 0.7})), without=STEADY)
entry(S + "MultiStepLR", *schedule((([5, 20, 21],), {}), (([30, 10, 10], 0.5), {})), without=STEADY)
entry(S + "ConstantLR", *schedule(((), {}), ((0.5, 7), {})), without=STEADY)
entry(
    S + "LinearLR",
    *schedule(((), {}), ((0.2, 0.8, 10), {}), ((), {"start_factor": 1.0, "end_factor": 0.1, "total_iters": 30})),
    without=STEADY,
)
entry(S + "ExponentialLR", *schedule(((0.9,), {})), without=STEADY)
entry(
    S + "CosineAnnealingLR",
    *schedule(((10,), {}), ((40, 0.01), {}), ((), {"T_max": 49, "eta_min": 0.001})),
    without=STEADY,
)
entry(
    S + "CosineAnnealingWarmRestarts",
    *schedule(((10,), {}), ((5, 2), {}), ((), {"T_0": 7, "eta_min": 0.01})),
    without=STEADY,
)
entry(S + "PolynomialLR", *schedule(((), {}), ((20, 2.0), {})), without=STEADY)
entry(
    S + "ReduceLROnPlateau",
    *schedule(
        ((), {}),
        (("min", 0.5, 3), {}),
        (("max", 0.5, 3), {"cooldown": 2, "min_lr": 0.01}),
        ((), {"patience": 2, "threshold": 0.5, "threshold_mode": "abs"}),
        ((), {"patience": 1, "min_lr": [0.01, 0.05], "factor": 0.3}),
    ),
    without=STEADY,
)


def halves(epoch):
    return 0.5 ** (epoch // 4)


def shrinks(epoch):
    return 0.95


entry(S + "LambdaLR", *schedule(((halves,), {}), (([halves, shrinks],), {})), without=STEADY)
entry(S + "MultiplicativeLR", *schedule(((shrinks,), {}), (([shrinks, shrinks],), {})), without=STEADY)
entry(
    S + "OneCycleLR",
    *schedule(
        ((1.0, 60), {}),
        (([1.0, 2.0],), {"epochs": 6, "steps_per_epoch": 10}),
        (
            (0.5,),
            {
                "total_steps": 55,
                "anneal_strategy": "linear",
                "three_phase": True,
                "cycle_momentum": False,
                "pct_start": 0.4,
            },
        ),
        ((0.5, 70), {"div_factor": 10, "final_div_factor": 100, "base_momentum": 0.7, "max_momentum": 0.8}),
    ),
    without=STEADY,
)
entry(
    S + "CyclicLR",
    *schedule(
        ((0.01, 0.1), {}),
        ((0.01, 0.1, 5, 7), {"mode": "triangular2"}),
        ((0.01, 0.1, 5), {"mode": "exp_range", "gamma": 0.95, "cycle_momentum": False}),
    ),
    without=STEADY,
)
entry(S + "SequentialLR", *schedule(((parts,), {"milestones": [10]})), without=STEADY)


def chained(m, scheduler):
    """Two schedulers at once."""
    optimizer = m.optim.SGD([m.zeros(2, requires_grad=True)], lr=0.1)
    made = scheduler(parts(m, optimizer))
    seen = []
    for _ in range(STEPS):
        optimizer.step()
        made.step()
        seen.append(optimizer.param_groups[0]["lr"])
    return seen


entry(S + "ChainedScheduler", Program((chained,)), without=STEADY)
exclude("lr_scheduler.LRScheduler", "a base class: tests/optim has its tests")
