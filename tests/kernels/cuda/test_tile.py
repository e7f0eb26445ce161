"""The register tile in every size, with every way of fetching, and in the order in which a GPU might go wrong."""

from __future__ import annotations

from importlib import import_module

import numpy as np
import pytest

from tests.kernels.simulated import memory_of, seen_from_the_device
from tinyconv.kernels import reference
from tinyconv.kernels.cuda.runtime import simulated
from tinyconv.kernels.cuda.tile import FLAT, LARGE, MEDIUM, SMALL, TOY, Tile, parts_of, tile_for

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
