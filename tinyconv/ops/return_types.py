"""The named tuples that operations with several results return: ``x.max(1).values``, ``x.max(1).indices``."""

from __future__ import annotations

from collections import namedtuple
from typing import Any


def _return_type(name: str, *fields: str) -> Any:
    """A named tuple that prints as PyTorch's do: a line for each field."""

    def shown(self: Any) -> str:
        lines = ",\n".join([f"{field}={value!r}" for field, value in zip(fields, self)])
        return f"tinyconv.return_types.{name}(\n{lines})"

    doc = f"What ``tinyconv.{name}`` returns: {', '.join(fields)}."
    base = namedtuple(name, fields)  # type: ignore[misc]
    return type(
        name, (base,), {"__slots__": (), "__doc__": doc, "__module__": "tinyconv.return_types", "__repr__": shown}
    )


aminmax = _return_type("aminmax", "min", "max")
frexp = _return_type("frexp", "mantissa", "exponent")
histogram = _return_type("histogram", "hist", "bin_edges")
cummax, cummin, kthvalue, max, median, min, mode, nanmedian, sort, topk = (
    _return_type(name, "values", "indices")
    for name in ("cummax", "cummin", "kthvalue", "max", "median", "min", "mode", "nanmedian", "sort", "topk")
)

geqrf = _return_type("geqrf", "a", "tau")
linalg_cholesky_ex = _return_type("linalg_cholesky_ex", "L", "info")
linalg_eigh = _return_type("linalg_eigh", "eigenvalues", "eigenvectors")
linalg_inv_ex = _return_type("linalg_inv_ex", "inverse", "info")
linalg_lstsq = _return_type("linalg_lstsq", "solution", "residuals", "rank", "singular_values")
linalg_lu, lu_unpack = (_return_type(name, "P", "L", "U") for name in ("linalg_lu", "lu_unpack"))
linalg_lu_factor = _return_type("linalg_lu_factor", "LU", "pivots")
linalg_lu_factor_ex = _return_type("linalg_lu_factor_ex", "LU", "pivots", "info")
linalg_qr, qr = _return_type("linalg_qr", "Q", "R"), _return_type("qr", "Q", "R")
linalg_slogdet, slogdet = (_return_type(name, "sign", "logabsdet") for name in ("linalg_slogdet", "slogdet"))
linalg_solve_ex = _return_type("linalg_solve_ex", "result", "info")
linalg_svd, svd = _return_type("linalg_svd", "U", "S", "Vh"), _return_type("svd", "U", "S", "V")
