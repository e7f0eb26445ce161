"""Where the answer is another than PyTorch's, in the whole grid, and why."""

from .entry import differs

# Ours is stricter, or clearer.
differs("F.cross_entropy", "rejects: label_smoothing=-0.1", "a negative smoothing is an error here, ignored there")
differs("F.nll_loss", "shapes: axes of 2", "a weight with more axes than one is an error here")
differs("F.hinge_embedding_loss nn.HingeEmbeddingLoss", "dtypes: int | dtypes: all uint8",
        "integers become floats here")  # fmt: skip
differs("conv_transpose2d", "dtypes: argument 2", "a bias of another type is an error here")

# Another class of error, where PyTorch stumbles instead of looking.
differs("F.avg_pool2d", "rejects: <float32 [6, 6]>", "too few axes are an IndexError there, of an axis that is not")
differs("F.unfold", "rejects: <float32 [2, 2]>", "as F.avg_pool2d")
differs("F.max_unpool1d F.max_unpool2d F.max_unpool3d", "rejects: # argument",
        "the size of the output that would be is a ValueError there")  # fmt: skip
differs("nn.Bilinear", "rejects: -100", "a ValueError here, as for 0; there memory is asked for first")
differs("optim.LBFGS", "rejects: history_size=-100", "an IndexError at the second step there")

# What PyTorch refuses, and we have no reason to.
differs("sum prod median nanmedian", "out: ]>)  # out", "of all elements it takes no out there")
differs("median nanmedian var std", "out: special=nan>)  # out | out: ]>, unbiased=False)", "as above")
differs("matrix_power", "out: , 0)  # out float64", "an out of another type is an error for every power here")
differs("clamp clip clamp_min clamp_max lerp", "out: out float64", "numbers want an out of the input's type there")
differs("linalg.lstsq", "out: out float64", "of several results each out has the type here")
differs("bernoulli", "out: 0.5 | out: int64", "the number there takes no out, and integers may be drawn into")
differs("nonzero", "out: as_tuple", "several outs are for several results here")
differs("where", "out: 0.0 | out: (<bool bool [3]>, 1", "with numbers it takes no out there")
differs("tinyconv.normal", "out: empty", "there it must have the shape")
differs("arange", "out: int64", "a step below 1 is 0 there")
differs("vander", "gradient | gradgrad | shapes | values", "PyTorch's own gradient is an error")

differs("F.batch_norm F.instance_norm nn.BatchNorm1d nn.BatchNorm2d nn.InstanceNorm1d nn.InstanceNorm2d "
        "nn.SyncBatchNorm",
        "rejects: 'one'", "an option that is not used is not looked at")  # fmt: skip
differs("F.poisson_nll_loss nn.PoissonNLLLoss", "dtypes: bool", "counts of 0 and 1 may be bools here")
differs(
    "clamp clip",
    "shapes: shape of | shapes: axes of",
    "the gradient of an input broadcast to both bounds is an error there",
)
differs("scatter_reduce", "shapes: shape of 1 | shapes: shape of 2",
        "the gradient of a source larger than its index is an error there, or not its gradient")  # fmt: skip
differs("pixel_unshuffle F.pixel_unshuffle", "shapes: , 0, ", "no pixels are rearranged here")

# What depends on the order of sums, on the width of vectors, or on numbers beyond the type.
differs("matrix_power", "rejects: -100", "the hundredth power of an inverse has few digits left")
differs("prod", "values: argument 0 extreme", "its running product leaves float32 there, infinity times 0 is NaN")
differs("matrix_power", "values: extreme", "products beyond float32")
differs("sinc", "shapes: axes of 0", "near 0 both cancel")
differs("renorm", "values: nan", "NaN times 0")
differs("F.hardtanh nn.Hardtanh F.hardswish nn.Hardswish F.relu6 nn.ReLU6 selu F.selu nn.SELU hardshrink F.softshrink",
        "values: nan", "PyTorch's gradient at NaN depends on where a vector ends")  # fmt: skip
differs("F.soft_margin_loss nn.SoftMarginLoss", "values: infinite | values: extreme", "log(1 + e**x) overflows there")
differs("F.poisson_nll_loss nn.PoissonNLLLoss", "values: argument 1", "logarithms of 0 that are not selected")
differs("group_norm F.group_norm", "values: argument 1 infinite", "infinity times 0")
differs(
    "group_norm F.group_norm nn.GroupNorm", "shapes: , 0] | shapes: , 0, ", "of no pixels the gradient is NaN there"
)
differs("F.kl_div nn.KLDivLoss", "shapes: zero | gradient: zero | gradgrad: zero | values: zero",
        "the target's gradient of 0 log 0 is NaN there")  # fmt: skip
differs("tinyconv.pow", "gradgrad: (0, ", "the second derivative of 0**x, whose first is infinite for x < 0")
differs("hardshrink F.hardshrink Tensor.hardshrink", "values: nan", "as F.hardtanh")
differs("conv_transpose2d nn.ConvTranspose2d", "values: argument 0 infinite", "0 times infinity in the padding")
differs("F.binary_cross_entropy_with_logits nn.BCEWithLogitsLoss", "values: argument 0 infinite",
        "infinity minus infinity on the way")  # fmt: skip
differs("F.leaky_relu",
        " | ".join(f"{check}: negative_slope=-0.2" for check in ("gradient", "gradgrad", "shapes", "values")),
        "in place, there is no gradient of a negative slope there")  # fmt: skip
differs("F.instance_norm nn.InstanceNorm1d nn.InstanceNorm2d", "shapes: [0, ",
        "an empty batch is an error there, or makes statistics NaN")  # fmt: skip
differs("nn.InstanceNorm1d nn.InstanceNorm2d", "shapes: , 0, ", "statistics of other channels are fine there, of none")
differs("F.instance_norm", "dtypes: index 1", "means, but not variances, may be integers there")
differs("F.linear", "shapes: <float32 [1, 4]>)  # axes of 2", "a bias with more axes than the result is an error here")
differs("F.interpolate F.upsample", "shapes: mode='area')  # axes", "volumes are averaged there")
differs("F.dropout2d F.feature_alpha_dropout", "shapes: <float32 []>, 1.0",
        "where all is dropped, axes are not counted there")  # fmt: skip
differs("nn.GELU", "values: infinite", "inf * erf(inf) is NaN in PyTorch's vectors, inf beside them")
differs("nn.PixelUnshuffle", "shapes: shape of 0", "no pixels are rearranged here")
differs("nn.Transformer", "rejects: -100", "a stack of no layers is the identity here, an IndexError there")
differs("F.gelu nn.GELU", "values: argument 0 extreme", "0 times an infinite square of x is NaN there")
