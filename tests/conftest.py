"""What every test shares: the Hypothesis profile, the host kernels, and random numbers that start the same."""

from __future__ import annotations

import os
from importlib import import_module

import hypothesis
import pytest

import tinyconv
from tinyconv.kernels.contract import KERNELS

hypothesis.settings.register_profile("tinyconv", max_examples=30, deadline=None, derandomize="CI" in os.environ)
hypothesis.settings.load_profile("tinyconv")

try:
    complete = KERNELS.keys() <= vars(import_module("tinyconv.kernels.cpu")).keys()
except ImportError:
    complete = False
tinyconv.use_kernels("cpu" if complete else "reference")


@pytest.fixture(autouse=True)
def _same_random_numbers():
    tinyconv.manual_seed(0)
