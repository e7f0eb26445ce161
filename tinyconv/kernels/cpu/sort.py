"""Sorting goes to the reference backend: NumPy's stable sorts (radix sort, timsort) are compiled already."""

from ..reference.sort import sort  # noqa: F401
