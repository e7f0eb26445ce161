"""Norms and products, under PyTorch's names: ``tinyconv.linalg.norm``, ``matrix_power``, ..."""

from .ops.linalg import linalg_cross as cross
from .ops.linalg import linalg_norm as norm
from .ops.linalg import matrix_norm, matrix_power, vector_norm

__all__ = ["cross", "matrix_norm", "matrix_power", "norm", "vector_norm"]
