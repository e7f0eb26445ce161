"""Training: the loop, what it measures, how it reports, and how it survives being interrupted.

``fit.py`` is the loop and reads alone; the rest are :class:`Callback`\\ s and files around it.
"""

from .callbacks import Callback
from .checkpoint import CheckpointEvery, RunDirectory
from .fit import Diverged, Evaluation, TrainingState, evaluate, fit, train_epoch
from .metrics import Mean, accuracy, confusion_matrix
from .progress import ConsoleProgress
from .signals import Interrupted, StopSignals

__all__ = [
    "Callback",
    "CheckpointEvery",
    "ConsoleProgress",
    "Diverged",
    "Evaluation",
    "Interrupted",
    "Mean",
    "RunDirectory",
    "StopSignals",
    "TrainingState",
    "accuracy",
    "confusion_matrix",
    "evaluate",
    "fit",
    "train_epoch",
]
