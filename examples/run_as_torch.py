"""Run a PyTorch program on tinyconv, as it is.

    python examples/run_as_torch.py PROGRAM.py [ARGUMENTS]

The program's ``import torch`` and ``import torchvision``, submodules included, give it tinyconv and tinyconv.vision
instead, whether PyTorch is installed or not: an import hook does that, the program is not changed. A name that
tinyconv does not have is an error that says which.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import re
import runpy
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

STANDS_FOR = {"torch": "tinyconv", "torchvision": "tinyconv.vision"}
LIKE = "2.13.0"  # the PyTorch whose documentation tinyconv follows: libraries ask whether torch is new enough for them


def ours(name: str) -> str:
    """The module that stands for ``name``: ``tinyconv.nn.functional`` for ``torch.nn.functional``."""
    root, dot, rest = name.partition(".")
    return STANDS_FOR[root] + dot + rest


class TorchIsTinyconv(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds torch, torchvision and what is in them, and loads tinyconv's modules under those names."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname.partition(".")[0] not in STANDS_FOR:
            return None
        return importlib.machinery.ModuleSpec(fullname, self, is_package=True)

    def exec_module(self, module: ModuleType) -> None:
        name = module.__name__
        try:
            sys.modules[name] = stand_in = importlib.import_module(ours(name))
        except ModuleNotFoundError as error:
            if error.name is None or not ours(name).startswith(error.name):
                raise
            raise ModuleNotFoundError(f"tinyconv has no {ours(name)} to stand for {name}", name=name) from None
        if name == "torch" and "+" not in stand_in.__version__:
            stand_in.__version__ = f"{LIKE}+tinyconv.{stand_in.__version__}"


def install() -> None:
    """From now on, ``import torch`` imports tinyconv."""
    for name in [name for name in sys.modules if name.partition(".")[0] in STANDS_FOR]:
        del sys.modules[name]
    sys.meta_path.insert(0, TorchIsTinyconv())


def lacking(error: Exception) -> str | None:
    """The PyTorch name that a program asked for and tinyconv has not, or None if the error is another."""
    import tinyconv

    if isinstance(error, AttributeError) and isinstance(error.obj, ModuleType):
        module = error.obj.__name__
    elif isinstance(error, AttributeError) and isinstance(error.obj, (tinyconv.Tensor, type(tinyconv.Tensor))):
        module = "tinyconv.Tensor"
    elif isinstance(error, ImportError) and (name := re.match("cannot import name '(.*?)'", str(error))):
        return f"{error.name} has no {name[1]}"
    else:
        return None
    return f"{module} has no {error.name}" if module.startswith("tinyconv") else None


def main(argv: Sequence[str]) -> None:
    if not argv or argv[0] in ("-h", "--help"):
        print(__doc__.strip())
        raise SystemExit(0 if argv else 2)
    program = Path(argv[0])
    if not program.is_file():
        raise SystemExit(f"run_as_torch: {program} is not a file")
    install()
    sys.argv[:] = argv
    sys.path[0] = str(program.resolve().parent)
    try:
        runpy.run_path(str(program), run_name="__main__")
    except (AttributeError, ImportError) as error:
        if found := lacking(error):
            error.add_note(f"run_as_torch: {found}, and {program.name} needs it")
        raise


if __name__ == "__main__":
    main(sys.argv[1:])
