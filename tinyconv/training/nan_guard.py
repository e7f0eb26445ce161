"""NaNGuard: stops at the first loss or gradient that is no finite number, and says where it came from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..autograd import no_grad
from ..nn import Module
from ..random import default_generator
from ..tensor import Tensor
from .callbacks import Callback
from .errors import Diverged

if TYPE_CHECKING:
    from .state import TrainingState

__all__ = ["NaNGuard"]


class NaNGuard(Callback):
    """Looks at the loss and the gradients before the optimizer uses them. If one is not finite, the last weights known
    to be good are put back and :class:`Diverged` names the step and the layer.

    It costs a look at every gradient and a copy of the weights; ``every`` makes it rarer.

    Args:
        every: look at every so many steps. Steps in between may be lost: the good weights are those of the last look.
    """

    def __init__(self, every: int = 1) -> None:
        if every < 1:
            raise ValueError(f"NaNGuard: every must be at least 1, got {every}")
        self.every = every
        self._good: dict[str, Tensor] = {}

    def on_begin(self, state: TrainingState) -> None:
        self._good = _copy(state.model)

    def on_gradients(self, state: TrainingState) -> None:
        if state.step % self.every:
            return
        if not _finite(state.batch_loss):
            problem = _where_forward(state.model, state.batch[0].to(state.batch_loss.device))
        elif bad := [name for name, p in state.model.named_parameters() if p.grad is not None and not _finite(p.grad)]:
            # The backward pass runs from the last layer to the first: the last one is where it began.
            problem = f"the gradient of {bad[-1]!r} is not finite"
        else:
            self._good = _copy(state.model)
            return
        loss = float(state.batch_loss)
        state.model.load_state_dict(self._good)
        epoch, step = state.epoch + 1, state.step + 1
        raise Diverged(
            f"epoch {epoch}, step {step}: the loss is {loss:g}: {problem}; the last good weights are back in the "
            "model: try a smaller learning rate, or clipped gradients",
            epoch=epoch,
            step=step,
        )


def _copy(model: Module) -> dict[str, Tensor]:
    return {name: x.detach().clone() for name, x in model.state_dict().items()}


def _finite(x: Tensor) -> bool:
    return bool(x.isfinite().all())


def _where_forward(model: Module, x: Any) -> str:
    """Which is the first layer, in the order in which they run, whose output is not finite."""
    if isinstance(x, Tensor) and not _finite(x):
        return "the batch itself holds values that are not finite"
    found: list[str] = []

    def look(name: str, layer: Module, output: Any) -> None:
        if not found and isinstance(output, Tensor) and output.is_floating_point() and not _finite(output):
            weights = [key for key, p in layer.named_parameters() if not _finite(p)]
            because = f", and so is its {weights[0]}: the step before was too large" if weights else ""
            found.append(f"the output of layer {name!r} ({type(layer).__name__}) is not finite{because}")

    handles = [
        layer.register_forward_hook(lambda layer, args, output, name=name: look(name, layer, output))
        for name, layer in model.named_modules()
        if not list(layer.children())
    ]
    random = default_generator.state  # what dropout draws here is not taken from the training's stream
    try:
        with no_grad():
            model(x)
    finally:
        default_generator.state = random
        for handle in handles:
            handle.remove()
    return found[0] if found else "every layer's output is finite: it is the loss function"
