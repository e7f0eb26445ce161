"""Convolution and pooling of volumes, against loops and against PyTorch."""

import itertools

import numpy as np
import pytest
from scipy.signal import correlate

import tinyconv
import tinyconv.nn.functional as F

RNG = np.random.default_rng(0)
X = RNG.normal(size=(2, 4, 5, 6, 4))


def t(x):
    return tinyconv.tensor(x)


def test_convolution_as_scipy():
    w, b = RNG.normal(size=(3, 4, 2, 3, 2)), RNG.normal(size=3)
    y = F.conv3d(t(X), t(w), t(b)).numpy()
    for n, o in np.ndindex(2, 3):
        expected = sum(correlate(X[n, c], w[o, c], "valid") for c in range(4)) + b[o]
        np.testing.assert_allclose(y[n, o], expected)


def test_transposed_convolution_is_the_adjoint():
    options = {"stride": (2, 1, 2), "padding": (1, 0, 1), "dilation": (1, 2, 1), "groups": 2}
    w = t(RNG.normal(size=(6, 2, 3, 2, 2)))
    x = t(X).requires_grad_()
    y = F.conv3d(x, w, **options)
    gy = t(RNG.normal(size=tuple(y.shape)))
    (gx,) = tinyconv.autograd.grad(y, x, gy)
    back = F.conv_transpose3d(gy, w, output_padding=(0, 0, 0), **options)
    np.testing.assert_allclose(back.numpy(), gx[:, :, : back.shape[2], : back.shape[3], : back.shape[4]].numpy())


