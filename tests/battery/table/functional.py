"""Windows, normalization, resampling: what layers are made of."""

from ..arrays import index, integers, mask, places, x
from .entry import call, entry, exclude


def w(*shape):
    return x(*shape, salt=1)


def b(*shape):
    return x(*shape, salt=2)


def floats(*kinds):
    """PyTorch has kernels for integers of these kinds."""
    return {f"dtypes: all {kind}": "floating point only, the error says so" for kind in kinds}


# What zero times infinity gives in the padding, and a sum over channels of another group, depends on the algorithm.
PADDED = {f"values: argument 1 {kind}": "0 × ∞ in the padding" for kind in ("nan", "infinite")}
SPREAD = {f"values: argument 0 {kind}": "0 × ∞ beside the pixels that count" for kind in ("nan", "infinite")}
EXTREME = {"values: extreme": "squares beyond float32"}
WINNER = {"values: nan": "which NaN of a window wins: the first here, the last there"}
INTEGERS = floats("int64", "int32", "uint8")

entry(
    "F.linear",
    call(x(2, 3), w(4, 3), b(4)),
    call(x(2, 3), w(4, 3)),
    call(x(3), w(4, 3), b(4)),
    call(x(2, 1, 3), w(4, 3), b(4)),
    call(x(0, 3), w(4, 3), b(4)),
    call(x(2, 3), w(3)),
    call(x(2, 3), weight=w(4, 3), bias=None),
    call(x(2, 33), w(17, 33), b(17)),
    rejected=(call(x(2, 3), w(4, 2)), call(x(2, 3), w(4, 3), b(3))),
)
entry(
    "F.bilinear",
    call(x(2, 3), w(2, 4), x(5, 3, 4, salt=3), b(5)),
    call(x(2, 3), w(2, 4), x(5, 3, 4, salt=3)),
    without=INTEGERS,
)
entry(
    "conv2d",
    call(x(2, 3, 6, 5), w(4, 3, 3, 2), b(4)),
    call(x(2, 3, 6, 5), w(4, 3, 3, 2)),
    call(x(1, 2, 7, 7), w(2, 2, 3, 3), b(2), 2, 1),
    call(x(2, 4, 5, 5), w(4, 2, 3, 3), b(4), groups=2, padding=(1, 0)),
    call(x(2, 4, 6, 6), w(8, 1, 3, 3), None, groups=4),
    call(x(1, 1, 7, 7), w(1, 1, 3, 3), dilation=2),
    call(x(1, 2, 5, 5), w(2, 2, 2, 3), padding="same"),
    call(x(1, 2, 5, 5), w(2, 2, 2, 3), padding="valid", stride=2),
    call(x(3, 6, 6), w(4, 3, 3, 3), b(4)),
    call(x(0, 3, 6, 6), w(4, 3, 3, 3), b(4)),
    call(x(17, 1, 8, 8), w(3, 1, 5, 5), b(3), padding=2),
    call(x(1, 1, 4, 4), w(1, 1, 1, 1), padding=3, stride=3),
    rejected=(
        call(x(2, 3, 2, 2), w(4, 3, 3, 3)),
        call(x(2, 3, 6, 6), w(4, 2, 3, 3)),
        call(x(6, 6), w(4, 3, 3, 3)),
        call(x(2, 3, 6, 6), w(4, 3, 3, 3), b(3)),
        call(x(2, 4, 6, 6), w(3, 2, 3, 3), groups=2),
        call(x(2, 3, 6, 6), w(4, 3, 3, 3), stride=0),
        call(x(2, 3, 6, 6), w(4, 3, 3, 3), padding="same", stride=2),
        call(x(2, 3, 6, 6), w(4, 3, 3, 3), padding=-1),
        call(x(2, 3, 6, 6), w(4, 3, 3, 3), dilation=0),
        call(x(2, 3, 6, 6), w(4, 3, 3, 3), groups=0),
    ),
    without=PADDED | INTEGERS,
)
entry(
    "conv1d",
    call(x(2, 3, 7), w(4, 3, 3), b(4)),
    call(x(2, 3, 7), w(4, 3, 3), None, 2, 1),
    call(x(2, 4, 7), w(4, 2, 2), groups=2, dilation=2),
    call(x(3, 7), w(4, 3, 3), b(4)),
    call(x(2, 3, 7), w(4, 3, 4), padding="same"),
    call(x(0, 3, 7), w(4, 3, 3)),
    rejected=(call(x(2, 3, 2), w(4, 3, 3)), call(x(2, 3, 7), w(4, 2, 3)), call(x(2, 3, 7, 7), w(4, 3, 3))),
    without=PADDED | INTEGERS,
)
entry(
    "conv_transpose2d",
    call(x(2, 3, 4, 3), w(3, 2, 3, 2), b(2)),
    call(x(1, 2, 3, 3), w(2, 2, 3, 3), None, 2, 1, 1),
    call(x(2, 4, 3, 3), w(4, 2, 2, 2), b(4), groups=2),
    call(x(1, 2, 3, 3), w(2, 1, 2, 2), dilation=2, stride=(2, 1)),
    call(x(3, 4, 4), w(3, 2, 3, 3), b(2)),
    call(x(0, 3, 4, 4), w(3, 2, 3, 3)),
    call(x(2, 3, 5, 5), w(3, 4, 4, 4), stride=2, padding=1),
    rejected=(
        call(x(2, 3, 4, 4), w(2, 2, 3, 3)),
        call(x(2, 3, 4, 4), w(3, 2, 3, 3), output_padding=2),
        call(x(2, 3, 4, 4), w(3, 2, 3, 3), stride=0),
    ),
    without=PADDED | floats("int64"),
)
entry(
    "conv_transpose1d",
    call(x(2, 3, 5), w(3, 2, 3), b(2)),
    call(x(1, 2, 4), w(2, 2, 3), None, 2, 1, 1),
    call(x(2, 4, 3), w(4, 2, 2), groups=2),
    call(x(3, 5), w(3, 2, 3)),
    without={"values: argument 1 infinite": "0 × ∞ in the padding"} | floats("int64"),
)
entry(
    "F.unfold",
    call(x(2, 3, 5, 4), 2),
    call(x(2, 3, 5, 4), (2, 3), 1, 1, 2),
    call(x(2, 3, 6, 6), kernel_size=3, dilation=2, padding=(1, 0), stride=(2, 1)),
    call(x(3, 5, 4), 2),
    call(x(0, 3, 5, 4), 2),
    rejected=(call(x(2, 3, 2, 2), 3), call(x(2, 2), 1)),
    without=floats("bool"),
)
entry(
    "F.fold",
    call(x(2, 12, 12), (5, 4), 2),
    call(x(2, 8, 9), (5, 5), 2, 1, 0, 2),
    call(x(8, 9), output_size=(4, 4), kernel_size=2),
    call(x(1, 8, 16), (3, 3), 2, padding=1),
    rejected=(call(x(2, 12, 11), (5, 4), 2), call(x(2, 11, 12), (5, 4), 2)),
    without=floats("bool"),
)

