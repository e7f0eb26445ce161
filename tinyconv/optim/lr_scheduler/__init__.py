"""Schedules of the learning rate. ``scheduler.step()`` goes after the epoch's (or the batch's) ``optimizer.step()``.

As in PyTorch most schedules are *chainable*: each step computes the new rate from the present one, so that several
schedules on one optimizer multiply. The closed formula stands in each class's docstring; with base the rate at the
start, t the number of steps taken and no other schedule, the rate is exactly that, but for rounding.
"""

from .base import LRScheduler
from .combined import ChainedScheduler, SequentialLR
from .cosine import CosineAnnealingLR, CosineAnnealingWarmRestarts
from .cycle import CyclicLR, OneCycleLR
from .decay import (
    ConstantLR,
    ExponentialLR,
    LambdaLR,
    LinearLR,
    MultiplicativeLR,
    MultiStepLR,
    PolynomialLR,
    StepLR,
)
from .plateau import ReduceLROnPlateau

__all__ = [
    "ChainedScheduler",
    "ConstantLR",
    "CosineAnnealingLR",
    "CosineAnnealingWarmRestarts",
    "CyclicLR",
    "ExponentialLR",
    "LRScheduler",
    "LambdaLR",
    "LinearLR",
    "MultiStepLR",
    "MultiplicativeLR",
    "OneCycleLR",
    "PolynomialLR",
    "ReduceLROnPlateau",
    "SequentialLR",
    "StepLR",
]

_LRScheduler = LRScheduler  # PyTorch's old name, from which older programs derive their own
