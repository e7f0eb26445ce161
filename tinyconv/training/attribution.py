"""What a network looks at: which pixels its answer depends on, asked in three ways.

=================== ====================================================================================
:func:`saliency`    by the gradient: how much would the score change if this pixel changed a little?
:func:`occlusion`   by experiment: how much does the probability fall if this place is covered?
:func:`grad_cam`    by the last feature maps: where are those that speak for the class?
=================== ====================================================================================
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from ..autograd import grad, no_grad
from ..nn import Module
from ..nn import functional as F
from ..tensor import Tensor, wrap

__all__ = ["feature_maps", "grad_cam", "layer_distributions", "occlusion", "saliency"]


@contextmanager
def evaluation_mode(model: Module) -> Iterator[None]:
    """Dropout off, batch normalization by its running statistics; afterwards the modes of all parts as they were."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode


def _answers(function: str, scores: Tensor, target: Any) -> np.ndarray:
    """The classes in question, int64 ``(N,)``: ``target``, or those with the largest scores."""
    if scores.ndim != 2:
        raise ValueError(f"{function}: the model must give scores (N, C), got {tuple(scores.shape)}")
    if target is None:
        return scores.detach().cpu().numpy().argmax(1)
    target = target.cpu().numpy() if isinstance(target, Tensor) else np.asarray(target)
    return np.broadcast_to(target, (len(scores),)).astype(np.int64)


def _score(scores: Tensor, classes: np.ndarray) -> Tensor:
    """The sum of the classes' scores: samples do not influence each other, so its gradient has all of theirs."""
    return scores.gather(1, wrap(classes[:, None]).to(scores.device)).sum()


def saliency(model: Module, x: Tensor, target: Any = None) -> np.ndarray:
    """``max over channels of |d score / d x|``: how much the class's score depends on each pixel.

    Source: K. Simonyan et al., "Deep inside convolutional networks", ICLR workshop 2014, section 3.1.

    Args:
        model: a classifier of images, ``(N, C, H, W)`` to scores.
        x: the images.
        target: the class in question, one or ``(N,)``; by default the model's answer.

    Returns:
        float ``(N, H, W)``.

    Raises:
        ValueError: the model is no classifier.
    """
    with evaluation_mode(model):
        x = x.detach().clone()
        x.requires_grad = True
        scores = model(x)
        (gx,) = grad(_score(scores, _answers("saliency", scores, target)), x)
    assert gx is not None
    return gx.abs().amax(1).cpu().numpy()


def occlusion(
    model: Module,
    x: Tensor,
    target: Any = None,
    *,
    size: int = 32,
    stride: int = 16,
    value: float = 0.0,
    batch_size: int = 32,
) -> np.ndarray:
    """How much the class's probability falls when a square of the image is covered, for each place of the square.

    Source: M. Zeiler and R. Fergus, "Visualizing and understanding convolutional networks", ECCV 2014, section 4.2.

    Args:
        model, x, target: as for :func:`saliency`.
        size, stride: of the square, and from one place to the next, in pixels.
        value: what it is covered with; 0 is the mean colour of normalized images.
        batch_size: images at a time.

    Returns:
        float ``(N, H', W')`` with ``H' = (H - size) // stride + 1``: positive where the square hides evidence.

    Raises:
        ValueError: the model is no classifier, or the square is larger than the image.
    """
    _, _, height, width = x.shape
    if not 0 < size <= min(height, width) or stride < 1:
        raise ValueError(f"occlusion: a square of {size}, moved by {stride}, does not fit into {height}x{width} pixels")
    places = [(i, j) for i in range(0, height - size + 1, stride) for j in range(0, width - size + 1, stride)]
    maps = []
    with evaluation_mode(model), no_grad():
        scores = model(x)
        classes = _answers("occlusion", scores, target)
        before = scores.softmax(1).cpu().numpy()
        for n in range(len(x)):
            after: list[np.ndarray] = []
            for start in range(0, len(places), batch_size):
                some = places[start : start + batch_size]
                covered = x[n : n + 1].repeat(len(some), 1, 1, 1)
                for k, (i, j) in enumerate(some):
                    covered[k, :, i : i + size, j : j + size] = value
                after.append(model(covered).softmax(1)[:, int(classes[n])].cpu().numpy())
            maps.append(before[n, classes[n]] - np.concatenate(after))
    return np.stack(maps).reshape(len(x), len(range(0, height - size + 1, stride)), -1)


