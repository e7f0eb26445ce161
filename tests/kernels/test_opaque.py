"""Nothing above ``kernels/`` touches an array: the engine runs on a class that only kernels can look into.

The backend is the reference's, behind arrays that show their shape and dtype and nothing else. Whoever indexes one,
adds two, or hands one to NumPy gets a TypeError. A GPU backend has arrays of this kind.
"""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest

import tinyconv
from tinyconv import kernels, nn, optim
from tinyconv.kernels import reference
from tinyconv.kernels.contract import KERNELS
from tinyconv.nn import functional as F


class Opaque:
    """An array on the device "opaque"."""

    __slots__ = ("_hidden",)
    __eq__ = __hash__ = None

    def __init__(self, hidden: np.ndarray):
        self._hidden = hidden

    shape = property(lambda self: self._hidden.shape)
    dtype = property(lambda self: self._hidden.dtype)
    ndim = property(lambda self: self._hidden.ndim)
    device_of_tensor = property(lambda self: tinyconv.device("opaque"))

    def __array__(self, *args, **kwargs):
        raise TypeError("an array was used outside of kernels/")

    def __bool__(self):
        raise TypeError("an array was used as a truth value outside of kernels/")


def revealed(x):
    """The arguments of a kernel, with the hidden arrays instead of the opaque ones."""
    if isinstance(x, np.ndarray):
        raise TypeError("a kernel got an array of another backend")
    if isinstance(x, tuple | list):
        return type(x)(revealed(item) for item in x)
    return x._hidden if isinstance(x, Opaque) else x


def hidden(x):
    """The results of a kernel, with opaque arrays."""
    if isinstance(x, tuple):
        return tuple(hidden(item) for item in x)
    return Opaque(x) if isinstance(x, np.ndarray) else x


def opaque_backend() -> ModuleType:
    backend = ModuleType("opaque")
    for name in KERNELS:
        kernel = getattr(reference, name)
        setattr(backend, name, lambda *args, kernel=kernel, **options: hidden(kernel(*revealed(args), **options)))
    backend.from_host = lambda x: Opaque(x.copy())
    backend.to_host = lambda x: x._hidden.copy()
    return backend


@pytest.fixture(autouse=True)
def opaque(monkeypatch):
    """The device "opaque", and the same kernels for host arrays, so that results agree to the bit."""
    monkeypatch.setattr(kernels, "_by_device", {})
    monkeypatch.setattr(kernels, "_by_class", {})
    kernels.register("opaque", Opaque, opaque_backend())
    with tinyconv.use_kernels("reference"):
        yield


def lenet() -> nn.Module:
    """LeNet-5 with something of everything: padding, normalization, both poolings, dropout."""
    return nn.Sequential(
        nn.Conv2d(1, 4, 5, padding=2), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(4, 6, 3, groups=2), nn.Tanh(), nn.AvgPool2d(2, ceil_mode=True),
        nn.Flatten(), nn.Linear(24, 12), nn.Sigmoid(), nn.Dropout(0.25), nn.Linear(12, 10),
    )  # fmt: skip


def trained(device: str) -> list[np.ndarray]:
    """Losses and parameters of three training steps on ``device``, from one seed."""
    tinyconv.manual_seed(3)
    model, x, target = lenet(), tinyconv.randn(5, 1, 12, 12), tinyconv.randint(0, 10, (5,))
    model, x, target = model.to(device), x.to(device), target.to(device)
    optimizer = optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-3, nesterov=True)
    seen = []
    for _ in range(3):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), target, label_smoothing=0.1)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        seen.append(loss.detach().cpu().numpy())
    seen += [t.detach().cpu().numpy() for t in model.state_dict().values()]
    model.eval()
    return [*seen, model(x).detach().cpu().numpy()]


def test_training_on_opaque_arrays_is_training():
    model = lenet().to("opaque")
    assert all(type(p.array) is Opaque for p in model.parameters())
    for actual, expected in zip(trained("opaque"), trained("cpu"), strict=True):
        np.testing.assert_array_equal(actual, expected)


