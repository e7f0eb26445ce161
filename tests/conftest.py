"""What every test shares: the Hypothesis profile, random numbers that start the same, two processes, little garbage."""

from __future__ import annotations

import gc
import os
from pathlib import Path

import hypothesis
import pytest

import tinyconv

hypothesis.settings.register_profile("tinyconv", max_examples=30, deadline=None, derandomize="CI" in os.environ)
hypothesis.settings.load_profile("tinyconv")


@pytest.fixture(autouse=True)
def _same_random_numbers():
    tinyconv.manual_seed(0)


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Two processes share the tests of folders; those of files that are named begin sooner in this one."""
    return 2 if any(Path(name).is_dir() for name in config.args) else 0


def pytest_collection_finish() -> None:
    """What stays until the end, thirty thousand tests above all, is no longer the garbage collector's: what a test has
    it look for, it finds at once."""
    gc.collect()
    gc.freeze()
