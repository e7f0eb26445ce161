"""The fixture ``python``: what only a fresh process can show, because it depends on the environment at its start."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="session")
def python():
    """``python("-c", code, NAME=value)``: what a new Python process prints, with these environment variables."""

    def run(*arguments: object, cwd: Path = ROOT, **environment: object) -> str:
        inherited = {k: v for k, v in os.environ.items() if k not in ("NUMBA_NUM_THREADS", "OMP_NUM_THREADS")}
        env = inherited | {"PYTHONPATH": str(cwd)} | {k: str(v) for k, v in environment.items()}
        command = [sys.executable, *map(str, arguments)]
        done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, timeout=600)
        assert done.returncode == 0, f"exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    return run
