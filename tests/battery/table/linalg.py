"""Linear systems, decompositions and special functions."""

import scipy.special

from ..arrays import integers, mask, x
from .entry import call, entry, exclude, program

EMPTY = {"shapes": "of the empty matrix, LAPACK's answers differ", "values": "what LAPACK makes of NaN and infinities"}
SIGNS = EMPTY | {"gradgrad": "vectors are determined up to a sign, and what is not is an error there"}


def definite(m, function, a, *args, **kwargs):
    """Of a symmetric positive definite matrix; vectors without their signs."""
    y = function(a @ a.mT + m.eye(a.shape[-1], dtype=a.dtype), *args, **kwargs)
    return tuple(t.abs() for t in y) if isinstance(y, tuple) else y


def unsigned(m, function, a, *args, **kwargs):
    """Factors without their signs."""
    return tuple(t.abs() for t in function(a, *args, **kwargs))


def factored(m, function, a, b, **kwargs):
    """With the decomposition of a matrix."""
    return function(*m.linalg.lu_factor(a), b, **kwargs)


def factored_last(m, function, a, b):
    """With the decomposition of a matrix behind the right side."""
    return function(b, *m.linalg.lu_factor(a))


def triangular(m, function, a, *b, upper=False):
    """Of triangular matrices, with or without a right side before them."""
    a = a + 3 * m.eye(a.shape[-1], dtype=a.dtype)
    return function(*b, a.triu() if upper else a.tril(), upper)


def unpacked(m, function, a, *args, **kwargs):
    """Of the decomposition of a matrix."""
    return function(*m.linalg.lu_factor(a), *args, **kwargs)


entry("linalg.solve", call(x(3, 3), x(3, 2, salt=1)), call(x(2, 3, 3), x(2, 3, 1, salt=1)), call(x(3, 3), x(3)),
      call(x(3, 3), x(2, 3, salt=1), left=False),
      rejected=(call(x(3, 2), x(3, 2)), call(x(3, 3), x(2, 3))), without=EMPTY)  # fmt: skip
entry("linalg.solve_triangular", call(x(3, 3), x(3, 2, salt=1), upper=True),
      call(x(2, 3, 3), x(2, 3, 1, salt=1), upper=False, unitriangular=True),
      call(x(3, 3), x(2, 3, salt=1), upper=True, left=False),
      without=EMPTY | {f"dtypes: argument {i}": "two types are an error here" for i in (0, 1)})  # fmt: skip
entry("linalg.householder_product", call(x(4, 3), x(3, salt=1)), call(x(2, 3, 3), x(2, 2, salt=1)), call(x(3, 2), x(1)),
      rejected=(call(x(2, 3), x(2)), call(x(3, 3), x(4)), call(x(2, 3, 3), x(3)), call(x(3), x(3))),
      without=EMPTY)  # fmt: skip
entry("linalg.inv_ex", call(x(3, 3)), call(x(2, 3, 3), check_errors=True), rejected=(call(x(3, 2)), call(x(3))),
      without=EMPTY)  # fmt: skip
entry("linalg.solve_ex", call(x(3, 3), x(3, 2, salt=1)), call(x(2, 3, 3), x(2, 3, salt=1)),
      call(x(3, 3), x(2, 3, salt=1), left=False, check_errors=True),
      rejected=(call(x(3, 2), x(3, 2)), call(x(3, 3), x(2, 3))), without=EMPTY)  # fmt: skip
