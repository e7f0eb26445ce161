"""Automatic differentiation: record what is computed, then let gradients flow backwards through it.

Read ``function.py`` (what is recorded) and then ``engine.py`` (how the gradients flow), after ``tensor.py``: these
three are the engine. Each of the other files adds one thing to it:

* ``grad_mode.py`` switches the recording off and on;
* ``inplace.py`` keeps the graph right when a tensor is changed in place;
* ``deferred.py`` lets max-pooling pass a gradient on without writing its zeros down;
* ``names.py`` calls nodes as PyTorch does;
* ``hooks.py`` lets users see and replace gradients, ``graph.py`` what the nodes save;
* ``anomaly.py`` finds the operation that made the first NaN;
* ``intercept.py`` shows every Function that is applied, to count its multiply-adds or to write it down as ONNX;
* ``functional.py`` computes Jacobians and Hessians, and ``forward_ad.py`` with dual numbers;
* ``variable.py`` is a name that programs older than PyTorch 0.4 use.
"""

from collections.abc import Callable

from . import forward_ad, functional, graph
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
    "forward_ad",
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
