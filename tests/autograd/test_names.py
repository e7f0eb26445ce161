"""A node is called as in PyTorch, where one of its operations is one of ours."""

from __future__ import annotations

import gc
import re
import weakref

import pytest

import tinyconv
from tinyconv import nn

OPERATIONS = {
    "a sum": lambda F, x: x.sum(),
    "a sum along an axis": lambda F, x: x.sum(0),
    "a mean": lambda F, x: x.mean(),
    "means that keep their axis": lambda F, x: x.mean((0, 1), keepdim=True),
    "a square": lambda F, x: x**2,
    "powers of two": lambda F, x: 2**x,
    "powers": lambda F, x: x**x,
    "a product": lambda F, x: x @ x.T,
    "products": lambda F, x: x[None].bmm(x.T[None]),
    "relu": lambda F, x: x.relu(),
    "silu": lambda F, x: F.silu(x),
    "gelu": lambda F, x: F.gelu(x),
    "leaky_relu": lambda F, x: F.leaky_relu(x),
    "log1p": lambda F, x: x.log1p(),
    "clamp": lambda F, x: x.clamp(0, 1),
    "double": lambda F, x: x.double(),
    "linear": lambda F, x: F.linear(x, x, x[:, 0]),
    "linear without a bias": lambda F, x: F.linear(x, x),
    "cross_entropy": lambda F, x: F.cross_entropy(x, x.argmax(1)),
    "nll_loss": lambda F, x: F.nll_loss(x, x.argmax(1)),
    "var": lambda F, x: x.var(),
    "layer_norm": lambda F, x: F.layer_norm(x, (2,)),
    "conv2d": lambda F, x: F.conv2d(x[None, None], x[None, None]),
    "conv_transpose2d": lambda F, x: F.conv_transpose2d(x[None, None], x[None, None]),
    "max_pool2d": lambda F, x: F.max_pool2d(x[None, None], 2),
    "avg_pool2d": lambda F, x: F.avg_pool2d(x[None, None], 2),
    "pad": lambda F, x: F.pad(x, (1, 1)),
    "median": lambda F, x: x.median(),
    "a row": lambda F, x: x[0],
    "rows": lambda F, x: x[:1],
}  # fmt: skip


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
def test_as_in_pytorch(operation):
    torch = pytest.importorskip("torch")
    ours = operation(nn.functional, tinyconv.tensor([[1.0, -2.0], [3.0, 0.5]], requires_grad=True))
    theirs = operation(torch.nn.functional, torch.tensor([[1.0, -2.0], [3.0, 0.5]], requires_grad=True))
    assert ours.grad_fn.name() == type(ours.grad_fn).__name__ == theirs.grad_fn.name()
    assert re.fullmatch(rf"<{theirs.grad_fn.name()} object at 0x[0-9a-f]+>", repr(ours.grad_fn))


def test_names_of_what_leads_there():
    x = tinyconv.ones(2, requires_grad=True)
    (product, _), (nothing, _) = ((x * 3).exp() + 1).grad_fn.next_functions
    assert nothing is None and type(product).__name__ == "ExpBackward0"
    ((leaf, _), _) = product.next_functions[0][0].next_functions
    assert type(leaf).__name__ == leaf.name() == "AccumulateGrad"
    y = x * 1
    y[0] = 2
    assert repr(y) == "tensor([2., 1.], grad_fn=<CopySlices>)"


def test_a_node_that_was_looked_at_works_as_before():
    x = tinyconv.tensor([2.0], requires_grad=True)
    y = x * x
    node = y.grad_fn
    assert node is y.grad_fn and isinstance(node, tinyconv.autograd.graph.Node)
    assert node.operation() == "Mul"
    y.backward()
    assert x.grad == 4
    with pytest.raises(RuntimeError, match="^Mul: trying to go backward"):
        y.backward()


def test_a_users_function():
    class Twice(tinyconv.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return 2 * x

        @staticmethod
        def backward(ctx, gy):
            return 2 * gy

    x = tinyconv.ones(1, requires_grad=True)
    y = Twice.apply(x)
    assert type(y.grad_fn).__name__ == "TwiceBackward" and isinstance(y.grad_fn, Twice)
    assert type(Twice.apply(x).grad_fn) is type(y.grad_fn) and Twice.__name__ == "Twice"
    y.backward()
    assert x.grad == 2


def test_a_class_that_was_looked_at_is_freed():
    def looked_at():
        class Once(tinyconv.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                return 2 * x

        assert type(Once.apply(tinyconv.ones(1, requires_grad=True)).grad_fn).__name__ == "OnceBackward"
        return weakref.ref(Once)

    reference = looked_at()
    gc.collect()
    assert reference() is None


def test_a_node_is_not_called():
    node = tinyconv.ones(1, requires_grad=True).exp().grad_fn
    with pytest.raises(RuntimeError, match=re.escape("Exp: a Function is not called: say Exp.apply(x)")):
        node(tinyconv.ones(1))
