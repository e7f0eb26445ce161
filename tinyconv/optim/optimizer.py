"""Optimizer: what every rule for changing parameters has in common.

Parameters come in *groups*, each a dict with its ``params`` and its own options (learning rate, ...). What a rule
remembers of a parameter (its momentum) is in ``state``, under the parameter itself. A state dict must outlive the
process, so it numbers the parameters in the order of the groups instead.
"""

from __future__ import annotations

import functools
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from itertools import chain
from numbers import Real
from typing import Any

from ..autograd import RemovableHandle, enable_grad
from ..autograd.hooks import add_hook
from ..autograd.inplace import is_read_only
from ..caller import warn
from ..cuda import is_current_stream_capturing
from ..tensor import Tensor

__all__ = ["Optimizer"]


class Optimizer:
    """Base class. A subclass passes its options' defaults to ``__init__`` and defines ``step`` (or, as those here,
    ``_step_group``).

    Args:
        params: tensors, (name, tensor) pairs as ``named_parameters()`` gives them, or dicts with ``params`` and
            options.
        defaults: options for groups that do not give their own.

    Attributes:
        param_groups: the groups, dicts with ``params`` and options.
        state: what is remembered, by parameter.

    Raises:
        TypeError: a Tensor, or a model, instead of an iterable of tensors; something else than tensors; a group in a
            set, whose order is not fixed.
        ValueError: no parameters; a tensor that was computed, or is on read-only memory; one that is in two groups;
            names for some only.
    """

    _stepped = False  # whether step() was ever called: schedules of the learning rate warn if not

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "step" in cls.__dict__:
            cls.step = _hooked(cls.__dict__["step"])  # type: ignore[method-assign]

    def __init__(self, params: Iterable[Any], defaults: dict[str, Any]):
        if isinstance(params, Tensor):
            raise TypeError(
                "params argument given to the optimizer should be an iterable of Tensors or dicts, but got "
                f"{type(params).__name__}"
            )
        if not isinstance(params, Iterable):
            model = hasattr(params, "parameters")
            raise TypeError(
                f"params must be an iterable of tensors, got {type(params).__name__}"
                + ("; say model.parameters()" if model else "")
            )
        self.defaults = defaults
        self.state: defaultdict[Any, dict[str, Any]] = defaultdict(dict)
        self.param_groups: list[dict[str, Any]] = []
        self._step_pre_hooks: OrderedDict[int, Callable] = OrderedDict()
        self._step_post_hooks: OrderedDict[int, Callable] = OrderedDict()
        groups = list(params)
        if not groups:
            raise ValueError("optimizer got an empty parameter list")
        if not isinstance(groups[0], dict):
            groups = [{"params": groups}]
        for group in groups:
            self.add_param_group(group)

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a group, for instance layers that were frozen so far.

        Args:
            param_group: ``params`` (one tensor or several), and options that differ from the defaults.

        Raises:
            TypeError, ValueError: as for the class.
        """
        if not isinstance(param_group, dict):
            raise TypeError(f"param_group must be a dict, but got {type(param_group)}")
        params = param_group["params"]
        if isinstance(params, (set, frozenset)):
            raise TypeError(
                "optimizer parameters need to be organized in ordered collections, but the ordering of tensors in sets "
                "will change between runs. Please use a list instead."
            )
        params = [params] if isinstance(params, Tensor) else list(params)
        names = [p[0] for p in params if isinstance(p, tuple)]
        if names and len(names) != len(params):
            raise ValueError("all optimizer params should be with/without names. Some param names are missing")
        params = [p[1] if isinstance(p, tuple) else p for p in params]
        for i, p in enumerate(params):
            if not isinstance(p, Tensor):
                raise TypeError(f"optimizer can only optimize Tensors, but one of the params is {type(p).__name__}")
            if not (p.is_leaf or p.retains_grad):
                raise ValueError("can't optimize a non-leaf Tensor")
            if is_read_only(p.data.array):  # a lazy layer's parameters have data, but no array yet
                raise ValueError(
                    f"can't optimize a tensor on read-only memory: parameter {i} of the group, of shape "
                    f"{tuple(p.shape)}, was made from a NumPy array that may not be written to; make it of a copy"
                )
        ids = {id(p) for p in params}
        if len(ids) != len(params):
            warn("optimizer contains a parameter group with duplicate parameters")
        for group in self.param_groups:
            if bool(names) != ("param_names" in group):
                raise ValueError(
                    "all optimizer param groups should be with/without names. cannot add param group "
                    f"{'with' if names else 'without'} names to the optimizer"
                )
            if not ids.isdisjoint(map(id, group["params"])):
                raise ValueError("some parameters appear in more than one parameter group")
        param_group["params"] = params
        if names:
            param_group["param_names"] = names
        for name, default in self.defaults.items():
            param_group.setdefault(name, default)
        self.param_groups.append(param_group)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all parameters, or with ``set_to_none=False`` fill them with zeros.

        ``backward()`` accumulates: it adds to the gradients that are there. Without ``zero_grad()`` between two steps
        the second one takes the gradients of both.
        """
        for group in self.param_groups:
            for p in group["params"]:
                if set_to_none:
                    p.grad = None
                elif p.grad is not None:
                    if p.grad.requires_grad:  # it has a history, of create_graph
                        p.grad = p.grad.detach()
                    p.grad.zero_()

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Change every parameter that has a gradient.

        Args:
            closure: evaluates the model anew and returns the loss.

        Returns:
            The closure's loss, or None.
        """
        loss = evaluated(closure)
        for group in self.param_groups:
            self._step_group(group)
        return loss

    def _step_group(self, group: dict[str, Any]) -> None:
        """Change the parameters of one group, unless ``step`` is defined otherwise."""
        raise NotImplementedError(f"{type(self).__name__} must define step()")

    def register_step_pre_hook(self, hook: Callable) -> RemovableHandle:
        """Call ``hook(optimizer, args, kwargs)`` before each step; a tuple (args, kwargs) that it returns replaces the
        step's arguments. Returns a handle whose ``remove()`` takes the hook away."""
        return add_hook(self._step_pre_hooks, hook)

    def register_step_post_hook(self, hook: Callable) -> RemovableHandle:
        """Call ``hook(optimizer, args, kwargs)`` after each step. Returns a handle whose ``remove()`` takes the hook
        away."""
        return add_hook(self._step_post_hooks, hook)

    def state_dict(self) -> dict[str, Any]:
        """``{"state": {0: {...}, ...}, "param_groups": [{"params": [0, ...], ...}, ...]}``, PyTorch's format:
        parameters are numbered in the order of the groups. The tensors share memory with the optimizer's."""
        number: dict[int, int] = {}
        groups = []
        for group in self.param_groups:
            for p in group["params"]:
                number.setdefault(id(p), len(number))
            options = {name: value for name, value in group.items() if name != "params"}
            groups.append({**options, "params": [number[id(p)] for p in group["params"]]})
        state = {number[id(k)] if isinstance(k, Tensor) else k: v for k, v in self.state.items()}
        return {"state": state, "param_groups": groups}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Continue from what :meth:`state_dict` gave, with this optimizer's own parameters in the same order. Tensors
        are copied, in the type and to the device of their parameter.

        Raises:
            ValueError: other groups than this optimizer has, or other shapes. Nothing was loaded then.
        """
        saved = [{**group} for group in state_dict["param_groups"]]
        if len(saved) != len(self.param_groups):
            raise ValueError(
                "loaded state dict has a different number of parameter groups "
                f"({len(saved)}, the optimizer has {len(self.param_groups)})"
            )
        for i, (new, own) in enumerate(zip(saved, self.param_groups, strict=True)):
            if len(new["params"]) != len(own["params"]):
                raise ValueError(
                    "loaded state dict contains a parameter group that doesn't match the size of optimizer's group "
                    f"(group {i}: {len(new['params'])} parameters, the optimizer has {len(own['params'])})"
                )
        numbers = chain.from_iterable(group["params"] for group in saved)
        own_params = chain.from_iterable(group["params"] for group in self.param_groups)
        parameter = dict(zip(numbers, own_params, strict=True))
        state: defaultdict[Any, dict[str, Any]] = defaultdict(dict)
        for key, value in state_dict["state"].items():
            if key in parameter:
                self._check_memory(parameter[key], value)
                state[parameter[key]] = _copied_for(parameter[key], value)
            else:
                state[key] = value
        for new, own in zip(saved, self.param_groups, strict=True):
            options = {name: deepcopy(value) for name, value in new.items() if name != "params"}
            params, names = own["params"], own.get("param_names")
            own.clear()
            own.update({"params": params, **options})
            if names is not None:
                own.setdefault("param_names", names)
        self.__setstate__({"state": state, "param_groups": self.param_groups})

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take the attributes in ``state``: after copying, unpickling and loading. A subclass that has got new options
        overrides it, to give groups that were saved without them their defaults."""
        self.__dict__.update(state)

    def _check_memory(self, parameter: Tensor, memory: dict[str, Any]) -> None:
        """Raise ValueError if what is about to be loaded cannot belong to ``parameter``. For subclasses to define."""

    def __repr__(self) -> str:
        lines = []
        for i, group in enumerate(self.param_groups):
            lines += ["", f"Parameter Group {i}"]
            lines += [f"    {key}: {group[key]}" for key in sorted(group) if key != "params"]
        return f"{type(self).__name__} (" + "\n".join(lines) + "\n)"