entry(
    "conv3d",
    call(x(2, 3, 4, 5, 4), w(4, 3, 2, 3, 2), b(4)),
    call(x(1, 2, 5, 5, 5), w(2, 2, 3, 3, 3), None, 2, 1),
    call(x(2, 4, 3, 4, 4), w(4, 2, 2, 2, 2), b(4), groups=2, dilation=(2, 1, 1)),
    call(x(1, 2, 3, 4, 4), w(2, 2, 2, 3, 2), padding="same"),
    call(x(3, 4, 4, 4), w(2, 3, 2, 2, 2)),
    rejected=(
        call(x(2, 3, 1, 4, 4), w(4, 3, 2, 2, 2)),
        call(x(2, 3, 4, 4, 4), w(4, 2, 2, 2, 2)),
        call(x(2, 3, 4, 4, 4), w(4, 3, 2, 2, 2), b(3)),
        call(x(2, 3, 4, 4, 4), w(4, 3, 2, 2, 2), stride=0),
    ),
    without=PADDED | INTEGERS,
)
entry(
    "conv_transpose3d",
    call(x(2, 3, 3, 4, 3), w(3, 2, 2, 3, 2), b(2)),
    call(x(1, 2, 3, 3, 3), w(2, 2, 3, 3, 3), None, 2, 1, 1),
    call(x(2, 4, 2, 3, 3), w(4, 2, 2, 2, 2), b(4), groups=2),
    call(x(3, 2, 3, 3), w(3, 2, 2, 2, 2), dilation=2, stride=(2, 1, 1)),
    rejected=(
        call(x(2, 3, 4, 4, 4), w(2, 2, 3, 3, 3)),
        call(x(2, 3, 4, 4, 4), w(3, 2, 3, 3, 3), output_padding=2),
        call(x(2, 3, 4, 4, 4), w(3, 2, 3, 3, 3), stride=0),
    ),
    without=PADDED | INTEGERS | {"values: argument 0 infinite": "0 × ∞ in the padding"},
)
pool3d = (
    call(x(2, 3, 4, 6, 5), 2),
    call(x(1, 2, 5, 6, 7), 3, 2, 1),
    call(x(1, 2, 5, 6, 7), (2, 3, 2), 2, ceil_mode=True),
    call(x(3, 4, 6, 6), 2),
    call(x(2, 1, 3, 4, 4, special="equal"), 2, 1),
)
wrong3d = (call(x(2, 3, 1, 4, 4), 2), call(x(2, 2, 4, 4, 4), 2, padding=2), call(x(4, 4), 2), call(x(1, 1, 2, 2, 2), 0))
entry("F.max_pool3d", *pool3d, call(x(2, 2, 5, 5, 5), 2, 1, 1, 2), call(x(1, 2, 4, 4, 4), 2, return_indices=True),
      rejected=wrong3d, without=WINNER | INTEGERS | {"shapes": "of no voxels"})  # fmt: skip
