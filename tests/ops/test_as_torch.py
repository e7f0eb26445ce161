"""The operations that make, arrange, index, reduce and order tensors, beside PyTorch's: every expression on every input
gives the same numbers, types and shapes, or is an error of the same kind."""

from __future__ import annotations

import numpy as np
import pytest

import tinyconv

torch = pytest.importorskip("torch")

rng = np.random.default_rng(0)
INPUTS = {
    "3-d": rng.standard_normal((3, 4, 2)).astype("float32"),
    "float64": rng.standard_normal((3, 4)),
    "int64": rng.integers(-4, 5, (3, 4)),
    "int32": rng.integers(-4, 5, (2, 3)).astype("int32"),
    "uint8": rng.integers(0, 3, (3, 4)).astype("uint8"),
    "bool": rng.random((3, 4)) > 0.5,
    "vector": rng.standard_normal(5).astype("float32"),
    "0-d": np.array(1.5, "float32"),
    "no rows": np.zeros((0, 3), "float32"),
    "no columns": np.zeros((3, 0), "float32"),
    "special": np.array([[1, np.nan, 3, 7], [2, 2, np.inf, 0], [0, 0, 0, -np.inf]], "float32"),
    "ties": rng.integers(0, 3, (4, 5)).astype("float32"),
    "one": np.ones((1, 1), "float32"),
    "counts": np.array([3, 1, 2, 1, 0]),
}

# Where {d} stands for a dim.
ALONG = """
x.sum({d}); x.sum({d}, keepdim=True); x.mean({d}); x.prod({d}); x.prod({d}, True); x.amax({d}); x.amin({d}, True)
x.argmax({d}); x.argmin({d}, keepdim=True); x.all({d}); x.any({d}, keepdim=True); x.nansum({d}); x.nanmean({d})
x.var({d}); x.std({d}, keepdim=True); x.logsumexp({d}); x.count_nonzero({d}); tuple(x.max({d})); tuple(m.min(x, {d}))
x.median({d})[0]; x.nanmedian({d}, True)[0]; x.kthvalue(1, {d})[0]; tuple(m.cummax(x, {d})); tuple(m.cummin(x, {d}))
tuple(x.sort(dim={d}, stable=True)); tuple(x.sort(dim={d}, descending=True, stable=True))
x.argsort(dim={d}, stable=True); x.cumsum({d}); x.cumprod({d}); x.topk(1, {d})[0]; x.topk(2, {d}, largest=False)[0]
x.unbind({d}); x.chunk(2, {d}); x.split(2, {d}); m.tensor_split(x, 2, {d}); m.flip(x, ({d},)); m.roll(x, 2, {d})
x.unsqueeze({d}); x.squeeze({d}); x.norm(dim={d}); x.norm(1, {d}, True); m.linalg.vector_norm(x, 3, {d})
tuple(m.aminmax(x, dim={d})); x.select({d}, 0); x.narrow({d}, 1, 1); x.unfold({d}, 2, 1); x.quantile(0.3, {d})
x.index_select({d}, m.tensor([0, 0])); m.unique_consecutive(x, True, True, {d}); m.linalg.norm(x, float('inf'), {d})
"""

