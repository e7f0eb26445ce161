"""Tensors out of nothing, out of numbers, and out of chance."""

import numpy as np

from ..arrays import integers, mask, x
from ..calls import dtype
from .entry import call, entry

f32, f64, i64, i32, b8, u8 = (dtype(n) for n in ("float32", "float64", "int64", "int32", "bool", "uint8"))

entry(
    "zeros ones",
    call(2, 3),
    call((2, 3)),
    call([2]),
    call(()),
    call(0, 3),
    call(2, dtype=f64),
    call(2, dtype=i64),
    call(2, dtype=b8),
    call(size=(2,)),
    call(2, requires_grad=True),
    call(2, device="cpu"),
    rejected=(call(-1), call(2.5), call(2, dtype="nonsense"), call(2, dtype=i64, requires_grad=True)),
)
entry(
    "empty",
    call(2, 3),
    call((2, 3)),
    call(()),
    call(0),
    call(2, dtype=i64),
    random=True,
    rejected=(call(-1),),
    without={"threads": "whatever was there"},
)
entry(
    "empty_like",
    call(x(2, 3)),
    call(x(0)),
    call(integers(2)),
    call(x(2), dtype=f64),
    random=True,
    without={"threads": "whatever was there"},
)
entry("new_empty", call(x(2), 2, 3), call(x(2), (0,)), random=True, without={"threads": "whatever was there"})
entry(
    "zeros_like ones_like",
    call(x(2, 3)),
    call(x()),
    call(x(0, 2)),
    call(integers(3)),
    call(x(3), dtype=i64),
    call(mask(3)),
    call(x(3), requires_grad=True),
)
entry(
    "full",
    call((2, 3), 1.5),
    call((2,), 2),
    call((2,), True),
    call((), 1),
    call((2,), 2, dtype=f64),
    call(size=(2,), fill_value=3),
    call((0,), 1.0),
    rejected=(call((-1,), 2), call((2,), "a")),
)
entry(
    "full_like",
    call(x(2, 3), 1.5),
    call(integers(3), 2),
    call(integers(3), 2.7),
    call(x(3), 2, dtype=i64),
    call(x(), 1),
)
entry("new_zeros new_ones", call(x(2), 2, 3), call(x(2), (2, 3)), call(integers(2), 2), call(x(2), (2,), dtype=f64))
entry("new_full", call(x(2), (2, 3), 1.5), call(integers(2), (2,), 3), call(x(2), (2,), 3, dtype=f64))
entry("new_tensor", call(x(2), [1, 2]), call(integers(2), [1.5]), call(x(2), 3, dtype=f64))
entry("eye", call(3), call(2, 3), call(3, dtype=i64), call(0), call(3, 0), rejected=(call(-1),))
entry(
    "arange",
    call(5),
    call(2, 5),
    call(0, 1, 0.25),
    call(5, 0, -2),
    call(1.0, 4.0),
    call(0),
    call(5, dtype=f32),
    call(0, 5, 2, dtype=f64),
    call(start=1, end=4),
    call(start=0, end=4, step=2),
    call(0.1, 0.7, 0.2),
    call(end=3),
    rejected=(call(5, 0), call(0, 5, 0), call(0, 5, -1)),
)
entry(
    "range",
    call(2, 5),
    call(0, 1, 0.25),
    call(5, 0, -2),
    call(5, 5),
    call(0, 5, 2, dtype=i64),
    call(start=1, end=4, step=0.7),
    rejected=(call(5, 0), call(0, 5, 0), call(5)),
    without={"out: int64": "a step below 1 is 0 there"},
)
entry(
    "scalar_tensor",
    call(3),
    call(2.5),
    call(True),
    call(3, dtype=i64),
    call(1.5, requires_grad=True),
    rejected=(call([1, 2]), call(3, dtype=i64, requires_grad=True)),
)
entry(
    "empty_strided",
    call((2, 3), (1, 2)),
    call((2, 3), (3, 1), dtype=i64),
    call((2, 3), (0, 1), dtype=f64, requires_grad=True),
    call((), ()),
    call((0, 2), (1, 5)),
    random=True,
    rejected=(call((2, 3), (1,)), call((2, 3), (-1, 1)), call((-2,), (1,))),
    without={"threads": "whatever was there"},
)
entry(
    "new_empty_strided",
    call(x(2), (2, 3), (1, 2)),
    call(integers(2), (2,), (4,)),
    call(x(2), (2,), (4,), dtype=i64),
    random=True,
    without={"threads": "whatever was there"},
)
entry(
    "frombuffer",
    *(call(b"0123456789abcdef", dtype=kind) for kind in (f32, i64, u8)),
    call(b"0123456789", dtype=i32, count=2),
    call(b"0123456789", dtype=i32, offset=2),
    call(b"0123456789", dtype=i32, offset=1, count=1, requires_grad=False),
    call(b"0123", dtype=f32, requires_grad=True),
    rejected=(
        call(b"", dtype=u8),
        call(b"abc", dtype=i32),
        call(b"abcd", dtype=i32, count=0),
        call(b"abcd", dtype=i32, count=2),
        call(b"abcd", dtype=i32, offset=4),
        call(b"abcd", dtype=i32, offset=-1),
        call(3, dtype=i32),
        call(b"abcd", dtype=i32, requires_grad=True),
    ),
)
entry(
    "hann_window hamming_window blackman_window bartlett_window",
    *(call(length) for length in (0, 1, 2, 5)),
    call(6, False),
    call(6, periodic=False, dtype=f64),
    call(6, True, dtype=f64, requires_grad=True),
    rejected=(call(-1), call(3, dtype=i64), call(2.5)),
)
entry(
    "kaiser_window",
    *(call(length) for length in (0, 1, 2, 5)),
    call(6, False),
    call(7, True, 3.5, dtype=f64),
    call(5, True, -3.0),
    rejected=(call(-1), call(3, dtype=i64), call(2.5)),
)
entry(
    "linspace",
    call(0, 1, 5),
    call(-2, 2, 1),
    call(0, 10, 0),
    call(0, 10, steps=4),
    call(0, 10, 5, dtype=i64),
    call(1, 0, 3, dtype=f64),
    call(start=0, end=1, steps=3),
    rejected=(call(0, 1, -1), call(0, 1)),
)
entry("logspace", call(0, 2, 3), call(0, 2, steps=5, base=2.0), call(1, 0, 3, dtype=f64))
entry(
    "tensor",
    call(1),
    call(1.5),
    call(True),
    call([1, 2]),
    call([1.5, 2]),
    call([[1], [2]]),
    call([]),
    call([[]]),
    call([True, False]),
    call([1, 2], dtype=f32),
    call([1.7], dtype=i64),
    call([1.0], requires_grad=True),
    call(np.arange(3)),
    call(np.ones((2, 3))),
    call(np.float32(2)),
    call([np.float32(1), 2]),
    call((1, 2)),
    call([1, True]),
    call([2, 1.5, True]),
    call(float("nan")),
    call(data=[1, 2]),
    call([1, 2], device="cpu"),
    call(range(4)),
    rejected=(call([[1], [2, 3]]), call("a"), call([1, 2], requires_grad=True), call([None])),
)
entry(
    "as_tensor asarray",
    call([1, 2]),
    call(1.5),
    call(np.ones(3)),
    call([1], dtype=f64),
    call(x(3)),
    call(x(3), dtype=f64),
    call(integers(3), dtype=f32),
)
entry(
    "from_numpy",
    call(np.arange(6).reshape(2, 3)),
    call(np.ones(3, "float32")),
    call(np.array(True)),
    rejected=(call([1, 2]), call(3)),
)
entry(
    "FloatTensor DoubleTensor LongTensor IntTensor ByteTensor BoolTensor ShortTensor CharTensor HalfTensor",
    call([1, 2]),
    call([[1, 0], [0, 1]]),
    call([]),
)
entry("tril_indices triu_indices", call(3, 3), call(2, 4, 1), call(4, 2, -1), call(0, 3), call(row=3, col=2, offset=0))
entry("vander", call(x(3)), call(x(3), 2), call(x(3), 3, True))

