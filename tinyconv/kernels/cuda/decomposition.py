"""Linear systems and matrix decompositions: on the host, by the reference backend, and back."""

from __future__ import annotations

from ..reference import decomposition as host
from .arrays import from_host, to_host


def cholesky(x):
    return from_host(host.cholesky(to_host(x)))


def det(x):
    return from_host(host.det(to_host(x)))


def eigh(x):
    return tuple(from_host(y) for y in host.eigh(to_host(x)))


def lu(x):
    return tuple(from_host(y) for y in host.lu(to_host(x)))


def qr(x, complete):
    return tuple(from_host(y) for y in host.qr(to_host(x), complete))


def slogdet(x):
    return tuple(from_host(y) for y in host.slogdet(to_host(x)))


def solve(x, y):
    return from_host(host.solve(to_host(x), to_host(y)))


def svd(x, full):
    return tuple(from_host(y) for y in host.svd(to_host(x), full))
