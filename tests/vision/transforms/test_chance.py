"""Every random transform repeats by seed, differs from call to call, and follows the generator of the sample."""

import pickle
import threading

import numpy as np
import pytest
from PIL import Image

import tinyconv
from tinyconv import nn
from tinyconv.random import substream, use_generator
from tinyconv.vision import transforms as T

RANDOM = [
    T.RandomCrop(12),
    T.RandomResizedCrop(8),
    T.RandomHorizontalFlip(),
    T.RandomVerticalFlip(),
    T.RandomRotation(90),
    T.RandomAffine(10, (0.2, 0.2), (0.5, 1.5), 9),
    T.RandomPerspective(p=0.8),
    T.ColorJitter(0.4, 0.4, 0.4, 0.2),
    T.RandomGrayscale(0.5),
    T.RandomInvert(),
    T.RandomPosterize(2),
    T.RandomSolarize(128),
    T.RandomAdjustSharpness(3),
    T.RandomAutocontrast(),
    T.RandomEqualize(),
    T.GaussianBlur(3),
    T.ElasticTransform(20.0, 2.0),
    T.RandomApply([T.Grayscale(3)]),
    T.RandomChoice([T.CenterCrop(9), T.CenterCrop(7)]),
    T.RandomOrder([T.CenterCrop(9), T.Resize(20)]),
    T.Compose([T.ToTensor(), T.RandomErasing()]),
]
NAMES = [type(transform).__name__ for transform in RANDOM[:-1]] + ["RandomErasing"]


def photo():
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (18, 24, 3)).astype(np.uint8))


def content(img):
    x = img.numpy() if isinstance(img, tinyconv.Tensor) else np.asarray(img)
    return x.shape, x.tobytes()


def test_every_random_transform_is_here():
    random = {name for name in T.__all__ if name.startswith("Random")} | {
        "ColorJitter",
        "ElasticTransform",
        "GaussianBlur",
    }
    assert random == set(NAMES)


@pytest.mark.parametrize("transform", RANDOM, ids=NAMES)
def test_the_seed_decides_and_nothing_else(transform):
    img = photo()
    tinyconv.manual_seed(1)
    first = [content(transform(img)) for _ in range(8)]
    np.random.default_rng().random()
    tinyconv.manual_seed(1)
    assert [content(transform(img)) for _ in range(8)] == first
    assert len(set(first)) > 1


@pytest.mark.parametrize("transform", RANDOM, ids=NAMES)
def test_samples_do_not_depend_on_threads_or_order(transform):
    img = photo()

    def make(index):
        with use_generator(substream(7, index)):
            return content(transform(img))

    in_order = [make(i) for i in range(6)]
    results = {}
    threads = [threading.Thread(target=lambda i=i: results.update({i: make(i)})) for i in reversed(range(6))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [results[i] for i in range(6)] == in_order


@pytest.mark.parametrize("transform", RANDOM, ids=NAMES)
def test_transforms_travel_to_other_processes(transform):
    again = pickle.loads(pickle.dumps(transform))
    assert repr(again) == repr(transform)
    img = photo()
    tinyconv.manual_seed(3)
    first = content(transform(img))
    tinyconv.manual_seed(3)
    assert content(again(img)) == first


def test_transforms_are_modules():
    chain = nn.Sequential(T.Resize(10), T.CenterCrop(8), T.RandomHorizontalFlip(), T.Normalize(0.5, 0.5))
    assert chain(tinyconv.rand(3, 20, 30)).shape == (3, 8, 8)


def test_choices_follow_their_weights():
    choice = T.RandomChoice([lambda x: 0, lambda x: 1, lambda x: 2], p=[1, 0, 3])
    counts = np.bincount([choice(None) for _ in range(2000)], minlength=3)
    np.testing.assert_allclose(counts / 2000, [0.25, 0, 0.75], atol=0.04)
    even = T.RandomChoice([lambda x: 0, lambda x: 1])
    assert 420 < sum(even(None) for _ in range(1000)) < 580


def test_apply_is_all_or_nothing():
    apply = T.RandomApply([lambda x: x + 1, lambda x: x * 10], p=0.3)
    results = [apply(1) for _ in range(1000)]
    assert set(results) == {1, 20}
    assert 250 < results.count(20) < 350


def test_orders():
    order = T.RandomOrder([lambda x: x + "a", lambda x: x + "b", lambda x: x + "c"])
    assert {order("") for _ in range(100)} == {"abc", "acb", "bac", "bca", "cab", "cba"}


@pytest.mark.parametrize("call, error, match", [
    (lambda: T.RandomChoice(3), TypeError, "transforms"),
    (lambda: T.RandomOrder(None), TypeError, "transforms"),
    (lambda: T.RandomChoice([abs], p=1), TypeError, "p should be a sequence"),
    (lambda: T.RandomChoice([abs], p=[1, 2]), ValueError, "1 weights"),
    (lambda: T.RandomChoice([abs], p=[0]), ValueError, "not all 0"),
])  # fmt: skip
def test_errors(call, error, match):
    with pytest.raises(error, match=match):
        call()


def test_repr():
    assert repr(T.RandomApply([T.ToTensor()], 0.1)) == "RandomApply(\n    p=0.1\n    ToTensor()\n)"
    assert repr(T.RandomChoice([T.ToTensor()])) == "RandomChoice(\n    ToTensor()\n)(p=None)"
    assert repr(T.RandomOrder([T.ToTensor()])) == "RandomOrder(\n    ToTensor()\n)"
