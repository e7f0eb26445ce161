"""StrokeDigits: handwritten digits drawn from pen strokes, with no file and no network.

A digit is a path of the pen. ``GLYPHS`` lists several ways of writing each digit, as strokes through a few control
points. Each image takes one of them and

1. moves every control point a little (a hand never writes the same digit twice);
2. draws Catmull-Rom splines through the points: between p1 and p2 the cubic that has the tangents (p2 - p0) / 2 and
   (p3 - p1) / 2 there (E. Catmull, R. Rom, "A class of local interpolating splines", 1974), sampled so densely that
   the pen's dots overlap;
3. warps the plane by a random quadratic map, stretches it sideways, slants and rotates it;
4. scales the path until, drawn with its pen, it fills a square of 20 pixels;
5. inks each pixel by its distance d from the path, with a pen of radius r and an edge of width e:
   ``ink = clip((r - d) / e + 1/2, 0, 1)``, where d is measured with the pen's own yardstick: it is broader one way than
   the other, and pressed harder here than there;
6. cuts out 28x28 pixels around the centre of mass, as was done for MNIST (Y. LeCun et al., "Gradient-based learning
   applied to document recognition", 1998, section III.A).

Whoever has learned these digits reads MNIST's: what counts is that they vary as people's do, in the ways of writing a
digit first of all, then in slant, thickness and pressure.

**The same bytes on every machine.** Chance is the raw 64-bit output of Philox, keyed by the seed and the split and read
in a fixed order, so image i depends on (seed, split, i) alone. The arithmetic is + - * / and square roots, which IEEE
754 rounds alike everywhere, with no BLAS: a normal variate is a sum of four uniform ones, a rotation comes from the
rational parametrization of the circle.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from .mnist import MNIST
from .vision import InMemoryDataset

__all__ = ["GLYPHS", "StrokeDigits", "draw_digits"]

# (digit, how often it is written this way, the strokes). A control point is "x,y" on a grid about 8 wide and 10 high, y
# downwards; "!" marks a corner, where one spline ends and the next begins; "/" lifts the pen.
GLYPHS = [
    (0, 2, "4.5,0 1.5,1.5 0,5.5 1.5,9.3 4.5,9.8 7.5,7 7.5,2.5 4.5,0"),  # the oval, anticlockwise,
    (0, 2, "4,0 7,1.5 8,5 6.5,9 3.5,10 0.5,7.5 0.5,2.5 4,0"),  # clockwise,
    (0, 1, "4,0 2,2 1.5,5 2,8.5 4,10 6,8.5 6.5,5 6,2 4,0"),  # narrow,
    (0, 2, "6,1 3,0 0.3,4 1,9 4.5,10 7.8,6 7,1.5 3.5,0.3 2.5,1"),  # with an overlap,
    (0, 2, "2.5,0.5 1,4 1.5,8.5 4.5,10 7.5,7 7,3 4.5,1.2 2,2.2"),  # closing below its start,
    (0, 1, "6.5,0 4,0.7 1,4 1,8.5 4,9.8 7,7 7,3 4,1 1.5,1.5"),  # with two loose ends,
    (0, 1, "1,0.5 3.5,0.3! 1,4 1,8.5 4,10 7,7 7,3 4.5,0.3 3,1"),  # with a hook
    (1, 10, "4,0 4,3.5 4,7 4,10"),
    (1, 2, "2.5,1 4,0! 4,5 4,10"),  # with a short flag,
    (1, 1, "2,2.5 4,0! 4,5 4,10"),  # a long one,
    (1, 1, "2,2 4,0! 4,5 4,10! / 1.5,10 6.5,10"),  # and a foot
    (2, 2, "1,2.2 3.5,0 6.3,1.5 5.5,5 0.5,10! 7.5,10"),  # a corner and a straight foot,
    (2, 2, "0.5,1 3.5,0 6.2,1.8 5,5 0.5,9.5! 3,8.7 5,9.5 8,9"),  # a wavy one,
    (2, 2, "1.5,3 1,1.5 3,0 5.5,1.7 5,5 3.5,8 2.5,9.7! 4.5,9.3 7.5,9.5"),  # a short one
    (2, 1, "0,1.5 3,0.3 5.5,0.8 4.5,4 1.5,8 2,9.5 5,9 8,8.7"),  # a curve for the corner
    (2, 3, "1,2.2 3.5,0 6.3,2 5,6.5 2,9.6 0.4,8.8 1.8,7.5 4.5,9 8,9.5"),  # a loop,
    (2, 3, "0.7,1.5 3,0 6,2 5.5,6 2.5,9.7 0.3,8.5 1.5,6.5 4.5,7.5 6,9.5 8.5,9"),  # a high one,
    (2, 3, "2,3 1,1.5 3.5,0 6.3,2 6,6 4,9.5 1.5,10 0.3,8.5 2,7 5,8.3 7.5,10"),  # a round one,
    (2, 1, "2,3 1,1.5 3.5,0 6,1.8 5,5.5 2,9 0.5,9 1.5,8 4,9.3 8.5,8"),  # a small one,
    (2, 1, "2.5,0.3 4,0.5 4.5,2.5 3,5.5 1,6.7 0.3,5.8 2,5.3 5,6 9,6.2"),  # a long tail
    (2, 1, "2.5,3 0.7,2.3 1.5,0.3 4.5,0.3 6,3 4.5,7 2,9.8 0.3,9 1.5,7.7 4.5,9 8.5,9.3"),  # a hook at the start,
    (2, 1, "2.5,3.3 0.8,2.7 1.7,0.5 4.7,0.2 6.3,2.5 5.5,6.5 3,9.7 0.7,9.5 1,7.3 3.5,7.5 7.5,9.3"),  # and a big loop
    (3, 2, "0.5,1.5 3.5,0 6.3,2 3,4.6! 7,7 4,10 0,8.7"),  # a corner in the middle,
    (3, 4, "0.7,2 2,0.3 5.3,0.8 5.3,3.2 3,4.5! 5.5,5.5 6,8 4,10 1,9.7"),  # two round bows,
    (3, 2, "1,0.7 3.5,0.2 5,1.7 2.7,3.7! 6.3,5 7,8 4,10 0,9"),  # the lower one larger,
    (3, 1, "1,1.5 3.5,0 6,1.8 3.5,4.3! 7,7 4.5,10 1,9.3 0.5,7.5 2,7.3"),  # or curled in,
    (3, 2, "0.5,0.3 6.3,0! 3,4! 6.7,6 6,9 3,10 0,9"),  # a flat top
    (3, 4, "1,1.2 4,0 6.3,2.2 4,4.5 2.7,4.7 3.5,4.2 6.3,5.7 6.3,8.5 3,10 0,9"),  # a small loop in the middle,
    (3, 1, "0,1.3 3,0 5.5,1.2 4.5,3.3 2.5,4.7 5,5.5 6.8,7.5 5.5,9.5 2.5,9.8 1.3,8.3"),  # a curve
    (4, 5, "1,0 0.4,3 0.5,5.3! 4,5.2 7.5,5 / 6,0 5.8,5 5.7,10"),  # open, with a corner,
    (4, 2, "1,0.3 0.7,3 0.7,5.8! 4,5.6 7.5,5.4 / 5.7,1.5 5.5,5 5.3,10"),  # a low stem,
    (4, 1, "2,0 0.5,5.5! 3.5,5.3 7.5,5 / 4.5,3 4,6.5 3.5,10"),  # a lower one,
    (4, 1, "2.5,0.5 1.7,3 0.5,5.5! 3,5.7 6,4.7 / 5.5,2.5 5,6 4.5,10"),  # a short bar,
    (4, 3, "1,0 0.7,3.5 2.5,5.3 5,4.8 6.7,3 / 7,0 6.6,5 6.2,10"),  # a bowl
    (4, 1, "1.5,0 0.7,4! 3.5,4.6 6.3,4! 6.5,0.3! 5.8,5 5.5,10"),  # open, in one stroke
    (4, 2, "5.3,0 3,3 0,6.5! 4,6.5 8,6.5 / 5.3,0 5.3,5 5.3,10"),  # closed,
    (4, 1, "5,0 2.5,3 0.5,5.7! 3.5,5.7 6.5,5.2 / 5,0 5.2,5 5.2,10"),  # with a short bar
    (5, 3, "1.5,0 1,4.3! 4,3.8 6.7,6.5 4.5,9.7 0,9.5 / 1.5,0 4,0 7.5,0"),  # two strokes,
    (5, 3, "3,2 2,5! 4.5,4.8 5.5,7.5 3.5,10 0,9.5 / 3.3,1 6,0.7 9,0"),  # a long hat that does not touch,
    (5, 1, "3,0.5 2,4.5! 5,4.5 6,6.8 4,9.5 0,9.8 / 3,0.5 5.5,0.8 8,0"),  # a wavy hat,
    (5, 1, "3,0.8 2.5,4.3! 4.7,4.5 5.3,7 3.7,9.6 1.3,10 / 3.3,0.7 6.5,0"),  # narrow,
    (5, 1, "2,0 1.5,3.5! 4.5,3.7 7.5,6 6,9 2,10 0,9 / 2,0.2 4.5,0.2 7,0.3"),  # a large bowl,
    (5, 1, "2,0.7 1.3,4.3! 4,3.8 6.3,6 5,9.5 2,10 0.5,8.5 / 2.2,1 4,0.7 6,0"),  # a bowl curled in
    (5, 3, "7.2,0 1.7,0.3! 1.2,4.3! 4.5,4.2 6.5,7 4,10 0,9"),  # one stroke,
    (5, 2, "8,0 5,0.4 2.5,0.3! 2.2,4.2! 5,4.2 6,7 3.5,10 0,9.5"),  # a long hat,
    (5, 1, "6.5,0.2 2.2,0.3! 1.7,4.2! 4.5,3.7 6,6.2 5,9.3 2.3,9.9 0.7,8.8 1.5,7.7"),  # a bowl curled in,
    (5, 1, "7.2,0.3 3,0.7 1.5,3 5,5.3 6,8 3.5,10 0,9.2"),  # as an S
    (6, 2, "5.5,0 2,3.5 0.5,7.5 2.5,10 6,8.5 5.5,6 2.5,6.2 0.8,8"),
    (6, 2, "4,0 1.2,4.5 1,8.5 4,10 6.3,7.5 4,5.5 1,7.7"),  # upright,
    (6, 1, "1.5,0 0.7,4 1,8 3.5,10 6.5,8 6,5.5 3.5,5.5 1.3,8.5"),  # leaning back,
    (6, 1, "3,0 1.3,5 1.5,9 4.5,9.8 6.5,7 5,5.2 3,6.7 2.3,9.5"),  # its end on the ground
    (6, 4, "4.5,0 2.5,3 1.5,7 2,9.7 4.5,9.5 5,7.3 3.2,7 1.8,8.8"),  # a small loop,
    (6, 3, "2,0 0.5,4 0.7,8 3,10 6,9 7,6.5 5.5,5.5 4,7 4.5,9.5"),  # one on the right,
    (6, 2, "4,0 1,2.5 0,6.5 2,9.8 5.5,9.5 7,6.8 5,4.8 2.5,6 1.5,8.5"),  # a large one,
    (6, 1, "5.5,0.5 2.2,1.5 0.3,5.5 2,9.5 5,9.7 6.3,7.5 4.5,6 2.7,7"),  # an open one
    (7, 2, "0,0.7 3.5,0.5 7,0.2! 5,5 3.5,10"),
    (7, 1, "1.5,0.7 4,0.5 6,0.2! 4.7,5 3.5,10"),  # a short top,
    (7, 1, "0.5,1.5 2.5,0.5 5,0.8 6.5,0.3! 5,3.5 4.3,6.5 4.5,10"),  # a bent stem,
    (7, 1, "0,1.2 2,0.3 5,0.9 7,0.2! 4.5,4.5 3.5,10"),  # a wavy top,
    (7, 1, "0,1.2 2,0.3 5,0.9 7,0.2! 4.5,4.5 3.5,10 / 2,5.2 6.8,4.8"),  # with a bar,
    (7, 1, "0,0.7 3.5,0.5 7,0.2! 5,5 3.5,10 / 2,5.2 6.8,4.8"),  # a straight top with a bar
    (7, 2, "0.3,2.3 0.3,0.6! 3.5,0.5 7,0.3! 4.5,5 3.5,10"),  # a serif,
    (7, 1, "1,2.8 1.5,0.8! 4,0.5 6.3,0.2! 6,5 5,10"),  # narrow
    (7, 3, "0.5,2 2,0.5 5,0 6.3,1.5 5.5,5 4,10"),  # a round shoulder,
    (7, 3, "0.3,4 0.7,1! 3.5,0.3 6.5,0.8 6.7,3 6,6 5.5,10"),  # with a serif
    (8, 2, "6.3,1.5 3.8,0 1.3,2 3.5,4.6 6.3,7.5 3.8,10 1,8 3.5,5 6.3,1.7"),  # one stroke, from the right,
    (8, 2, "6.8,0.7 3.5,0 1.3,2 3.5,4.5 6,7.5 3.5,10 1,8 3.5,5 7,0.7"),  # with two loose ends,
    (8, 4, "6.7,2 4,0 1,2.5 3.7,6 5.3,8.3 3.8,10 2.2,8.5 3.5,6 6.7,2.5"),  # the lower loop small,
    (8, 3, "6.5,2 4,0 1.2,1.5 2.5,4.5 5,7 4.5,9.7 2.5,9.7 2.5,7.5 5,4.5 6.8,1.5"),  # leaning,
    (8, 1, "7,0.3 5,2.5 3,5.5 2.3,8.7 3.8,10 5.3,8.5 3.7,5 1.5,2.3 3,0 6,1.7"),  # from the other end,
    (8, 3, "1,0.5 2.5,3.5 5.5,7 4.5,10 2,9 3,6 5.5,3 5,0.3 2.5,0 1,1.5"),  # from the left,
    (8, 1, "5.5,2.5 3.7,3.8 2.2,2 4,0 5.7,2 3.5,5 0.7,8 3.5,10 6.5,8 4.5,5 2.7,3"),  # from the middle,
    (8, 1, "5.5,3 6,1 3.5,0 1.5,2 3.5,4.5 6,7 4,10 1,8.5 2,6 5,4.2"),  # open on the right,
    (8, 1, "5.3,3 6.5,1 4,0 2,1.7 3.3,4.3 5,7 3.7,10 1.5,9 2.5,6.3 5,4 6.3,2.5"),  # slanted
    (8, 1, "3.8,0 1.3,2.3 3.8,4.6 6.2,2.3 3.8,0 / 3.8,4.6 0.7,7.3 3.8,10 6.9,7.3 3.8,4.6"),  # two circles,
    (8, 1, "3.8,0 0.8,2.5 3.8,5 6.8,2.5 3.8,0 / 3.8,5 1.2,7.5 3.8,10 6.4,7.5 3.8,5"),  # the upper one larger
    (9, 3, "6.2,1.5 3.5,0 0.7,2.5 3,5 6.2,2.5! 6.1,6 6,10"),  # a straight stem,
    (9, 1, "6.2,1 3,0.5 0.5,3 2.5,5.2 6.2,1! 5,5 3.5,10"),  # a slanted one,
    (9, 1, "5.7,1 4,0 2,1.3 3,3.5 5.7,2.2! 5.2,6 4.7,10"),  # a small head,
    (9, 1, "5.5,1 3.5,0.2 1,2.5 2,4.7 4.7,3.3 5.7,0.7! 5,4.5 4.3,7.5 4,10"),  # a narrow one,
    (9, 1, "6.5,2 3.5,0.2 0,3 2,6 5.5,5 6.7,1.5! 6.8,6 6,10"),  # a large one,
    (9, 1, "6,1.7 3,0 0.3,1.8 1.5,4.3 4.5,4 6.2,2! 6,6 5.3,10"),  # a wide one,
    (9, 1, "5.5,0.5 2.5,0.7 0.5,4 2.5,6 6.3,2 6.5,0.5! 6.3,5 6,10"),  # with an overlap,
    (9, 1, "6.5,0.3 3,0.3 0.5,2.2 2.2,4.2 5.3,2.8 6.5,0.5! 5.3,5 4,10"),  # a pointed one,
    (9, 1, "4.5,0.3 1.5,1 1,4 3.5,4.5 6.5,0.7! 5.5,5 4.5,10"),  # an open one
    (9, 1, "6.2,1.5 3.5,0 0.7,2.5 3,4.8 6,2.8! 6.2,6 5,9 2,9.5"),  # a curved stem,
    (9, 1, "5.5,1 3,0.3 1,1.5 2,3.8 4.7,3 5.5,1! 6,5 5,9 2.5,9.7"),  # with an overlap
    (9, 2, "6,2.3 4,0 1.5,1 1.7,3.5 4,4 5.7,2.3 6,5 4,10"),  # no corner,
    (9, 4, "6,4 2.5,5.5 0.5,3.5 2,0.8 5,0.3 6.5,3 6.3,6.5 5.5,10"),  # the head begun below
]

_SPACING = 0.4  # grid units between the samples of a path: less than a pixel
_WORDS = 64  # 64-bit words of chance an image: one for the digit, one for the glyph, the others for normal variates
_CANVAS = 40  # pixels across, on which a digit is drawn before it is centred
_BATCH = 256  # images drawn at once: their arrays stay in the cache


class StrokeDigits(InMemoryDataset):
    """Digits drawn from pen strokes, in MNIST's format: 60,000 for training, 10,000 for testing, made in seconds.

    Args:
        root: not used: there is no file. It is here so that the data sets take the same arguments.
        train: the training images, or the test images, which share no random number with them.
        transform: called with each PIL image, or with a whole batch of images; see :class:`InMemoryDataset`.
        target_transform: called with each label.
        seed: from 0 to 2**64 - 1; the same seed makes the same images on every machine.

    Raises:
        ValueError: ``seed`` is out of range.
    """

    classes = MNIST.classes

    def __init__(
        self,
        root: object = None,
        train: bool = True,
        transform: Callable[[Any], Any] | None = None,
        target_transform: Callable[[Any], Any] | None = None,
        *,
        seed: int = 0,
    ):
        self.train, self.seed = train, seed
        images, labels = draw_digits(60_000 if train else 10_000, seed=seed, split=0 if train else 1)
        super().__init__(images, labels, transform=transform, target_transform=target_transform)

    def extra_repr(self) -> str:
        return f"Split: {'Train' if self.train else 'Test'}\nSeed: {self.seed}"


def draw_digits(count: int, *, seed: int = 0, split: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Draw the first ``count`` digits of a stream.

    Args:
        count: N.
        seed, split: which stream; each from 0 to 2**64 - 1.

    Returns:
        The images, uint8 (N, 28, 28), ink 255 on 0, and the labels, int64 (N,).

    Raises:
        ValueError: ``seed`` or ``split`` is out of range.
    """
    if not (0 <= seed < 2**64 and 0 <= split < 2**64):
        raise ValueError(f"StrokeDigits: seed and split should be from 0 to 2**64 - 1, got {seed} and {split}")
    words = np.random.Philox(key=np.array([seed, split], np.uint64)).random_raw(count * _WORDS).reshape(count, _WORDS)
    # Uniform in [0, 1): the digit, and where in the sum of the digit's frequencies the glyph lies.
    uniform = (words[:, :2] >> np.uint64(11)).astype(np.float64) * 2.0**-53
    labels = (uniform[:, 0] * 10).astype(np.int64)
    images = np.empty((count, 28, 28), np.uint8)
    for digit, glyphs in itertools.groupby(_glyphs(), lambda glyph: glyph.digit):
        written = np.flatnonzero(labels == digit)
        ways = list(glyphs)
        ends = np.cumsum([glyph.frequency for glyph in ways])
        way = np.searchsorted(ends, uniform[written, 1] * ends[-1], side="right")
        for i, glyph in enumerate(ways):
            chosen = written[way == i]
            for start in range(0, len(chosen), _BATCH):
                batch = chosen[start : start + _BATCH]
                images[batch] = _draw(glyph, _normal(words[batch, 2:]))
    return images, labels


