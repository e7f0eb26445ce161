"""The backward pass: how gradients flow from a result to the leaves it was computed from. Two facts carry it.

* **Nodes are numbered as they are made**, so a node's number is larger than its inputs' numbers, and "largest number
  first" is a reverse topological order: when a node's turn comes, everyone who used its output has already run. A heap
  finds it; nothing recurses, however long the chain.
* **Gradients add up at forks.** If x is used twice, in u = f(x) and v = g(x), the multivariable chain rule says
  dL/dx = dL/du du/dx + dL/dv dv/dx: one contribution from each use, summed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from heapq import heappop, heappush, heappushpop
from typing import Any

from .. import dtypes, kernels
from ..caller import warn
from ..tensor import Tensor, wrap
from . import anomaly
from .deferred import Deferred, written_down
from .function import AccumulateGrad, Node, edge_of
from .grad_mode import set_grad_enabled, state


def _walk(roots: Sequence[Any], gys: Sequence[Tensor], retain_graph: bool, targets: dict | None) -> dict:
    """Run every node between ``roots`` and the leaves, largest number first.

    Args:
        roots: edges, from which the walk starts.
        gys: the gradient that is sent along each of them.
        retain_graph: whether nodes keep what they saved.
        targets: None: gradients end in the leaves' ``.grad``. Else a dict whose keys are edges: only the nodes on the
            way to one of them run, and no ``.grad`` changes.

    Returns:
        With ``targets`` the gradients that arrived there, by edge.
    """
    useful: Any = None if targets is None else _leads_to(roots, targets)
    found: dict = {}
    heap: list = []  # the nodes whose turn will come, as (-number, node)
    pending: dict[Node, list] = {}  # for each of them the gradients that have arrived, a slot for each output
    ours: set[tuple] = set()  # the edges whose gradient nobody else holds
    recording = state.recording
    node: Any = None
    edges: Any = roots
    gxs: Any = gys
    fresh = False
    while True:
        nearest = None  # the first node met in this round: in a chain it is the next one, and skips the heap
        for edge, gx in zip(edges, gxs):  # send each gradient on its way
            if edge is None or gx is None or (useful is not None and edge[0] not in useful):
                continue
            target, index = edge
            deferred = isinstance(gx, Deferred)
            if deferred and (not target.takes_deferred or target in pending):
                gx, deferred = gx.tensor(), False
            if not deferred:
                shape, dtype, _ = target._outputs[index]
                array = gx.array
                if array.shape != shape or array.dtype is not dtype:
                    gx = _fit(node, gx, shape, dtype)
            if targets is None and type(target) is AccumulateGrad and not target._pre_hooks:
                target.accumulate(gx, fresh)
                continue
            slots = pending.get(target)
            if slots is None:
                slots = pending[target] = [None] * len(target._outputs)
                if nearest is None:
                    nearest = (-target.number, target)
                else:
                    heappush(heap, (-target.number, target))
            total = slots[index]
            # Gradients add up at forks (the multivariable chain rule, see the head of this file). Unless the first to
            # arrive is fresh, it may be shared with others, so the first sum is a new tensor; that one is ours, and
            # later ones are added to it in place.
            if total is None:
                slots[index] = gx
                if fresh and not deferred:
                    ours.add(edge)
            elif edge in ours:
                kernels.of(total.array).add_(total.array, gx.array)
            else:
                slots[index] = total + gx
                if not recording:
                    ours.add(edge)
        edges = gxs = ()
        gx = array = total = None  # nothing is held longer than it is needed
        if nearest is not None:
            node = (heappushpop(heap, nearest) if heap else nearest)[1]
        elif heap:
            node = heappop(heap)[1]
        else:
            return found
        slots = pending.pop(node)
        if node._pre_hooks is not None:
            slots = [written_down(g) for g in slots]
            _call_tensor_hooks(node, slots)
        if targets is not None:
            for i, g in enumerate(slots):
                if g is not None and (node, i) in targets:
                    found[node, i] = written_down(g)
            if not any([edge is not None and edge[0] in useful for edge in node.edges]):
                continue
        if node._pre_hooks is not None:
            slots = _call_prehooks(node, slots)
        if type(node) is AccumulateGrad:
            node.accumulate(slots[0])
            continue
        edges, gxs, fresh = node.edges, _differentiate(node, slots), node.fresh_gradients and not recording
        if not retain_graph and node._saved:
            node._release()


def _differentiate(node: Any, slots: list) -> Sequence:
    """``node.backward``, with zeros for outputs that nobody used."""
    if len(slots) > 1 and node.materialize_grads:
        for i, g in enumerate(slots):
            if g is None and node._outputs[i] is not None:
                shape, dtype, array_class = node._outputs[i]
                slots[i] = wrap(kernels.of_class(array_class).full(shape, 0, dtype))
    gxs = node.backward(node, *slots)
    if not isinstance(gxs, (tuple, list)):
        gxs = (gxs,)
    n = len(node.edges)
    if len(gxs) != n and (len(gxs) < n or any([g is not None for g in gxs[n:]])):
        raise RuntimeError(f"{node.operation()}: backward returned {len(gxs)} gradients, forward had {n} arguments")
    if anomaly.enabled:
        anomaly.check(node, gxs)
    return gxs


def _fit(node: Node, gx: Any, shape: tuple, dtype: Any) -> Tensor:
    """A gradient of another type than its input's is cast. One of another shape may be a broadcast form of it, which is
    summed; anything else is a mistake."""
    got = tuple(gx.array.shape)
    padded = (1,) * (len(got) - len(shape)) + tuple(shape)
    if len(got) >= len(shape) and all([p in (1, n) for p, n in zip(padded, got)]):
        gx = gx if got == shape else gx.sum_to_size(shape)
        return gx if gx.array.dtype == dtype else gx.to(dtypes.of(dtype))
    raise RuntimeError(
        f"{node.operation()}: backward returned a gradient of shape {got} for an input of shape {tuple(shape)}"
    )


def _leads_to(roots: Sequence[tuple], targets: dict) -> set:
    """The nodes from which a target can be reached. Ascending numbers are a topological order, inputs first."""
    seen: set[Node] = set()
    stack = [edge[0] for edge in roots if edge is not None]
    while stack:
        node = stack.pop()
        if node not in seen:
            seen.add(node)
            stack += [edge[0] for edge in node.edges if edge is not None]
    ends = {node for node, _ in targets}
    useful: set[Node] = set()
    for node in sorted(seen, key=lambda n: n.number):
        if node in ends or any([edge is not None and edge[0] in useful for edge in node.edges]):
            useful.add(node)
    return useful


def _call_tensor_hooks(node: Node, slots: list) -> None:
    """Show the gradients to the hooks of the tensors that they are of; then to those that keep them."""
    for index, hooks in (node._pre_hooks or {}).items():
        if index is not None and slots[index] is not None:
            for hook in list(hooks.values()):
                replaced = hook(slots[index])
                if replaced is not None:
                    slots[index] = replaced
    for index, keep in node._retained.items():
        if slots[index] is not None:
            keep(slots[index])


def _call_prehooks(node: Node, slots: list) -> list:
    """The gradients as the node's own hooks let them through. They come last: what was asked for is known by then."""
    for hook in list((node._pre_hooks or {}).get(None, {}).values()):
        replaced = hook(tuple(slots))
        slots = slots if replaced is None else list(replaced)
    return slots


