import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import correlate

import tinyconv
from tinyconv import nn


def test_formula():
    layer = nn.Conv2d(2, 3, (3, 2))
    x = tinyconv.randn(1, 2, 6, 7)
    w, b = layer.weight.detach().numpy(), layer.bias.detach().numpy()
    want = np.stack([correlate(x.numpy()[0], w[o], "valid")[0] + b[o] for o in range(3)])
    np.testing.assert_allclose(layer(x).detach().numpy()[0], want, rtol=1e-4, atol=1e-5)


def test_parameters():
    layer = nn.Conv2d(4, 6, (3, 5), groups=2, dtype=tinyconv.float64)
    assert layer.weight.shape == (6, 2, 3, 5) and layer.bias.shape == (6,)
    assert layer.weight.dtype is tinyconv.float64
    transposed = nn.ConvTranspose2d(4, 6, (3, 5), groups=2, bias=False)
    assert transposed.weight.shape == (4, 3, 3, 5) and transposed.bias is None


@pytest.mark.parametrize("layer, fan_in", [(nn.Conv2d, 32 * 9), (nn.ConvTranspose2d, 64 * 9)])
def test_default_initialization_is_uniform_within_one_over_sqrt_fan_in(layer, fan_in):
    layer = layer(32, 64, 3)
    for p in layer.parameters():
        values = p.detach().numpy()
        assert 0.9 / math.sqrt(fan_in) < abs(values).max() <= 1 / math.sqrt(fan_in)


@pytest.mark.parametrize("layer", [nn.Conv2d, nn.ConvTranspose2d])
@pytest.mark.parametrize(
    "kwargs, error, message",
    [
        ({"groups": 0}, ValueError, "groups must be a positive integer"),
        ({"groups": 2}, ValueError, "in_channels must be divisible by groups"),
        ({"groups": 3}, ValueError, "out_channels must be divisible by groups"),
        ({"padding_mode": "mirror"}, ValueError, "padding_mode must be one of"),
        ({"padding": "full"}, ValueError, "padding"),
        ({"padding": "same", "stride": 2}, ValueError, "padding"),
        ({"stride": (1,)}, RuntimeError, r"stride must be .* 2 ints, got \(1,\)"),
        ({"padding": [1, 1, 1]}, RuntimeError, "padding must be .* 2 ints"),
        ({"dilation": (1, 1, 1)}, RuntimeError, "dilation must be .* 2 ints"),
    ],
)
def test_settings_that_make_no_sense(layer, kwargs, error, message):
    with pytest.raises(error, match=message):
        layer(3, 4, 3, **kwargs)


@pytest.mark.parametrize("layer", [nn.Conv2d, nn.ConvTranspose2d])
def test_a_window_has_a_size_an_axis(layer):
    with pytest.raises(RuntimeError, match=r"kernel_size must be an int or a tuple of 2 ints, got \(3, 3, 3\)"):
        layer(1, 2, (3, 3, 3))


def test_named_padding():
    x = tinyconv.ones(1, 1, 5, 6)
    assert nn.Conv2d(1, 1, (3, 2), padding="same")(x).shape == (1, 1, 5, 6)
    assert nn.Conv2d(1, 1, 3, padding="valid", stride=2)(x).shape == (1, 1, 2, 2)


def test_a_transposed_convolution_has_no_named_padding():
    with pytest.raises(ValueError, match="ConvTranspose2d: padding"):
        nn.ConvTranspose2d(1, 1, 3, padding="same")


def test_repr():
    assert repr(nn.Conv2d(1, 6, 5)) == "Conv2d(1, 6, kernel_size=(5, 5), stride=(1, 1))"
    assert repr(nn.ConvTranspose2d(2, 2, (1, 2), 2, 1, 1, 2, False, 3)) == (
        "ConvTranspose2d(2, 2, kernel_size=(1, 2), stride=(2, 2), padding=(1, 1), dilation=(3, 3), "
        "output_padding=(1, 1), groups=2, bias=False)"
    )


def test_output_size_chooses_among_the_possible_sizes():
    layer = nn.ConvTranspose2d(1, 1, 3, stride=2, padding=1)
    x = tinyconv.ones(1, 1, 4, 4)
    assert layer(x).shape == (1, 1, 7, 7)
    assert layer(x, output_size=(8, 7)).shape == (1, 1, 8, 7)
    assert layer(x, output_size=(1, 1, 8, 8)).shape == (1, 1, 8, 8)
    assert layer(x[0], output_size=(1, 8, 8)).shape == (1, 8, 8)
    with pytest.raises(ValueError, match=r"requested an output size of \[9, 7\].*from \[7, 7\] to \[8, 8\]"):
        layer(x, output_size=(9, 7))
    with pytest.raises(ValueError, match="must have 2 or 4 elements"):
        layer(x, output_size=(8, 8, 8))


def test_output_size_as_pytorch():
    torch = pytest.importorskip("torch")
    kwargs = {"kernel_size": (3, 2), "stride": (3, 2), "padding": (1, 0), "dilation": (2, 1)}
    ours, theirs = nn.ConvTranspose2d(1, 1, **kwargs), torch.nn.ConvTranspose2d(1, 1, **kwargs)
    ours.load_state_dict({k: tinyconv.from_numpy(v.numpy()) for k, v in theirs.state_dict().items()})
    x = np.random.default_rng(0).normal(size=(2, 1, 4, 5)).astype(np.float32)
    smallest = theirs(torch.from_numpy(x)).shape[-2:]
    for more in ((0, 0), (2, 1), (1, 0)):
        size = [n + m for n, m in zip(smallest, more, strict=True)]
        y, z = ours(tinyconv.from_numpy(x), output_size=size), theirs(torch.from_numpy(x), output_size=size)
        np.testing.assert_allclose(y.detach().numpy(), z.detach().numpy(), rtol=1e-5, atol=1e-6)


