"""What is in ``utils`` needs no import of its own, as under PyTorch."""

import subprocess
import sys

import pytest

import tinyconv


def test_data_without_an_import():
    code = (
        "import tinyconv; print(tinyconv.utils.data.DataLoader.__name__, tinyconv.utils.hooks.RemovableHandle.__name__)"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.split() == ["DataLoader", "RemovableHandle"]


def test_what_is_not_there():
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        tinyconv.utils.nothing  # noqa: B018
