"""The table of entries: for each public name the calls it is checked with.

An entry is filed under a bare name where all its spellings take the same arguments (``add`` serves ``tinyconv.add``,
``Tensor.add``, ``Tensor.add_`` and ``Tensor.__iadd__``), else under ``Tensor.max``, ``F.dropout``, ``nn.Conv2d``.
"""

from importlib import import_module

from .entry import EXCLUDED, TABLE, Entry

for _noun in (
    "arithmetic",
    "bits",
    "compare",
    "creation",
    "functional",
    "linalg",
    "loss",
    "matmul",
    "module",
    "native",
    "optim",
    "reduce",
    "shape",
    "tensor",
    "differences",  # the last: it speaks of the others' entries
):
    import_module(f"{__name__}.{_noun}")

__all__ = ["EXCLUDED", "TABLE", "Entry"]
