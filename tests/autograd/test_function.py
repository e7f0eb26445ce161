"""Functions of users' own, and the graph that they make."""

from __future__ import annotations

import sys

import numpy as np
import pytest

import tinyconv
from tinyconv.autograd import Function, grad, gradcheck, gradgradcheck, once_differentiable

from .tensors import leaf, randn, values


class Scale(Function):
    """Everything a context offers."""

    @staticmethod
    def forward(ctx, x, factor, label=None):
        ctx.factor, ctx.label = factor, label
        ctx.save_for_backward(x, None)
        assert not tinyconv.is_grad_enabled()
        return x * factor

    @staticmethod
    def backward(ctx, gy):
        _, nothing = ctx.saved_tensors
        assert nothing is None
        assert ctx.needs_input_grad == (True, False, False)[: len(ctx.needs_input_grad)]
        return (gy * ctx.factor, None, None)[: len(ctx.needs_input_grad)]


def test_a_custom_function():
    x = randn(3)
    assert repr(Scale.apply(x, 3.0)).endswith("grad_fn=<ScaleBackward>)")
    assert gradcheck(lambda x: Scale.apply(x, 3.0, "label"), x)
    assert gradgradcheck(lambda x: Scale.apply(x, 3.0), x)
    assert not Scale.apply(x.detach(), 3.0).requires_grad


def test_setup_context():
    class Cube(Function):
        @staticmethod
        def forward(x):
            return x**3, x.array.size

        @staticmethod
        def setup_context(ctx, inputs, output):
            (x,) = inputs
            ctx.save_for_backward(x)
            ctx.set_materialize_grads(False)
            assert output[1] == 3

        @staticmethod
        def backward(ctx, gy, gsize):
            assert gsize is None
            (x,) = ctx.saved_tensors
            return 3 * x**2 * gy

    x = randn(3)
    assert Cube.apply(x)[1] == 3
    assert gradcheck(lambda x: Cube.apply(x)[0], x)
    assert gradgradcheck(lambda x: Cube.apply(x)[0], x)


def test_several_outputs_and_unused_ones_get_zeros():
    class Split(Function):
        @staticmethod
        def forward(ctx, x):
            return x[:1], x[1:]

        @staticmethod
        def backward(ctx, ga, gb):
            return tinyconv.cat([ga, gb])

    x = leaf(1.0, 2.0, 3.0)
    a, b = Split.apply(x)
    assert b._edge == (a.grad_fn, 1)
    b.sum().backward()
    assert values(x.grad) == [0.0, 1.0, 1.0]


