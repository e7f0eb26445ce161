"""PyTorch's addresses of the layers: ``torch.nn.modules.conv.Conv2d`` is :class:`tinyconv.nn.Conv2d`.

Which file PyTorch keeps a layer in is its own business, but programs import base classes from there: to ask
``isinstance(layer, nn.modules.batchnorm._BatchNorm)``, to write a loss of their own on ``_WeightedLoss``. So each of
those files is this one module, and it has all their names.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from typing import Any

from .. import nn
from .batchnorm import _BatchNorm, _NormBase
from .conv import _Conv as _ConvNd
from .dropout import _Dropout as _DropoutNd
from .instancenorm import _InstanceNorm
from .loss import _Loss, _WeightedLoss

__all__ = ["_BatchNorm", "_ConvNd", "_DropoutNd", "_InstanceNorm", "_Loss", "_NormBase", "_WeightedLoss"]

_FILES = (
    "activation", "adaptive", "batchnorm", "channelshuffle", "container", "conv", "distance", "dropout", "flatten",
    "fold", "instancenorm", "lazy", "linear", "loss", "module", "normalization", "padding", "pixelshuffle", "pooling",
    "rnn", "sparse", "transformer", "upsampling", "utils",
)  # fmt: skip


def _ntuple(n: int) -> Callable[[Any], tuple]:
    """A function that makes a tuple of n values of one, and leaves more than one as they are."""
    return lambda x: tuple(x) if isinstance(x, Iterable) else (x,) * n


_single, _pair, _triple, _quadruple = map(_ntuple, (1, 2, 3, 4))


def __getattr__(name: str) -> Any:
    return sys.modules[__name__] if name in _FILES else getattr(nn, name)


__path__: list[str] = []  # `import tinyconv.nn.modules.conv` is an import, too
sys.modules.update({f"{__name__}.{name}": sys.modules[__name__] for name in _FILES})
