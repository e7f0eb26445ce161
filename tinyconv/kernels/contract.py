"""The contract: every kernel a backend implements, with the answers an implementer would otherwise have to guess.

A backend is a folder beside this file (``reference/``, ``cpu/``, ...) that defines a function for every name below,
with the same parameters. The bodies here are empty on purpose: this file *is* the documentation, and
``tests/kernels`` checks that no backend lacks a name or changes a signature.

Rules that hold for every kernel, unless its entry says otherwise:

* Arrays may have any strides (negative ones too), may be read-only and may be empty. No argument is ever written to;
  kernels that do write say *in place*. A result is fresh, C-contiguous memory; kernels that return a *view* say so.
* The floating types are float32 and float64; arguments of one call share it, and so does the result.
  ``dtype`` is a NumPy dtype; an ``axes`` or ``shape`` is a tuple of ints, axes already made non-negative.
* NaN and infinity go through arithmetic as IEEE 754 says. Shapes have been checked by the caller (``ops/``): a kernel
  may rely on them.
* Sums are taken in an order fixed by the shapes alone, so a result never depends on the number of threads.

Letters: ``N`` images, ``C`` input channels, ``O`` output channels, ``H W`` input size, ``KH KW`` kernel size, ``OH OW``
output size, ``G`` groups; pairs such as ``stride`` are ``(vertical, horizontal)``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Array = Any
Pair = tuple[int, int]
Shape = tuple[int, ...]

KERNELS: dict[str, Callable] = {}


# What the kernels `unary` and `binary` can compute.
UNARY = (
    "acos", "acosh", "asin", "asinh", "atan", "atanh", "ceil", "cos", "cosh", "erf", "erfc", "exp2", "expm1", "floor",
    "log10", "log1p", "log2", "round", "sin", "sinh", "tan", "trunc",
)  # fmt: skip
BINARY = (
    "atan2", "bitwise_and", "bitwise_or", "bitwise_xor", "floor_divide", "fmod", "hypot", "left_shift", "remainder",
    "right_shift",
)  # fmt: skip
# What the kernel `special` can compute: of one number, and of two.
SPECIAL = ("digamma", "erfcx", "erfinv", "i0e", "i1e", "lgamma", "log_ndtr", "ndtri")
SPECIAL_OF_TWO = ("zeta",)
# What the kernels `activation` and `activation_gx` can compute.
ACTIVATIONS = ("clamp", "hardtanh", "leaky_relu", "hardsigmoid", "hardswish", "silu", "gelu", "gelu_tanh")


class LinAlgError(RuntimeError):
    """A matrix that has no such decomposition, or no inverse."""


def kernel(function: Callable) -> Callable:
    """Add ``function`` to the contract."""
    KERNELS[function.__name__] = function
    return function


# --------------------------------------------------------------------------------------------- arrays: memory and views


@kernel
def empty(shape: Shape, dtype) -> Array:
    """Fresh memory with undefined contents."""


@kernel
def full(shape: Shape, value, dtype) -> Array:
    """Fresh memory, every element ``value``."""


@kernel
def arange(start, stop, step, dtype) -> Array:
    """``start, start + step, ...`` up to and without ``stop``: ``ceil((stop - start) / step)`` elements, shape
    ``(n,)``."""


@kernel
def eye(n: int, m: int, dtype) -> Array:
    """``(n, m)``: ones on the diagonal, zeros elsewhere."""


@kernel
def from_host(x) -> Array:
    """The NumPy array ``x`` in this backend's memory (on the host: ``x`` itself)."""


@kernel
def to_host(x: Array):
    """``x`` as a NumPy array (on the host: ``x`` itself)."""


@kernel
def copy(x: Array) -> Array:
    """A C-contiguous copy."""


@kernel
def cast(x: Array, dtype) -> Array:
    """A copy in another dtype; float to int truncates towards zero, anything to bool is ``!= 0``."""


@kernel
def assign(x: Array, y) -> None:
    """In place: ``x[...] = y``, with ``y`` (an array or a number) broadcast and cast. Right even if the two overlap."""


@kernel
def view(x: Array, shape: Shape) -> Array | None:
    """A view of ``x`` with ``shape`` (same number of elements), or None where the strides allow none."""


@kernel
def is_contiguous(x: Array) -> bool:
    """Whether the elements lie in C order without gaps."""


@kernel
def address(x: Array) -> int:
    """Where the first element is in memory."""


