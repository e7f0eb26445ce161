import numpy as np
import pytest

import tinyconv
from tinyconv import nn


def test_training_drops_and_scales():
    tinyconv.manual_seed(0)
    y = nn.Dropout(0.25)(tinyconv.ones(100, 100)).numpy()
    kept = y != 0
    np.testing.assert_allclose(y[kept], 1 / 0.75, rtol=1e-6)
    assert abs(kept.mean() - 0.75) < 0.02


def test_evaluation_changes_nothing():
    x = tinyconv.randn(10)
    assert nn.Dropout(0.9).eval()(x).tolist() == x.tolist()


def test_inplace_writes_into_the_input():
    x = tinyconv.ones(1000)
    y = nn.Dropout(0.5, inplace=True)(x)
    assert y.array is x.array and 0.0 in x.tolist()


def test_probability():
    for p in (-0.1, 1.1):
        with pytest.raises(ValueError, match=f"between 0 and 1, but got {p}"):
            nn.Dropout(p)
    assert nn.Dropout(1)(tinyconv.ones(3)).tolist() == [0, 0, 0]
    assert repr(nn.Dropout(0.5)) == "Dropout(p=0.5, inplace=False)"
