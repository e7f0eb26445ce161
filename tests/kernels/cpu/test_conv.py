"""The CPU's convolutions where their work items, vectors and tiles end: every remainder of images, strips, channels and
positions; plans that reach every output once and nothing outside of their memory. All of it with images in the lanes of
vectors, and with output channels."""

from __future__ import annotations

import itertools
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.kernels.compare import assert_close
from tests.kernels.cpu.calls import IN_LANES, planned_with
from tests.strategies import FLOATS, conv_geometries, float_dtypes
from tinyconv.kernels import cpu, reference
from tinyconv.kernels.cpu import conv, conv_plan
from tinyconv.kernels.cpu.conv_plan import (
    OUTPUTS,
    POOLED,
    POOLED_WEIGHTS,
    WEIGHTS,
    ChannelPlan,
    Cut,
    Plan,
    backward_plan,
    forward_plan,
    tile_for,
)
from tinyconv.kernels.cpu.target import DOTS, TILES, VECTOR_BYTES

ONE, ZERO = (1, 1), (0, 0)
ROWS = 2 * max(rows for rows, _ in (*TILES, *DOTS))


@pytest.fixture(params=IN_LANES)
def in_lanes(request):
    """What the lanes are for, where there is a choice."""
    with planned_with(**IN_LANES[request.param]):
        yield request.param


def test_every_plan_is_made_for_the_choice_of_lanes():
    """Also one that was made before."""
    plans = []
    for _ in range(2):
        for choice in IN_LANES.values():
            with planned_with(**choice):
                geometry = (2, 8, 6, 6), (8, 8, 3, 3), ONE, ONE, ONE, 1
                plans.append(type(conv._plan("weights", 4, *geometry)[0]))
    assert plans == [Plan, ChannelPlan] * 2


def test_the_example_of_the_tables():
    axes = conv_plan._forward_axes((2, 2), ONE, ZERO, ONE)
    cut = Cut(R=2, HP=3, WP=3, CB=1, OB=1, top=0, down=2, strips=1, blocks=1)
    tables = conv_plan._tables(axes, (2, 2), (3, 3), (2, 2), cut, (1, 4), 1, 1, False, True, False)
    names = "pixels", "ranges", "classes", "taps", "weights", "positions", "goals"
    said = re.findall(rf"^ +({'|'.join(names)}) +((?:\d ?)+)", conv_plan._tables.__doc__, re.MULTILINE)
    assert [name for name, _ in said] == [*names]
    assert [[int(n) for n in numbers.split()] for _, numbers in said] == [table.tolist() for table in tables]
    _, _, _, taps, weights, positions, goals = tables
    x, w, y = drawn(np.float64, 9), drawn(np.float64, 5), np.empty(4)
    for p in range(4):
        y[goals[p]] = w[0] + sum(w[weights[k]] * x[taps[k] + positions[p]] for k in range(4))
    expected = reference.conv2d(x.reshape(1, 1, 3, 3), w[1:].reshape(1, 1, 2, 2), w[:1], ONE, ZERO, ONE, 1)
    np.testing.assert_allclose(y, expected.ravel())


def lanes(dtype) -> int:
    return VECTOR_BYTES // dtype.itemsize


def drawn(dtype, *shape):
    return np.random.default_rng(0).standard_normal(shape).astype(dtype)


def check(x, w, b, gy, *geometry):
    """All three kernels against the reference in float64."""
    exact = [a.astype(np.float64) for a in (x, w, b, gy)]
    size, kernel = x.shape[2:], w.shape[2:]
    terms = w[0].size
    assert_close(cpu.conv2d(x, w, b, *geometry), reference.conv2d(*exact[:3], *geometry), terms=terms)
    gx = reference.conv2d_gx(exact[3], exact[1], size, *geometry)
    assert_close(cpu.conv2d_gx(gy, w, size, *geometry), gx, terms=len(w) * w[0, 0].size)
    gw = reference.conv2d_gw(exact[3], exact[0], kernel, *geometry)
    assert_close(cpu.conv2d_gw(gy, x, kernel, *geometry), gw, terms=gy[:, 0].size)


