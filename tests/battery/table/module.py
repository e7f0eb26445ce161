"""Layers: made, filled with the same numbers, called."""

from ..arrays import index, x
from ..calls import as_numpy, dtype, state_values, tensor_of
from .arithmetic import SIXTH
from .entry import build, entry, exclude, program
from .functional import EXTREME, INTEGERS, PADDED, SPREAD, WINNER, floats
from .loss import classes, plus_minus, probabilities, unit, weight, y

INPLACE = {"overwrites": "inplace=True writes into its argument"}
for name in ("ReLU", "ReLU6", "Sigmoid", "Tanh", "SELU", "SiLU", "Mish", "Hardswish", "LogSigmoid",
             "Softsign", "Tanhshrink", "Identity"):  # fmt: skip
    more = (build(inplace=True)(x(2, 3)),) if name in ("ReLU", "ReLU6", "SELU", "SiLU", "Mish", "Hardswish") else ()
    entry(
        f"nn.{name}",
        build()(x(2, 3)),
        build()(x()),
        build()(x(0, 3)),
        *more,
        without=INPLACE if more else {},
    )
entry(
    "nn.Hardsigmoid",
    build()(x(2, 3)),
    build()(x()),
    build()(x(0, 3)),
    build(inplace=True)(x(2, 3)),
    without=SIXTH | INPLACE,
)
entry(
    "nn.LeakyReLU",
    build()(x(2, 3)),
    build(0.2)(x(2, 3)),
    build(negative_slope=0.3)(x(3)),
    build(0.2, True)(x(2, 3)),
    without=INPLACE,
)
entry("nn.PReLU", build()(x(2, 3)), build(3)(x(2, 3, 2)), build(num_parameters=3, init=0.1)(x(2, 3)))
entry(
    "nn.RReLU",
    build()(x(2, 3)),
    build(0.1, 0.2)(x(2, 3), train=False),
    build(inplace=True)(x(2, 3)),
    random=True,
    without=INPLACE,
)
entry(
    "nn.ELU nn.CELU",
    build()(x(2, 3)),
    build(0.5)(x(2, 3)),
    build(alpha=2.0)(x(2, 3)),
    build(0.5, True)(x(2, 3)),
    without=INPLACE,
)
entry("nn.GELU", build()(x(2, 3)), build("tanh")(x(2, 3)), build(approximate="none")(x(0, 3)))
entry(
    "nn.Hardtanh",
    build()(x(2, 3)),
    build(-0.5, 0.25)(x(2, 3)),
    build(min_val=-0.1)(x(2, 3)),
    build(inplace=True)(x(2, 3)),
    without={"dtypes: uint8": "without negative limits"} | INPLACE,
)
entry("nn.Softplus", build()(x(2, 3)), build(2, 1)(x(2, 3)), build(beta=0.5)(x(2, 3)))
entry("nn.Hardshrink nn.Softshrink", build()(x(2, 3)), build(0.2)(x(2, 3)))
entry("nn.Threshold", build(0.1, 2.0)(x(2, 3)), build(0.1, 2.0, inplace=True)(x(2, 3)), without=INPLACE)
entry("nn.GLU", build()(x(2, 4)), build(0)(x(4, 2)), build(dim=1)(x(2, 4, 3)))
entry(
    "nn.Softmax nn.LogSoftmax nn.Softmin",
    build(1)(x(2, 3)),
    build(dim=0)(x(2, 3)),
    build(dim=-1)(x(2, 3, 4)),
    build()(x(2, 3)),
    build()(x(2, 3, 4)),
)
entry("nn.Softmax2d", build()(x(2, 3, 4, 5)), build()(x(3, 4, 5)))
entry(
    "nn.Linear",
    build(3, 4)(x(2, 3)),
    build(3, 4, False)(x(3)),
    build(in_features=3, out_features=2, bias=True)(x(2, 2, 3)),
    build(3, 4, dtype=dtype("float64"))(x(2, 3, dtype="float64")),
    build(3, 4)(x(0, 3)),
)
entry("nn.Bilinear", build(3, 4, 5)(x(2, 3), y(2, 4)), build(3, 4, 2, bias=False)(x(3), y(4)))
entry(
    "nn.Conv1d",
    build(3, 4, 3)(x(2, 3, 7)),
    build(4, 6, 3, 2, 1, 1, 2, False)(x(2, 4, 9)),
    build(2, 3, 3, padding="same", padding_mode="reflect")(x(2, 2, 7)),
    build(2, 3, 3, padding=2, padding_mode="circular")(x(2, 7)),
)
entry(
    "nn.Conv2d",
    build(3, 4, 3)(x(2, 3, 6, 5)),
    build(4, 6, (3, 2), stride=2, padding=(1, 0), groups=2, bias=False)(x(2, 4, 7, 6)),
    build(2, 3, 3, dilation=2, padding="same")(x(1, 2, 6, 6)),
    build(2, 3, 3, padding=1, padding_mode="reflect")(x(1, 2, 5, 5)),
    build(2, 3, 3, padding=(2, 1), padding_mode="replicate")(x(1, 2, 5, 5)),
    build(2, 3, 3, padding=1, padding_mode="circular")(x(2, 5, 5)),
    build(1, 6, kernel_size=5, padding=2)(x(3, 1, 8, 8)),
    build(3, 3, 1)(x(0, 3, 4, 4)),
)
entry(
    "nn.ConvTranspose2d",
    build(3, 2, 3)(x(2, 3, 4, 4)),
    build(4, 6, 4, 2, 1)(x(2, 4, 3, 3)),
    build(4, 4, (3, 2), stride=(2, 1), padding=1, output_padding=(1, 0), groups=2, bias=False)(x(2, 4, 3, 3)),
    build(2, 1, 3, 2, dilation=2)(x(2, 3, 3)),
    build(3, 2, 3, stride=2)(x(1, 3, 4, 4), output_size=(10, 10)),
)
entry("nn.ConvTranspose1d", build(3, 2, 3)(x(2, 3, 5)), build(4, 6, 4, 2, 1, groups=2)(x(2, 4, 3)))
entry(
    "nn.MaxPool2d",
    build(2)(x(2, 3, 6, 5)),
    build(3, 2, 1)(x(1, 2, 7, 7)),
    build(kernel_size=(3, 2), stride=1, ceil_mode=True)(x(2, 5, 5)),
    build(2, return_indices=True)(x(1, 2, 4, 6)),
    build(2, dilation=2)(x(1, 1, 6, 6)),
    build(3, 2, 1, return_indices=True, ceil_mode=True)(x(1, 2, 6, 6)),
    without=WINNER | INTEGERS,
)
entry(
    "nn.AvgPool2d",
    build(2)(x(2, 3, 6, 5)),
    build(3, 2, 1, count_include_pad=False)(x(1, 2, 7, 7)),
    build(kernel_size=(3, 2), stride=1, ceil_mode=True)(x(2, 5, 5)),
    build(2, divisor_override=3)(x(1, 2, 4, 4)),
    without=floats("int64"),
)
entry(
    "nn.MaxPool1d",
    build(2)(x(2, 3, 7)),
    build(3, 2, 1, ceil_mode=True)(x(2, 3, 8)),
    build(2, return_indices=True)(x(2, 3, 7)),
    without=WINNER | INTEGERS,
)
entry("nn.AvgPool1d", build(2)(x(2, 3, 7)), build(3, 2, 1, True, False)(x(2, 3, 8)), without=floats("int64"))
entry(
    "nn.LPPool2d",
    build(2, 2)(x(2, 3, 6, 6, kind="positive")),
    build(1.5, 3, 2, True)(x(2, 3, 6, 6, kind="positive")),
    without=INTEGERS | floats("bool"),
)
entry(
    "nn.LPPool3d",
    build(2, 2)(x(2, 3, 4, 4, 4, kind="positive")),
    build(1.5, (1, 3, 2), 2, True)(x(3, 3, 5, 4, kind="positive")),
    without=INTEGERS
    | floats("bool")
    | {
        "shapes": "of no voxels, and of fewer than a window has",
        "rejects: (1, 3, 2, 2, 2, 2)": "six numbers are unpacked there, a ValueError",
    },
)
entry("nn.LPPool1d", build(2, 2)(x(2, 3, 6, kind="positive")), without=INTEGERS | floats("bool"))
entry(
    "nn.AdaptiveAvgPool2d",
    build(1)(x(2, 3, 6, 5)),
    build((3, 2))(x(2, 3, 7, 7)),
    build((None, 2))(x(3, 6, 6)),
)
entry(
    "nn.AdaptiveMaxPool2d",
    build(1)(x(2, 3, 6, 5)),
    build((3, 2))(x(2, 3, 7, 7)),
    build((None, 2), True)(x(3, 6, 6)),
    without=WINNER,
)
entry(
    "nn.AdaptiveAvgPool1d",
    build(1)(x(2, 3, 7)),
    build(3)(x(3, 7)),
)
entry("nn.AdaptiveMaxPool1d", build(1)(x(2, 3, 7)), build(3, return_indices=True)(x(3, 7)), without=WINNER)