pairs = st.one_of(st.integers(1, 3), st.tuples(st.integers(1, 3), st.integers(1, 3)))


@settings(max_examples=25, deadline=None)
@given(data=st.data(), batch=st.integers(0, 2), transposed=st.booleans(), bias=st.booleans())
def test_as_pytorch(data, batch, transposed, bias):
    torch = pytest.importorskip("torch")
    groups = data.draw(st.sampled_from([1, 2]))
    kwargs = {
        "kernel_size": data.draw(pairs), "stride": data.draw(pairs), "dilation": data.draw(pairs),
        "padding": data.draw(st.integers(0, 1)), "groups": groups, "bias": bias,
    }  # fmt: skip
    name = "ConvTranspose2d" if transposed else "Conv2d"
    if not transposed and kwargs["stride"] == 1:
        kwargs["padding"] = data.draw(st.sampled_from([0, 1, "same", "valid"]))
    ours, theirs = getattr(nn, name)(2, 4, **kwargs), getattr(torch.nn, name)(2, 4, **kwargs)
    assert repr(ours) == repr(theirs)
    ours.load_state_dict({k: tinyconv.from_numpy(v.numpy()) for k, v in theirs.state_dict().items()})
    x = np.random.default_rng(0).normal(size=(batch, 2, 8, 9)).astype(np.float32)
    y, z = ours(tinyconv.from_numpy(x)), theirs(torch.from_numpy(x))
    assert y.shape == tuple(z.shape)
    np.testing.assert_allclose(y.detach().numpy(), z.detach().numpy(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["Conv2d", "ConvTranspose2d"])
def test_gradients_as_pytorch(agrees_with_torch, name):
    torch = pytest.importorskip("torch")
    kwargs = {"kernel_size": 3, "stride": 2, "padding": 1, "groups": 2}
    x = np.random.default_rng(0).normal(size=(2, 4, 6, 6)).astype(np.float32)
    agrees_with_torch(getattr(nn, name)(4, 6, **kwargs), getattr(torch.nn, name)(4, 6, **kwargs), x)


@pytest.mark.parametrize("mode", ["reflect", "replicate", "circular"])
@pytest.mark.parametrize("padding", [1, 2, "same", "valid"])
@pytest.mark.parametrize("axes", [1, 2])
def test_padding_modes_as_pytorch(agrees_with_torch, mode, padding, axes):
    torch = pytest.importorskip("torch")
    kwargs = {"kernel_size": 3 if axes == 1 else (2, 3), "padding": padding, "dilation": 2, "padding_mode": mode}
    if padding == "same":
        kwargs |= {"kernel_size": 2, "dilation": 1}  # one more behind than before
    x = np.random.default_rng(0).normal(size=(2, 3, 6, 5)[: axes + 2]).astype(np.float32)
    agrees_with_torch(getattr(nn, f"Conv{axes}d")(3, 2, **kwargs), getattr(torch.nn, f"Conv{axes}d")(3, 2, **kwargs), x)


def test_a_continued_image_is_not_fused_as_if_it_had_zeros_around_it():
    net = nn.Sequential(nn.Conv2d(1, 2, 3, padding=1, padding_mode="circular"), nn.ReLU(), nn.MaxPool2d(2))
    x = tinyconv.randn(1, 1, 4, 4)
    np.testing.assert_allclose(net(x).detach().numpy(), net[2](net[1](net[0](x))).detach().numpy(), rtol=1e-6)


def test_a_transposed_convolution_pads_with_zeros_only():
    with pytest.raises(ValueError, match='Only "zeros" padding mode is supported for ConvTranspose1d'):
        nn.ConvTranspose1d(1, 1, 3, padding_mode="reflect")


@pytest.mark.parametrize("name", ["Conv1d", "ConvTranspose1d"])
@pytest.mark.parametrize(
    "kwargs",
    [
        {"kernel_size": 3},
        {"kernel_size": (2,), "stride": 2, "padding": 1, "dilation": 2, "groups": 2},
        {"kernel_size": 4, "stride": (3,), "bias": False},
    ],
)
@pytest.mark.parametrize("shape", [(2, 4, 9), (4, 9)])
def test_sequences_as_pytorch(agrees_with_torch, name, kwargs, shape):
    torch = pytest.importorskip("torch")
    x = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    agrees_with_torch(getattr(nn, name)(4, 6, **kwargs), getattr(torch.nn, name)(4, 6, **kwargs), x)


def test_output_size_of_sequences():
    layer = nn.ConvTranspose1d(1, 1, 3, stride=2, padding=1)
    x = tinyconv.ones(1, 1, 4)
    assert layer(x).shape == (1, 1, 7) and layer(x, output_size=[8]).shape == layer(x, (1, 1, 8)).shape == (1, 1, 8)
    with pytest.raises(ValueError, match=r"size of \[9\], but valid sizes range from \[7\] to \[8\]"):
        layer(x, [9])