entry(
    "rand randn",
    call(2, 3),
    call((2, 3)),
    call(()),
    call(0),
    call(3, dtype=f64),
    call(size=(2,)),
    call(2, requires_grad=True),
    random=True,
    rejected=(call(-1), call(2, dtype=i64)),
)
entry(
    "randint",
    call(5, (2, 3)),
    call(2, 5, (3,)),
    call(0, 5, size=(3,)),
    call(high=5, size=(2,)),
    call(5, (2,), dtype=f32),
    random=True,
    rejected=(call(0, (2,)), call(5, 2, (2,))),
)
entry(
    "rand_like randn_like", call(x(2, 3)), call(x()), call(x(3), dtype=f64), call(integers(3), dtype=f32), random=True
)
entry(
    "randint_like",
    call(x(2, 3), 5),
    call(integers(3), 2, 5),
    random=True,
    without={"dtypes: bool": "numbers that no bool is"},
)
entry("randperm", call(5), call(0), call(5, dtype=i32), random=True, rejected=(call(-1),))
entry(
    "tinyconv.normal",
    call(0.0, 1.0, (2, 3)),
    call(x(3), 0.5),
    call(x(3), x(3, kind="positive")),
    call(0.0, x(3, kind="positive")),
    call(mean=0.0, std=1.0, size=(2,)),
    random=True,
    rejected=(call(0.0, -1.0, (2,)),),
)
entry("bernoulli", call(x(2, 3, kind="unit")), call(x(3, kind="unit"), 0.5), random=True)
entry("Tensor.bernoulli_", call(x(2, 3)), call(x(3), 0.3), random=True)
entry(
    "multinomial",
    call(x(4, kind="positive"), 2),
    call(x(2, 4, kind="positive"), 5, True),
    call(x(2, 4, kind="positive"), num_samples=3, replacement=False),
    random=True,
    rejected=(call(x(3, kind="positive"), 4), call(x(3, kind="positive"), 0)),
)
entry("poisson", call(x(2, 3, kind="positive")), random=True)
entry("binomial", call(x(3, kind="positive"), x(2, 3, kind="unit")), random=True)
entry(
    "Tensor.uniform_", call(x(2, 3)), call(x(3), -1, 1), call(x(3), to=2.0), random=True, rejected=(call(x(3), 2, 1),)
)
entry(
    "Tensor.normal_",
    call(x(2, 3)),
    call(x(3), 1, 2),
    call(x(3), mean=1.0, std=0.5),
    random=True,
    rejected=(call(x(3), 0, -1),),
)
entry(
    "Tensor.random_",
    call(x(2, 3)),
    call(integers(3), 5),
    call(integers(3), 2, 5),
    random=True,
    without={"dtypes: bool": "numbers that no bool is"},
)
entry("Tensor.cauchy_", call(x(2, 3)), random=True)
entry("Tensor.exponential_", call(x(2, 3)), random=True)
entry("Tensor.geometric_", call(x(2, 3), 0.3), random=True)
entry("Tensor.log_normal_", call(x(2, 3)), random=True)

entry("promote_types", *(call(a, b) for a in (f32, i64, b8, u8) for b in (f64, i32, b8, dtype("int8"))))
entry(
    "result_type",
    call(x(3), 2),
    call(integers(3), 2.5),
    call(integers(3), x()),
    call(x(3), x(3, dtype="float64")),
    call(1, 2.5),
    call(mask(3), 1),
)
entry("can_cast", call(f32, i64), call(i64, f32), call(f64, f32), call(b8, u8))
