"""Training: the loop, what it measures, how it reports, and how it survives being interrupted.

``fit.py`` is the loop and reads alone; the rest are :class:`Callback`\\ s and files around it, ``metrics/`` (how good
the answers are), ``attribution.py`` (what a network looks at) and ``pictures/`` of all that.
"""

from . import attribution, metrics, pictures, transfer
from .callbacks import Callback, ClipGradients, EarlyStopping
from .checkpoint import Checkpoint, CheckpointEvery, DirectoryInUse, RunDirectory
from .errors import Diverged
from .fit import Evaluation, evaluate, fit, predict, resume, right_answers, train_epoch
from .logs import CSVLog, JSONLLog, TensorBoardLog
from .metrics import Mean, accuracy, confusion_matrix
from .nan_guard import NaNGuard
from .progress import ConsoleProgress
from .signals import Interrupted, StopSignals
from .state import TrainingState
from .summary import ModuleSummary, summarize

__all__ = [
    "CSVLog",
    "Callback",
    "Checkpoint",
    "CheckpointEvery",
    "ClipGradients",
    "ConsoleProgress",
    "DirectoryInUse",
    "Diverged",
    "EarlyStopping",
    "Evaluation",
    "Interrupted",
    "JSONLLog",
    "Mean",
    "ModuleSummary",
    "NaNGuard",
    "RunDirectory",
    "StopSignals",
    "TensorBoardLog",
    "TrainingState",
    "accuracy",
    "attribution",
    "confusion_matrix",
    "evaluate",
    "fit",
    "metrics",
    "pictures",
    "predict",
    "resume",
    "right_answers",
    "summarize",
    "train_epoch",
    "transfer",
]
