from __future__ import annotations

import gc

import pytest


@pytest.fixture
def no_gc():
    """Whatever dies in the test dies by its reference count."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()
