"""Compose and Lambda, and the batch protocol."""

import numpy as np
import pytest

import tinyconv
from tinyconv.vision.transforms import Compose, Lambda, Normalize, RandomCrop, ToTensor


def test_compose_applies_in_order():
    assert Compose([lambda x: x + 1, Lambda(lambda x: x * 10)])(2) == 30
    assert Compose([])(2) == 2


def test_batched_if_all_parts_are():
    assert Compose([]).batched
    assert Compose([RandomCrop(3), Compose([ToTensor()])]).batched
    assert not Compose([ToTensor(), Lambda(abs)]).batched
    assert not Compose([ToTensor(), abs]).batched


def test_the_usual_chain_on_a_batch_is_the_chain_on_each_image():
    x = np.random.default_rng(0).integers(0, 256, (5, 28, 28), np.uint8)
    chain = Compose([ToTensor(), Normalize((0.1307,), (0.3081,))])
    y = chain.batch(x)
    assert tuple(y.shape) == (5, 1, 28, 28)
    assert y.array.dtype == np.float32
    np.testing.assert_array_equal(y.array, np.stack([chain(image).array for image in x]))


def test_shifts_of_a_batch_are_reproducible():
    x = np.random.default_rng(0).integers(0, 256, (64, 28, 28), np.uint8)
    chain = Compose([RandomCrop(28, padding=2), ToTensor()])
    tinyconv.manual_seed(3)
    a, b = chain.batch(x).array, chain.batch(x).array
    tinyconv.manual_seed(3)
    np.testing.assert_array_equal(chain.batch(x).array, a)
    assert (a != b).any()


def test_lambda_wants_a_callable():
    with pytest.raises(TypeError, match="'int'"):
        Lambda(3)


def test_repr():
    assert repr(Compose([ToTensor(), Lambda(abs)])) == "Compose(\n    ToTensor()\n    Lambda()\n)"
