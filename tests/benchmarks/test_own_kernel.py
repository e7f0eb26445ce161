"""The example of a kernel of one's own: it computes, is plugged in, is checked by the kernels' own tests, and races."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "own_kernel.py"


def run(*arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """A new Python process that finds ``examples`` in ``cwd``, and everything else here."""
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (cwd, ROOT)))}
    return subprocess.run([sys.executable, *arguments], cwd=cwd, env=env, capture_output=True, text=True, timeout=600)


def commands() -> dict[str, list[str]]:
    """What the example says how to run it, by purpose."""
    found = re.findall(r"^    python (.*?) +# (\w+)$", EXAMPLE.read_text(), re.M)
    return {purpose: [word.strip('"') for word in re.findall(r'".*?"|\S+', line)] for line, purpose in found}


def test_it_races():
    done = run(*commands()["race"])
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r"[\d,]+ calls a second beside [\d,]+: \d+\.\d\d times as fast\n", done.stdout)


def test_it_is_checked():
    done = run(*commands()["check"])
    assert done.returncode == 0, done.stdout
    assert int(re.search(r"(\d+) passed", done.stdout)[1]) >= 3


def test_a_wrong_kernel_is_found(tmp_path):
    """The same with a mistake in it: the dilation is forgotten."""
    (tmp_path / "examples").mkdir()
    code = EXAMPLE.read_text()
    assert "kw * DW" in code
    (tmp_path / "examples" / "own_kernel.py").write_text(code.replace("kw * DW", "kw"))
    arguments = [str(ROOT / word) if word.startswith("tests/") else word for word in commands()["check"]]
    done = run(*arguments, "-x", "--rootdir", str(ROOT), "-c", str(ROOT / "pyproject.toml"), cwd=tmp_path)
    assert re.search(r"FAILED .*test_unfold", done.stdout), done.stdout


def test_it_is_plugged_in():
    code = """
import examples.own_kernel, tinyconv
from tinyconv.kernels import cpu
called = []
plugged = cpu.unfold
cpu.unfold = lambda *args: called.append(plugged.__module__) or plugged(*args)
tinyconv.nn.functional.unfold(tinyconv.ones(1, 1, 3, 3), 2)
print(called)
"""
    done = run("-c", code)
    assert done.stdout == "['examples.own_kernel']\n", done.stderr