class Glyph(NamedTuple):
    """One way of writing a digit.

    Sample s of its path is the sum of ``weights[k, s] * control[neighbours[k, s]]`` over k.
    """

    digit: int
    frequency: int
    control: np.ndarray  # float64 (P, 2): x and y of the control points
    neighbours: np.ndarray  # int64 (4, S): p0, p1, p2, p3 of the spline's segment that the sample is on
    weights: np.ndarray  # float64 (4, S)


@functools.cache
def _glyphs() -> list[Glyph]:
    return [_parse(*row) for row in GLYPHS]


def _parse(digit: int, frequency: int, strokes: str) -> Glyph:
    control: list[list[float]] = []
    neighbours: list[list[int]] = []
    times: list[float] = []
    for stroke in strokes.split("/"):
        first, words = len(control), stroke.split()
        control += [[float(number) for number in word.rstrip("!").split(",")] for word in words]
        corners = [i for i, word in enumerate(words) if word.endswith("!")]
        for start, end in itertools.pairwise([0, *corners, len(words) - 1]):
            # The ends count twice, being their own neighbours.
            points = [first + i for i in (start, *range(start, end + 1), end)]
            for segment in zip(points, points[1:], points[2:], points[3:], strict=False):
                (x1, y1), (x2, y2) = control[segment[1]], control[segment[2]]
                steps = math.ceil(math.sqrt((x2 - x1) * (x2 - x1) + (y2 - y1) * (y2 - y1)) / _SPACING)
                neighbours += [list(segment)] * steps
                times += [step / steps for step in range(steps)]
            neighbours.append(list(segment))
            times.append(1.0)
    t = np.array(times)
    t2, t3 = t * t, t * t * t
    weights = np.array([2 * t2 - t - t3, 2 - 5 * t2 + 3 * t3, t + 4 * t2 - 3 * t3, t3 - t2]) / 2
    return Glyph(digit, frequency, np.array(control), np.array(neighbours).T, weights)