def unpooled(m, unpool, t):
    """What a max-pooling with indices loses, put back in its places."""
    y, at = m.nn.MaxPool2d(2, return_indices=True)(t)
    again = unpool(2)
    return again(y * 2, at), again(y, at, output_size=t.shape), repr(again)


def unpooled1d(m, unpool, t):
    """The same along one axis."""
    y, at = m.nn.MaxPool1d(2, return_indices=True)(t)
    return unpool(2)(y * 2, at), unpool(2)(y, at, output_size=t.shape)


def unpooled3d(m, unpool, t):
    """The same along three."""
    y, at = m.nn.MaxPool3d(2, return_indices=True)(t)
    return unpool(2)(y * 2, at), unpool(2)(y, at, output_size=t.shape)


entry("nn.MaxUnpool2d", program(unpooled, x(2, 3, 4, 6)), program(unpooled, x(1, 2, 5, 5)), without=WINNER)
entry(
    "nn.MaxUnpool1d",
    program(unpooled1d, x(2, 3, 6)),
    without=WINNER,
)
entry("nn.MaxUnpool3d", program(unpooled3d, x(2, 1, 4, 4, 2)), without=WINNER)
norms = {
    "nn.BatchNorm1d": ((4, 3), (4, 3, 5)),
    "nn.BatchNorm2d": ((4, 3, 2, 5), (1, 3, 4, 4)),
    "nn.SyncBatchNorm": ((4, 3), (4, 3, 2, 2, 2)),
}
for name, shapes in norms.items():
    entry(
        name,
        *(
            build(3, *o, **k)(x(*s), train=train)
            for s in shapes
            for train in (True, False)
            for o, k in (
                ((), {}),
                ((1e-3, None), {}),
                ((), {"affine": False}),
                ((), {"track_running_stats": False}),
                ((), {"momentum": 0.3, "affine": False, "track_running_stats": False}),
            )
        ),
        build(3)(x(0, 3, *shapes[0][2:]), train=False),
        without={
            "shapes: , 0": "running statistics of other channels, or of another type, are fine there, of no numbers",
            "shapes: [0": "as above",
            "dtypes: [0": "as above",
        },
    )
