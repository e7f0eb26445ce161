"""``tinyconv summary``: the table of layers."""

import re

import pytest


def cells(result):
    assert result.status == 0, result.err
    return [re.findall(r"[\w,]+(?: x \d+)*", line) for line in result.out.splitlines()]


def test_lenets_table(tiny):
    rows = cells(tiny("summary", "lenet5"))
    for row in (
        ["c1", "Conv2d", "6 x 28 x 28", "156", "117,600"],
        ["s2", "MaxPool2d", "6 x 14 x 14", "0", "0"],
        ["c3", "Conv2d", "16 x 10 x 10", "2,416", "240,000"],
        ["s4", "MaxPool2d", "16 x 5 x 5", "0", "0"],
        ["c5", "Linear", "120", "48,120", "48,000"],
        ["f6", "Linear", "84", "10,164", "10,080"],
        ["output", "Linear", "10", "850", "840"],
        ["total", "61,706", "416,520"],
    ):
        assert row in rows


@pytest.mark.parametrize("name, parameters", [("resnet20", "269,722"), ("resnet110", "1,727,962")])
def test_every_network_has_a_table(tiny, name, parameters):
    result = tiny("summary", name)
    assert result.status == 0
    assert "3 x 32 x 32" in result.out and parameters in result.out


def test_size_and_depth(tiny):
    rows = cells(tiny("summary", "resnet18", "--input-size", "3x64x48", "--depth", 1))
    assert ["input", "3 x 64 x 48"] in rows and ["layer4", "Sequential", "512 x 2 x 2", "8,393,728"] in [
        row[:4] for row in rows
    ]
    assert not any("BasicBlock" in row for row in rows)
    assert ["total", "11,689,512"] in [row[:2] for row in rows]


def test_an_image_that_does_not_fit_is_one_line(tiny):
    result = tiny("summary", "lenet5", "--input-size", "3x28x28")
    assert result.status == 1 and "can't read an image of 3 x 28 x 28: conv2d" in result.err


@pytest.mark.parametrize("size", ["28", "3x28", "axbxc", "0x2x2", "3x-1x2"])
def test_sizes_that_are_none_are_refused(tiny, size, capsys):
    with pytest.raises(SystemExit) as exit:
        tiny("summary", "lenet5", "--input-size", size)
    assert exit.value.code == 2 and "--input-size" in capsys.readouterr().err
