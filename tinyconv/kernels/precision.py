"""How exact products of float32 are to be, on devices that have a choice."""

from __future__ import annotations

# For products of matrices, and for convolutions: "highest", every product and sum rounded as float32 is; or "high",
# each number as the sum of two TF32 numbers where there are tensor cores, as exact in all but the last bits.
PRECISION = {"matmul": "highest", "conv": "highest"}