def _roots(tensors: Sequence[Tensor], gys: Sequence[Tensor | None], what: str) -> tuple[list, list[Tensor]]:
    """Where the walk starts: the tensors' edges, and the gradients sent along them."""
    if len(tensors) != len(gys):
        raise RuntimeError(f"{what}: got {len(tensors)} tensors and {len(gys)} gradients to start from")
    edges, out = [], []
    for y, gy in zip(tensors, gys):
        edge, array = edge_of(y), y.array
        if edge is None:
            raise RuntimeError(
                f"{what}: a tensor of shape {tuple(array.shape)} does not require grad and has no grad_fn: nothing "
                "it was computed from requires grad, or it was computed under no_grad"
            )
        if gy is None:
            if y.numel() != 1:
                raise RuntimeError(
                    f"{what}: grad can be created only for scalar outputs, this one has shape {tuple(array.shape)}: "
                    "reduce it (loss.mean()), or say which gradient to start from"
                )
            gy = wrap(kernels.of(array).full(array.shape, 1, array.dtype))
        elif not isinstance(gy, Tensor):
            raise TypeError(f"{what}: the gradient to start from must be a tensor or None, got {type(gy).__name__}")
        elif gy.array.shape != array.shape:
            raise RuntimeError(
                f"{what}: the gradient to start from has shape {tuple(gy.array.shape)}, the output {tuple(array.shape)}"
            )
        edges.append(edge)
        out.append(gy if gy.array.dtype == array.dtype else gy.to(y.dtype))
    return edges, out


