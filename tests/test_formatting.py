"""Printing: literal expectations, then PyTorch's own repr on many tensors."""

import math
from unittest import mock

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import tinyconv
from tinyconv import formatting
from tinyconv.formatting import format_tensor, get_printoptions, printoptions, set_printoptions


@pytest.fixture(autouse=True)
def _default_options():
    yield
    set_printoptions(profile="default")


def tensor(*args, **kwargs):
    return tinyconv.tensor(*args, **kwargs)


@pytest.mark.parametrize(
    "data, text",
    [
        ([1.0, 2.0], "tensor([1., 2.])"),
        ([1.5, -2.0], "tensor([ 1.5000, -2.0000])"),
        ([1, -20], "tensor([  1, -20])"),
        ([True, False], "tensor([ True, False])"),
        (3.0, "tensor(3.)"),
        (0.1, "tensor(0.1000)"),
        (7, "tensor(7)"),
        (-0.0, "tensor(-0.)"),
        ([], "tensor([])"),
        ([[1.0, 2.0], [3.0, 4.0]], "tensor([[1., 2.],\n        [3., 4.]])"),
        ([[[1]], [[2]]], "tensor([[[1]],\n\n        [[2]]])"),
        ([1e-5, 1.0], "tensor([1.0000e-05, 1.0000e+00])"),
        ([1001.0, 1.0], "tensor([1.0010e+03, 1.0000e+00])"),
        ([1000.0, 1.0], "tensor([1000.,    1.])"),
        ([1e8, 2e8], "tensor([1.0000e+08, 2.0000e+08])"),
        ([1.0, math.nan, math.inf, -math.inf], "tensor([1., nan, inf, -inf])"),
        ([0.5, math.nan, math.inf], "tensor([0.5000,    nan,    inf])"),
        ([0.0, math.nan], "tensor([0., nan])"),
    ],
)
def test_literals(data, text):
    assert repr(tensor(data)) == text


def test_dtype_is_named_unless_the_literal_implies_it():
    assert repr(tensor([1.0], dtype=tinyconv.float64)) == "tensor([1.], dtype=tinyconv.float64)"
    assert repr(tensor([1], dtype=tinyconv.uint8)) == "tensor([1], dtype=tinyconv.uint8)"
    assert repr(tensor([1], dtype=tinyconv.int64)) == "tensor([1])"
    assert repr(tinyconv.zeros(0, dtype=tinyconv.int64)) == "tensor([], dtype=tinyconv.int64)"


def test_the_default_dtype_decides_what_is_usual():
    tinyconv.set_default_dtype(tinyconv.float64)
    try:
        assert repr(tensor([1.0])) == "tensor([1.])"
        assert repr(tensor([1.0], dtype=tinyconv.float32)) == "tensor([1.], dtype=tinyconv.float32)"
    finally:
        tinyconv.set_default_dtype(tinyconv.float32)


def test_empty_tensors_show_their_size():
    assert repr(tinyconv.zeros(0, 3)) == "tensor([], size=(0, 3))"
    assert repr(tinyconv.zeros(2, 0, dtype=tinyconv.bool)) == "tensor([], size=(2, 0), dtype=tinyconv.bool)"


def test_history():
    x = tensor([1.0, 2.0], requires_grad=True)
    assert repr(x) == "tensor([1., 2.], requires_grad=True)"
    y = x * 2
    assert repr(y) == "tensor([2., 4.], grad_fn=<MulBackward0>)"
    assert repr(y.detach()) == "tensor([2., 4.])"
    p = tinyconv.nn.Parameter(tensor([1.0]))
    assert repr(p) == "Parameter containing:\ntensor([1.], requires_grad=True)"


def test_a_fact_that_does_not_fit_goes_to_the_next_line():
    x = tensor([0.5] * 8, dtype=tinyconv.float64)  # the numbers end in column 72
    assert repr(x).endswith("0.5000],\n       dtype=tinyconv.float64)")


def test_device_is_named_unless_it_is_the_cpu(monkeypatch):
    monkeypatch.setattr(tinyconv.Tensor, "device", tinyconv.device("cuda", 1))
    assert repr(tensor([1.0])) == "tensor([1.], device='cuda:1')"


def test_summary_of_a_vector_and_of_a_matrix():
    assert repr(tinyconv.arange(1001)) == "tensor([   0,    1,    2,  ...,  998,  999, 1000])"
    assert "..." not in repr(tinyconv.arange(1000))
    lines = repr(tinyconv.arange(2000).reshape(200, 10)).splitlines()
    assert lines[0] == "tensor([[   0,    1,    2,  ...,    7,    8,    9],"
    assert lines[3] == "        ...,"
    assert lines[6] == "        [1990, 1991, 1992,  ..., 1997, 1998, 1999]])"


