"""The battery as tests: every public name has an entry, and every check of every entry passes."""

from __future__ import annotations

import pytest

from .checks import CHECKS, run
from .public import entry_of, names, subjects

SUBJECTS = subjects()


def test_every_public_name_has_an_entry():
    assert [f"{room}.{name}" for room, name in names() if entry_of(room, name) is None] == []


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("subject", SUBJECTS, ids=str)
def test_check(subject, check):
    assert run(subject, check).failures == []
