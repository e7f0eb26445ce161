"""Pruning: weights that a criterion finds unimportant are masked with zeros.

A pruned parameter ``weight`` is trained as ``weight_orig``; ``weight_mask`` is a buffer of zeros and ones, and a hook
computes ``weight = weight_orig * weight_mask`` before every call. :func:`remove` makes that product the parameter.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import Any

from ...ops import cat, ones_like, rand_like, topk
from ...ops.linalg import vector_norm
from ...tensor import Tensor
from ..module import Module

__all__ = [
    "BasePruningMethod",
    "CustomFromMask",
    "Identity",
    "L1Unstructured",
    "LnStructured",
    "PruningContainer",
    "RandomStructured",
    "RandomUnstructured",
    "custom_from_mask",
    "global_unstructured",
    "identity",
    "is_pruned",
    "l1_unstructured",
    "ln_structured",
    "random_structured",
    "random_unstructured",
    "remove",
]


class BasePruningMethod(ABC):
    """A criterion. A subclass says in :meth:`compute_mask` which elements stay, and of which kind it is.

    Attributes:
        PRUNING_TYPE: "unstructured" (single elements), "structured" (whole slices along ``dim``) or "global" (of all
            parameters together): what of an already pruned parameter is looked at.
    """

    PRUNING_TYPE: str
    _tensor_name: str

    @abstractmethod
    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """The mask of a parameter.

        Args:
            t: the importance of each element.
            default_mask: the mask so far, to be changed in a copy.
        """

    def __call__(self, module: Module, inputs: Any) -> None:
        setattr(module, self._tensor_name, self.apply_mask(module))

    def apply_mask(self, module: Module) -> Tensor:
        """The original times the mask."""
        mask, original = (getattr(module, f"{self._tensor_name}_{part}") for part in ("mask", "orig"))
        return mask.to(dtype=original.dtype) * original

    @classmethod
    def apply(cls, module: Module, name: str, *args: Any, importance_scores: Tensor | None = None,
              **kwargs: Any) -> Any:  # fmt: skip
        """Prune ``module``'s parameter ``name`` by ``cls(*args, **kwargs)``, after what has pruned it already.

        Args:
            module: whose it is.
            name: its name.
            args, kwargs: for the criterion.
            importance_scores: judge by these, in the parameter's shape, and not by its values.

        Returns:
            The hook.
        """
        key, earlier = _hook(module, name)
        method: BasePruningMethod = cls(*args, **kwargs)
        method._tensor_name = name
        original = getattr(module, name) if earlier is None else getattr(module, f"{name}_orig")
        mask = ones_like(original).detach() if earlier is None else getattr(module, f"{name}_mask").clone()
        if importance_scores is None:
            importance_scores = original
        elif importance_scores.shape != original.shape:
            raise AssertionError(
                f"importance_scores should have the same shape as parameter {name} of {module}, "
                f"got {importance_scores.shape}"
            )
        if earlier is not None:
            del module._forward_pre_hooks[key]
            container = PruningContainer(earlier)
            container.add_pruning_method(method)
            method = container
        else:
            del module._parameters[name]
            module.register_parameter(f"{name}_orig", original)
        module.register_buffer(f"{name}_mask", method.compute_mask(importance_scores.detach(), mask))
        setattr(module, name, method.apply_mask(module))
        module.register_forward_pre_hook(method)
        return method

    def prune(self, t: Tensor, default_mask: Tensor | None = None, importance_scores: Tensor | None = None) -> Tensor:
        """A pruned copy of a tensor that is no module's parameter."""
        scores = t if importance_scores is None else importance_scores
        mask = ones_like(t).detach() if default_mask is None else default_mask
        return t * self.compute_mask(scores.detach(), mask).to(dtype=t.dtype)

    def remove(self, module: Module) -> None:
        """Make the pruned tensor the parameter, and forget mask and original. (The hook goes with :func:`remove`.)"""
        name = self._tensor_name
        weight = self.apply_mask(module)
        original = module._parameters[f"{name}_orig"]
        assert original is not None
        original.data = weight.detach()
        delattr(module, name)
        del module._parameters[f"{name}_orig"], module._buffers[f"{name}_mask"]
        setattr(module, name, original)


