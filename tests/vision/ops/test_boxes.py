"""Boxes, beside formulas written down for one pair at a time."""

from __future__ import annotations

import math

import numpy as np
import pytest

import tinyconv
from tinyconv.vision import ops


def boxes(n: int, seed: int = 0) -> np.ndarray:
    """Boxes of sides from 1 to 11 in a square of 20."""
    rng = np.random.default_rng(seed)
    corner = rng.uniform(0, 10, (n, 2))
    return np.concatenate([corner, corner + rng.uniform(1, 11, (n, 2))], 1).astype(np.float32)


def area(b) -> float:
    return max(0.0, b[2] - b[0]) * max(0.0, b[3] - b[1])


def iou(a, b) -> float:
    both = area((max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3])))
    return both / (area(a) + area(b) - both)


def generalized(a, b) -> float:
    around = area((min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3])))
    both = area((max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3])))
    return iou(a, b) - (around - (area(a) + area(b) - both)) / around


def distance(a, b) -> float:
    diagonal = (max(a[2], b[2]) - min(a[0], b[0])) ** 2 + (max(a[3], b[3]) - min(a[1], b[1])) ** 2
    apart = ((a[0] + a[2] - b[0] - b[2]) / 2) ** 2 + ((a[1] + a[3] - b[1] - b[3]) / 2) ** 2
    return iou(a, b) - apart / diagonal


def complete(a, b) -> float:
    v = (2 / math.pi * (math.atan((a[2] - a[0]) / (a[3] - a[1])) - math.atan((b[2] - b[0]) / (b[3] - b[1])))) ** 2
    return distance(a, b) - v**2 / (1 - iou(a, b) + v)


@pytest.mark.parametrize(
    "function, formula",
    [
        (ops.box_iou, iou),
        (ops.generalized_box_iou, generalized),
        (ops.distance_box_iou, distance),
        (ops.complete_box_iou, complete),
    ],
)
def test_each_pair(function, formula):
    first, second = boxes(5), boxes(4, seed=1)
    second[0] += 50  # far away
    expected = [[formula(a, b) for b in second.astype(float)] for a in first.astype(float)]
    found = function(tinyconv.from_numpy(first), tinyconv.from_numpy(second))
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-4, atol=1e-5)
    batch = function(tinyconv.from_numpy(np.stack([first, first + 1])), tinyconv.from_numpy(np.stack([second] * 2)))
    np.testing.assert_allclose(batch[0].numpy(), expected, rtol=1e-4, atol=1e-5)
    with pytest.raises(ValueError, match=r"must be of shape \(..., N, 4\), got \(3,\)"):
        function(tinyconv.zeros(3), tinyconv.zeros(1, 4))


def test_areas():
    b = boxes(4)
    np.testing.assert_allclose(ops.box_area(tinyconv.from_numpy(b)).numpy(), [area(one) for one in b], rtol=1e-5)
    assert ops.box_area(tinyconv.tensor([[0, 0, 200, 200]], dtype=tinyconv.uint8)).item() == 40000
    assert ops.box_area(tinyconv.tensor([1.0, 2.0, 3.0, 4.0]), fmt="xywh").item() == 12
    assert ops.box_iou(*[tinyconv.tensor([[5.0, 5.0, 2.0, 2.0]])] * 2, fmt="cxcywh").item() == 1


def test_only_the_best_of_boxes_that_overlap():
    b = tinyconv.tensor([[0, 0, 10, 10], [1, 1, 11, 11], [20, 20, 30, 30], [0, 0, 10, 9], [21, 21, 30, 30.0]])
    scores = tinyconv.tensor([0.5, 0.9, 0.3, 0.8, 0.4])
    assert ops.nms(b, scores, 0.5).tolist() == [1, 4]
    assert ops.nms(b, scores, 0.7).tolist() == [1, 3, 4]
    assert ops.nms(b, scores, 0.95).tolist() == [1, 3, 0, 4, 2]
    assert ops.nms(b, tinyconv.ones(5), 1.0).tolist() == [0, 1, 2, 3, 4]  # ties: in their order
    halves = tinyconv.tensor([[0.0, 0.0, 2.0, 1.0], [0.0, 0.0, 1.0, 1.0]])  # they overlap by exactly 0.5
    assert ops.nms(halves, tinyconv.ones(2), 0.5).tolist() == [0, 1]
    assert ops.nms(b[:0], scores[:0], 0.5).tolist() == []
    assert ops.nms(b[:0], scores[:0], 0.5).dtype is tinyconv.int64
    with pytest.raises(ValueError, match=r"scores must be of shape \(5,\), got \(4,\)"):
        ops.nms(b, scores[:4], 0.5)
    with pytest.raises(ValueError, match=r"boxes must be of shape \(N, 4\)"):
        ops.nms(b[0], scores, 0.5)


def test_one_class_does_not_suppress_another():
    b = tinyconv.tensor([[0, 0, 10, 10], [0, 0, 10, 10], [0, 0, 10, 9.0]])
    scores, classes = tinyconv.tensor([0.5, 0.9, 0.8]), tinyconv.tensor([0, 1, 1])
    assert ops.batched_nms(b, scores, classes, 0.5).tolist() == [1, 0]
    assert ops.batched_nms(b[:0], scores[:0], classes[:0], 0.5).tolist() == []


FORMATS = {"xyxy": [2.0, 3.0, 8.0, 13.0], "xywh": [2.0, 3.0, 6.0, 10.0], "cxcywh": [5.0, 8.0, 6.0, 10.0]}


@pytest.mark.parametrize("old", FORMATS)
@pytest.mark.parametrize("new", FORMATS)
def test_formats(old, new):
    given = tinyconv.tensor([[FORMATS[old]] * 2])
    found = ops.box_convert(given, old, new)
    assert found.tolist() == [[FORMATS[new]] * 2]
    assert found is not given


def test_unknown_formats():
    with pytest.raises(ValueError, match="unsupported conversion of 'xyxy' to 'yxyx'"):
        ops.box_convert(tinyconv.zeros(1, 4), "xyxy", "yxyx")


def test_edges_and_sizes():
    b = tinyconv.tensor([[-5.0, 2.0, 30.0, 8.0], [1.0, 1.0, 2.0, 9.0]])
    assert ops.clip_boxes_to_image(b, (6, 20)).tolist() == [[0, 2, 20, 6], [1, 1, 2, 6]]
    assert ops.remove_small_boxes(b, 2).tolist() == [0]


def test_around_masks():
    masks = tinyconv.zeros(2, 5, 6)
    masks[0, 1:3, 2:5] = 1
    masks[1, 4, 0] = 7
    assert ops.masks_to_boxes(masks).tolist() == [[2, 1, 4, 2], [0, 4, 0, 4]]
    assert ops.masks_to_boxes(masks[:0]).shape == (0, 4)
