"""LeNet-5: its sizes, and that all of it learns."""

import pytest

import tinyconv
from tinyconv.nn import functional as F
from tinyconv.vision.models import LeNet5, get_model, lenet5, list_models


def test_61706_parameters_as_in_lecuns_table():
    sizes = {name: sum(p.numel() for p in child.parameters()) for name, child in lenet5().named_children()}
    sizes = {name: size for name, size in sizes.items() if size}
    assert sizes == {"c1": 156, "c3": 2416, "c5": 48120, "f6": 10164, "output": 850}
    assert sum(sizes.values()) == 61706


@pytest.mark.parametrize("classes", [10, 3])
def test_scores_for_each_class(classes):
    model = LeNet5(num_classes=classes)
    assert model(tinyconv.randn(2, 1, 28, 28)).shape == (2, classes)


def test_padding_by_2_is_lecuns_32x32():
    model, x = lenet5(), tinyconv.randn(2, 1, 28, 28)
    padded = tinyconv.zeros(2, 1, 32, 32)
    padded[:, :, 2:30, 2:30] = x
    with tinyconv.no_grad():
        wide = F.conv2d(padded, model.c1.weight, model.c1.bias)
        assert tinyconv.allclose(model.c1(x), wide, atol=1e-6)


def test_every_parameter_gets_a_gradient():
    model = lenet5()
    F.cross_entropy(model(tinyconv.randn(8, 1, 28, 28)), tinyconv.randint(0, 10, (8,))).backward()
    for name, parameter in model.named_parameters():
        assert (parameter.grad != 0).sum().item() > 0, name


def test_by_name():
    assert "lenet5" in list_models() and list_models() == sorted(list_models())
    assert isinstance(get_model("lenet5", num_classes=4), LeNet5)
    with pytest.raises(ValueError, match=r"name must be one of .*'lenet5', .*, got 'lenet6'"):
        get_model("lenet6")