def grad_cam(model: Module, x: Tensor, target: Any = None, *, layer: str | Module | None = None) -> np.ndarray:
    """``relu(sum over channels of w_c A_c)``, enlarged to the image: A_c the feature maps of a layer, w_c the mean over
    the map of d score / d A_c: how much the map speaks for the class.

    Source: R. Selvaraju et al., "Grad-CAM", ICCV 2017, equations 1 and 2.

    Args:
        model, x, target: as for :func:`saliency`.
        layer: the layer or its name; by default the last one that makes feature maps larger than one pixel.

    Returns:
        float ``(N, H, W)``, each scaled to a maximum of 1 (all 0 where nothing speaks for the class).

    Raises:
        ValueError: the model is no classifier, or the layer makes no feature maps.
    """
    chosen = _last_maps(model, x) if layer is None else layer
    module = model.get_submodule(chosen) if isinstance(chosen, str) else chosen
    seen: list[Tensor] = []

    def keep(module: Module, args: Any, output: Tensor) -> Tensor:
        seen.append(output)
        return output.clone()  # what comes next may work in place

    handle = module.register_forward_hook(keep)
    try:
        with evaluation_mode(model):
            image = x.detach().clone()
            image.requires_grad = True  # so that there is a graph even where all parameters are frozen
            scores = model(image)
            if not seen or seen[-1].ndim != 4:
                raise ValueError(f"grad_cam: layer {chosen!r} makes no feature maps (N, C, H, W)")
            (gradient,) = grad(_score(scores, _answers("grad_cam", scores, target)), seen[-1])
    finally:
        handle.remove()
    assert gradient is not None
    with no_grad():
        cam = (gradient.mean((2, 3), keepdim=True) * seen[-1]).sum(1, keepdim=True).relu()
        cam = F.interpolate(cam, size=tuple(x.shape[2:]), mode="bilinear", align_corners=False)
    maps = cam[:, 0].cpu().numpy()
    largest = maps.max((1, 2), keepdims=True)
    return np.divide(maps, largest, out=np.zeros_like(maps), where=largest > 0)


def _last_maps(model: Module, x: Tensor) -> str:
    maps = feature_maps(model, x[:1])
    names = [name for name, output in maps.items() if output.shape[2] * output.shape[3] > 1]
    if not names:
        raise ValueError("grad_cam: no layer of the model makes feature maps (N, C, H, W)")
    return names[-1]


def feature_maps(model: Module, x: Tensor, layers: Sequence[str] | None = None) -> dict[str, np.ndarray]:
    """What each layer makes of the images: name to ``(N, C, H, W)``, in the order in which the layers run.

    Args:
        model: of images ``x``.
        x: the images.
        layers: names; by default all layers without parts of their own, whose output has four axes.

    Raises:
        ValueError: a layer that the model does not have, or that gave no feature maps.
    """
    found: dict[str, np.ndarray] = {}

    def keep(name: str, output: Any) -> None:
        if isinstance(output, Tensor) and output.ndim == 4:
            found[name] = output.detach().cpu().numpy().copy()

    named = dict(model.named_modules())
    if unknown := [name for name in layers or () if name not in named]:
        raise ValueError(f"feature_maps: the model has no layer {unknown[0]!r}; it has {list(named)[1:]}")
    wanted = {n: m for n, m in named.items() if (not list(m.children()) if layers is None else n in layers)}
    handles = [
        module.register_forward_hook(lambda module, args, output, name=name: keep(name, output))
        for name, module in wanted.items()
    ]
    try:
        with evaluation_mode(model), no_grad():
            model(x)
    finally:
        for handle in handles:
            handle.remove()
    if layers is not None and (missing := [name for name in layers if name not in found]):
        raise ValueError(f"feature_maps: layer {missing[0]!r} gave no feature maps (N, C, H, W)")
    return found


def layer_distributions(model: Module, *, biases: bool = False) -> dict[str, dict[str, np.ndarray]]:
    """The values of each layer's weights and, after a backward pass, of their gradients.

    Args:
        model: any.
        biases: those of biases and scales too, which have one axis.

    Returns:
        Parameter's name to ``{"weight": ..., "gradient": ...}``, 1-d arrays; the latter only where there is one.
    """
    found: dict[str, dict[str, np.ndarray]] = {}
    for name, p in model.named_parameters():
        if biases or p.ndim > 1:
            found[name] = {"weight": p.detach().cpu().numpy().ravel().copy()}
            if p.grad is not None:
                found[name]["gradient"] = p.grad.detach().cpu().numpy().ravel().copy()
    return found
