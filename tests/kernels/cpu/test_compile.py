"""The cache of compiled kernels: fresh after an edit, used otherwise, never trusted. And kernels as plain Python."""

from __future__ import annotations

import gc
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numba
import numpy as np
import pytest

from tests.kernels.compare import assert_close
from tests.kernels.cpu.calls import calls, results
from tests.kernels.cpu.conftest import ROOT
from tinyconv.kernels import cpu, reference
from tinyconv.kernels.cache import cache_root
from tinyconv.kernels.contract import KERNELS
from tinyconv.kernels.cpu import compile

RELU = """
import numpy as np
from tinyconv.kernels import cpu
x = np.linspace(-1, 1, 5000, dtype=np.float32)
y = cpu.relu(x)
print(y[0], y[-1])
"""
RIGHT = "0.0 1.0\n"


ENVIRONMENT = {"OMP_NUM_THREADS": 1, "NUMBA_OPT": 1}


@pytest.fixture
def relu(python, tmp_path):
    """``relu()``: what RELU prints in a new process that keeps its compiled kernels in ``tmp_path``."""
    return lambda **environment: python("-c", RELU, **ENVIRONMENT | {"NUMBA_CACHE_DIR": tmp_path} | environment)


@pytest.fixture(scope="module")
def compiled_once(python, tmp_path_factory):
    """The folder that RELU's kernels were compiled into."""
    folder = tmp_path_factory.mktemp("compiled")
    assert python("-c", RELU, NUMBA_CACHE_DIR=folder, **ENVIRONMENT) == RIGHT
    assert files(folder)
    return folder


@pytest.fixture
def compiled(compiled_once, tmp_path):
    """A copy of it in ``tmp_path``, where ``relu()`` finds it."""
    shutil.copytree(compiled_once, tmp_path, dirs_exist_ok=True)


def files(directory: Path) -> dict[Path, int]:
    """Every file of compiled code and when it was written."""
    return {path: path.stat().st_mtime_ns for path in directory.rglob("*") if path.is_file()}


# ----------------------------------------------------------------------------------------------------- used, and fresh


def test_the_second_run_finds_what_the_first_compiled(relu, compiled, tmp_path):
    before = files(tmp_path)
    assert relu() == RIGHT
    assert files(tmp_path) == before


def test_an_edit_takes_effect(relu, compiled, tmp_path, tmp_path_factory):
    """``relu`` is compiled into a kernel of another file, whose own text does not change: Numba's cache would be
    stale."""
    copy = tmp_path_factory.mktemp("copy")
    shutil.copytree(ROOT / "tinyconv", copy / "tinyconv", ignore=shutil.ignore_patterns("__pycache__"))
    formulas = copy / "tinyconv" / "kernels" / "formulas.py"
    text = formulas.read_text()
    assert text.count("return zero if x <= zero else x") == 1
    formulas.write_text(text.replace("return zero if x <= zero else x", "return x + x if x <= zero else x + x + x"))
    assert relu(cwd=copy) == "-2.0 3.0\n"

    formulas.write_text(text)
    before = files(tmp_path)
    assert relu(cwd=copy) == RIGHT
    assert files(tmp_path) == before, "the first text's kernels were still there"


def test_compiled_and_loaded_kernels_give_the_same_bits(python, tmp_path):
    """Sums that the compiler may reorder would show if the two ways ran different code."""
    command = "-m", "tests.kernels.cpu.digests", "batch_norm_gx", "batch_norm_train", "sum"
    compiled, loaded = (python(*command, NUMBA_CACHE_DIR=tmp_path) for _ in range(2))
    assert compiled == loaded


def test_two_processes_may_compile_at_once(tmp_path):
    """Two signatures of the same kernels: neither may find the other's code."""
    code = (
        "import sys, numpy as np; from tinyconv.kernels import cpu; print(cpu.relu(np.ones(5000, sys.argv[1])).sum())"
    )
    settings = ENVIRONMENT | {"NUMBA_CACHE_DIR": tmp_path, "PYTHONPATH": ROOT}
    environment = os.environ | {name: str(value) for name, value in settings.items()}
    for _ in range(2):  # compiling, then loading
        both = [
            subprocess.Popen([sys.executable, "-c", code, dtype], env=environment, stdout=subprocess.PIPE, text=True)
            for dtype in ("float32", "float64")
        ]
        assert [process.communicate()[0] for process in both] == ["5000.0\n", "5000.0\n"]
        assert [process.returncode for process in both] == [0, 0]
    assert not list(tmp_path.rglob("*.tmp.*"))


