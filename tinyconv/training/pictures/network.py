"""What goes on inside a network: filters, feature maps, weights, gradients, and what it looks at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...nn import Module
from ...tensor import Tensor
from .. import attribution
from .picture import Picture, grid, images_of, new_figure

__all__ = ["distributions", "feature_maps", "filters", "grad_cam", "occlusion", "saliency"]


def filters(model: Module, layer: str | None = None, *, count: int = 64) -> Picture:
    """A convolution's weights as images: each filter of the first layer, in colour where it sees three channels.

    Args:
        model: any with a convolution.
        layer: its name; by default the first one.
        count: how many filters at most.

    Returns:
        The picture; ``data`` has ``layer`` (its name) and ``weight`` ``(O, C, KH, KW)``.

    Raises:
        ValueError: there is no such convolution.
    """
    weights = {name.removesuffix(".weight"): p for name, p in model.named_parameters() if p.ndim == 4}
    layer = next(iter(weights), "") if layer is None else layer
    if layer not in weights:
        raise ValueError(f"filters: the model has no convolution {layer!r}; it has {list(weights)}")
    weight = weights[layer].detach().cpu().numpy()[:count]
    shown = weight if weight.shape[1] in (1, 3) else weight.mean(1, keepdims=True)
    figure, axes = grid(len(shown), columns=16, size=0.6)
    for each, image in zip(axes, images_of(shown)):
        each.imshow(image, cmap="gray")
    figure.suptitle(f"the filters of {layer}", fontsize=9)
    return Picture(figure, {"layer": layer, "weight": weight})


def feature_maps(model: Module, x: Tensor, layers: Sequence[str] | None = None, *, count: int = 12) -> Picture:
    """What each layer makes of an image: a row for each, its first maps beside each other.

    Args:
        model: of images.
        x: one image, ``(1, C, H, W)``.
        layers: names; by default all layers that make maps.
        count: maps a layer at most.

    Returns:
        The picture; ``data`` is :func:`tinyconv.training.attribution.feature_maps`.

    Raises:
        ValueError: an unknown layer, or none that makes maps.
    """
    maps = attribution.feature_maps(model, x[:1], layers)
    if not maps:
        raise ValueError("feature_maps: no layer of the model makes feature maps (N, C, H, W)")
    columns = max(min(count, m.shape[1]) for m in maps.values())
    figure = new_figure(0.7 * columns + 1.2, 0.75 * len(maps))
    rows = figure.subplots(len(maps), columns, squeeze=False)
    for row, (name, m) in zip(rows, maps.items()):
        for i, each in enumerate(row):
            each.set_axis_off()
            if i < m.shape[1]:
                each.imshow(m[0, i], cmap="viridis")
        row[0].text(-0.1, 0.5, name, ha="right", va="center", fontsize=7, transform=row[0].transAxes)
    return Picture(figure, dict(maps))


def distributions(model: Module, *, biases: bool = False, bins: int = 60) -> Picture:
    """How the weights of each layer, and after a backward pass their gradients, are distributed: a row for each layer,
    from the first to the last. Gradients that shrink or grow from row to row vanish or explode.

    Args:
        model: any.
        biases: those of biases and scales too.
        bins: of the histograms.

    Returns:
        The picture; ``data`` has a parameter's name to ``{"weight": {"mean", "std", "counts", "edges"}, "gradient":
        ...}``.

    Raises:
        ValueError: the model has no weights.
    """
    values = attribution.layer_distributions(model, biases=biases)
    if not values:
        raise ValueError("distributions: the model has no weights")
    figure = new_figure(8, 0.8 * len(values) + 0.6)
    panels = figure.subplots(len(values), 2, squeeze=False)
    data: dict[str, dict[str, Any]] = {}
    for row, (name, arrays) in zip(panels, values.items()):
        data[name] = {}
        for axes, (kind, colour) in zip(row, (("weight", "C0"), ("gradient", "C1"))):
            axes.set_yticks([])
            axes.tick_params(labelsize=6)
            if kind not in arrays:
                axes.set_axis_off()
                continue
            finite = arrays[kind][np.isfinite(arrays[kind])].astype(np.float64)
            counts, edges = np.histogram(finite, bins)
            data[name][kind] = {"mean": finite.mean(), "std": finite.std(), "counts": counts, "edges": edges}
            axes.stairs(counts, edges, fill=True, color=colour)
            axes.set_title(f"{name}, {kind}: standard deviation {finite.std():.2e}", fontsize=7, loc="left", pad=2)
    return Picture(figure, data)


def saliency(model: Module, x: Tensor, target: Any = None, *, mean: Any = None, std: Any = None) -> Picture:
    """The images, and below each the pixels that its class's score depends on.

    Args:
        model, x, target: see :func:`tinyconv.training.attribution.saliency`.
        mean, std: which the images were normalized with.

    Returns:
        The picture; ``data`` has ``map``.
    """
    return _over(x, attribution.saliency(model, x, target), mean, std, "hot", blend=False)


def occlusion(
    model: Module,
    x: Tensor,
    target: Any = None,
    *,
    size: int = 32,
    stride: int = 16,
    value: float = 0.0,
    mean: Any = None,
    std: Any = None,
) -> Picture:
    """The images, and below each where covering it lowers its class's probability.

    Args:
        model, x, target, size, stride, value: see :func:`tinyconv.training.attribution.occlusion`.
        mean, std: which the images were normalized with.

    Returns:
        The picture; ``data`` has ``map``.
    """
    maps = attribution.occlusion(model, x, target, size=size, stride=stride, value=value)
    return _over(x, maps, mean, std, "coolwarm", blend=False)


def grad_cam(
    model: Module,
    x: Tensor,
    target: Any = None,
    *,
    layer: str | Module | None = None,
    mean: Any = None,
    std: Any = None,
) -> Picture:
    """The images, and below each where the feature maps are that speak for its class.

    Args:
        model, x, target, layer: see :func:`tinyconv.training.attribution.grad_cam`.
        mean, std: which the images were normalized with.

    Returns:
        The picture; ``data`` has ``map``.
    """
    return _over(x, attribution.grad_cam(model, x, target, layer=layer), mean, std, "jet", blend=True)


def _over(x: Tensor, maps: np.ndarray, mean: Any, std: Any, colours: str, blend: bool) -> Picture:
    images = images_of(x, mean, std)
    figure, axes = grid(2 * len(images), columns=len(images), size=1.6)
    for i, (image, m) in enumerate(zip(images, maps)):
        axes[i].imshow(image, cmap="gray")
        below = axes[len(images) + i]
        if blend:
            below.imshow(image, cmap="gray")
        limits = {"vmin": -np.abs(m).max(), "vmax": np.abs(m).max()} if colours == "coolwarm" else {}
        below.imshow(m, cmap=colours, alpha=0.5 if blend else 1.0, **limits)
    return Picture(figure, {"map": maps})
