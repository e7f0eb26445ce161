"""Formulas on single numbers, written once: compiled backends inline them in their loops, plain Python just calls them.

``register_jitable`` tells Numba that it may compile a function where a kernel calls it. It compiles nothing itself, and
outside a kernel the function stays ordinary Python: ``relu(np.float32(-1))`` works in a debugger.

Two habits keep a formula the same in both worlds. Constants are written in the argument's type, because ``0.5 * x``
would turn a float32 into a float64. And unsigned integers meet only unsigned integers of their own width, because Numba
turns ``uint64 + int64`` into a float64.
"""

from __future__ import annotations

import math

import numpy as np
from numba.extending import register_jitable

# ---------------------------------------------------------------------------------------------------------- elementwise


@register_jitable
def relu(x):
    """``max(x, 0)``; NaN stays NaN, because NaN is not ``<= 0``."""
    zero = type(x)(0)
    return zero if x <= zero else x


@register_jitable
def relu_gx(gy, y):
    """The gradient of :func:`relu` by its output ``y``: 0 where ``y <= 0``, else ``gy``: NaN lets it pass."""
    return type(gy)(0) if y <= type(y)(0) else gy


@register_jitable
def tanh_gx(gy, y):
    """The gradient of tanh by its output ``y``: ``gy * (1 - y**2)``."""
    return gy * (type(y)(1) - y * y)


@register_jitable
def sigmoid_gx(gy, y):
    """The gradient of the logistic function by its output ``y``: ``gy * y * (1 - y)``."""
    return gy * y * (type(y)(1) - y)


@register_jitable
def exp(x):
    """``e ** x`` to within 1 unit in the last place, without a branch: a loop over it becomes vector instructions, as
    one over ``math.exp`` does not.

    With n = round(x / ln 2), e**x = 2**n * e**r and |r| <= ln(2)/2. Adding 1.5 * 2**23 (or 2**52) rounds to an integer
    and leaves it in the lowest bits of the sum; ln 2 in two parts keeps r exact (Cody and Waite 1980); e**r is a
    polynomial. 2**n is put together from its bits, as two factors, of which neither overflows where the result does
    not. Their exponents are biased by 127 (1023) each, so the number that is added is larger by twice that; what it
    has above its lowest bits is shifted out.
    """
    if isinstance(x, np.float32):
        return _exp_float32(x)
    return _exp_float64(x)


@register_jitable
def _exp_float32(x):
    one, magic = np.float32(1), np.float32(12583166)
    x = np.float32(89) if x > np.float32(89) else x  # infinity from here on
    x = np.float32(-105) if x < np.float32(-105) else x  # and 0
    shifted = x * np.float32(1.4426950408889634) + magic
    n = shifted - magic
    r = x - n * np.float32(0.693359375)
    r = r - n * np.float32(-2.12194440e-4)
    p = np.float32(1.9875691500e-4)  # Cephes, expf.c
    p = p * r + np.float32(1.3981999507e-3)
    p = p * r + np.float32(8.3334519073e-3)
    p = p * r + np.float32(4.1665795894e-2)
    p = p * r + np.float32(1.6666665459e-1)
    p = p * r + np.float32(5.0000001201e-1)
    p = p * r + one
    p = p * r + one
    bits, one_bit, mantissa = np.float32(shifted).view(np.uint32), np.uint32(1), np.uint32(23)
    half = np.uint32(bits >> one_bit)
    first, second = np.uint32(half << mantissa), np.uint32((bits - half) << mantissa)
    return p * first.view(np.float32) * second.view(np.float32)


