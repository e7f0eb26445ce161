"""Mean, accuracy, confusion matrix: against their definitions."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinyconv
from tinyconv.training import Mean, accuracy, confusion_matrix


def test_mean_weights_batches_by_their_size():
    mean = Mean()
    assert math.isnan(mean.value())
    mean.add(tinyconv.tensor(6.0), 3)
    mean.add(tinyconv.tensor(4.0), 1)
    assert mean.value() == 2.5
    assert mean.count == 4


def test_mean_keeps_a_tensor_and_no_graph():
    w = tinyconv.ones(1, requires_grad=True)
    mean = Mean()
    for _ in range(3):
        mean.add((w * 2).sum(), 1)
    assert isinstance(mean.total, tinyconv.Tensor)
    assert mean.total.grad_fn is None


def test_mean_goes_on_to_the_bit():
    whole, first, second = Mean(), Mean(), Mean()
    values = tinyconv.randn(20)
    for i, value in enumerate(values):
        whole.add(value, 1)
        (first if i < 7 else second).add(value, 1)
        if i == 6:
            second.load_state_dict(first.state_dict())
    assert second.value() == whole.value()


def test_accuracy():
    scores = tinyconv.tensor([[0.1, 0.9], [0.8, 0.2], [0.3, 0.7], [0.6, 0.4]])
    assert accuracy(scores, tinyconv.tensor([1, 0, 0, 1])) == 0.5


@pytest.mark.parametrize("scores, target", [((2, 3), 3), ((2,), 2), ((0, 3), 0)])
def test_accuracy_refuses_shapes_that_do_not_fit(scores, target):
    with pytest.raises(ValueError, match="expected scores"):
        accuracy(tinyconv.zeros(*scores), tinyconv.zeros(target).long())


@given(st.integers(1, 6).flatmap(lambda c: st.tuples(st.just(c), st.lists(st.tuples(*[st.integers(0, c - 1)] * 2)))))
def test_confusion_matrix_counts_pairs(case):
    classes, pairs = case
    target, prediction = np.array(pairs, np.int64).reshape(-1, 2).T
    expected = np.zeros((classes, classes), np.int64)
    for t, p in pairs:
        expected[t, p] += 1
    np.testing.assert_array_equal(confusion_matrix(target, prediction, classes), expected)


@pytest.mark.parametrize("target, prediction", [([3], [0]), ([0], [-1])])
def test_confusion_matrix_refuses_classes_out_of_range(target, prediction):
    with pytest.raises(ValueError, match=r"must be in \[0, 3\)"):
        confusion_matrix(np.array(target), np.array(prediction), 3)
