import inspect

import pytest

import tinyconv.nn.functional as F
from tinyconv import ops


def test_every_name_is_the_op_itself():
    assert all(getattr(F, name) is getattr(ops, name) for name in F.__all__)


@pytest.mark.parametrize("name", sorted(set(F.__all__) - {"conv2d", "conv_transpose2d", "avg_pool2d", "linear"}))
def test_parameters_are_named_as_in_pytorch(name):
    torch = pytest.importorskip("torch")
    theirs = list(inspect.signature(getattr(torch.nn.functional, name)).parameters)
    ours = list(inspect.signature(getattr(F, name)).parameters)
    legacy = {"size_average", "reduce", "_stacklevel", "dtype", "args", "kwargs"}
    if "args" in theirs:  # PyTorch dispatches on return_indices here and hides the signature
        theirs = ["input", "kernel_size", "stride", "padding", "dilation", "ceil_mode", "return_indices"]
    assert [p for p in ours if p not in legacy] == [p for p in theirs if p not in legacy]