entry("F.avg_pool3d", *pool3d, call(x(1, 2, 5, 5, 5), 3, 2, 1, False, False), call(x(1, 2, 4, 4, 4), 2,
      divisor_override=3), rejected=wrong3d, without=INTEGERS | {"shapes": "of no voxels"})  # fmt: skip
adaptive3d = (call(x(2, 3, 4, 6, 5), 2), call(x(2, 3, 5, 6, 7), (2, 3, 4)), call(x(3, 4, 5, 6), (1, None, 2)))
entry("F.adaptive_avg_pool3d", *adaptive3d, call(x(2, 3, 4, 4, 4), output_size=1),
      rejected=(call(x(4, 4), 2), call(x(2, 3, 4, 4, 4), (2, 2))),
      without=INTEGERS | {"shapes": "of no voxels"})  # fmt: skip
entry("F.adaptive_max_pool3d", *adaptive3d, call(x(2, 3, 4, 4, 4), output_size=1),
      rejected=(call(x(4, 4), 2), call(x(2, 3, 4, 4, 4), (2, 2))),
      without=WINNER | INTEGERS | {"shapes": "of no voxels"})  # fmt: skip
entry("F.dropout3d", call(x(2, 3, 2, 2, 2), 0.5, True), call(x(2, 3, 2, 2, 2), p=0.3, training=False),
      call(x(2, 3, 2, 2, 2), 1.0, True), random=True, rejected=(call(x(2, 3, 2, 2, 2), 1.5, True),),
      without={"shapes": "warnings and one more axis", "dtypes": "floating point is asked for"})  # fmt: skip
entry(
    "F.affine_grid",
    call(x(2, 2, 3), (2, 1, 3, 4)),
    call(x(2, 2, 3), [2, 3, 1, 4], align_corners=True),
    call(x(1, 3, 4), size=(1, 1, 2, 3, 4), align_corners=False),
    rejected=(call(x(2, 2, 2), (2, 1, 3, 4)), call(x(2, 2, 3), (1, 1, 3, 4)), call(x(2, 2, 3), (2, 1, 0, 4))),
)
entry(
    "F.grid_sample",
    call(x(2, 3, 4, 5), w(2, 3, 2, 2)),
    call(x(2, 3, 4, 5), w(2, 3, 2, 2), "nearest", "border", True),
    call(x(1, 2, 4, 5), w(1, 3, 2, 2), mode="bicubic", padding_mode="reflection", align_corners=False),
    call(x(1, 2, 3, 4, 2), w(1, 2, 1, 3, 3), padding_mode="reflection", align_corners=True),
    call(x(2, 2, 3, 4), w(2, 2, 2, 2), padding_mode="border"),
    call(x(0, 2, 3, 4), w(0, 2, 2, 2)),
    rejected=(
        call(x(2, 3, 4, 5), w(2, 3, 2, 3)),
        call(x(2, 3, 4, 5), w(1, 3, 2, 2)),
        call(x(2, 3, 0, 5), w(2, 3, 2, 2)),
        call(x(1, 2, 3, 4, 2), w(1, 2, 1, 3, 3), "bicubic"),
    ),
    without=SPREAD
    | {"values: argument 1 infinite": "an infinity mirrored may be anywhere"}
    | {"values: argument 1 nan": "a point that is no number sees NaN here, with some options the border there"},
)