@register_jitable
def _exp_float64(x):
    one, magic = np.float64(1), np.float64(6755399441057790)
    x = np.float64(710) if x > np.float64(710) else x
    x = np.float64(-746) if x < np.float64(-746) else x
    shifted = x * np.float64(1.4426950408889634) + magic
    n = shifted - magic
    r = x - n * np.float64(6.93147180369123816490e-01)
    r = r - n * np.float64(1.90821492927058770002e-10)
    p = np.float64(1 / 6227020800)  # Taylor: the next term is below 1e-17
    p = p * r + np.float64(1 / 479001600)
    p = p * r + np.float64(1 / 39916800)
    p = p * r + np.float64(1 / 3628800)
    p = p * r + np.float64(1 / 362880)
    p = p * r + np.float64(1 / 40320)
    p = p * r + np.float64(1 / 5040)
    p = p * r + np.float64(1 / 720)
    p = p * r + np.float64(1 / 120)
    p = p * r + np.float64(1 / 24)
    p = p * r + np.float64(1 / 6)
    p = p * r + np.float64(0.5)
    p = p * r + one
    p = p * r + one
    bits, one_bit, mantissa = np.float64(shifted).view(np.uint64), np.uint64(1), np.uint64(52)
    half = np.uint64(bits >> one_bit)
    first, second = np.uint64(half << mantissa), np.uint64((bits - half) << mantissa)
    return p * first.view(np.float64) * second.view(np.float64)


@register_jitable
def sigmoid(x):
    """``1 / (1 + exp(-x))``; exp(-x) itself would overflow, exp(-|x|) is in (0, 1]."""
    one = type(x)(1)
    e = exp(-abs(x))
    return (one if x >= type(x)(0) else e) / (one + e)


@register_jitable
def tanh(x):
    """Hyperbolic tangent, without a branch: near 0 an odd polynomial for float32 (Cephes, tanhf.c), else by exp."""
    if isinstance(x, np.float32):
        one, s = np.float32(1), x * x
        p = np.float32(-5.70498872745e-3) * s + np.float32(2.06390887954e-2)
        p = p * s + np.float32(-5.37397155531e-2)
        p = p * s + np.float32(1.33314422036e-1)
        p = p * s + np.float32(-3.33332819422e-1)
        e = _exp_float32(np.float32(-2) * abs(x))
        far = (one - e) / (one + e)
        far = far if x > np.float32(0) else -far
        return x + x * s * p if abs(x) < np.float32(0.625) else far
    return type(x)(math.tanh(x))


@register_jitable(forceinline=True)
def erf(x):
    """The error function, for float32 without a branch, as :func:`exp` (N. Juffa's two polynomials, 1 unit in the last
    place): near 0 an odd one; further out 1 - e**p(|x|)."""
    if isinstance(x, np.float32):
        return _erf_float32(x)
    return type(x)(math.erf(x))


@register_jitable(forceinline=True)  # a call would keep a loop from becoming vector instructions
def _erf_float32(x):
    zero, one = np.float32(0), np.float32(1)
    x = np.float32(4) if x > np.float32(4) else x  # 1 from here on
    x = np.float32(-4) if x < np.float32(-4) else x
    sign = one if x > zero else -one
    a, s = sign * x, x * x
    p = np.float32(-1.72853470e-5) * a + np.float32(3.83197126e-4)
    q = np.float32(-3.88396438e-3) * a + np.float32(2.42546219e-2)
    p = p * s + q
    p = p * a + np.float32(-1.06777877e-1)
    p = p * a + np.float32(-6.34846687e-1)
    p = p * a + np.float32(-1.28717512e-1)
    far = sign * (one - _exp_float32(p * a - a))
    r = np.float32(-5.96761703e-4)
    r = r * s + np.float32(4.99119423e-3)
    r = r * s + np.float32(-2.67681349e-2)
    r = r * s + np.float32(1.12819925e-1)
    r = r * s + np.float32(-3.76125336e-1)
    r = r * s + np.float32(1.28379166e-1)
    near = r * x + x
    outside = one if a > np.float32(0.927734375) else zero
    return outside * far + (one - outside) * near  # a sum, because a choice between the two would be a branch


# --------------------------------------------------------------------------------------------------- activation
# Each has two numbers, which some use; see ``activation`` in the contract.


