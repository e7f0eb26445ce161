"""Norms, under PyTorch's names: ``tinyconv.linalg.norm``, ``vector_norm``, ``matrix_norm``."""

from .ops.linalg import linalg_norm as norm
from .ops.linalg import matrix_norm, vector_norm

__all__ = ["matrix_norm", "norm", "vector_norm"]