def _hooked(step: Callable) -> Callable:
    """``step`` as a class defines it, with the hooks around it, and noted."""

    @functools.wraps(step)
    def hooked(self: Optimizer, *args: Any, **kwargs: Any) -> Any:
        inner = type(self).step is not hooked  # a subclass's own step, which has run the hooks, calls this one
        if inner or "_step_pre_hooks" not in self.__dict__:  # or it wraps an optimizer and skipped our __init__
            return step(self, *args, **kwargs)
        if is_current_stream_capturing():
            raise RuntimeError(
                f"{type(self).__name__}.step: inside a CUDA graph it would be repeated with this step's learning rate; "
                "let the optimizer step after graph.replay()"
            )
        self._stepped = True
        for hook in list(self._step_pre_hooks.values()):
            replaced = hook(self, args, kwargs)
            if replaced is not None:
                if not (isinstance(replaced, tuple) and len(replaced) == 2):
                    raise RuntimeError(
                        f"{type(self).__name__}.step: a step pre-hook must return None or a tuple of (new_args, "
                        f"new_kwargs), but got {replaced}"
                    )
                args, kwargs = replaced
        result = step(self, *args, **kwargs)
        for hook in list(self._step_post_hooks.values()):
            hook(self, args, kwargs)
        return result

    return hooked


