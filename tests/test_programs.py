"""Random programs of views and in-place operations, run by tinyconv and by PyTorch: same values, same gradients.

In-place on a view rewrites the history of its base and of every other view of it. The rules are few, their combinations
are not, so Hypothesis writes the programs, and shrinks the one that fails.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinyconv

torch = pytest.importorskip("torch")

NEW = {
    "triple": lambda t, u: t * 3,
    "tanh": lambda t, u: t.tanh(),
    "square": lambda t, u: t * t,
    "product": lambda t, u: t * u,
    "total": lambda t, u: t + u,
    "clone": lambda t, u: t.clone(),
    "sum": lambda t, u: t.sum(0),
    "gather": lambda t, u: t[[0, 0]],
}
VIEWS = {
    "first": lambda t, u: t[0],
    "tail": lambda t, u: t[1:],
    "every second": lambda t, u: t[..., ::2],
    "new axis": lambda t, u: t[None],
    "transpose": lambda t, u: t.transpose(0, -1),
    "view": lambda t, u: t.view(-1),
    "reshape": lambda t, u: t.reshape(-1),
    "unsqueeze": lambda t, u: t.unsqueeze(-1),
    "squeeze": lambda t, u: t.squeeze(),
    "expand": lambda t, u: t.unsqueeze(0).expand(2, *t.shape),
    "detach": lambda t, u: t.detach(),
}
IN_PLACE = {
    "add_ 1": lambda t, u: t.add_(1),
    "mul_ 2": lambda t, u: t.mul_(2),
    "add_": lambda t, u: t.add_(u),
    "sub_": lambda t, u: t.sub_(u, alpha=2),
    "mul_": lambda t, u: t.mul_(u),
    "div_ 2": lambda t, u: t.div_(2),
    "pow_ 2": lambda t, u: t.pow_(2),
    "tanh_": lambda t, u: t.tanh_(),
    "relu_": lambda t, u: t.relu_(),
    "abs_": lambda t, u: t.abs_(),
    "zero_": lambda t, u: t.zero_(),
    "fill_": lambda t, u: t.fill_(0.5),
    "copy_": lambda t, u: t.copy_(u),
    "write number": lambda t, u: t.__setitem__(0, 0.25),
    "write tensor": lambda t, u: t.__setitem__(slice(1, None), u[1:]),
    "write at list": lambda t, u: t.__setitem__([1, 0], u[:2].clone()),
    "operator": lambda t, u: t.__iadd__(u),
}
STEPS = {**NEW, **VIEWS, **IN_PLACE}


@dataclass(frozen=True)
class Step:
    name: str
    target: int  # which of the tensors made so far (counted backwards, so that late ones are common)
    other: int
    recorded: bool

    def __repr__(self) -> str:
        return f"{self.name!r}(t[-1-{self.target}], t[-1-{self.other}]){'' if self.recorded else ' under no_grad'}"


steps = st.builds(
    Step,
    st.one_of(st.sampled_from(list(NEW)), st.sampled_from(list(VIEWS)), st.sampled_from(list(IN_PLACE))),
    st.integers(0, 5),
    st.integers(0, 5),
    st.sampled_from([True] * 7 + [False]),
)


def start(library, layout: str) -> list:
    """A leaf, a tensor that wants no gradient, and a result."""
    values = np.linspace(-1, 1.7, 12).reshape(2, 3, 2)
    if layout == "fortran":
        values = np.asfortranarray(values)
    leaf = library.tensor(np.linspace(0.5, 1.5, 12).reshape(2, 3, 2), requires_grad=True)
    plain = library.from_numpy(values.copy(order="K"))
    return [leaf, plain, leaf * 2]


def take(library, step: Step, tensors: list):
    """Run one step: what it returns, or the error."""
    t, u = (tensors[-1 - n % len(tensors)] for n in (step.target, step.other))
    try:
        with library.set_grad_enabled(
            step.recorded or step.name in VIEWS
        ):  # a view made under no_grad: PyTorch refuses
            return STEPS[step.name](t, u)
    except (RuntimeError, IndexError, ValueError, TypeError) as error:
        return error


def overlap(step: Step, tensors: list) -> bool:
    """Whether a step reads memory that it writes, through another view: PyTorch leaves undefined what comes out."""
    t, u = (tensors[-1 - n % len(tensors)] for n in (step.target, step.other))
    return step.name in IN_PLACE and t is not u and np.shares_memory(t.array, u.array)


def gradients(library, tensors: list):
    """Backward from everything at once, with different weights; then the gradients of the leaves."""
    loss = None
    for i, t in enumerate(tensors):
        if t.requires_grad:
            term = (t * (i + 1)).sum()
            loss = term if loss is None else loss + term
    if loss is not None:
        loss.backward()
    return [None if not t.is_leaf or t.grad is None else np.asarray(t.grad.detach()) for t in tensors]


def assert_close(a: np.ndarray, b: np.ndarray) -> None:
    """Equal up to rounding in sums of values as large as the largest."""
    size = np.abs(b[np.isfinite(b)]).max(initial=1.0)
    np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12 * size)


@pytest.mark.filterwarnings("ignore:Use of index_put_ on expanded tensors")
@settings(max_examples=500)
@given(st.lists(steps, max_size=16), st.sampled_from(["c", "fortran"]))
def test_random_programs_agree_with_torch(program, layout):
    ours, theirs = start(tinyconv, layout), start(torch, layout)
    for step in program:
        if overlap(step, ours):
            continue
        our, their = take(tinyconv, step, ours), take(torch, step, theirs)
        if isinstance(their, Exception) and not isinstance(our, Exception):
            return  # PyTorch refuses more (overlapping memory, for example)
        if isinstance(our, Exception):
            if "read-only" in str(our) or "single memory location" in str(our):
                return  # we refuse to write into any view of an expanded tensor
            assert isinstance(their, Exception), our
        elif step.name not in IN_PLACE:
            if step.name in NEW and not their.is_contiguous():
                # PyTorch's results keep the order of axes in memory, ours are in C order: views of them would differ
                our, their = our.clone(), their.contiguous()
            ours.append(our)
            theirs.append(their)
    for t, s in zip(ours, theirs, strict=True):
        assert tuple(t.shape) == tuple(s.shape)
        assert (t.requires_grad, t.is_leaf) == (s.requires_grad, s.is_leaf)
        assert_close(t.detach().numpy(), s.detach().numpy())
    try:
        expected = gradients(torch, theirs)
    except RuntimeError:  # a saved value was overwritten; where we saved another, we may still have an answer
        return
    for g, e in zip(gradients(tinyconv, ours), expected, strict=True):
        assert (g is None) == (e is None)
        if e is not None:
            assert_close(g, e)