def test_unused_outputs_get_none_if_asked():
    class Two(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.set_materialize_grads(False)
            return x * 1, x * 2

        @staticmethod
        def backward(ctx, ga, gb):
            assert ga is None
            return gb * 2

    x = leaf(1.0)
    Two.apply(x)[1].backward()
    assert values(x.grad) == [2.0]


def test_mark_non_differentiable():
    class Sort(Function):
        @staticmethod
        def forward(ctx, x):
            order = tinyconv.from_numpy(np.argsort(x.numpy()))
            y, rank = x[order], order.to(tinyconv.float64)
            ctx.mark_non_differentiable(rank)
            ctx.save_for_backward(order)
            return y, rank

        @staticmethod
        def backward(ctx, gy, _):
            gx = tinyconv.zeros_like(gy)
            gx[ctx.saved_tensors[0]] = gy
            return gx

    x = leaf(3.0, 1.0, 2.0)
    y, rank = Sort.apply(x)
    assert y.requires_grad
    assert not rank.requires_grad
    (y * tinyconv.tensor([1.0, 10.0, 100.0], dtype=tinyconv.float64)).sum().backward()
    assert values(x.grad) == [100.0, 1.0, 10.0]


def test_mark_dirty():
    class AddOne(Function):
        @staticmethod
        def forward(ctx, x):
            x.array[...] += 1
            ctx.mark_dirty(x)
            return x

        @staticmethod
        def backward(ctx, gy):
            return gy * 7

    x = leaf(1.0, 2.0)
    y = x * 1
    version = y._version
    z = AddOne.apply(y)
    assert z is y
    assert y._version == version + 1
    assert y.grad_fn.name() == "AddOneBackward"
    y.sum().backward()
    assert values(x.grad) == [7.0, 7.0]
    with pytest.raises(RuntimeError, match="AddOne: a leaf tensor that requires grad cannot be changed in place"):
        AddOne.apply(leaf(1.0))


def test_mark_dirty_on_a_view_rewrites_the_base():
    class Zero(Function):
        @staticmethod
        def forward(ctx, x):
            x.array[...] = 0
            ctx.mark_dirty(x)
            return x

        @staticmethod
        def backward(ctx, gy):
            return gy * 0

    x = leaf(1.0, 2.0)
    y = x * 2
    Zero.apply(y[0:1])
    y.sum().backward()
    assert values(x.grad) == [0.0, 2.0]


def test_returning_an_input():
    class Same(Function):
        @staticmethod
        def forward(ctx, x):
            return x

        @staticmethod
        def backward(ctx, gy):
            return gy * 3

    x = leaf(1.0)
    y = Same.apply(x)
    assert y is not x
    assert x.is_leaf
    y.backward()
    assert values(x.grad) == [3.0]


def test_once_differentiable():
    class Numpy(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return tinyconv.from_numpy(np.sin(x.numpy()))

        @staticmethod
        @once_differentiable
        def backward(ctx, gy):
            (x,) = ctx.saved_tensors
            return tinyconv.from_numpy(gy.numpy() * np.cos(x.detach().numpy()))

    x = leaf(0.5)
    assert gradcheck(Numpy.apply, x)
    (g,) = grad(Numpy.apply(x * 1), x, create_graph=True)
    np.testing.assert_allclose(g.detach().array, np.cos([0.5]))


def test_a_second_derivative_through_once_differentiable():
    class Square(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        @once_differentiable
        def backward(ctx, gy):
            return 2 * ctx.saved_tensors[0] * gy

    x = leaf(2.0)
    (g,) = grad(Square.apply(x) ** 2, x, create_graph=True)
    with pytest.raises(RuntimeError, match="Square: .*once_differentiable"):
        grad(g, x)


def test_wrong_numbers_and_shapes_of_gradients():
    def function(result):
        class Wrong(Function):
            @staticmethod
            def forward(ctx, x, w):
                return x * 1

            @staticmethod
            def backward(ctx, gy):
                return result(gy)

        return Wrong

    x, w = leaf(1.0, 2.0), leaf(1.0)
    with pytest.raises(RuntimeError, match="Wrong: backward returned 1 gradients, forward had 2 arguments"):
        function(lambda gy: gy).apply(x, w).sum().backward()
    with pytest.raises(RuntimeError, match="Wrong: backward returned 3 gradients, forward had 2 arguments"):
        function(lambda gy: (gy, None, gy)).apply(x, w).sum().backward()
    with pytest.raises(
        RuntimeError, match=r"Wrong: backward returned a gradient of shape \(3,\) for an input of shape \(2,\)"
    ):
        function(lambda gy: (tinyconv.ones(3), None)).apply(x, w).sum().backward()
    function(lambda gy: (gy, None, None)).apply(x, w).sum().backward()  # a None too many does no harm, as in PyTorch
    assert values(x.grad) == [1.0, 1.0]


def test_gradients_are_summed_and_cast_to_fit():
    class Loose(Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1

        @staticmethod
        def backward(ctx, gy):
            return gy.float().expand(3, 2)

    x = leaf(1.0, 2.0)
    (Loose.apply(x) + x).sum().backward()
    assert x.grad.dtype is tinyconv.float64
    assert values(x.grad) == [4.0, 4.0]


def test_what_a_function_must_define():
    class Empty(Function):
        pass

    class NoBackward(Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1

    with pytest.raises(NotImplementedError, match="must define forward"):
        Empty.apply(leaf(1.0))
    with pytest.raises(NotImplementedError, match="must define backward"):
        NoBackward.apply(leaf(1.0)).backward()


def test_the_graph_can_be_walked_by_hand():
    x = leaf(1.0)
    node = (x * 2 + 1).grad_fn
    assert node.name() == "AddBackward0"
    assert repr(node) == f"<AddBackward0 object at {id(node):#x}>"
    (mul, index), (nothing, _) = node.next_functions
    assert (mul.name(), index, nothing) == ("MulBackward0", 0, None)
    accumulate = mul.next_functions[0][0]
    assert accumulate.name() == "AccumulateGrad"
    assert accumulate.variable is x


def test_an_operation_takes_few_calls():
    """A noise-free measure of the engine's overhead, forward and backward together."""
    x, y, gz = tinyconv.ones(4, requires_grad=True), tinyconv.ones(4, requires_grad=True), tinyconv.ones(4)
    calls = []

    def step():
        x.grad = y.grad = None
        (x + y).backward(gz)

    step()
    sys.setprofile(lambda frame, event, _: calls.append(frame.f_code.co_name) if event == "call" else None)
    try:
        step()
    finally:
        sys.setprofile(None)
    assert 10 < len(calls) <= 40, calls
