"""PyTorch's flags of its backends: they can be read and set, and change nothing.

``backends.cudnn.deterministic = True`` asks for what always holds (the same seed gives the same results), and
``backends.cudnn.benchmark = True`` for a search that our kernels do not make.
"""

from __future__ import annotations

import sys
from types import SimpleNamespace

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


cudnn = _Library(enabled=True, benchmark=False, deterministic=True, allow_tf32=False, benchmark_limit=10)
mkldnn = _Library(enabled=True, deterministic=True)
mkl = _Library()
mps = _Library()
openmp = _Library()
cpu = _Library(get_cpu_capability=lambda: "DEFAULT")
cuda = _Library(matmul=SimpleNamespace(allow_tf32=False, allow_fp16_reduced_precision_reduction=False))

__path__: list[str] = []  # `import tinyconv.backends.cudnn as cudnn` is an import, too
sys.modules.update({f"{__name__}.{name}": globals()[name] for name in __all__})
