import math

import numpy as np
import pytest

import tinyconv
from tinyconv.nn import Parameter
from tinyconv.nn.utils import clip_grad_norm_, clip_grad_value_


def parameters(*grads, dtype=tinyconv.float64):
    out = []
    for g in grads:
        p = Parameter(tinyconv.zeros(np.shape(g), dtype=dtype))
        p.grad = tinyconv.tensor(g, dtype=dtype)
        out.append(p)
    return out


def test_a_long_gradient_is_shortened_as_a_whole():
    a, b = parameters([3.0, 0.0], [[4.0]])
    total = clip_grad_norm_([a, b], 1.0)
    assert isinstance(total, tinyconv.Tensor) and total.shape == () and total.item() == 5.0
    np.testing.assert_allclose(a.grad.numpy(), [0.6, 0.0], rtol=1e-6)
    np.testing.assert_allclose(b.grad.numpy(), [[0.8]], rtol=1e-6)


def test_a_short_gradient_stays_exactly():
    a, b = parameters([0.3, 0.0], [[0.4]])
    clip_grad_norm_([a, b], 1.0)
    assert a.grad.tolist() == [0.3, 0.0] and b.grad.tolist() == [[0.4]]


@pytest.mark.parametrize("p", [1, 2, 3.5, math.inf, -math.inf, "inf", 0])
def test_norms(p):
    grads = [np.array([3.0, -4.0, 0.0]), np.array([[1.0, -7.0]])]
    total = clip_grad_norm_(parameters(*grads), 1e9, norm_type=p).item()
    # The norm of the norms: for p = 0 that is the number of parameters, as in PyTorch.
    want = np.linalg.norm([np.linalg.norm(g.ravel(), float(p)) for g in grads], float(p))
    assert total == pytest.approx(want)


def test_what_has_no_gradient_is_passed_over():
    (a,) = parameters([3.0, 4.0])
    empty = Parameter(tinyconv.zeros(2))
    assert clip_grad_norm_([empty, a], 10).item() == 5.0
    assert clip_grad_norm_([empty], 1).item() == 0.0
    assert clip_grad_norm_(iter([a]), 10).item() == 5.0
    assert clip_grad_norm_(a, 10).item() == 5.0
    clip_grad_value_([empty, a], 1)
    assert a.grad.tolist() == [1.0, 1.0] and empty.grad is None


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_norm_that_is_not_finite(bad):
    a, b = parameters([1.0, bad], [2.0])
    with pytest.raises(RuntimeError, match="non-finite"):
        clip_grad_norm_([a, b], 1.0, error_if_nonfinite=True)
    assert b.grad.tolist() == [2.0]
    total = clip_grad_norm_([a, b], 1.0).item()
    assert not math.isfinite(total)
    assert b.grad.tolist() == [0.0] if bad == math.inf else math.isnan(b.grad.item())


def test_clipping_by_value():
    (a,) = parameters([[-3.0, -0.5, 0.5, 3.0, math.nan]])
    clip_grad_value_(a, 1)
    np.testing.assert_equal(a.grad.numpy(), [[-1.0, -0.5, 0.5, 1.0, math.nan]])


def test_gradients_change_in_place_and_say_so():
    for clip in (clip_grad_norm_, clip_grad_value_):
        (a,) = parameters([3.0, 4.0])
        g, array, version = a.grad, a.grad.array, a.grad._version
        clip([a], 1.0)
        assert a.grad is g and g.array is array and g._version > version and not g.requires_grad


@pytest.mark.parametrize("p", [1, 2, 3, math.inf, 0])
@pytest.mark.parametrize("max_norm", [0.1, 3, 1000])
def test_as_pytorch(p, max_norm):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    grads = [rng.normal(size=shape).astype(np.float32) for shape in ((4, 3), (7,), ())]
    ours = parameters(*grads, dtype=tinyconv.float32)
    theirs = [torch.nn.Parameter(torch.zeros(g.shape)) for g in grads]
    for q, g in zip(theirs, grads, strict=True):
        q.grad = torch.from_numpy(g.copy().reshape(q.shape))
    total = clip_grad_norm_(ours, max_norm, p).item()
    assert total == pytest.approx(torch.nn.utils.clip_grad_norm_(theirs, max_norm, p).item(), rel=1e-6)
    clip_grad_value_(ours, 0.05)
    torch.nn.utils.clip_grad_value_(theirs, 0.05)
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a.grad.numpy(), b.grad.numpy(), rtol=1e-5)


def test_in_two_steps():
    p, q = (tinyconv.nn.Parameter(tinyconv.zeros(2)) for _ in range(2))
    p.grad, q.grad = tinyconv.tensor([3.0, 0.0]), tinyconv.tensor([0.0, 4.0])
    total = tinyconv.nn.utils.get_total_norm([p.grad, q.grad])
    assert total.item() == 5.0
    tinyconv.nn.utils.clip_grads_with_norm_([p, q], 1.0, total)
    assert p.grad[0].item() == pytest.approx(0.6) and q.grad[1].item() == pytest.approx(0.8)
    assert tinyconv.nn.utils.get_total_norm(tinyconv.tensor([-3.0, 2.0]), float("inf")).item() == 3.0
    with pytest.raises(RuntimeError, match="non-finite"):
        tinyconv.nn.utils.get_total_norm(tinyconv.tensor([float("nan")]), error_if_nonfinite=True)
