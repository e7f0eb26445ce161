"""Gradients through the winners of windows, one window at a time: every geometry, and when it is left to conv.py."""

from __future__ import annotations

import numpy as np
import pytest

from tests.kernels.compare import assert_close
from tests.strategies import FLOATS
from tinyconv.kernels import cpu, reference
from tinyconv.kernels.cpu import winners
from tinyconv.kernels.cpu.target import UNIT
from tinyconv.kernels.formulas import NOBODY

ONE, TWO, ZERO = (1, 1), (2, 2), (0, 0)
LENET = (64, 6, 14, 14), (16, 6, 5, 5), ONE, ZERO, ONE, 1

# x's shape, w's, stride, padding, dilation, groups: each option alone and some together; channels in one block and in
# several, of which the last is full or not; more and fewer numbers than a tile has, down and across.
GEOMETRIES = [
    LENET,
    ((9, 6, 15, 13), (3, 6, 5, 5), ONE, (2, 1), ONE, 1),
    ((8, 1, 6, 8), (2, 1, 3, 3), ONE, ZERO, ONE, 1),
    ((8, 8, 9, 40), (3, 8, 5, 4), ONE, ONE, ONE, 1),
    ((17, 10, 11, 12), (6, 5, 3, 2), ONE, ONE, ONE, 2),
    ((9, 4, 21, 23), (6, 2, 7, 7), ONE, (2, 1), (2, 1), 2),
    ((9, 3, 21, 23), (5, 3, 3, 7), ONE, (2, 1), (1, 2), 1),
    ((8, 9, 21, 23), (5, 9, 7, 9), (2, 3), (2, 4), ONE, 1),
    ((8, 17, 12, 13), (4, 17, 4, 3), (3, 2), (2, 3), ONE, 1),
    ((33, 2, 5, 6), (1, 2, 1, 1), ONE, ZERO, ONE, 1),
    ((40, 6, 10, 9), (20, 6, 5, 5), ONE, ZERO, ONE, 1),
]


@pytest.fixture
def always(monkeypatch):
    """Whether it pays or not."""
    monkeypatch.setattr(winners, "_pays", lambda *_: True)
    monkeypatch.setattr(winners, "KERNELS", 1 << 40)
    for plan in (winners._input_plan, winners._weight_plan):
        monkeypatch.setattr(winners, plan.__name__, plan.__wrapped__)


def arrays(dtype, x_shape, w_shape, *options, seed=0):
    """gy, who won, x and w."""
    rng = np.random.default_rng(seed)
    OH, OW = cpu.conv.count_windows(x_shape[2:], w_shape[2:], *options[:3])
    shape = x_shape[0], w_shape[0], OH // 2, OW // 2
    x, w, gy = (rng.standard_normal(s).astype(dtype) for s in (x_shape, w_shape, shape))
    return gy, rng.integers(0, NOBODY + 1, shape).astype(np.uint8), x, w


def both(gy, where, x, w, *options):
    """Both gradients by ``winners.py``, and whether it computed them."""
    gx, gw, gb = np.full_like(x, np.nan), np.full_like(w, np.nan), np.full(len(w), np.nan, w.dtype)
    of_input = winners.input_gradient(gy, where, w, gx, *options)
    of_weight = winners.weight_gradient(gy, where, x, gw, gb, *options)
    return gx, gw, gb, bool(of_input), bool(of_weight)


@pytest.mark.parametrize("geometry", GEOMETRIES, ids=str)
@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_every_geometry(always, dtype, geometry):
    _, _, *options = geometry
    gy, where, x, w = arrays(dtype, *geometry)
    gx, gw, gb, of_input, of_weight = both(gy, where, x, w, *options)
    assert of_input
    gy, x, w = (a.astype(np.float64) for a in (gy, x, w))
    assert_close(gx, reference.max_pool2d_conv2d_gx(gy, where, w, x.shape[2:], *options), terms=w[:, 0].size)
    assert of_weight == (options[2][1] == 1), "a dilated row is not one row of numbers"
    if of_weight:
        expected = reference.max_pool2d_conv2d_gw(gy, where, x, w.shape[2:], *options)
        for actual, truth in zip((gw, gb), expected, strict=True):
            assert_close(actual, truth, terms=4 * gy[:, 0].size)


@pytest.mark.parametrize("geometry", GEOMETRIES[:4], ids=str)
def test_where_nobody_won_nothing_is_given(always, geometry):
    """Whatever gradient comes there."""
    _, _, *options = geometry
    gy, where, x, w = arrays(np.float32, *geometry)
    where[...] = NOBODY
    for gradient in both(gy, where, x, w, *options)[:3]:
        assert not gradient.any()


def test_lenet_s_second_layer_goes_this_way_and_most_others_do_not():
    for dtype in (np.float32, np.float64):
        _, _, *options = LENET
        *_, of_weight = both(*arrays(dtype, *LENET), *options)
        assert of_weight
    assert both(*arrays(np.float32, *LENET), *options)[3]
    for x_shape, w_shape, *where in (
        ((64, 1, 32, 32), (6, 1, 5, 5), "avx512", "avx2"),  # of a vector's channels few are there
        ((4, 6, 14, 14), (16, 6, 5, 5)),  # too few images to share out
        ((8, 32, 8, 8), (32, 32, 3, 3), "avx512"),  # a small kernel: long vectors find little to do
    ):
        geometry = x_shape, w_shape, ONE, ZERO, ONE, 1
        if not where or UNIT in where:
            assert both(*arrays(np.float32, *geometry), *geometry[2:])[3:] == (False, False)


@pytest.mark.parametrize("bad", [np.inf, -np.inf, np.nan])
def test_infinity_stays_with_what_the_winner_saw(bad):
    """In the zeros around a kernel it would make NaN."""
    _, _, *options = LENET
    gy, where, x, w = arrays(np.float32, *LENET)
    gy[3, 2, 1, 1], where[3, 2, 1, 1] = bad, 0
    gx = cpu.max_pool2d_conv2d_gx(gy, where, w, x.shape[2:], *options)
    touched = np.zeros(gx.shape, bool)
    touched[3, :, 2:7, 2:7] = True
    np.testing.assert_array_equal(np.isfinite(gx), ~touched)
    gw, gb = cpu.max_pool2d_conv2d_gw(gy, where, x, (5, 5), *options)
    np.testing.assert_array_equal(np.isfinite(gb), np.arange(16) != 2)
    np.testing.assert_array_equal(np.isfinite(gw).all((1, 2, 3)), np.arange(16) != 2)
