"""How good the answers are, in scikit-learn's names and with its results.

Everywhere the right answers come first: ``f(target, prediction)``. Both may be Tensors, arrays or lists; where classes
are expected as a prediction, scores ``(N, C)`` will do too and the class of the largest one is meant.

==================  ======================================================================================
``mean.py``         means over an epoch, batch by batch
``counts.py``       what counting right and wrong answers tells: the confusion matrix, accuracy, precision, ...
``ranking.py``      what the order of the scores tells: ROC curve, precision-recall curve, areas below them
``calibration.py``  whether 70% sure means 70% right
``report.py``       all of a classifier's numbers as one table
==================  ======================================================================================
"""

from .calibration import CalibrationCurve, brier_score, calibration_curve, expected_calibration_error
from .counts import accuracy, confusion_matrix, f1, precision, recall, sensitivity, specificity, top_k_accuracy
from .mean import Mean
from .ranking import (
    PrecisionRecallCurve,
    RocCurve,
    auc,
    average_precision,
    precision_recall_curve,
    roc_auc,
    roc_curve,
)
from .report import classification_report

__all__ = [
    "CalibrationCurve",
    "Mean",
    "PrecisionRecallCurve",
    "RocCurve",
    "accuracy",
    "auc",
    "average_precision",
    "brier_score",
    "calibration_curve",
    "classification_report",
    "confusion_matrix",
    "expected_calibration_error",
    "f1",
    "precision",
    "precision_recall_curve",
    "recall",
    "roc_auc",
    "roc_curve",
    "sensitivity",
    "specificity",
    "top_k_accuracy",
]
