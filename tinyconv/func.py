"""Functions of functions, under the names of ``torch.func``: derivatives as functions, modules as functions of their
parameters, and functions of one example as functions of a batch.

They may be nested in any order. :func:`vmap` is a loop over the examples: what PyTorch computes, not how fast.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .autograd import enable_grad
from .autograd import grad as _gradients
from .autograd.functional import pushed_forward
from .nn import Module
from .nn.utils import stateless
from .ops import stack
from .tensor import Tensor

__all__ = [
    "functional_call",
    "grad",
    "grad_and_value",
    "hessian",
    "jacfwd",
    "jacrev",
    "jvp",
    "stack_module_state",
    "vjp",
    "vmap",
]


def functional_call(module: Module, parameter_and_buffer_dicts: Any, args: Any = None,
                    kwargs: Mapping[str, Any] | None = None, *, tie_weights: bool = True,
                    strict: bool = False) -> Any:  # fmt: skip
    """:func:`tinyconv.nn.utils.stateless.functional_call`, also of several dicts, in which no path may occur twice.

    Raises:
        ValueError: a path in two dicts; neither a dict nor several.
    """
    tensors = parameter_and_buffer_dicts
    if isinstance(tensors, Sequence):
        merged: dict[str, Tensor] = {}
        for part in tensors:
            if twice := merged.keys() & part.keys():
                raise ValueError(f"functional_call: {sorted(twice)} are in two of the dicts")
            merged.update(part)
        tensors = merged
    elif not isinstance(tensors, Mapping):
        raise ValueError(f"functional_call: expected a dict or a sequence of dicts, got {type(tensors).__name__}")
    return stateless.functional_call(module, tensors, args, kwargs, tie_weights=tie_weights, strict=strict)


def grad_and_value(func: Callable, argnums: int | tuple[int, ...] = 0, has_aux: bool = False) -> Callable:
    """A function that returns (gradients, value) of ``func``, which returns one number.

    Args:
        func: a function of tensors, or of lists, tuples and dicts of them.
        argnums: for which arguments the gradient is wanted: a number, or a tuple of numbers, which gives a tuple.
        has_aux: ``func`` returns (value, anything), and the new function (gradients, (value, anything)).

    Raises:
        RuntimeError: when called, and the value has more elements than one.
    """

    def both(*args: Any, **kwargs: Any) -> tuple:
        wanted = (argnums,) if isinstance(argnums, int) else tuple(argnums)
        leaves: list[Tensor] = []
        with enable_grad():
            copies = list(args)
            for place in wanted:
                copies[place] = _mapped(lambda x: _collected(x, leaves), args[place])
            found = func(*copies, **kwargs)
            value = found[0] if has_aux else found
            if not isinstance(value, Tensor) or value.dim():
                shape = tuple(value.shape) if isinstance(value, Tensor) else type(value).__name__
                raise RuntimeError(f"grad: func must return a 0-d tensor, got {shape}")
            further = any(x.requires_grad for x in _tensors([args, kwargs]))  # someone outside differentiates, too
            slopes = iter(_gradients(value, leaves, create_graph=further, allow_unused=True))
        zeros = iter(leaves)

        def slope(_: Tensor) -> Tensor:
            g, x = next(slopes), next(zeros)
            return x.new_zeros(x.shape) if g is None else g

        grads = tuple([_mapped(slope, args[place]) for place in wanted])
        found = found if further else _mapped(lambda y: y.detach(), found)
        return grads[0] if isinstance(argnums, int) else grads, found

    return both


def grad(func: Callable, argnums: int | tuple[int, ...] = 0, has_aux: bool = False) -> Callable:
    """A function that returns the gradient of ``func``, with the arguments of :func:`grad_and_value`; with ``has_aux``
    (gradient, anything)."""
    both = grad_and_value(func, argnums, has_aux)

    def slope(*args: Any, **kwargs: Any) -> Any:
        grads, value = both(*args, **kwargs)
        return (grads, value[1]) if has_aux else grads

    return slope


def vjp(func: Callable, *primals: Any, has_aux: bool = False) -> tuple:
    """``func(*primals)`` and the function v -> v^T J, J its Jacobian there.

    Returns:
        (output, function), and what else ``func`` returned if it returns (output, anything) with ``has_aux``. The
        function takes tensors like the outputs and returns a tuple of tensors like ``primals``; it may be called again.
    """
    leaves: list[Tensor] = []
    further = any(x.requires_grad for x in _tensors(primals))
    with enable_grad():
        found = func(*_mapped(lambda x: _collected(x, leaves), primals))
    ys = _tensors(found[0] if has_aux else found)

    def pulled(*cotangents: Any) -> tuple:
        vs = _tensors(cotangents)
        if len(vs) != len(ys):
            raise RuntimeError(f"vjp: expected a tensor for each of the {len(ys)} outputs, got {len(vs)}")
        found = _slopes(ys, leaves, vs, further or any(v.requires_grad for v in vs))
        return _mapped(lambda _: next(found), primals)

    value, *aux = found if has_aux else (found,)
    value, aux = (value, aux) if further else _mapped(lambda y: y.detach(), (value, aux))
    return (value, pulled, *aux)


def jvp(func: Callable, primals: tuple, tangents: tuple, *, strict: bool = False, has_aux: bool = False) -> tuple:
    """``func(*primals)`` and J v, for v = ``tangents`` (:func:`~tinyconv.autograd.functional.pushed_forward`).

    Returns:
        (output, J v), and what else ``func`` returned if it returns (output, anything) with ``has_aux``.
    """
    leaves: list[Tensor] = []
    vs, further = _tensors(tangents), any(x.requires_grad for x in _tensors([primals, tangents]))
    with enable_grad():
        found = func(*_mapped(lambda x: _collected(x, leaves), primals))
    value, *aux = found if has_aux else (found,)
    if [tuple(x.shape) for x in leaves] != [tuple(v.shape) for v in vs]:
        raise RuntimeError(
            f"jvp: tangents must have the shapes of primals, {[tuple(x.shape) for x in leaves]}, "
            f"got {[tuple(v.shape) for v in vs]}"
        )
    pushed = iter(pushed_forward(_tensors(value), leaves, vs, further))

    def slope(y: Tensor) -> Tensor:
        g = next(pushed)
        return y.new_zeros(y.shape) if g is None else g

    derivative = _mapped(slope, value)
    value, aux = (value, aux) if further else _mapped(lambda y: y.detach(), (value, aux))
    return (value, derivative, *aux)


def jacrev(func: Callable, argnums: int | tuple[int, ...] = 0, has_aux: bool = False, *,
           chunk_size: int | None = None) -> Callable:  # fmt: skip
    """A function that returns the Jacobian of ``func`` by the arguments ``argnums``, of the shape (output's, input's):
    one backward pass for each element of the output. ``chunk_size`` is without effect."""

    def jacobian(*args: Any, **kwargs: Any) -> Any:
        wanted = (argnums,) if isinstance(argnums, int) else tuple(argnums)

        def of_these(*chosen: Any) -> Any:
            copies = list(args)
            for place, value in zip(wanted, chosen, strict=True):
                copies[place] = value
            return func(*copies, **kwargs)

        chosen = tuple([args[place] for place in wanted])
        value, pulled, *aux = vjp(of_these, *chosen, has_aux=has_aux)
        ys = _tensors(value)
        zeros = [y.detach().new_zeros(y.shape) for y in ys]

        def by_all(which: int) -> Any:
            rows = []
            for k in range(ys[which].numel()):
                one = zeros[which].clone()
                one.view(-1)[k] = 1
                rows.append(_tensors(pulled(*zeros[:which], one, *zeros[which + 1 :])))
            xs, shape = _tensors(chosen), tuple(ys[which].shape)
            columns = zip(*rows, strict=True) if rows else [()] * len(xs)
            blocks = iter([
                stack(column).view(shape + tuple(x.shape)) if column else x.new_zeros(shape + tuple(x.shape))
                for x, column in zip(xs, columns, strict=True)
            ])  # fmt: skip
            derivatives = _mapped(lambda _: next(blocks), chosen)
            return derivatives[0] if isinstance(argnums, int) else derivatives

        places = iter(range(len(ys)))
        blocks = _mapped(lambda _: by_all(next(places)), value)
        return (blocks, *aux) if has_aux else blocks

    return jacobian


def jacfwd(func: Callable, argnums: int | tuple[int, ...] = 0, has_aux: bool = False, *,
           randomness: str = "error") -> Callable:  # fmt: skip
    """:func:`jacrev`: derivatives are computed backwards only. ``randomness`` is without effect."""
    return jacrev(func, argnums, has_aux)


def hessian(func: Callable, argnums: int | tuple[int, ...] = 0) -> Callable:
    """A function that returns the second derivatives of ``func``, the Jacobian of its Jacobian."""
    return jacfwd(jacrev(func, argnums), argnums)


def vmap(func: Callable, in_dims: Any = 0, out_dims: Any = 0, randomness: str = "error", *,
         chunk_size: int | None = None) -> Callable:  # fmt: skip
    """A function that calls ``func`` for each index along an axis of its arguments, and stacks what it returns.

    Args:
        func: takes tensors, or lists, tuples and dicts of them, and returns such.
        in_dims: the axis of all arguments, or a tuple with one for each: an int, None for an argument that is the same
            for all, or again a tuple, list or dict as the argument is one. Keyword arguments go by their first axis.
        out_dims: where the new axis of the results is: an int, or a tuple with one for each.
        randomness, chunk_size: accepted for PyTorch's sake. Random numbers differ from example to example.

    Raises:
        ValueError: when called: no axis, axes of different sizes, ``in_dims`` unlike the arguments, a result that is
            no tensor.
        RuntimeError: when called, for axes of size 0: there is nothing to learn the results' shapes from.
    """

    def over(*args: Any, **kwargs: Any) -> Any:
        dims = (in_dims,) * len(args) if isinstance(in_dims, int) else in_dims
        if not isinstance(dims, (tuple, list)) or len(dims) != len(args):
            raise ValueError(f"vmap: in_dims must be an int or a tuple for {len(args)} arguments, got {in_dims!r}")
        taken: list[tuple[Tensor, int | None]] = []
        _with_dims(args, tuple(dims), lambda x, dim: taken.append((x, dim)))
        _with_dims(kwargs, 0, lambda x, dim: taken.append((x, dim)))
        lengths = {x.shape[dim] for x, dim in taken if dim is not None}
        if len(lengths) != 1:
            found = f"got sizes {sorted(lengths)}" if lengths else "got none"
            raise ValueError(f"vmap: the arguments must have one axis size to go along, {found}")
        n = lengths.pop()
        if n == 0:
            raise RuntimeError("vmap: cannot go along an axis of size 0")
        results = []
        for k in range(n):
            part = lambda x, dim: x if dim is None else x.select(dim, k)  # noqa: E731, B023
            results.append(func(*_with_dims(args, tuple(dims), part), **_with_dims(kwargs, 0, part)))
        return _stacked(results, out_dims)

    return over


def stack_module_state(models: Sequence[Module]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """The parameters and the buffers of several modules of one kind, stacked: for :func:`vmap` over an ensemble.

    Raises:
        RuntimeError: no modules, or of different classes.
    """
    if not models:
        raise RuntimeError("stack_module_state: expected at least one model")
    if len({type(model) for model in models}) > 1:
        raise RuntimeError("stack_module_state: the models must be of one class")
    parameters = {
        name: stack([dict(model.named_parameters())[name] for model in models]).detach().requires_grad_(p.requires_grad)
        for name, p in models[0].named_parameters()
    }
    buffers = {name: stack([dict(m.named_buffers())[name] for m in models]) for name, _ in models[0].named_buffers()}
    return parameters, buffers


def _slopes(ys: Sequence[Tensor], xs: Sequence[Tensor], vs: Sequence[Tensor], create_graph: bool) -> Any:
    """The gradients by ``xs``, one after the other; zeros where there is no way."""
    used = [(y, v) for y, v in zip(ys, vs, strict=True) if y.requires_grad]
    if not used or not xs:
        return iter([x.new_zeros(x.shape) for x in xs])
    outputs, grad_outputs = zip(*used, strict=True)
    return iter(_gradients(outputs, xs, grad_outputs, True, create_graph, allow_unused=True, materialize_grads=True))


def _with_dims(tree: Any, dims: Any, function: Callable[[Tensor, int | None], Any]) -> Any:
    """``tree`` with every tensor replaced by ``function`` of it and its axis in ``dims``, which may stop at a node."""
    if isinstance(tree, (list, tuple, Mapping)):
        keys = list(tree) if isinstance(tree, Mapping) else list(range(len(tree)))
        if not (dims is None or isinstance(dims, int)):
            like = Mapping if isinstance(tree, Mapping) else (list, tuple)
            if not isinstance(dims, like) or (list(dims) if like is Mapping else list(range(len(dims)))) != keys:
                raise ValueError(f"vmap: in_dims has {dims!r} for an argument with the parts {keys}")
            parts = [_with_dims(tree[key], dims[key], function) for key in keys]
        else:
            parts = [_with_dims(tree[key], dims, function) for key in keys]
        return dict(zip(keys, parts, strict=True)) if isinstance(tree, Mapping) else _like(tree, parts)
    if not isinstance(tree, Tensor):
        return tree
    if not (dims is None or (isinstance(dims, int) and -tree.dim() <= dims < tree.dim())):
        raise ValueError(f"vmap: in_dims has {dims!r} for a tensor of shape {tuple(tree.shape)}")
    return function(tree, dims)


def _stacked(results: list, dims: Any) -> Any:
    first = results[0]
    if isinstance(first, Tensor):
        return stack(results, dims)
    if isinstance(first, (list, tuple)):
        each = (dims,) * len(first) if isinstance(dims, int) else dims
        parts = zip(zip(*results, strict=True), each, strict=True)
        return _like(first, [_stacked(list(part), d) for part, d in parts])
    if isinstance(first, Mapping):
        return {key: _stacked([result[key] for result in results], dims) for key in first}
    raise ValueError(f"vmap: func must return tensors, got {type(first).__name__}")


def _collected(x: Tensor, leaves: list[Tensor]) -> Tensor:
    """A tensor to differentiate by: a view of one that has a history already, so that it goes on."""
    own = x.view_as(x) if x.requires_grad else x.detach().requires_grad_()
    leaves.append(own)
    return own


def _mapped(function: Callable[[Tensor], Any], tree: Any) -> Any:
    """``tree`` with every tensor replaced."""
    if isinstance(tree, Tensor):
        return function(tree)
    if isinstance(tree, (list, tuple)):
        return _like(tree, [_mapped(function, item) for item in tree])
    if isinstance(tree, Mapping):
        return {key: _mapped(function, value) for key, value in tree.items()}
    return tree


def _like(old: list | tuple, parts: list) -> Any:
    """``parts`` as a list or tuple of the class of ``old``, which may be a named tuple."""
    return getattr(old, "_make", type(old))(parts)


def _tensors(tree: Any) -> list[Tensor]:
    found: list[Tensor] = []
    _mapped(found.append, tree)
    return found
