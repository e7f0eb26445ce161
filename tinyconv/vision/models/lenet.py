"""LeNet-5 (LeCun, Bottou, Bengio, Haffner, "Gradient-based learning applied to document recognition", Proc. IEEE 1998).

Convolutions look for small patterns everywhere at once, pooling keeps where roughly each was found, and three ordinary
layers decide which digit the patterns make. The layers have the paper's names:

====== ============================== ============= ==========
layer  what it does                   output        parameters
====== ============================== ============= ==========
c1     6 kernels of 5x5, padding 2    6 x 28 x 28   156
s2     maximum of 2x2                 6 x 14 x 14   0
c3     16 kernels of 6x5x5            16 x 10 x 10  2,416
s4     maximum of 2x2                 16 x 5 x 5    0
c5     all 400 values to each of 120  120           48,120
f6     120 to 84                      84            10,164
output 84 to 10, one score a class    10            850
====== ============================== ============= ==========

61,706 in all. It is today's LeNet-5: images of 28x28 are padded by 2 (the same as LeCun's 32x32), ReLU
instead of tanh, the maximum instead of a trained average, each map of c3 sees all six of s2, and the scores go into a
softmax with cross entropy instead of distances to drawn digits. ``form="tanh"`` takes LeCun's tanh and averages back.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from ... import nn
from .weights import pretrained_model

__all__ = ["LeNet5", "lenet5", "lenet5_tanh"]


class LeNet5(nn.Sequential):
    """LeNet-5 for grey images of 28x28.

    Args:
        num_classes: scores an image.
        form: "relu" (and maxima), or "tanh" (and averages), as in 1998.

    Shape:
        x ``(N, 1, 28, 28)`` -> scores (logits, before the softmax) ``(N, num_classes)``.

    Raises:
        ValueError: another form.
    """

    def __init__(self, num_classes: int = 10, form: str = "relu") -> None:
        if form not in ("relu", "tanh"):
            raise ValueError(f"LeNet5: form must be 'relu' or 'tanh', got {form!r}")
        activation, pooling = (nn.ReLU, nn.MaxPool2d) if form == "relu" else (nn.Tanh, nn.AvgPool2d)
        super().__init__(
            OrderedDict(
                c1=nn.Conv2d(1, 6, kernel_size=5, padding=2),
                relu1=activation(),
                s2=pooling(kernel_size=2),
                c3=nn.Conv2d(6, 16, kernel_size=5),
                relu3=activation(),
                s4=pooling(kernel_size=2),
                flatten=nn.Flatten(),
                c5=nn.Linear(16 * 5 * 5, 120),
                relu5=activation(),
                f6=nn.Linear(120, 84),
                relu6=activation(),
                output=nn.Linear(84, num_classes),
            )
        )


def lenet5(weights: Any = None, progress: bool = True, **config: Any) -> LeNet5:
    """A new :class:`LeNet5`; ``config`` are its arguments, and ``weights`` may be the path of a file."""
    return pretrained_model(LeNet5, None, weights, config)


def lenet5_tanh(weights: Any = None, progress: bool = True, **config: Any) -> LeNet5:
    """A new :class:`LeNet5` in LeCun's form; ``config`` are its other arguments, ``weights`` as in :func:`lenet5`."""
    return pretrained_model(LeNet5, None, weights, {"form": "tanh", **config})