WHOLE = """
x.sum(); x.mean(); x.prod(); x.amax(); x.amin(); x.max(); x.min(); x.argmax(); x.argmin(); x.all(); x.any()
x.nansum(); x.median(); x.nanmedian(); x.var(); x.std(); m.var_mean(x); m.std_mean(x); x.unique(); x.nonzero()
m.argwhere(x); x.ravel(); x.flatten(); x.t(); x.tril(); x.triu(); x.diagonal(); x.diag(); x.trace(); x.norm()
m.fliplr(x); m.flipud(x); m.unique_consecutive(x); m.count_nonzero(x); m.msort(x); m.rot90(x); m.diagflat(x)
m.diag_embed(x); m.bincount(x); m.histc(x, 4, -1, 1); m.atleast_1d(x); m.atleast_2d(x); m.atleast_3d(x)
x.nonzero(as_tuple=True); x.squeeze(); x.sum((0, 1)); x.amax((0, 1)); x.all((0, 1)); x.sum(dtype=m.float64)
x.mean(dtype=m.float64); x.sum(dtype=m.int32); x.prod(dtype=m.float32); x.var(unbiased=False); x.var(False)
x.std(0, False); x.var(0, correction=2); x.std(dim=(0, 1), correction=0, keepdim=True)
m.unique(x, return_inverse=True, return_counts=True); x.repeat(2, 2); x.repeat(2, 1, 1); m.tile(x, (2,))
m.tile(x, (2, 1, 1, 1)); m.roll(x, 1); m.rot90(x, 2, (0, 1)); m.rot90(x, -1, (1, 0)); x.movedim(0, -1)
m.movedim(x, (0, 1), (1, 0)); m.swapaxes(x, 0, 1); m.broadcast_to(x, (2, *x.shape)); m.tril(x, 1); m.triu(x, -1)
m.diagonal(x, 1); m.diag(x, -1); m.diag_embed(x, 1); m.cat([x, x]); m.cat([x, x], -1); m.stack([x, x], 1)
m.hstack([x, x]); m.vstack([x, x]); m.dstack((x, x)); m.column_stack([x, x]); m.cat([m.zeros(0), x])
m.cat((x, x.double())); m.concat([x, x.int()], 0); x.split([1, 2]); x.chunk(3); m.tensor_split(x, (1, 2)); x.split(0)
x.masked_fill(x > 0, 2); x.masked_fill(m.tensor(True), 2); x.masked_select(x > 0); m.masked_select(x, m.tensor(True))
m.gather(x, 0, m.zeros(x.shape, dtype=m.long)); m.take(x, m.tensor([0, -1]));
m.gather(x, -1, m.zeros((*x.shape[:-1], 2), dtype=m.long)); m.scatter_add(x, -1, m.zeros(x.shape, dtype=m.long), x)
x.index_fill(0, m.tensor([0]), 7); x.index_add(0, m.tensor([0]), x[:1], alpha=2)
x.index_copy(0, m.tensor([0]), x[:1]); x.view(m.int32); x.view(m.uint8); x.view(m.int16); x.view(m.int64); x.view(-1)
x.t().view(-1); x.expand(2, 3, 4); m.quantile(x, 0.4, interpolation='lower')
m.quantile(x, 0.4, interpolation='higher'); m.dist(x, x * 2, 3); m.quantile(x, 0.4, interpolation='nearest')
m.quantile(x, 0.4, interpolation='midpoint'); m.dist(x, x + 1.5); m.searchsorted(m.tensor([0.0, 1.0, 2.0]), x)
m.searchsorted(m.tensor([0, 1, 1, 2]), x, right=True); m.bucketize(x, m.tensor([0.0, 1.0])); m.bincount(x, x.float())
x.norm(1); x.norm(float('inf')); x.norm(0.5); x.norm(3); m.linalg.norm(x); m.linalg.norm(x, 'fro')
m.linalg.norm(x, -1); m.linalg.norm(x, float('inf')); m.max(x, x * 2); x.logsumexp((0, 1)); m.flatten(x, 0, 1)
m.broadcast_tensors(x, m.zeros(3, 1)); x.squeeze((0, 1)); x.topk(9); m.meshgrid(x, x, indexing='xy')
m.repeat_interleave(x, 2); x.repeat_interleave(m.tensor([1, 2, 0]), 0); m.zeros_like(x); m.ones_like(x, dtype=m.int64)
m.full_like(x, 3); x.new_zeros(2, 3); x.new_full((2,), 3)
"""