@register_jitable
def clamp(x, a, b):
    """``min(max(x, a), b)``; NaN if any of the three is."""
    x = a if (x < a) | (a != a) else x
    return b if (x > b) | (b != b) else x


@register_jitable
def clamp_gx(gy, x, a, b):
    """``gy`` where ``a <= x <= b``, else 0."""
    return gy if (x >= a) & (x <= b) else type(gy)(0)


@register_jitable
def hardtanh_gx(gy, x, a, b):
    """0 where ``x <= a`` or ``x >= b``, else ``gy``."""
    return type(gy)(0) if (x <= a) | (x >= b) else gy


@register_jitable
def leaky_relu(x, a, b):
    """``x`` where ``x > 0``, else ``a * x``."""
    return x if x > type(x)(0) else a * x


@register_jitable
def leaky_relu_gx(gy, x, a, b):
    """``gy`` where ``x > 0``, else ``a * gy``."""
    return gy if x > type(x)(0) else a * gy


@register_jitable
def hardsigmoid(x, a, b):
    """``min(max(x + 3, 0), 6) / 6``."""
    return clamp(x + type(x)(3), type(x)(0), type(x)(6)) / type(x)(6)


@register_jitable
def hardsigmoid_gx(gy, x, a, b):
    """``gy / 6`` where ``-3 < x < 3``, else 0."""
    return gy / type(x)(6) if (x > type(x)(-3)) & (x < type(x)(3)) else type(gy)(0)


@register_jitable
def hardswish(x, a, b):
    """``x * hardsigmoid(x)``."""
    return x * clamp(x + type(x)(3), type(x)(0), type(x)(6)) / type(x)(6)


@register_jitable
def hardswish_gx(gy, x, a, b):
    """0 where ``x <= -3``, ``gy * (x/3 + 1/2)`` where ``x < 3``, else ``gy``."""
    slope = gy * (x / type(x)(3) + type(x)(0.5))
    slope = slope if x < type(x)(3) else gy
    return type(gy)(0) if x <= type(x)(-3) else slope


@register_jitable
def silu(x, a, b):
    """``x * sigmoid(x)``. Where exp(-x) overflows the quotient is 0, as it should be."""
    return x / (type(x)(1) + exp(-x))


@register_jitable
def silu_gx(gy, x, a, b):
    """``gy * s * (1 + x * (1 - s))``, s = sigmoid(x)."""
    s, one = sigmoid(x), type(x)(1)
    return gy * (s * (one + x * (one - s)))


@register_jitable(forceinline=True)
def ndtr(x):
    """The standard normal distribution's share below x, ``(1 + erf(x / sqrt(2))) / 2``.

    For float32 without a branch, as :func:`exp`: near 0 one half and an odd polynomial; further out ``1 / p(|x|)**8``
    of the shares outside (the form of Abramowitz and Stegun, "Handbook of Mathematical Functions", 7.1.28), so that
    small shares do not come from a difference. Of a share above 1/2 the error is 1.3 units in the last place, of a
    smaller one 5.2e-8; both polynomials were fitted to that end.
    """
    if isinstance(x, np.float32):
        return _ndtr_float32(x)
    return type(x)(0.5) * (type(x)(1) + erf(x * type(x)(math.sqrt(0.5))))


@register_jitable(forceinline=True)
def _ndtr_float32(x):
    one, half = np.float32(1), np.float32(0.5)
    a, s = abs(x), x * x
    p = np.float32(9.79883131e-6) * a + np.float32(-1.38161864e-4)
    p = p * a + np.float32(1.04608142e-3)
    p = p * a + np.float32(-4.03827243e-3)
    p = p * a + np.float32(1.24686267e-2)
    p = p * a + np.float32(-1.04631130e-2)
    p = p * a + np.float32(7.02544376e-2)
    p = p * a + np.float32(9.56391469e-2)
    p = p * a + np.float32(1.09400034)
    p = p * p
    p = p * p
    outside = one / (p * p)
    far = outside if x < np.float32(0) else one - outside
    r = np.float32(4.00052699e-7) * s + np.float32(-8.63544483e-6)
    r = r * s + np.float32(1.14126764e-4)
    r = r * s + np.float32(-1.18618296e-3)
    r = r * s + np.float32(9.97304358e-3)
    r = r * s + np.float32(-6.64902776e-2)
    r = r * s + np.float32(3.98942262e-1)
    return half + r * x if a < np.float32(1.5) else far