@kernel
def as_strided(x: Array, shape: Shape, strides: Shape, offset: int) -> Array:
    """A view of a dense 1-D array by any strides: ``y[i, j, ...] = x[offset + i*strides[0] + j*strides[1] + ...]``, all
    within it. Writing where elements overlap is undefined."""


@kernel
def strides(x: Array) -> Shape:
    """How many elements of memory lie between neighbours along each axis."""


@kernel
def storage(x: Array) -> Array:
    """A view: all the memory that ``x`` looks into, 1-D and in order of addresses, as elements of ``x``'s type. (A
    device may have set aside more than was asked for.)"""


@kernel
def permute(x: Array, axes: Shape) -> Array:
    """A view: axis ``i`` of the result is axis ``axes[i]`` of ``x``."""


@kernel
def flip(x: Array, axes: Shape) -> Array:
    """A view: ``x`` reversed along ``axes``."""


@kernel
def broadcast_to(x: Array, shape: Shape) -> Array:
    """A read-only view of ``x`` with ``shape``, by NumPy's broadcasting rule."""


@kernel
def diagonal(x: Array, offset: int, axis1: int, axis2: int) -> Array:
    """A view: the elements ``x[..., i, ..., i + offset, ...]`` (axis1, axis2), that axis last and the two gone. Empty
    where no element has that offset."""


@kernel
def sliding_windows(x: Array, axis: int, size: int, step: int) -> Array:
    """A view of overlapping stretches: ``y[..., i, ..., k] = x[..., i*step + k, ...]``, k < ``size``; ``axis`` counts
    the ``(n - size) // step + 1`` windows. Writing where windows overlap is undefined."""


@kernel
def reinterpret(x: Array, dtype) -> Array:
    """A view: the same bytes as numbers of another dtype. Where the item size differs, the last axis of ``x`` is dense,
    its bytes a multiple of the new size, and its length changes accordingly."""


@kernel
def getitem(x: Array, index) -> Array:
    """``x[index]`` by NumPy's rules. A view if ``index`` holds only ints, slices, None and Ellipsis, else a copy."""


@kernel
def setitem(x: Array, index, y) -> None:
    """In place: ``x[index] = y``. Where a place is indexed twice, one of its values is left (PyTorch promises no
    more)."""


@kernel
def index_add(x: Array, index, y: Array) -> None:
    """In place: ``x[index] += y``, and where an index occurs k times all k are added. The adjoint of ``getitem``."""


@kernel
def cat(xs: list[Array], axis: int) -> Array:
    """The arrays one after another along ``axis``."""


# ---------------------------------------------------------------------------------------------------------- elementwise
# Two-argument kernels broadcast as NumPy does. One of the two may be a Python number, which takes the array's dtype.


@kernel
def add(x: Array, y: Array) -> Array:
    """``x + y``."""


@kernel
def sub(x: Array, y: Array) -> Array:
    """``x - y``."""


@kernel
def mul(x: Array, y: Array) -> Array:
    """``x * y``."""


@kernel
def div(x: Array, y: Array) -> Array:
    """``x / y`` (floating types); ``x / 0`` is an infinity, ``0 / 0`` NaN."""


@kernel
def pow(x: Array, y: Array) -> Array:
    """``x ** y``; NaN for a negative ``x`` and a fractional ``y``."""


@kernel
def maximum(x: Array, y: Array) -> Array:
    """The larger of the two; NaN if either is NaN."""


@kernel
def minimum(x: Array, y: Array) -> Array:
    """The smaller of the two; NaN if either is NaN."""


@kernel
def binary(x: Array, y: Array, function: str) -> Array:
    """A function of two numbers, by its name in ``BINARY``.

    ``floor_divide``: the quotient rounded down; ``remainder``: ``x - y * floor_divide(x, y)``, with the sign of y;
    ``fmod``: the same of the quotient rounded towards zero, with the sign of x. By 0 floats give what IEEE 754 says
    (an infinity or NaN; NaN; NaN); integers are never divided by 0: the caller sees to it.
    ``atan2`` (the angle of the point (y, x), floating types), ``hypot`` (``sqrt(x**2 + y**2)``, floating types).
    ``bitwise_and``, ``bitwise_or``, ``bitwise_xor`` (integers and bools); ``left_shift``, ``right_shift`` (integers):
    by less than 0 or more than the width all bits are lost (0; for a negative number shifted right -1).
    """


@kernel
def add_(x: Array, y: Array, alpha=1) -> None:
    """In place: ``x += alpha * y`` (``y`` broadcasts to ``x``)."""


