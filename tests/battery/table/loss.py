"""Losses."""

import numpy as np

from ..arrays import Array, index, x
from .entry import call, entry, program

REDUCTIONS = ("mean", "sum", "none")


def y(*shape, **more):
    return x(*shape, salt=1, **more)


weight = x(3, kind="positive", salt=5, fixed=True)


def reduced(*args, **kwargs):
    """A loss in its three reductions."""
    return tuple(call(*args, reduction=r, **kwargs) for r in REDUCTIONS)


def two(*shapes, **kwargs):
    """A loss of two arrays of one shape."""
    return tuple(call(x(*s), y(*s), **kwargs) for s in (*shapes, (2, 3), (), (5,), (0, 3)))


def classes(*shape):
    return index(*shape, below=3, salt=4)


entry(
    "F.nll_loss",
    *reduced(x(4, 3), classes(4)),
    *reduced(x(4, 3), classes(4), weight=weight),
    *reduced(x(4, 3), classes(4), ignore_index=1),
    *reduced(x(2, 3, 2, 2), classes(2, 2, 2), weight=weight, ignore_index=0),
    call(x(3), classes()),
    call(x(0, 3), classes(0)),
    call(x(0, 3), classes(0), reduction="sum"),
    call(x(2, 3, 4), classes(2, 4)),
    call(x(1, 3), classes(1), ignore_index=int(classes(1).values()[0])),
    rejected=(
        call(x(4, 3), classes(3)),
        call(x(4, 3), index(4, below=90, salt=8)),
        call(x(4, 3), y(4)),
        call(x(4, 3), classes(4), weight=x(2, fixed=True)),
        call(x(4, 3), classes(4, 1)),
    ),
)


def probabilities(*shape):
    return x(*shape, kind="probability", salt=6)


entry(
    "F.cross_entropy",
    *reduced(x(4, 3), classes(4)),
    *reduced(x(4, 3), classes(4), weight=weight, label_smoothing=0.2, ignore_index=1),
    *reduced(x(4, 3), classes(4), weight=weight),
    *reduced(x(4, 3), probabilities(4, 3)),
    *reduced(x(4, 3), probabilities(4, 3), weight=weight, label_smoothing=0.1),
    *reduced(x(2, 3, 2, 2), classes(2, 2, 2), label_smoothing=0.3, ignore_index=2),
    *reduced(x(2, 3, 4), probabilities(2, 3, 4), label_smoothing=0.1),
    call(x(3), classes()),
    call(x(3), probabilities(3)),
    call(x(0, 3), classes(0)),
    call(x(0, 3), classes(0), reduction="none"),
    call(x(17, 10), index(17, below=10)),
    call(x(4, 3), classes(4), label_smoothing=1.0),
    rejected=(
        call(x(4, 3), classes(3)),
        call(x(4, 3), index(4, below=90, salt=8)),
        call(x(4, 3), y(4)),
        call(x(4, 3), classes(4), label_smoothing=1.5),
        call(x(4, 3), classes(4), label_smoothing=-0.1),
        call(x(4, 3), classes(4), weight=x(2, fixed=True)),
        call(x(4, 3), probabilities(4, 2)),
    ),
)
entry(
    "F.mse_loss F.l1_loss",
    *two(),
    *reduced(x(2, 3), y(2, 3)),
    call(x(2, 3), y(3)),
    rejected=(call(x(2, 3), y(4)),),
)
entry(
    "F.smooth_l1_loss",
    *two(),
    *reduced(x(2, 3), y(2, 3)),
    call(x(2, 3), y(2, 3), beta=0.3),
    call(x(2, 3), y(2, 3), beta=0.0),
    call(x(2, 3), y(2, 3), beta=2),
    rejected=(call(x(2, 3), y(4)), call(x(2), y(2), beta=-1)),
)
entry(
    "F.huber_loss",
    *two(),
    *reduced(x(2, 3), y(2, 3)),
    call(x(2, 3), y(2, 3), delta=0.3),
    call(x(2, 3), y(2, 3), "mean", 2.0),
    rejected=(call(x(2, 3), y(4)), call(x(2), y(2), delta=0.0)),
)


def unit(*shape, salt=0, **more):
    return x(*shape, kind="unit", salt=salt, **more)


entry(
    "F.binary_cross_entropy",
    *reduced(unit(2, 3), unit(2, 3, salt=1)),
    call(unit(2, 3), unit(2, 3, salt=1), weight=unit(3, salt=2, fixed=True)),
    call(unit(), unit(salt=1)),
    call(unit(0, 3), unit(0, 3)),
    rejected=(call(unit(2, 3), unit(3)), call(x(9, fixed=True), unit(9))),
)
entry(
    "F.binary_cross_entropy_with_logits",
    *reduced(x(2, 3), unit(2, 3)),
    call(x(2, 3), unit(2, 3), weight=unit(3, salt=2, fixed=True)),
    call(x(2, 3), unit(2, 3), pos_weight=unit(3, salt=2, fixed=True)),
    call(x(), unit()),
    call(x(0, 3), unit(0, 3)),
    call(x(2, 3, special="extreme"), unit(2, 3)),
    rejected=(call(x(2, 3), unit(3)),),
)
entry(
    "F.kl_div",
    *reduced(x(2, 3), unit(2, 3)),
    call(x(2, 3), unit(2, 3), reduction="batchmean"),
    call(x(2, 3), y(2, 3), log_target=True),
    call(x(2, 3), unit(3), reduction="sum"),
    call(x(2, 3), x(2, 3, special="zero")),
    rejected=(call(x(2, 3), y(4)),),
)


