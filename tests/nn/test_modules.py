"""PyTorch's addresses of the layers."""

from __future__ import annotations

import importlib

import pytest

import tinyconv
from tinyconv import nn


def test_a_layer_is_found_where_pytorch_keeps_it():
    import tinyconv.nn.modules.conv as conv
    from tinyconv.nn.modules.pooling import MaxPool2d
    from tinyconv.nn.modules.utils import _pair, _single

    assert conv.Conv2d is nn.Conv2d is nn.modules.Conv2d is nn.modules.conv.Conv2d
    assert MaxPool2d is nn.MaxPool2d
    assert nn.modules.module.Module is nn.Module
    assert (_pair(3), _pair([1, 2]), _single(4)) == ((3, 3), (1, 2), (4,))
    with pytest.raises(AttributeError):
        nn.modules.conv.Conv9d  # noqa: B018
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("tinyconv.nn.modules.nothing")


def test_base_classes():
    norms = [nn.BatchNorm1d(2), nn.BatchNorm2d(2), nn.InstanceNorm2d(2)]
    assert all(isinstance(norm, nn.modules.batchnorm._NormBase) for norm in norms)
    assert [isinstance(norm, nn.modules.batchnorm._BatchNorm) for norm in norms] == [True, True, False]
    assert isinstance(nn.ConvTranspose2d(1, 1, 1), nn.modules.conv._ConvNd)
    assert isinstance(nn.Dropout2d(), nn.modules.dropout._DropoutNd)
    for loss in (nn.BCELoss, nn.CrossEntropyLoss, nn.MultiLabelSoftMarginLoss, nn.MultiMarginLoss, nn.NLLLoss):
        assert isinstance(loss(), nn.modules.loss._WeightedLoss)
    assert isinstance(nn.MSELoss(), nn.modules.loss._Loss)
    assert not isinstance(nn.MSELoss(), nn.modules.loss._WeightedLoss)


def test_a_loss_of_ones_own():
    class Focal(nn.modules.loss._WeightedLoss):
        def forward(self, input, target):
            return nn.functional.cross_entropy(input, target, self.weight, reduction=self.reduction)

    weight = tinyconv.tensor([1.0, 2.0])
    focal = Focal(weight, reduction="sum")
    scores, target = tinyconv.tensor([[1.0, 0.0], [0.0, 2.0]]), tinyconv.tensor([0, 0])
    expected = nn.CrossEntropyLoss(weight, reduction="sum")(scores, target)
    assert focal(scores, target).item() == expected.item()
    assert list(focal.state_dict()) == ["weight"]
