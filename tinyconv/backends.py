"""PyTorch's flags of its backends: they can be read and set, and but for ``allow_tf32`` change nothing.

``backends.cudnn.deterministic = True`` asks for what always holds (the same seed gives the same results), and
``backends.cudnn.benchmark = True`` for a search that our kernels do not make. ``backends.cuda.matmul.allow_tf32`` and
``backends.cudnn.allow_tf32`` let tensor cores make matrix products and convolutions, with float32's error: see
:func:`~tinyconv.set_float32_matmul_precision`. Both are off at first.
"""

from __future__ import annotations

import sys
from types import SimpleNamespace

from .kernels.precision import PRECISION

__all__ = ["cpu", "cuda", "cudnn", "mkl", "mkldnn", "mps", "openmp"]


class _Library(SimpleNamespace):
    """A library that PyTorch would call and tinyconv does not."""

    def is_available(self) -> bool:
        """False: it is not used."""
        return False

    def is_built(self) -> bool:
        """False: it is not used."""
        return False

    def version(self) -> None:
        """None: it is not used."""


class _Products:
    """``allow_tf32`` for one kind of products."""

    _what: str

    @property
    def allow_tf32(self) -> bool:
        """Whether tensor cores may make them."""
        return PRECISION[self._what] != "highest"

    @allow_tf32.setter
    def allow_tf32(self, allowed: bool) -> None:
        PRECISION[self._what] = "high" if allowed else "highest"


class _Convolutions(_Products, _Library):
    _what = "conv"


class _MatrixProducts(_Products, SimpleNamespace):
    _what = "matmul"


cudnn = _Convolutions(enabled=True, benchmark=False, deterministic=True, benchmark_limit=10)
mkldnn = _Library(enabled=True, deterministic=True)
mkl = _Library()
mps = _Library()
openmp = _Library()
cpu = _Library(get_cpu_capability=lambda: "DEFAULT")
cuda = _Library(matmul=_MatrixProducts(allow_fp16_reduced_precision_reduction=False))

__path__: list[str] = []  # `import tinyconv.backends.cudnn as cudnn` is an import, too
sys.modules.update({f"{__name__}.{name}": globals()[name] for name in __all__})
