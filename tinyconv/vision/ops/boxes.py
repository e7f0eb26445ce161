"""Boxes around things: how large they are, how much two of them overlap, and which of many to keep."""

from __future__ import annotations

import math

from ... import atan, cat, dtypes, empty, maximum, minimum, stack, tensor, where, zeros
from ...tensor import Tensor

__all__ = [
    "batched_nms",
    "box_area",
    "box_convert",
    "box_iou",
    "clip_boxes_to_image",
    "complete_box_iou",
    "distance_box_iou",
    "generalized_box_iou",
    "masks_to_boxes",
    "nms",
    "remove_small_boxes",
]


def _wide(x: Tensor) -> Tensor:
    """``x`` in a type that holds products of its elements."""
    if x.is_floating_point():
        return x.float() if x.dtype is dtypes.float16 else x
    return x if x.dtype in (dtypes.int32, dtypes.int64) else x.int()


def _pairs(name: str, boxes1: Tensor, boxes2: Tensor) -> tuple[Tensor, Tensor]:
    """The boxes, with an axis more each, along which they meet: ``(..., N, 1, 4)`` and ``(..., 1, M, 4)``."""
    for boxes in (boxes1, boxes2):
        if boxes.dim() < 2 or boxes.shape[-1] != 4:
            raise ValueError(f"{name}: boxes must be of shape (..., N, 4), got {tuple(boxes.shape)}")
    return _wide(boxes1).unsqueeze(-2), _wide(boxes2).unsqueeze(-3)


def box_area(boxes: Tensor, fmt: str = "xyxy") -> Tensor:
    """``(x2 - x1) * (y2 - y1)``.

    Args:
        boxes: ``(..., 4)``.
        fmt: their format, see :func:`box_convert`.

    Returns:
        ``(...)``.

    Raises:
        ValueError: an unknown format.
    """
    boxes = _wide(boxes if fmt == "xyxy" else box_convert(boxes, fmt, "xyxy"))
    return (boxes[..., 2] - boxes[..., 0]) * (boxes[..., 3] - boxes[..., 1])


def _overlap(boxes1: Tensor, boxes2: Tensor) -> tuple[Tensor, Tensor]:
    """(area of the intersection, area of the union) of each pair."""
    sides = (minimum(boxes1[..., 2:], boxes2[..., 2:]) - maximum(boxes1[..., :2], boxes2[..., :2])).clamp(min=0)
    both = sides[..., 0] * sides[..., 1]
    return both, box_area(boxes1) + box_area(boxes2) - both


def _around(boxes1: Tensor, boxes2: Tensor) -> Tensor:
    """The sides ``(..., 2)`` of the smallest box around each pair."""
    return (maximum(boxes1[..., 2:], boxes2[..., 2:]) - minimum(boxes1[..., :2], boxes2[..., :2])).clamp(min=0)


def box_iou(boxes1: Tensor, boxes2: Tensor, fmt: str = "xyxy") -> Tensor:
    """Intersection over union (the Jaccard index) of each pair.

    Args:
        boxes1: ``(..., N, 4)``.
        boxes2: ``(..., M, 4)``.
        fmt: their format, see :func:`box_convert`.

    Returns:
        ``(..., N, M)``, in [0, 1]; NaN for two boxes without area.

    Raises:
        ValueError: other shapes, or an unknown format.
    """
    if fmt != "xyxy":
        boxes1, boxes2 = box_convert(boxes1, fmt, "xyxy"), box_convert(boxes2, fmt, "xyxy")
    both, either = _overlap(*_pairs("box_iou", boxes1, boxes2))
    return both / either


def generalized_box_iou(boxes1: Tensor, boxes2: Tensor) -> Tensor:
    """:func:`box_iou` less the part of the smallest box around both that neither fills, so that boxes apart differ,
    too (Rezatofighi et al., "Generalized intersection over union", CVPR 2019); ``(..., N, M)``, in [-1, 1]."""
    first, second = _pairs("generalized_box_iou", boxes1, boxes2)
    both, either = _overlap(first, second)
    sides = _around(first, second)
    area = sides[..., 0] * sides[..., 1]
    return both / either - (area - either) / area


def distance_box_iou(boxes1: Tensor, boxes2: Tensor, eps: float = 1e-7) -> Tensor:
    """:func:`box_iou` less the squared distance of the centres over the squared diagonal of the smallest box around
    both, plus ``eps`` (Zheng et al., "Distance-IoU loss", AAAI 2020); ``(..., N, M)``."""
    first, second = _pairs("distance_box_iou", boxes1, boxes2)
    both, either = _overlap(first, second)
    apart = (first[..., :2] + first[..., 2:] - second[..., :2] - second[..., 2:]) / 2
    return both / either - (apart**2).sum(-1) / ((_around(first, second) ** 2).sum(-1) + eps)


