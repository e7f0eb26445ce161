"""StrokeDigits: the same bytes everywhere, MNIST's format and framing, and digits that resemble MNIST's."""

import hashlib
import os
from pathlib import Path

import numpy as np
import pytest

import tinyconv
from tinyconv.vision.datasets import MNIST, StrokeDigits, strokes
from tinyconv.vision.datasets.strokes import GLYPHS, draw_digits

REAL = os.environ.get("TINYCONV_DATA", "")


@pytest.fixture(scope="module")
def sample():
    return draw_digits(4000)


def test_format():
    dataset = StrokeDigits(train=False, seed=3)
    assert len(dataset) == 10_000
    assert dataset.data.shape == (10_000, 28, 28)
    assert (dataset.data.dtype, dataset.targets.dtype) == (tinyconv.uint8, tinyconv.int64)
    assert dataset.classes == MNIST.classes
    image, label = dataset[0]
    assert image.size == (28, 28)
    assert type(label) is int
    images, labels = dataset.batch(np.array([5, 0]))
    np.testing.assert_array_equal(images.numpy(), dataset.data.numpy()[[5, 0]])
    np.testing.assert_array_equal(labels.numpy(), dataset.targets.numpy()[[5, 0]])
    assert repr(dataset) == "Dataset StrokeDigits\n    Number of datapoints: 10000\n    Split: Test\n    Seed: 3"


def test_sizes_and_streams(monkeypatch):
    drawn = []

    def draw(count, *, seed, split):
        drawn.append((count, seed, split))
        return draw_digits(2, seed=seed, split=split)

    monkeypatch.setattr(strokes, "draw_digits", draw)
    StrokeDigits(seed=7)
    StrokeDigits("anywhere", train=False, seed=7)
    assert drawn == [(60_000, 7, 0), (10_000, 7, 1)]


def test_the_same_bytes_on_every_machine(sample):
    """Recorded once; another value on some machine, NumPy or thread count would break the promise in strokes.py."""
    images, labels = (array[:500] for array in sample)
    assert hashlib.sha256(images.tobytes() + labels.astype("<i8").tobytes()).hexdigest() == (
        "b57954034f18892d23ee27bbc4e56046b191e6835baa5db060e5b0b1709b4793"
    )


def test_an_image_depends_on_seed_split_and_position_alone(sample):
    images, labels = draw_digits(300)
    np.testing.assert_array_equal(images, sample[0][:300])
    np.testing.assert_array_equal(labels, sample[1][:300])


def test_seeds_and_splits_have_no_image_in_common():
    streams = [(0, 0), (0, 1), (1, 0), (1, 1), (2**64 - 1, 0)]
    images = [image.tobytes() for seed, split in streams for image in draw_digits(400, seed=seed, split=split)[0]]
    assert len(set(images)) == len(images)


@pytest.mark.parametrize("seed", [-1, 2**64])
def test_seed_out_of_range(seed):
    with pytest.raises(ValueError, match=f"got {seed}"):
        StrokeDigits(seed=seed)


def test_no_digits():
    images, labels = draw_digits(0)
    assert images.shape == (0, 28, 28)
    assert labels.shape == (0,)


def test_digits_are_equally_frequent(sample):
    counts = np.bincount(sample[1], minlength=10)
    assert counts.sum() == 4000
    assert np.all(abs(counts - 400) < 5 * np.sqrt(400))


def test_every_digit_has_several_glyphs():
    assert [digit for digit, _, _ in GLYPHS] == sorted(digit for digit, _, _ in GLYPHS)
    assert min(np.bincount([digit for digit, _, _ in GLYPHS], minlength=10)) >= 4


def test_a_path_passes_through_its_control_points_in_order():
    glyph = strokes._parse(0, 1, "0,0 4,0! 4,4 0,4 / 1,1 2,2")
    path = sum(w[:, None] * glyph.control[p] for w, p in zip(glyph.weights, glyph.neighbours, strict=True))
    at = [np.flatnonzero((abs(path - point) < 1e-12).all(1)) for point in glyph.control]
    assert all(len(samples) for samples in at)
    assert [samples[0] for samples in at] == sorted(samples[0] for samples in at)
    stroke = path[: at[4][0]]
    assert np.linalg.norm(np.diff(stroke, axis=0), axis=1).max() < 1
    # A straight line up to the corner, which the curve behind it does not bend.
    np.testing.assert_allclose(path[: at[1][0], 1], 0, atol=1e-12)


def test_framing_is_mnists(sample):
    images = sample[0].astype(np.float64)
    mass = images.sum((1, 2))
    grid = np.arange(28)
    for axis in (1, 2):
        centre = (images.sum(3 - axis) @ grid) / mass
        assert abs(centre - 14).max() <= 0.5
    heights, widths = ((images.max(axis) > 127).sum(1) for axis in (2, 1))
    longer = np.maximum(heights, widths)
    assert np.quantile(longer, 0.01) >= 18
    assert np.quantile(longer, 0.99) <= 21
    assert 25 < images.mean() < 45  # MNIST: 33
    assert images.reshape(len(images), -1).max(1).min() > 100


@pytest.mark.parametrize(("breadth", "pressure"), [(1.0, 1.0), (1.2, 1.0), (1.0, 0.8), (0.9, 1.1)])
def test_distances_are_exact_near_the_path(breadth, pressure):
    """The pen's yardstick stretches by breadth * pressure across and by pressure / breadth down."""
    x, y = np.random.default_rng(0).uniform(6, 34, (2, 3, 9))
    grid = np.arange(strokes._CANVAS)
    dx = (grid[:, None] - x[:, None, None, :]) / (breadth * pressure)
    dy = (grid[:, None, None] - y[:, None, None, :]) * breadth / pressure
    exact = np.sqrt(dx**2 + dy**2).min(-1)
    got = strokes._distance(x, y, np.full((3, 1), breadth), np.full((3, 9), pressure))
    near = exact < 2.5
    np.testing.assert_allclose(got[near], exact[near], rtol=1e-4, atol=1e-4)
    assert got[~near].min() > 2.4


def test_they_resemble_mnist(sample):
    """The mean images of the strokes tell real digits apart, about as well as MNIST's own means do (82%)."""
    if not (REAL and Path(REAL, "MNIST", "raw").is_dir()):
        pytest.skip("TINYCONV_DATA holds no MNIST")
    images, labels = sample
    means = np.stack([images[labels == digit].mean(0).reshape(-1) for digit in range(10)])
    real = MNIST(REAL, train=True)
    pixels = real.data.numpy()[:5000].reshape(5000, -1).astype(np.float64)
    nearest = ((means**2).sum(1) - 2 * pixels @ means.T).argmin(1)
    assert (nearest == real.targets.numpy()[:5000]).mean() > 0.7
