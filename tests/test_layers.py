"""The house: who imports whom, and what `import tinyconv` does not load."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_imports_run_downwards_as_the_contracts_in_pyproject_say():
    command = [sys.executable, "-c", "import sys, importlinter.cli as cli; sys.exit(cli.lint_imports(no_cache=True))"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr


def test_import_tinyconv_loads_neither_numba_nor_any_optional_package():
    optional = {"numba", "matplotlib", "onnx", "PIL", "pooch", "requests", "rich", "safetensors", "scipy", "torch"}
    modules = "tinyconv, tinyconv.onnx, tinyconv.training, tinyconv.vision"
    code = f"import sys, {modules}; print({optional!r} & set(sys.modules) or '')"
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert result.stdout.strip() == ""