entry(
    "nn.LayerNorm",
    build(4)(x(2, 3, 4)),
    build((3, 4), 0.1)(x(2, 3, 4)),
    build([4], elementwise_affine=False)(x(2, 4)),
    build(4, bias=False)(x(4)),
    without=EXTREME,
)
entry(
    "nn.GroupNorm",
    build(2, 4)(x(2, 4, 3)),
    build(4, 4, 0.1)(x(2, 4, 3, 2)),
    build(1, 4, affine=False)(x(2, 4)),
    without=EXTREME,
)
for name, shape in (("nn.InstanceNorm1d", (2, 3, 5)), ("nn.InstanceNorm2d", (2, 3, 4, 5))):
    entry(
        name,
        *(
            build(3, **k)(x(*shape), train=train)
            for train in (True, False)
            for k in (
                {},
                {"affine": True},
                {"track_running_stats": True},
                {"affine": True, "track_running_stats": True, "momentum": 0.3, "eps": 0.1},
            )
        ),
        build(3)(x(*shape[1:])),
        build(2)(x(*shape)),
    )
entry(
    "nn.LocalResponseNorm",
    build(2)(x(2, 5, 3, 3)),
    build(3, 0.1, 0.5, 2.0)(x(2, 5, 3, 3)),
    without=floats("int64"),
)
entry(
    "nn.RMSNorm",
    build(4)(x(2, 3, 4)),
    build((3, 4), 0.1)(x(2, 3, 4)),
    build(4, elementwise_affine=False)(x(2, 4)),
)
for name in ("Dropout", "Dropout1d", "Dropout2d", "AlphaDropout", "FeatureAlphaDropout"):
    entry(
        f"nn.{name}",
        build()(x(2, 3, 4)),
        build(0.3)(x(2, 3, 4), train=False),
        build(p=0.0)(x(2, 3, 4)),
        random=True,
    )