INDEX = {
    "slices": lambda x: x[1:, None, ..., ::2],
    "ints": lambda x: x[0, -1],
    "list": lambda x: x[:, [0, 2, 0]],
    "tensor": lambda x: x[tinyconv.tensor([1, 1, 0]).to(x.device)],
    "mask": lambda x: x[x > 0],
}
SHAPE = {
    "reshape": lambda x: x.transpose(0, 1).reshape(6, -1),
    "view": lambda x: x.view(-1, 4),
    "permute": lambda x: x.permute(2, 0, 1) * 2,
    "expand": lambda x: x.unsqueeze(0).expand(5, -1, -1, -1),
    "flip": lambda x: x.flip(0, 2),
    "cat, stack": lambda x: tinyconv.cat([tinyconv.stack([x, x], 1), x.unsqueeze(1)], 1),
    "contiguous": lambda x: x.permute(2, 1, 0).contiguous().flatten(),
}
BY_NAME = {
    "gather": lambda x: x.gather(2, index(x, [[[0, 3], [1, 1]]])) * 2,
    "scatter": lambda x: x.scatter(0, index(x, [[[0, 1]]]), x[:1, :1, :2] * 3).scatter_add(1, index(x, [[[2]]]), x),
    "slices": lambda x: x.index_select(1, index(x, [2, 0])) * x.index_add(1, index(x, [0]), x[:, :1])[:, 1:],
    "masks": lambda x: x.masked_fill(x < 0, 0.5).masked_select(x < 1),
    "places": lambda x: x[(x > 0).nonzero(as_tuple=True)],
    "order": lambda x: x.sort(1).values + x.topk(2, 0).values * x.cummax(2).values,
    "bits": lambda x: x.copysign(x[0, 0]) * tinyconv.frexp(x).mantissa + tinyconv.nextafter(x, -x) * x.signbit(),
    "parts replaced": lambda x: x.select_scatter(x[0] * 2, 0, 1).slice_scatter(x[..., :2], 2, 1, 3).logcumsumexp(1),
    "memory": lambda x: x * x[1].storage_offset() + x.clone().detach().resize_(3, 2, 4).reshape(2, 3, 4),
    "middle": lambda x: x.median(1).values * x.quantile(0.3, 1) + x.unique().sum(),
    "totals": lambda x: x.cumsum(0) * x.cumprod(1) + x.prod(2, keepdim=True),
    "moments": lambda x: x.std(1) + x.var((0, 1)) + x.norm(dim=1) + x.logsumexp(1),
    "views": lambda x: x.diagonal(1, 1, 2).sum() * x.unfold(2, 2, 1) * 2,
    "rearranged": lambda x: x.roll(1, 2) * x.rot90(2, (0, 2)) + x.repeat(1, 1, 2)[..., ::2] + x.tril(),
    "joined": lambda x: tinyconv.hstack(x.split(1, 1)) * tinyconv.cat(x.chunk(2, 2), 2),
    "einsum": lambda x: tinyconv.einsum("bij,bkj->ik", x, x) + tinyconv.einsum("bii->", x[..., 1:]),
    "made": lambda x: x * tinyconv.arange(4, device=x.device) + x.new_ones(4) + tinyconv.eye(4, device=x.device)[1],
}
NUMBERS = {
    "arithmetic": lambda x: (1 - x) * x / (x * x + 2) - x**2 + 3 / (2 + x.abs()),
    "broadcasting": lambda x: x + x[0, 0] * x[:, :1],
    "fork": lambda x: (x + x) * x,
    "functions": lambda x: (x.exp() + 1).log().sqrt() + x.tanh() * x.sigmoid() + x.relu(),
    "choices": lambda x: tinyconv.where(x > 0, x, 2 * x) + tinyconv.maximum(x, -x) + tinyconv.minimum(x, x[0]),
    "mean": lambda x: x.mean() + x.mean((0, 2), keepdim=True).sum(),
    "extremes": lambda x: x.max() + x.min(1).values + x.amax((0, 1)).sum() + x.amin(2, keepdim=True).sum(),
    "softmax": lambda x: x.softmax(1) * x.log_softmax(-1),
    "matmul": lambda x: x @ x.mT @ x[0],
    "in place": lambda x: x.clone().mul_(2).add_(x, alpha=3).relu_(),
    "in place on a view": lambda x: _doubled_row(x.clone()),
    "assignment": lambda x: _assigned(x.clone()),
    "to another dtype": lambda x: (x.double() * 3).float(),
}
LAYERS = {
    "conv2d": lambda x: F.conv2d(x, x[:, :2, :2, None], padding=1, dilation=(1, 2)),
    "conv_transpose2d": lambda x: F.conv_transpose2d(x, x[:, :, :2, None], x[0, :, 0], stride=2),
    "fold": lambda x: F.fold(F.unfold(x[None], (2, 1)), (3, 4), (2, 1)),
    "max_pool2d": lambda x: F.max_pool2d(x, 2, 1, padding=1),
    "avg_pool2d": lambda x: F.avg_pool2d(x, 2, 1, padding=1, count_include_pad=False),
    "batch_norm": lambda x: F.batch_norm(x, None, None, training=True),
    "dropout": lambda x: F.dropout(x, 0.5),
    "mse_loss": lambda x: F.mse_loss(x, (2 * x).detach()),
    "nll_loss": lambda x: F.nll_loss(x, tinyconv.tensor([[0, 2, 1, 0], [1, 1, 2, -100]]).to(x.device)),
    "soft cross_entropy": lambda x: F.cross_entropy(x, x.detach().softmax(1)),
}


