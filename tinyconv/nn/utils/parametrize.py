"""Parameters that are functions of others: ``register_parametrization(layer, "weight", Symmetric())`` makes
``layer.weight`` what ``Symmetric`` computes from a parameter that is trained in its place.

The trained one moves to ``layer.parametrizations.weight.original`` (several: ``original0``, ...), and the layer gets a
class of its own, with a property ``weight`` that computes. So whoever reads ``layer.weight`` gets the computed tensor
with its history, and gradients reach the original.
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from ...autograd import no_grad
from ...tensor import Tensor
from ..container import ModuleDict, ModuleList
from ..module import Module
from ..parameter import Parameter

__all__ = [
    "ParametrizationList",
    "cached",
    "is_parametrized",
    "register_parametrization",
    "remove_parametrizations",
    "type_before_parametrizations",
]


class _Cache(threading.local):  # each thread has its own
    def __init__(self) -> None:
        self.blocks = 0  # how many cached() blocks one is in
        self.tensors: dict[tuple[int, str], Tensor] = {}


_cache = _Cache()


@contextmanager
def cached() -> Iterator[None]:
    """While it lasts each parametrized tensor is computed once in this thread, when it is first read, and then read
    again."""
    _cache.blocks += 1
    try:
        yield
    finally:
        _cache.blocks -= 1
        if not _cache.blocks:
            _cache.tensors.clear()


def _file(module: Module, name: str, tensor: Tensor) -> None:
    """As a parameter if it is one, else as a buffer."""
    if isinstance(tensor, Parameter):
        module.register_parameter(name, tensor)
    else:
        module.register_buffer(name, tensor)


class ParametrizationList(ModuleList):
    """The original of a parametrized tensor, and the modules that compute it, one after the other.

    Args:
        modules: the parametrizations. Where one has a ``right_inverse``, the original is what this makes of the tensor,
            so that the tensor keeps its value.
        original: the tensor.
        unsafe: skip the check that shape and dtype stay what they are.

    Raises:
        ValueError: no modules; or shape or dtype change.
    """

    def __init__(self, modules: Sequence[Module], original: Tensor, unsafe: bool = False):
        if not modules:
            raise ValueError("ParametrizationList requires one or more modules.")
        super().__init__(modules)
        self.unsafe = unsafe
        shape, dtype = original.shape, original.dtype
        new: Any = original
        for module in reversed(list(self)):
            if hasattr(module, "right_inverse"):
                with no_grad(), suppress(NotImplementedError):
                    new = module.right_inverse(new)
        self.is_tensor = isinstance(new, Tensor)
        if not self.is_tensor and not isinstance(new, Sequence):
            raise ValueError(
                f"'right_inverse' must return a Tensor or a Sequence of tensors (list, tuple...). "
                f"Got {type(new).__name__}"
            )
        self.ntensors = 1 if self.is_tensor else len(new)
        if self.is_tensor:
            if new.dtype != dtype:
                raise ValueError(
                    "When `right_inverse` outputs one tensor, it may not change the dtype.\n"
                    f"original.dtype: {dtype}\nright_inverse(original).dtype: {new.dtype}"
                )
            if new is not original:
                original.data = new.detach()
            _file(self, "original", original)
        else:
            for i, part in enumerate(new):
                if isinstance(original, Parameter):
                    part = Parameter(part.detach(), original.requires_grad)
                _file(self, f"original{i}", part)
        if not unsafe:
            _check(self(), shape, dtype, "the parametrized tensor")

    def right_inverse(self, value: Tensor) -> None:
        """Set the original so that the parametrized tensor becomes ``value``.

        Raises:
            RuntimeError, NotImplementedError: a parametrization has no ``right_inverse``, or none for its options.
        """
        new: Any = value
        with no_grad():
            for module in reversed(list(self)):
                if not hasattr(module, "right_inverse"):
                    raise RuntimeError(f"parametrization {type(module).__name__} does not implement right_inverse.")
                new = module.right_inverse(new)
            for own, part in zip(self._originals(), [new] if self.is_tensor else new, strict=True):
                own.data = part.detach().clone() if part is value else part.detach()

    def _originals(self) -> list[Tensor]:
        if self.is_tensor:
            return [self.original]
        return [getattr(self, f"original{i}") for i in range(self.ntensors)]

    def forward(self) -> Tensor:
        """The parametrized tensor."""
        first, *others = self
        y = first(*self._originals())
        for module in others:
            y = module(y)
        return y


def _check(y: Any, shape: Any, dtype: Any, what: str) -> None:
    """Raise a ValueError where a parametrization changes shape or dtype."""
    if not isinstance(y, Tensor):
        raise ValueError(f"A parametrization must return a tensor. Got {type(y).__name__}.")
    for name, now, before in (("dtype", y.dtype, dtype), ("shape", y.shape, shape)):
        if now != before:
            raise ValueError(
                f"Registering a parametrization may not change the {name} of the tensor, unless the `unsafe` flag is "
                f"enabled.\nunparametrized {name}: {before}\n{name} of {what}: {now}"
            )


def _own_class(module: Module) -> None:
    """Give a module a class of its own, that properties can be put on."""
    cls = type(module)

    def no_pickle(self: Module) -> None:
        raise RuntimeError(
            "Serialization of parametrized modules is only supported through state_dict(): save that, and load it "
            "into a module that is parametrized in the same way"
        )

    def deep(self: Module, memo: dict) -> Module:
        made = self.__new__(cls)
        memo[id(self)] = made
        made.__dict__ = copy.deepcopy(self.__dict__, memo)
        _own_class(made)
        for name in made.parametrizations:
            _property(type(made), name)
        return made

    made = type(f"Parametrized{cls.__name__}", (cls,), {"__getstate__": no_pickle, "__deepcopy__": deep})
    made.__module__, made.__doc__ = cls.__module__, cls.__doc__
    module.__class__ = made


def _property(cls: Any, name: str) -> None:
    def computed(self: Any) -> Tensor:
        if not _cache.blocks:
            return self.parametrizations[name]()
        key, tensors = (id(self), name), _cache.tensors
        if key not in tensors:
            tensors[key] = self.parametrizations[name]()
        return tensors[key]

    def inverted(self: Any, value: Tensor) -> None:
        self.parametrizations[name].right_inverse(value)

    setattr(cls, name, property(computed, inverted))


def register_parametrization(
    module: Module, tensor_name: str, parametrization: Module, *, unsafe: bool = False
) -> Module:
    """From now on ``module``'s tensor of this name is ``parametrization(original)``; of one that is parametrized
    already, what it was is computed further.

    Args:
        module: whose parameter or buffer it is.
        tensor_name: its name.
        parametrization: computes it, and may have a ``right_inverse``: then the tensor can be assigned to, and keeps
            its value now.
        unsafe: let it change shape or dtype.

    Returns:
        ``module``.

    Raises:
        ValueError: there is no such tensor, or shape or dtype change.
    """
    parametrization.train(module.training)
    if is_parametrized(module, tensor_name):
        found = module.parametrizations[tensor_name]
        if not unsafe:
            before = getattr(module, tensor_name)
            _check(parametrization(before), before.shape, before.dtype, "parametrization(module.tensor)")
        found.append(parametrization)
        found.unsafe |= unsafe
    elif tensor_name in module._buffers or tensor_name in module._parameters:
        original = getattr(module, tensor_name)
        chain = ParametrizationList([parametrization], original, unsafe)
        delattr(module, tensor_name)
        if not is_parametrized(module):
            _own_class(module)
            module.parametrizations = ModuleDict()
        _property(type(module), tensor_name)
        module.parametrizations[tensor_name] = chain
    else:
        raise ValueError(
            f"Module '{module}' does not have a parameter, a buffer, or a parametrized element with name "
            f"'{tensor_name}'"
        )
    return module


def is_parametrized(module: Module, tensor_name: str | None = None) -> bool:
    """Whether a module has a parametrized tensor (of this name)."""
    found = module._modules.get("parametrizations") if hasattr(module, "_modules") else None
    if not isinstance(found, ModuleDict):
        return False
    return len(found) > 0 if tensor_name is None else tensor_name in found


def remove_parametrizations(module: Module, tensor_name: str, leave_parametrized: bool = True) -> Module:
    """Make a parametrized tensor a plain one again.

    Args:
        module: whose it is.
        tensor_name: its name.
        leave_parametrized: with the value it has now; False: with that of the original.

    Returns:
        ``module``, of its own class again when nothing in it is parametrized any more.

    Raises:
        ValueError: it is not parametrized, or has several originals to go back to.
    """
    if not is_parametrized(module, tensor_name):
        raise ValueError(f"Module {module} does not have a parametrization on {tensor_name}")
    chain = module.parametrizations[tensor_name]
    originals = chain._originals()
    if not chain.is_tensor and not leave_parametrized:
        raise ValueError(
            "Cannot leave unparametrized (`leave_parametrized=False`) a tensor that is parametrized in terms of a "
            "sequence of tensors."
        )
    tensor = originals[0]
    if leave_parametrized:
        with no_grad():
            value = getattr(module, tensor_name).detach()
        if chain.is_tensor:
            tensor.data = value
        else:
            trained = isinstance(tensor, Parameter)
            tensor = Parameter(value, tensor.requires_grad) if trained else value
    delattr(type(module), tensor_name)
    del module.parametrizations[tensor_name]
    _file(module, tensor_name, tensor)
    if not is_parametrized(module):
        del module.parametrizations
        module.__class__ = type(module).__bases__[0]
    return module


def type_before_parametrizations(module: Module) -> type:
    """The class a module had before it was parametrized."""
    return type(module).__bases__[0] if is_parametrized(module) else type(module)