@kernel
def mul_(x: Array, y) -> None:
    """In place: ``x *= y`` (``y``, an array or a number, broadcasts to ``x``)."""


@kernel
def compare(x: Array, y: Array, relation: str) -> Array:
    """bool: ``x relation y``, with ``relation`` one of ``== != < <= > >=``. NaN compares as IEEE 754 says."""


@kernel
def where(condition: Array, x: Array, y: Array) -> Array:
    """``x`` where the bool array ``condition`` holds, else ``y``; all three broadcast."""


@kernel
def logical_not(x: Array) -> Array:
    """bool: ``x == 0``."""


@kernel
def unary(x: Array, function: str) -> Array:
    """A function of one number (floating types), by its name in ``UNARY``, within 4 units in the last place; outside
    of its domain NaN. ``round`` takes halves to the even neighbour; ``trunc`` rounds towards zero."""


@kernel
def special(xs: list[Array], function: str) -> Array:
    """A function of the numbers of one or two arrays of one shape (floating types), by its name in ``SPECIAL`` or
    ``SPECIAL_OF_TWO``: SciPy's. A device may compute it on the host."""


@kernel
def neg(x: Array) -> Array:
    """``-x``."""


@kernel
def abs(x: Array) -> Array:
    """``|x|``."""


@kernel
def sign(x: Array) -> Array:
    """-1, 0 or 1 by the sign of ``x``; 0 for NaN."""


@kernel
def exp(x: Array) -> Array:
    """``e ** x`` (floating types), within 3 units in the last place (NumPy's own float32 errs by up to 2.6)."""


@kernel
def log(x: Array) -> Array:
    """Natural logarithm (floating types): ``log(0) = -inf``, NaN below 0."""


@kernel
def sqrt(x: Array) -> Array:
    """Square root (floating types), NaN below 0."""


@kernel
def tanh(x: Array) -> Array:
    """Hyperbolic tangent (floating types)."""


@kernel
def sigmoid(x: Array) -> Array:
    """``1 / (1 + exp(-x))`` (floating types), without overflow for any ``x``."""


@kernel
def relu(x: Array) -> Array:
    """``max(x, 0)``; NaN stays NaN."""


@kernel
def relu_gx(gy: Array, y: Array) -> Array:
    """0 where ``y <= 0``, else ``gy`` (so 0 at ``y == 0``, ``gy`` at NaN), with ``y`` the output of ``relu``; same
    shapes."""


@kernel
def tanh_gx(gy: Array, y: Array) -> Array:
    """``gy * (1 - y**2)``, with ``y`` the output of ``tanh``; same shapes."""


@kernel
def sigmoid_gx(gy: Array, y: Array) -> Array:
    """``gy * y * (1 - y)``, with ``y`` the output of ``sigmoid``; same shapes."""


@kernel
def activation(x: Array, function: str, a: float, b: float) -> Array:
    """A nonlinearity (floating types), by its name in ``ACTIVATIONS``; a and b are its two numbers, in the type of x.

    ``clamp``, ``hardtanh``: ``min(max(x, a), b)``, NaN if one is; ``leaky_relu``: x where ``x > 0``, else ``a * x``.
    The others have no numbers: ``hardsigmoid``: ``min(max(x + 3, 0), 6) / 6``; ``hardswish``: x times that; ``silu``:
    ``x * sigmoid(x)``; ``gelu``: ``x/2 * (1 + erf(x / sqrt(2)))``; ``gelu_tanh``: ``x/2 * (1 + tanh(sqrt(2/pi) * (x +
    0.044715 * x**3)))``.
    """


@kernel
def activation_gx(gy: Array, x: Array, function: str, a: float, b: float) -> Array:
    """gy times the slope of ``activation`` at x; same shapes. Of straight pieces it is gy, or 0, or gy times a number:

    ``clamp``: gy where ``a <= x <= b``, else 0 (at NaN too); ``hardtanh``: 0 where ``x <= a`` or ``x >= b``, else gy;
    ``leaky_relu``: gy where ``x > 0``, else ``a * gy``; ``hardsigmoid``: ``gy / 6`` where ``-3 < x < 3``, else 0;
    ``hardswish``: 0 where ``x <= -3``, ``gy * (x/3 + 1/2)`` where ``x < 3``, else gy.
    """


# ----------------------------------------------------------------------------------------------------------- reductions