pool2d = (
    call(x(2, 3, 6, 5), 2),
    call(x(2, 3, 6, 5), (3, 2), 1),
    call(x(1, 2, 7, 7), 3, 2, 1),
    call(x(1, 2, 6, 7), 3, 2, ceil_mode=True),
    call(x(2, 2, 5, 5), 3, 2, 1, ceil_mode=True),
    call(x(3, 6, 6), 2),
    call(x(0, 3, 6, 6), 2),
    call(x(2, 2, 4, 4), kernel_size=2, stride=3),
    call(x(1, 1, 5, 5), 3, 1),
    call(x(1, 1, 4, 4), (2, 1), ceil_mode=True),
    call(x(2, 1, 4, 4, special="equal"), 2, 1),
)
pool2d_rejected = (
    call(x(2, 3, 1, 1), 2),
    call(x(2, 3, 6, 6), 2, 0),
    call(x(2, 3, 6, 6), 2, padding=2),
    call(x(6, 6), 2),
    call(x(2, 3, 6, 6), 0),
    call(x(2, 3, 6, 6), (2, 2, 2)),
    call(x(2, 0, 6, 6), 2),
)
entry(
    "F.max_pool2d",
    *pool2d,
    call(x(1, 2, 7, 7), 2, dilation=2),
    call(x(1, 2, 9, 9), 3, 2, 1, 2, True),
    rejected=pool2d_rejected,
    without=WINNER | INTEGERS,
)
entry(
    "F.avg_pool2d",
    *pool2d,
    call(x(1, 2, 7, 7), 3, 2, 1, count_include_pad=False),
    call(x(1, 2, 6, 6), 3, 2, 1, True, False),
    call(x(1, 2, 6, 6), 2, divisor_override=3),
    rejected=(*pool2d_rejected, call(x(1, 2, 6, 6), 2, divisor_override=0)),
    without=floats("int64"),
)
pool1d = (
    call(x(2, 3, 7), 2),
    call(x(2, 3, 7), 3, 1),
    call(x(2, 3, 7), 3, 2, 1),
    call(x(2, 3, 6), 3, 2, ceil_mode=True),
    call(x(3, 7), 2),
    call(x(0, 3, 7), 2),
)
entry(
    "max_pool1d F.max_pool1d",
    *pool1d,
    call(x(2, 3, 9), 2, dilation=2),
    rejected=(call(x(2, 3, 1), 2), call(x(7), 2)),
    without=WINNER,
)
entry(
    "avg_pool1d F.avg_pool1d",
    *pool1d,
    call(x(2, 3, 7), 3, 2, 1, count_include_pad=False),
    rejected=(call(x(2, 3, 1), 2), call(x(7), 2)),
    without=floats("int64"),
)
entry(
    "F.lp_pool3d",
    call(x(2, 3, 4, 4, 4, kind="positive"), 2, 2),
    call(x(3, 3, 5, 4, kind="positive"), 1.5, (1, 3, 2), 2, True),
    without=INTEGERS
    | {
        "shapes": "of no voxels",
        "dtypes: bool": "an average needs floating point",
        "rejects: (1, 3, 2, 2, 2, 2)": "six numbers are unpacked there, a ValueError",
    },
)
entry(
    "F.lp_pool2d",
    call(x(2, 3, 6, 6, kind="positive"), 2, 2),
    call(x(2, 3, 6, 6, kind="positive"), 3, 3, 2),
    without=floats("int64", "bool"),
)
entry("F.lp_pool1d", call(x(2, 3, 6, kind="positive"), 2, 2), without=floats("int64", "bool"))
entry(
    "F.adaptive_avg_pool2d",
    call(x(2, 3, 6, 5), 1),
    call(x(2, 3, 6, 5), (3, 2)),
    call(x(2, 3, 7, 7), (3, 4)),
    call(x(2, 3, 6, 5), (None, 2)),
    call(x(3, 6, 5), 2),
    call(x(2, 3, 2, 2), 5),
    call(x(0, 3, 6, 6), 2),
    call(x(2, 3, 6, 6), output_size=6),
    rejected=(call(x(6, 6), 2), call(x(2, 3, 6, 6), -1)),
)
entry(
    "F.adaptive_max_pool2d",
    call(x(2, 3, 6, 5), 1),
    call(x(2, 3, 6, 5), (3, 2)),
    call(x(2, 3, 7, 7), (3, 4)),
    call(x(2, 3, 6, 5), (None, 2)),
    call(x(3, 6, 5), 2),
    call(x(2, 3, 7, 7), 3, return_indices=True),
    rejected=(call(x(6, 6), 2),),
    without=WINNER,
)
entry(
    "adaptive_avg_pool1d F.adaptive_avg_pool1d",
    call(x(2, 3, 7), 1),
    call(x(2, 3, 7), 3),
    call(x(3, 7), 2),
)
entry(
    "F.adaptive_max_pool1d",
    call(x(2, 3, 7), 1),
    call(x(2, 3, 7), 3),
    call(x(3, 7), 2),
    without=WINNER,
)
entry(
    "F.max_unpool2d",
    call(x(1, 1, 2, 2), places(1, 1, 2, 2, below=16), 2),
    call(x(1, 2, 3), places(1, 2, 3, below=35), (2, 3), (2, 2), 0, (5, 7)),
    rejected=(call(x(1, 1, 2, 2), index(1, 1, 2, 2, below=90), 2),),
)
entry(
    "F.max_unpool1d",
    call(x(1, 1, 2), places(1, 1, 2, below=4), 2),
    call(x(1, 3), places(1, 3, below=7), 3, 2, output_size=(7,)),
)
entry(
    "F.max_unpool3d",
    call(x(1, 1, 2, 1, 2), places(1, 1, 2, 1, 2, below=32), 2),
    call(x(1, 2, 1, 2), places(1, 2, 1, 2, below=60), (2, 1, 3), (2, 1, 2), 0, (4, 1, 5)),
)