class PruningContainer(BasePruningMethod):
    """Criteria one after the other: each looks at what those before it have left."""

    PRUNING_TYPE = "container"

    def __init__(self, *args: BasePruningMethod):
        first = args[0] if args else None
        self._pruning_methods: tuple = first._pruning_methods if isinstance(first, PruningContainer) else ()
        for method in args:
            if not isinstance(method, PruningContainer):
                self._tensor_name = method._tensor_name
                self.add_pruning_method(method)
        if isinstance(first, PruningContainer):
            self._tensor_name = first._tensor_name

    def add_pruning_method(self, method: Any) -> None:
        """Add a criterion for the same parameter.

        Raises:
            TypeError: no pruning method.
            ValueError: one for another parameter.
        """
        if not isinstance(method, BasePruningMethod) and method is not None:
            raise TypeError(f"{type(method)} is not a BasePruningMethod subclass")
        if method is not None and self._tensor_name != method._tensor_name:
            raise ValueError(
                "Can only add pruning methods acting on the parameter named "
                f"'{self._tensor_name}' to PruningContainer {self}. Found '{method._tensor_name}'"
            )
        self._pruning_methods += (method,)

    def __len__(self) -> int:
        return len(self._pruning_methods)

    def __iter__(self) -> Any:
        return iter(self._pruning_methods)

    def __getitem__(self, index: int) -> BasePruningMethod:
        return self._pruning_methods[index]

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """The mask so far with what the last criterion takes away of what is left."""
        method = self._pruning_methods[-1]
        mask = default_mask.to(dtype=t.dtype)
        if method.PRUNING_TYPE == "unstructured":
            left: Any = mask == 1
        elif method.PRUNING_TYPE == "structured":
            dim = method.dim % t.dim()
            kept = mask.sum([axis for axis in range(t.dim()) if axis != dim]) != 0
            left = (slice(None),) * dim + (kept,)
        elif method.PRUNING_TYPE == "global":
            left = tuple([slice(None)] * t.dim())
        else:
            raise ValueError(f"Unrecognized PRUNING_TYPE {method.PRUNING_TYPE}")
        new = mask.clone()
        new[left] = method.compute_mask(t[left], default_mask=mask[left]).to(dtype=mask.dtype)
        return new


class Identity(BasePruningMethod):
    """Prunes nothing, and makes a parameter one that is pruned."""

    PRUNING_TYPE = "unstructured"

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        return default_mask


class _OfAmount(BasePruningMethod):
    """A criterion that takes away an amount: a share between 0 and 1 (float), or a number of them (int)."""

    def __init__(self, amount: Any):
        if not isinstance(amount, (int, float)):
            raise TypeError(f"Invalid type for amount: {amount}. Must be int or float.")
        if amount < 0 or (isinstance(amount, float) and not amount <= 1):
            raise ValueError(f"amount={amount} should either be a float in the range [0.0, 1.0] or a non-negative int")
        self.amount = amount

    def _count(self, size: int) -> int:
        """How many of ``size`` go."""
        count = self.amount if isinstance(self.amount, int) else round(self.amount * size)
        if count > size:
            raise ValueError(f"amount={self.amount} should be smaller than the number of parameters to prune={size}")
        return count

    def _without(self, scores: Tensor, mask: Tensor) -> Tensor:
        """The mask without the elements of the lowest scores."""
        new = mask.clone()
        count = self._count(scores.numel())
        if count:
            new.view(-1)[topk(scores.reshape(-1), count, largest=False).indices] = 0
        return new


class RandomUnstructured(_OfAmount):
    """Takes away elements by chance."""

    PRUNING_TYPE = "unstructured"

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        return self._without(rand_like(t), default_mask)


class L1Unstructured(_OfAmount):
    """Takes away the elements of the smallest absolute value."""

    PRUNING_TYPE = "unstructured"

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        return self._without(t.abs(), default_mask)


class _OfSlices(_OfAmount):
    """Takes away slices along an axis: output channels of a convolution along axis 0, say."""

    PRUNING_TYPE = "structured"

    def __init__(self, amount: Any, dim: int = -1):
        super().__init__(amount)
        self.dim = dim

    def _scores(self, t: Tensor, dim: int) -> Tensor:
        raise NotImplementedError

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        if t.dim() <= 1:
            raise ValueError(
                "Structured pruning can only be applied to multidimensional tensors. Found tensor of shape "
                f"{t.shape} with {t.dim()} dims"
            )
        if not -t.dim() <= self.dim < t.dim():
            raise IndexError(f"Invalid index {self.dim} for tensor of size {t.shape}")
        dim = self.dim % t.dim()
        scores = self._scores(t, dim)
        keeps = self._without(scores, ones_like(scores))
        return default_mask * keeps.reshape([-1 if axis == dim else 1 for axis in range(t.dim())])


class RandomStructured(_OfSlices):
    """Takes away slices by chance."""

    def _scores(self, t: Tensor, dim: int) -> Tensor:
        return rand_like(t.select(dim, 0).new_empty(t.shape[dim]))


class LnStructured(_OfSlices):
    """Takes away the slices of the smallest norm.

    Args:
        amount: how many, or which share.
        n: which norm: a number, "fro", infinity.
        dim: along which axis.
    """

    def __init__(self, amount: Any, n: Any, dim: int = -1):
        super().__init__(amount, dim)
        self.n = n

    def _scores(self, t: Tensor, dim: int) -> Tensor:
        others = [axis for axis in range(t.dim()) if axis != dim]
        return vector_norm(t, 2 if self.n == "fro" else float(self.n), others)