entry(
    "linalg.lu_factor linalg.lu_factor_ex linalg.lu",
    *(call(x(*shape)) for shape in [(3, 3), (2, 4, 3), (3, 5), (0, 2, 2)]),
    rejected=(call(x(3)), call(x(3, 3), pivot=False)),
    without=EMPTY,
)
entry(
    "linalg.lu_solve",
    program(factored, x(3, 3), x(3, 2, salt=1)),
    program(factored, x(2, 3, 3), x(2, 3, 1, salt=1)),
    program(factored, x(3, 3), x(2, 3, salt=1), left=False),
    program(factored, x(3, 3), x(2, 3, 2, salt=1), adjoint=True),
    program(factored, x(3, 3), x(2, 3, salt=1), left=False, adjoint=True),
    without=EMPTY,
)
entry(
    "lu_solve",
    program(factored_last, x(3, 3), x(3, 2, salt=1)),
    program(factored_last, x(2, 3, 3), x(2, 3, 1, salt=1)),
    without=EMPTY,
)
entry(
    "lu_unpack",
    *(program(unpacked, x(*shape)) for shape in [(3, 3), (2, 4, 3), (3, 5)]),
    program(unpacked, x(3, 3), unpack_data=False),
    program(unpacked, x(3, 3), True, False),
    without=EMPTY | {"gradient: unpack_data": "an error there", "gradgrad: unpack_data": "an error there"},
)
entry(
    "cholesky_solve",
    program(triangular, x(3, 3), x(3, 2, salt=1)),
    program(triangular, x(3, 3), x(2, 3, 1, salt=1), upper=True),
    program(triangular, x(2, 3, 3), x(2, 3, 1, salt=1), upper=True),
    rejected=(call(x(2, 2), x(3, 3)), call(x(3), x(3, 3))),
    without=EMPTY,
)
entry(
    "cholesky_inverse",
    program(triangular, x(3, 3)),
    program(triangular, x(2, 3, 3), upper=True),
    rejected=(call(x(3, 2)), call(x(3))),
    without=EMPTY,
)
entry(
    "linalg.cholesky_ex",
    program(definite, x(3, 3)),
    program(definite, x(2, 3, 3), upper=True),
    rejected=(call(x(3, 2)), call(x(3, 3), check_errors=True)),
    without=EMPTY,
)
entry(
    "linalg.tensorinv",
    call(x(2, 3, 6)),
    call(x(4, 2, 2), ind=1),
    rejected=(call(x(2, 3)), call(x(2, 2), ind=0)),
    without=EMPTY,
)
entry(
    "linalg.tensorsolve",
    call(x(2, 3, 6), x(2, 3, salt=1)),
    call(x(2, 3, 6), x(6, salt=1), dims=(0, 1)),
    call(x(3, 3), x(3)),
    rejected=(call(x(2, 3, 4), x(2, 3)),),
    without=EMPTY,
)
entry(
    "linalg.vander",
    call(x(4)),
    call(x(2, 3), N=5),
    call(x(2, 3), N=3),
    call(integers(4)),
    rejected=(call(x()), call(x(3), N=1), call(x(1)), call(mask(3))),
)
entry("linalg.inv inverse", call(x(3, 3)), call(x(2, 3, 3)), rejected=(call(x(3, 2)), call(x(3))), without=EMPTY)
entry("linalg.det det", call(x(3, 3)), call(x(2, 3, 3)), call(x(1, 1)), rejected=(call(x(3, 2)),), without=EMPTY)
entry("linalg.slogdet slogdet", call(x(3, 3)), call(x(2, 3, 3)), rejected=(call(x(3, 2)),), without=EMPTY)
entry("logdet", call(x(3, 3)), program(definite, x(2, 3, 3)), rejected=(call(x(3, 2)),), without=EMPTY)
entry("linalg.cholesky cholesky", program(definite, x(3, 3)), program(definite, x(2, 3, 3), upper=True),
      rejected=(call(x(3, 3)), call(x(3, 2))), without=EMPTY)  # fmt: skip
entry("linalg.qr", call(x(3, 3)), call(x(2, 4, 3)), call(x(3, 4), "reduced"), program(unsigned, x(4, 3), mode="r"),
      rejected=(call(x(3)), call(x(3, 3), "full")), without=SIGNS | {"gradient": "of mode r is an error"})  # fmt: skip
entry("qr", call(x(3, 3)), call(x(2, 4, 3)), call(x(3, 4), some=True), without=SIGNS)
entry("linalg.eigh", program(definite, x(3, 3)), program(definite, x(2, 3, 3), "U"), without=SIGNS)
entry("linalg.eigvalsh", program(definite, x(3, 3)), program(definite, x(2, 3, 3), UPLO="U"), without=EMPTY)
entry("linalg.svd svd", program(unsigned, x(3, 3)), program(unsigned, x(2, 4, 3)), program(unsigned, x(3, 4), False),
      without=SIGNS | {"gradient": "gradients with signs are an error there"})  # fmt: skip
entry("linalg.svdvals", call(x(3, 3)), call(x(2, 4, 3)), call(x(3, 4)), without=EMPTY)
entry("linalg.pinv", call(x(3, 3)), call(x(2, 4, 3)), call(x(3, 4), rtol=1e-3), without=EMPTY)
entry("pinverse", call(x(3, 3)), call(x(2, 4, 3)), call(x(3, 4), 1e-3), without=EMPTY)
entry("linalg.matrix_rank", call(x(3, 3)), call(x(2, 4, 3)), call(x(3, 4), atol=0.5), without=EMPTY)
entry("linalg.lstsq", call(x(4, 3), x(4, 2, salt=1)), call(x(3, 4), x(3, 2, salt=1)),
      call(x(4, 3), x(4, 2, salt=1), driver="gels"), rejected=(call(x(4, 3), x(3, 2)),), without=EMPTY)  # fmt: skip
entry("linalg.cond", call(x(3, 3)), call(x(2, 3, 3), 2), call(x(3, 4)), call(x(3, 3), -2), call(x(3, 3), "nuc"),
      without=EMPTY | {"gradient": "of some orders it is an error there", "gradgrad": "as above"})  # fmt: skip