def _as_list(x: Any) -> list:
    """One tensor, or any iterable of them, such as ``model.parameters()``, as a list."""
    return list(x) if isinstance(x, Iterable) and not isinstance(x, Tensor) else [x]


def backward(
    tensors: Tensor | Sequence[Tensor],
    grad_tensors: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: Tensor | Sequence[Tensor] | None = None,
) -> None:
    """Add the gradients of ``tensors`` to the ``.grad`` of the leaves they were computed from.

    Args:
        tensors: where to start, usually one loss.
        grad_tensors: the gradient to start from, one for each (None: 1, for one-element tensors only).
        retain_graph: keep what the graph saved, so that it can be gone through again (default: ``create_graph``).
        create_graph: record the backward pass itself, for higher derivatives.
        inputs: accumulate into these tensors alone.

    Raises:
        RuntimeError: not a scalar and no gradient given; no history; the graph was freed; a saved value was
        overwritten.
    """
    ys = [tensors] if isinstance(tensors, Tensor) else list(tensors)
    gys = [None] * len(ys) if grad_tensors is None else _as_list(grad_tensors)
    retain = create_graph if retain_graph is None else retain_graph
    if inputs is not None:
        wanted = _as_list(inputs)
        if not wanted:
            raise RuntimeError("backward: inputs must not be empty")
        for x, g in zip(wanted, grad(ys, wanted, gys, retain, create_graph, allow_unused=True)):
            if g is not None:
                with set_grad_enabled(create_graph):
                    (edge_of(x)[0] if x.is_leaf else AccumulateGrad(x)).accumulate(g)  # type: ignore[index, union-attr]
        return
    roots, starts = _roots(ys, gys, "backward")
    before, state.recording = state.recording, create_graph
    try:
        _walk(roots, starts, retain, None)
    finally:
        state.recording = before


def grad(
    outputs: Tensor | Sequence[Tensor],
    inputs: Tensor | Iterable[Tensor],
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    only_inputs: bool = True,
    allow_unused: bool | None = None,
    is_grads_batched: bool = False,
    materialize_grads: bool = False,
) -> tuple[Tensor | None, ...]:
    """The gradients of ``outputs`` with respect to ``inputs``, returned instead of accumulated: no ``.grad`` changes.

    ``only_inputs`` is accepted for older programs' sake, and always holds: False only warns.

    Raises:
        RuntimeError: as :func:`backward`; and an input that the outputs do not depend on, unless ``allow_unused``
            (then its gradient is None, or zeros with ``materialize_grads``).
    """
    if is_grads_batched:
        raise NotImplementedError(
            "grad: is_grads_batched is not implemented; call grad for each row, with retain_graph=True, and stack"
        )
    if not only_inputs:
        warn("grad: only_inputs=False is ignored; to accumulate into .grad call backward()")
    ys, xs = _as_list(outputs), _as_list(inputs)
    roots, gys = _roots(ys, [None] * len(ys) if grad_outputs is None else _as_list(grad_outputs), "grad")
    for i, x in enumerate(xs):
        if not x.requires_grad:
            raise RuntimeError(f"grad: input {i} (shape {tuple(x.array.shape)}) does not require grad")
    edges = [edge_of(x) for x in xs]
    before, state.recording = state.recording, create_graph
    try:
        found = _walk(roots, gys, create_graph if retain_graph is None else retain_graph, dict.fromkeys(edges))
    finally:
        state.recording = before
    gxs: list[Tensor | None] = []
    for i, (x, edge) in enumerate(zip(xs, edges)):
        g = found.get(edge)
        if g is None:
            if not allow_unused and not materialize_grads:
                raise RuntimeError(
                    f"grad: the outputs do not depend on input {i} (shape {tuple(x.array.shape)}); "
                    "say allow_unused=True if that is intended"
                )
            if materialize_grads:
                g = wrap(kernels.of(x.array).full(x.array.shape, 0, x.array.dtype))
        gxs.append(g)
    return tuple(gxs)


def _backward_method(
    self: Tensor,
    gradient: Tensor | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: Any = None,
) -> None:
    """:func:`tinyconv.autograd.backward` from this tensor.

    Gradients accumulate: they are added to what ``.grad`` holds, so that several losses, or several parts of a batch
    too large for the memory, make one step. Before the next step call ``optimizer.zero_grad()``.
    """
    backward(self, gradient, retain_graph, create_graph, inputs)


Tensor.backward = _backward_method  # type: ignore[method-assign]