entry("nn.Flatten", build()(x(2, 3, 4)), build(0)(x(2, 3)), build(1, 2)(x(2, 3, 4, 5)), build(start_dim=-2)(x(2, 3, 4)))
entry("nn.Unflatten", build(1, (2, 3))(x(2, 6)), build(0, (2, -1))(x(6, 2)))
entry("nn.Fold", build((5, 4), 2)(x(2, 12, 12)), build((4, 4), 2, stride=2)(x(1, 8, 4)), without=floats("bool"))
entry(
    "nn.Unfold",
    build(2)(x(2, 3, 5, 4)),
    build((2, 3), dilation=2, padding=1, stride=2)(x(2, 3, 6, 6)),
    without=floats("bool"),
)
entry(
    "nn.Upsample",
    build(scale_factor=2)(x(2, 3, 4, 5)),
    build(size=(7, 3), mode="bilinear")(x(2, 3, 4, 5)),
    build((7, 3), None, "bilinear", True)(x(2, 3, 4, 5)),
    build(scale_factor=2, mode="linear")(x(2, 3, 4)),
    build(scale_factor=(2, 1.5))(x(2, 3, 4, 5)),
    without=SPREAD | floats("uint8"),
)
entry("nn.UpsamplingNearest2d", build(scale_factor=2)(x(2, 3, 4, 5)), build((7, 3))(x(2, 3, 4, 5)))
entry(
    "nn.UpsamplingBilinear2d",
    build(scale_factor=2)(x(2, 3, 4, 5)),
    build((7, 3))(x(2, 3, 4, 5)),
    without=SPREAD | floats("uint8"),
)
for kind in ("Zero", "Reflection", "Replication", "Circular"):
    entry(
        f"nn.{kind}Pad2d",
        build(1)(x(2, 3, 4, 5)),
        build((1, 2, 3, 0))(x(1, 2, 4, 5)),
        build(padding=(0, 1, 2, 1))(x(2, 4, 5)),
    )
    entry(f"nn.{kind}Pad1d", build(1)(x(2, 3, 4)), build((1, 2))(x(2, 5)))
entry("nn.ConstantPad2d", build(1, 2.5)(x(2, 3, 4, 5)), build((1, 2, 3, -1), value=1.0)(x(2, 4, 5)))
entry("nn.ConstantPad1d", build(1, 2.5)(x(2, 3, 4)), build((1, -1), 0)(x(2, 5)))
entry("nn.PixelShuffle", build(2)(x(2, 8, 3, 2)), build(upscale_factor=3)(x(9, 2, 2)))
entry("nn.PixelUnshuffle", build(2)(x(2, 2, 6, 4)))
entry("nn.ChannelShuffle", build(2)(x(2, 6, 3, 2)))
entry(
    "nn.Embedding",
    build(5, 4)(index(2, 3, below=5)),
    build(5, 4, padding_idx=2)(index(7, below=5)),
    build(5, 4, -1)(index(below=5)),
    build(5, 3, dtype=dtype("float64"))(index(0, below=5)),
)
entry("nn.CosineSimilarity", build()(x(2, 3), y(2, 3)), build(0)(x(4), y(4)), build(dim=-1, eps=0.1)(x(2, 3), y(3)))
entry("nn.PairwiseDistance", build()(x(2, 3), y(2, 3)), build(1.0, keepdim=True)(x(2, 3), y(2, 3)))

