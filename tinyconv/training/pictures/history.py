"""How a training went."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .picture import Picture, new_figure

__all__ = ["curves"]

_TITLES = {"train": "training", "val": "validation"}


def curves(history: Sequence[dict[str, Any]], metric: str = "accuracy") -> Picture:
    """Loss and error (or another metric) by epoch, in training and in the test.

    Args:
        history: the rows of :func:`tinyconv.training.fit`, at least one.
        metric: which one is on the right; an accuracy is drawn as the share of wrong answers. Histories without it
            have the loss alone.

    Returns:
        The picture; ``data`` has ``epoch`` and a list for each curve, by the history's names.

    Raises:
        ValueError: an empty history.
    """
    if not history:
        raise ValueError("curves: the history is empty")
    parts = [key.removesuffix("_loss") for key in history[0] if key.endswith("_loss")]
    has_metric = any(f"{part}_{metric}" in history[0] for part in parts)
    figure = new_figure(width=9 if has_metric else 5, height=3.6)
    panels = figure.subplots(1, 2 if has_metric else 1, squeeze=False)[0]
    data: dict[str, list[float]] = {"epoch": [row["epoch"] for row in history]}
    errors = "accuracy" in metric
    for part in parts:
        for axes, name in zip(panels, ("loss", metric)):
            if (key := f"{part}_{name}") in history[0]:
                data[key] = [row[key] for row in history]
                shown = [100 * (1 - v) for v in data[key]] if axes is not panels[0] and errors else data[key]
                axes.plot(data["epoch"], shown, marker="o", markersize=3, label=_TITLES.get(part, part))
    panels[0].set_ylabel("loss")
    if has_metric:
        panels[1].set_ylabel("wrong answers (%)" if errors else metric)
    for axes in panels:
        axes.set_xlabel("epoch")
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.set_ylim(bottom=min(0, axes.get_ylim()[0]) if not errors else 0)
        axes.grid(alpha=0.3)
        axes.legend(frameon=False)
    if has_metric and errors and (key := f"{parts[-1]}_{metric}") in history[-1] and parts[-1] != "train":
        panels[1].set_title(f"{_TITLES.get(parts[-1], parts[-1])} accuracy {history[-1][key]:.2%}")
    return Picture(figure, data)
