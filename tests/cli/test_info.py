"""``tinyconv info``: what a bug report needs."""

import sys

import numpy as np

import tinyconv


def test_info(tiny, monkeypatch):
    tinyconv.set_num_threads(1)
    monkeypatch.setenv("TINYCONV_DATA", "/somewhere")
    result = tiny("info")
    assert (result.status, result.err) == (0, "")
    facts = dict(line.split(maxsplit=1) for line in result.out.splitlines() if not line.startswith("kernel cache"))
    assert facts["tinyconv"].startswith(tinyconv.__version__)
    assert facts["Python"].startswith(sys.version.split()[0])
    assert facts["numpy"] == np.__version__
    assert facts["threads"].startswith("1 (of ")
    assert facts["GPU"].startswith("none: ")
    assert facts["BLAS"]
    assert facts["data"].startswith("/somewhere; ")
    assert "kernel cache" in result.out
