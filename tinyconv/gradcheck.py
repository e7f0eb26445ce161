"""Is a gradient right? Compare it with what calculus says a gradient is.

The Jacobian J[i, j] = dy_j / dx_i of a function can be found in two ways that share nothing. By *central differences*,

    J[i, :] = (f(x + eps e_i) - f(x - eps e_i)) / (2 eps) + O(eps**2),

it takes two evaluations an input element and no calculus; by ``backward``, started from the unit vector e_j, it takes
one backward pass an output element: that is column j. In float64, with eps = 1e-6, differences are good to about nine
digits, enough to tell any mistake in a formula from rounding.

``backward`` computes a product v J, so it must also be linear in v and give the same twice: both are checked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .autograd import grad, shares_elements
from .caller import warn
from .ops import randn
from .random import Generator
from .tensor import Tensor, wrap

__all__ = ["GradcheckError", "gradcheck", "gradgradcheck"]


class GradcheckError(RuntimeError):
    """A gradient is wrong: the message says which, where, and by how much."""


def gradcheck(
    func: Callable,
    inputs: Tensor | Sequence[Any],
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_batched_forward_grad: bool = False,
    check_forward_ad: bool = False,
    check_backward_ad: bool = True,
    fast_mode: bool = False,
    masked: bool | None = None,
) -> bool:
    """Check the gradients of ``func`` against central differences, with PyTorch's signature and tolerances.

    Args:
        func: takes ``inputs``, returns a tensor or a sequence of them. It must be deterministic; the inputs are changed
            in place, element by element, while it is called.
        inputs: tensors (those that require grad are checked: make them float64) and anything else.
        eps: the step of the differences.
        atol, rtol: pass where ``|backward - difference| <= atol + rtol * |difference|``.
        raise_exception: False returns False where an error would be raised.
        nondet_tol: how far two runs of ``backward`` may differ.
        check_undefined_grad: accepted for compatibility; each output is differentiated alone, so that ``backward`` sees
            no gradient for the others in any case.
        check_grad_dtypes: also require that gradients have their inputs' dtypes.
        check_backward_ad: False checks nothing.
        fast_mode, masked: accepted for compatibility; every element is compared in any case.
        check_forward_ad, check_batched_grad, check_batched_forward_grad: must be False: tinyconv has neither
            forward-mode differentiation nor vmap.

    Returns:
        True if all gradients are right.

    Raises:
        GradcheckError: a gradient is wrong, not linear in the gradient it starts from, or not the same twice.
        ValueError: no input requires grad, or one that does has elements that share memory.
        NotImplementedError: forward mode or batched gradients are asked for.
    """
    if check_forward_ad or check_batched_grad or check_batched_forward_grad:
        raise NotImplementedError("gradcheck: tinyconv has neither forward-mode differentiation nor vmap to check")
    arguments = (inputs,) if isinstance(inputs, Tensor) else tuple(inputs)
    checked = [(i, x) for i, x in enumerate(arguments) if isinstance(x, Tensor) and x.requires_grad]
    _check_inputs(checked)
    if not check_backward_ad:
        return True
    try:
        _check_gradients(func, arguments, checked, eps, atol, rtol, nondet_tol, check_grad_dtypes)
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


def gradgradcheck(
    func: Callable,
    inputs: Tensor | Sequence[Any],
    grad_outputs: Tensor | Sequence[Tensor] | None = None,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    gen_non_contig_grad_outputs: bool = False,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_fwd_over_rev: bool = False,
    check_rev_over_rev: bool = True,
    fast_mode: bool = False,
    masked: bool = False,
) -> bool:
    """Check second derivatives: :func:`gradcheck` of the gradient of ``func``, as a function of ``inputs`` and of the
    gradient it starts from.

    Args:
        grad_outputs: where to start, one for each output that requires grad (default: Gaussian numbers).
        gen_non_contig_grad_outputs: draw them with strides that are not contiguous.
        check_fwd_over_rev: must be False (there is no forward mode).
        check_rev_over_rev: False checks nothing.
        others: as in :func:`gradcheck`.

    Returns:
        True if all second derivatives are right.

    Raises:
        GradcheckError, ValueError, NotImplementedError: as :func:`gradcheck`.
    """
    if check_fwd_over_rev:
        raise NotImplementedError("gradgradcheck: tinyconv has no forward-mode differentiation to check")
    if not check_rev_over_rev:
        return True
    arguments = (inputs,) if isinstance(inputs, Tensor) else tuple(inputs)
    wanted = [i for i, x in enumerate(arguments) if isinstance(x, Tensor) and x.requires_grad]
    if grad_outputs is None:
        outputs = _differentiable(func(*arguments))
        starts = tuple([_start(y, seed, gen_non_contig_grad_outputs) for seed, y in enumerate(outputs)])
    else:
        starts = (grad_outputs,) if isinstance(grad_outputs, Tensor) else tuple(grad_outputs)

    def gradient(*both: Any) -> tuple:
        xs, gys = both[: len(arguments)], both[len(arguments) :]
        ys = _differentiable(func(*xs))
        found = grad(ys, [xs[i] for i in wanted], gys, create_graph=True, allow_unused=True)
        return tuple([g for g in found if g is not None])

    return gradcheck(
        gradient, arguments + starts, eps=eps, atol=atol, rtol=rtol, raise_exception=raise_exception,
        nondet_tol=nondet_tol,
        check_undefined_grad=check_undefined_grad, check_grad_dtypes=check_grad_dtypes,
        check_batched_grad=check_batched_grad, fast_mode=fast_mode, masked=masked,
    )  # fmt: skip


def _start(y: Tensor, seed: int, strided: bool) -> Tensor:
    """A gradient to start from, drawn from a stream of its own: checking must not move the user's."""
    shape = (*y.shape, 2) if strided else y.shape
    g = randn(shape, dtype=y.dtype, device=y.device, generator=Generator().manual_seed(seed))
    return (g[..., 0] if strided else g).detach().requires_grad_()


