"""Functions that PyTorch has under two names, with other arguments: these take those of ``torch.X``."""

from ..arrays import index, integers, x
from .entry import call, entry
from .functional import INTEGERS, WINNER, b, w
from .loss import plus_minus, unit, y

TWIN = {
    check: "the entry of the function of that name in F has these"
    for check in ("dtypes", "shapes", "values", "rejects")
}

entry(
    "F.max_pool2d_with_indices",
    call(x(2, 3, 6, 5), 2),
    call(x(1, 2, 7, 7), 3, 2, 1, ceil_mode=True),
    call(x(2, 5, 5), (3, 2), stride=1),
    without=WINNER | INTEGERS,
)
entry(
    "F.max_pool1d_with_indices tinyconv.max_pool1d_with_indices",
    call(x(2, 3, 7), 2),
    call(x(3, 8), 3, 2, 1, ceil_mode=True),
    without=WINNER | INTEGERS,
)
entry(
    "F.max_pool3d_with_indices",
    call(x(2, 3, 4, 4, 5), 2),
    call(x(2, 4, 5, 4), (1, 3, 2), 2, ceil_mode=True),
    without=WINNER | INTEGERS | {"shapes": "of no voxels"},
)
entry(
    "F.adaptive_max_pool3d_with_indices",
    call(x(2, 3, 4, 5, 4), 2),
    call(x(3, 4, 5, 4), (None, 2, 3)),
    without=WINNER | {"shapes": "of no voxels"},
)
entry("F.adaptive_max_pool2d_with_indices", call(x(2, 3, 6, 5), 2), call(x(3, 6, 5), (None, 2)), without=WINNER)
entry(
    "F.adaptive_max_pool1d_with_indices tinyconv.adaptive_max_pool1d",
    call(x(2, 3, 7), 3),
    call(x(3, 7), 2),
    without=WINNER,
)
entry("tinyconv.max_pool2d", call(x(2, 3, 6, 5), 2), call(x(1, 2, 7, 7), 3, 2, 1, 1, True), without=TWIN)
entry("tinyconv.bilinear", call(x(2, 3), w(2, 4), x(5, 3, 4, salt=3), b(5)), without=TWIN)
entry(
    "tinyconv.constant_pad_nd", call(x(2, 3), (1, 2)), call(x(2, 3), (1, -1, 0, 2), 0.5), call(integers(3), (1, 1), 2)
)
entry(
    "tinyconv.alpha_dropout tinyconv.feature_alpha_dropout",
    call(x(2, 3, 4), 0.5, True),
    call(x(2, 3, 4), 0.3, False),
    random=True,
    without=TWIN,
)
entry(
    "tinyconv.alpha_dropout_ tinyconv.feature_alpha_dropout_ tinyconv.feature_dropout tinyconv.feature_dropout_",
    call(x(2, 3, 4), 0.5, True),
    call(x(2, 3, 4), 1.0, True),
    call(x(2, 3, 4), 0.3, False),
    random=True,
    without=TWIN,
)
entry(
    "tinyconv.embedding",
    call(x(5, 4), index(2, 3, below=5)),
    call(x(5, 4), index(6, below=5), 2),
    call(x(5, 4), index(6, below=5), scale_grad_by_freq=True),
    without=TWIN,
)
mean, var = x(3, salt=5, fixed=True), x(3, salt=6, kind="positive", fixed=True)
entry(
    "tinyconv.batch_norm",
    call(x(4, 3), w(3), b(3), None, None, True, 0.1, 1e-5, True),
    call(x(4, 3, 5), None, None, mean, var, False, 0.1, 1e-3, False),
    without=TWIN,
)
entry(
    "tinyconv.instance_norm",
    call(x(4, 3, 5), w(3), b(3), None, None, True, 0.1, 1e-5, True),
    call(x(4, 3, 5, 2), None, None, mean, var, False, 0.1, 1e-3, False),
    without=TWIN,
)
third = x(4, 3, salt=2)
entry(
    "tinyconv.binary_cross_entropy_with_logits",
    *(call(x(2, 3), unit(2, 3), reduction=k) for k in range(3)),
    call(x(2, 3), unit(2, 3), unit(3, salt=2, fixed=True), unit(3, salt=3, fixed=True)),
    without=TWIN,
)
entry(
    "tinyconv.cosine_embedding_loss",
    *(call(x(4, 3), y(4, 3), plus_minus(4), 0.2, k) for k in range(3)),
    call(x(4, 3), y(4, 3), plus_minus(4)),
    without=TWIN,
)
entry("tinyconv.hinge_embedding_loss", *(call(x(4, 3), plus_minus(4, 3), 0.5, k) for k in range(3)), without=TWIN)
entry(
    "tinyconv.kl_div",
    *(call(x(2, 3), unit(2, 3), k) for k in range(3)),
    call(x(2, 3), y(2, 3), log_target=True),
    without=TWIN,
)
entry("tinyconv.margin_ranking_loss", *(call(x(4), y(4), plus_minus(4), 0.2, k) for k in range(3)), without=TWIN)
entry(
    "tinyconv.poisson_nll_loss",
    *(call(x(4, 3), x(4, 3, kind="positive", salt=2), True, k > 0, 1e-8, k) for k in range(3)),
    without=TWIN,
)
entry(
    "tinyconv.triplet_margin_loss",
    *(call(x(4, 3), y(4, 3), third, 0.5, 1, 1e-6, True, k) for k in range(3)),
    without=TWIN,
)
