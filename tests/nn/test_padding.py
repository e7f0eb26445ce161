import numpy as np
import pytest

import tinyconv
from tinyconv import nn

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("kind", ["Zero", "Constant", "Reflection", "Replication", "Circular"])
@pytest.mark.parametrize("axes, padding", [(1, 2), (1, (1, 2)), (2, 1), (2, (1, 2, 0, 3))])
@pytest.mark.parametrize("batched", [True, False])
def test_as_pytorch(agrees_with_torch, kind, axes, padding, batched):
    torch = pytest.importorskip("torch")
    name = f"{kind}Pad{axes}d"
    more = (3.5,) if kind == "Constant" else ()
    x = RNG.normal(size=(2, 5, 6, 7)[: axes + 1 + batched])
    agrees_with_torch(getattr(nn, name)(padding, *more), getattr(torch.nn, name)(padding, *more), x)


def test_the_table_of_modes():
    x = tinyconv.tensor([[1.0, 2.0, 3.0, 4.0]])
    assert nn.ZeroPad1d((2, 1))(x).tolist() == [[0, 0, 1, 2, 3, 4, 0]]
    assert nn.ConstantPad1d((0, 1), 9.0)(x).tolist() == [[1, 2, 3, 4, 9]]
    assert nn.ReflectionPad1d(2)(x).tolist() == [[3, 2, 1, 2, 3, 4, 3, 2]]
    assert nn.ReplicationPad1d(2)(x).tolist() == [[1, 1, 1, 2, 3, 4, 4, 4]]
    assert nn.CircularPad1d(2)(x).tolist() == [[3, 4, 1, 2, 3, 4, 1, 2]]


def test_a_reflection_wider_than_the_image():
    with pytest.raises(RuntimeError, match=r"can add at most 1 elements on a side of dimension 2, which has 2"):
        nn.ReflectionPad2d(2)(tinyconv.zeros(1, 1, 2, 3))