@kernel
def sum(x: Array, axes: Shape, keepdims: bool) -> Array:
    """Sum over ``axes``; 0 over nothing. Integers and bools sum to int64. float32 is summed pairwise or in wider
    registers: the relative error for n positive terms stays below ``32 * eps``, whatever n."""


@kernel
def amax(x: Array, axes: Shape, keepdims: bool) -> Array:
    """Maximum over ``axes`` (not empty); NaN if any is NaN."""


@kernel
def amin(x: Array, axes: Shape, keepdims: bool) -> Array:
    """Minimum over ``axes`` (not empty); NaN if any is NaN."""


@kernel
def prod(x: Array, axes: Shape, keepdims: bool) -> Array:
    """Product over ``axes``; 1 over nothing. Integers and bools multiply to int64; float32 is multiplied in float64 and
    rounded at the end, float16 likewise."""


@kernel
def argmax(x: Array, axis: int) -> Array:
    """int64: where along ``axis`` the maximum is; the first of equals; the first NaN if there is one. ``axis`` is
    dropped."""


@kernel
def argmin(x: Array, axis: int) -> Array:
    """int64: where along ``axis`` the minimum is; the first of equals; the first NaN if there is one. ``axis`` is
    dropped."""


# --------------------------------------------------------------------------------------------- running totals, sorting


@kernel
def cumsum(x: Array, axis: int) -> Array:
    """``y[i] = x[0] + ... + x[i]`` along ``axis``. Integers and bools sum to int64; float32 is summed in float64 and
    rounded at the end, float16 likewise."""


@kernel
def cumprod(x: Array, axis: int) -> Array:
    """``y[i] = x[0] * ... * x[i]`` along ``axis``; types as in ``cumsum``."""


@kernel
def cummax(x: Array, axis: int) -> tuple[Array, Array]:
    """-> (values, indices): the maximum of ``x[0..i]`` along ``axis``, and int64 where it is: the last of equals. From
    the first NaN on the values are NaN, and the index is the latest NaN's."""


@kernel
def cummin(x: Array, axis: int) -> tuple[Array, Array]:
    """-> (values, indices): the minimum of ``x[0..i]``, as ``cummax``."""


@kernel
def sort(x: Array, axis: int, descending: bool, count: int) -> tuple[Array, Array]:
    """-> (values, indices): the first ``count`` elements of ``x`` in order along ``axis`` (at least 1-D), and int64
    where each was. Equals keep their order, descending too; NaN counts as larger than any number."""


# ------------------------------------------------------------------------------------------------ matrix multiplication


@kernel
def matmul(x: Array, y: Array) -> Array:
    """``(..., M, K) @ (..., K, N) -> (..., M, N)``; both at least 2-D, leading axes broadcast. Zeros where K is 0.
    Transposed views are read as they lie, not copied first."""


@kernel
def linear(x: Array, w: Array, b: Array | None) -> Array:
    """``x @ w.T + b``: x ``(M, K)``, w ``(N, K)``, b ``(N,)`` or None -> ``(M, N)``."""


# ------------------------------------------------------------------------------------ linear systems and decompositions
# Of matrices in batches (..., M, N), by LAPACK. A device may send them to the host and fetch the result.


@kernel
def cholesky(x: Array) -> Array:
    """The lower triangular L with ``L L^T = x``, of symmetric matrices of which only the lower triangle is read.

    Raises:
        LinAlgError: a matrix is not positive definite.
    """


@kernel
def det(x: Array) -> Array:
    """Determinants: ``(..., N, N) -> (...)``."""


@kernel
def eigh(x: Array) -> tuple[Array, Array]:
    """-> (w, v): eigenvalues ``(..., N)``, rising, and eigenvectors, the columns of v ``(..., N, N)``, of symmetric
    matrices of which only the lower triangle is read.

    Raises:
        LinAlgError: the iteration does not converge.
    """


@kernel
def lu(x: Array) -> tuple[Array, Array, Array]:
    """-> (lu, pivots, info): ``p l u = x``, with the upper triangular u ``(..., K, N)``, K = min(M, N), and below it
    the lower triangular l ``(..., M, K)`` without the ones on its diagonal. In step i row i was swapped with row
    ``pivots[i] - 1``, the first from row i on whose number in column i has the largest magnitude; info is the first
    place, counted from 1, where u's diagonal is 0 (0: nowhere). Both int32, ``(..., K)`` and ``(...)``."""


@kernel
def qr(x: Array, complete: bool) -> tuple[Array, Array]:
    """-> (q, r) with ``q r = x``, q's columns orthonormal, r upper triangular: ``(..., M, K)`` and ``(..., K, N)`` with
    K = min(M, N), or M if ``complete``."""


