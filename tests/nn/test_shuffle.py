import numpy as np
import pytest

import tinyconv
import tinyconv.nn.functional as F
from tinyconv import nn


@pytest.mark.parametrize(
    "name, argument, shape",
    [
        ("PixelShuffle", 3, (2, 18, 2, 5)),
        ("PixelShuffle", 2, (2, 3, 4, 2, 1)),
        ("PixelUnshuffle", 3, (2, 2, 6, 9)),
        ("PixelUnshuffle", 2, (2, 4, 6)),
        ("ChannelShuffle", 3, (2, 6, 4, 5)),
    ],
)
def test_as_pytorch(agrees_with_torch, name, argument, shape):
    torch = pytest.importorskip("torch")
    x = np.random.default_rng(0).normal(size=shape)
    agrees_with_torch(getattr(nn, name)(argument), getattr(torch.nn, name)(argument), x)


def test_the_formula_and_the_inverse():
    x = np.arange(2 * 8 * 2 * 3.0).reshape(2, 8, 2, 3)
    y = F.pixel_shuffle(tinyconv.from_numpy(x), 2)
    for c, h, i, w, j in np.ndindex(2, 2, 2, 3, 2):
        assert y[1, c, h * 2 + i, w * 2 + j].item() == x[1, (c * 2 + i) * 2 + j, h, w]
    assert F.pixel_unshuffle(y, 2).tolist() == x.tolist()


def test_errors():
    x = tinyconv.zeros(6, 5, 4)
    with pytest.raises(RuntimeError, match="pixel_shuffle: upscale_factor 2 squared must divide the 6 channels"):
        F.pixel_shuffle(x, 2)
    with pytest.raises(RuntimeError, match="pixel_unshuffle: downscale_factor 2 must divide height and width"):
        F.pixel_unshuffle(x, 2)
    with pytest.raises(RuntimeError, match="channel_shuffle: groups must divide the 5 channels"):
        F.channel_shuffle(x, 2)
    with pytest.raises(RuntimeError, match="upscale_factor must be positive, got 0"):
        F.pixel_shuffle(x, 0)
    for call in (F.pixel_shuffle, F.pixel_unshuffle, F.channel_shuffle):
        with pytest.raises(RuntimeError, match=rf"{call.__name__}: expected input of shape"):
            call(x[0], 1)
