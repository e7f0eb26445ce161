import pytest

import tinyconv
from tinyconv import nn
from tinyconv.nn.utils import parameters_to_vector, vector_to_parameters


def test_there_and_back():
    model = nn.Linear(2, 3)
    vector = parameters_to_vector(model.parameters())
    assert vector.tolist() == model.weight.reshape(-1).tolist() + model.bias.tolist()
    vector.sum().backward()
    assert model.weight.grad.tolist() == [[1.0, 1.0]] * 3
    new = tinyconv.arange(9, dtype=tinyconv.float32)
    vector_to_parameters(new, model.parameters())
    assert model.weight.tolist() == [[0, 1], [2, 3], [4, 5]] and model.bias.tolist() == [6, 7, 8]
    assert model.weight.requires_grad and model.weight.is_leaf
    new[0] = 50
    assert model.weight[0, 0].item() == 50


def test_what_does_not_fit():
    model = nn.Linear(2, 3)
    with pytest.raises(RuntimeError, match="more elements than vec, 7"):
        vector_to_parameters(tinyconv.ones(7), model.parameters())
    with pytest.raises(TypeError, match="got: list"):
        vector_to_parameters([1.0], model.parameters())