entry("linalg.matrix_exp matrix_exp", call(x(3, 3)), call(x(2, 3, 3)), rejected=(call(x(3, 2)),), without=EMPTY)
entry("linalg.multi_dot", call([x(2, 3), x(3, 4), x(4, 1)]), call([x(3), x(3, 4), x(4)]),
      rejected=(call([x(2, 3), x(2, 3)]), call([x(2, 3)])), without=EMPTY)  # fmt: skip
entry("linalg.vecdot", call(x(2, 3), x(2, 3, salt=1)), call(x(2, 3), x(3, salt=1)), call(x(3, 2), x(3, 1), dim=0))
entry("linalg.diagonal", call(x(3, 4)), call(x(2, 3, 4), offset=1), call(x(3, 3, 2), dim1=0, dim2=1))
entry("linalg.norm", call(x(3, 4)), call(x(3, 4), "nuc"), call(x(3, 4), 2), call(x(2, 3, 4), 1, (1, 2), True),
      call(x(3, 4), float("inf"), 0), without=EMPTY)  # fmt: skip
entry("linalg.vector_norm", call(x(3, 4)), call(x(3, 4), 3.0, 1), call(x(3, 4), 1, keepdim=True),
      without={"values: nan": "the largest of NaN and numbers", "shapes": "of nothing"})  # fmt: skip
entry("linalg.matrix_norm", call(x(3, 4)), call(x(2, 3, 4), 2), call(x(3, 4, 2), "nuc", (0, 1), True),
      call(x(3, 4), -1), rejected=(call(x(3)), call(x(3, 4), 3)), without=EMPTY)  # fmt: skip
exclude("linalg.LinAlgError", "an error")
exclude("linalg.matmul linalg.matrix_power linalg.cross", "by another name; see matmul, matrix_power and cross")

POLES = {"values: zero": "at a pole", "values: argument 0 equal": "at a pole", "values: argument 1 equal": "as above"}
INFINITE = {"values: infinite": "at its ends", "values: extreme": "beyond the type"}
entry("lgamma special.gammaln", call(x(2, 3, kind="positive")), call(x(2, 3)), formula=scipy.special.gammaln,
      without=INFINITE | {"values: zero": "the gradient at a pole"})  # fmt: skip
entry("digamma special.digamma special.psi", call(x(2, 3, kind="positive")), call(x(2, 3)),
      without=INFINITE | POLES)  # fmt: skip
entry("erfinv special.erfinv", call(x(2, 3, kind="unit")), call(x(2, 3)), formula=scipy.special.erfinv,
      without=INFINITE | {"values: equal": "at its ends"})  # fmt: skip
entry("i0 special.i0", call(x(2, 3)), call(x()), formula=scipy.special.i0, without=INFINITE)
entry("special.i1 special.i1e", call(x(2, 3)), call(x()),
      without=INFINITE | {"values: nan": "the gradient at NaN is that at 0 there"})  # fmt: skip
entry("special.i0e special.ndtr special.log_ndtr special.erfcx", call(x(2, 3)), call(x()),
      without=INFINITE)  # fmt: skip
entry("special.ndtri", call(x(2, 3, kind="unit")), formula=scipy.special.ndtri,
      without=INFINITE | {"values: zero": "at its ends", "values: equal": "at its ends"})  # fmt: skip
entry("special.entr", call(x(2, 3, kind="positive")), call(x(2, 3)), formula=scipy.special.entr, without=INFINITE)
entry("tinyconv.polygamma special.polygamma", call(1, x(2, 3, kind="positive")), call(2, x(2, 3, kind="positive")),
      rejected=(call(-1, x(3)),), without=INFINITE | POLES)  # fmt: skip
entry("Tensor.polygamma", call(x(2, 3, kind="positive"), 1), call(x(2, 3, kind="positive"), 0),
      rejected=(call(x(3), -1),), without=INFINITE | POLES)  # fmt: skip
ABOVE = {"values": "at poles"}
entry("mvlgamma special.multigammaln", call(x(2, 3, kind="sorted"), 1), rejected=(call(x(3), 0),), without=ABOVE)
entry(
    "special.zeta", call(3.0, x(2, 3, kind="positive")), without=ABOVE | {"keywords": "a number has no tensor method"}
)
entry("special.xlog1py", call(x(2, 3), x(2, 3, kind="positive", salt=1)), call(x(2, 1), x(3, kind="positive")),
      without=INFINITE | {"values: argument 1": "at -1 and below"})  # fmt: skip
exclude(
    "special.erf special.erfc special.exp2 special.expit special.expm1 special.log1p special.log_softmax special.logit "
    "special.logsumexp special.round special.sinc special.softmax special.xlogy",
    "by another name; tinyconv's have their checks",
)