entry(
    "nn.MSELoss nn.L1Loss nn.SmoothL1Loss nn.HuberLoss nn.SoftMarginLoss",
    *(build(reduction=k)(x(2, 3), plus_minus(2, 3)) for k in ("mean", "sum", "none")),
    build()(x(0, 3), plus_minus(0, 3)),
    build()(x(4), plus_minus(4)),
)
entry(
    "nn.NLLLoss",
    *(build(weight, reduction=k, ignore_index=1)(x(4, 3), classes(4)) for k in ("mean", "sum", "none")),
    build()(x(2, 3, 4), classes(2, 4)),
)
entry(
    "nn.CrossEntropyLoss",
    *(
        build(weight, reduction=k, ignore_index=1, label_smoothing=0.1)(x(4, 3), classes(4))
        for k in ("mean", "sum", "none")
    ),
    build()(x(4, 3), probabilities(4, 3)),
    build()(x(3), classes()),
)
entry(
    "nn.BCELoss",
    *(build(reduction=k)(unit(2, 3), unit(2, 3, salt=1)) for k in ("mean", "sum", "none")),
    build(unit(3, fixed=True, salt=3))(unit(2, 3), unit(2, 3, salt=1)),
)
entry(
    "nn.BCEWithLogitsLoss",
    *(build(reduction=k)(x(2, 3), unit(2, 3)) for k in ("mean", "sum", "none")),
    build(pos_weight=unit(3, fixed=True, salt=3))(x(2, 3), unit(2, 3)),
    build(unit(3, fixed=True, salt=3))(x(2, 3), unit(2, 3)),
)
entry(
    "nn.KLDivLoss",
    *(build(reduction=k)(x(2, 3), unit(2, 3)) for k in ("mean", "sum", "none", "batchmean")),
    build(log_target=True)(x(2, 3), y(2, 3)),
    without={"values: zero": "log 0 × 0"},
)
entry(
    "nn.CosineEmbeddingLoss",
    *(build(0.3, reduction=k)(x(4, 3), y(4, 3), plus_minus(4)) for k in ("mean", "sum", "none")),
    build()(x(4, 3), y(4, 3), plus_minus(4)),
)
entry(
    "nn.TripletMarginLoss",
    *(build(0.5, swap=True, reduction=k)(x(4, 3), y(4, 3), x(4, 3, salt=2)) for k in ("mean", "sum", "none")),
    build(p=1)(x(4, 3), y(4, 3), x(4, 3, salt=2)),
)
entry("nn.TripletMarginWithDistanceLoss", build(margin=0.5, swap=True)(x(4, 3), y(4, 3), x(4, 3, salt=2)))
entry(
    "nn.MarginRankingLoss", build()(x(4), y(4), plus_minus(4)), build(0.3, reduction="none")(x(4), y(4), plus_minus(4))
)
entry(
    "nn.HingeEmbeddingLoss", build()(x(4, 3), plus_minus(4, 3)), build(0.3, reduction="none")(x(4, 3), plus_minus(4, 3))
)
entry(
    "nn.MultiMarginLoss",
    build()(x(4, 3), classes(4)),
    build(2, 0.5, weight)(x(4, 3), classes(4)),
    without={"shapes": "weights for other classes"},
)
entry(
    "nn.MultiLabelMarginLoss",
    build()(x(4, 3), index(4, 3, below=3)),
    build(reduction="sum")(x(3), index(3, below=3)),
    without={
        "values: nan": "NaN is as good as 0 there",
        "shapes: (<float32 [0, 3]>": "of no samples PyTorch's mean is what was in memory",
    },
)
entry("nn.MultiLabelSoftMarginLoss", build()(x(4, 3), unit(4, 3)), build(weight)(x(4, 3), unit(4, 3)))
entry(
    "nn.GaussianNLLLoss",
    build()(x(4, 3), y(4, 3), x(4, 3, kind="positive", salt=2)),
    build(full=True, reduction="none")(x(4, 3), y(4, 3), x(4, 3, kind="positive", salt=2)),
)
entry(
    "nn.PoissonNLLLoss",
    build()(x(4, 3), x(4, 3, kind="positive", salt=2)),
    build(False, True, reduction="sum")(x(4, 3, kind="positive"), x(4, 3, kind="positive", salt=2)),
)

for name, states in (("RNN", 1), ("GRU", 1), ("LSTM", 2)):

    def hidden(*shape, states=states):
        pair = tuple(x(*shape, salt=k + 3) for k in range(states))
        return pair if states == 2 else pair[0]

    nonlinear = (build(3, 4, nonlinearity="relu")(x(5, 2, 3)),) if name == "RNN" else ()
    entry(
        f"nn.{name}",
        build(3, 4)(x(5, 2, 3)),
        build(3, 4, 2, batch_first=True)(x(2, 5, 3)),
        build(3, 4, 2, bidirectional=True)(x(5, 2, 3)),
        build(3, 4, bias=False)(x(5, 3)),
        build(3, 4, 2)(x(5, 2, 3), hidden(2, 2, 4)),
        build(3, 4, 2, dropout=0.5)(x(5, 2, 3), train=False),
        build(3, 4, bidirectional=True)(x(5, 3), hidden(2, 4)),
        build(input_size=3, hidden_size=2, num_layers=1)(x(1, 1, 3)),
        *nonlinear,
    )
    entry(
        f"nn.{name}Cell",
        build(3, 4)(x(2, 3)),
        build(3, 4)(x(3)),
        build(3, 4, False)(x(2, 3), hidden(2, 4)),
        *((build(3, 4, nonlinearity="relu")(x(2, 3)),) if name == "RNN" else ()),
    )


def ctc(m, loss, scores):
    """The loss as a module, after log_softmax."""
    made = loss(1, "sum", zero_infinity=True)
    targets, lengths = m.tensor([[0, 2], [3, 3]]), m.tensor([2, 2])
    return made(m.log_softmax(scores, 2), targets, m.tensor([5, 3]), lengths), made.reduction, made.blank


