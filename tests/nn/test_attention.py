"""Attention with several heads, against its formula and against PyTorch."""

import numpy as np
import pytest
from scipy.special import softmax

import tinyconv
from tinyconv import nn

RNG = np.random.default_rng(0)
L, S, N, E, H = 3, 5, 2, 8, 2
Q, K, V = (RNG.normal(size=(n, N, E)) for n in (L, S, S))
MASK = RNG.normal(size=(L, S)) > 0.5
MASK[:, 0] = False
PADDING = np.array([[False] * S, [False, False, False, True, True]])


def layer(library=tinyconv, **options):
    """The same numbers in either library."""
    made = library.nn.MultiheadAttention(E, H, dtype=library.float64, **options)
    rng = np.random.default_rng(1)
    made.load_state_dict({k: library.tensor(rng.normal(size=tuple(v.shape))) for k, v in made.state_dict().items()})
    return made


def by_hand(made, q, k, v, mask):
    """One head after another."""
    w, b = made.in_proj_weight.detach().numpy().reshape(3, H, -1, E), made.in_proj_bias.detach().numpy()
    b = b.reshape(3, H, -1)
    y, shares = np.empty((*q.shape[:2], E)), np.empty((N, H, L, S))
    for n in range(N):
        for h in range(H):
            a, c, d = (x[:, n] @ w[i, h].T + b[i, h] for i, x in enumerate((q, k, v)))
            shares[n, h] = softmax(a @ c.T / np.sqrt(E / H) + mask[n], -1)
            y[:, n, h * E // H : (h + 1) * E // H] = shares[n, h] @ d
    return y @ made.out_proj.weight.detach().numpy().T + made.out_proj.bias.detach().numpy(), shares


def test_the_formula():
    made = layer()
    hidden = np.where(MASK | PADDING[:, None], -np.inf, 0.0)
    expected, shares = by_hand(made, Q, K, V, hidden)
    q, k, v, mask, padding = map(tinyconv.from_numpy, (Q, K, V, MASK, PADDING))
    y, weights = made(q, k, v, padding, attn_mask=mask, average_attn_weights=False)
    np.testing.assert_allclose(y.detach().numpy(), expected)
    np.testing.assert_allclose(weights.detach().numpy(), shares, atol=1e-15)
    _, averaged = made(q, k, v, padding, attn_mask=mask)
    np.testing.assert_allclose(averaged.detach().numpy(), shares.mean(1), atol=1e-15)
    y, weights = made(q, k, v, padding, False, tinyconv.from_numpy(np.where(MASK, -np.inf, 0.0)))
    np.testing.assert_allclose(y.detach().numpy(), expected)
    assert weights is None


@pytest.mark.parametrize("need_weights", [True, False])
def test_itself_and_with_the_batch_first(need_weights):
    made = layer(batch_first=True)
    x = tinyconv.from_numpy(Q.swapaxes(0, 1).copy())
    once, _ = made(x, x, x, need_weights=need_weights)
    apart, _ = made(x, x.clone(), x.clone(), need_weights=need_weights)  # three projections, not one
    np.testing.assert_allclose(once.detach().numpy(), apart.detach().numpy())
    alone, _ = made(x[1], x[1], x[1], need_weights=need_weights)
    np.testing.assert_allclose(once[1].detach().numpy(), alone.detach().numpy())


def test_a_query_without_a_key():
    made = layer()
    q, k, v = map(tinyconv.from_numpy, (Q, K, V))
    nothing = tinyconv.tensor(MASK)
    nothing[1] = True
    y, _ = made(q, k, v, need_weights=False, attn_mask=nothing)
    np.testing.assert_array_equal(y[1].detach().numpy(), np.broadcast_to(made.out_proj.bias.detach().numpy(), (N, E)))
    y.sum().backward()
    assert all(p.grad.isfinite().all() for p in made.parameters())
    y, weights = made(q, k, v, attn_mask=nothing)
    assert weights[:, 1].isnan().all() and not weights[:, 0].isnan().any()


def test_dropout_of_weights_in_training():
    made = layer(dropout=0.5)
    q, k, v = map(tinyconv.from_numpy, (Q, K, V))
    _, weights = made(q, k, v, average_attn_weights=False)
    zeros = int((weights == 0).sum())
    assert 10 < zeros < 50
    _, weights = made.eval()(q, k, v)
    np.testing.assert_allclose(weights.sum(-1).detach().numpy(), 1)


def test_first_parameters():
    tinyconv.manual_seed(0)
    made = nn.MultiheadAttention(64, 4, add_bias_kv=True)
    assert made.in_proj_weight.abs().max().item() == pytest.approx((6 / 256) ** 0.5, rel=0.01)  # of (192, 64)
    assert made.out_proj.weight.abs().max().item() == pytest.approx(1 / 8, rel=0.01)
    assert made.in_proj_bias.abs().sum().item() == made.out_proj.bias.abs().sum().item() == 0
    assert made.bias_k.std().item() == pytest.approx((2 / 128) ** 0.5, rel=0.3)


@pytest.mark.parametrize("options", [{}, {"bias": False}, {"add_bias_kv": True, "add_zero_attn": True},
                                     {"kdim": 3, "vdim": 2}])  # fmt: skip
@pytest.mark.parametrize("need_weights", [True, False])
def test_as_pytorch(options, need_weights):
    torch = pytest.importorskip("torch")
    found = []
    for library in (tinyconv, torch):
        made = layer(library, **options)
        xs = [x[..., :n] for x, n in zip((Q, K, V), (E, options.get("kdim", E), options.get("vdim", E)))]
        q, k, v = (library.tensor(x).requires_grad_() for x in xs)
        y, weights = made(q, k, v, library.tensor(PADDING), need_weights, library.tensor(MASK))
        (y**2).sum().backward()
        leaves = [q, k, v, *made.parameters()]
        found.append([y.detach().numpy(), *([weights.detach().numpy()] if need_weights else []),
                      *[x.grad.numpy() for x in leaves]])  # fmt: skip
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-11)


