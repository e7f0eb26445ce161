"""``tinyconv slide``: the worked example, with the numbers that everyone can check by hand."""

import re

import numpy as np
from scipy.signal import correlate2d

from tinyconv.cli.slide import IMAGE, KERNEL

RESULT = [[1.0, 1.2, 1.1, 0.9], [2.1, 2.7, 2.5, 1.9], [1.0, 2.1, 2.4, 1.4], [1.0, 1.8, 2.0, 1.8]]


def test_the_numbers_are_the_slides():
    np.testing.assert_allclose(correlate2d(IMAGE, KERNEL, "valid"), RESULT, rtol=1e-6)


def test_every_step(tiny):
    result = tiny("slide", "--fast")
    assert result.status == 0
    sums = re.findall(r"sum where the kernel is 1: (.*) = (.*)\n", result.out)
    assert len(sums) == 16
    for (terms, total), expected in zip(sums, np.ravel(RESULT), strict=True):
        assert len(terms.split(" + ")) == 5
        assert np.isclose(sum(map(float, terms.split(" + "))), expected)
        assert float(total) == expected
    last = result.out[result.out.index("step 16 of 16") : result.out.index("Pooling")]
    assert [float(value) for value in re.findall(r"(?:\d\.\d ){3}\d\.\d(?=\s*\n)", last)[0].split()] == RESULT[0]


def test_it_says_where_the_published_slide_is_wrong(tiny):
    out = tiny("slide").out
    step = out[out.index("step 5 of 16: the window at row 2, column 1") : out.index("step 6 of 16")]
    assert "The published slide is wrong here: it has 1.9; the sum is 2.1." in step
    assert "0.2 + 0.0 + 0.9 + 0.3 + 0.7 = 2.1" in step
    assert out.count("wrong") == 1


def test_pooling(tiny):
    out = tiny("slide").out
    found = re.findall(r"maximum (\S+),  sum (\S+),  average (\S+)\n", out)
    assert [tuple(map(float, row)) for row in found] == [
        (0.9, 2.1, 0.525),
        (0.8, 2.0, 0.5),
        (0.8, 1.1, 0.275),
        (0.9, 2.7, 0.675),
    ]


def test_on_a_terminal_each_step_waits_for_enter(tiny, monkeypatch):
    asked = []
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda *prompt: asked.append(prompt) or "")
    assert tiny("slide").status == 0
    assert len(asked) == 16 + 1 + 4
    asked.clear()
    assert tiny("slide", "--fast").status == 0
    assert asked == []
