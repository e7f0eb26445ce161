"""Equal to scikit-learn's, where it is installed, on random cases with ties and absent classes."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tinyconv.training import metrics

sk = pytest.importorskip("sklearn.metrics")
skc = pytest.importorskip("sklearn.calibration")

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.UndefinedMetricWarning", "ignore::RuntimeWarning")


def close(ours, theirs):
    np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12)


@st.composite
def answers(draw, classes=5):
    n = draw(st.integers(1, 20))
    one = hnp.arrays(np.int64, n, elements=st.integers(0, classes - 1))
    return draw(one), draw(one)


@st.composite
def scored(draw, classes=None):
    """Right classes and scores of a few values only: many are equal."""
    n = draw(st.integers(2, 20))
    target = draw(hnp.arrays(np.int64, n, elements=st.integers(0, (classes or 2) - 1)))
    shape = n if classes is None else (n, classes)
    return target, draw(hnp.arrays(np.float64, shape, elements=st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.7, 1.0])))


@given(answers(), st.sampled_from(["macro", "micro", "weighted", None]), st.sampled_from([0.0, 1.0]), st.booleans())
def test_counts(case, average, zero_division, all_labels):
    target, prediction = case
    labels = range(5) if all_labels else None
    for ours, theirs in (
        (metrics.precision, sk.precision_score),
        (metrics.recall, sk.recall_score),
        (metrics.sensitivity, sk.recall_score),
        (metrics.f1, sk.f1_score),
    ):
        options = {"average": average, "zero_division": zero_division, "labels": labels}
        close(ours(target, prediction, **options), theirs(target, prediction, **options))
    close(metrics.accuracy(target, prediction), sk.accuracy_score(target, prediction))
    np.testing.assert_array_equal(
        metrics.confusion_matrix(target, prediction, 5), sk.confusion_matrix(target, prediction, labels=range(5))
    )


@given(answers(classes=2), st.sampled_from([0, 1]))
def test_two_classes(case, pos_label):
    target, prediction = case
    labels = {*target.tolist(), *prediction.tolist()}
    if len(labels) == 1 and pos_label not in labels:
        pos_label = labels.pop()  # scikit-learn refuses
    for ours, theirs in ((metrics.precision, sk.precision_score), (metrics.f1, sk.f1_score)):
        close(ours(target, prediction, pos_label=pos_label), theirs(target, prediction, pos_label=pos_label))
    # Specificity is the other class's recall.
    close(
        metrics.specificity(target, prediction, pos_label=pos_label),
        sk.recall_score(target, prediction, labels=[1 - pos_label], average="macro"),
    )


@given(answers(), st.sampled_from([2, 3]), st.sampled_from([None, range(5), range(2)]))
def test_report(case, digits, labels):
    options = {"digits": digits, "labels": labels}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = sk.classification_report(*case, zero_division=0.0, **options)
        as_dict = sk.classification_report(*case, zero_division=0.0, output_dict=True, **options)
    if ".0\n" not in expected:  # where no answer is right it prints the number of samples as a float
        assert metrics.classification_report(*case, **options) == expected
    ours = metrics.classification_report(*case, output_dict=True, **options)
    assert ours.keys() == as_dict.keys()
    for name, row in as_dict.items():
        if isinstance(row, dict):
            close(list(ours[name].values()), list(row.values()))
        else:
            close(ours[name], row)


@given(scored(), st.booleans())
def test_curves(case, drop):
    target, _ = case
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for ours, theirs in (
            (metrics.roc_curve(*case, drop_intermediate=drop), sk.roc_curve(*case, drop_intermediate=drop)),
            (metrics.precision_recall_curve(*case), sk.precision_recall_curve(*case)),
        ):
            for a, b in zip(ours, theirs, strict=True):
                close(a, b)
        close(metrics.average_precision(*case), sk.average_precision_score(*case))
        close(metrics.roc_auc(*case), sk.roc_auc_score(*case) if len(set(target)) == 2 else np.nan)


@given(scored(classes=3), st.sampled_from(["macro", "weighted"]), st.integers(1, 4))
def test_several_classes(case, average, k):
    target, score = case
    close(
        metrics.top_k_accuracy(target, score, k),
        sk.top_k_accuracy_score(target, score, k=k, labels=range(3)) if k < 3 else 1.0,
    )
    if len(set(target.tolist())) == 3:
        score = (score + 0.1) / (score + 0.1).sum(1, keepdims=True)
        theirs = sk.roc_auc_score(target, score, average=average, multi_class="ovr")
        close(metrics.roc_auc(target, score, average=average), theirs)
        theirs = sk.average_precision_score(np.eye(3)[target], score, average=average)
        close(metrics.average_precision(target, score, average=average), theirs)


@given(scored(), st.integers(1, 12), st.sampled_from(["uniform", "quantile"]))
def test_calibration(case, bins, strategy):
    target, _ = case
    if len(set(target.tolist())) == 2:  # scikit-learn refuses one class
        theirs = skc.calibration_curve(*case, n_bins=bins, strategy=strategy)
        ours = metrics.calibration_curve(*case, bins=bins, strategy=strategy)
        close(ours.fraction, theirs[0])
        close(ours.probability, theirs[1])
        close(metrics.brier_score(*case), sk.brier_score_loss(*case))
