import numpy as np
import pytest

import tinyconv
import tinyconv.nn.functional as F
from tinyconv import nn

RNG = np.random.default_rng(0)


@pytest.mark.parametrize(
    "kwargs",
    [
        {"scale_factor": 2},
        {"scale_factor": 1.7},
        {"scale_factor": 0.4},
        {"scale_factor": 2.3, "recompute_scale_factor": True},
        {"size": 3},
        {"size": 11},
    ],
)
@pytest.mark.parametrize(
    "mode, axes, align",
    [
        ("nearest", 1, None), ("nearest", 2, None), ("nearest-exact", 2, None), ("area", 1, None), ("area", 2, None),
        ("linear", 1, False), ("linear", 1, True), ("bilinear", 2, None), ("bilinear", 2, True),
        ("bicubic", 2, False), ("bicubic", 2, True), ("trilinear", 3, False), ("trilinear", 3, True), ("area", 3, None),
    ],
)  # fmt: skip
def test_as_pytorch(agrees_with_torch, kwargs, mode, axes, align):
    torch = pytest.importorskip("torch")
    x = RNG.normal(size=(2, 3, 6, 5, 4)[: 2 + axes]).astype(np.float32)
    options = {**kwargs, "mode": mode, "align_corners": align}
    agrees_with_torch(nn.Upsample(**options), torch.nn.Upsample(**options), x)


@pytest.mark.parametrize("kwargs", [{"size": (3, 7)}, {"scale_factor": (2, 1.5)}, {"scale_factor": 1}])
@pytest.mark.parametrize("name", ["UpsamplingNearest2d", "UpsamplingBilinear2d"])
def test_images_as_pytorch(agrees_with_torch, kwargs, name):
    torch = pytest.importorskip("torch")
    x = RNG.normal(size=(2, 3, 4, 5))
    agrees_with_torch(getattr(nn, name)(**kwargs), getattr(torch.nn, name)(**kwargs), x)


@pytest.mark.parametrize("n, out", [(7, 3), (3, 7), (56, 20), (10, 99), (33, 100)])
def test_nearest_picks_pytorchs_pixels(n, out):
    torch = pytest.importorskip("torch")
    x = np.arange(n, dtype=np.float32).reshape(1, 1, n)
    for mode in ("nearest", "nearest-exact"):
        for options in ({"size": out}, {"scale_factor": out / n}):
            y = F.interpolate(tinyconv.from_numpy(x), mode=mode, **options)
            assert y.tolist() == torch.nn.functional.interpolate(torch.from_numpy(x), mode=mode, **options).tolist()


def test_by_hand():
    x = tinyconv.tensor([[[[1.0, 2.0], [3.0, 4.0]]]])
    assert F.interpolate(x, 3)[0, 0].tolist() == [[1, 1, 2], [1, 1, 2], [3, 3, 4]]
    corners = F.interpolate(x, (3, 3), mode="bilinear", align_corners=True)
    assert corners[0, 0].tolist() == [[1, 1.5, 2], [2, 2.5, 3], [3, 3.5, 4]]
    edges = F.interpolate(x[:, :, 0], scale_factor=2, mode="linear")
    assert edges[0, 0].tolist() == [1, 1.25, 1.75, 2]
    assert F.interpolate(x, scale_factor=3)[0, 0, 3:5, 2].tolist() == [3.0, 3.0]
    assert F.upsample(x, 4).shape == F.upsample_nearest(x, 4).shape == F.upsample_bilinear(x, 4).shape == (1, 1, 4, 4)
    assert F.interpolate(x[:0], 4).shape == F.interpolate(x[:0], 4, mode="bilinear").shape == (0, 1, 4, 4)


def test_nearest_takes_volumes_and_any_type():
    x = tinyconv.arange(24, dtype=tinyconv.uint8).reshape(1, 1, 2, 3, 4)
    y = F.interpolate(x, scale_factor=2)
    assert y.dtype is tinyconv.uint8
    np.testing.assert_array_equal(y.array, x.array.repeat(2, 2).repeat(2, 3).repeat(2, 4))
    mask = tinyconv.tensor([[[True, False]]])
    assert F.interpolate(mask, 4, mode="nearest-exact").tolist() == [[[True, True, False, False]]]
    with pytest.raises(RuntimeError, match="interpolate: input must be floating point, got tinyconv.uint8"):
        F.interpolate(x[0], 2, mode="bilinear")


def test_errors():
    x = tinyconv.zeros(1, 1, 4, 4)
    for arguments, message in (
        ({}, "either size or scale_factor should be defined"),
        ({"size": 2, "scale_factor": 2}, "only one of size or scale_factor should be defined"),
        ({"size": (2, 2, 2)}, "has 2 spatial dimensions, so size must have as many numbers"),
        ({"size": 2, "align_corners": True}, "align_corners option can only be set with the interpolating modes"),
        ({"size": 2, "recompute_scale_factor": True}, "recompute_scale_factor is not meaningful with an explicit size"),
    ):
        with pytest.raises(ValueError, match=message):
            F.interpolate(x, **arguments)
    with pytest.raises(
        NotImplementedError, match=r"interpolate: mode must be one of .* got 'linear' for shape \(1, 1, 4, 4\)"
    ):
        F.interpolate(x, 2, mode="linear")
    with pytest.raises(NotImplementedError, match="antialias is not implemented"):
        F.interpolate(x, 2, mode="bilinear", antialias=True)
    with pytest.raises(RuntimeError, match="sizes should be greater than 0"):
        F.interpolate(x, scale_factor=0.1)