class CustomFromMask(BasePruningMethod):
    """Takes away what is 0 in a mask."""

    PRUNING_TYPE = "global"

    def __init__(self, mask: Tensor):
        self.mask = mask

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        return default_mask * self.mask.to(dtype=default_mask.dtype)


def identity(module: Module, name: str) -> Module:
    """Prune nothing of a parameter, but make it one that is pruned. Returns ``module``."""
    Identity.apply(module, name)
    return module


def random_unstructured(module: Module, name: str, amount: Any) -> Module:
    """Take away ``amount`` (a number, or a share between 0 and 1) elements by chance. Returns ``module``."""
    RandomUnstructured.apply(module, name, amount)
    return module


def l1_unstructured(module: Module, name: str, amount: Any, importance_scores: Tensor | None = None) -> Module:
    """Take away the ``amount`` (a number, or a share) elements of the smallest absolute value, or of the smallest
    importance. Returns ``module``."""
    L1Unstructured.apply(module, name, amount, importance_scores=importance_scores)
    return module


def random_structured(module: Module, name: str, amount: Any, dim: int) -> Module:
    """Take away ``amount`` (a number, or a share) slices along ``dim`` by chance. Returns ``module``."""
    RandomStructured.apply(module, name, amount, dim)
    return module


def ln_structured(module: Module, name: str, amount: Any, n: Any, dim: int,
                  importance_scores: Tensor | None = None) -> Module:  # fmt: skip
    """Take away the ``amount`` (a number, or a share) slices along ``dim`` of the smallest ``n``-norm. Returns
    ``module``."""
    LnStructured.apply(module, name, amount, n, dim, importance_scores=importance_scores)
    return module


def custom_from_mask(module: Module, name: str, mask: Tensor) -> Module:
    """Take away what is 0 in ``mask``. Returns ``module``."""
    CustomFromMask.apply(module, name, mask)
    return module


def global_unstructured(parameters: Iterable[tuple[Module, str]], pruning_method: type[BasePruningMethod],
                        importance_scores: Any = None, **kwargs: Any) -> None:  # fmt: skip
    """Prune several parameters as one: by a criterion over all their elements.

    Args:
        parameters: (module, name) of each.
        pruning_method: the criterion, unstructured.
        importance_scores: tensors by (module, name), to judge by instead of the values.
        kwargs: for the criterion: ``amount=0.2``.

    Raises:
        TypeError: ``parameters`` is no list of pairs, or the criterion is not unstructured.
    """
    if not isinstance(parameters, Iterable):
        raise TypeError("global_unstructured(): parameters is not an Iterable")
    pairs: Sequence[tuple[Module, str]] = list(parameters)
    scores = {} if importance_scores is None else importance_scores
    if not isinstance(scores, dict):
        raise TypeError("global_unstructured(): importance_scores must be of type dict")

    def seen(module: Module, name: str, part: str) -> Tensor:
        return getattr(module, f"{name}_{part}" if is_pruned_by_name(module, name) else name).detach()

    together = cat([scores.get(pair, seen(*pair, "orig")).reshape(-1) for pair in pairs])
    masks = [(seen(*p, "mask") if is_pruned_by_name(*p) else ones_like(seen(*p, "orig"))).reshape(-1) for p in pairs]
    method: Any = pruning_method(**kwargs)
    method._tensor_name = "temp"
    if method.PRUNING_TYPE != "unstructured":
        raise TypeError(
            'Only "unstructured" PRUNING_TYPE supported for the `pruning_method`. Found method '
            f"{pruning_method} of type {method.PRUNING_TYPE}"
        )
    container = PruningContainer(method)
    final, start = container.compute_mask(together, cat(masks)), 0
    for module, name in pairs:
        shape = seen(module, name, "orig").shape
        custom_from_mask(module, name, final[start : start + shape.numel()].view(shape))
        start += shape.numel()


def remove(module: Module, name: str) -> Module:
    """Make the pruned tensor the parameter, without mask and original: what is 0 is trained again.

    Raises:
        ValueError: it is not pruned.
    """
    key, hook = _hook(module, name)
    if hook is None:
        raise ValueError(f"Parameter '{name}' of module {module} has to be pruned before pruning can be removed")
    hook.remove(module)
    del module._forward_pre_hooks[key]
    return module


def is_pruned(module: Module) -> bool:
    """Whether a parameter of this module, or of one below it, is pruned."""
    return any(isinstance(h, BasePruningMethod) for m in module.modules() for h in m._forward_pre_hooks.values())


def is_pruned_by_name(module: Module, name: str) -> bool:
    """Whether this parameter is pruned."""
    return _hook(module, name)[1] is not None


def _hook(module: Module, name: str) -> tuple[Any, Any]:
    """(key, hook) of what prunes this parameter; two None if nothing does."""
    for key, hook in module._forward_pre_hooks.items():
        if isinstance(hook, BasePruningMethod) and hook._tensor_name == name:
            return key, hook
    return None, None
