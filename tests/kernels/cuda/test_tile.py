"""The register tile in every size, with every way of fetching, and in the order in which a GPU might go wrong."""

from __future__ import annotations

from importlib import import_module

import numpy as np
import pytest

from tests.kernels.simulated import memory_of, seen_from_the_device
from tinyconv.kernels import reference
from tinyconv.kernels.cuda.runtime import launch, simulated
from tinyconv.kernels.cuda.tile import FLAT, LARGE, MEDIUM, NARROW, SMALL, TOY, Tile, parts_of, tile_for
from tinyconv.kernels.precision import PRECISION

conv, matmul = (import_module(f"tinyconv.kernels.cuda.{name}") for name in ("conv", "matmul"))  # not the functions
TILES = {"large": LARGE, "medium": MEDIUM, "small": SMALL, "flat": FLAT, "toy": TOY}


@pytest.fixture
def device():
    with simulated() as device:
        yield device


@pytest.fixture(params=TILES)
def tile(request, monkeypatch) -> Tile:
    """Each size in turn, whatever the product's."""
    for module in (matmul, conv):
        monkeypatch.setattr(module, "tile_for", lambda *args, **options: TILES[request.param])
    return TILES[request.param]


def laid_out(x: np.ndarray, layout: str) -> np.ndarray:
    """``x`` with its last axis dense, its last but one, or neither."""
    if layout == "columns":
        return np.ascontiguousarray(x.T).T
    return np.repeat(x, 2, -1)[:, ::2] if layout == "neither" else x


@pytest.mark.parametrize("left", ["rows", "columns", "neither"])
@pytest.mark.parametrize("right", ["rows", "columns", "neither"])
def test_products_of_every_layout(device, tile, left, right):
    """More than one tile each way and more than one slab, none of them full."""
    M, K, N = tile.BM + 4, 2 * tile.BK + 4, tile.BN + 8
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((M, K), np.float32), rng.standard_normal((K, N), np.float32)
    arrays = [seen_from_the_device(device, laid_out(v, layout)) for v, layout in ((x, left), (y, right))]
    z = memory_of(device, matmul.matmul(*arrays))
    np.testing.assert_allclose(z, x.astype(np.float64) @ y, rtol=0, atol=1e-4)


def test_convolutions_on_every_tile(device, tile):
    rng = np.random.default_rng(0)
    x, w = rng.standard_normal((2, 3, 6, 8), np.float32), rng.standard_normal((5, 3, 3, 3), np.float32)
    b = rng.standard_normal(5, np.float32)
    geometry = (1, 2), (1, 1), (1, 1), 1
    on = [seen_from_the_device(device, v) for v in (x, w, b)]
    y = memory_of(device, conv.conv2d(*on, *geometry))
    np.testing.assert_allclose(y, reference.conv2d(x, w, b, *geometry), rtol=0, atol=1e-5)
    gy = seen_from_the_device(device, y)
    gx = memory_of(device, conv.conv2d_gx(gy, on[1], (6, 8), *geometry))
    np.testing.assert_allclose(gx, reference.conv2d_gx(y, w, (6, 8), *geometry), rtol=0, atol=1e-4)
    gw = memory_of(device, conv.conv2d_gw(gy, on[0], (3, 3), *geometry))
    np.testing.assert_allclose(gw, reference.conv2d_gw(y, x, (3, 3), *geometry), rtol=0, atol=1e-4)