def _normal(words: np.ndarray) -> np.ndarray:
    """Standard normal variates, nearly, and never beyond 3.5: one for each 64-bit word, from its four 16-bit parts."""
    parts = words.reshape(-1).view(np.uint16).reshape(*words.shape, 4)
    total = parts.sum(axis=-1, dtype=np.int64)  # mean 2 and variance 1/3 in units of 2**16
    return (total * 2.0**-16 - 2) * math.sqrt(3)


def _draw(glyph: Glyph, z: np.ndarray) -> np.ndarray:
    """B images (B, 28, 28) of ``glyph``, from normal variates (B, Z)."""
    shape, warp, jitter = np.split(z, [8, 14], axis=1)
    shape = shape.T[..., None]  # (B, 1) each, to go with samples (B, S)
    slant, rotation, aspect, radius, edge, breadth, taper, bulge = shape
    slant = 0.2 + 0.35 * slant
    rotation = 0.1 * rotation
    aspect = 1 + 0.2 * aspect
    radius = np.clip(1.4 + 0.5 * radius, 0.55, 3.2)  # pixels, as are the following
    edge = 1.4 * (1 + 0.25 * edge)
    breadth = 1 + 0.12 * breadth
    along = np.linspace(-1, 1, glyph.neighbours.shape[1])  # the path
    pressure = np.clip(1 + 0.15 * (taper * along + bulge * (along * along - 0.5)), 0.6, 1.5)
    warp = (0.04 * warp).T.reshape(2, 3, -1, 1)
    points = len(glyph.control)
    control = glyph.control + jitter[:, : 2 * points].reshape(-1, points, 2) * np.array([0.36, 0.45])

    # The path, about the origin.
    spline = [w[:, None] * control[:, p] for w, p in zip(glyph.weights, glyph.neighbours, strict=True)]
    x, y = np.moveaxis(spline[0] + spline[1] + spline[2] + spline[3], -1, 0)
    x, y = x - 4, y - 5
    x, y = (u + a * (x * x) + b * (x * y) + c * (y * y) for u, (a, b, c) in zip((x, y), warp, strict=True))
    x = aspect * x - slant * y
    t = rotation / 2  # the half angle's tangent, nearly
    cos, sin = (1 - t * t) / (1 + t * t), 2 * t / (1 + t * t)
    x, y = cos * x - sin * y, sin * x + cos * y

    # In pixels: 20 of them filled, in the middle of the canvas.
    left, right, top, bottom = (f(u, axis=1)[:, None] for u in (x, y) for f in (np.min, np.max))
    scale = (20 - 2 * radius) / np.maximum(right - left, bottom - top)
    x = scale * (x - (left + right) / 2) + _CANVAS / 2
    y = scale * (y - (top + bottom) / 2) + _CANVAS / 2

    ink = np.clip((radius[..., None] - _distance(x, y, breadth, pressure)) / edge[..., None] + 0.5, 0, 1)
    return _centred((ink * 255 + 0.5).astype(np.uint8))


