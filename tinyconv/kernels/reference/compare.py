"""Comparison and selection, element by element."""

from __future__ import annotations

import operator

import numpy as np

from .elementwise import elementwise

RELATIONS = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@elementwise
def compare(x, y, relation):
    return RELATIONS[relation](x, y)


@elementwise
def where(condition, x, y):
    return np.where(condition, x, y)


@elementwise
def maximum(x, y):
    return np.maximum(x, y)


@elementwise
def minimum(x, y):
    return np.minimum(x, y)
