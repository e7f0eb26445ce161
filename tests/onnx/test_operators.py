"""Each operation by itself: what ONNX Runtime computes for it, on numbers and a batch that the export has not seen."""

import pytest

import tinyconv
from tinyconv import autograd, nn
from tinyconv.nn import functional as F

from .conftest import assert_same


class Squared(autograd.Function):
    """A user's own."""

    @staticmethod
    def forward(ctx, x):
        return x * x


def in_place(x):
    y = x * 2
    y += 1
    return F.relu(y, inplace=True) + y


OPERATIONS = {
    **{
        name: getattr(nn, name)()
        for name in (
            "CELU",
            "ELU",
            "GELU",
            "Hardsigmoid",
            "Hardswish",
            "Hardtanh",
            "Identity",
            "LeakyReLU",
            "LogSigmoid",
            "Mish",
            "PReLU",
            "ReLU",
            "ReLU6",
            "SELU",
            "SiLU",
            "Sigmoid",
            "Softmax2d",
            "Softplus",
            "Softsign",
            "Tanh",
        )
    },
    "GELU by tanh": nn.GELU("tanh"),
    "adaptive average": nn.AdaptiveAvgPool2d(3),
    "adaptive maximum": nn.AdaptiveMaxPool2d(3),
    "arithmetic": lambda x: (1 - x) * x / 3 + 2**x - (-x).abs() + x**2,
    "average, padded": nn.AvgPool2d(3, 2, 1),
    "average, rounded up": nn.AvgPool2d(3, 2, 1, ceil_mode=True, count_include_pad=False),
    "average, uncounted": nn.AvgPool2d(3, 2, 1, count_include_pad=False),
    "batch norm of rows": nn.Sequential(nn.Flatten(), nn.BatchNorm1d(256)),
    "bilinear": nn.Upsample(scale_factor=2, mode="bilinear"),
    "cast": lambda x: (x.double() * 2).sign(),
    "clamp": lambda x: x.clamp(-0.5) + x.clamp(max=0.25) + x.clamp(-1, 1),
    "compare": lambda x: x * (x > 0) + x * (x != x) + tinyconv.where(x <= 0.5, 1.0, x),
    "concatenate": lambda x: tinyconv.cat([x, x * 2, tinyconv.stack([x[:, 0], x[:, 1]], 1)], 1),
    "conv1d": nn.Sequential(nn.Flatten(2), nn.Conv1d(4, 3, 5, padding=2), nn.MaxPool1d(2)),
    "dropout": nn.Sequential(nn.Conv2d(4, 4, 3), nn.Dropout(), nn.Dropout2d()),
    "einsum": lambda x: tinyconv.einsum("nchw,ncxw->nhx", x, x),
    "elementary": lambda x: x.sin() + x.cos() + x.tanh().atan() + x.exp() + x.erf() + x.expm1() + x.abs().log1p(),
    "enlarge": nn.Upsample(scale_factor=2),
    "expand": lambda x: x.mean(1, True).expand(-1, 4, -1, -1) * x,
    "group norm": nn.GroupNorm(2, 4),
    "in place": in_place,
    "index by a list": lambda x: x[:, [0, 2, 2]],
    "instance norm": nn.InstanceNorm2d(4, affine=True),
    "layer norm": nn.LayerNorm(8),
    "linear on more axes": nn.Linear(8, 3),
    "local response norm": nn.LocalResponseNorm(2),
    "log softmax": nn.LogSoftmax(1),
    "matmul": lambda x: x @ x.transpose(-1, -2),
    "maximum": nn.MaxPool2d(3, 2, 1, ceil_mode=True),
    "own function": Squared.apply,
    "padding": nn.ConstantPad2d((1, 2, 0, 1), 0.5),
    "pixel shuffle": nn.PixelShuffle(2),
    "reductions": lambda x: x.sum((2, 3)) + x.mean((2, 3)) + x.amax((2, 3)) + x.amin((2, 3)) + x.var((2, 3)),
    "reflecting": nn.Conv2d(4, 4, 3, padding=1, padding_mode="reflect"),
    "same": nn.Conv2d(4, 6, 4, padding="same", dilation=1, groups=2),
    "shape from a size": lambda x: x.permute(0, 2, 3, 1).reshape(x.shape[0], -1),
    "slice": lambda x: x[:, 1:3, ::2, -1] + x[:, 1:3, :4, 0],
    "slice with a new axis": lambda x: x[..., None, :-1],
    "strided": nn.Conv2d(4, 6, (3, 2), (2, 1), (1, 0), (1, 2)),
    "transposed": nn.ConvTranspose2d(4, 6, 3, stride=2, padding=1, output_padding=1),
    "transposed, grouped": nn.ConvTranspose2d(4, 6, 3, stride=3, groups=2, dilation=2),
    "two outputs": lambda x: (x, x * 2, x),
    "whole": lambda x: x.reshape(-1),
}