def _outputs(result: Any) -> list[Tensor]:
    return [result] if isinstance(result, Tensor) else [y for y in result if isinstance(y, Tensor)]


def _differentiable(result: Any) -> list[Tensor]:
    return [y for y in _outputs(result) if y.requires_grad]


def _check_inputs(checked: list[tuple[int, Tensor]]) -> None:
    if not checked:
        raise ValueError(
            "gradcheck: expected at least one input tensor to require gradient, but none has requires_grad=True"
        )
    for i, x in checked:
        if x.dtype.itemsize < 8:
            warn(
                f"gradcheck: input {i} is {x.dtype}, whose rounding hides what differences should show: the check will "
                "likely fail; use float64",
            )
        if shares_elements(x.array):
            raise ValueError(f"gradcheck: elements of input {i} share memory (an expanded tensor): pass a clone()")


def _check_gradients(
    func: Callable,
    arguments: tuple,
    checked: list,
    eps: float,
    atol: float,
    rtol: float,
    nondet_tol: float,
    dtypes: bool,
) -> None:
    result = func(*arguments)
    outputs = _outputs(result)
    chosen = [j for j, y in enumerate(outputs) if y.requires_grad]
    constant = not chosen  # nothing is differentiable: then nothing may depend on the inputs
    if constant:
        chosen = [j for j, y in enumerate(outputs) if y.is_floating_point()]
    xs = [x for _, x in checked]
    differences = [_by_differences(func, arguments, x, chosen, eps) for x in xs]
    for at, j in enumerate(chosen):
        y = outputs[j]
        if constant:
            jacobians = [np.zeros((x.numel(), y.numel())) for x in xs]
        else:
            jacobians = _by_backward(y, xs, j, nondet_tol, dtypes)
            _check_linear(y, xs, jacobians, j)
        for (i, x), expected, got in zip(checked, differences, jacobians):
            _compare(got, expected[at], x, y, i, j, atol, rtol)


def _by_differences(func: Callable, arguments: tuple, x: Tensor, chosen: list[int], eps: float) -> list[np.ndarray]:
    """dy/dx, (elements of x, elements of y), for each chosen output y."""
    values, rows = x.data, []
    for place in np.ndindex(*x.shape):
        before = values[place].item()
        sides = []
        for moved in (before + eps, before - eps):
            values[place] = moved
            outputs = _outputs(func(*arguments))
            sides.append([outputs[j]._host().astype(np.float64).reshape(-1) for j in chosen])
        values[place] = before
        rows.append([(above - below) / (2 * eps) for above, below in zip(*sides)])
    if not rows:
        return [np.zeros((0, y.numel())) for y in [_outputs(func(*arguments))[j] for j in chosen]]
    return [np.stack(column) for column in zip(*rows)]


