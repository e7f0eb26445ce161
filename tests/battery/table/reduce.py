"""Reductions, cumulative sums, sorting."""

import numpy as np

from ..arrays import index, integers, mask, x
from .entry import call, entry


def along(kind="normal", tuples=True, all_=True):
    """Over everything, an axis, several axes."""
    whole = (call(x(2, 3, kind=kind)), call(x(kind=kind)), call(x(0, 3, kind=kind)), call(x(37, kind=kind)))
    several = (call(x(2, 3, 4, kind=kind), (0, 2)), call(x(2, 3, 4, kind=kind), dim=(1, -1), keepdim=True))
    return (
        *(whole if all_ else ()),
        call(x(2, 3, kind=kind), 1),
        call(x(2, 3, 4, kind=kind), dim=-2),
        call(x(2, 3, 4, kind=kind), 0, keepdim=True),
        call(x(kind=kind), 0),
        call(x(0, 3, kind=kind), 1),
        call(x(2, 1, kind=kind), 1, True),
        *(several if tuples else ()),
    )


entry(
    "sum nansum",
    *along(),
    call(integers(2, 3)),
    call(mask(2, 3)),
    call(mask(2, 3), 1),
    call(x(0, 3), 0),
    call(integers(2, 3), 0),
    without={"values: extreme": "what cancels depends on the order"},
)
entry(
    "mean nanmean",
    *along(),
    call(integers(2, 3)),
    call(x(0, 3), 0),
    without={"values: extreme": "what cancels depends on the order"},
)
entry(
    "Tensor.sum_to_size",
    call(x(2, 3), 1, 3),
    call(x(2, 3), 3),
    call(x(2, 3), (2, 1)),
    call(x(2, 2, 3), 2, 1),
    call(x(3), 3),
)
entry(
    "prod",
    *along(tuples=False),
    call(integers(2, 3)),
    call(integers(2, 3), 1),
    call(x(2, 3, special="zero"), 1),
    call(x(0, 3), 0),
    call(mask(2, 3)),
)
spread = (
    *along(),
    call(x(2, 3), 1, unbiased=False),
    call(x(2, 3), unbiased=False),
    call(x(2, 3), dim=1, correction=0),
    call(x(2, 3, 4), dim=(0, 2), correction=2),
    call(x(2, 3), correction=0),
    call(x(0, 3), 0),
)
OF_ONE = {"gradgrad: []": "the second derivative of one number's is NaN here, and none there"}
LARGE = {"values: extreme": "squares beyond float32"}
SUMS = {"values: infinite": "the mean of ∞ and -∞ is NaN, or of whichever came first"}
entry("var", *spread, without=OF_ONE)
entry("std", *spread, without=LARGE)
entry("var_mean", *spread, without=OF_ONE | LARGE | SUMS)
entry("std_mean", *spread, without=LARGE | SUMS)
extremes = (
    *along("distinct", tuples=False),
    call(integers(2, 3)),
    call(integers(4, 6, below=3), 1),
    call(mask(2, 3)),
    call(mask(2, 3), 1),
    call(x(2, 3), x(3, salt=1)),
    call(x(2, 9, special="equal"), 1),
    call(x(2, 9, special="nan"), 1),
    call(x(9, special="nan")),
)
entry("max min", *extremes, rejected=(call(x(2, 3), 2), call(x(2, 0), 1), call(x(0))))
entry(
    "amax amin",
    *along("distinct"),
    call(integers(4, 6, below=3), 1),
    call(x(2, 9, special="equal"), 1),
    call(x(2, 9, special="nan"), 1),
    call(x(2, 9, special="equal")),
    rejected=(call(x(2, 0), 1), call(x(0))),
)
entry("aminmax", call(x(2, 3)), call(x(2, 3), dim=1), call(x(2, 3, 4), dim=-2, keepdim=True), call(x()))
entry(
    "argmax argmin",
    *along("distinct", tuples=False),
    call(integers(4, 6, below=3), 1),
    call(x(2, 9, special="nan"), 1),
    call(integers(9, below=3)),
    rejected=(call(x(2, 0), 1), call(x(2, 3), 2)),
)
entry("all any", *along(), call(mask(2, 3)), call(mask(2, 3), 1), call(integers(3)), call(mask(0)))
entry(
    "count_nonzero",
    call(x(2, 3, special="zero")),
    call(mask(2, 3), 1),
    call(mask(2, 3), dim=(0, 1)),
    call(integers(3)),
    call(x(0)),
)
entry(
    "tinyconv.norm Tensor.norm",
    call(x(2, 3)),
    call(x(2, 3), 1),
    call(x(2, 3), 2, 1),
    call(x(2, 3), float("inf"), 0),
    call(x(2, 3), p=3, dim=1, keepdim=True),
    call(x(2, 3), "fro"),
    call(x(3), 0),
    call(x(2, 3, 4), 2, (1, 2)),
    call(x()),
    call(x(0)),
    call(x(2, 3), float("-inf")),
)
entry(
    "dist",
    call(x(2, 3), x(2, 3, salt=1)),
    call(x(2, 3), x(3, salt=1), 1),
    call(x(3), x(3, salt=1), p=3),
    call(x(3), x(3, salt=1), float("inf")),
)
entry(
    "logsumexp",
    call(x(2, 3), 1),
    call(x(2, 3, 4), (0, 2)),
    call(x(2, 3), dim=0, keepdim=True),
    call(x(), 0),
    call(x(0, 3), 0),
    call(x(2, 9, special="infinite"), 1),
    call(integers(2, 3), 1),
    without={"values: extreme": "of equal numbers that large each gets the whole gradient there"},
)
entry(
    "cumsum cumprod",
    call(x(2, 3), 1),
    call(x(2, 3, 4), dim=-2),
    call(x(5), 0),
    call(x(), 0),
    call(x(0, 3), 0),
    call(integers(2, 3), 1),
    call(mask(2, 3), 0),
    call(x(2, 5, special="zero"), 1),
    rejected=(call(x(2, 3), 2),),
)
entry(
    "cummax cummin",
    call(x(2, 5), 1),
    call(x(2, 3, 4), dim=-2),
    call(x(), 0),
    call(x(0, 3), 0),
    call(integers(2, 6, below=3), 1),
    call(x(2, 9, special="nan"), 1),
    call(x(2, 9, special="equal"), 1),
)
entry(
    "median nanmedian",
    call(x(2, 5, kind="distinct")),
    call(x(2, 5, kind="distinct"), 1),
    call(x(2, 4, kind="distinct"), dim=1, keepdim=True),
    call(x()),
    call(x(9, special="nan")),
    call(x(2, 9, special="nan"), 1),
    call(integers(9, below=30)),
    call(x(), 0),
)
entry(
    "mode",
    call(integers(3, 7, below=3), 1),
    call(x(3, 9, special="equal"), 1),
    call(integers(7, below=2)),
    call(integers(3, 7, below=3), dim=0, keepdim=True),
    without={"values: nan": "NaN equals no NaN here"},
)
entry(
    "quantile nanquantile",
    call(x(2, 5), 0.3),
    call(x(2, 5), 0.5, dim=1),
    call(x(2, 5), 0.25, 1, True),
    call(x(2, 5), x(3, kind="unit", fixed=True), 1),
    call(x(9), 0.3, interpolation="nearest"),
    call(x(9), 0.3, interpolation="lower"),
    call(x(9, special="nan"), 0.5),
    call(x(3, 4, special="nan"), 0.6, dim=0, interpolation="midpoint"),
    without={"shapes: special=nan": "which of several NaN gets the gradient"},
)
entry(
    "sort",
    call(x(5)),
    call(x(2, 5)),
    call(x(2, 5), 0),
    call(x(2, 5), dim=1, descending=True),
    call(integers(3, 9, below=4), dim=1, stable=True),
    call(integers(3, 9, below=4), dim=0, stable=True, descending=True),
    call(x()),
    call(x(0, 3)),
    call(x(2, 9, special="nan")),
    call(x(2, 9, special="nan"), descending=True),
    call(mask(5), stable=True),
    call(x(2, 0)),
    call(x(9, special="infinite")),
    call(x(3, 40), dim=1, stable=True),
    call(x(9, special="equal"), stable=True),
    rejected=(call(x(2, 3), 2),),
    without={
        "dtypes: all": "the order of ties is not promised",
        "dtypes: argument": "nor here",
        "values: equal": "nor here",
        "values: zero": "nor here",
    },
)
in_order = (call(x(5)), call(x(2, 5)), call(x()), call(x(0, 3)))
entry("msort", *in_order)
entry("argsort", *in_order, without={"dtypes": "the order of ties is not promised", "values": "as above"})
entry(
    "topk",
    call(x(7), 3),
    call(x(2, 7), 2, dim=1),
    call(x(4, 3), 2, 0),
    call(x(7), 3, largest=False),
    call(x(7), 0),
    call(x(7), 7),
    call(x(), 1),
    call(integers(7, below=90), 3),
    rejected=(call(x(3), 4), call(x(3), -1)),
    without={
        "values: equal": "PyTorch's order of ties is not defined",
        "values: zero": "ties",
        "values: extreme": "ties",
        "values: infinite": "ties",
        "values: nan": "ties",
        "dtypes: all": "ties",
        "dtypes: argument": "ties",
    },
)
entry(
    "kthvalue",
    call(x(7), 3),
    call(x(2, 7), 2, dim=1),
    call(x(4, 3), 2, 0, True),
    call(x(), 1),
    rejected=(call(x(3), 0), call(x(3), 4)),
    without={"values": "PyTorch's choice among ties is not defined", "dtypes: all": "ties"},
)
entry(
    "unique",
    call(integers(3, 5, below=4)),
    call(integers(9, below=4), return_inverse=True),
    call(integers(9, below=4), return_counts=True),
    call(integers(3, 5, below=4), return_inverse=True, return_counts=True),
    call(x(0)),
    call(x(5)),
    call(index(6, 2, below=2), dim=0),
    call(index(2, 6, below=2), dim=1, return_counts=True, return_inverse=True),
    call(x()),
    call(mask(5)),
)
entry(
    "unique_consecutive",
    call(integers(9, below=2)),
    call(integers(9, below=2), return_inverse=True, return_counts=True),
    call(index(6, 2, below=2), dim=0),
    call(x(0)),
)
entry(
    "histogram",
    call(x(9), 4),
    call(x(2, 9), 3, range=(-1.0, 1.0), density=True),
    call(x(9), x(4, kind="sorted", fixed=True), weight=x(9, salt=1)),
)
entry("histc", call(x(9)), call(x(9), bins=4, min=-1, max=1), call(x(2, 9), 5))
entry(
    "bincount",
    call(index(9, below=4)),
    call(index(9, below=4), minlength=7),
    call(index(9, below=4), x(9)),
    call(index(0, below=4)),
    rejected=(call(x(3)), call(index(2, 2, below=4))),
)
UNSORTED = {f"dtypes: index {place} uint8": "they are not sorted any more" for place in (0, 1)}
boundaries = x(5, kind="sorted", fixed=True)
entry(
    "searchsorted",
    call(boundaries, x(3, salt=1)),
    call(boundaries, x(2, 3, salt=1), right=True),
    call(boundaries, 0.5),
    call(x(2, 5, kind="sorted", fixed=True), x(2, 3, salt=1)),
    without=UNSORTED,
)
entry(
    "bucketize",
    call(x(3, salt=1), boundaries),
    call(x(2, 3, salt=1), boundaries, right=True),
    without=UNSORTED,
)
entry(
    "gradient",
    call(x(4)),
    call(x(3, 4)),
    call(x(3, 4), spacing=2),
    call(x(3, 4), spacing=[2.0, 0.5]),
    call(x(3, 4), spacing=(x(3, kind="sorted", salt=1), x(4, kind="sorted", salt=2)), edge_order=2),
    call(x(3, 4), dim=1, edge_order=2),
    call(x(3, 4), dim=(1, 0), spacing=[2.0, 0.5]),
    call(x(3, 2), dim=-1, spacing=[x(2, kind="sorted", salt=1)]),
    rejected=(
        call(x(3, 4), spacing=[2.0]),
        call(x(3, 4), dim=(0, 0)),
        call(x(2, 3), edge_order=2),
        call(x(3), edge_order=3),
        call(x(3, 4), dim=5),
        call(x(3, 4), spacing=[x(), x()]),
        call(mask(4)),
    ),
    without={
        "shapes: spacing=(<": "coordinates are broadcast there",
        "dtypes: bool": "differences of bools",
        "dtypes: argument 2 uint8": "differences of coordinates wrap around",
    },
)
entry(
    "diff",
    call(x(5)),
    call(x(2, 5), 2),
    call(x(2, 5), dim=0),
    call(x(3), prepend=x(1, salt=1), append=x(2, salt=2)),
    call(integers(4)),
)
entry("cov corrcoef", call(x(3, 7)), call(x(7)))
entry("trapz trapezoid", call(x(2, 5)), call(x(2, 5), dx=0.5), call(x(5), x(5, salt=1)))
entry(
    "cumulative_trapezoid",
    call(x(2, 5)),
    call(x(2, 5), dx=0.5),
    call(x(5), x(5, salt=1)),
    call(x(2, 5, 3), x(5, salt=1), dim=1),
    call(integers(4)),
    rejected=(call(x(5), x(4)), call(mask(3))),
)
entry(
    "logcumsumexp",
    call(x(2, 3), 1),
    call(x(9, 2), dim=0),
    call(x(2, 3, 5), -2),
    call(x(), 0),
    call(x(0, 3), 0),
    call(x(1), 0),
    call(x(7, special="extreme"), 0),
    rejected=(call(x(2, 3), 2),),
    without={
        f"{check}: {special}": "there the gradient goes through e**-y"
        for check, special in (("shapes", "extreme"), ("values", "extreme"), ("values", "infinite"))
    },
    formula=lambda a, dim: np.logaddexp.accumulate(a, dim) if a.ndim else a,
)
entry("renorm", call(x(3, 4), 2, 0, 1.0), call(x(3, 4), 1, 1, 0.5))