@kernel
def slogdet(x: Array) -> tuple[Array, Array]:
    """-> (sign, logarithm of the magnitude) of determinants, without overflow: 0 and -inf for a singular matrix."""


@kernel
def solve(x: Array, y: Array) -> Array:
    """``x**-1 y``: ``(..., N, N)`` and ``(..., N, K)``, leading axes broadcast.

    Raises:
        LinAlgError: a matrix is singular.
    """


@kernel
def svd(x: Array, full: bool) -> tuple[Array, Array, Array]:
    """-> (u, s, vh) with ``u diag(s) vh = x``: ``(..., M, K)``, ``(..., K)`` falling, ``(..., K, N)`` with K = min(M,
    N); u and vh square if ``full``.

    Raises:
        LinAlgError: the iteration does not converge.
    """


# ---------------------------------------------------------------------------------------------------------- convolution
# With x zero outside [0, H) x [0, W), stride (SH, SW), padding (PH, PW), dilation (DH, DW), and g the group of o:
#   y[n, o, i, j] = b[o] + sum over c, kh, kw of w[o, c, kh, kw] * x[n, g*C/G + c, i*SH + kh*DH - PH, j*SW + kw*DW - PW]
# where OH = floor((H + 2*PH - DH*(KH-1) - 1) / SH) + 1, and w is (O, C/G, KH, KW). This is cross-correlation, as in
# every deep-learning library; mathematicians' convolution would flip the kernel.
# A backend may skip the padding or multiply it: what a NaN or infinity in w or gy makes of its zeros is left open.


@kernel
def conv2d(x: Array, w: Array, b: Array | None, stride: Pair, padding: Pair, dilation: Pair, groups: int) -> Array:
    """The formula above: x ``(N, C, H, W)`` -> y ``(N, O, OH, OW)``."""


@kernel
def conv2d_gx(gy: Array, w: Array, input_size: Pair, stride: Pair, padding: Pair, dilation: Pair, groups: int) -> Array:
    """The adjoint of ``conv2d`` in x: gy ``(N, O, OH, OW)`` -> gx ``(N, C, H, W)`` with ``input_size = (H, W)``.
    Input positions that no window reaches get 0. It is also the forward pass of a transposed convolution."""


@kernel
def conv2d_gw(
    gy: Array, x: Array, kernel_size: Pair, stride: Pair, padding: Pair, dilation: Pair, groups: int
) -> Array:
    """The adjoint of ``conv2d`` in w: ``gw[o, c, kh, kw] = sum over n, i, j of gy[n, o, i, j] * x[n, g*C/G + c, i*SH
    + ...]``, ``(O, C/G, KH, KW)``."""


@kernel
def unfold(x: Array, kernel_size: Pair, stride: Pair, padding: Pair, dilation: Pair) -> Array:
    """im2col: ``(N, C, H, W) -> (N, C*KH*KW, OH*OW)``; column ``i*OW + j`` is the window of output (i, j), zeros in the
    padding, rows ordered (c, kh, kw)."""


@kernel
def fold(columns: Array, output_size: Pair, kernel_size: Pair, stride: Pair, padding: Pair, dilation: Pair) -> Array:
    """col2im, the adjoint of ``unfold``: ``(N, C*KH*KW, L) -> (N, C, H, W)``; values that fall on one pixel are
    added."""


# -------------------------------------------------------------------------------------------------------------- pooling
# Window (i, j) covers rows i*SH + kh*DH - PH and columns j*SW + kw*DW - PW. Padding never wins a maximum.
# ``output_size`` is given: rounding down or up (ceil_mode) was decided above.


@kernel
def max_pool2d(
    x: Array, kernel_size: Pair, stride: Pair, padding: Pair, dilation: Pair, output_size: Pair
) -> tuple[Array, Array]:
    """-> (y, where), both ``(N, C, OH, OW)``. ``where`` is the winner's place inside its window, ``kh*KW + kw``:
    uint8 if ``KH*KW <= 256``, else int32. The first of equals wins (row by row), the first NaN wins over everything.
    A window wholly in the padding gives -inf, and ``where`` 0."""


@kernel
def max_pool2d_gx(
    gy: Array, where: Array, input_size: Pair, kernel_size: Pair, stride: Pair, padding: Pair, dilation: Pair
) -> Array:
    """The adjoint of picking the winners: each gy is added to the input pixel that won; ``(N, C, OH, OW) -> (N, C, H,
    W)``. A winner outside the image (a window wholly in the padding) receives nothing."""