def index(x, places):
    return tinyconv.tensor(places).to(x.device)


def _doubled_row(x):
    x[1].mul_(2)
    return x * x


def _assigned(x):
    x[0, 1:] = x[1, :2] * 2
    x[:, 0] = 3
    return x * x


FUNCTIONS = INDEX | BY_NAME | SHAPE | NUMBERS | LAYERS


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)
def test_function_and_its_two_derivatives(function):
    results = []
    for device in ("cpu", "opaque"):
        tinyconv.manual_seed(0)
        host = tinyconv.randn(2, 3, 4)
        x = host.to(device).requires_grad_()
        y = function(x)
        loss = (y * y).sum()
        (gx,) = tinyconv.autograd.grad(loss, x, create_graph=True)
        (gx * gx).sum().backward()
        results.append([t.detach().cpu().numpy() for t in (y, gx, x.grad)])
    for on_host, on_device in zip(*results, strict=True):
        np.testing.assert_array_equal(on_device, on_host)


def test_an_index_on_another_device():
    x, there = tinyconv.arange(4), tinyconv.tensor([1, 2]).to("opaque")
    assert x.to("opaque")[tinyconv.tensor([1, 2])].tolist() == [1, 2]  # the host's comes along, as in PyTorch
    for use in (lambda: x[there], lambda: x.gather(0, there), lambda: x.index_select(0, there)):
        with pytest.raises(RuntimeError, match=r"the index is on opaque, the tensor on cpu"):
            use()
    with pytest.raises(RuntimeError, match="mask is on opaque, self on cpu"):
        x.masked_fill((there > 1).repeat(2), 0)
    with pytest.raises(RuntimeError, match="the value is on opaque, the tensor on cpu"):
        x[:2] = there
    with pytest.raises(RuntimeError, match="tensor 1 is on opaque, tensor 0 on cpu"):
        tinyconv.cat([x, there])


def test_what_an_opaque_tensor_can_say():
    x = tinyconv.tensor([[1.5, -2.0]]).to("opaque")
    assert repr(x).startswith("tensor([[ 1.5000, -2.0000]]")
    assert x.tolist() == [[1.5, -2.0]]
    assert x.sum().item() == -0.5
    assert tinyconv.zeros(2, 3, device="opaque").shape == (2, 3)
    assert tinyconv.arange(3, device="opaque").tolist() == [0, 1, 2]
    assert x.device == tinyconv.device("opaque")


def test_opaque_arrays_are_opaque():
    """The test's own tool: each of these must fail, or it proves nothing."""
    x = Opaque(np.ones(3))
    for use in (lambda: x + 1, lambda: np.add(x, 1), lambda: np.asarray(x), lambda: x[0], lambda: len(x),
                lambda: x == x, lambda: bool(x), lambda: iter(x), lambda: float(x)):  # fmt: skip
        with pytest.raises(TypeError):
            use()
    with pytest.raises(TypeError, match="another backend"):
        opaque_backend().add(x, np.ones(3))
