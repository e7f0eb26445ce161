"""Special functions, under PyTorch's names: ``tinyconv.special.erfinv``, ``expit``, ``entr``, ..."""

from .ops import erf, erfc, exp2, expm1, log1p, log_softmax, logit, logsumexp, round, sinc, softmax, xlogy
from .ops import sigmoid as expit
from .ops.door import name_what_is_no_tensor
from .ops.out import let_take_out
from .ops.special import (
    digamma,
    entr,
    erfcx,
    erfinv,
    i0,
    i0e,
    i1,
    i1e,
    log_ndtr,
    ndtr,
    ndtri,
    polygamma,
    xlog1py,
    zeta,
)
from .ops.special import digamma as psi
from .ops.special import lgamma as gammaln
from .ops.special import mvlgamma as multigammaln

__all__ = [
    "digamma",
    "entr",
    "erf",
    "erfc",
    "erfcx",
    "erfinv",
    "exp2",
    "expit",
    "expm1",
    "gammaln",
    "i0",
    "i0e",
    "i1",
    "i1e",
    "log1p",
    "log_ndtr",
    "log_softmax",
    "logit",
    "logsumexp",
    "multigammaln",
    "ndtr",
    "ndtri",
    "polygamma",
    "psi",
    "round",
    "sinc",
    "softmax",
    "xlog1py",
    "xlogy",
    "zeta",
]

_EXACT = {"log_softmax", "round", "softmax"}
let_take_out(globals(), set(__all__) - _EXACT, _EXACT)
name_what_is_no_tensor(globals())
del let_take_out, name_what_is_no_tensor  # which are no operations
