"""The battery as tests: every public name has an entry, and every check of every entry passes."""

from __future__ import annotations

import pytest

from .checks import CHECKS, run
from .public import ROOMS, entry_of, key_of, members, names, subjects
from .table import EXCLUDED, TABLE

SUBJECTS = subjects()


def test_every_public_name_has_an_entry():
    assert [f"{room}.{name}" for room, name in names() if entry_of(room, name) is None] == []


def test_every_entry_is_of_a_public_name():
    public = [(room, name) for room in ROOMS for name in members(room)]
    assert TABLE.keys() - {key_of(room, name) for room, name in public} == set()
    assert EXCLUDED.keys() - {name for _, name in public} - {f"{room}.{name}" for room, name in public} == set()


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("subject", SUBJECTS, ids=str)
def test_check(subject, check):
    assert run(subject, check).failures == []


@pytest.mark.slow
@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("room", ROOMS)
def test_the_whole_grid(room, check):
    """Every variation of every name. (All at once, so that a name's seconds are not spent on thousands of tests.)"""
    assert [f for s in SUBJECTS if s.room == room for f in run(s, check, full=True).failures] == []
