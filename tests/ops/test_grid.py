"""Grids and what is seen at their points, against SciPy, against formulas and against PyTorch."""

import itertools

import numpy as np
import pytest
from scipy.ndimage import map_coordinates

import tinyconv
import tinyconv.nn.functional as F

RNG = np.random.default_rng(0)
X, GRID = RNG.normal(size=(2, 3, 5, 6)), RNG.uniform(-1.7, 1.7, size=(2, 4, 3, 2))
# SciPy's names for what is outside: its "mirror" turns at the pixels' centres, its "reflect" at their edges.
OUTSIDE = {("zeros", True): "constant", ("border", True): "nearest", ("reflection", True): "mirror",
           ("zeros", False): "constant", ("border", False): "nearest", ("reflection", False): "reflect"}  # fmt: skip


def places(corners):
    """The rows and columns that GRID speaks of."""
    x, y = GRID[..., 0], GRID[..., 1]
    H, W = X.shape[2:]
    return [(y + 1) / 2 * (H - 1), (x + 1) / 2 * (W - 1)] if corners else [
        (y + 1) * H / 2 - 0.5, (x + 1) * W / 2 - 0.5]  # fmt: skip


@pytest.mark.parametrize("padding, corners", OUTSIDE)
@pytest.mark.parametrize("mode", ["bilinear", "nearest"])
def test_as_scipy(padding, corners, mode):
    y = F.grid_sample(tinyconv.tensor(X), tinyconv.tensor(GRID), mode, padding, corners).numpy()
    rows, columns = places(corners)
    if mode == "nearest":  # SciPy rounds after it has looked where the edge is
        if padding == "zeros":
            rows, columns = np.rint(rows), np.rint(columns)
        elif padding == "border":
            rows, columns = np.rint(np.clip(rows, 0, 4)), np.rint(np.clip(columns, 0, 5))
    outside = "grid-constant" if padding == "zeros" else OUTSIDE[padding, corners]
    for n, c in np.ndindex(2, 3):
        order = 1 if mode == "bilinear" else 0
        expected = map_coordinates(X[n, c], [rows[n], columns[n]], order=order, mode=outside)
        np.testing.assert_allclose(y[n, c], expected, atol=1e-12)


@pytest.mark.parametrize("mode", ["bilinear", "nearest", "bicubic"])
@pytest.mark.parametrize("corners", [True, False])
def test_the_identity(mode, corners):
    x = tinyconv.tensor(X)
    theta = tinyconv.tensor([[[1.0, 0, 0], [0, 1, 0]]] * 2, dtype=tinyconv.float64)
    y = F.grid_sample(x, F.affine_grid(theta, x.shape, corners), mode, align_corners=corners)
    np.testing.assert_allclose(y.numpy(), X, atol=1e-12)


@pytest.mark.parametrize("corners", [True, False])
def test_affine_grid(corners):
    theta = RNG.normal(size=(2, 2, 3))
    y = F.affine_grid(tinyconv.tensor(theta), (2, 1, 4, 5), corners).numpy()
    lines = [np.linspace(-1, 1, n) if corners else (2 * np.arange(n) + 1) / n - 1 for n in (4, 5)]
    for n, i, j in np.ndindex(2, 4, 5):
        np.testing.assert_allclose(y[n, i, j], theta[n] @ [lines[1][j], lines[0][i], 1])


@pytest.mark.parametrize("mode, padding, corners", list(itertools.product(
    ["bilinear", "nearest", "bicubic"], ["zeros", "border", "reflection"], [True, False])))  # fmt: skip
@pytest.mark.parametrize("shape, points", [((2, 3, 5, 6), (2, 4, 3)), ((1, 2, 1, 3), (1, 2, 2)),
                                           ((1, 2, 3, 4, 2), (1, 2, 3, 2))])  # fmt: skip
def test_as_pytorch(mode, padding, corners, shape, points):
    torch = pytest.importorskip("torch")
    if mode == "bicubic" and len(shape) == 5:
        pytest.skip("images only")
    rng = np.random.default_rng(1)
    x, grid = rng.normal(size=shape), rng.normal(size=(*points, len(points)))  # volumes need a third coordinate
    grid = grid[..., : len(shape) - 2]
    found = []
    for library in (tinyconv, torch):
        a, b = library.tensor(x).requires_grad_(), library.tensor(grid).requires_grad_()
        y = library.nn.functional.grid_sample(a, b, mode, padding, corners)
        (y**2).sum().backward()
        found.append([y.detach().numpy(), a.grad.numpy(), np.zeros(grid.shape) if b.grad is None else b.grad.numpy()])
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-11)


def test_points_far_away():
    x = tinyconv.ones(1, 1, 2, 2)
    grid = tinyconv.tensor([[[[float("inf"), 0.0], [-1e30, 0.0], [0.0, 0.0]]]], requires_grad=True)
    y = F.grid_sample(x, grid, align_corners=True)
    assert y.flatten().tolist() == [0, 0, 1]
    y.sum().backward()
    assert grid.grad.isfinite().all()
    assert F.grid_sample(x, grid, padding_mode="border").flatten().tolist() == [1, 1, 1]
    assert F.grid_sample(x, grid, padding_mode="reflection").flatten().tolist() == [1, 1, 1]
    assert F.grid_sample(x, grid * float("nan")).isnan().all()


def test_misuse():
    x, grid = tinyconv.ones(1, 1, 2, 2), tinyconv.zeros(1, 3, 3, 2)
    with pytest.raises(ValueError, match="mode must be one of bilinear, nearest, bicubic, got 'cubic'"):
        F.grid_sample(x, grid, "cubic")
    with pytest.raises(ValueError, match="padding_mode must be one of zeros, border, reflection, got 'same'"):
        F.grid_sample(x, grid, padding_mode="same")
    with pytest.raises(RuntimeError, match=r"got \(1, 1, 2, 2\) and \(2, 3, 3, 2\)"):
        F.grid_sample(x, grid.expand(2, -1, -1, -1))
    with pytest.raises(RuntimeError, match="input is tinyconv.float32, grid is tinyconv.float64"):
        F.grid_sample(x, grid.double())
    with pytest.raises(ValueError, match=r"size \(1, 1, 3, 3\) theta must have shape \(1, 2, 3\), got \(1, 2, 2\)"):
        F.affine_grid(tinyconv.ones(1, 2, 2), (1, 1, 3, 3))
    with pytest.raises(NotImplementedError, match="images"):
        F.grid_sample(tinyconv.ones(1, 1, 2, 2, 2), tinyconv.zeros(1, 1, 1, 1, 3), "bicubic")