mean, var = x(3, salt=3, fixed=True), x(3, kind="positive", salt=4, fixed=True)
norm_kw = {"training": True}
entry(
    "F.batch_norm",
    call(x(4, 3), None, None, w(3), b(3), True),
    call(x(4, 3, 5), None, None, w(3), b(3), True),
    call(x(2, 3, 4, 5), None, None, training=True),
    call(x(2, 3, 4, 5), mean, var, w(3), b(3)),
    call(x(2, 3, 4, 5), mean, var),
    call(x(2, 3, 4, 5), mean, var, w(3), b(3), True, 0.3, 1e-3),
    call(x(1, 3, 4, 5), None, None, w(3), b(3), True),
    call(x(4, 3), mean, var, None, None, False, 0.1, 0.5),
    rejected=(
        call(x(1, 3), None, None, None, None, True),
        call(x(4, 3), None, None),
        call(x(4, 2), mean, var),
        call(x(4, 3), None, None, w(2), b(3), True),
    ),
    without={"overwrites": "running statistics are updated"},
)
entry(
    "F.layer_norm layer_norm",
    call(x(2, 3, 4), (4,)),
    call(x(2, 3, 4), (3, 4), w(3, 4), b(3, 4)),
    call(x(5), (5,), w(5)),
    call(x(2, 4), [4], None, b(4), 0.1),
    call(x(0, 4), (4,)),
    rejected=(call(x(2, 3), (4,)), call(x(2, 3), (3,), w(2))),
    without=EXTREME,
)
entry(
    "F.group_norm group_norm",
    call(x(2, 4, 3), 2),
    call(x(2, 4, 3, 2), 4, w(4), b(4)),
    call(x(2, 6), 3, w(6), b(6), 0.1),
    call(x(2, 4, 3), 1),
    call(x(0, 4, 3), 2),
    rejected=(call(x(2, 4, 3), 3), call(x(2, 4), 2, w(3))),
    without=EXTREME,
)
entry(
    "F.instance_norm",
    call(x(2, 3, 4)),
    call(x(2, 3, 4, 5), None, None, w(3), b(3)),
    call(x(2, 3, 4, 5), mean, var, use_input_stats=False),
    call(x(2, 3, 4), eps=0.1),
    rejected=(call(x(2, 3, 1)),),
    without={"overwrites": "running statistics are updated"},
)
entry(
    "F.local_response_norm",
    call(x(2, 5, 3, 3), 2),
    call(x(2, 5, 3, 3), 3, 0.1, 0.5, 2.0),
    call(x(2, 7, 4), 5, alpha=0.3),
    call(x(1, 2, 3, 3), 5),
    without=floats("int64"),
)
entry(
    "F.rms_norm rms_norm",
    call(x(2, 3, 4), (4,)),
    call(x(2, 3, 4), (3, 4), w(3, 4)),
    call(x(2, 4), (4,), None, 0.1),
)
entry(
    "F.normalize",
    call(x(2, 3)),
    call(x(2, 3), 1.0),
    call(x(2, 3, 4), 2, 0),
    call(x(2, 3), p=3, dim=-1),
    call(x(2, 3, special="zero")),
    call(x(4), dim=0),
    call(x(2, 0)),
)
entry(
    "cosine_similarity F.cosine_similarity",
    call(x(2, 3), w(2, 3)),
    call(x(2, 3), w(3), dim=-1),
    call(x(4), w(4), 0),
    call(x(2, 3, 4), w(2, 3, 4)),
    call(x(2, 3, special="zero"), w(2, 3)),
)
entry(
    "pairwise_distance F.pairwise_distance",
    call(x(2, 3), w(2, 3)),
    call(x(3), w(3)),
    call(x(2, 3), w(3), 1.0),
    call(x(2, 3), w(2, 3), p=3, keepdim=True),
)
entry(
    "F.pad",
    call(x(2, 3), (1, 2)),
    call(x(2, 3), (1, 0, 0, 2), "constant", 1.5),
    call(x(2, 3), (-1, 0)),
    call(x(2, 3, 4), (1, 1, 2, 0, 0, 1), value=2),
    call(x(), ()),
    call(x(0, 3), (1, 1)),
    call(x(2, 3, 4), (2, 1), "reflect"),
    call(x(2, 3, 4), (3, 1), mode="replicate"),
    call(x(2, 3, 4), (2, 3), mode="circular"),
    call(x(1, 2, 4, 5), (1, 2, 3, 1), mode="reflect"),
    call(x(1, 2, 4, 5), (1, 2, 3, 1), mode="replicate"),
    call(x(1, 2, 4, 5), (1, 2, 3, 1), mode="circular"),
    call(x(2, 4, 5), (1, 2, 1, 1), mode="reflect"),
    call(x(1, 2, 4, 5), (-1, 2, 0, -1), mode="reflect"),
    rejected=(
        call(x(2, 3), (1,)),
        call(x(2, 3, 4), (4, 0), mode="reflect"),
        call(x(2, 3, 4), (5, 0), mode="circular"),
        call(x(2, 3), (1, 1, 1, 1, 1, 1)),
        call(x(2, 3), (-4, 0)),
    ),
)
scales = (
    (
        call(x(2, 3, 4, 5), (7, 3), mode=mode, **more),
        call(x(2, 3, 4, 5), scale_factor=2, mode=mode, **more),
        call(x(2, 3, 4, 5), scale_factor=(1.5, 0.6), mode=mode, **more),
    )
    for mode, more in (
        ("nearest", {}),
        ("bilinear", {}),
        ("bilinear", {"align_corners": True}),
        ("area", {}),
        ("nearest-exact", {}),
        ("bicubic", {}),
        ("bicubic", {"align_corners": True}),
    )
)
entry(
    "F.interpolate F.upsample",
    *(c for group in scales for c in group),
    call(x(2, 3, 4, 5), 8),
    call(x(2, 3, 4), 7, mode="linear"),
    call(x(2, 3, 4), 7, mode="nearest"),
    call(x(2, 3, 4), scale_factor=0.5, mode="linear", align_corners=True),
    call(x(1, 1, 1, 1), (3, 3), mode="bilinear", align_corners=True),
    call(x(2, 1, 4, 4), 1, mode="bilinear", align_corners=True),
    call(x(2, 1, 4, 4), scale_factor=1.7, recompute_scale_factor=True, mode="bilinear"),
    call(x(1, 2, 2, 3, 4), (3, 3, 2), mode="trilinear"),
    rejected=(
        call(x(2, 3, 4, 5)),
        call(x(2, 3, 4, 5), 3, 2),
        call(x(2, 3, 4, 5), (3, 3, 3)),
        call(x(2, 3), 3),
        call(x(2, 3, 4, 5), 3, mode="nonsense"),
        call(x(2, 3, 4, 5), 3, mode="nearest", align_corners=True),
        call(x(2, 3, 4), 3, mode="bilinear"),
        call(x(2, 3, 4, 5), 0),
    ),
    without=SPREAD | floats("uint8"),
)
entry("F.upsample_nearest", call(x(2, 3, 4, 5), (7, 3)), call(x(2, 3, 4, 5), scale_factor=2))
entry(
    "F.upsample_bilinear",
    call(x(2, 3, 4, 5), (7, 3)),
    call(x(2, 3, 4, 5), scale_factor=2),
    without=SPREAD | floats("uint8"),
)
entry(
    "pixel_shuffle F.pixel_shuffle",
    call(x(2, 8, 3, 2), 2),
    call(x(4, 3, 3), 2),
    call(x(1, 9, 2, 2), upscale_factor=3),
    call(x(0, 4, 2, 2), 2),
    rejected=(call(x(2, 7, 3, 3), 2), call(x(4, 4), 2), call(x(2, 4, 3, 3), 0)),
)
entry(
    "pixel_unshuffle F.pixel_unshuffle",
    call(x(2, 2, 6, 4), 2),
    call(x(1, 4, 4), 2),
    rejected=(call(x(2, 2, 5, 4), 2),),
    without={"shapes: , 0]": "as above"} | {"shapes: [0, 2": "an empty batch is an error there"},
)
entry(
    "channel_shuffle F.channel_shuffle",
    call(x(2, 6, 3, 2), 2),
    call(x(1, 4, 2, 2), 4),
    rejected=(call(x(2, 5, 2, 2), 2),),
)
entry(
    "F.one_hot",
    call(index(4, below=3)),
    call(index(2, 3, below=3), 5),
    call(index(4, below=3), num_classes=3),
    call(index(below=3), 4),
    call(index(0, below=1), 3),
    rejected=(call(index(4, below=3, salt=2), 1), call(x(3)), call(integers(3, dtype="int32"))),
)
cell = (x(2, 3), x(2, 4, salt=1))


