"""Linear algebra, under PyTorch's names: ``tinyconv.linalg.norm``, ``solve``, ``svd``, ..."""

from .kernels.contract import LinAlgError
from .ops import matmul
from .ops.cholesky import cholesky_ex
from .ops.cumulative import linalg_vander as vander
from .ops.decomposition import (
    cholesky,
    det,
    eigh,
    eigvalsh,
    inv,
    matrix_rank,
    qr,
    slogdet,
    solve,
    solve_triangular,
    svd,
    svdvals,
)
from .ops.door import name_what_is_no_tensor
from .ops.householder import householder_product
from .ops.linalg import cond, matrix_norm, tensorinv, tensorsolve, vecdot, vector_norm
from .ops.linalg import linalg_cross as cross
from .ops.linalg import linalg_diagonal as diagonal
from .ops.linalg import linalg_norm as norm
from .ops.lu import inv_ex, lu, lu_factor, lu_factor_ex, lu_solve, solve_ex
from .ops.matrix_products import matrix_exp, matrix_power, multi_dot
from .ops.out import let_take_out
from .ops.pseudoinverse import lstsq, pinv

__all__ = [
    "LinAlgError",
    "cholesky",
    "cholesky_ex",
    "cond",
    "cross",
    "det",
    "diagonal",
    "eigh",
    "eigvalsh",
    "householder_product",
    "inv",
    "inv_ex",
    "lstsq",
    "lu",
    "lu_factor",
    "lu_factor_ex",
    "lu_solve",
    "matmul",
    "matrix_exp",
    "matrix_norm",
    "matrix_power",
    "matrix_rank",
    "multi_dot",
    "norm",
    "pinv",
    "qr",
    "slogdet",
    "solve",
    "solve_ex",
    "solve_triangular",
    "svd",
    "svdvals",
    "tensorinv",
    "tensorsolve",
    "vander",
    "vecdot",
    "vector_norm",
]

_CASTS = {"cond", "householder_product", "matrix_rank", "pinv", "tensorinv", "tensorsolve"}
let_take_out(globals(), _CASTS, set(__all__) - _CASTS - {"LinAlgError", "diagonal", "matrix_exp", "vander"})
name_what_is_no_tensor(globals())
del let_take_out, name_what_is_no_tensor  # which are no operations
