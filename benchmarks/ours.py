"""Training in tinyconv, as the benchmarks of whole networks run it; ``theirs.py`` is the same in PyTorch.

Neither file imports the other's library, so that a process of its own holds one library alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import tinyconv
from tinyconv import Tensor, from_numpy, optim, set_num_threads
from tinyconv.nn import functional as F
from tinyconv.vision.models import get_model

__all__ = ["Training", "from_numpy", "set_num_threads"]


class Training:
    """A network and its optimizer.

    Args:
        network: "lenet5" or "resnet20".
        weights: its state by name, as :meth:`weights` gives it (default: random numbers of the library's own).
        layer_by_layer: let no layers run as one kernel, as in networks that are not Sequential.
        device: where to train.
        sgd: options of the optimizer.
    """

    def __init__(
        self,
        network: str,
        weights: dict[str, np.ndarray] | None = None,
        layer_by_layer: bool = False,
        device: str = "cpu",
        **sgd: Any,
    ):
        self.model = get_model(network).to(device)
        if layer_by_layer:
            for module in self.model.modules():
                module.register_forward_hook(lambda *_: None)  # who looks at each layer's output gets to see it
        if weights:
            self.model.load_state_dict({name: from_numpy(np.array(array)) for name, array in weights.items()})
        self.optimizer = optim.SGD(self.model.parameters(), **sgd)

    def weights(self) -> dict[str, np.ndarray]:
        """A copy of the network's state."""
        return {name: value.detach().cpu().numpy().copy() for name, value in self.model.state_dict().items()}

    def gradients(self) -> dict[str, np.ndarray]:
        """The parameters' gradients, as the last step has left them."""
        return {name: p.grad.cpu().numpy() for name, p in self.model.named_parameters() if p.grad is not None}

    def step(self, x: Tensor, target: Tensor) -> Tensor:
        """One training step; the loss before it."""
        loss = self.gradients_of(x, target)
        self.optimizer.step()
        return loss

    def gradients_of(self, x: Tensor, target: Tensor) -> Tensor:
        """The step without its end: makes the gradients, returns the loss."""
        self.optimizer.zero_grad()
        loss = F.cross_entropy(self.model(x), target)
        loss.backward()
        return loss.detach()

    def graphed(self) -> Callable[[Tensor, Tensor], Tensor]:
        """:meth:`step` with a CUDA graph of :meth:`gradients_of`.

        Raises:
            RuntimeError: it cannot be recorded, when it is called for the second time.
        """
        gradients_of = tinyconv.cuda.make_graphed_step(self.gradients_of, self.model.parameters())

        def step(x: Tensor, target: Tensor) -> Tensor:
            loss = gradients_of(x, target)
            if gradients_of.why_not:
                raise RuntimeError(gradients_of.why_not)
            self.optimizer.step()
            return loss

        return step

    def correct(self, x: Tensor, target: Tensor) -> int:
        """How many images get their highest score for ``target``."""
        with tinyconv.no_grad():
            return int((self.model(x).argmax(1) == target).sum().item())