@pytest.mark.usefixtures("in_lanes")
@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_every_number_of_images(dtype):
    """From one image, whose strips fill the lanes, to several vectors of images and a remainder."""
    L = lanes(dtype)
    for N in (*range(1, 2 * L + 2), 3 * L, 4 * L + 1):
        check(*(drawn(dtype, *s) for s in ((N, 2, 7, 5), (3, 2, 3, 3), (3,), (N, 3, 7, 5))), ONE, ONE, ONE, 1)


@pytest.mark.usefixtures("in_lanes")
@pytest.mark.parametrize("dtype", FLOATS, ids=str)
@pytest.mark.parametrize("N", [1, 3, 16])
def test_every_number_of_rows(dtype, N):
    """Strips with every remainder, stride 2 with its two kinds of pixels among them."""
    for H in range(1, 20):
        check(*(drawn(dtype, *s) for s in ((N, 2, H, 6), (3, 2, 3, 3), (3,), (N, 3, H, 6))), ONE, ONE, ONE, 1)
        shapes = (N, 2, H, 6), (3, 2, 3, 3), (3,), (N, 3, (H - 1) // 2 + 1, 3)
        check(*(drawn(dtype, *s) for s in shapes), (2, 2), ONE, ONE, 1)


@pytest.mark.usefixtures("in_lanes")
@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_every_number_of_channels(dtype):
    """Channels of the input and the output fill tiles with every remainder."""
    for C, O in {(n, 3) for n in range(1, ROWS + 2)} | {(3, n) for n in range(1, ROWS + 2)}:
        check(*(drawn(dtype, *s) for s in ((2, C, 4, 5), (O, C, 2, 2), (O,), (2, O, 3, 4))), ONE, ZERO, ONE, 1)


@pytest.mark.usefixtures("in_lanes")
@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_every_number_of_columns(dtype):
    """Rows of pixels are turned into lanes a vector at a time."""
    for W in range(1, 2 * lanes(dtype) + 3):
        check(*(drawn(dtype, *s) for s in ((17, 1, 3, W), (2, 1, 1, 1), (2,), (17, 2, 3, W))), ONE, ZERO, ONE, 1)


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
@pytest.mark.parametrize("padding", [(0, 0), (1, 1), (0, 2), (3, 1)])
def test_channels_on_their_own_of_every_size(dtype, padding):
    """Planes with every remainder of vectors and of rows."""
    for W, H in {(W, 6) for W in range(3, 2 * lanes(dtype) + 5)} | {(5, H) for H in range(3, 20)}:
        out = H + 2 * padding[0] - 2, W + 2 * padding[1] - 2
        shapes = (2, 5, H, W), (5, 1, 3, 3), (5,), (2, 5, *out)
        check(*(drawn(dtype, *s) for s in shapes), ONE, padding, ONE, 5)


@given(conv_geometries(), float_dtypes)
def test_every_geometry(g, dtype):
    arrays = [drawn(dtype, *s) for s in (g.x_shape, g.w_shape, g.w_shape[:1], g.y_shape)]
    for constants in IN_LANES.values():
        with planned_with(**constants):
            check(*arrays, *g.options)


LITTLE_MEMORY = {"SCRATCH": 192 * VECTOR_BYTES, "PANEL": 90 * VECTOR_BYTES}  # channels, outputs and rows go in blocks


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
@pytest.mark.parametrize("N", [2, 16, 19])
@pytest.mark.parametrize("groups", [1, 2])
def test_blocks_of_channels(in_lanes, dtype, N, groups):
    C, O = 11, 21 if in_lanes == "images" else 3 * TILES[0][1] * lanes(dtype) + 5
    with planned_with(**IN_LANES[in_lanes], **LITTLE_MEMORY):
        sizes = (9, 8), (9, 8), N, groups, C, O, dtype.itemsize
        cut = forward_plan((3, 3), ONE, ONE, ONE, *sizes).cut
        assert cut.CB < C and cut.OB < O, "the case is not what it is meant to be"
        shapes = (N, groups * C, 9, 8), (groups * O, C, 3, 3), (groups * O,), (N, groups * O, 9, 8)
        check(*(drawn(dtype, *s) for s in shapes), ONE, ONE, ONE, groups)


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
@pytest.mark.parametrize("N", [2, 16, 19])
def test_windows_of_more_channels_than_a_work_item_holds(dtype, N):
    """Of whole numbers every sum is exact. The forward pass cannot pool in registers then, gradients go in blocks."""
    C, O, rng = 11, 21, np.random.default_rng(0)
    x, w, gy = (rng.integers(-3, 4, s).astype(dtype) for s in ((N, C, 9, 8), (O, C, 3, 3), (N, O, 4, 4)))
    geometry = ONE, ONE, ONE, 1
    with planned_with(**LITTLE_MEMORY):
        cut = forward_plan((3, 3), ONE, ONE, ONE, (9, 8), (9, 8), N, 1, C, O, dtype.itemsize, POOLED).cut
        assert cut.CB < C, "the case is not what it is meant to be"
        y, where = cpu.conv2d_relu_max_pool2d(x, w, None, *geometry)
        for got, expected in (
            ((y, where), reference.conv2d_relu_max_pool2d(x, w, None, *geometry)),
            ([cpu.max_pool2d_conv2d_gx(gy, where, w, (9, 8), *geometry)],
             [reference.max_pool2d_conv2d_gx(gy, where, w, (9, 8), *geometry)]),
            (cpu.max_pool2d_conv2d_gw(gy, where, x, (3, 3), *geometry),
             reference.max_pool2d_conv2d_gw(gy, where, x, (3, 3), *geometry)),
        ):  # fmt: skip
            for a, b in zip(got, expected, strict=True):
                np.testing.assert_array_equal(a, b)


# ------------------------------------------------------------------------------------------------------------ plans


def plans(g, N, itemsize):
    """All plans with images in lanes, and what each computes: its size, and the side of what is one goal."""
    (_, _, H, W), (O, C, *kernel), size = g.x_shape, g.w_shape, g.output_size
    options, OG = (tuple(kernel), g.stride, g.padding, g.dilation), O // g.groups
    with planned_with(**IN_LANES["images"]):
        yield forward_plan(*options, (H, W), size, N, g.groups, C, OG, itemsize), size, 1
        yield backward_plan(*options, size, (H, W), N, g.groups, OG, C, itemsize), (H, W), 1
        for kind in (WEIGHTS, POOLED, POOLED_WEIGHTS):
            side = 1 + kind.pooled
            whole = tuple([n // side * side for n in size])  # without a row or column that is in no window
            if all(whole):
                yield forward_plan(*options, (H, W), size, N, g.groups, C, OG, itemsize, kind), whole, side


@given(conv_geometries(), st.sampled_from([1, 5, 16, 64]), float_dtypes)
def test_plans_reach_every_output_once_and_nothing_outside(g, N, dtype):
    L = lanes(dtype)
    for (_, cut, *_, tables), (OH, OW), side in plans(g, N, dtype.itemsize):
        _, ranges, classes, taps, _, positions, goals = tables
        for strip, (begin, end) in enumerate(ranges.reshape(-1, 2)):
            rows = min(cut.R, OH - strip * cut.R)
            reached = []
            for first_tap, T, first, count in classes[begin:end].reshape(-1, 4):
                reached += list(goals[first : first + count] // L)
                places = positions[side**2 * first : side**2 * (first + count)]
                seen = np.add.outer(taps[first_tap : first_tap + T * cut.CB], places)
                assert not seen.size or (seen.min() >= 0 and seen.max() < cut.CB * cut.HP * cut.WP * L)
                assert (seen % L == 0).all()
            assert len(set(reached)) == len(reached)
            windows = range(rows // side * (OW // side)), range(cut.R // side * (OW // side))
            assert set(windows[0]) <= set(reached) <= set(windows[1])
        assert cut.strips * cut.R >= OH
        assert cut.blocks * L >= N * cut.strips


@given(conv_geometries(), st.sampled_from([1, 5, 16, 64]), float_dtypes)
def test_plans_of_channels_do_so_for_each_of_their_images(g, N, dtype):
    inputs, (O, C, *kernel), outputs = g.x_shape[2:], g.w_shape, g.output_size
    options, OG = (tuple(kernel), g.stride, g.padding, g.dilation), O // g.groups
    sizes = inputs, outputs, N, g.groups, C, OG, dtype.itemsize
    with planned_with(**IN_LANES["channels"]):
        back = backward_plan(*options, outputs, inputs, N, g.groups, OG, C, dtype.itemsize), OG, outputs, inputs
        cases = [(forward_plan(*options, *sizes, kind), C, inputs, outputs) for kind in (OUTPUTS, WEIGHTS)]
    for ((_, cut, *_, tables), channels, (H, W), (OH, OW)), summed in zip(
        [*cases, back], (False, True, False), strict=True
    ):
        (ranges, classes, taps, _, positions, goals, _), room = tables, cut.CB * cut.HP * cut.WP
        apart = room if cut.copied else g.groups * channels * H * W
        for strip, (begin, end) in enumerate(ranges.reshape(-1, 2)):
            rows, reached = min(cut.R, OH - strip * cut.R), []
            for first_tap, T, first, count in classes[begin:end].reshape(-1, 4):
                places = positions[first : first + count]
                assert (places // apart == np.repeat(np.arange(cut.images), count // cut.images)).all()
                seen = np.add.outer(taps[first_tap : first_tap + T * cut.CB], places % apart)
                end_of_memory = room if cut.copied else room - strip * cut.down * W
                assert not seen.size or (seen.min() >= 0 and seen.max() < end_of_memory)
                reached += list(range(count) if summed else goals[first : first + count] // lanes(dtype))
            images = range(0, cut.images * (rows if summed else cut.R) * OW, (rows if summed else cut.R) * OW)
            assert sorted(reached) == [n + p for n in images for p in range(rows * OW)]
        assert cut.strips * cut.R >= OH and N % cut.images == 0


def test_strips_that_are_alike_share_their_tables():
    """Tables grow with a strip, not with an image: here all but the first and the last are alike."""
    _, cut, *_, tables = forward_plan((3, 3), ONE, ONE, ONE, (512, 512), (512, 512), 64, 1, 16, 16, 4)
    assert cut.strips > 10
    assert len({tuple(pair) for pair in tables[1].reshape(-1, 2)}) <= 4
    assert sum(table.nbytes for table in tables) < 2**19


def test_border_taps_are_left_out():
    """The gradient of LeNet-5's second convolution: half of a gradient image and its padding is padding."""
    _, cut, *_, tables = backward_plan((5, 5), ONE, ZERO, ONE, (10, 10), (14, 14), 64, 1, 16, 6, 4)
    classes = tables[2].reshape(-1, 4)
    products, useful = (classes[:, 1] * classes[:, 3]).sum(), 10 * 10 * 25
    assert useful <= products <= 1.2 * useful < 14 * 14 * 25
    assert cut.top < 0 and classes[:, 3].sum() == 14 * 14


def test_the_tile_that_wastes_least():
    for kind, outputs in itertools.product((OUTPUTS, WEIGHTS, POOLED, POOLED_WEIGHTS), range(2, 100)):
        wasted = {rows: -outputs % rows for rows, _ in kind.tiles}
        assert wasted[tile_for(outputs, kind)[0]] == min(wasted.values())