def weights(gates):
    return (x(4 * gates, 3, salt=2), x(4 * gates, 4, salt=3))


def biases(gates):
    return (x(4 * gates, salt=4), x(4 * gates, salt=5))


entry(
    "rnn_tanh_cell rnn_relu_cell",
    call(*cell, *weights(1), *biases(1)),
    call(*cell, *weights(1)),
)
entry(
    "gru_cell",
    call(*cell, *weights(3), *biases(3)),
    call(*cell, *weights(3)),
)
entry(
    "lstm_cell",
    call(x(2, 3), (x(2, 4, salt=1), x(2, 4, salt=6)), *weights(4), *biases(4)),
    call(x(2, 3), (x(2, 4, salt=1), x(2, 4, salt=6)), *weights(4)),
)
entry(
    "F.embedding",
    call(index(2, 3, below=5), x(5, 4)),
    call(index(6, below=5), x(5, 4), 2),
    call(index(below=5), x(5, 4)),
    call(index(0, below=5), x(5, 4)),
    call(index(6, below=5), x(5, 4), padding_idx=-1),
    rejected=(call(x(3), x(5, 4)), call(integers(9, below=20), x(5, 4)), call(index(3, below=5), x(5, 4), 7)),
)
entry(
    "F.embedding_bag",
    call(index(7, below=5), x(5, 4), index(1, below=1)),
    call(index(2, 3, below=5), x(5, 4)),
    call(index(2, 3, below=5), x(5, 4), mode="sum", per_sample_weights=x(2, 3, salt=1)),
    call(index(2, 3, below=5), x(5, 4), mode="max"),
    call(index(2, 3, below=5), x(5, 4), padding_idx=2),
    rejected=(
        call(index(7, below=5), x(5, 4)),
        call(index(2, 3, below=5), x(5, 4), index(1, below=1)),
        call(index(2, 3, below=5), x(5, 4), mode="max", per_sample_weights=x(2, 3)),
        call(index(2, 3, below=5), x(5, 4), mode="sum", per_sample_weights=x(3, 2)),
        call(integers(2, 3, below=50), x(5, 4)),
    ),
    without={
        "shapes: <index int64 [0]>)": "of no offsets PyTorch's gradient reads beyond its arrays, and the process dies",
        "shapes: <index int64 [2, 0]>": "bags of nothing are zeros here",
        "rejects: (<index int64 [2, 3]>, <float32 [5, 4]>)": "an IndexError here, as of F.embedding",
        "dtypes: index 0 bool": "bools are no rows here",
        "dtypes: index 0 uint8": "nor is uint8",
        "values: mode='max')  # argument 1 nan": "NaN is never the largest there",
    },
)
entry(
    "F.scaled_dot_product_attention",
    call(x(2, 3, 4), x(2, 5, 4, salt=1), x(2, 5, 4, salt=2)),
    call(x(2, 2, 3, 4), x(2, 2, 3, 4, salt=1), x(2, 2, 3, 4, salt=2), is_causal=True),
    call(x(3, 4), x(5, 4), x(5, 2), attn_mask=mask(3, 5, salt=3)),
    call(x(3, 4), x(5, 4), x(5, 4), scale=0.3),
    call(x(2, 3, 4), x(2, 5, 4, salt=1), x(2, 5, 4, salt=2), x(3, 5, salt=3)),
    call(x(2, 6, 3, 4), x(2, 2, 5, 4, salt=1), x(2, 2, 5, 4, salt=2), enable_gqa=True),
    rejected=(
        call(x(3, 4), x(5, 4), x(5, 4), mask(3, 5), is_causal=True),
        call(x(4), x(4), x(4)),
        call(x(2, 6, 3, 4), x(2, 4, 5, 4), x(2, 4, 5, 4), enable_gqa=True),
    ),
    without={"shapes": "some make PyTorch write beyond its arrays, and the process dies"}
    | {f"values: {kind}": "a softmax of NaN and infinities" for kind in ("nan", "infinite", "extreme")},
)