@pytest.mark.parametrize("pool, reduce", [("max", np.max), ("avg", np.mean)])
def test_pooling_by_loops(pool, reduce):
    y = getattr(F, f"{pool}_pool3d")(t(X), (2, 3, 1), (1, 2, 2)).numpy()
    for i, j, k in np.ndindex(y.shape[2:]):
        box = X[:, :, i : i + 2, 2 * j : 2 * j + 3, 2 * k : 2 * k + 1]
        np.testing.assert_allclose(y[:, :, i, j, k], reduce(box, axis=(2, 3, 4)))
    y = getattr(F, f"adaptive_{pool}_pool3d")(t(X), (2, 4, 3)).numpy()
    for i, j, k in np.ndindex(2, 4, 3):
        edges = [slice(p * n // m, -(-(p + 1) * n // m)) for p, n, m in zip((i, j, k), (5, 6, 4), (2, 4, 3))]
        np.testing.assert_allclose(y[:, :, i, j, k], reduce(X[:, :, *edges], axis=(2, 3, 4)))


def test_places_of_maxima():
    ties = np.round(X)
    y, where = F.max_pool3d(t(ties), 2, return_indices=True)
    np.testing.assert_array_equal(t(ties).flatten(2).gather(2, where.flatten(2)).numpy(), y.flatten(2).numpy())
    first = F.max_pool3d(tinyconv.zeros(1, 1, 2, 2, 2), 2, return_indices=True)[1]
    assert first.item() == 0  # of equals the first


CONVOLUTIONS = [{}, {"stride": 2}, {"padding": (2, 0, 1)}, {"dilation": (2, 1, 1)}, {"groups": 2},
                {"stride": (2, 1, 1), "padding": 1, "dilation": (1, 2, 1), "groups": 2}]  # fmt: skip
POOLS = [((2,), {}), ((3, 2, 1), {}), (((3, 2, 2), (1, 2, 1), (1, 1, 0)), {}), ((3, 2), {"ceil_mode": True})]
CALLS = {
    **{f"conv3d {o}": lambda m, x, w, b, o=o: m.nn.functional.conv3d(x, w[:, : 4 // o.get("groups", 1)], b[:4], **o)
       for o in [*CONVOLUTIONS, {"padding": "same"}, {"padding": "same", "dilation": 2}, {"padding": "valid"}]},
    **{f"conv_transpose3d {o}": lambda m, x, w, b, o=o: m.nn.functional.conv_transpose3d(
        x, w, b[: 4 * o.get("groups", 1)], **o) for o in
       [*CONVOLUTIONS, {"stride": 3, "output_padding": (2, 1, 0)}]},
    **{f"max_pool3d {a} {o}": lambda m, x, w, b, a=a, o=o: m.nn.functional.max_pool3d(x, *a, **o) for a, o in POOLS},
    "max_pool3d dilated": lambda m, x, w, b: m.nn.functional.max_pool3d(x, 2, 1, dilation=(3, 1, 2)),
    **{f"avg_pool3d {a} {o} {i}": lambda m, x, w, b, a=a, o=o, i=i: m.nn.functional.avg_pool3d(
        x, *a, count_include_pad=i, **o) for (a, o), i in itertools.product(POOLS, [True, False])},
    "avg_pool3d divided": lambda m, x, w, b: m.nn.functional.avg_pool3d(x, 2, divisor_override=3),
    "adaptive avg": lambda m, x, w, b: m.nn.functional.adaptive_avg_pool3d(x, (3, None, 2)),
    "adaptive max": lambda m, x, w, b: m.nn.functional.adaptive_max_pool3d(x, (3, 4, 2)),
    "one volume": lambda m, x, w, b: m.nn.functional.conv3d(m.nn.functional.max_pool3d(x[0], 2), w[:, :, :1, :1, :1]),
}  # fmt: skip


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.filterwarnings("ignore:Using padding='same'")
def test_as_pytorch(name):
    torch = pytest.importorskip("torch")
    w, b = RNG.normal(size=(4, 4, 3, 2, 2)), RNG.normal(size=8)
    found = []
    for library in (tinyconv, torch):
        xs = [library.tensor(v).requires_grad_() for v in (X, w, b)]
        y = CALLS[name](library, *xs)
        (y**2).sum().backward()
        found.append([y.detach().numpy(), *[x.grad.numpy() for x in xs if x.grad is not None]])
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-10)


@pytest.mark.parametrize("options", [{"kernel_size": 2}, {"kernel_size": 3, "stride": 2, "padding": 1}, {
    "kernel_size": (2, 3, 2), "ceil_mode": True}])  # fmt: skip
def test_places_as_pytorch(options):
    torch = pytest.importorskip("torch")
    for values in (X, np.round(X)):
        ours, theirs = (m.nn.functional.max_pool3d(m.tensor(values), return_indices=True, **options)
                        for m in (tinyconv, torch))  # fmt: skip
        np.testing.assert_array_equal(ours[0].numpy(), theirs[0].numpy())
        np.testing.assert_array_equal(ours[1].numpy(), theirs[1].numpy())


def test_misuse():
    x, w = t(X), t(np.ones((3, 4, 2, 2, 2)))
    with pytest.raises(RuntimeError, match=r"conv3d: the kernel, 1 x 5 x 1 .*, 3 x 3 x 3 \(x: \(2, 3, 3, 3\), "):
        F.conv3d(tinyconv.ones(2, 3, 3, 3), tinyconv.ones(4, 2, 1, 5, 1))
    with pytest.raises(RuntimeError, match=r"conv3d: bias must have shape \(4,\), got \(3,\)"):
        F.conv3d(tinyconv.ones(2, 3, 3, 3), tinyconv.ones(4, 2, 1, 1, 1), tinyconv.ones(3))
    with pytest.raises(RuntimeError, match=r"max_pool3d: the output would be 0 x 0: a window of \(3, 3\)"):
        F.max_pool3d(tinyconv.ones(1, 2, 2, 2), (1, 3, 3))
    with pytest.raises(RuntimeError, match="avg_pool3d: divisor_override must not be 0"):
        F.avg_pool3d(tinyconv.ones(1, 2, 2, 2), 2, divisor_override=0)
    with pytest.raises(RuntimeError, match=r"weight \(3, 4, 2, 2, 2\) does not fit input \(2, 3, 5, 6, 4\) in 1 group"):
        F.conv3d(x[:, :3], w)
    with pytest.raises(
        RuntimeError, match="the kernel, 2 x 2 x 2 with dilation, does not fit into the padded input, 1 x 6 x 4"
    ):
        F.conv3d(x[:, :, :1], w)
    with pytest.raises(RuntimeError, match=r"expected input \(N, C, D, H, W\) or \(C, D, H, W\)"):
        F.max_pool3d(x[0, 0], 2)
    with pytest.raises(RuntimeError, match="stride must be an int or three ints of at least 1"):
        F.conv3d(x, w, stride=(1, 2))
    with pytest.raises(RuntimeError, match="output_size must be an int or three ints"):
        F.adaptive_avg_pool3d(x, (1, 2))


@pytest.mark.parametrize("axes", [1, 2, 3])
@pytest.mark.parametrize("ceil_mode", [False, True])
def test_lp_pool_at_infinity(axes, ceil_mode):
    """The largest absolute value of each window, and at -inf the smallest."""
    torch = pytest.importorskip("torch")
    x = np.random.default_rng(0).standard_normal((2, 3, *[5] * axes))
    for p in float("inf"), -float("inf"):
        found, expected = (
            getattr(module.nn.functional, f"lp_pool{axes}d")(module.tensor(x), p, 2, ceil_mode=ceil_mode)
            for module in (tinyconv, torch)
        )
        np.testing.assert_array_equal(found, expected)
