"""The softmax with clusters: its probabilities add up to 1, and it is PyTorch's."""

import numpy as np
import pytest

import tinyconv
from tinyconv import nn

RNG = np.random.default_rng(0)
X, TARGET = RNG.normal(size=(6, 8)), np.array([0, 3, 4, 7, 11, 2])


def filled(library=tinyconv, **options):
    made = library.nn.AdaptiveLogSoftmaxWithLoss(8, 12, [4, 7], 2.0, dtype=library.float64, **options)
    rng = np.random.default_rng(1)
    made.load_state_dict({k: library.tensor(rng.normal(size=tuple(v.shape))) for k, v in made.state_dict().items()})
    return made


def test_is_a_distribution():
    made, x, target = filled(), tinyconv.tensor(X), tinyconv.tensor(TARGET)
    p = made.log_prob(x)
    np.testing.assert_allclose(p.exp().sum(1).detach().numpy(), 1)
    found = made(x, target)
    np.testing.assert_allclose(found.output.detach().numpy(), p[range(6), TARGET.tolist()].detach().numpy())
    assert found.loss.item() == pytest.approx(-found.output.mean().item())
    np.testing.assert_array_equal(made.predict(x).numpy(), p.argmax(1).numpy())
    np.testing.assert_allclose(made(x[3], target[3]).output.item(), found.output[3].item())


def test_as_pytorch():
    torch = pytest.importorskip("torch")
    found = []
    for library in (tinyconv, torch):
        made, x = filled(library, head_bias=True), library.tensor(X).requires_grad_()
        y = made(x, library.tensor(TARGET))
        (y.output.sum() + y.loss**2).backward()
        found.append([y.output.detach().numpy(), x.grad.numpy(), made.log_prob(x).detach().numpy(),
                      made.predict(x).numpy(), *[p.grad.numpy() for p in made.parameters()]])  # fmt: skip
        assert list(made.state_dict()) == ["head.weight", "head.bias", *[f"tail.{i}.{j}.weight" for i in (0, 1)
                                                                         for j in (0, 1)]]  # fmt: skip
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-12)


def test_misuse():
    for cutoffs in ([], [4, 4], [0, 3], [7, 4], [12]):
        with pytest.raises(ValueError, match="cutoffs must be integers that rise from 1 to at most 11"):
            nn.AdaptiveLogSoftmaxWithLoss(8, 12, cutoffs)
    with pytest.raises(RuntimeError, match=r"Target values should be in \[0, 11\]"):
        filled()(tinyconv.tensor(X), tinyconv.tensor(TARGET + 1))
    with pytest.raises(RuntimeError, match=r"got \(6, 8\) and \(5,\)"):
        filled()(tinyconv.tensor(X), tinyconv.tensor(TARGET[:5]))
