"""A softmax for very many classes, most of them rare (Grave et al., "Efficient softmax approximation for GPUs", 2017).

The frequent classes have scores of their own in the *head*, and so has each cluster of rarer ones; a class's
probability in a cluster is that of the cluster times its own among the cluster's, which a smaller network computes.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Sequence
from typing import Any

from ..ops import argmax, cat, gather, where
from ..tensor import Tensor
from . import functional as F
from .container import ModuleList, Sequential
from .linear import Linear
from .module import Module

__all__ = ["AdaptiveLogSoftmaxWithLoss"]

_ASMoutput = namedtuple("_ASMoutput", ["output", "loss"])


class AdaptiveLogSoftmaxWithLoss(Module):
    """Log-probabilities of targets among ``n_classes`` classes, ordered from frequent to rare, and their loss.

    Args:
        in_features: D, numbers in a sample.
        n_classes: how many classes.
        cutoffs: where clusters begin: the classes below the first have scores of their own.
        div_value: by how much smaller each cluster's network is than the one before.
        head_bias: whether the head has a bias.
        device: where the parameters are made.
        dtype: their type (default: the default dtype).

    Attributes:
        head: the linear layer for the frequent classes and the clusters.
        tail: for each cluster two linear layers.

    Raises:
        ValueError: cutoffs that do not rise from 1 to at most ``n_classes - 1``.
    """

    def __init__(
        self,
        in_features: int,
        n_classes: int,
        cutoffs: Sequence[int],
        div_value: float = 4.0,
        head_bias: bool = False,
        device: Any = None,
        dtype: Any = None,
    ):
        super().__init__()
        cutoffs = list(cutoffs)
        rising = cutoffs == sorted(set(cutoffs)) and all(int(c) == c for c in cutoffs)
        if not cutoffs or not rising or not 1 <= cutoffs[0] <= cutoffs[-1] < n_classes:
            raise ValueError(f"cutoffs must be integers that rise from 1 to at most {n_classes - 1}, got {cutoffs}")
        self.in_features = in_features
        self.n_classes = n_classes
        self.cutoffs = [*cutoffs, n_classes]
        self.div_value = div_value
        self.head_bias = head_bias
        self.shortlist_size = cutoffs[0]
        self.n_clusters = len(cutoffs)
        self.head_size = self.shortlist_size + self.n_clusters
        place = {"device": device, "dtype": dtype}
        self.head = Linear(in_features, self.head_size, head_bias, **place)
        self.tail = ModuleList()
        for i, (begin, end) in enumerate(zip(self.cutoffs, self.cutoffs[1:])):
            width = int(in_features // div_value ** (i + 1))
            self.tail.append(
                Sequential(Linear(in_features, width, False, **place), Linear(width, end - begin, False, **place))
            )

    def reset_parameters(self) -> None:
        """Draw the parameters anew."""
        self.head.reset_parameters()
        for network in self.tail:
            for layer in network.children():
                layer.reset_parameters()

    def forward(self, input_: Tensor, target_: Tensor) -> tuple[Tensor, Tensor]:
        """Samples ``(N, D)`` and classes ``(N,)``, or ``(D,)`` and ``()`` -> a named tuple: ``output``, each target's
        log-probability, and ``loss``, minus their mean.

        Raises:
            RuntimeError: shapes that do not fit, or a target out of range.
        """
        if target_.dim() > 1 or input_.dim() != target_.dim() + 1 or input_.shape[:-1] != target_.shape:
            raise RuntimeError(
                f"expected input (N, D) with target (N,), or (D,) with (), got {tuple(input_.shape)} and "
                f"{tuple(target_.shape)}"
            )
        x, target = (input_, target_) if target_.dim() else (input_.unsqueeze(0), target_.unsqueeze(0))
        if target.numel() and not 0 <= int(target.min()) <= int(target.max()) < self.n_classes:
            raise RuntimeError(
                f"Target values should be in [0, {self.n_classes - 1}], but values in range [{int(target.min())}, "
                f"{int(target.max())}] were found. "
            )
        place, output = target, x.new_zeros(len(x))
        for i, (begin, end) in enumerate(zip(self.cutoffs, self.cutoffs[1:])):
            rows = ((target >= begin) & (target < end)).nonzero().squeeze(1)
            if len(rows):
                log_p = F.log_softmax(self.tail[i](x[rows]), 1)
                own = gather(log_p, 1, (target[rows] - begin).unsqueeze(1)).squeeze(1)
                output = output.index_add(0, rows, own)
                place = place.index_fill(0, rows, self.shortlist_size + i)
        head = F.log_softmax(self.head(x), 1)
        output = output + gather(head, 1, place.unsqueeze(1)).squeeze(1)
        loss = (-output).mean()
        return _ASMoutput(output if target_.dim() else output.squeeze(0), loss)

    def log_prob(self, input: Tensor) -> Tensor:
        """Log-probabilities of all classes: ``(N, D) -> (N, n_classes)``."""
        head = F.log_softmax(self.head(input), 1)
        parts = [head[:, : self.shortlist_size]]
        for i, network in enumerate(self.tail):
            parts.append(F.log_softmax(network(input), 1) + head[:, self.shortlist_size + i].unsqueeze(1))
        return cat(parts, 1)

    def predict(self, input: Tensor) -> Tensor:
        """The class of the highest probability: ``(N, D) -> (N,)``. (The clusters are only looked at where one of them
        wins in the head.)"""
        first = argmax(self.head(input), 1)
        if not (first >= self.shortlist_size).any():
            return first
        return where(first < self.shortlist_size, first, argmax(self.log_prob(input), 1))