def test_misuse():
    with pytest.raises(ValueError, match="num_heads must divide embed_dim, got 8 and 3"):
        nn.MultiheadAttention(8, 3)
    made = layer()
    q, k, v, mask = map(tinyconv.from_numpy, (Q, K, V, MASK))
    with pytest.raises(RuntimeError, match="is_causal says that attn_mask is causal"):
        made(q, k, v, is_causal=True)
    with pytest.raises(RuntimeError, match=r"attn_mask must have shape \(3, 5\) or \(4, 3, 5\), got \(5, 3\)"):
        made(q, k, v, attn_mask=mask.T)
    with pytest.raises(RuntimeError, match="must be bool or floating point, got tinyconv.int64"):
        made(q, k, v, attn_mask=mask.long())
    with pytest.raises(RuntimeError, match="query is tinyconv.float32"):
        made(q.float(), k, v)
    with pytest.raises(RuntimeError, match="must have 8 numbers per step"):
        made(q[..., :4], k, v)
    made.num_heads = 0
    with pytest.raises(RuntimeError, match="a multiple of num_heads 0"):
        made(q, k, v)


def test_how_pytorch_is_told_to_compute_it():
    from tinyconv.nn.attention import SDPBackend, sdpa_kernel

    q = k = v = tinyconv.randn(2, 3, 4)
    expected = nn.functional.scaled_dot_product_attention(q, k, v)
    for backends in (SDPBackend.MATH, [SDPBackend.FLASH_ATTENTION, SDPBackend.EFFICIENT_ATTENTION]):
        with sdpa_kernel(backends):
            assert tinyconv.equal(nn.functional.scaled_dot_product_attention(q, k, v), expected)
    for wrong in (1, [SDPBackend.MATH, "flash"]):
        with pytest.raises(TypeError, match="must be an SDPBackend or a list of them"), sdpa_kernel(wrong):
            pass