Optimizer.step = _hooked(Optimizer.step)  # type: ignore[method-assign]


def evaluated(closure: Callable[[], Any] | None) -> Any:
    """What ``closure`` returns, the loss, computed with recording on; None without one."""
    if closure is None:
        return None
    with enable_grad():
        return closure()


def check_rate(lr: Any) -> None:
    """Raise an error unless ``lr`` is a non-negative number or one-element Tensor.

    Raises:
        TypeError: it is something else.
        ValueError: it is negative or NaN, or has several elements.
    """
    if not isinstance(lr, Real | Tensor):
        raise TypeError(f"lr must be a number or a one-element Tensor, got {lr!r}")
    if isinstance(lr, Tensor) and lr.numel() != 1:
        raise ValueError("Tensor lr must be 1-element")
    if not float(lr) >= 0:  # `not >=`, so that NaN is refused as well
        raise ValueError(f"Invalid learning rate: {lr}")


def check_not_negative(**options: float) -> None:
    """Raise ValueError for the first option that is negative or NaN."""
    for name, value in options.items():
        if not value >= 0:
            raise ValueError(f"Invalid {name} value: {value}")


def check_betas(betas: tuple[float, float]) -> None:
    """Raise ValueError unless both are in [0, 1)."""
    for i, beta in enumerate(betas):
        if not 0 <= beta < 1:
            raise ValueError(f"Invalid beta parameter at index {i}: {beta}")


def check_not_differentiable(name: str, differentiable: bool) -> None:
    """Raise NotImplementedError if the update should be recorded."""
    if differentiable:
        raise NotImplementedError(f"{name}: differentiable=True is not implemented: the update is not recorded")


def check_gradient(name: str, parameter: Tensor) -> None:
    """Raise RuntimeError unless the gradient fits its parameter in shape and dtype."""
    x, g = parameter.array, parameter.grad.array  # type: ignore[union-attr]
    if g.shape != x.shape or g.dtype != x.dtype:
        raise RuntimeError(f"{name}: a parameter of {described(x)} has a gradient of {described(g)}")


def check_memory(parameter: Tensor, memory: dict[str, Any]) -> None:
    """Raise ValueError if a tensor in ``memory`` has neither the parameter's shape nor is a single number."""
    for name, value in memory.items():
        if isinstance(value, Tensor) and value.shape not in (parameter.shape, ()):
            raise ValueError(
                f"loaded state dict has a {name} of shape {tuple(value.shape)} for a parameter of shape "
                f"{tuple(parameter.shape)}"
            )


def described(array: Any) -> str:
    """How errors describe an array."""
    return f"shape {tuple(array.shape)} and dtype {array.dtype}"


def _copied_for(parameter: Tensor, value: Any, key: str | None = None) -> Any:
    """A copy of what was remembered, with tensors in the parameter's type and place (but "step", which counts)."""
    if isinstance(value, Tensor):
        if key == "step":
            return value.detach().clone()
        return value.detach().to(dtype=parameter.dtype, device=parameter.device).clone()
    if isinstance(value, Mapping):
        return {k: _copied_for(parameter, v, k) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_copied_for(parameter, v) for v in value)
    return value
