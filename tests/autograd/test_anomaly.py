import pytest

import tinyconv
from tinyconv.autograd import detect_anomaly, is_anomaly_enabled, set_detect_anomaly


def root_of_a_square(x):
    return (x * x).sqrt().sum()


def test_the_operation_that_made_the_nan_is_named_with_its_place():
    x = tinyconv.zeros(2, requires_grad=True)
    with detect_anomaly():
        y = root_of_a_square(x)
        with pytest.raises(
            RuntimeError, match=r"Mul: backward returned nan .*(?s:.*)return \(x \* x\).sqrt\(\).sum\(\)"
        ):
            y.backward()
    assert not is_anomaly_enabled()
    root_of_a_square(x).backward()
    assert x.grad.isnan().all().item()


def test_a_graph_from_outside():
    x = tinyconv.zeros(1, requires_grad=True)
    y = root_of_a_square(x)
    with detect_anomaly(), pytest.raises(RuntimeError, match="recorded outside anomaly mode"):
        y.backward()


def test_at_once_and_without_the_check():
    x = tinyconv.zeros(1, requires_grad=True)
    try:
        set_detect_anomaly(True)
        assert is_anomaly_enabled()
        with set_detect_anomaly(True, check_nan=False):
            root_of_a_square(x).backward()
        with set_detect_anomaly(False):
            root_of_a_square(x).backward()
        with pytest.raises(RuntimeError, match="nan"):
            root_of_a_square(x).backward()
    finally:
        set_detect_anomaly(False)
    assert not is_anomaly_enabled()


def test_finite_gradients_pass():
    x = tinyconv.ones(2, requires_grad=True)
    with detect_anomaly():
        root_of_a_square(x).backward()
    assert x.grad.tolist() == [1.0, 1.0]