entry(
    "nn.CTCLoss",
    program(ctc, x(5, 2, 4)),
    without={"values": "paths of NaN and infinities", "shapes": "lengths that do not fit any more may end PyTorch"},
)
entry(
    "nn.AdaptiveLogSoftmaxWithLoss",
    build(8, 9, [3, 6], 2.0)(x(4, 8), index(4, below=9)),
    build(4, 6, [2], head_bias=True)(x(4), index(below=6)),
    rejected=(build(4, 6, [2, 2])(x(3, 4), index(3, below=6)), build(4, 6, [6])(x(3, 4), index(3, below=6))),
)
entry(
    "nn.EmbeddingBag",
    build(5, 3)(index(2, 3, below=5)),
    build(5, 3, mode="sum", padding_idx=2)(index(7, below=5), index(1, below=1)),
    build(5, 3, mode="max")(index(2, 3, below=5)),
    build(5, 3, 1.0, mode="sum")(index(2, 3, below=5), per_sample_weights=x(2, 3)),
    without={
        "shapes: <index int64 [0]>)": "of no offsets PyTorch's gradient reads beyond its arrays, and the process dies",
        "shapes: <index int64 [2, 0]>": "bags of nothing are zeros here",
        "dtypes: index 0 bool": "bools are no rows here",
        "dtypes: index 0 uint8": "nor is uint8",
    },
)
SOFTMAX = {f"values: {kind}": "a softmax of NaN and infinities" for kind in ("nan", "infinite", "extreme")}
entry(
    "nn.MultiheadAttention",
    build(4, 2)(x(3, 2, 4), x(5, 2, 4, salt=1), x(5, 2, 4, salt=2)),
    build(4, 2, batch_first=True)(x(2, 3, 4), x(2, 3, 4), x(2, 3, 4), attn_mask=x(3, 3, salt=1)),
    build(4, 2, 0.0, False, True, True)(x(3, 2, 4), x(5, 2, 4, salt=1), x(5, 2, 4, salt=2), average_attn_weights=False),
    build(4, 2, kdim=3, vdim=2)(x(3, 2, 4), x(5, 2, 3, salt=1), x(5, 2, 2, salt=2)),
    build(4, 1)(x(3, 4), x(5, 4, salt=1), x(5, 4, salt=2), key_padding_mask=x(5, salt=3)),
    build(4, 2, 0.5)(x(3, 2, 4), x(5, 2, 4, salt=1), x(5, 2, 4, salt=2), train=False),
    rejected=(build(5, 2)(x(3, 2, 5), x(3, 2, 5), x(3, 2, 5)), build(0, 1)(x(3, 0), x(3, 0), x(3, 0))),
    without=SOFTMAX,
)
entry(
    "nn.TransformerEncoderLayer",
    build(4, 2, 6, 0.0)(x(3, 2, 4)),
    build(4, 2, 6, 0.0, "gelu", 1e-3, True, True)(x(2, 3, 4), x(3, 3, salt=1)),
    build(d_model=4, nhead=1, dim_feedforward=3, bias=False)(x(3, 4), train=False),
    without={"values: extreme": "as above"},
)
entry(
    "nn.TransformerDecoderLayer",
    build(4, 2, 6, 0.0)(x(3, 2, 4), x(5, 2, 4, salt=1)),
    build(4, 2, 6, 0.0, "gelu", 1e-3, True, True)(x(2, 3, 4), x(2, 5, 4, salt=1), x(3, 3, salt=2), x(3, 5, salt=3)),
    without={"values: extreme": "as above"},
)
entry(
    "nn.Transformer",
    build(4, 2, 1, 2, 6, 0.0)(x(3, 2, 4), x(5, 2, 4, salt=1)),
    build(4, 2, 2, 1, 6, 0.0, batch_first=True, norm_first=True)(x(2, 3, 4), x(2, 5, 4, salt=1), tgt_mask=x(5, 5)),
    rejected=(build(4, 2, 1, 1, 6)(x(3, 2, 4), x(3, 1, 4)), build(4, 2, 1, 1, 6)(x(3, 2, 5), x(3, 2, 5))),
    without={"values: extreme": "as above"},
)


def layered(m, stack, *sequences):
    """Two copies of a layer."""
    layers = m.nn.TransformerDecoderLayer if stack is m.nn.TransformerDecoder else m.nn.TransformerEncoderLayer
    made = stack(layers(4, 2, 3, 0.0), 2, m.nn.LayerNorm(4))
    numbers = made.state_dict()
    for name, value in numbers.items():
        numbers[name] = (m.arange(value.numel()) % 7 - 2.5).reshape(tuple(value.shape)) / 8
    made.load_state_dict(numbers)
    return made.to(sequences[0].dtype)(*sequences), repr(made), list(numbers)