def test_the_hidden_middle_does_not_choose_the_format():
    data = np.ones(2001, np.float32)
    data[1000] = 0.123
    assert repr(tinyconv.from_numpy(data)) == "tensor([1., 1., 1.,  ..., 1., 1., 1.])"


def test_subclasses_print_under_their_name():
    class Weights(tinyconv.Tensor):
        pass

    assert repr(Weights(np.ones((2, 1), np.float32))) == "Weights([[1.],\n         [1.]])"


def test_printoptions_change_and_come_back():
    x = tensor([0.123456])
    with printoptions(precision=2):
        assert repr(x) == "tensor([0.12])"
        assert get_printoptions()["precision"] == 2
    assert repr(x) == "tensor([0.1235])"
    set_printoptions(sci_mode=True)
    assert repr(x) == "tensor([1.2346e-01])"
    set_printoptions(profile="full")
    assert "..." not in repr(tinyconv.arange(2000))
    assert get_printoptions()["sci_mode"] is None
    with pytest.raises(ValueError, match="profile"):
        set_printoptions(profile="fancy")


# ------------------------------------------------------------------------------------------------------ PyTorch's repr

DTYPES = ["float32", "float64", "int64", "int32", "uint8", "bool", "float16"]
NUMBERS = {
    "small": st.sampled_from([0.0, -0.0, 1.0, 2.0, -3.0, 100.0]),
    "fractions": st.floats(-100, 100, width=32),
    "wide": st.floats(width=32),
    "edges": st.sampled_from([1e-4, 9.9e-5, 1e8, 1.1e8, 1000.0, 1001.0, 1.0, math.nan, math.inf, -math.inf, 0.0, 0.5]),
}


@st.composite
def arrays(draw):
    shape = draw(hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=12))
    dtype = np.dtype(draw(st.sampled_from(DTYPES)))
    if dtype.kind != "f":
        return draw(hnp.arrays(dtype, shape))
    elements = draw(st.sampled_from(sorted(NUMBERS)))
    with np.errstate(over="ignore"):
        return draw(hnp.arrays(np.float64, shape, elements=NUMBERS[elements])).astype(dtype)


options = st.fixed_dictionaries(
    {},
    optional={
        "precision": st.integers(0, 8),
        "threshold": st.integers(0, 100),
        "edgeitems": st.integers(0, 5),
        "linewidth": st.integers(10, 120),
        "sci_mode": st.sampled_from([None, True, False]),
    },
)


@settings(max_examples=300, deadline=None)
@given(array=arrays(), options=options, requires_grad=st.booleans())
@example(array=np.arange(2002.0).reshape(2, 7, 143), options={}, requires_grad=True)
@example(array=np.full((2, 3), 1e300), options={}, requires_grad=False)
@example(array=np.array([1e300, 1e-300]), options={}, requires_grad=False)
def test_as_pytorch_prints(array, options, requires_grad):
    torch = pytest.importorskip("torch")
    theirs, ours = torch.from_numpy(array.copy()), tinyconv.from_numpy(array.copy())
    if requires_grad and array.dtype.kind == "f":
        theirs.requires_grad_()
        ours.requires_grad_()
    try:
        torch.set_printoptions(**options)
        set_printoptions(**options)
        with mock.patch.object(tinyconv.dtype, "__repr__", lambda self: f"torch.{self.name}"):  # the same line lengths
            assert format_tensor(ours) == repr(theirs)
        assert get_printoptions() == torch.__dict__["_tensor_str"].get_printoptions()
    finally:
        torch.set_printoptions(profile="default")
        set_printoptions(profile="default")


@settings(max_examples=50, deadline=None)
@given(shape=hnp.array_shapes(min_dims=1, max_dims=3, min_side=5, max_side=40), seed=st.integers(0, 2**32 - 1))
def test_as_pytorch_summarizes(shape, seed):
    torch = pytest.importorskip("torch")
    array = np.random.default_rng(seed).normal(size=shape).astype(np.float32)
    assert format_tensor(tinyconv.from_numpy(array)) == repr(torch.from_numpy(array))


def test_parameters_and_results_as_pytorch_prints_them():
    torch = pytest.importorskip("torch")
    data = [[0.5] * 7] * 2
    ours = repr(tinyconv.nn.Parameter(tensor(data)))
    assert ours == repr(torch.nn.Parameter(torch.tensor(data)))
    y = tinyconv.nn.Parameter(tensor(data)) + 1
    assert repr(y) == repr(torch.nn.Parameter(torch.tensor(data)) + 1)


def test_profiles_are_not_changed_by_use():
    set_printoptions(profile="short", precision=7)
    assert formatting.get_printoptions()["precision"] == 7
    set_printoptions(profile="short")
    assert formatting.get_printoptions()["precision"] == 2
