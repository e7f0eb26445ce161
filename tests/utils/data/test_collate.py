"""default_collate and default_convert against PyTorch's documented types."""

from collections import OrderedDict, defaultdict, namedtuple

import numpy as np
import pytest

from tinyconv import Tensor
from tinyconv.tensor import wrap
from tinyconv.utils.data import default_collate, default_convert

Point = namedtuple("Point", ["x", "y"])


@pytest.mark.parametrize("batch, dtype, expected", [
    ([1, 2, 3], "int64", [1, 2, 3]),
    ([True, False], "bool", [True, False]),
    ([1.5, 2.5], "float64", [1.5, 2.5]),
    ([np.float32(1), np.float32(2)], "float32", [1, 2]),
    ([np.int16([1, 2]), np.int16([3, 4])], "int16", [[1, 2], [3, 4]]),
    ([wrap(np.float32([[1]])), wrap(np.float32([[2]]))], "float32", [[[1]], [[2]]]),
    ([wrap(np.array(7, "uint8")), wrap(np.array(8, "uint8"))], "uint8", [7, 8]),
])  # fmt: skip
def test_leaves(batch, dtype, expected):
    out = default_collate(batch)
    assert isinstance(out, Tensor)
    assert out.array.dtype == dtype
    np.testing.assert_array_equal(out.array, expected)


def test_nesting():
    out = default_collate([({"a": 1, "b": "u"}, [2.0, b"x"]), ({"a": 3, "b": "v"}, [4.0, b"y"])])
    assert type(out) is list
    assert out[0]["a"].tolist() == [1, 3]
    assert list(out[0]["b"]) == ["u", "v"]
    assert out[1][0].tolist() == [2.0, 4.0]
    assert list(out[1][1]) == [b"x", b"y"]


def test_mappings_keep_their_type():
    assert type(default_collate([OrderedDict(a=1)] * 2)) is OrderedDict
    assert default_collate([defaultdict(int, a=1)] * 2)["a"].tolist() == [1, 1]


def test_namedtuple():
    out = default_collate([Point(0, 1), Point(2, 3)])
    assert type(out) is Point
    assert out.x.tolist() == [0, 2]
    assert out.y.tolist() == [1, 3]


def test_errors():
    with pytest.raises(RuntimeError, match="equal size"):
        default_collate([[1, 2], [3]])
    with pytest.raises(RuntimeError, match=r"different shapes: \[\(2,\), \(3,\)\]"):
        default_collate([np.zeros(3), np.zeros(2)])
    with pytest.raises(TypeError, match="object"):
        default_collate([object()])


def test_convert():
    out = default_convert({"a": [np.zeros(2), 1, "s"], "p": Point(np.float32(3), None)})
    assert isinstance(out["a"][0], Tensor)
    assert out["a"][1:] == [1, "s"]
    assert type(out["p"]) is Point
    assert out["p"].x.tolist() == 3.0
    assert out["p"].y is None
    assert default_convert(np.array(["text"])).tolist() == ["text"]
