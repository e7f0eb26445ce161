"""Memory for time: what a part of a model computed on the way is forgotten, and computed again for its gradients
(Chen et al., "Training deep nets with sublinear memory cost", 2016)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ..autograd import enable_grad, is_grad_enabled
from ..autograd.graph import saved_tensors_hooks
from ..random import default_generator
from ..tensor import Tensor

__all__ = ["CheckpointError", "checkpoint", "checkpoint_sequential"]


class CheckpointError(RuntimeError):
    """The second call did not compute what the first one did."""


class _Forgotten:
    """What the nodes of one call would have saved: each keeps a number instead, and the first to ask for its tensor has
    them all computed again."""

    def __init__(self, run: Callable[[], Any], keeps_rng: bool):
        self.run = run
        self.rng = default_generator.state if keeps_rng else None
        self.count = 0
        self.found: dict[int, Tensor] = {}

    def pack(self, x: Tensor) -> int:
        self.count += 1
        return self.count - 1

    def unpack(self, number: int) -> Tensor:
        if number not in self.found:  # none was, or a second backward pass asks again
            self._compute_again()
        return self.found.pop(number)

    def _compute_again(self) -> None:
        again: list[Tensor] = []

        def collect(x: Tensor) -> int:
            again.append(x)
            return len(again) - 1

        now = default_generator.state
        if self.rng is not None:
            default_generator.state = self.rng
        try:
            with enable_grad(), saved_tensors_hooks(collect, again.__getitem__):
                self.run()
        finally:
            if self.rng is not None:
                default_generator.state = now
        if len(again) != self.count:
            raise CheckpointError(
                f"checkpoint: the function saved {self.count} tensors for its gradients at first, and {len(again)} "
                "when it was called again: it must compute the same both times"
            )
        self.found = dict(enumerate(again))


def checkpoint(function: Callable, *args: Any, use_reentrant: bool | None = None, preserve_rng_state: bool = True,
               determinism_check: str = "default", debug: bool = False, early_stop: bool = True,
               **kwargs: Any) -> Any:  # fmt: skip
    """``function(*args, **kwargs)``, without keeping what it computes on the way: for the gradients it is called again.

    The second call draws the same random numbers as the first, so dropout drops the same. (Batch normalization sees
    the batch twice.)

    Args:
        function: a module, or any function.
        args, kwargs: its arguments.
        preserve_rng_state: draw the same random numbers again.
        use_reentrant, determinism_check, debug, early_stop: accepted, without effect.

    Raises:
        CheckpointError: in the backward pass, if the second call saves another number of tensors than the first.
    """
    if not is_grad_enabled():
        return function(*args, **kwargs)

    def again() -> None:
        """The same with inputs that are leaves: the graph is for saving alone."""
        function(*[_as_leaf(x) for x in args], **{name: _as_leaf(x) for name, x in kwargs.items()})

    forgotten = _Forgotten(again, preserve_rng_state)
    with saved_tensors_hooks(forgotten.pack, forgotten.unpack):
        return function(*args, **kwargs)


def _as_leaf(x: Any) -> Any:
    return x.detach().requires_grad_(x.requires_grad) if isinstance(x, Tensor) else x


def checkpoint_sequential(functions: Iterable[Callable], segments: int, input: Any,
                          use_reentrant: bool | None = None, preserve_rng_state: bool = True) -> Any:  # fmt: skip
    """``functions`` one after the other, in ``segments`` parts, all but the last of which is a :func:`checkpoint`.

    Args:
        functions: an nn.Sequential, or functions.
        segments: how many parts.
        input: of the first.
        use_reentrant: accepted, without effect.
        preserve_rng_state: as in :func:`checkpoint`.
    """
    steps = list(functions)
    size = len(steps) // segments

    def part(chosen: list[Callable]) -> Callable:
        def run(x: Any) -> Any:
            for step in chosen:
                x = step(x)
            return x

        return run

    for k in range(segments - 1):
        input = checkpoint(part(steps[k * size : (k + 1) * size]), input, preserve_rng_state=preserve_rng_state)
    return part(steps[(segments - 1) * size :])(input)