def complete_box_iou(boxes1: Tensor, boxes2: Tensor, eps: float = 1e-7) -> Tensor:
    """:func:`distance_box_iou` less a term for the difference of the boxes' proportions, ``a * v`` with
    ``v = (2/pi * (atan(w1/h1) - atan(w2/h2)))**2`` and ``a = v / (1 - iou + v)``, which has no gradient (the same
    paper); ``(..., N, M)``."""
    first, second = _pairs("complete_box_iou", boxes1, boxes2)
    angles = [atan((b[..., 2] - b[..., 0]) / (b[..., 3] - b[..., 1])) for b in (first, second)]
    v = (2 / math.pi * (angles[0] - angles[1])) ** 2
    weight = (v / (1 - box_iou(boxes1, boxes2) + v + eps)).detach()
    return distance_box_iou(boxes1, boxes2, eps) - weight * v


def nms(boxes: Tensor, scores: Tensor, iou_threshold: float) -> Tensor:
    """Non-maximum suppression: the best box is kept, and those that overlap it too much go; then the best of the rest.

    Args:
        boxes: ``(N, 4)``.
        scores: ``(N,)``.
        iou_threshold: a box goes if its :func:`box_iou` with a kept one is larger.

    Returns:
        The indices of the kept boxes, int64, best first.

    Raises:
        ValueError: other shapes.
    """
    if boxes.dim() != 2 or boxes.shape[1] != 4:
        raise ValueError(f"nms: boxes must be of shape (N, 4), got {tuple(boxes.shape)}")
    if scores.shape != boxes.shape[:1]:
        raise ValueError(f"nms: scores must be of shape ({boxes.shape[0]},), got {tuple(scores.shape)}")
    boxes, scores = boxes.detach(), scores.detach()
    kept, left = [], scores.argsort(descending=True, stable=True)
    while left.shape[0]:
        best, left = left[:1], left[1:]
        kept.append(best)
        left = left[~(box_iou(boxes[best], boxes[left])[0] > iou_threshold)]
    return cat(kept) if kept else left


def batched_nms(boxes: Tensor, scores: Tensor, idxs: Tensor, iou_threshold: float) -> Tensor:
    """:func:`nms` for each class by itself: boxes of different classes ``idxs (N,)`` never suppress each other."""
    if boxes.shape[0] == 0:
        return empty((0,), dtype=dtypes.int64, device=boxes.device)
    apart = idxs.to(boxes) * (boxes.max() + 1)
    return nms(boxes + apart[:, None], scores, iou_threshold)


def remove_small_boxes(boxes: Tensor, min_size: float) -> Tensor:
    """The indices of the boxes both of whose sides are at least ``min_size``."""
    width, height = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
    return where((width >= min_size) & (height >= min_size))[0]


def clip_boxes_to_image(boxes: Tensor, size: tuple[int, int]) -> Tensor:
    """Boxes ``(..., 4)``, cut off at the edges of an image of ``size`` (height, width)."""
    height, width = size
    x, y = boxes[..., 0::2].clamp(min=0, max=width), boxes[..., 1::2].clamp(min=0, max=height)
    return stack((x, y), boxes.dim()).reshape(boxes.shape)


def box_convert(boxes: Tensor, in_fmt: str, out_fmt: str) -> Tensor:
    """Boxes ``(..., 4)`` in another format.

    Args:
        boxes: the boxes.
        in_fmt: "xyxy" (two corners), "xywh" (a corner, width, height) or "cxcywh" (the centre, width, height).
        out_fmt: likewise.

    Raises:
        ValueError: an unknown format.
    """
    known = ("xyxy", "xywh", "cxcywh")
    if in_fmt not in known or out_fmt not in known:
        raise ValueError(f"box_convert: unsupported conversion of {in_fmt!r} to {out_fmt!r}; the formats are {known}")
    if in_fmt == out_fmt:
        return boxes.clone()
    a, b, c, d = boxes.unbind(-1)
    if in_fmt == "xywh":
        a, b, c, d = a, b, a + c, b + d
    elif in_fmt == "cxcywh":
        a, b, c, d = a - 0.5 * c, b - 0.5 * d, a + 0.5 * c, b + 0.5 * d
    if out_fmt == "xywh":
        a, b, c, d = a, b, c - a, d - b
    elif out_fmt == "cxcywh":
        a, b, c, d = (a + c) / 2, (b + d) / 2, c - a, d - b
    return stack((a, b, c, d), -1)


def masks_to_boxes(masks: Tensor) -> Tensor:
    """The smallest box around each mask's elements that are not 0.

    Args:
        masks: ``(N, H, W)``.

    Returns:
        ``(N, 4)``, float32: the first and the last column and row, inclusive.
    """
    if masks.numel() == 0:
        return zeros((0, 4), device=masks.device)
    found = []
    for mask in masks:
        y, x = where(mask != 0)
        found.append([int(side) for side in (x.min(), y.min(), x.max(), y.max())])
    return tensor(found, dtype=dtypes.float32, device=masks.device)
