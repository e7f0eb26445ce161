"""Averages of a model's weights along its training, which often generalize better than the last ones.

Stochastic weight averaging (Izmailov et al., "Averaging weights leads to wider optima and better generalization", UAI
2018) takes the mean of the weights after each epoch of a late phase with a constant learning rate; the exponential
moving average forgets old ones at a constant rate.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterable
from itertools import chain
from typing import Any

from .. import dtypes
from ..autograd import no_grad
from ..nn import Module
from ..nn.batchnorm import _BatchNorm
from ..ops import tensor
from ..tensor import Tensor
from .lr_scheduler import LRScheduler
from .optimizer import Optimizer

__all__ = [
    "SWALR",
    "AveragedModel",
    "get_ema_avg_fn",
    "get_ema_multi_avg_fn",
    "get_swa_avg_fn",
    "get_swa_multi_avg_fn",
    "update_bn",
]

Average = Callable[[Tensor, Tensor, Any], Tensor]


def get_ema_avg_fn(decay: float = 0.999) -> Average:
    """``decay * average + (1 - decay) * weight``.

    Raises:
        ValueError: ``decay`` outside of [0, 1].
    """
    if not 0 <= decay <= 1:
        raise ValueError(f"Invalid decay value {decay} provided. Please provide a value in [0,1] range.")

    @no_grad()
    def average(ema_param: Tensor, current_param: Tensor, num_averaged: Any) -> Tensor:
        return decay * ema_param + (1 - decay) * current_param

    return average


def get_swa_avg_fn() -> Average:
    """``average + (weight - average) / (n + 1)``: the mean of the n averaged so far and one more."""

    @no_grad()
    def average(averaged_param: Tensor, current_param: Tensor, num_averaged: Any) -> Tensor:
        return averaged_param + (current_param - averaged_param) / (num_averaged + 1)

    return average


def _of_lists(average: Average) -> Callable[[Any, Any, Any], None]:
    def update(averaged_param_list: Any, current_param_list: Any, num_averaged: Any) -> None:
        for averaged, current in zip(averaged_param_list, current_param_list, strict=True):
            averaged.copy_(average(averaged, current, num_averaged))

    return no_grad()(update)


def get_ema_multi_avg_fn(decay: float = 0.999) -> Callable[[Any, Any, Any], None]:
    """:func:`get_ema_avg_fn` of lists of parameters, in place."""
    return _of_lists(get_ema_avg_fn(decay))


def get_swa_multi_avg_fn() -> Callable[[Any, Any, Any], None]:
    """:func:`get_swa_avg_fn` of lists of parameters, in place."""
    return _of_lists(get_swa_avg_fn())


class AveragedModel(Module):
    """A copy of a model that holds averages of its weights: call :meth:`update_parameters` as the model trains.

    Args:
        model: what to copy, and average.
        device: where the averages are to be.
        avg_fn: ``(average, weight, number averaged so far) -> average``; by default the mean.
        multi_avg_fn: the same for lists of both, in place.
        use_buffers: average the buffers, too; else they are copied.

    Attributes:
        module: the copy.
        n_averaged: how many models are in the averages, a 0-d int64 tensor.

    Raises:
        AssertionError: both ``avg_fn`` and ``multi_avg_fn``.
    """

    n_averaged: Tensor

    def __init__(self, model: Module, device: Any = None, avg_fn: Average | None = None,
                 multi_avg_fn: Callable[[Any, Any, Any], None] | None = None, use_buffers: bool = False):  # fmt: skip
        super().__init__()
        if avg_fn is not None and multi_avg_fn is not None:
            raise AssertionError("Only one of avg_fn and multi_avg_fn should be provided")
        self.module = copy.deepcopy(model)
        if device is not None:
            self.module = self.module.to(device)
        self.register_buffer("n_averaged", tensor(0, dtype=dtypes.int64, device=device))
        self.avg_fn, self.multi_avg_fn, self.use_buffers = avg_fn, multi_avg_fn, use_buffers

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """What the averaged model computes."""
        return self.module(*args, **kwargs)

    @no_grad()
    def update_parameters(self, model: Module) -> None:
        """Take the model's weights into the averages; the first time, take them over."""

        def averaged(module: Module) -> list[Tensor]:
            own = chain(module.parameters(), module.buffers()) if self.use_buffers else module.parameters()
            return [x.detach() for x in own]

        mine, theirs = averaged(self.module), averaged(model)
        theirs = [y.to(x.device) for x, y in zip(mine, theirs, strict=True)]
        if self.n_averaged == 0:
            for x, y in zip(mine, theirs, strict=True):
                x.copy_(y)
        else:
            update = self.multi_avg_fn or _of_lists(self.avg_fn or get_swa_avg_fn())
            update(mine, theirs, self.n_averaged)
        if not self.use_buffers:
            for x, y in zip(self.module.buffers(), model.buffers(), strict=True):
                x.copy_(y)
        self.n_averaged.add_(1)