entry("nn.TransformerEncoder", program(layered, x(3, 2, 4)))
entry(
    "nn.TransformerDecoder", program(layered, x(3, 2, 4), x(5, 2, 4, salt=1)), without={"values: extreme": "as above"}
)


VOXELS = {"shapes": "of no voxels"}
entry("nn.Conv3d", build(2, 4, 3)(x(1, 2, 4, 5, 4)), build(2, 4, (1, 2, 3), 2, 1, 1, 2, False)(x(2, 2, 4, 5, 5)),
      build(2, 3, 3, padding=1, padding_mode="replicate")(x(1, 2, 3, 4, 4)), without=PADDED | INTEGERS)  # fmt: skip
entry("nn.ConvTranspose3d", build(2, 3, 2)(x(1, 2, 3, 3, 3)), build(2, 4, 3, 2, 1, 1, 2, False)(x(1, 2, 3, 3, 3)),
      without=PADDED | INTEGERS | {"values: argument 0 infinite": "0 × ∞ in the padding"})  # fmt: skip
entry("nn.MaxPool3d", build(2)(x(2, 3, 4, 4, 5)), build((2, 1, 3), 1, (1, 0, 1))(x(1, 2, 4, 4, 5)),
      build(2, return_indices=True)(x(1, 2, 4, 4, 4)), without=WINNER | INTEGERS | VOXELS)  # fmt: skip
entry("nn.AvgPool3d", build(2)(x(2, 3, 4, 4, 5)), build(3, 2, 1, True, False)(x(1, 2, 5, 4, 5)),
      without=INTEGERS | VOXELS)  # fmt: skip
entry("nn.AdaptiveAvgPool3d", build(2)(x(2, 3, 4, 4, 5)), build((1, None, 3))(x(2, 4, 4, 5)), without=INTEGERS | VOXELS)
entry(
    "nn.AdaptiveMaxPool3d",
    build(2)(x(2, 3, 4, 4, 5)),
    build((1, None, 3))(x(2, 4, 4, 5)),
    without=WINNER | INTEGERS | VOXELS,
)
entry("nn.BatchNorm3d", build(3)(x(4, 3, 2, 2, 3)), build(3, affine=False)(x(4, 3, 2, 2, 3), train=False),
      rejected=(build(3)(x(4, 3, 2, 2)),), without=EXTREME | INTEGERS | VOXELS)  # fmt: skip
entry("nn.InstanceNorm3d", build(3)(x(2, 3, 2, 2, 3)), build(3, affine=True)(x(3, 2, 2, 3)),
      without=EXTREME | INTEGERS | VOXELS)  # fmt: skip
entry("nn.Dropout3d", build(0.5)(x(2, 3, 2, 2, 2)), build(0.5)(x(2, 3, 2, 2, 2), train=False), random=True,
      without={"shapes": "warnings and one more axis", "dtypes": "floating point is asked for"})  # fmt: skip
entry("nn.ZeroPad3d", build(1)(x(2, 3, 2, 3, 4)), build((1, 2, 0, 1, 2, 0))(x(3, 2, 3, 4)))
entry("nn.ConstantPad3d", build(1, 0.5)(x(2, 3, 2, 3, 4)), build((1, 2, 0, 1, 2, 0), 2.0)(x(3, 2, 3, 4)))
entry("nn.ReflectionPad3d nn.ReplicationPad3d nn.CircularPad3d", build(1)(x(2, 3, 2, 3, 4)),
      build((1, 2, 0, 1, 1, 0))(x(1, 2, 2, 3, 4)), without=INTEGERS | VOXELS)  # fmt: skip


def held(m, container, t):
    """Layers in a container: named, counted, changed, called."""
    made = (
        container([m.nn.Linear(2, 2), m.nn.ReLU()])
        if container is not m.nn.Sequential
        else container(m.nn.Linear(2, 2), m.nn.ReLU())
    )
    made.append(m.nn.Linear(2, 1))
    made.insert(1, m.nn.Tanh())
    made.extend([m.nn.Sigmoid()])
    del made[0]
    return (
        repr(made),
        len(made),
        list(made.state_dict()),
        [n for n, _ in made.named_modules()],
        repr(made[1:]),
        repr(made[-1]),
        repr(list(made)),
    )


def held_by_name(m, container, t):
    """The same in a dict of layers."""
    made = container({"a": m.nn.Linear(2, 2), "b": m.nn.ReLU()})
    made.update({"c": m.nn.Tanh()})
    made["d"] = m.nn.Linear(2, 1)
    popped = made.pop("b")
    return repr(made), repr(popped), list(made.keys()), list(made.state_dict()), "a" in made, len(made), repr(made["d"])


