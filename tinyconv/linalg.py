"""Linear algebra, under PyTorch's names: ``tinyconv.linalg.norm``, ``solve``, ``svd``, ..."""

from .kernels.contract import LinAlgError
from .ops import matmul
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
from .ops.linalg import cond, matrix_norm, vecdot, vector_norm
from .ops.linalg import linalg_cross as cross
from .ops.linalg import linalg_diagonal as diagonal
from .ops.linalg import linalg_norm as norm
from .ops.matrix_products import matrix_exp, matrix_power, multi_dot
from .ops.out import let_take_out
from .ops.pseudoinverse import lstsq, pinv

__all__ = [
    "LinAlgError",
    "cholesky",
    "cond",
    "cross",
    "det",
    "diagonal",
    "eigh",
    "eigvalsh",
    "householder_product",
    "inv",
    "lstsq",
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
    "solve_triangular",
    "svd",
    "svdvals",
    "vecdot",
    "vector_norm",
]

_CASTS = {"cond", "householder_product", "matrix_rank", "pinv"}
let_take_out(globals(), _CASTS, set(__all__) - _CASTS - {"LinAlgError", "diagonal", "matrix_exp"})
name_what_is_no_tensor(globals())
del let_take_out, name_what_is_no_tensor  # which are no operations
