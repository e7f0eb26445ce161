"""The battery as tests: every public name has an entry, and every check of every entry passes."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

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


def whole_grid(room: str) -> subprocess.CompletedProcess:
    """Every variation of a room's names, by the command."""
    command = [sys.executable, "-m", "tests.battery", "--full", rf"^{room}\."]
    return subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_the_whole_grid():
    """In a process for each room, since what PyTorch reads beyond its arrays, for shapes that do not fit, may end one;
    and in two at a time."""
    with ThreadPoolExecutor(2) as pool:
        found = dict(zip(ROOMS, pool.map(whole_grid, ROOMS), strict=True))
    failed = [
        f"{room} ended with {ran.returncode}:{ran.stdout.partition('variations passed')[2]}\n{ran.stderr[-2000:]}"
        for room, ran in found.items()
        if ran.returncode
    ]
    assert not failed, "\n".join(failed)
