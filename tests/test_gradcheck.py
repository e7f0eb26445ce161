"""The checker: passes what is right, and finds each way of being wrong."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

import tinyconv
from tests.autograd.tensors import Double
from tinyconv.autograd import Function, gradcheck, gradgradcheck
from tinyconv.gradcheck import GradcheckError


def randn(*size, dtype=tinyconv.float64):
    return tinyconv.randn(*size, dtype=dtype, requires_grad=True)


def function(backward):
    """y = x^2 with the given idea of a gradient."""

    class Square(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x

    Square.backward = staticmethod(lambda ctx, gy: backward(ctx.saved_tensors[0], gy))
    return Square.apply


def test_right_gradients_pass():
    x, w = randn(2, 3), randn(3, 2)
    assert gradcheck(lambda x, w: (x @ w).tanh(), (x, w)) is True
    assert gradgradcheck(lambda x, w: (x @ w).tanh(), (x, w)) is True
    assert gradcheck(tinyconv.exp, x)
    assert gradcheck(lambda x: (x.exp(), None, x.argmax(), x.sum()), [x])


def test_inputs_and_the_random_numbers_are_left_as_they_were():
    x = randn(2, 3)
    before, state = x.array.copy(), tinyconv.default_generator.state
    gradcheck(tinyconv.tanh, x)
    gradgradcheck(tinyconv.tanh, x)
    np.testing.assert_array_equal(x.array, before)
    assert tinyconv.default_generator.state == state
    assert x.grad is None


def test_a_wrong_gradient():
    x = randn(2)
    wrong = function(lambda x, gy: gy * 3 * x)
    with pytest.raises(
        GradcheckError, match=r"output 0 \(shape \(2,\)\) in input 0 .* wrong in 2 of 4 entries.*Worst: d output\["
    ):
        gradcheck(wrong, x)
    assert gradcheck(wrong, x, raise_exception=False) is False
    assert gradcheck(wrong, x, atol=10.0)


def test_the_message_names_the_input_and_shows_both_jacobians():
    x, w = randn(1), tinyconv.tensor([3.0], dtype=tinyconv.float64, requires_grad=True)
    with pytest.raises(GradcheckError) as error:
        gradcheck(lambda a, b: (a + 0.0, a * function(lambda x, gy: 0 * gy)(b)), (x.detach(), w))
    message = str(error.value)
    assert "output 1 (shape (1,)) in input 1 (shape (1,))" in message
    assert "by differences:\n[[" in message
    assert "by backward:\n[[" in message


def test_a_missing_gradient():
    with pytest.raises(GradcheckError, match="0 by backward"):
        gradcheck(function(lambda x, gy: None), randn(2))
    with pytest.raises(GradcheckError, match="0 by backward"):
        gradcheck(lambda x: x.detach() * 2, randn(2))
    assert gradcheck(lambda x: x.detach() * 0 + 1, randn(2)), "what is constant needs no gradient"


def test_nan_is_wrong():
    with pytest.raises(GradcheckError, match="nan by backward"):
        gradcheck(function(lambda x, gy: gy * float("nan")), randn(2))


def test_a_backward_that_forgets_what_it_starts_from():
    x = randn()
    with pytest.raises(GradcheckError, match="not multiplied by grad_output"):
        gradcheck(function(lambda x, gy: 2 * x + 0 * gy), x)


def test_a_backward_that_is_not_linear():
    with pytest.raises(GradcheckError, match="not linear"):
        gradcheck(function(lambda x, gy: 2 * x * gy.abs()), randn())


def test_a_backward_that_is_not_deterministic():
    noise = iter(range(1000))
    shaky = function(lambda x, gy: 2 * x * gy + 1e-7 * next(noise) * gy)
    with pytest.raises(GradcheckError, match="not deterministic"):
        gradcheck(shaky, randn())
    assert gradcheck(function(lambda x, gy: 2 * x * gy + 1e-12 * next(noise) * gy), randn(), nondet_tol=1e-10)


def test_a_wrong_second_derivative():
    """The first derivative is right, but cut off from x."""
    once = function(lambda x, gy: 2 * x.detach() * gy)
    assert gradcheck(once, randn(2))
    with pytest.raises(GradcheckError):
        gradgradcheck(once, randn(2))


def test_gradients_to_start_from():
    x = randn(2, 3)
    start = tinyconv.ones(2, 3, dtype=tinyconv.float64, requires_grad=True)
    assert gradgradcheck(tinyconv.tanh, x, start)
    assert gradgradcheck(tinyconv.tanh, x, gen_non_contig_grad_outputs=True)


def test_float32_is_warned_of():
    with pytest.warns(UserWarning, match="input 0 is tinyconv.float32"):
        gradcheck(lambda x: x * 2, randn(2, dtype=tinyconv.float32), eps=1e-2, atol=1e-2)


def test_the_type_of_a_gradient():
    assert gradcheck(Double.apply, randn(2), check_grad_dtypes=True)


def test_inputs_of_any_layout_and_shape():
    for x in (
        randn(),
        randn(0, 3),
        randn(3, 2).detach().t(),
        randn(4).detach()[::2],
        randn(2, 2, 2).detach().permute(2, 0, 1),
    ):
        assert gradcheck(lambda x: x.sigmoid().sum(-1 if x.ndim else None), x.requires_grad_())


def test_results_as_inputs():
    x = randn(3)
    assert gradcheck(tinyconv.exp, x * 2)


def test_what_cannot_be_checked():
    with pytest.raises(ValueError, match="at least one input tensor to require gradient"):
        gradcheck(tinyconv.exp, tinyconv.ones(2))
    with pytest.raises(ValueError, match="elements of input 0 share memory"):
        gradcheck(tinyconv.exp, tinyconv.ones(1, dtype=tinyconv.float64).expand(3).requires_grad_())
    for option in ("check_forward_ad", "check_batched_grad", "check_batched_forward_grad"):
        with pytest.raises(NotImplementedError, match="forward-mode"):
            gradcheck(tinyconv.exp, randn(1), **{option: True})
    with pytest.raises(NotImplementedError, match="forward-mode"):
        gradgradcheck(tinyconv.exp, randn(1), check_fwd_over_rev=True)


@pytest.mark.parametrize("name", ["gradcheck", "gradgradcheck"])
def test_the_signature_is_torchs(name):
    torch = pytest.importorskip("torch")
    ours, theirs = (inspect.signature(getattr(m.autograd, name)).parameters.values() for m in (tinyconv, torch))
    assert [(p.name, p.kind, p.default) for p in ours] == [(p.name, p.kind, p.default) for p in theirs]
