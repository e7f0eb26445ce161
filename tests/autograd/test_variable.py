import pytest

import tinyconv
from tinyconv.autograd import Variable
from tinyconv.autograd.function import Function, once_differentiable


def test_variables_are_tensors():
    x = tinyconv.ones(2)
    v = Variable(x, requires_grad=True)
    assert isinstance(v, tinyconv.Tensor) and isinstance(x, Variable) and not isinstance(1.0, Variable)
    assert v.requires_grad and v.is_leaf and v is not x and not Variable(v * 2).requires_grad
    v.data[0] = 5
    assert x.tolist() == [5.0, 1.0]
    with pytest.warns(UserWarning, match="volatile was removed"):
        Variable(x, volatile=True)
    with pytest.raises(TypeError, match="got list"):
        Variable([1.0])


def test_pytorchs_addresses():
    assert Function is tinyconv.autograd.Function and once_differentiable is tinyconv.autograd.once_differentiable


def test_hooks_after_accumulation():
    x, seen = tinyconv.ones(2, requires_grad=True), []
    handle = x.register_post_accumulate_grad_hook(lambda p: seen.append(p.grad.tolist()))
    (x * 2 + x).sum().backward()
    tinyconv.autograd.backward((x * 2).sum(), inputs=[x])
    assert seen == [[3.0, 3.0], [5.0, 5.0]]
    handle.remove()
    x.sum().backward()
    assert len(seen) == 2 and x.grad.tolist() == [6.0, 6.0]
    x.register_post_accumulate_grad_hook(lambda p: setattr(p, "grad", None))
    x.sum().backward()
    assert x.grad is None
    with pytest.raises(RuntimeError, match="only leaf tensors"):
        (x * 2).register_post_accumulate_grad_hook(print)
