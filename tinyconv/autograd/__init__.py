"""Automatic differentiation: record what is computed, then let gradients flow backwards through it.

``function.py`` says what is recorded, ``engine.py`` how the gradients flow: read these two, in this order, after
``tensor.py``. ``grad_mode.py`` switches the recording off and on, ``hooks.py`` looks in on gradients, ``graph.py`` on
what is saved, ``inplace.py`` follows changes in place, ``anomaly.py`` looks for NaN, ``intercept.py`` shows each
Function that is applied, ``functional.py`` has Jacobians and Hessians.
"""

from collections.abc import Callable

from . import functional, graph
from .anomaly import detect_anomaly, is_anomaly_enabled, set_detect_anomaly
from .deferred import Deferred, written_down
from .engine import backward, grad
from .function import AccumulateGrad, Function, Node, once_differentiable
from .grad_mode import enable_grad, inference_mode, is_grad_enabled, no_grad, set_grad_enabled
from .hooks import RemovableHandle
from .inplace import check_may_change, overwrite, shares_elements
from .intercept import intercept
from .variable import Variable

__all__ = [
    "Deferred",
    "Function",
    "Variable",
    "backward",
    "detect_anomaly",
    "enable_grad",
    "functional",
    "grad",
    "graph",
    "inference_mode",
    "is_anomaly_enabled",
    "is_grad_enabled",
    "no_grad",
    "once_differentiable",
    "set_detect_anomaly",
    "set_grad_enabled",
    "written_down",
]

gradcheck: Callable[..., bool]  # these two stand on the operations: tinyconv/__init__.py brings them here
gradgradcheck: Callable[..., bool]
