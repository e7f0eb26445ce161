"""Automatic differentiation: record what is computed, then let gradients flow backwards through it.

``function.py`` says what is recorded, ``engine.py`` how the gradients flow: read these two, in this order, after
``tensor.py``. ``grad_mode.py`` switches the recording off and on, ``hooks.py`` looks in on it, ``inplace.py``
follows changes in place.
"""

from collections.abc import Callable

from .engine import backward, grad
from .function import AccumulateGrad, Function, Node
from .grad_mode import enable_grad, inference_mode, is_grad_enabled, no_grad, set_grad_enabled
from .hooks import RemovableHandle, once_differentiable
from .inplace import check_may_change, overwrite, shares_elements

__all__ = [
    "Function",
    "backward",
    "enable_grad",
    "grad",
    "inference_mode",
    "is_grad_enabled",
    "no_grad",
    "once_differentiable",
    "set_grad_enabled",
]

gradcheck: Callable[..., bool]  # these two stand on the operations: tinyconv/__init__.py brings them here
gradgradcheck: Callable[..., bool]
