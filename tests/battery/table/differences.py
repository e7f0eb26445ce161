"""Where the answer is another than PyTorch's, in the whole grid, and why."""

from .entry import differs

# Ours is stricter, or clearer.
differs("addcmul addmm addmv addr baddbmm", "dtypes: alpha= | dtypes: value=0.5 | dtypes: beta=0.5",
        "a fraction times integers is an error here, there it is cut to a whole number")  # fmt: skip
differs("matrix_power", "rejects: -100", "an inverse, which there is none of here")

# What PyTorch refuses, and we have no reason to.
differs("F.cross_entropy nn.CrossEntropyLoss F.nll_loss nn.NLLLoss", "dtypes: uint8",
        "uint8 targets are accepted there, except with a smoothing or a weight")  # fmt: skip
differs("vander", "gradient | gradgrad | shapes | values", "PyTorch's own gradient is an error")
differs("trapezoid", "shapes: axes of 1", "x with more axes than y")

# What depends on the order of sums, on the width of vectors, or on numbers beyond the type.
differs("matrix_power", "values: extreme", "products beyond float32")
differs("prod", "values: extreme", "products beyond float32")
differs("sinc", "shapes: axes of 0", "near 0 both cancel")
differs("trapezoid", "dtypes: uint8", "sums beyond uint8")
differs("renorm", "values: nan", "NaN times 0")