@register_jitable(forceinline=True)
def gelu(x, a, b):
    """``x`` times the standard normal distribution's share below x."""
    return x * ndtr(x)


@register_jitable(forceinline=True)
def gelu_gx(gy, x, a, b):
    """``gy * (P + x * p)``, with P the normal distribution's share below x, p its density."""
    return gy * (ndtr(x) + x * (exp(x * x * type(x)(-0.5)) * type(x)(1 / math.sqrt(2 * math.pi))))


@register_jitable
def gelu_tanh(x, a, b):
    """``x * sigmoid(u)``, u = sqrt(8/pi) * (x + 0.044715 * x**3): ``(1 + tanh(u/2)) / 2`` is the same."""
    u = type(x)(math.sqrt(8 / math.pi)) * (x + type(x)(0.044715) * (x * x * x))
    return x * sigmoid(u)


@register_jitable
def gelu_tanh_gx(gy, x, a, b):
    """``gy * (s + x * s * (1 - s) * u')``, with s = sigmoid(u) and u as in :func:`gelu_tanh`: where s is 0 or 1, u'
    may be infinite and counts for nothing."""
    c, one = type(x)(math.sqrt(8 / math.pi)), type(x)(1)
    s = sigmoid(c * (x + type(x)(0.044715) * (x * x * x)))
    rise = s * (one - s)
    more = x * rise * (c * (one + type(x)(3 * 0.044715) * (x * x)))
    return gy * (s if rise == type(x)(0) else s + more)


# -------------------------------------------------------------------------------------------------------------- pooling


@register_jitable
def wins(candidate, best):
    """Whether ``candidate``, met later, replaces ``best`` as a maximum: if it is larger, or the first NaN."""
    return candidate > best or (np.isnan(candidate) and not np.isnan(best))


NOBODY = 4  # the winner of a window of 2 x 2 pixels whose maximum ReLU cuts: none of the pixels 0 to 3


# --------------------------------------------------------------------------------------------------------------- random

WORD = np.uint64(0xFFFFFFFF)
HALF = np.uint64(32)
PHILOX_M0, PHILOX_M1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
PHILOX_W0, PHILOX_W1 = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)


@register_jitable
def philox4x32_10(c0, c1, c2, c3, k0, k1):
    """Four random 32-bit words from a 128-bit counter and a 64-bit key.

    Philox4x32 with 10 rounds: Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC'11. A
    block cipher weakened until it is just random enough: each round multiplies, swaps halves and adds the key.

    Args:
        c0, c1, c2, c3: the counter, uint64s below 2**32, the lowest word first.
        k0, k1: the key, uint64s below 2**32, the lower word first.

    Returns:
        Four uint64s below 2**32. (In 64 bits no product overflows, in compiled code or under NumPy.)
    """
    for _ in range(10):
        p0, p1 = PHILOX_M0 * c0, PHILOX_M1 * c2
        c0, c1, c2, c3 = (p1 >> HALF) ^ c1 ^ k0, p1 & WORD, (p0 >> HALF) ^ c3 ^ k1, p0 & WORD
        k0, k1 = (k0 + PHILOX_W0) & WORD, (k1 + PHILOX_W1) & WORD
    return c0, c1, c2, c3


@register_jitable
def random_words(seed, counter):
    """The four words at ``counter`` (uint64) of the stream ``seed`` (uint64), as the contract numbers them."""
    zero = np.uint64(0)
    return philox4x32_10(counter & WORD, counter >> HALF, zero, zero, seed & WORD, seed >> HALF)