OF_ALL_VERSIONS = ("average, padded", "batch norm of rows", "group norm", "padding", "reductions")


@pytest.mark.parametrize(
    "name, opset",
    [(name, 17) for name in OPERATIONS] + [(name, opset) for name in OF_ALL_VERSIONS for opset in (13, 18, 23)],
)
def test_onnx_runtime_computes_the_same(exported, name, opset):
    tinyconv.manual_seed(0)
    function = OPERATIONS[name]
    outputs = {"output_names": ["a", "b", "c"]} if name == "two outputs" else {}
    run = exported(
        function, tinyconv.randn(2, 4, 8, 8), input_names=["x"], dynamic_axes={"x": [0]}, opset_version=opset, **outputs
    )
    x = tinyconv.randn(5, 4, 8, 8)
    expected = function.eval()(x) if isinstance(function, nn.Module) else function(x)
    for got, value in zip(run(x), expected if isinstance(expected, tuple) else (expected,), strict=True):
        assert_same(got, value)


def test_integers_are_inputs_too(exported):
    model = nn.Embedding(10, 4)
    run = exported(model, tinyconv.tensor([[1, 2, 9]]), dynamic_axes={"input": [0]})
    index = tinyconv.tensor([[0, 3, 3], [9, 9, 0]])
    assert_same(run(index)[0], model(index))


@pytest.mark.parametrize(
    "function, words",
    [
        (lambda x: x.cumsum(1), r"Cumsum of a tensor of shape \(2, 4, 8, 8\)"),
        (lambda x: x.log2(), r"Elementary \(log2\)"),
        (lambda x: x.flip(1), "Flip"),
        (lambda x: F.dropout(x), "dropout is still at work"),
        (lambda x: x[x > 0], "by booleans"),
        (nn.AvgPool2d(2, divisor_override=3), "divisor_override"),
    ],
)
def test_an_operation_without_counterpart_is_named(exported, function, words):
    with pytest.raises(tinyconv.onnx.UnsupportedOperatorError, match=words):
        exported(function, tinyconv.randn(2, 4, 8, 8))


def _branches(x):
    return x * 2 if x.mean().item() > 100 or x.shape[0] == 2 else x + 1


def _view_in_place(x):
    y = x * 2
    y[:, 0].mul_(3)
    return y


@pytest.mark.parametrize(
    "function, words",
    [
        (lambda x: x * x.mean().item(), "Mul computes with a constant"),
        (lambda x: x / x.shape[0], "Div computes with a constant"),
        (lambda x: x.argmax(1), "the model returns a constant"),
        (_view_in_place, "a constant"),
        (_branches, "another way on a second input: Mul, then Add"),
        (lambda x: sum(row for row in x), "another way on a second input"),
    ],
)
def test_what_would_be_frozen_silently_is_an_error(exported, function, words):
    with pytest.raises(tinyconv.onnx.ExportError, match=words):
        exported(function, tinyconv.randn(2, 4, 8, 8), input_names=["x"], dynamic_axes={"x": [0]})


def test_a_reshape_can_leave_one_size_open_beside_those_that_stay(exported):
    axes = {"input_names": ["x"], "dynamic_axes": {"x": [0, 1]}}
    x = tinyconv.randn(3, 5, 8, 8)
    assert_same(exported(lambda x: x.flatten(2), tinyconv.randn(2, 4, 8, 8), **axes)(x)[0], x.flatten(2))
    with pytest.raises(tinyconv.onnx.ExportError, match=r"a reshape to \(2, 4, 64\) and then to \(3, 5, 64\) has more"):
        exported(
            lambda x: x.permute(1, 0, 2, 3).reshape(x.shape[0], x.shape[1], 64), tinyconv.randn(2, 4, 8, 8), **axes
        )
