"""Picture: a figure, and the numbers in it."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ...serialization import atomic_write
from ...tensor import Tensor

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Picture", "grid", "images_of", "new_figure"]


class Picture(NamedTuple):
    """A figure of matplotlib's, and the numbers in it by name."""

    figure: Figure
    data: dict[str, Any]

    def png(self, dpi: int = 130) -> bytes:
        """The figure as the content of a PNG file."""
        from matplotlib.backends.backend_agg import FigureCanvasAgg

        self.figure.set_dpi(dpi)
        buffer = io.BytesIO()
        FigureCanvasAgg(self.figure).print_png(buffer)
        return buffer.getvalue()

    def save(self, path: str | os.PathLike[str], dpi: int = 130) -> None:
        """Write it, whole or not at all, in the format that the file's name ends in: ``.png``, ``.svg``, ``.pdf``.

        Raises:
            OSError: it cannot be written.
            ValueError: the format is unknown.
        """
        if Path(path).suffix.lower() in ("", ".png"):
            atomic_write(path, self.png(dpi))
            return
        buffer = io.BytesIO()
        self.figure.savefig(buffer, format=Path(path).suffix[1:], dpi=dpi)
        atomic_write(path, buffer.getvalue())

    def _repr_png_(self) -> bytes:
        return self.png()


def new_figure(width: float, height: float) -> Figure:
    """An empty figure, in inches."""
    # Not by pyplot: its figures are global, and its backends may want a display.
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), dpi=130, layout="constrained")


def grid(count: int, columns: int, size: float = 1.3, extra: float = 0.0) -> tuple[Figure, list[Any]]:
    """A figure with ``count`` axes without ticks, ``columns`` in a row, each ``size`` inches wide."""
    columns = max(1, min(count, columns))
    rows = max(1, -(-count // columns))
    figure = new_figure(columns * size, rows * (size + extra))
    axes = list(figure.subplots(rows, columns, squeeze=False).flat)
    for each in axes:
        each.set_axis_off()
    return figure, axes[:count]


def images_of(x: Any, mean: Any = None, std: Any = None) -> np.ndarray:
    """Images ``(N, C, H, W)`` as matplotlib wants them, ``(N, H, W)`` or ``(N, H, W, 3)`` in [0, 1].

    Args:
        x: a Tensor or an array.
        mean, std: of each channel, which the images were normalized with; without them each image is stretched to
            [0, 1].

    Raises:
        ValueError: they are no images.
    """
    x = x.detach().cpu().numpy() if isinstance(x, Tensor) else np.asarray(x)
    if x.ndim != 4 or x.shape[1] not in (1, 3):
        raise ValueError(f"expected images (N, 1, H, W) or (N, 3, H, W), got {x.shape}")
    x = x.astype(np.float32)
    if mean is not None or std is not None:
        scale, shift = (
            np.reshape(default if v is None else v, (1, -1, 1, 1)).astype(np.float32)
            for v, default in ((std, 1.0), (mean, 0.0))
        )
        x = (x * scale + shift).clip(0, 1)
    else:
        low, high = x.min((1, 2, 3), keepdims=True), x.max((1, 2, 3), keepdims=True)
        x = (x - low) / np.where(high > low, high - low, 1)
    return x[:, 0] if x.shape[1] == 1 else x.transpose(0, 2, 3, 1)
