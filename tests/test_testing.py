"""assert_close passes and fails where PyTorch's does, and says where."""

from __future__ import annotations

import math

import numpy as np
import pytest

import tinyconv
from tinyconv.testing import assert_close

t = tinyconv.tensor
PAIRS = {
    "equal": lambda m: (m.tensor([1.0, 2.0]), m.tensor([1.0, 2.0]), {}),
    "nearly": lambda m: (m.tensor([1.0, 2.0]), m.tensor([1.0 + 1e-6, 2.0]), {}),
    "not": lambda m: (m.tensor([[1.0, 2.0]]), m.tensor([[1.0, 2.1]]), {}),
    "not by far": lambda m: (m.tensor([[1.0, 2.0]]), m.tensor([[1.0, 2.1]]), {"rtol": 0.1, "atol": 0}),
    "float64": lambda m: (m.tensor([1.0], dtype=m.float64), m.tensor([1.0 + 1e-6], dtype=m.float64), {}),
    "integers": lambda m: (m.tensor([1, 2]), m.tensor([1, 3]), {}),
    "dtypes": lambda m: (m.tensor([1.0]), m.tensor([1]), {}),
    "dtypes ignored": lambda m: (m.tensor([1.0]), m.tensor([1]), {"check_dtype": False}),
    "shapes": lambda m: (m.tensor([1.0]), m.tensor([1.0, 1.0]), {}),
    "nan": lambda m: (m.tensor([math.nan]), m.tensor([math.nan]), {}),
    "nan is nan": lambda m: (m.tensor([math.nan]), m.tensor([math.nan]), {"equal_nan": True}),
    "infinity": lambda m: (m.tensor([math.inf]), m.tensor([math.inf]), {}),
    "0-d": lambda m: (m.tensor(1.0), m.tensor(2.0), {}),
    "strides": lambda m: (m.ones(2, 3).t(), m.ones(3, 2), {"check_stride": True}),
    "numbers": lambda m: (1.0, 2.0, {}),
    "numbers close": lambda m: (1.0, 1.0 + 1e-9, {}),
    "kinds of numbers": lambda m: (1, 1.0, {}),
    "lists": lambda m: ([m.tensor([1.0]), 2], [m.tensor([1.0]), 3], {}),
    "lengths": lambda m: ([1], [1, 2], {}),
    "dicts": lambda m: ({"a": m.tensor([1.0, 2.0])}, {"a": m.tensor([1.0, 3.0])}, {}),
    "keys": lambda m: ({"a": 1}, {"b": 1}, {}),
    "none": lambda m: (None, None, {}),
    "arrays": lambda m: (np.array([1.0]), np.array([1.0]), {}),
    "message": lambda m: (1, 2, {"msg": lambda text: f"See: {text}"}),
}  # fmt: skip


@pytest.mark.parametrize("name", PAIRS)
def test_as_pytorch(name):
    torch = pytest.importorskip("torch")
    said = []
    for library, check in ((tinyconv, assert_close), (torch, torch.testing.assert_close)):
        actual, expected, options = PAIRS[name](library)
        try:
            check(actual, expected, **options)
            said.append(None)
        except AssertionError as error:
            said.append(str(error).replace("torch.", "tinyconv."))
    ours, theirs = said
    if name == "keys":
        assert ours.startswith("The keys of the mappings do not match")
    else:
        assert ours == theirs


def test_misuse():
    with pytest.raises(ValueError, match="both be specified"):
        assert_close(1, 1, rtol=0.1)
    with pytest.raises(TypeError, match="No comparison pair"):
        assert_close(t([1]), "a")
    with pytest.raises(TypeError, match="No comparison pair"):
        assert_close("a", "a")
    with pytest.raises(AssertionError, match="^mine$"):
        assert_close(1, 2, msg="mine")
    with pytest.raises(TypeError, match="one class"):
        assert_close(t([1.0]), tinyconv.nn.Parameter(t([1.0])), allow_subclasses=False)