class Signs(Array):
    """Plus and minus ones."""

    def _drawn(self, rng):
        return np.where(rng.random(self.shape) < 0.5, -1.0, 1.0)


def plus_minus(*shape):
    return Signs(shape, "signs", "float32", fixed=True, salt=7)


entry(
    "F.cosine_embedding_loss",
    *reduced(x(4, 3), y(4, 3), plus_minus(4)),
    call(x(4, 3), y(4, 3), plus_minus(4), margin=0.3),
    call(x(3), y(3), plus_minus()),
    rejected=(call(x(4, 3), y(4, 3), plus_minus(4, 3, 2)),),
)
entry(
    "F.margin_ranking_loss",
    *reduced(x(4), y(4), plus_minus(4)),
    call(x(4), y(4), plus_minus(4), margin=0.3),
    call(x(), y(), plus_minus()),
)
entry(
    "F.hinge_embedding_loss",
    *reduced(x(4, 3), plus_minus(4, 3)),
    call(x(4), plus_minus(4), margin=0.3),
)
entry(
    "F.soft_margin_loss",
    *reduced(x(4, 3), plus_minus(4, 3)),
    call(x(4), plus_minus(4)),
)
entry(
    "F.triplet_margin_loss",
    *reduced(x(4, 3), y(4, 3), x(4, 3, salt=2)),
    call(x(4, 3), y(4, 3), x(4, 3, salt=2), margin=0.3, p=1, swap=True),
    call(x(3), y(3), x(3, salt=2)),
    rejected=(call(x(4, 3), y(4, 3), x(3)),),
)
entry(
    "F.triplet_margin_with_distance_loss",
    *reduced(x(4, 3), y(4, 3), x(4, 3, salt=2)),
    call(x(4, 3), y(4, 3), x(4, 3, salt=2), margin=0.3, swap=True),
)
entry(
    "F.multi_margin_loss",
    *reduced(x(4, 3), classes(4)),
    call(x(4, 3), classes(4), p=2, margin=0.5),
    call(x(3), classes()),
    call(x(4, 3), classes(4), weight=weight),
    without={"values: nan": "a NaN beside the target does not count there"}
    | {"shapes": "PyTorch reads beyond the arrays"},
)
several = index(4, 3, below=3, salt=6)
entry(
    "F.multilabel_margin_loss",
    *reduced(x(4, 3), several),
    call(x(3), index(3, below=3)),
    call(x(2, 3), index(2, 3, below=1)),
    rejected=(call(x(4, 3), index(4, below=3)), call(x(4, 3), index(4, 3, below=9)), call(x(4, 3), y(4, 3))),
    without={
        "values: nan": "NaN is as good as 0 there",
        "shapes: (<float32 [0, 3]>": "of no samples PyTorch's mean is what was in memory",
    },
)


def after_log_softmax(m, loss, scores, *args, **kwargs):
    """The gradient there is that of the scores only together with log_softmax's."""
    return loss(m.log_softmax(scores, -1), *(m.tensor(a) if isinstance(a, list) else a for a in args), **kwargs)


entry(
    "F.ctc_loss",
    program(after_log_softmax, x(6, 3, 4), [[1, 2], [3, 3], [2, 1]], [6, 5, 6], [2, 2, 1]),
    program(after_log_softmax, x(6, 3, 4), [1, 2, 3, 3, 2], (6, 5, 6), (2, 2, 1)),
    program(after_log_softmax, x(6, 4), [0, 2], [6], [2], blank=1),
    without={"values": "paths of NaN and infinities"}
    | {"shapes": "lengths do not fit any more", "dtypes: uint8": "floating point only", "keywords": "a program"},
)
entry("F.multilabel_soft_margin_loss", *reduced(x(4, 3), unit(4, 3)), call(x(4, 3), unit(4, 3), weight=weight))
entry(
    "F.gaussian_nll_loss",
    *reduced(x(4, 3), y(4, 3), x(4, 3, kind="positive", salt=2)),
    call(x(4, 3), y(4, 3), x(4, 1, kind="positive", salt=2), full=True),
    call(x(4, 3), y(4, 3), x(4, kind="positive", salt=2)),
    call(x(4, 3), y(4, 3), 0.5),
    rejected=(call(x(4, 3), y(4, 3), -1.0),),
)
entry(
    "F.poisson_nll_loss",
    *reduced(x(4, 3), x(4, 3, kind="positive", salt=2)),
    call(x(4, 3, kind="positive"), x(4, 3, kind="positive", salt=2), log_input=False),
    call(x(4, 3), x(4, 3, kind="positive", salt=2), full=True),
    call(x(4, 3, kind="positive"), x(4, 3, kind="positive"), log_input=False, eps=0.1),
)