def _product(y: Tensor, xs: list[Tensor], v: Any, j: int, dtypes: bool = False) -> list[np.ndarray]:
    """v J for every input, flat: one backward pass."""
    start = y.detach().clone()
    start[...] = wrap(v)
    out = []
    for i, (x, g) in enumerate(zip(xs, grad(y, xs, start, retain_graph=True, allow_unused=True))):
        if dtypes and g is not None and g.dtype is not x.dtype:
            raise GradcheckError(
                f"gradcheck: the gradient of output {j} in checked input {i} is {g.dtype}, the input {x.dtype}"
            )
        out.append(np.zeros(x.numel()) if g is None else g._host().astype(np.float64).reshape(-1))
    return out


def _by_backward(y: Tensor, xs: list[Tensor], j: int, nondet_tol: float, dtypes: bool) -> list[np.ndarray]:
    """dy/dx, (elements of x, elements of y), for each x: one backward pass a column, and each column twice."""
    jacobians = [np.zeros((x.numel(), y.numel())) for x in xs]
    for column, place in enumerate(np.ndindex(*y.shape)):
        unit = np.zeros(y.shape)
        unit[place] = 1
        once, again = _product(y, xs, unit, j, dtypes), _product(y, xs, unit, j)
        for i, (first, second) in enumerate(zip(once, again)):
            if not np.allclose(first, second, rtol=0, atol=nondet_tol, equal_nan=True):
                raise GradcheckError(
                    f"gradcheck: backward is not deterministic: run twice, the gradient of output {j}{list(place)} in "
                    f"checked input {i} differs by up to {np.abs(first - second).max():.3g} (nondet_tol={nondet_tol})"
                )
            jacobians[i][:, column] = first
    return jacobians


def _check_linear(y: Tensor, xs: list[Tensor], jacobians: list[np.ndarray], j: int) -> None:
    """Backward from v must give J v, from zeros zeros: a backward that forgets to multiply by gy fails here."""
    for v in (np.zeros(y.shape), np.cos(2 + np.arange(y.numel(), dtype=np.float64)).reshape(y.shape)):
        for i, (got, jacobian) in enumerate(zip(_product(y, xs, v, j), jacobians)):
            expected, size = jacobian @ v.reshape(-1), np.abs(jacobian) @ np.abs(v.reshape(-1))
            wrong = ~(np.abs(got - expected) <= 1e-6 * size) & np.isfinite(expected)
            if wrong.any():
                worst = int(np.argmax(wrong))
                raise GradcheckError(
                    f"gradcheck: backward is not multiplied by grad_output: the gradient of output {j} in checked "
                    f"input {i} is not linear in the gradient it starts from (element {worst}: {got[worst]:.6g}, "
                    f"not {expected[worst]:.6g})"
                )


def _compare(
    got: np.ndarray, expected: np.ndarray, x: Tensor, y: Tensor, i: int, j: int, atol: float, rtol: float
) -> None:
    error = np.abs(got - expected)
    wrong = ~(error <= atol + rtol * np.abs(expected))  # NaN is wrong
    if not wrong.any():
        return
    excess = np.where(np.isnan(error), np.inf, error - rtol * np.abs(expected))
    row, column = np.unravel_index(int(np.argmax(np.where(wrong, excess, -np.inf))), wrong.shape)
    where_x = [int(n) for n in np.unravel_index(row, x.shape)] if x.ndim else []
    where_y = [int(n) for n in np.unravel_index(column, y.shape)] if y.ndim else []
    raise GradcheckError(
        f"gradcheck: the Jacobian of output {j} (shape {tuple(y.shape)}) in input {i} (shape {tuple(x.shape)}) is "
        f"wrong in {int(wrong.sum())} of {wrong.size} entries. Worst: d output{where_y} / d input{where_x} is "
        f"{expected[row, column]:.6g} by differences, {got[row, column]:.6g} by backward.\n"
        f"by differences:\n{expected}\nby backward:\n{got}"
    )
