"""Mean: against its definition."""

import math

import tinyconv
from tinyconv.training import Mean


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