def parameters_held(m, container, t):
    """Parameters in a list."""
    made = container([m.nn.Parameter(t.detach()), m.nn.Parameter(t.detach() * 2)])
    made.append(m.nn.Parameter(t.detach() * 3))
    return [p.detach() for p in made], list(made.state_dict()), len(made), made[1].detach(), repr(made)


def parameters_held_by_name(m, container, t):
    """Parameters in a dict."""
    made = container({"a": m.nn.Parameter(t.detach()), "b": m.nn.Parameter(t.detach() * 2)})
    made["c"] = m.nn.Parameter(t.detach() * 3)
    return [(k, p.detach()) for k, p in made.items()], list(made.state_dict()), len(made)


entry("nn.Sequential nn.ModuleList", program(held, x(2)))
entry("nn.ModuleDict", program(held_by_name, x(2)))
entry(
    "nn.ParameterList",
    program(parameters_held, x(2)),
)
entry(
    "nn.ParameterDict",
    program(parameters_held_by_name, x(2)),
)


def parallel(m, wrapper, t):
    """The wrapper passes calls through and prefixes names."""
    layer = m.nn.Flatten()
    made = wrapper(layer)
    return made(t), list(made.state_dict()), made.module is layer


entry("nn.DataParallel", program(parallel, x(2, 3)))


def dry_run(*options, **by_name):
    """A lazy layer made with these options, before and after its first input: printed, filled, called."""

    def called(m, lazy, t):
        made = lazy(*options, **by_name)
        before = repr(made), list(made.state_dict())
        made(t)
        with m.no_grad():
            for name, value in [*made.named_parameters(), *made.named_buffers()]:
                if value.ndim:
                    value.copy_(tensor_of(m, state_values(name, tuple(value.shape), as_numpy(value).dtype)))
        return *before, made(t), repr(made), list(made.state_dict()), [tuple(p.shape) for p in made.parameters()]

    called.__name__ = f"{options}{by_name}"
    return called


NO_CHANNELS = {"shapes: , 0": "a layer without channels is made here, an error there"}
ALONE = {"shapes: axes of 0": "one image alone has its channels first, which are looked for second there"}
entry("nn.LazyLinear", *(program(dry_run(4, **o), x(2, 3)) for o in ({}, {"bias": False})))
entry("nn.LazyConv1d", program(dry_run(4, 3, padding=1), x(2, 3, 7)), without=NO_CHANNELS)
entry("nn.LazyConv2d", program(dry_run(4, (3, 2), 2, groups=2, bias=False), x(2, 4, 7, 6)), without=NO_CHANNELS)
entry("nn.LazyConv3d", program(dry_run(4, (2, 3, 2), groups=2), x(2, 4, 3, 4, 5)), without=NO_CHANNELS)
entry("nn.LazyConvTranspose3d", program(dry_run(4, (2, 3, 2), 2, bias=False), x(2, 3, 2, 3, 2)))
entry("nn.LazyBatchNorm3d", program(dry_run(affine=False), x(4, 3, 2, 2, 3)), without=NO_CHANNELS)
entry("nn.LazyInstanceNorm3d", program(dry_run(0.1, affine=False), x(4, 3, 2, 3, 2)), without=ALONE)
entry("nn.LazyConvTranspose1d", program(dry_run(4, 3, 2), x(2, 3, 5)))
entry("nn.LazyConvTranspose2d", program(dry_run(4, (3, 2), 2, groups=2), x(2, 4, 4, 3)))
entry(
    "nn.LazyBatchNorm1d",
    program(dry_run(), x(4, 3)),
    program(dry_run(0.1, affine=False), x(4, 3, 5)),
    without=NO_CHANNELS,
)
entry("nn.LazyBatchNorm2d", program(dry_run(momentum=None, bias=False), x(4, 3, 2, 5)), without=NO_CHANNELS)
entry(
    "nn.LazyInstanceNorm1d",
    program(dry_run(), x(4, 3, 5)),
    without=NO_CHANNELS | ALONE | {"shapes: [0": "an empty batch is an error there"},
)
entry("nn.LazyInstanceNorm2d", program(dry_run(0.1, affine=False), x(4, 3, 5, 2)), without=ALONE)
exclude(
    "nn.functional nn.init nn.utils nn.Buffer nn.Module nn.Parameter nn.UninitializedBuffer nn.UninitializedParameter "
    "nn.RNNBase nn.RNNCellBase",
    "no computation: tests/nn has their tests",
)
