"""What a tensor is: its attributes, conversions to Python, copies, and code as PyTorch users write it."""

from __future__ import annotations

import ast
import copy
import pickle
from pathlib import Path

import numpy as np
import pytest

import tinyconv
from tinyconv import Size
from tinyconv.tensor import wrap


def test_a_tensor_wraps_an_array():
    a = np.arange(6.0).reshape(2, 3)
    x = wrap(a)
    assert x.array is a
    assert x.shape == (2, 3) == x.size()
    assert x.size(1) == x.size(-1) == 3
    assert (x.ndim, x.dim(), len(x), x.numel(), x.nelement(), x.element_size()) == (2, 2, 2, 6, 6, 8)
    assert x.dtype is tinyconv.float64
    assert x.device == tinyconv.device("cpu")
    assert not x.is_cuda
    assert (x.grad, x.grad_fn, x.is_leaf, x.requires_grad, x._version) == (None, None, True, False, 0)
    assert tinyconv.Tensor(x).array is a
    assert wrap(a, requires_grad=True).requires_grad


def test_results_are_wrapped():
    """``Tensor(array)`` makes numbers of the default type, as users of PyTorch expect: a result of float64 made by it
    would be float32."""
    for path in Path(tinyconv.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                called = [ast.unparse(part) for part in (node.func, *node.args[:1])]
                made = called[0] == "Tensor" or called[:2] == ["map", "Tensor"]
                assert not made, f"{path.name}, line {node.lineno}: say wrap(array)"


def test_size():
    s = tinyconv.zeros(2, 3).shape
    assert repr(s) == "tinyconv.Size([2, 3])"
    assert s.numel() == 6
    assert Size().numel() == 1
    assert s == (2, 3)
    n, m = s
    assert (n, m) == (2, 3)
    assert s[0] == 2 and s[-1:].numel() == 3
    for joined in (s[1:], s + (1,), (1,) + s, s * 2, 2 * s, s + s):
        assert type(joined) is Size
    assert (s + (1,), (1,) + s, 2 * s) == ((2, 3, 1), (1, 2, 3), (2, 3, 2, 3))
    for wrong in (lambda: s + [1], lambda: [1] + s, lambda: s * 1.5):
        with pytest.raises(TypeError):
            wrong()
    assert type(pickle.loads(pickle.dumps(s))) is type(copy.deepcopy(s)) is Size


def test_device():
    assert tinyconv.device("cuda:1") == tinyconv.device("cuda", 1) == tinyconv.device(tinyconv.device("cuda", 1))
    assert tinyconv.device("cpu") != tinyconv.device("cuda")
    assert (str(tinyconv.device("cuda:1")), str(tinyconv.device("cpu"))) == ("cuda:1", "cpu")
    assert repr(tinyconv.device("cuda:1")) == "device(type='cuda', index=1)"
    assert repr(tinyconv.device("cpu")) == "device(type='cpu')"
    assert len({tinyconv.device("cpu"), tinyconv.device("cpu")}) == 1
    with pytest.raises(RuntimeError, match="expected 'cpu' or 'cuda', optionally with ':index', got 'gpu'"):
        tinyconv.device("gpu")


def test_numbers():
    x = tinyconv.tensor(2.5)
    assert (x.item(), float(x), int(x), f"{x:.2f}", bool(x)) == (2.5, 2.5, 2, "2.50", True)
    assert type(x.item()) is float
    assert type(tinyconv.tensor(3).item()) is int
    assert type(tinyconv.tensor(True).item()) is bool
    assert tinyconv.tensor([[7]]).item() == 7
    assert [10, 20, 30][tinyconv.tensor(1)] == 20
    assert list(range(tinyconv.tensor(3))) == [0, 1, 2]
    assert not tinyconv.tensor([0.0])
    assert tinyconv.tensor([[1.5, 2.0]]).tolist() == [[1.5, 2.0]]
    assert tinyconv.tensor(1.5).tolist() == 1.5


def test_what_is_no_number():
    x = tinyconv.tensor([1.0, 2.0])
    with pytest.raises(RuntimeError, match=r"item: a tensor with 2 elements \(shape \(2,\)\) is no number"):
        x.item()
    with pytest.raises(RuntimeError, match=r"truth value of a tensor with 2 elements is ambiguous.*\.any\(\)"):
        bool(x)
    with pytest.raises(TypeError, match=r"len\(\) of a 0-d tensor"):
        len(tinyconv.tensor(1.0))
    with pytest.raises(
        TypeError, match="only integer tensors of a single element can be converted to an index, got tinyconv.float32"
    ):
        [1, 2][tinyconv.tensor(1.0)]


def test_numpy():
    x = tinyconv.tensor([1.0, 2.0])
    assert x.numpy() is x.array
    assert np.asarray(x) is x.array
    assert np.asarray(x, dtype=np.int64).tolist() == [1, 2]
    assert not np.shares_memory(np.array(x), x.array)
    w = tinyconv.ones(2, requires_grad=True)
    for convert in (lambda: w.numpy(), lambda: (w * 2).numpy(), lambda: np.asarray(w)):
        with pytest.raises(RuntimeError, match=r"use x\.detach\(\)\.numpy\(\)"):
            convert()
    with tinyconv.no_grad():
        assert w.numpy() is w.array


def test_hash_is_identity():
    x, y = tinyconv.ones(1), tinyconv.ones(1)
    assert len({x, y, x}) == 2
    assert {x: 1}[x] == 1


def test_data_shares_memory_but_not_history():
    x = tinyconv.ones(2, requires_grad=True)
    d = x.data
    assert d.array is x.array
    assert not d.requires_grad
    d.mul_(3)
    assert x.tolist() == [3.0, 3.0]
    assert x._version == 0
    x.data = tinyconv.zeros(3)
    assert x.shape == (3,)
    assert x.requires_grad
    with pytest.raises(RuntimeError, match="must be floating point, got tinyconv.int64"):
        x.data = tinyconv.tensor([1])


def test_requires_grad_():
    x = tinyconv.ones(2)
    assert x.requires_grad_() is x
    assert x.requires_grad
    assert not x.requires_grad_(False).requires_grad


def test_copies_and_pickles():
    x = tinyconv.tensor([1.0, 2.0], requires_grad=True)
    (x * x).sum().backward()
    other = copy.deepcopy(x)
    assert other.requires_grad
    assert other.is_leaf
    assert other.tolist() == [1.0, 2.0]
    assert other.grad.tolist() == [2.0, 4.0]
    assert not np.shares_memory(other.array, x.array)
    assert not np.shares_memory(other.grad.array, x.grad.array)
    pair = copy.deepcopy([x, x])
    assert pair[0] is pair[1]
    again = pickle.loads(pickle.dumps(x))
    assert (again.tolist(), again.requires_grad, again.dtype) == ([1.0, 2.0], True, tinyconv.float32)
    with pytest.raises(RuntimeError, match="only leaf tensors support deepcopy"):
        copy.deepcopy(x * 2)


@pytest.mark.parametrize(
    "expression",
    [
        "m.tensor([[1., 2.], [3., 4.]]).T.reshape(-1)[1:]",
        "m.arange(10).float().view(2, 5).mean(dim=1, keepdim=True)",
        "m.eye(3)[:, [2, 0]] @ m.ones(2, 1)",
        "m.stack([m.zeros(3), m.ones(3)], dim=1).flatten().unsqueeze(0)",
        "m.where(m.arange(4) > 1, m.tensor(1.), m.tensor(-1.)).ne(1)",
        "(m.arange(6).reshape(2, 3) > 2).any(dim=0)",
        "m.cat((m.ones(2, 1), m.zeros(2, 2)), dim=-1).max(dim=1).values",
        "m.linspace(0, 1, 5).sub(0.5).abs().neg().exp().log().clone()",
        "m.full((2, 2), 3.).add(1).mul(2).div(4).pow(2).sum(0)",
        "m.tensor([3, 1, 2]).argmax() + m.tensor([3, 1, 2]).min()",
        "-m.ones(2) ** 2 + 1 / (1 + m.ones(2)) - 2 * m.ones(2)",
        "m.arange(3.).softmax(dim=-1).log_softmax(0)",
        "m.tensor([1., float('nan')]) != m.tensor([1., float('nan')])",
        "m.zeros(2, 3).expand(4, 2, 3).permute(2, 0, 1).contiguous().squeeze()",
        "m.tensor([1.5, 2.5]).to(m.int64).type_as(m.zeros(1))",
        "abs(m.tensor([-1., 2.])).maximum(m.tensor(1.5)).minimum(m.tensor([1.75, 9.]))",
    ],
)
def test_expressions_mean_what_they_mean_in_torch(expression):
    torch = pytest.importorskip("torch")
    ours, theirs = (eval(expression, {"m": m}) for m in (tinyconv, torch))
    assert str(ours.dtype).split(".")[1] == str(theirs.dtype).split(".")[1]
    assert tuple(ours.shape) == tuple(theirs.shape)
    np.testing.assert_allclose(ours.array, theirs.numpy(), rtol=1e-6)


def descend(m):
    """A training loop as it is written in PyTorch, on a small regression."""
    x = m.linspace(-1, 1, 20, dtype=m.float64).unsqueeze(1)
    y = 3 * x - 1
    w = m.zeros(1, 1, dtype=m.float64, requires_grad=True)
    b = m.zeros(1, dtype=m.float64, requires_grad=True)
    losses = []
    for _ in range(50):
        loss = ((x @ w + b - y) ** 2).mean()
        loss.backward()
        with m.no_grad():
            for p in (w, b):
                p -= 0.3 * p.grad
                p.grad.zero_()
        losses.append(loss.item())
    return losses, w.item(), b.item()


def test_a_training_loop_by_hand():
    losses, w, b = descend(tinyconv)
    assert losses[-1] < 1e-3 * losses[0]
    assert (w, b) == (pytest.approx(3, abs=0.05), pytest.approx(-1, abs=0.05))


def test_a_training_loop_gives_torchs_numbers():
    torch = pytest.importorskip("torch")
    np.testing.assert_allclose(descend(tinyconv)[0], descend(torch)[0], rtol=1e-9)


def test_a_gradient_can_be_assigned():
    x, g = tinyconv.ones(2, requires_grad=True), tinyconv.full((2,), 3.0)
    x.grad = g
    assert x.grad is g
    del x.grad
    assert x.grad is None
    x.grad = None


@pytest.mark.parametrize(
    ("grad", "error", "message"),
    [
        (lambda x: 3, TypeError, "grad must be a Tensor or None, got int"),
        (lambda x: np.ones(2, np.float32), TypeError, "got ndarray"),
        (lambda x: tinyconv.ones(3), RuntimeError, "shape of its tensor"),
        (lambda x: tinyconv.ones(1), RuntimeError, "shape of its tensor"),
        (lambda x: tinyconv.ones(2, dtype=tinyconv.float64), RuntimeError, "dtype of its tensor"),
        (lambda x: x, RuntimeError, "its own gradient"),
    ],
)
def test_what_cannot_be_a_gradient(grad, error, message):
    x = tinyconv.ones(2, requires_grad=True)
    x.grad = before = tinyconv.zeros(2)
    with pytest.raises(error, match=message):
        x.grad = grad(x)
    assert x.grad is before