@kernel
def max_pool2d_gather(x: Array, where: Array, kernel_size: Pair, stride: Pair, padding: Pair, dilation: Pair) -> Array:
    """Pick ``x`` at given winners: ``(N, C, H, W) -> (N, C, OH, OW)``, 0 outside the image. The adjoint of
    ``max_pool2d_gx``."""


@kernel
def max_pool2d_indices(
    where: Array, input_size: Pair, kernel_size: Pair, stride: Pair, padding: Pair, dilation: Pair
) -> Array:
    """int64: ``where`` as PyTorch reports it, the winner's flat place ``h*W + w`` in its plane; -1 for a window wholly
    in the padding."""


@kernel
def avg_pool2d(
    x: Array,
    kernel_size: Pair,
    stride: Pair,
    padding: Pair,
    output_size: Pair,
    count_include_pad: bool,
    divisor: int | None,
) -> Array:
    """Sum of each window over a divisor: ``divisor`` if given; else the window's area, clipped to the padded image
    (``count_include_pad``) or to the image itself. A window wholly outside the image is 0."""


@kernel
def avg_pool2d_gx(
    gy: Array,
    input_size: Pair,
    kernel_size: Pair,
    stride: Pair,
    padding: Pair,
    count_include_pad: bool,
    divisor: int | None,
) -> Array:
    """The adjoint of ``avg_pool2d``: each gy over its divisor is added to every pixel of its window."""


# -------------------------------------------------------------------------------- convolution, ReLU and pooling at once


@kernel
def conv2d_relu_max_pool2d(
    x: Array, w: Array, b: Array | None, stride: Pair, padding: Pair, dilation: Pair, groups: int
) -> tuple[Array, Array]:
    """``relu(max_pool2d(conv2d(x, w, b, ...)))`` over windows of 2 x 2 pixels, in one pass -> (y, where), both ``(N, O,
    OH // 2, OW // 2)``; ``where`` as in :func:`max_pool2d`, but 4 where ReLU cuts the winner."""


@kernel
def linear_relu(x: Array, w: Array, b: Array | None) -> Array:
    """``relu(linear(x, w, b))`` in one pass."""


@kernel
def linear_gradients(
    gy: Array, y: Array | None, x: Array | None, w: Array | None, bias: bool
) -> tuple[Array | None, Array | None, Array | None]:
    """The gradients of ``linear(x, w, b)``, or with its result y of ``linear_relu``, for gy ``(M, O)`` -> (gx, gw, gb):
    ``gz @ w``, ``gz.T @ x`` and the sum of gz over its rows, with gz = gy, or ``relu_gx(gy, y)``. Without w there is no
    gx (None), without x no gw, without ``bias`` no gb."""


@kernel
def max_pool2d_conv2d_gx(
    gy: Array, where: Array, w: Array, input_size: Pair, stride: Pair, padding: Pair, dilation: Pair, groups: int
) -> Array:
    """``conv2d_gx`` of gz, what ``max_pool2d_gx`` makes of gy and ``where``, both ``(N, O, OH // 2, OW // 2)``, for
    windows of 2 x 2 pixels, in one pass. Where ``where`` is 4, gz is 0 in all of the window."""


@kernel
def max_pool2d_conv2d_gw(
    gy: Array, where: Array, x: Array, kernel_size: Pair, stride: Pair, padding: Pair, dilation: Pair, groups: int
) -> tuple[Array, Array]:
    """``conv2d_gw`` likewise, and the bias' gradient, the sum of gz over N, OH and OW -> (gw, gb). In both, whether a
    zero of gz makes NaN of an infinite or NaN factor is open."""


# -------------------------------------------------------------------------------------------------------- normalization
# x is (N, C, L): the caller flattens the spatial axes. Statistics are per channel, over N and L (M = N*L values).


@kernel
def batch_norm_train(x: Array, w: Array, b: Array, eps: float) -> tuple[Array, Array, Array, Array]:
    """-> (y, mean, var, rstd): x normalized by its own statistics, ``y = batch_norm(x, mean, rstd, w, b)``, and these,
    ``(C,)``. ``var`` is the biased variance, sum((x - mean)**2) / M, computed without cancellation (not as E[x**2] -
    mean**2), and ``rstd = 1 / sqrt(var + eps)``. All three are NaN where M is 0."""


