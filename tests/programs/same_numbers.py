"""Run PyTorch programs under either library with the same random numbers, drawn by NumPy:

    python same_numbers.py torch|tinyconv FOLDER PROGRAM.py ...

What each prints goes into FOLDER, to a file of its name. The libraries draw other numbers from the same seed, so that
initial weights, noise, masks and permutations come from here; everything else is theirs.
"""

import contextlib
import importlib
import io
import runpy
import sys
import traceback
from pathlib import Path

import numpy as np


class Draws:
    """Stands in for a library's random functions."""

    def __init__(self, library):
        self.library, self.F = library, importlib.import_module(f"{library.__name__}.nn.functional")
        self.stream = np.random.RandomState(0)

    def manual_seed(self, seed=0):
        self.stream = np.random.RandomState(0)

    def tensor(self, values, dtype=None, requires_grad=False):
        made = self.library.from_numpy(np.asarray(values)).to(dtype or self.library.float32)
        return made.requires_grad_() if requires_grad else made

    @staticmethod
    def shape(sizes):
        return tuple(sizes[0]) if len(sizes) == 1 and not isinstance(sizes[0], int) else sizes

    def randn(self, *sizes, dtype=None, requires_grad=False, **_):
        return self.tensor(self.stream.standard_normal(self.shape(sizes)), dtype, requires_grad)

    def rand(self, *sizes, dtype=None, requires_grad=False, **_):
        return self.tensor(self.stream.random_sample(self.shape(sizes)), dtype, requires_grad)

    def randn_like(self, x, dtype=None, **_):
        return self.randn(*x.shape, dtype=dtype or x.dtype) if x.ndim else self.randn((), dtype=dtype or x.dtype)

    def rand_like(self, x, dtype=None, **_):
        return self.rand(*x.shape, dtype=dtype or x.dtype) if x.ndim else self.rand((), dtype=dtype or x.dtype)

    def randperm(self, n, **_):
        """Always the same: how often a library asks for one is its own business."""
        return self.tensor(np.random.RandomState(n).permutation(n), self.library.int64)

    def write(self, x, values):
        with self.library.no_grad():
            x.copy_(self.tensor(values, x.dtype))
        return x

    def uniform_(self, x, a=0.0, b=1.0, generator=None):
        return self.write(x, self.stream.uniform(a, b, tuple(x.shape)))

    def normal_(self, x, mean=0.0, std=1.0, generator=None):
        return self.write(x, self.stream.normal(mean, std, tuple(x.shape)))

    def dropout(self, input, p=0.5, training=True, inplace=False):
        if not training or p == 0:
            return input
        return input * self.tensor((self.stream.random_sample(tuple(input.shape)) >= p) / (1 - p), input.dtype)

    def install(self):
        for name in ("manual_seed", "randn", "rand", "randn_like", "rand_like", "randperm"):
            setattr(self.library, name, getattr(self, name))
        for name in ("uniform_", "normal_"):
            setattr(self.library.Tensor, name, as_method(getattr(self, name)))
        self.F.dropout = self.dropout
        for module in ("utils.data.sampler", "utils.data.dataset", "nn.init"):
            place = importlib.import_module(f"{self.library.__name__}.{module}")
            for name in ("randn", "randperm"):
                if hasattr(place, name):
                    setattr(place, name, getattr(self, name))


def as_method(draw):
    return lambda x, *args, **kwargs: draw(x, *args, **kwargs)


def main(name, folder, *programs):
    if name == "tinyconv":
        sys.path.insert(0, str(Path(__file__).parents[2] / "examples"))
        importlib.import_module("run_as_torch").install()
    draws = Draws(importlib.import_module(name))
    draws.install()
    for program in programs:
        draws.manual_seed()
        said = io.StringIO()
        sys.argv[:] = [program]
        with contextlib.redirect_stdout(said):
            try:
                runpy.run_path(program, run_name="__main__")
            except Exception:
                traceback.print_exc(file=said)
        (Path(folder) / Path(program).name).with_suffix(".txt").write_text(said.getvalue())


if __name__ == "__main__":
    main(*sys.argv[1:])
