"""The metrics against their definitions, written out."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinyconv
from tinyconv.training import metrics
from tinyconv.training.metrics import confusion_matrix

TARGET = np.array([0, 0, 1, 1, 1, 2])
PREDICTION = np.array([0, 1, 1, 1, 2, 2])


def test_by_hand():
    assert metrics.accuracy(TARGET, PREDICTION) == 4 / 6
    np.testing.assert_allclose(metrics.precision(TARGET, PREDICTION, average=None), [1, 2 / 3, 1 / 2])
    np.testing.assert_allclose(metrics.sensitivity(TARGET, PREDICTION, average=None), [1 / 2, 2 / 3, 1])
    np.testing.assert_allclose(metrics.specificity(TARGET, PREDICTION, average=None), [1, 2 / 3, 4 / 5])
    np.testing.assert_allclose(metrics.f1(TARGET, PREDICTION, average=None), [2 / 3, 2 / 3, 2 / 3])
    assert metrics.precision(TARGET, PREDICTION, average="weighted") == pytest.approx((2 + 2 + 0.5) / 6)


def test_scores_tensors_and_lists_are_as_good():
    scores = tinyconv.tensor(np.eye(3)[PREDICTION])
    for target in (TARGET, TARGET.tolist(), tinyconv.tensor(TARGET)):
        assert metrics.accuracy(target, scores) == 4 / 6
        np.testing.assert_array_equal(confusion_matrix(target, scores), confusion_matrix(TARGET, PREDICTION))


def test_the_area_is_the_probability_of_the_right_order():
    rng = np.random.default_rng(0)
    target, score = rng.integers(0, 2, 40), rng.integers(0, 8, 40) / 8
    pairs = list(itertools.product(score[target == 1], score[target == 0]))
    expected = np.mean([1.0 if p > n else 0.5 if p == n else 0.0 for p, n in pairs])
    assert metrics.roc_auc(target, score) == pytest.approx(expected)


def test_calibration_error():
    probability = np.array([[0.9, 0.1], [0.2, 0.8], [0.65, 0.35], [0.4, 0.6]])
    target = np.array([0, 0, 0, 1])
    # Two bins hold something: (0.6, 0.65: both right) and (0.8, 0.9: one of two right).
    curve = metrics.calibration_curve(target, probability, bins=4)
    np.testing.assert_allclose(curve.fraction, [1, 0.5])
    np.testing.assert_allclose(curve.probability, [0.625, 0.85])
    error = metrics.expected_calibration_error(target, probability, bins=4)
    assert error == pytest.approx((2 * 0.375 + 2 * 0.35) / 4)
    assert metrics.expected_calibration_error([1, 1, 0, 0], [1.0, 1.0, 0.0, 0.0]) == 0


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


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: metrics.accuracy([], []), "there are no samples|must be classes"),
        (lambda: metrics.accuracy([0, 1], [0]), r"expected target \(N,\) and prediction \(N,\)"),
        (lambda: metrics.accuracy([0, 1], [0.5, 0.7]), "prediction must be classes, integers, got float64"),
        (lambda: metrics.precision([0, 1, 2], [0, 1, 1]), "there are 3 classes; average must be"),
        (lambda: metrics.precision([0, 5], [0, 5]), r"pos_label 1 is none of the classes \[0, 5\]"),
        (lambda: metrics.recall([0], [0], average="mean"), "average must be .* got 'mean'"),
        (lambda: metrics.roc_curve([0, 1, 2], [0.1, 0.2, 0.3]), "expected two classes, target has 3"),
        (lambda: metrics.roc_curve([0, 1], [0.1, np.nan]), "score has NaN"),
        (lambda: metrics.roc_curve([], []), "N > 0"),
        (lambda: metrics.roc_auc([0, 3], np.zeros((2, 3))), r"target must be in \[0, 3\), got 0 to 3"),
        (lambda: metrics.auc([0, 1, 0.5], [0, 1, 2]), "neither rises nor falls"),
        (lambda: metrics.top_k_accuracy([0], [[0.5, 0.5]], 0), "k must be at least 1"),
        (lambda: metrics.top_k_accuracy([2], [[0.5, 0.5]], 1), r"target must be in \[0, 2\)"),
        (lambda: metrics.calibration_curve([0, 1], [0.5, 2]), r"must be in \[0, 1\], got 0.5 to 2"),
        (lambda: metrics.calibration_curve([0, 1], [0.5, 1], strategy="log"), "strategy must be"),
        (lambda: metrics.calibration_curve([0, 1], [0.5, 1], bins=0), "bins must be at least 1"),
        (lambda: metrics.classification_report([0, 1], [0, 1], names=["a"]), "2 classes and 1 names"),
    ],
)
def test_what_makes_no_sense_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