def _distance(x: np.ndarray, y: np.ndarray, breadth: np.ndarray, pressure: np.ndarray) -> np.ndarray:
    """How far each pixel is from its image's path, as the pen measures it; large beyond 3.5 pixels.

    Args:
        x, y: the path's samples (B, S), in pixels, at least 5 from the edges of the canvas.
        breadth: (B, 1), how much wider than high the pen is, as the square root of the ratio.
        pressure: (B, S), by which the pen grows.

    Returns:
        float32 (B, _CANVAS, _CANVAS).
    """
    x, y = (u.astype(np.float32)[..., None] for u in (x, y))
    width, height = ((pressure * b).astype(np.float32)[..., None] for b in (breadth, 1 / breadth))
    window = np.arange(-4, 5)
    columns, rows = (np.rint(u).astype(np.int64) + window for u in (x, y))  # (B, S, 9)
    dx = (columns.astype(np.float32) - x) / width
    dy = (rows.astype(np.float32) - y) / height
    first = np.arange(len(x))[:, None, None] * _CANVAS**2  # pixel of each image's canvas
    pixels = (first + rows * _CANVAS)[..., :, None] + columns[..., None, :]  # (B, S, 9, 9)
    squares = np.full(len(x) * _CANVAS**2, 100, np.float32)
    np.minimum.at(squares, pixels.reshape(-1), ((dy * dy)[..., :, None] + (dx * dx)[..., None, :]).reshape(-1))
    return np.sqrt(squares).reshape(-1, _CANVAS, _CANVAS)


def _centred(ink: np.ndarray) -> np.ndarray:
    """The 28x28 pixels of each canvas that have the centre of mass nearest to their pixel (14, 14), as MNIST's have."""
    mass = ink.sum((1, 2), dtype=np.int64)
    moments = (ink.sum(axis, dtype=np.int64) @ np.arange(_CANVAS) for axis in (2, 1))
    top, left = (np.clip((2 * moment + mass) // (2 * mass) - 14, 0, _CANVAS - 28) for moment in moments)
    return np.lib.stride_tricks.sliding_window_view(ink, (28, 28), (1, 2))[np.arange(len(ink)), top, left]