def test_what_was_compiled_for_other_types_has_another_file():
    for dtype in (np.float32, np.float64):
        cpu.relu(np.ones(5000, dtype))
    loop = cpu.elementwise._relu
    keys = [loop._cache._index_key(signature, loop.targetctx.codegen()) for signature in loop.signatures]
    file = loop._cache._cache_file
    assert len({file._path(key) for key in keys}) == len(keys) >= 2
    assert all(file.load(key) is not None for key in keys)


# ----------------------------------------------------------------------------------------------------- never trusted

DAMAGE = {
    "empty": lambda data: b"",
    "short": lambda data: data[:20],
    "truncated": lambda data: data[: len(data) // 2],
    "one bit": lambda data: data[:-100] + bytes([data[-100] ^ 1]) + data[-99:],
    "not ours": lambda data: b"\x80\x04N." * 20,
}


def test_damaged_files_count_as_missing(relu, compiled, tmp_path):
    sound = {path: path.read_bytes() for path in files(tmp_path)}
    kinds = list(DAMAGE.values())
    for i, (path, data) in enumerate(sound.items()):
        path.write_bytes(kinds[i % len(kinds)](data))
    damaged = {path: path.read_bytes() for path in sound}
    assert relu() == RIGHT
    repaired = {path: path.read_bytes() for path in sound}
    assert sum(repaired[path] != damaged[path] for path in sound) >= 3  # those that this run looked for
    before = files(tmp_path)
    assert relu() == RIGHT
    assert files(tmp_path) == before


@pytest.mark.parametrize("kind", DAMAGE)
def test_a_damaged_file_is_not_read(kind, tmp_path):
    file = compile._CheckedFile(str(tmp_path), "kernel", "stamp")
    file.save("key", {"code": b"x" * 500})
    assert file.load("key") == {"code": b"x" * 500}
    assert file.load("another key") is None
    (path,) = files(tmp_path)
    path.write_bytes(DAMAGE[kind](path.read_bytes()))
    assert file.load("key") is None
    file.save("key", "again")
    assert file.load("key") == "again"


def test_a_directory_that_cannot_be_made_only_costs_time(relu, tmp_path):
    """Permissions do not bind an administrator; a regular file where a directory should be binds everyone."""
    blocked = tmp_path / "file"
    blocked.write_text("")
    assert relu(NUMBA_CACHE_DIR=blocked / "cache") == RIGHT
    assert files(tmp_path).keys() == {blocked}


def test_a_file_that_cannot_be_written_only_costs_time(monkeypatch):
    """A full disk, for example."""

    def fail(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(compile._CheckedFile, "load", lambda file, key: None)
    monkeypatch.setattr(compile._CheckedFile, "save", fail)
    relu = compile.jit(cpu.elementwise._relu_chunk.py_func)
    y = np.zeros(2, np.float32)
    relu(0, np.array([-1, 1], np.float32), y)
    assert y.tolist() == [0, 1]
    assert not relu._cache._enabled


def test_caches_of_texts_long_gone_are_deleted(monkeypatch, tmp_path):
    old, recent = tmp_path / "tinyconv" / "kernels-old", tmp_path / "tinyconv" / "kernels-recent"
    for directory in (old, recent):
        directory.mkdir(parents=True)
        (directory / "file").write_text("")
    os.utime(old, (0, 0))
    monkeypatch.setattr(compile.config, "CACHE_DIR", str(tmp_path))
    present = compile.cache_directory.__wrapped__()
    assert present.parent == old.parent
    assert present.is_dir() and recent.is_dir()
    assert not old.exists()


@pytest.mark.skipif(sys.platform != "linux", reason="other systems keep caches elsewhere")
def test_where_the_cache_is(monkeypatch, tmp_path):
    monkeypatch.setattr(compile.config, "CACHE_DIR", "")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_root() == tmp_path / "tinyconv"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_root() == tmp_path / ".cache" / "tinyconv"


def test_kernels_written_elsewhere_are_not_cached(tmp_path):
    """The name of the cache comes from the text of ``kernels/``, which would not tell that they changed."""
    assert isinstance(cpu.elementwise._relu._cache, compile._Cache)
    assert not isinstance(compile.jit(files)._cache, compile._Cache)


# ------------------------------------------------------------------------------------------------ no more than needed


def has_entry_for_python(result) -> bool:
    return result.library.get_pointer_to_function(result.fndesc.llvm_cpython_wrapper_name) != 0


def test_what_only_kernels_call_is_compiled_without_an_entry_for_python():
    cpu.relu(np.ones(5000, np.float32))
    called_by_python, called_by_kernels = cpu.elementwise._relu.overloads, cpu.elementwise._relu_chunk.lean.overloads
    assert called_by_python and all(map(has_entry_for_python, called_by_python.values()))
    assert called_by_kernels and not any(map(has_entry_for_python, called_by_kernels.values()))


def at(x, i):
    if i >= x.size:
        raise IndexError("beyond the end")
    return x[i]


_apart, _contained = compile.jit(apart=True)(at), compile.jit(at)


@compile.jit
def _from_apart(x, i):
    return 2 * _apart(x, i)


@compile.jit
def _from_contained(x, i):
    return 2 * _contained(x, i)


@pytest.mark.parametrize("caller, function, apart", [(_from_apart, _apart, True), (_from_contained, _contained, False)])
def test_a_function_apart_is_called_not_contained(caller, function, apart):
    x = np.array([1.5, 2.5], np.float32)
    assert caller(x, 1) == 5 and function(x, 1) == 2.5
    (result,), (inner,) = caller.overloads.values(), function.lean.overloads.values()
    assert (inner.fndesc.mangled_name not in result.library.get_llvm_str()) == apart
    assert bool(compile._called_by_address(result.library)) == apart
    with pytest.raises(IndexError, match="beyond the end"):
        caller(x, 2)


@pytest.mark.parametrize("collecting", [True, False])
def test_compiling_leaves_the_garbage_collector_as_it_was(collecting):
    was = gc.isenabled()
    try:
        gc.enable() if collecting else gc.disable()
        compile.jit(at)(np.zeros(1), 0)
        assert gc.isenabled() == collecting
        with pytest.raises(numba.TypingError):
            compile.jit(at)(1, 0)
        assert gc.isenabled() == collecting
    finally:
        gc.enable() if was else gc.disable()


# ----------------------------------------------------------------------------------------------------- plain Python


def test_there_are_arguments_for_every_kernel():
    assert calls(np.float32).keys() == KERNELS.keys()


PLAIN = """
import sys
import numpy as np
import tinyconv
from tests.kernels.cpu.calls import results
from tinyconv.kernels import cpu

assert not hasattr(cpu.elementwise._relu, "py_func"), "compiled"
tinyconv.set_num_threads(2)
out = {f"{dtype}/{i}/{j}": a for dtype in ("float32", "float64")
       for i, (name, arrays) in enumerate(results(cpu, dtype)) for j, a in enumerate(arrays)}
np.savez(sys.argv[1], **out)
"""


def test_every_kernel_runs_as_plain_python(python, tmp_path):
    python("-c", PLAIN, tmp_path / "plain.npz", NUMBA_DISABLE_JIT=1)
    with np.load(tmp_path / "plain.npz") as plain:
        for dtype in ("float32", "float64"):
            for i, (name, expected) in enumerate(results(reference, dtype)):
                for j, e in enumerate(expected):
                    if name != "empty":
                        compare(name, plain[f"{dtype}/{i}/{j}"], e)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_every_kernel_agrees_with_the_reference(dtype):
    """The same calls, compiled."""
    for (name, actual), (_, expected) in zip(results(cpu, dtype), results(reference, dtype), strict=True):
        for a, e in zip(actual, expected, strict=True):
            if name != "empty":
                compare(name, a, e)


def compare(name: str, actual: np.ndarray, expected: np.ndarray) -> None:
    assert actual.dtype == expected.dtype and actual.shape == expected.shape, name
    if actual.dtype.kind == "f":
        assert_close(actual, expected, terms=64)
    else:
        assert np.array_equal(actual, expected), name


@pytest.mark.parametrize("name", ["_relu_chunk", "_run_with_team", "_relu-"])
def test_a_part_of_a_kernel_that_is_missing_is_compiled_again(relu, compiled, tmp_path, name):
    """A kernel's work item, the runner that hands it out, the kernel itself: each is kept apart, and called by an
    address that is filled in when the others are loaded. What the runner contains is loaded too, and copied into it:
    the third process finds it there."""
    removed = [path for path in tmp_path.rglob("*.nbc") if name.rstrip("-") + "-" in path.name]
    assert removed
    for path in removed:
        path.unlink()
    assert relu() == RIGHT
    assert all(path.exists() for path in removed)
    assert relu() == RIGHT
