"""torchvision's newer names."""

import numpy as np
from PIL import Image

import tinyconv
from tinyconv.tensor import wrap
from tinyconv.vision import transforms as T
from tinyconv.vision.transforms import v2

IMAGE = Image.fromarray(np.random.default_rng(0).integers(0, 256, (4, 5, 3)).astype(np.uint8))


def test_to_image_and_to_dtype_are_to_tensor():
    chain = v2.Compose([v2.ToImage(), v2.ToDtype(tinyconv.float32, scale=True)])
    np.testing.assert_array_equal(chain(IMAGE).numpy(), T.ToTensor()(IMAGE).numpy())


def test_to_image_keeps_the_numbers():
    x = np.asarray(IMAGE)
    for img in (IMAGE, x):
        np.testing.assert_array_equal(v2.ToImage()(img).numpy(), np.moveaxis(x, 2, 0))
    assert v2.ToImage()(x[..., 0]).shape == (1, 4, 5)
    t = wrap(x.copy())
    assert v2.ToImage()(t) is t


def test_to_dtype_without_scale_keeps_the_values():
    x = wrap(np.array([[[3, 200]]], np.uint8))
    assert v2.ToDtype(tinyconv.float32)(x).tolist() == [[[3, 200]]]
    assert v2.ToDtype(tinyconv.float32)("label") == "label"


def test_the_names_are_the_same_classes():
    for name in v2.__all__:
        assert getattr(T, name, getattr(v2, name)) is getattr(v2, name)
    assert v2.functional.resize(IMAGE, [2, 2]).size == (2, 2)
    assert v2.Identity()(IMAGE) is IMAGE
