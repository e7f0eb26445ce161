"""Special functions, as SciPy has them. It takes a tenth of a second to import, and is, when the first is asked for."""

from __future__ import annotations

from importlib import import_module

import numpy as np

from .arrays import dense

NAMES = {"lgamma": "gammaln"}  # where SciPy has another


def special(xs, function):
    formula = getattr(import_module("scipy.special"), NAMES.get(function, function))
    with np.errstate(all="ignore"):
        return dense(np.asarray(formula(*xs), xs[0].dtype))