@kernel
def batch_norm(x: Array, mean: Array, rstd: Array, w: Array, b: Array) -> Array:
    """``(x - mean) * rstd * w + b``, with all four ``(C,)``."""


@kernel
def batch_norm_gx(gy: Array, x: Array, mean: Array, rstd: Array, w: Array) -> tuple[Array, Array, Array]:
    """-> (gx, gw, gb) where mean and rstd come from x itself. With xh = (x - mean)*rstd:
    gb = sum(gy), gw = sum(gy*xh), gx = w*rstd * (gy - gb/M - xh*gw/M)."""


@kernel
def layer_norm(x: Array, w: Array, b: Array, eps: float) -> tuple[Array, Array, Array]:
    """-> (y, mean, rstd) of the rows of x ``(R, L)``: ``y = (x - mean) * rstd * w + b`` with w and b ``(L,)``; mean and
    ``rstd = 1 / sqrt(var + eps)`` are ``(R,)``, var is biased and computed without cancellation."""


@kernel
def layer_norm_gx(gy: Array, x: Array, mean: Array, rstd: Array, w: Array) -> tuple[Array, Array, Array]:
    """-> (gx, gw, gb). With ``xh = (x - mean)*rstd`` and ``g = gy*w``: over the rows, ``gw = sum(gy*xh)`` and ``gb =
    sum(gy)``, both ``(L,)``; in each row, ``gx = rstd * (g - sum(g)/L - xh*sum(g*xh)/L)``."""


# --------------------------------------------------------------------------------------------------- recurrent networks


@kernel
def lstm(gx: Array, gh: Array, c: Array) -> tuple[Array, Array, Array]:
    """-> (h, c', gates): what an LSTM does to the sums of its gates, ``gx + gh`` ``(N, 4*H)``, which are cut into i, f,
    g, o, and to its state c ``(N, H)``. ``gates`` are sigmoid(i), sigmoid(f), tanh(g), sigmoid(o), ``(N, 4*H)``; with
    these, ``c' = f*c + i*g`` and ``h = o * tanh(c')``."""


@kernel
def lstm_gx(gh: Array, gc: Array, gates: Array, c: Array, new_c: Array) -> tuple[Array, Array]:
    """The gradients of the sums ``(N, 4*H)`` and of c ``(N, H)``, from those of h and c'. With ``t = tanh(c')`` and
    ``d = gc + gh * o * (1 - t**2)``: ``d*g * i*(1 - i)``, ``d*c * f*(1 - f)``, ``d*i * (1 - g**2)``, ``gh*t * o*(1 -
    o)``; and ``d*f``."""


# --------------------------------------------------------------------------------------------------- softmax and losses


@kernel
def log_softmax(x: Array, axis: int) -> Array:
    """``x - m - log(sum(exp(x - m)))`` along ``axis``, with m the maximum: no overflow for any finite x."""


@kernel
def log_softmax_gx(gy: Array, y: Array, axis: int) -> Array:
    """``gy - exp(y) * sum(gy)``, with ``y`` the output of ``log_softmax``."""


@kernel
def softmax(x: Array, axis: int) -> Array:
    """``exp(log_softmax(x))``."""


@kernel
def softmax_gx(gy: Array, y: Array, axis: int) -> Array:
    """``y * (gy - sum(gy * y))``, with ``y`` the output of ``softmax``."""


@kernel
def nll_loss(x: Array, target: Array, weight: Array | None, ignore_index: int) -> tuple[Array, Array]:
    """x ``(N, C, L)`` log-probabilities, target int64 ``(N, L)`` -> (loss, scale), both ``(N, L)``: ``scale =
    weight[target]`` (1 without weight, 0 where ``target == ignore_index``), ``loss = -scale * x[n, target, l]`` (0
    where the target is ignored, whatever x says there).

    Raises:
        IndexError: a target that is neither ``ignore_index`` nor in [0, C): it names the first one. (A GPU tells when
            the host next waits for it; until then that loss is NaN.)
    """


@kernel
def nll_loss_gx(gy: Array, target: Array, scale: Array, classes: int) -> Array:
    """``(N, L) -> (N, C, L)``: ``-scale * gy`` at the target, 0 elsewhere. ``target`` is in range or has scale 0."""


@kernel
def cross_entropy(
    x: Array, target: Array, weight: Array | None, ignore_index: int, mean: bool
) -> tuple[Array, Array, Array, Array]:
    """``nll_loss`` of ``logp = log_softmax(x, 1)``, added up -> (loss, logp, scale, total): loss ``()`` is the sum of
    the losses, with ``mean`` divided by ``total`` ``()``, the sum of the scales ``(N, L)``; logp ``(N, C, L)``.

    Raises:
        IndexError: as ``nll_loss``.
    """


