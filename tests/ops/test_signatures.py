"""Operations take PyTorch's arguments, in PyTorch's order, with PyTorch's defaults."""

from __future__ import annotations

import ast
import inspect

import pytest

import tinyconv
import tinyconv.nn.functional as F

torch = pytest.importorskip("torch")

# What PyTorch's documentation has for some functions only (the battery asks them all for `out`), and what tinyconv
# leaves out on purpose: memory formats, and what needs kernels it does not have.
LEFT_OUT = {"out", "layout", "memory_format", "pin_memory", "more"}
ELSEWHERE = {"device", "requires_grad"}  # PyTorch's random permutations may require grad, ours may not

TENSOR = [
    "abs",
    "add",
    "allclose",
    "cat",
    "conv2d",
    "conv_transpose2d",
    "eq",
    "equal",
    "exp",
    "flatten",
    "ge",
    "gt",
    "le",
    "linspace",
    "log",
    "logical_and",
    "logical_not",
    "lt",
    "matmul",
    "maximum",
    "minimum",
    "mm",
    "mul",
    "ne",
    "neg",
    "numel",
    "ones_like",
    "zeros_like",
    "full",
    "full_like",
    "eye",
    "pow",
    "promote_types",
    "rand_like",
    "randn_like",
    "sigmoid",
    "sign",
    "sqrt",
    "stack",
    "sub",
    "t",
    "tanh",
    "tensor",
    "transpose",
    "unsqueeze",
    "from_numpy",
    "clone",
    "amax",
    "amin",
    "atan2",
    "bitwise_and",
    "ceil",
    "clamp",
    "cos",
    "erf",
    "exp2",
    "expm1",
    "floor",
    "fmod",
    "hypot",
    "isclose",
    "isfinite",
    "isinf",
    "isnan",
    "lerp",
    "log10",
    "log1p",
    "log2",
    "logaddexp",
    "logical_or",
    "logical_xor",
    "logit",
    "nan_to_num",
    "reciprocal",
    "remainder",
    "round",
    "rsqrt",
    "sin",
    "square",
    "tan",
    "trunc",
    "xlogy",
    "addcmul",
    "addcdiv",
    "div",
    "can_cast",
    "result_type",
    "addmm",
    "addmv",
    "argsort",
    "argwhere",
    "baddbmm",
    "bmm",
    "bincount",
    "bucketize",
    "cdist",
    "chunk",
    "cummax",
    "cumprod",
    "cumsum",
    "diag",
    "diag_embed",
    "diagflat",
    "diagonal",
    "dot",
    "fliplr",
    "gather",
    "hstack",
    "index_add",
    "index_copy",
    "index_select",
    "kron",
    "logspace",
    "logsumexp",
    "masked_select",
    "mode",
    "mv",
    "narrow",
    "outer",
    "quantile",
    "ravel",
    "roll",
    "rot90",
    "sort",
    "take",
    "take_along_dim",
    "tile",
    "trace",
    "tril",
    "triu",
    "vstack",
]


def parameters(function) -> dict:
    """Name to default; of a built-in, as its documentation shows it."""
    try:
        found = inspect.signature(function).parameters.values()
        if [p.kind for p in found] == [inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD]:
            raise ValueError
        return {p.name: p.default for p in found if p.name not in LEFT_OUT}
    except ValueError:
        first, second, *_ = [line.strip() for line in function.__doc__.splitlines() if line.strip()]
        first += second if first.endswith(",") else ""
    arguments = (
        ast.parse(f"def {first.replace('->', '#')}".partition("#")[0].replace("\\*", "*") + ": pass").body[0].args
    )
    positional = [None] * (len(arguments.args) - len(arguments.defaults)) + arguments.defaults
    pairs = [*zip(arguments.args, positional), *zip(arguments.kwonlyargs, arguments.kw_defaults)]
    return {
        a.arg: inspect.Parameter.empty if d is None else ast.literal_eval(d) for a, d in pairs if a.arg not in LEFT_OUT
    }


@pytest.mark.parametrize("name", sorted(F.__all__))
def test_functional(name):
    ours = parameters(getattr(F, name))
    assert list(ours.items()) == list(parameters(getattr(torch.nn.functional, name)).items())


@pytest.mark.parametrize("name", TENSOR)
def test_functions_of_tensors(name):
    ours, theirs = parameters(getattr(tinyconv, name)), parameters(getattr(torch, name))
    for like in ELSEWHERE - ours.keys():
        theirs.pop(like, None)
    if name in ("amax", "amin"):
        ours["dim"] = None  # () and None both mean all dims
    assert list(ours.items()) == list(theirs.items())
