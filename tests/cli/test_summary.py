"""``tinyconv summary``: LeCun's table."""

import re

import pytest

from tinyconv import nn
from tinyconv.cli.summary import LayerSummary, summarize


def test_lecuns_table(tiny):
    result = tiny("summary", "lenet5")
    assert result.status == 0
    cells = [re.findall(r"[\w,]+(?: x \d+)*", line) for line in result.out.splitlines()]
    for row in (
        ["c1", "Conv2d", "6 x 28 x 28", "156", "122,304"],
        ["s2", "MaxPool2d", "6 x 14 x 14", "0", "0"],
        ["c3", "Conv2d", "16 x 10 x 10", "2,416", "241,600"],
        ["s4", "MaxPool2d", "16 x 5 x 5", "0", "0"],
        ["c5", "Linear", "120", "48,120", "48,120"],
        ["f6", "Linear", "84", "10,164", "10,164"],
        ["output", "Linear", "10", "850", "850"],
        ["total", "61,706", "423,038"],
    ):
        assert row in cells


@pytest.mark.parametrize("name, parameters", [("resnet20", "269,722"), ("resnet110", "1,727,962")])
def test_every_network_has_a_table(tiny, name, parameters):
    result = tiny("summary", name)
    assert result.status == 0
    assert "3 x 32 x 32" in result.out and parameters in result.out


def test_a_layer_used_twice_is_two_rows_and_no_hook_stays():
    layer = nn.Linear(3, 3)
    model = nn.Sequential(layer, nn.ReLU(), layer)
    rows = summarize(model, (3,))
    assert rows == [
        LayerSummary("0", "Linear", (3,), 12, 12),
        LayerSummary("1", "ReLU", (3,), 0, 0),
        LayerSummary("0", "Linear", (3,), 12, 12),
    ]
    assert all(not module._forward_hooks for module in model.modules())
