"""Special functions against SciPy's in float64."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.special

from tests.kernels.compare import assert_close
from tinyconv.kernels.contract import SPECIAL, SPECIAL_OF_TWO

INSIDE = {"erfinv": (-0.95, 0.95), "ndtri": (0.05, 0.95), "lgamma": (2.5, 9), "digamma": (2, 9)}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", SPECIAL)
def test_of_one(kernels, name, dtype):
    x = np.linspace(*INSIDE.get(name, (-4, 6)), 62).reshape(2, 31).astype(dtype)
    formula = getattr(scipy.special, {"lgamma": "gammaln"}.get(name, name))
    assert_close(kernels.special([x.T], name), formula(x.T.astype("float64")))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", SPECIAL_OF_TWO)
def test_of_two(kernels, name, dtype):
    x, y = (np.random.default_rng(0).uniform(1.5, 4, (2, 3, 4))).astype(dtype)
    assert_close(kernels.special([x, y], name), getattr(scipy.special, name)(x.astype("float64"), y.astype("float64")))


@pytest.mark.filterwarnings("error")
def test_special_values(kernels):
    assert kernels.special([np.array([-1.0, 1.0, 2.0])], "erfinv").tolist()[:2] == [-np.inf, np.inf]
    assert np.isnan(kernels.special([np.array([2.0, np.nan])], "erfinv")).all()
    assert kernels.special([np.array([0.0, 1.0, 2.0])], "lgamma").tolist() == [np.inf, 0, 0]