@register_jitable
def dropout_keeps(upper, place, limit, seed, counter):
    """Whether dropout keeps an element: whether its random number of 32 bits is at least ``limit`` (uint64).

    Args:
        upper: the number's upper half (uint64): half-word ``place`` of the four words at ``counter``.
        place: 0 to 7.
        seed, counter: uint64. The lower half, which seldom matters, is the same half-word 2**63 counters further on.
    """
    top = limit >> np.uint64(16)
    if upper != top:
        return upper > top
    a, b, c, d = random_words(seed, counter + np.uint64(2**63))
    word = a if place < 2 else b if place < 4 else c if place < 6 else d
    return half_word(word, place) >= limit & np.uint64(0xFFFF)


@register_jitable
def half_word(word, place):
    """The lower 16 bits of a word for an even place, the upper 16 for an odd one (uint64)."""
    return (word >> np.uint64(16 * (place & 1))) & np.uint64(0xFFFF)


@register_jitable
def random_bits(first, second):
    """64 random bits (uint64) of two words; the first is the upper half."""
    return (first << HALF) | second


@register_jitable
def uniform_float32(word):
    """The upper 24 bits of a word as a float32 in [0, 1): a multiple of 2**-24, hence exact."""
    return np.float32(np.int32(word >> np.uint64(8))) * np.float32(2.0**-24)


@register_jitable
def uniform_float64(bits):
    """The upper 53 of 64 bits as a float64 in [0, 1): a multiple of 2**-53, hence exact."""
    return np.float64(np.int64(bits >> np.uint64(11))) * np.float64(2.0**-53)


@register_jitable
def stretch(u, low, high):
    """``u`` in [0, 1) brought to [low, high). Where rounding reaches ``high``, ``low`` takes its place, as in PyTorch.

    All three have one type, and the multiplication and the addition round one after the other (no fused multiply-add):
    backends agree to the bit.
    """
    y = low + (high - low) * u
    return y if y < high else low


@register_jitable
def box_muller(u, v):
    """Two independent standard Gaussians from two uniforms in [0, 1), in their type.

    Box and Muller, "A note on the generation of random normal deviates", 1958: the point (u, v) becomes a radius and an
    angle. ``1 - u`` is never 0, so the logarithm is finite.
    """
    one = type(u)(1)
    radius = np.sqrt(type(u)(-2) * np.log(one - u))
    angle = type(u)(2 * math.pi) * v
    return radius * np.cos(angle), radius * np.sin(angle)


# ----------------------------------------------------------------------------------------------------------- optimizers


@register_jitable
def adam_moments(g, m, v, gain1, beta2, gain2):
    """Adam's moments ``(m, v)`` after the gradient g: exponential averages of g and of its square. See ``adam`` in the
    contract; ``gain1`` and ``gain2`` are ``1 - beta1`` and ``1 - beta2``."""
    return m + gain1 * (g - m), beta2 * v + gain2 * (g * g)


@register_jitable
def adam_step(p, m, v, rate, root, eps):
    """The parameter after Adam's step; ``rate`` is ``lr / (1 - beta1**t)`` and ``root`` is ``sqrt(1 - beta2**t)``."""
    return p - rate * (m / (np.sqrt(v) / root + eps))


@register_jitable
def sgd(p, g, v, lr, momentum, gain, weight_decay, nesterov, first):
    """One step of SGD for one number: ``(p, v)`` afterwards. See ``sgd`` in the contract.

    Args:
        p, g, v: parameter, gradient (negated to maximize), velocity.
        lr, momentum, gain, weight_decay: in ``p``'s type; ``gain`` is ``1 - dampening``.
        nesterov: whether to look one step ahead.
        first: the velocity starts as the gradient (always so without momentum).
    """
    g = g + weight_decay * p
    v = g if first else momentum * v + gain * g
    step = g + momentum * v if nesterov else v
    return p - lr * step, v
