"""The pseudo-inverse and least squares against NumPy."""

import numpy as np
import pytest

import tinyconv
from tinyconv import linalg

RNG = np.random.default_rng(0)
SQUARE, TALL, WIDE = RNG.normal(size=(2, 4, 4)), RNG.normal(size=(2, 5, 3)), RNG.normal(size=(2, 3, 5))
t = tinyconv.from_numpy


@pytest.mark.parametrize("x", [SQUARE, TALL, WIDE], ids=["square", "tall", "wide"])
def test_pseudoinverses(x):
    np.testing.assert_allclose(linalg.pinv(t(x)).numpy(), np.linalg.pinv(x), atol=1e-12)


def test_small_singular_values_count_as_0():
    x = np.diag([5.0, 1.0, 0.1])
    np.testing.assert_allclose(linalg.pinv(t(x), atol=0.5).numpy(), np.diag([0.2, 1, 0]), atol=1e-12)
    np.testing.assert_allclose(linalg.pinv(t(x), rtol=0.5).numpy(), np.diag([0.2, 0, 0]), atol=1e-12)


@pytest.mark.parametrize("driver", [None, "gels", "gelsd"])
def test_least_squares(driver):
    y = RNG.normal(size=(2, 5, 2))
    found = linalg.lstsq(t(TALL), t(y), driver=driver)
    for k in range(2):
        solution, residuals, rank, s = np.linalg.lstsq(TALL[k], y[k], rcond=None)
        np.testing.assert_allclose(found.solution[k].numpy(), solution)
        if driver is not None:
            np.testing.assert_allclose(found.residuals[k].numpy(), residuals)
        if driver == "gelsd":
            assert found.rank[k].item() == rank
            np.testing.assert_allclose(found.singular_values[k].numpy(), s)
    wide = linalg.lstsq(t(WIDE[0]), t(y[0, :3])).solution.numpy()
    np.testing.assert_allclose(wide, np.linalg.lstsq(WIDE[0], y[0, :3], rcond=None)[0])  # the shortest
