"""Every layer takes PyTorch's arguments, with PyTorch's defaults."""

import inspect

import pytest

from tinyconv import nn, optim
from tinyconv.optim import lr_scheduler

NO_LAYERS = ("Buffer", "Module", "Parameter", "UninitializedBuffer", "UninitializedParameter")
LAYERS = [name for name in nn.__all__ if isinstance(getattr(nn, name), type) and name not in NO_LAYERS]
LEGACY = {"size_average", "reduce", "verbose"}


def defaults(cls):
    return {
        name: getattr(p.default, "__name__", p.default)  # a function is compared by its name
        for name, p in inspect.signature(cls.__init__).parameters.items()
        if name not in LEGACY and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
    }


@pytest.mark.parametrize("name", LAYERS)
def test_layers(name):
    torch = pytest.importorskip("torch")
    assert defaults(getattr(nn, name)) == defaults(getattr(torch.nn, name))


@pytest.mark.parametrize("name", sorted(set(lr_scheduler.__all__)))
def test_schedulers(name):
    torch = pytest.importorskip("torch")
    assert defaults(getattr(lr_scheduler, name)) == defaults(getattr(torch.optim.lr_scheduler, name))


@pytest.mark.parametrize("name", sorted({*optim.__all__} - {"Optimizer", "lr_scheduler"}))
def test_optimizers(name):
    torch = pytest.importorskip("torch")
    assert defaults(getattr(optim, name)) == defaults(getattr(torch.optim, name))


@pytest.mark.parametrize("name", nn.init.__all__)
def test_initializers(name):
    torch = pytest.importorskip("torch")
    ours = inspect.signature(getattr(nn.init, name)).parameters.values()
    theirs = inspect.signature(getattr(torch.nn.init, name)).parameters.values()
    assert [(p.name, p.default) for p in ours] == [(p.name, p.default) for p in theirs]
