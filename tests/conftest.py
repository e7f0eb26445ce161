"""What every test shares: the Hypothesis profile, and random numbers that start the same."""

from __future__ import annotations

import os

import hypothesis
import pytest

import tinyconv

hypothesis.settings.register_profile("tinyconv", max_examples=30, deadline=None, derandomize="CI" in os.environ)
hypothesis.settings.load_profile("tinyconv")


@pytest.fixture(autouse=True)
def _same_random_numbers():
    tinyconv.manual_seed(0)
