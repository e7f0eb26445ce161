"""The CTC loss against the sum over all paths, and against PyTorch's."""

import itertools

import numpy as np
import pytest
from scipy.special import log_softmax, logsumexp

import tinyconv
import tinyconv.nn.functional as F

RNG = np.random.default_rng(0)
T, N, C = 5, 4, 3
P = log_softmax(RNG.normal(size=(T, N, C)), -1)
TARGETS = np.array([[1, 2, 0], [1, 1, 0], [2, 0, 0], [0, 0, 0]])
LENGTHS, LABELS = [5, 4, 3, 5], [2, 2, 1, 0]


def said(path, blank):
    """What is left of a path: repetitions merged, blanks dropped."""
    return [label for label, _ in itertools.groupby(path) if label != blank]


def over_all_paths(p, target, blank=0):
    paths = [path for path in itertools.product(range(C), repeat=len(p)) if said(path, blank) == list(target)]
    return -logsumexp([sum(p[t, label] for t, label in enumerate(path)) for path in paths]) if paths else np.inf


def test_is_the_sum_over_all_paths():
    expected = [over_all_paths(P[: LENGTHS[n], n], TARGETS[n, : LABELS[n]]) for n in range(N)]
    p, t = tinyconv.tensor(P), tinyconv.tensor(TARGETS)
    y = F.ctc_loss(p, t, tinyconv.tensor(LENGTHS), tinyconv.tensor(LABELS), reduction="none")
    np.testing.assert_allclose(y.numpy(), expected)
    joined = np.concatenate([TARGETS[n, : LABELS[n]] for n in range(N)])
    np.testing.assert_allclose(
        F.ctc_loss(p, tinyconv.tensor(joined), LENGTHS, tuple(LABELS)).item(),
        np.mean(np.array(expected) / np.maximum(LABELS, 1)),
    )
    alone = F.ctc_loss(p[:, 0], t[0, :2], 5, 2, reduction="sum")
    np.testing.assert_allclose(alone.item(), expected[0])
    other = F.ctc_loss(p[:, 0], tinyconv.tensor([0, 1]), 5, 2, blank=2, reduction="none")
    np.testing.assert_allclose(other.item(), over_all_paths(P[:, 0], [0, 1], 2))


def test_a_target_that_does_not_fit():
    p = tinyconv.tensor(P[:, :2], requires_grad=True)
    arguments = (p, tinyconv.tensor([[1, 1], [1, 2]]), [2, 2], [2, 2])  # two steps cannot say 1, blank, 1
    assert F.ctc_loss(*arguments, reduction="none").tolist()[0] == np.inf
    y = F.ctc_loss(*arguments, reduction="sum", zero_infinity=True)
    np.testing.assert_allclose(y.item(), over_all_paths(P[:2, 1], [1, 2]))
    y.backward()
    assert p.grad[:, 0].abs().sum().item() == 0
    np.testing.assert_allclose(p.grad[:2, 1, 1:].numpy(), [[-1, 0], [0, -1]])  # the only path


@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
@pytest.mark.parametrize(
    "lengths", [([12, 10, 12, 5], [5, 3, 0, 4]), ([12] * 4, [5] * 4), ([3, 12, 1, 5], [5, 3, 0, 4])]
)
def test_as_pytorch(reduction, lengths):
    torch = pytest.importorskip("torch")
    x, targets = RNG.normal(size=(12, 4, 6)), RNG.integers(1, 6, (4, 5))
    found = []
    for library in (tinyconv, torch):
        scores = library.tensor(x).requires_grad_()
        p = library.nn.functional.log_softmax(scores, 2)
        loss = library.nn.CTCLoss(reduction=reduction, zero_infinity=True)
        y = loss(p, library.tensor(targets), *map(library.tensor, lengths))
        (y**2).sum().backward()
        found.append([y.detach().numpy(), scores.grad.numpy()])
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-11)


def test_misuse():
    p, t = tinyconv.tensor(P), tinyconv.tensor(TARGETS)
    with pytest.raises(RuntimeError, match=r"input_lengths must be 4 numbers from 0 to 5, got \[6, 5, 5, 5\]"):
        F.ctc_loss(p, t, [6, 5, 5, 5], LABELS)
    with pytest.raises(RuntimeError, match="target_lengths add up to 5"):
        F.ctc_loss(p, t[0], LENGTHS, LABELS)
    with pytest.raises(RuntimeError, match="blank must be in"):
        F.ctc_loss(p, t, LENGTHS, LABELS, blank=3)
    with pytest.raises(RuntimeError, match="targets must be integer"):
        F.ctc_loss(p, t.double(), LENGTHS, LABELS)
