"""Rules that change parameters by their gradients, and schedules of the learning rate: ``torch.optim``'s names."""

from . import lr_scheduler
from .optimizer import Optimizer
from .sgd import SGD

__all__ = ["SGD", "Optimizer", "lr_scheduler"]