@no_grad()
def update_bn(loader: Iterable[Any], model: Module, device: Any = None) -> None:
    """Work out the running statistics of all batch normalizations anew, as the means over the batches of ``loader``:
    averaged weights have other activations than those that were seen.

    Args:
        loader: batches, or tuples whose first element is one.
        model: is called with them.
        device: where to move them.
    """
    norms = {module: module.momentum for module in model.modules() if isinstance(module, _BatchNorm)}
    if not norms:
        return
    was_training = model.training
    model.train()
    for module in norms:
        module.reset_running_stats()
        module.momentum = None  # all batches count alike
    for batch in loader:
        x = batch[0] if isinstance(batch, (list, tuple)) else batch
        model(x if device is None else x.to(device))
    for module, momentum in norms.items():
        module.momentum = momentum
    model.train(was_training)


class SWALR(LRScheduler):
    """From the rate there is to a constant one, in ``anneal_epochs`` steps: with ``a`` going from 0 to 1 in t /
    anneal_epochs, or as ``(1 - cos(pi * t / anneal_epochs)) / 2``, the rate is ``a * swa_lr + (1 - a) * base``.

    Args:
        optimizer: whose rates to change.
        swa_lr: the constant rate, or one a group.
        anneal_epochs: steps until it is reached; 0: at once.
        anneal_strategy: "cos" or "linear".
        last_epoch: the number of steps already taken; -1 for a new start.

    Raises:
        ValueError: another strategy, a negative number of steps, or not one rate a group.
    """

    def __init__(self, optimizer: Optimizer, swa_lr: Any, anneal_epochs: int = 10, anneal_strategy: str = "cos",
                 last_epoch: int = -1):  # fmt: skip
        rates = list(swa_lr) if isinstance(swa_lr, (list, tuple)) else [swa_lr] * len(optimizer.param_groups)
        if len(rates) != len(optimizer.param_groups):
            raise ValueError(f"swa_lr must have one rate a group, {len(optimizer.param_groups)}, got {len(rates)}")
        for rate, group in zip(rates, optimizer.param_groups):
            group["swa_lr"] = rate
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(f"anneal_strategy must be one of 'cos' or 'linear', instead got {anneal_strategy}")
        if not isinstance(anneal_epochs, int) or anneal_epochs < 0:
            raise ValueError(f"anneal_epochs must be equal or greater than 0, got {anneal_epochs}")
        self._anneal_strategy, self.anneal_epochs = anneal_strategy, anneal_epochs
        super().__init__(optimizer, last_epoch)

    def _share(self, step: int) -> float:
        """How much of the constant rate is in the one at a step."""
        done = max(0.0, min(1.0, step / max(1, self.anneal_epochs)))
        return (1 - math.cos(math.pi * done)) / 2 if self._anneal_strategy == "cos" else done

    def get_lr(self) -> list[Any]:
        step = self._step_count - 1
        if self.anneal_epochs == 0:
            step = max(1, step)
        before, now = self._share(max(0, min(step - 1, max(1, self.anneal_epochs)))), self._share(step)
        rates = []
        for group in self.optimizer.param_groups:
            first = group["swa_lr"] if before == 1 else (group["lr"] - before * group["swa_lr"]) / (1 - before)
            rates.append(group["swa_lr"] * now + first * (1 - now))
        return rates