def heads(E=4, K=4, V=4, H=2, bias=True, more=False):
    """The weights of :func:`multi_head_attention_forward`, in its order from ``embed_dim_to_check`` on."""
    packed = x(3 * E, E, salt=3) if K == E == V else None
    extra = (x(1, 1, E, salt=5), x(1, 1, E, salt=6)) if more else (None, None)
    return (E, H, packed, x(3 * E, salt=4) if bias else None, *extra, more, 0.0, x(E, E, salt=7),
            x(E, salt=8) if bias else None)  # fmt: skip


entry(
    "F.multi_head_attention_forward",
    call(x(3, 2, 4), x(5, 2, 4, salt=1), x(5, 2, 4, salt=2), *heads()),
    call(x(3, 2, 4), x(5, 2, 4, salt=1), x(5, 2, 4, salt=2), *heads(), need_weights=False, attn_mask=x(3, 5, salt=9)),
    call(x(3, 4), x(5, 4, salt=1), x(5, 4, salt=2), *heads(bias=False), average_attn_weights=False),
    call(x(3, 2, 4), x(5, 2, 4, salt=1), x(5, 2, 4, salt=2), *heads(more=True), True, x(2, 5, salt=9), False),
    call(x(3, 2, 4), x(5, 2, 3, salt=1), x(5, 2, 2, salt=2), *heads(4, 3, 2), use_separate_proj_weight=True,
         q_proj_weight=x(4, 4), k_proj_weight=x(4, 3), v_proj_weight=x(4, 2)),
    call(x(3, 2, 4), x(5, 2, 4), x(5, 2, 4, salt=2), *heads(), static_k=x(4, 5, 2), static_v=x(4, 5, 2, salt=1)),
    rejected=(
        call(x(3, 2, 4), x(5, 2, 4), x(4, 2, 4), *heads()),
        call(x(3, 2, 4), x(5, 4), x(5, 4), *heads()),
        call(x(3, 2, 4), x(5, 2, 4), x(5, 2, 4), *heads(8)),
        call(x(3, 2, 4), x(5, 2, 4), x(5, 2, 4), *heads(H=3)),
        call(x(3, 2, 4), x(5, 2, 4), x(5, 2, 4), *heads(), attn_mask=x(5, 3)),
        call(x(3, 2, 4), x(5, 2, 4), x(5, 2, 4), *heads(), is_causal=True),
    ),
    without={"shapes": "biases are broadcast there", "values": "a softmax of NaN and infinities"},
)  # fmt: skip
entry(
    "F.dropout F.dropout1d F.dropout2d F.alpha_dropout F.feature_alpha_dropout",
    call(x(2, 3, 4), 0.5, True),
    call(x(2, 3, 4), p=0.3, training=False),
    call(x(2, 3, 4), 0.0, True),
    call(x(2, 3, 4), 1.0, True),
    call(x(0, 3, 4), 0.5, True),
    random=True,
    rejected=(call(x(2, 3, 4), 1.5, True), call(x(2, 3, 4), -0.1, True)),
    without={"dtypes: 1.0, True": "floating point only, the error says so"},
)
exclude("Tensor.dropout_", "tinyconv.dropout_ in PyTorch; F.dropout has its check")
entry(
    "dropout",
    call(x(2, 3, 4), 0.5, True),
    call(x(2, 3, 4), 0.5, False),
    call(x(2, 3, 4), 1.0, True),
    random=True,
    without={"dtypes": "floating point is asked for"},
)
