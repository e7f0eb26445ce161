"""Several processes, by ``torch.distributed``'s names: not yet; a program that asks whether it may is told.

Programs for one machine and for many ask :func:`is_available` and :func:`is_initialized` before they say anything to
the others, and go on alone when the answer is no.
"""

from __future__ import annotations

from typing import Any, NoReturn

__all__ = ["init_process_group", "is_available", "is_initialized"]


def is_available() -> bool:
    """False."""
    return False


def is_initialized() -> bool:
    """False: there is no group of processes."""
    return False


def init_process_group(*args: Any, **kwargs: Any) -> NoReturn:
    """No group can be made.

    Raises:
        RuntimeError: always.
    """
    raise RuntimeError("init_process_group: tinyconv trains in one process; leave out what is for several")
