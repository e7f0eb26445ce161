"""The state of modules: all their parameters and persistent buffers by their paths, to save and to load."""

from __future__ import annotations

from collections import OrderedDict, namedtuple
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ..autograd import RemovableHandle, no_grad
from ..tensor import Tensor
from .hooks import added
from .parameter import Parameter, is_lazy

__all__ = ["IncompatibleKeys", "Stateful"]


class IncompatibleKeys(namedtuple("IncompatibleKeys", ["missing_keys", "unexpected_keys"])):
    """What :meth:`Module.load_state_dict` returns: names without a value, and values without a name (lists of str)."""

    __slots__ = ()

    def __repr__(self) -> str:
        return super().__repr__() if any(self) else "<All keys matched successfully>"


class Stateful:
    """The part of :class:`Module` that gives and takes its state."""

    _version = 1  # of what the class saves
    _since_version: Mapping[str, int] = {}  # what it saves only from a later version on
    _parameters: Any
    _buffers: Any
    _modules: Any
    _non_persistent_buffers_set: set[str]
    _state_dict_pre_hooks: OrderedDict[int, Callable]
    _state_dict_hooks: OrderedDict[int, Callable]
    _load_state_dict_pre_hooks: OrderedDict[int, Callable]
    _load_state_dict_post_hooks: OrderedDict[int, Callable]
    named_modules: Callable[..., Any]

    def _local_state(self) -> Iterator[tuple[str, Tensor]]:
        """The parameters and persistent buffers of this module alone."""
        for name, parameter in self._parameters.items():
            if parameter is not None:
                yield name, parameter
        for name, buffer in self._buffers.items():
            if buffer is not None and name not in self._non_persistent_buffers_set:
                yield name, buffer

    def state_dict(
        self, *, destination: dict[str, Any] | None = None, prefix: str = "", keep_vars: bool = False
    ) -> dict[str, Any]:
        """Every parameter and persistent buffer by its path. The tensors share the module's memory.

        Args:
            destination: a dict to add them to, instead of a new OrderedDict.
            prefix: put before every path.
            keep_vars: the Parameters themselves, not detached.

        As in PyTorch, the dict's attribute ``_metadata`` says which version each module has.
        """
        state: Any = OrderedDict() if destination is None else destination
        if destination is None:
            state._metadata = OrderedDict()
        metadata = {"version": self._version}
        if hasattr(state, "_metadata"):
            state._metadata[prefix[:-1]] = metadata
        for hook in list(self._state_dict_pre_hooks.values()):
            hook(self, prefix, keep_vars)
        for name, value in self._local_state():
            state[prefix + name] = value if keep_vars or is_lazy(value) else value.detach()
        for name, child in self._modules.items():
            if child is not None:
                child.state_dict(destination=state, prefix=f"{prefix}{name}.", keep_vars=keep_vars)
        for hook in list(self._state_dict_hooks.values()):
            replaced = hook(self, state, prefix, metadata)
            state = state if replaced is None else replaced
        return state

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> IncompatibleKeys:
        """Copy the values of ``state_dict`` into the parameters and buffers of the same paths: all, or none at all.

        Args:
            state_dict: tensors by path, as :meth:`state_dict` gives them.
            strict: the paths must match exactly. (What a class did not save yet, by the version that ``state_dict``
                says it has, may be missing.)
            assign: take over the given tensors instead of copying (make the optimizer afterwards).

        Returns:
            (missing_keys, unexpected_keys), both empty after a strict load.

        Raises:
            TypeError: ``state_dict`` is no mapping.
            RuntimeError: everything that does not fit, in one list: missing and unexpected paths (if ``strict``), wrong
                shapes, values that are no tensors. Nothing was loaded then.
        """
        if not isinstance(state_dict, Mapping):
            raise TypeError(f"Expected state_dict to be dict-like, got {type(state_dict)}.")
        metadata = getattr(state_dict, "_metadata", {})
        state_dict = OrderedDict(state_dict)  # a copy, in which the hooks may rename
        missing: list[str] = []
        unexpected: list[str] = []
        errors: list[str] = []
        known: set[str] = set()
        fitting: list[tuple[Stateful, str, Tensor, Tensor]] = []
        modules = list(self.named_modules(remove_duplicate=False))
        for path, module in modules:
            for hook in list(module._load_state_dict_pre_hooks.values()):
                prefix = f"{path}." if path else ""
                hook(module, state_dict, prefix, metadata.get(path, {}), strict, missing, unexpected, errors)
        for path, module in modules:
            for name, own in module._local_state():
                key = f"{path}.{name}" if path else name
                known.add(key)
                if key not in state_dict:
                    if metadata.get(path, {}).get("version", 1) >= module._since_version.get(name, 1):
                        missing.append(key)
                    continue
                value = state_dict[key]
                if not isinstance(value, Tensor):
                    errors.append(
                        f'While copying the parameter named "{key}", expected tinyconv.Tensor from checkpoint but '
                        f"received {type(value)}"
                    )
                elif is_lazy(own):
                    if not is_lazy(value):  # if both are, they agree already
                        fitting.append((module, name, own, value))
                elif value.shape != own.shape:
                    errors.append(
                        f"size mismatch for {key}: copying a param with shape {value.shape} from checkpoint, "
                        f"the shape in current model is {own.shape}."
                    )
                else:
                    fitting.append((module, name, own, value))
        unexpected += [key for key in state_dict if key not in known]
        if strict and unexpected:
            errors.insert(0, f"Unexpected key(s) in state_dict: {', '.join(map(_quoted, unexpected))}. ")
        if strict and missing:
            errors.insert(0, f"Missing key(s) in state_dict: {', '.join(map(_quoted, missing))}. ")
        if errors:
            listed = "\n\t".join(errors)
            raise RuntimeError(f"Error(s) in loading state_dict for {type(self).__name__}:\n\t{listed}")
        with no_grad():
            for module, name, own, value in fitting:
                if is_lazy(own):
                    own.materialize(value.shape)  # type: ignore[attr-defined]
                if not assign:
                    own.copy_(value)
                elif isinstance(own, Parameter):
                    setattr(module, name, Parameter(value, requires_grad=own.requires_grad))
                else:
                    setattr(module, name, value)
        keys = IncompatibleKeys(missing, unexpected)
        for _, module in reversed(modules):  # children first, as in PyTorch
            for hook in list(module._load_state_dict_post_hooks.values()):
                hook(module, keys)
        return keys

    def register_state_dict_pre_hook(self, hook: Callable) -> RemovableHandle:
        """Call ``hook(module, prefix, keep_vars)`` before ``state_dict()`` reads this module."""
        return added(self._state_dict_pre_hooks, hook)

    def register_state_dict_post_hook(self, hook: Callable) -> RemovableHandle:
        """Call ``hook(module, state_dict, prefix, local_metadata)`` when ``state_dict()`` has read this module and all
        below; it may change the dict. ``local_metadata`` holds the module's version."""
        return added(self._state_dict_hooks, hook)

    def register_load_state_dict_pre_hook(self, hook: Callable) -> RemovableHandle:
        """Call ``hook(module, state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs)``
        before anything is loaded; it may rename in the dict, which is a copy, and add to the lists."""
        return added(self._load_state_dict_pre_hooks, hook)

    def register_load_state_dict_post_hook(self, hook: Callable) -> RemovableHandle:
        """Call ``hook(module, incompatible_keys)`` when everything is loaded; it may change the two lists."""
        return added(self._load_state_dict_post_hooks, hook)


def _quoted(key: str) -> str:
    return f'"{key}"'