# Without an input.
MADE = """
m.zeros(2, 3); m.zeros((2, 3)); m.zeros(size=(2, 3)); m.ones(()); m.zeros(2, dtype=int); m.zeros(-1); m.zeros(2.5)
m.full((2,), 1); m.full((2,), 1.0); m.full((2,), True); m.full((2, 2), 1, dtype=m.float64); m.eye(2, 3); m.eye(0)
m.arange(5); m.arange(1, 5, 2); m.arange(0.0, 1, 0.25); m.arange(end=4); m.arange(5, 0, -2); m.arange(3, 0)
m.arange(0); m.arange(m.tensor(3)); m.arange(1, 2.5); m.linspace(0, 1, 5); m.linspace(0, 1, 1)
m.linspace(0, 10, 4, dtype=m.int64); m.linspace(0, 1, -1); m.logspace(0, 2, 3); m.logspace(0, 3, 4, base=2)
m.tensor(1); m.tensor([1, 2.5]); m.tensor([]); m.tensor([[1], [2, 3]]); m.tensor([1.7, -1.7], dtype=m.int32)
m.tensor('a'); m.tensor([True, 2]); m.tensor(np.float64(1)); m.tensor([np.float64(1.0), 2.0])
m.tensor([m.tensor(1.0), m.tensor(2.0)]); m.tensor(300, dtype=m.uint8); m.tensor([[]])
m.as_tensor(np.arange(3.0), dtype=m.float32); m.asarray(np.arange(3.0)); m.from_numpy([1]); m.tril_indices(3, 3)
m.triu_indices(2, 4, 1); m.tril_indices(3, 2, -1, dtype=m.int32); m.triu_indices(0, 2); m.randperm(5).sort()[0]
m.meshgrid(m.arange(2), m.arange(3), indexing='ij'); m.meshgrid([m.arange(2), m.tensor(3)], indexing='ij')
m.normal(2.0, 0.0, size=(3,)); m.normal(0.0, -1.0, (2,)); m.randint(5, 5, (2,)); m.bernoulli(m.ones(3))
m.bernoulli(m.tensor([2.0])); m.multinomial(m.tensor([0.0, 1.0, 0.0]), 5, True); m.multinomial(m.ones(2), 3)
m.multinomial(m.tensor([-1.0, 1.0]), 1); m.multinomial(m.tensor([[0.0, 1.0], [1.0, 0.0]]), 1)
m.zeros(3).random_(2, 3); m.randint(5, (2,)).dtype is m.int64; m.randint(high=5, size=(2,)).shape
m.rand(size=(2,)).shape; m.zeros(3, 4).scatter(1, m.tensor([[1], [2], [0]]), 1)
m.zeros(3).scatter(0, m.tensor([0]), 1.0, reduce='add'); m.zeros(3).scatter(0, m.tensor([3]), 1.0)
m.zeros(3).gather(0, m.tensor([-1])); m.zeros(3).gather(0, m.tensor([0.5])); m.zeros(2, 3).gather(0, m.tensor([0]))
m.zeros(3).index_select(0, m.tensor([3])); m.zeros(2, 2).take(m.tensor([5]))
m.zeros(3, 4).scatter_(1, m.tensor([[1], [2], [0]]), m.ones(3, 1))
m.zeros(3).index_add_(0, m.tensor([0, 0]), m.ones(2)); m.ones(4, 3).fill_diagonal_(2)
m.ones(7, 3).fill_diagonal_(2, wrap=True); m.ones(3).cumsum_(0); m.ones(3, 3).tril_()
m.zeros(4).masked_scatter_(m.tensor([True, False, True, False]), m.tensor([1.0, 2.0]))
m.ones(2, 2).addmm_(m.ones(2, 2), m.eye(2)); m.zeros(3).masked_fill_(m.tensor([True, False, True]), 5)
m.zeros(3).index_fill_(0, m.tensor([1]), 2.0); m.ones(1, 2, 1).squeeze_(); m.ones(2).unsqueeze_(0); m.ones(2, 3).t_()
m.ones(2, 3, 4).transpose_(0, 2); m.trace(m.arange(6).reshape(2, 3)); m.tensordot(m.ones(2, 3, 4), m.ones(3, 4, 5))
m.tensordot(m.ones(2), m.ones(3), 0); m.tensordot(m.ones(2, 3, 4), m.ones(4, 3, 5), dims=([1, 2], [1, 0]))
m.tensordot(m.ones(2, 3), m.ones(2, 3), 1); m.addmm(m.full((2, 2), float('nan')), m.ones(2, 3), m.ones(3, 2), beta=0)
m.addmv(m.ones(2), m.ones(2, 3), m.ones(3)); m.addmm(m.ones(2), m.ones(2, 3), m.ones(3, 2), beta=2, alpha=0.5)
m.addmm(m.ones(3), m.ones(2, 3), m.ones(3, 2)); m.baddbmm(m.ones(2), m.ones(3, 2, 3), m.ones(3, 3, 2))
m.addbmm(m.ones(2), m.ones(3, 2, 3), m.ones(3, 3, 2))
"""

# x[...] and x[...] = 7 of a (2, 3, 4) tensor.
INDICES = """
0; -1; 0, 1; 0, 1, 2; ...; ..., 0; None; None, 0; 0, None; :; 1:; :, 1:; ::2; :, ::2, 1; :, :, -1; ..., None; [0, 1]
[1, 0]; [[0, 1], [1, 0]]; :, [0, 2]; [0, 1], [0, 2]; [0], :, [1]; 0, :, [1, 2]; :, 0, [1, 2]; [0, 1], :, [1, 2]
:, [0, 1], [1, 2]; m.tensor([0, 1]); m.tensor(1); m.tensor([True, False]); :, m.tensor([True, False, True]); x > 5
m.tensor([[0, 1]]); (); m.tensor([0, 1]), m.tensor([1, 2]); m.tensor(0), m.tensor([1, 2]); None, m.tensor([1])
..., m.tensor([1, 2]); True; False; m.tensor([1]), ...; m.tensor(True); 5; 0, 5; [5]; 0, 0, 0, 0; m.tensor([0.5])
m.tensor([0, 1], dtype=m.int32); []; 0:0; 5:; m.tensor([], dtype=m.long); [True, False]; np.array([0, 1])
np.int64(1); m.tensor([True]); m.tensor([0, 1]), None; range(2); slice(m.tensor(0), m.tensor(1))
[m.tensor(0), m.tensor(1)]; (0, 1),; 'a'; 1.5; None, None
"""

