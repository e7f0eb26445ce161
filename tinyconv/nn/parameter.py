"""Parameter: a tensor that is meant to be trained, so a :class:`~tinyconv.nn.Module` that it is assigned to lists it;
Buffer, one that is saved with its module but not trained; and both while nobody knows their shape yet."""

from __future__ import annotations

from typing import Any

from ..formatting import format_tensor
from ..ops import empty
from ..tensor import Tensor

__all__ = ["Buffer", "Parameter", "UninitializedBuffer", "UninitializedParameter", "is_lazy"]


class Parameter(Tensor):
    """A tensor to train.

    Args:
        data: a Tensor, whose memory is shared, not copied (or a bare array).
        requires_grad: False for a parameter that is saved and moved with its module, but frozen.

    Raises:
        RuntimeError: integers that require a gradient.
    """

    def __init__(self, data: Any, requires_grad: bool = True):
        super().__init__(data, requires_grad)
        if isinstance(data, Tensor):
            self._counter = data._counter  # the same memory: a change of one is a change of the other

    def __repr__(self) -> str:
        return "Parameter containing:\n" + format_tensor(self)


class _BufferType(type):
    """The class of :class:`Buffer`, which marks tensors instead of being theirs."""

    def __call__(cls, data: Tensor | None = None, *, persistent: bool = True) -> Tensor:
        tensor: Any = empty(0) if data is None else data.detach().requires_grad_(data.requires_grad)
        tensor.persistent, tensor._is_buffer = persistent, True
        return tensor

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, Tensor) and getattr(instance, "_is_buffer", False)


class Buffer(metaclass=_BufferType):
    """A tensor that a :class:`~tinyconv.nn.Module` files among its buffers when it is assigned to it:
    ``self.mean = Buffer(zeros(3))`` is ``self.register_buffer("mean", zeros(3))``.

    Args:
        data: a Tensor, whose memory is shared, not copied (default: one without elements).
        persistent: whether ``state_dict()`` holds it.

    Returns:
        A plain Tensor that is marked: ``isinstance(x, Buffer)``.
    """


class _Uninitialized(Tensor):
    """A tensor with an element type and a device, but without a shape yet, and so without an array.

    It can be moved, converted, saved and loaded with its module; whatever asks for its elements is an error. When the
    shape is known :meth:`materialize` makes it an ordinary tensor, and it stays the same object: an optimizer that was
    given it before trains it.
    """

    cls_to_become: type[Tensor] = Tensor

    def __init__(self, requires_grad: bool = False, device: Any = None, dtype: Any = None):
        self._wanted = requires_grad
        self._nothing = empty(0, device=device, dtype=dtype)
        self._counter = [0]
        self._grad = self._edge = self._base = None

    def materialize(self, shape: Any, device: Any = None, dtype: Any = None) -> None:
        """Become a tensor of this shape, with undefined contents.

        Args:
            shape: its sizes.
            device, dtype: default: those given when it was made.
        """
        wanted, like = self._wanted, self._nothing
        del self._wanted, self._nothing
        self.__class__ = self.cls_to_become  # type: ignore[assignment]
        made = empty(*shape, device=like.device if device is None else device, dtype=dtype or like.dtype)
        Tensor.__init__(self, made, wanted)

    @property
    def array(self) -> Any:
        raise ValueError(
            f"an {type(self).__name__} was used: it has no elements before the LazyModule it belongs to has seen its "
            "first input. Call the module (or the whole model) once with a batch, then use its parameters"
        )

    @property
    def shape(self) -> Any:
        raise RuntimeError(
            "Can't access the shape of an uninitialized parameter or buffer. Call the module once with a batch to "
            "initialize them; before that, they cannot be loaded into initialized ones either"
        )

    @property
    def data(self) -> Tensor:
        return self._nothing

    @data.setter
    def data(self, value: Tensor) -> None:
        self._nothing = value._nothing if isinstance(value, _Uninitialized) else value

    @property
    def dtype(self) -> Any:
        return self._nothing.dtype

    @property
    def device(self) -> Any:
        return self._nothing.device

    @property
    def requires_grad(self) -> bool:
        return self._wanted

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        self._wanted = value

    def is_floating_point(self) -> bool:
        return self._nothing.is_floating_point()

    def to(self, *args: Any, **kwargs: Any) -> Tensor:
        """One of another element type, or on another device, that is uninitialized as well."""
        like = self._nothing.to(*args, **kwargs)
        return type(self)(self._wanted, like.device, like.dtype)

    def __deepcopy__(self, memo: dict) -> Tensor:
        return type(self)(self._wanted, self.device, self.dtype)

    def __reduce__(self) -> tuple:
        return type(self), (self._wanted, str(self.device), self.dtype)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


class UninitializedParameter(_Uninitialized, Parameter):
    """A parameter whose shape is not known yet.

    Args:
        requires_grad: whether it is to be trained.
        device, dtype: what it will have.
    """

    cls_to_become = Parameter

    def __init__(self, requires_grad: bool = True, device: Any = None, dtype: Any = None):
        super().__init__(requires_grad, device, dtype)


class UninitializedBuffer(_Uninitialized):
    """A buffer whose shape is not known yet.

    Args:
        requires_grad: whether gradients are to be computed.
        device, dtype: what it will have.
        persistent: whether ``state_dict()`` holds it.
    """

    def __init__(self, requires_grad: bool = False, device: Any = None, dtype: Any = None, persistent: bool = True):
        super().__init__(requires_grad, device, dtype)
        self.persistent, self._is_buffer = persistent, True


def is_lazy(param: Any) -> bool:
    """Whether ``param`` is an :class:`UninitializedParameter` or an :class:`UninitializedBuffer`."""
    return isinstance(param, _Uninitialized)