def test_parts_of_k_are_added_in_their_order(device, monkeypatch):
    """The same bits every time, and every part counted once, the last shorter than the others."""
    monkeypatch.setattr(matmul, "parts_of", lambda tiles, K: 3)
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((5, 100), np.float32), rng.standard_normal((100, 9), np.float32)
    on = [seen_from_the_device(device, v) for v in (x, y)]
    first, second = (memory_of(device, matmul.matmul(*on)) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    np.testing.assert_allclose(first, x.astype(np.float64) @ y, rtol=0, atol=1e-4)


@pytest.fixture
def tensor_cores(monkeypatch):
    """3xTF32 for everything, while a test runs."""
    for what in PRECISION:
        monkeypatch.setitem(PRECISION, what, "high")


def error_of(z: np.ndarray, x: np.ndarray, y: np.ndarray) -> float:
    """The largest error of ``x @ y``, beside the sum of its terms' sizes."""
    x, y = x.astype(np.float64), y.astype(np.float64)
    return float((np.abs(z - x @ y) / (np.abs(x) @ np.abs(y))).max())


def in_tf32(x: np.ndarray) -> np.ndarray:
    return ((x.view(np.uint32) + np.uint32(0x1000)) & np.uint32(0xFFFFE000)).view(np.float32)


@pytest.mark.parametrize(("K", "bound"), [(1, 5e-7), (8, 2.5e-7), (300, 1.5e-7)])
def test_tensor_cores_are_as_exact_as_float32(device, tensor_cores, K, bound):
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((40, K), np.float32), rng.standard_normal((K, 72), np.float32)
    on = [seen_from_the_device(device, v) for v in (x, y)]
    z = memory_of(device, matmul.matmul(*on))
    assert error_of(z, x, y) < bound
    assert error_of(in_tf32(x) @ in_tf32(y), x, y) > 2e-5  # what TF32 alone would be
    PRECISION["matmul"] = "highest"
    assert (memory_of(device, matmul.matmul(*on)) != z).any()  # it was not float32's kernel


@pytest.mark.parametrize("size", [NARROW, SMALL], ids=["narrow", "small"])
@pytest.mark.parametrize("left", ["rows", "columns", "neither"])
@pytest.mark.parametrize("right", ["rows", "columns", "neither"])
def test_tensor_cores_and_every_layout(device, tensor_cores, monkeypatch, size, left, right):
    monkeypatch.setattr(matmul, "tile_for", lambda *args, **options: size)
    M, K, N = size.BM + 4, size.BK + 4, size.BN + 8
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((M, K), np.float32), rng.standard_normal((K, N), np.float32)
    arrays = [seen_from_the_device(device, laid_out(v, layout)) for v, layout in ((x, left), (y, right))]
    assert error_of(memory_of(device, matmul.matmul(*arrays)), x, y) < 2.5e-7


def test_convolutions_on_tensor_cores(device, tensor_cores):
    rng = np.random.default_rng(0)
    x, w = rng.standard_normal((2, 20, 6, 8), np.float32), rng.standard_normal((24, 20, 3, 3), np.float32)
    b, geometry = rng.standard_normal(24, np.float32), ((1, 2), (1, 1), (1, 1), 1)
    on = [seen_from_the_device(device, v) for v in (x, w, b)]
    y = memory_of(device, conv.conv2d(*on, *geometry))
    exact = [v.astype(np.float64) for v in (x, w, b, y)]
    np.testing.assert_allclose(y, reference.conv2d(*exact[:3], *geometry), rtol=0, atol=2e-5)
    gy = seen_from_the_device(device, y)
    gx = memory_of(device, conv.conv2d_gx(gy, on[1], (6, 8), *geometry))
    np.testing.assert_allclose(gx, reference.conv2d_gx(exact[3], exact[1], (6, 8), *geometry), rtol=0, atol=3e-4)
    gw = memory_of(device, conv.conv2d_gw(gy, on[0], (3, 3), *geometry))
    np.testing.assert_allclose(gw, reference.conv2d_gw(exact[3], exact[0], (3, 3), *geometry), rtol=0, atol=2e-4)
    PRECISION["conv"] = "highest"
    assert (memory_of(device, conv.conv2d(*on, *geometry)) != y).any()


def test_large_numbers_nan_and_infinities_on_tensor_cores(device, tensor_cores):
    """NaN stays NaN, and of an infinity it comes."""
    x, y = np.ones((20, 8), np.float32), np.ones((8, 8), np.float32)
    x[0, 0], x[1, 1], x[2, 2], x[3, 3] = 3e38, np.nan, np.inf, 1e-30
    y[:, 1] = 0.25
    z = memory_of(device, matmul.matmul(*(seen_from_the_device(device, v) for v in (x, y))))
    good = np.r_[0, 3:20]
    np.testing.assert_allclose(z[good], (x.astype(np.float64) @ y)[good], rtol=2.5e-7)
    assert np.isnan(z[1:3]).all()


def test_a_gpu_without_tensor_cores_computes_in_float32(device, tensor_cores, monkeypatch):
    x = seen_from_the_device(device, np.random.default_rng(0).standard_normal((40, 40), np.float32))
    with_them = memory_of(device, matmul.matmul(x, x))
    monkeypatch.setattr(device, "tf32", False, raising=False)
    without = memory_of(device, matmul.matmul(x, x))
    PRECISION["matmul"] = "highest"
    np.testing.assert_array_equal(without, memory_of(device, matmul.matmul(x, x)))
    assert (with_them != without).any()


@pytest.mark.parametrize("batch", [1, 5])
@pytest.mark.parametrize("layout", ["rows", "columns"])
def test_more_blocks_than_a_grid_has(device, monkeypatch, batch, layout):
    """Along y (rows) and along z (matrices): several launches."""
    monkeypatch.setattr(matmul, "MOST_BLOCKS", 2)
    rng = np.random.default_rng(0)
    x = rng.standard_normal((batch, 300, 12), np.float32)
    x = x if layout == "rows" else np.ascontiguousarray(x.swapaxes(1, 2)).swapaxes(1, 2)
    y = rng.standard_normal((batch, 12, 8), np.float32)
    z = memory_of(device, matmul.matmul(*(seen_from_the_device(device, v) for v in (x, y))))
    np.testing.assert_allclose(z, x.astype(np.float64) @ y, rtol=0, atol=1e-5)


def test_a_grid_that_no_gpu_has(device):
    x = seen_from_the_device(device, np.ones((1, 1, 1), np.float32))
    with pytest.raises(ValueError, match=r"at most 65535 blocks along y and z, got \(1, 65536, 1\)"):
        launch(matmul.add_parts, (1, 65536), x, None, x, 1, 1, 1, 0, 0)


@pytest.mark.parametrize(
    ("N", "C", "O", "groups"), [(0, 3, 5, 1), (2, 0, 5, 1), (2, 3, 0, 1), (2, 4, 32, 4), (2, 6, 6, 6)]
)
def test_convolutions_of_nothing_and_in_groups(device, N, C, O, groups):
    rng = np.random.default_rng(0)
    x, w = rng.standard_normal((N, C, 5, 4)), rng.standard_normal((O, C // groups, 3, 3))
    b, geometry = rng.standard_normal(O), ((2, 1), (1, 1), (1, 1), groups)
    y = reference.conv2d(x, w, b, *geometry)
    gy = rng.standard_normal(y.shape)
    on_x, on_w, on_b, on_gy = (seen_from_the_device(device, v) for v in (x, w, b, gy))
    for ours, expected in (
        (conv.conv2d(on_x, on_w, on_b, *geometry), y),
        (conv.conv2d_gx(on_gy, on_w, (5, 4), *geometry), reference.conv2d_gx(gy, w, (5, 4), *geometry)),
        (conv.conv2d_gw(on_gy, on_x, (3, 3), *geometry), reference.conv2d_gw(gy, x, (3, 3), *geometry)),
    ):
        np.testing.assert_allclose(memory_of(device, ours), expected, rtol=0, atol=1e-12, strict=True)


def test_which_tile():
    assert tile_for(6, 50_000, 4, lean=False) is FLAT
    assert tile_for(64, 50_000, 4, lean=True) is SMALL
    assert tile_for(4096, 4096, 4, lean=True) is LARGE
    assert tile_for(4096, 4096, 4, lean=False) is MEDIUM
    assert tile_for(256, 256, 4, lean=True) is SMALL  # few tiles: smaller ones keep more multiprocessors busy
    assert tile_for(4096, 4096, 8, lean=True).BK == 8


@pytest.mark.parametrize(
    ("tiles", "K", "parts"), [(1, 100, 1), (1, 512, 2), (1, 10**6, 256), (100, 10**6, 3), (200, 10**6, 1)]
)
def test_how_many_parts(tiles, K, parts):
    assert parts_of(tiles, K) == parts
