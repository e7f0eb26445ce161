"""Distributions at PyTorch's addresses."""

import importlib

import pytest

from tinyconv import distributions


def test_each_distribution_has_a_file_there():
    from tinyconv.distributions.categorical import Categorical
    from tinyconv.distributions.multivariate_normal import MultivariateNormal

    assert Categorical is distributions.Categorical
    assert MultivariateNormal is distributions.MultivariateNormal
    assert importlib.import_module("tinyconv.distributions.normal").Normal is distributions.Normal
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("tinyconv.distributions.nothing")
