"""Attention against its formula, and its options against PyTorch's."""

import numpy as np
import pytest
from scipy.special import softmax

import tinyconv
import tinyconv.nn.functional as F

RNG = np.random.default_rng(0)
Q, K, V = RNG.normal(size=(2, 4, 3, 6)), RNG.normal(size=(2, 4, 5, 6)), RNG.normal(size=(2, 4, 5, 2))
MASK = RNG.normal(size=(3, 5)) > -0.5
MASK[:, 0] = True


def test_the_formula():
    y = F.scaled_dot_product_attention(*map(tinyconv.from_numpy, (Q, K, V)))
    np.testing.assert_allclose(y.numpy(), softmax(Q @ K.swapaxes(-1, -2) / np.sqrt(6), -1) @ V)
    y = F.scaled_dot_product_attention(*map(tinyconv.from_numpy, (Q, K, V, MASK)), scale=0.5)
    weights = softmax(np.where(MASK, Q @ K.swapaxes(-1, -2) * 0.5, -np.inf), -1)
    np.testing.assert_allclose(y.numpy(), weights @ V)


@pytest.mark.parametrize("options", [{}, {"is_causal": True}, {"attn_mask": MASK}, {"attn_mask": MASK * 0.5}])
def test_as_pytorch(options):
    torch = pytest.importorskip("torch")
    results = []
    for library in (tinyconv, torch):
        xs = [library.from_numpy(x.copy()).requires_grad_() for x in (Q, K, V)]
        given = {k: library.from_numpy(v) if isinstance(v, np.ndarray) else v for k, v in options.items()}
        y = library.nn.functional.scaled_dot_product_attention(*xs, **given)
        (y**3).sum().backward()
        results.append([t.detach().numpy() for t in (y, *[x.grad for x in xs])])
    for mine, other in zip(*results, strict=True):
        np.testing.assert_allclose(mine, other, atol=1e-12)


def test_groups_of_queries_share_keys():
    q, k, v = map(tinyconv.from_numpy, (Q, K[:, :2], V[:, :2]))
    y = F.scaled_dot_product_attention(q, k, v, enable_gqa=True)
    repeated = (t[:, [0, 0, 1, 1]] for t in (k, v))
    np.testing.assert_allclose(y.numpy(), F.scaled_dot_product_attention(q, *repeated).numpy())


def test_dropout_and_errors():
    q, k, v = map(tinyconv.from_numpy, (Q, K, V))
    assert F.scaled_dot_product_attention(q, k, v, dropout_p=1.0).abs().sum().item() == 0
    with pytest.raises(RuntimeError, match="attn_mask and is_causal cannot both be given"):
        F.scaled_dot_product_attention(q, k, v, tinyconv.from_numpy(MASK), is_causal=True)
    with pytest.raises(RuntimeError, match="query is tinyconv.float64, key is tinyconv.float32"):
        F.scaled_dot_product_attention(q, k.float(), v)


@pytest.mark.parametrize("hidden", [np.zeros(5, bool), np.full(5, -np.inf)], ids=["bool", "added"])
def test_a_query_without_a_key_finds_zeros(hidden):
    mask = tinyconv.tensor(MASK if hidden.dtype == bool else np.where(MASK, 0.0, -np.inf))
    mask[1] = tinyconv.tensor(hidden)
    xs = [tinyconv.tensor(x, requires_grad=True) for x in (Q, K, V)]
    y = F.scaled_dot_product_attention(*xs, mask)
    assert (y[:, :, 1] == 0).all() and (y[:, :, 0] != 0).all()
    y.sum().backward()
    assert all(x.grad.isfinite().all() for x in xs)
    assert (xs[0].grad[:, :, 1] == 0).all()
