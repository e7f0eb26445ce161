"""Exported graphs run in ONNX Runtime, where it is installed."""

import io

import numpy as np
import pytest

import tinyconv
from tinyconv import nn


class Applied(nn.Module):
    """A function as a model."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


@pytest.fixture
def exported():
    """``exported(model, x, ...)``: the graph's bytes, and ``run(*inputs)``, which computes it."""
    pytest.importorskip("onnx")
    runtime = pytest.importorskip("onnxruntime")

    def export(model, args, **options):
        file = io.BytesIO()
        tinyconv.onnx.export(model if isinstance(model, nn.Module) else Applied(model), args, file, **options)
        session = runtime.InferenceSession(file.getvalue(), providers=["CPUExecutionProvider"])
        names = [i.name for i in session.get_inputs()]

        def run(*inputs):
            return session.run(None, {name: x.detach().numpy() for name, x in zip(names, inputs, strict=True)})

        run.session, run.content = session, file.getvalue()
        return run

    return export


def assert_same(got, expected):
    """Equal to 1e-4 of the largest value."""
    expected = expected.detach().numpy()
    assert got.shape == expected.shape and got.dtype == expected.dtype
    np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-4 * abs(expected).max(initial=0))
