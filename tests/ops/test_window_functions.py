"""Windows against SciPy's; types and errors are the battery's."""

import numpy as np
import pytest
import scipy.signal

import tinyconv


@pytest.mark.parametrize("periodic", [True, False])
@pytest.mark.parametrize("length", [1, 2, 7, 16])
@pytest.mark.parametrize("name, options", [
    ("hann", {}), ("hamming", {}), ("blackman", {}), ("bartlett", {}), ("kaiser", {"beta": 5.0}),
])  # fmt: skip
def test_as_in_scipy(name, options, length, periodic):
    ours = getattr(tinyconv, f"{name}_window")(length, periodic, **options, dtype=tinyconv.float64)
    theirs = scipy.signal.get_window((name, *options.values()) if options else name, length, fftbins=periodic)
    np.testing.assert_allclose(ours.numpy(), theirs, atol=1e-14)


def test_the_weights_of_hamming():
    n = np.arange(5)
    ours = tinyconv.hamming_window(5, False, 0.3, 0.2, dtype=tinyconv.float64)
    np.testing.assert_allclose(ours.numpy(), 0.3 - 0.2 * np.cos(np.pi * n / 2))