EINSUMS = {
    "ij,jk": "23 34", "ij,jk->ki": "23 34", "bij,bjk->bik": "232 224", "ii": "33", "ii->i": "33", "i,j->ij": "2 3",
    "...ij,...jk->...ik": "2123 432", "ij->": "23", "ij->j": "23", "abc,abc": "232 232", "ij,ij,ij->i": "23 23 23",
    "...": "23", "b...,b...->b": "234 234", "i...->...": "23", "ij,jk ": "21 34", "ab,b": "23 1", "aab": "223",
    "ba": "23",
    "aB,Bc": "23 32", "ij,kj->ik": "03 23", " ij,jk": "20 03", "i j , j k -> i k": "23 32", "ij , jk": "23 42",
    "ii ": "23", "ij->ijk": "23", "i->ii": "2", "ij,k": "23", "...i,...i": "23 23", "a...,...b->...": "23 34",
}  # fmt: skip

# Where the two differ on purpose: the expression, and the inputs.
ELSEWHERE = {
    "x.index_fill(0, m.tensor([0]), 7)": {"no rows"},  # an IndexError, of index_add too
    "x.index_add(0, m.tensor([0]), x[:1], alpha=2)": {"no rows"},
    "x.index_select(0, m.tensor([0, 0]))": {"no rows"},
    "x.index_select(-1, m.tensor([0, 0]))": {"no columns"},
    "x.index_select(1, m.tensor([0, 0]))": {"no columns"},
    "x.view(m.uint8)": {"no rows", "no columns"},  # a view of nothing is possible
    "x.view(m.int16)": {"no rows", "no columns"},
    "x.view(m.int64)": {"no columns"},
    "x.repeat_interleave(m.tensor([1, 2, 0]), 0)": {"0-d"},  # a RuntimeError
    "m.dist(x, x + 1.5)": {"bool"},
}


def expressions(text: str) -> list[str]:
    return [e.strip() for line in text.strip().splitlines() for e in line.split("; ")]


def outcome(library, expression: str, x) -> tuple:
    """("value", the arrays) or (the kind of error, the error)."""
    if x is not None:
        x = library.tensor(x.copy())
    try:
        found = eval(expression, {"m": library, "x": x, "np": np})
    except Exception as error:  # whichever: the other library must answer the same
        return type(error).__name__, error
    return "value", [np.asarray(y) if isinstance(y, library.Tensor) else y for y in leaves(found)]


def leaves(x) -> list:
    return [leaf for item in x for leaf in leaves(item)] if type(x) in (tuple, list) else [x]


def compare(expression: str, x) -> None:
    (ours, mine), (theirs, expected) = (outcome(library, expression, x) for library in (tinyconv, torch))
    if "not implemented for" in str(expected):
        return  # no kernel for this type, which is no answer
    assert ours == theirs, f"{expression}: {mine} here, {expected} there"
    if ours == "value":
        assert len(mine) == len(expected)
        for a, b in zip(mine, expected, strict=True):
            assert getattr(a, "dtype", None) == getattr(b, "dtype", None)
            assert getattr(a, "shape", a) == getattr(b, "shape", b)
            np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "expression", expressions(WHOLE) + [e.format(d=d) for e in expressions(ALONG) for d in (0, -1, 1)]
)
def test_of_a_tensor(expression):
    for name, x in INPUTS.items():
        if name not in ELSEWHERE.get(expression, ()):
            compare(expression, x)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("expression", expressions(MADE))
def test_made(expression):
    compare(expression, None)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("index", expressions(INDICES))
def test_indexed(index):
    compare(f"x[{index}]", np.arange(24).reshape(2, 3, 4))
    compare(f"exec('x[{index.replace(chr(39), chr(34))}] = 7') or x", np.arange(24).reshape(2, 3, 4))


@pytest.mark.parametrize("equation", EINSUMS)
def test_einsum(equation):
    shapes = [tuple(map(int, shape)) for shape in EINSUMS[equation].split()]
    made = [f"m.arange({np.prod(shape)}.0).reshape({shape}) + 1" for shape in shapes]
    compare(f"m.einsum('{equation}', {', '.join(made)})", None)


MATRICES = ("ones(2, 3)", "ones(3, 2)", "arange(3.0)", "ones(2, 2, 3)", "ones(2, 3, 2)", "tensor(2.0)", "ones(0, 3)",
            "ones(3, 3, dtype=m.long)", "ones(3, 2).double()")  # fmt: skip


@pytest.mark.parametrize("name", ["matmul", "mm", "bmm", "dot", "inner", "outer", "kron"])
def test_products(name):
    for a in MATRICES:
        for b in MATRICES:
            compare(f"m.{name}(m.{a}, m.{b})", None)