@kernel
def cross_entropy_gx(gloss: Array, logp: Array, target: Array, scale: Array, total: Array | None) -> Array:
    """``-> (N, C, L)``: ``log_softmax_gx`` of what ``nll_loss_gx`` makes of gloss ``()``, divided by ``total`` ``()``
    if that is given."""


# --------------------------------------------------------------------------------------------------------------- random
# Philox4x32-10 (Salmon et al., SC'11): key = seed, counter = offset + i // 4, word i % 4, for element i in C order. So
# element i is a function of (seed, offset, i) alone: the same on every backend and at any thread count. Where an
# element needs 64 bits, word 2*i is their upper half and word 2*i + 1 the lower. A draw of n elements uses up ceil(n
# / 4) counters (with 64 bits an element ceil(n / 2)); ``tinyconv.random`` keeps the books.


@kernel
def uniform(shape: Shape, low: float, high: float, dtype, seed: int, offset: int) -> Array:
    """Uniform in [low, high): ``low + (high - low) * u`` in ``dtype``, each operation rounded by itself, and ``low``
    where that reaches ``high``. u is a float32 from the upper 24 bits of a word, or a float64 from the upper 53 of
    64."""


@kernel
def normal(shape: Shape, mean: float, std: float, dtype, seed: int, offset: int) -> Array:
    """Gaussian by Box-Muller on pairs of uniforms: elements 2i and 2i+1 are the cosine and the sine of one pair."""


@kernel
def randint(shape: Shape, low: int, high: int, dtype, seed: int, offset: int) -> Array:
    """Integers in [low, high): 64 random bits modulo the width, two words an element."""


@kernel
def randperm(n: int, seed: int, offset: int) -> Array:
    """int64: 0..n-1 ordered by 64 random bits each, equal bits by index."""


@kernel
def dropout(x: Array, p: float, seed: int, offset: int) -> Array:
    """``x * (1 / (1 - p))`` where the element's uniform number, a multiple of 2**-32, is >= p (float64), else 0. Linear
    in x and a function of (seed, offset): its own gradient, so no mask is ever stored. p = 1 gives zeros.

    The number of element e is ``(upper * 2**16 + lower) * 2**-32``: ``upper`` is half-word e of the stream's words from
    counter ``offset`` on (lower halves first), ``lower`` the same from counter ``offset + 2**63`` on. So a word serves
    two elements, and the lower halves are drawn only where the upper ones do not tell, once in 65,536 times.
    """


# ----------------------------------------------------------------------------------------------------------- optimizers


@kernel
def adam(
    params: list[Array],
    grads: list[Array],
    exp_avgs: list[Array],
    exp_avg_sqs: list[Array],
    max_exp_avg_sqs: list[Array] | None,
    lr: float,
    beta1: float,
    beta2: float,
    eps: float,
    weight_decay: float,
    decoupled: bool,
    maximize: bool,
    step: int,
) -> None:
    """In place, for each parameter p with gradient g and moments m (``exp_avgs``) and v (``exp_avg_sqs``), at step t =
    1, 2, ... (PyTorch's form of Adam, AdamW and their AMSGrad):

    ``g = ±g + weight_decay*p``, or if ``decoupled`` ``p *= 1 - lr*weight_decay``;
    ``m += (1 - beta1) * (g - m)``;  ``v = beta2*v + (1 - beta2) * g*g``;
    ``p -= lr/(1 - beta1**t) * m / (sqrt(v) / sqrt(1 - beta2**t) + eps)``.

    With ``max_exp_avg_sqs`` its arrays become ``maximum(.., v)`` (NaN wins) and stand for v in the last line.
    """


@kernel
def sgd(
    params: list[Array],
    grads: list[Array],
    buffers: list[Array] | None,
    lr: float,
    momentum: float,
    dampening: float,
    weight_decay: float,
    nesterov: bool,
    maximize: bool,
    first: bool,
) -> None:
    """In place, for each parameter p with gradient g and momentum buffer v (PyTorch's form of SGD):

    ``g = ±g + weight_decay*p``;  ``v = g`` if ``first`` else ``momentum*v + (1 - dampening)*g``;
    ``p -= lr * (g + momentum*v if nesterov else v)``.

    ``buffers`` is None where momentum is 0: then ``v = g``.
    """
