"""The state of modules: all their parameters and persistent buffers by their paths, to save and to load."""

from __future__ import annotations

from collections import OrderedDict, namedtuple
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from ..autograd import RemovableHandle, no_grad
from ..autograd.hooks import add_hook
from ..tensor import Tensor
from .parameter import Parameter, is_lazy

__all__ = ["IncompatibleKeys", "Stateful"]

EXTRA_STATE = "_extra_state"  # the name of what get_extra_state() gives


class IncompatibleKeys(namedtuple("IncompatibleKeys", ["missing_keys", "unexpected_keys"])):
    """What :meth:`~tinyconv.nn.Module.load_state_dict` returns: names without a value, and values without a name (lists
    of str)."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"_{super().__repr__()}" if any(self) else "<All keys matched successfully>"


class Stateful:
    """The part of :class:`~tinyconv.nn.Module` that gives and takes its state."""

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
        self._save_to_state_dict(state, prefix, keep_vars)
        for name, child in self._modules.items():
            if child is not None:
                child.state_dict(destination=state, prefix=f"{prefix}{name}.", keep_vars=keep_vars)
        for hook in list(self._state_dict_hooks.values()):
            replaced = hook(self, state, prefix, metadata)
            state = state if replaced is None else replaced
        return state

    def _save_to_state_dict(self, destination: dict[str, Any], prefix: str, keep_vars: bool) -> None:
        """Add what this module alone has to ``destination``; a class may override this."""
        for name, value in self._local_state():
            destination[prefix + name] = value if keep_vars or is_lazy(value) else value.detach()
        if type(self).get_extra_state is not Stateful.get_extra_state:
            destination[prefix + EXTRA_STATE] = self.get_extra_state()

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
        missing: list[str] = []
        unexpected: list[str] = []
        errors: list[str] = []
        later: list[Callable[[], None]] = []
        loaded: list[Stateful] = []

        def load(module: Stateful, state: dict[str, Any], prefix: str) -> None:
            local = {**metadata.get(prefix[:-1], {}), **({"assign_to_params_buffers": True} if assign else {})}
            if type(module)._load_from_state_dict is Stateful._load_from_state_dict:
                later.extend(module._loading_steps(state, prefix, local, True, missing, unexpected, errors))
            else:
                module._load_from_state_dict(state, prefix, local, True, missing, unexpected, errors)
            loaded.append(module)
            for name, child in module._modules.items():
                if child is not None:
                    below = f"{prefix}{name}."
                    load(child, {key: value for key, value in state.items() if key.startswith(below)}, below)

        load(self, OrderedDict(state_dict), "")
        if strict and unexpected:
            errors.insert(0, f"Unexpected key(s) in state_dict: {', '.join(map(_quoted, unexpected))}. ")
        if strict and missing:
            errors.insert(0, f"Missing key(s) in state_dict: {', '.join(map(_quoted, missing))}. ")
        if errors:
            listed = "\n\t".join(errors)
            raise RuntimeError(f"Error(s) in loading state_dict for {type(self).__name__}:\n\t{listed}")
        for step in later:
            step()
        keys = IncompatibleKeys(missing, unexpected)
        for module in reversed(loaded):  # children first, as in PyTorch
            for hook in list(module._load_state_dict_post_hooks.values()):
                hook(module, keys)
        return keys

    def _load_from_state_dict(self, *args: Any, **kwargs: Any) -> None:
        """Load what ``state_dict`` has for this module alone; :meth:`load_state_dict` asks every module to. A class may
        override this, to read what its earlier versions saved (then it is loaded at once, whatever goes wrong with
        other modules).

        Args:
            state_dict: what is loaded, of this module and those below; it may be changed.
            prefix: the module's path and a dot; "" for the whole model's.
            local_metadata: "version", the class's ``_version`` when it was saved; "assign_to_params_buffers".
            strict: whether to add to the two lists of keys.
            missing_keys, unexpected_keys: to add to: names without a value, and values without a name.
            error_msgs: to add to: what else does not fit.
        """
        for step in self._loading_steps(*args, **kwargs):
            step()

    def _loading_steps(
        self,
        state_dict: dict[str, Any],
        prefix: str,
        local_metadata: Mapping[str, Any],
        strict: bool,
        missing_keys: list[str],
        unexpected_keys: list[str],
        error_msgs: list[str],
    ) -> list[Callable[[], None]]:
        """Check what :meth:`_load_from_state_dict` is given; returns the calls that load it."""
        for hook in list(self._load_state_dict_pre_hooks.values()):
            hook(self, state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs)
        missing: list[str] = []
        steps: list[Callable[[], None]] = []
        assign = local_metadata.get("assign_to_params_buffers", False)
        own_state: dict[str, Any] = dict(self._local_state())
        for name, own in own_state.items():
            key = prefix + name
            if key not in state_dict:
                if local_metadata.get("version", 1) >= self._since_version.get(name, 1):
                    missing.append(key)
                continue
            value = state_dict[key]
            if not isinstance(value, Tensor):
                error_msgs.append(
                    f'While copying the parameter named "{key}", expected tinyconv.Tensor from checkpoint but '
                    f"received {type(value)}"
                )
            elif not is_lazy(own) and value.shape != own.shape:
                error_msgs.append(
                    f"size mismatch for {key}: copying a param with shape {value.shape} from checkpoint, "
                    f"the shape in current model is {own.shape}."
                )
            elif not (is_lazy(own) and is_lazy(value)):  # if both are, they agree already
                steps.append(partial(self._load, name, own, value, assign))
        extra = prefix + EXTRA_STATE
        if type(self).set_extra_state is not Stateful.set_extra_state:
            if extra in state_dict:
                steps.append(partial(self.set_extra_state, state_dict[extra]))
            else:
                missing.append(extra)
            own_state[EXTRA_STATE] = None
        if strict:
            missing_keys += missing
            for key in state_dict:
                if key.startswith(prefix):
                    name, dot, _ = key[len(prefix) :].partition(".")
                    if name not in (self._modules if dot else own_state):
                        unexpected_keys.append(key)
        return steps

    def _load(self, name: str, own: Any, value: Tensor, assign: bool) -> None:
        """Give the parameter or buffer ``own``, whose name is ``name``, a value that fits."""
        with no_grad():
            if is_lazy(own):
                own.materialize(value.shape)
            if not assign:
                own.copy_(value)
            elif isinstance(own, Parameter):
                setattr(self, name, Parameter(value, requires_grad=own.requires_grad))
            else:
                setattr(self, name, value)

    def get_extra_state(self) -> Any:
        """What ``state_dict()`` holds of this module besides tensors, under its path and ``_extra_state``. Override it
        together with :meth:`set_extra_state` where there is any; :func:`tinyconv.save` takes numbers, strings, tensors,
        lists and dicts."""
        raise RuntimeError(f"{type(self).__name__}.get_extra_state: the class has no extra state; override it")

    def set_extra_state(self, state: Any) -> None:
        """Take over what :meth:`get_extra_state` gave."""
        raise RuntimeError(f"{type(self).__name__}.set_extra_state: the class has no extra state; override it")

    def register_state_dict_pre_hook(self, hook: Callable) -> RemovableHandle:
        """Call ``hook(module, prefix, keep_vars)`` before ``state_dict()`` reads this module."""
        return add_hook(self._state_dict_pre_hooks, hook)

    def register_state_dict_post_hook(self, hook: Callable) -> RemovableHandle:
        """Call ``hook(module, state_dict, prefix, local_metadata)`` when ``state_dict()`` has read this module and all
        below; it may change the dict. ``local_metadata`` holds the module's version."""
        return add_hook(self._state_dict_hooks, hook)

    def register_load_state_dict_pre_hook(self, hook: Callable) -> RemovableHandle:
        """Call ``hook(module, state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs)``
        before anything is loaded; it may rename in the dict, which is a copy, and add to the lists."""
        return add_hook(self._load_state_dict_pre_hooks, hook)

    def register_load_state_dict_post_hook(self, hook: Callable) -> RemovableHandle:
        """Call ``hook(module, incompatible_keys)`` when everything is loaded; it may change the two lists."""
        return add_hook(self._load_state_dict_post_hooks, hook)

    def _register_state_dict_hook(self, hook: Callable) -> RemovableHandle:
        """The older, private name of :meth:`register_state_dict_post_hook`, which published networks use."""
        return self.register_state_dict_post_hook(hook)

    def _register_load_state_dict_pre_hook(self, hook: Callable, with_module: bool = False) -> RemovableHandle:
        """Likewise for :meth:`register_load_state_dict_pre_hook`; without ``with_module`` the hook is not given the
        module."""
        return self.register_load_state_dict_pre_hook(hook if with_module else _WithoutModule(hook))


@dataclass(frozen=True)
class _WithoutModule:
    """A hook that is not given the module."""

    hook: Callable

    def __call__(self, module: Stateful, *arguments: Any) -> None:
        self.hook(*arguments)


def _quoted(key: str) -> str:
    return f'"{key}"'
