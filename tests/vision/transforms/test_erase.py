"""RandomErasing: where, how much, and with what."""

import numpy as np
import pytest

from tinyconv.tensor import wrap
from tinyconv.vision.transforms import RandomErasing
from tinyconv.vision.transforms import functional as F


def ones(*shape):
    return wrap(np.ones(shape, np.float32))


def test_erase():
    x = ones(2, 3, 5, 6)
    y = F.erase(x, 1, 2, 3, 2, 7.0).numpy()
    want = np.ones((2, 3, 5, 6))
    want[:, :, 1:4, 2:4] = 7
    np.testing.assert_array_equal(y, want)
    assert x.numpy().min() == x.numpy().max() == 1
    values = np.random.default_rng(0).random((3, 3, 2), np.float32)
    assert F.erase(x, 1, 2, 3, 2, wrap(values), inplace=True) is x
    np.testing.assert_array_equal(x.numpy()[1, :, 1:4, 2:4], values)


def test_rectangles_have_the_shares_and_ratios_asked_for():
    x = ones(1, 80, 100)
    drawn = np.array([RandomErasing.get_params(x, (0.1, 0.3), (0.5, 2), [0])[:4] for _ in range(2000)])
    top, left, h, w = drawn.T
    assert ((top >= 0) & (left >= 0) & (top + h <= 80) & (left + w <= 100)).all()
    share, ratio = h * w / 8000, h / w
    assert share.min() > 0.09 and share.max() < 0.31 and abs(share.mean() - 0.2) < 0.01
    assert ratio.min() > 0.47 and ratio.max() < 2.15 and abs(np.log(ratio).mean()) < 0.05


def test_what_never_fits_erases_nothing():
    x = ones(3, 4, 4)
    i, j, h, w, v = RandomErasing.get_params(x, (1, 1), (1, 1), [0])
    assert (i, j, h, w) == (0, 0, 4, 4) and v is x
    np.testing.assert_array_equal(RandomErasing(1, (1, 1), (1, 1))(x).numpy(), x.numpy())


@pytest.mark.parametrize("value", [0, 5.5, (1, 2, 3), "random"])
def test_values(value):
    y = RandomErasing(p=1, value=value)(wrap(np.full((3, 30, 40), 9, np.float32))).numpy()
    erased = y[:, (y != 9).any(0)]
    assert 0 < erased.shape[1] < 1200
    if value == "random":
        assert 0.8 < erased.std() < 1.2 and len(np.unique(erased)) > 100
    else:
        np.testing.assert_array_equal(erased, np.broadcast_to(np.reshape(value, (-1, 1)), erased.shape))


def test_probability():
    x = ones(1, 8, 8)
    assert 250 < sum(RandomErasing(0.3)(x) is not x for _ in range(1000)) < 350
    assert RandomErasing(0)(x) is x


@pytest.mark.parametrize("call, error, match", [
    (lambda: RandomErasing(p=2), ValueError, "probability"),
    (lambda: RandomErasing(value="white"), ValueError, "'white'"),
    (lambda: RandomErasing(value=None), TypeError, "value"),
    (lambda: RandomErasing(scale=1), TypeError, "scale"),
    (lambda: RandomErasing(scale=(0, 2)), ValueError, "scale"),
    (lambda: RandomErasing(1, value=(1, 2))(ones(3, 9, 9)), ValueError, "2 numbers, the image 3"),
    (lambda: RandomErasing(1)(np.ones((3, 9, 9))), TypeError, "ToTensor"),
    (lambda: F.erase(np.ones((3, 9, 9)), 0, 0, 1, 1, 0), TypeError, "ndarray"),
])  # fmt: skip
def test_errors(call, error, match):
    with pytest.raises(error, match=match):
        call()


def test_the_wrong_way_round():
    with pytest.warns(UserWarning, match="ratio"):
        RandomErasing(ratio=(3, 1))


def test_repr():
    assert repr(RandomErasing()) == "RandomErasing(p=0.5, scale=(0.02, 0.33), ratio=(0.3, 3.3), value=0, inplace=False)"
