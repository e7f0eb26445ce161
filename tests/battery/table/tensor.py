"""What else a tensor has, and the names that compute nothing."""

from ..arrays import integers, mask, x
from ..calls import dtype
from .entry import call, entry, exclude

types = (call(x(2, 3)), call(integers(3)), call(mask(3)), call(x(0)), call(x()), call(x(3, special="zero")))
for name in ("float", "double", "half", "int", "long", "short", "char", "byte", "bool"):
    entry(f"Tensor.{name}", *types, without={"values": "of NaN and infinities as integers nothing is promised"})
entry(
    "Tensor.to",
    call(x(2), dtype("float64")),
    call(x(2), dtype("int64")),
    call(x(2), "cpu"),
    call(x(2), x(3, dtype="float64")),
    call(x(2), dtype=dtype("float64")),
    call(x(2), "cpu", dtype("int32")),
    call(x(2), copy=True),
    call(x(2), device="cpu", dtype=dtype("float32")),
    call(x(2), dtype("float32")),
    without={"values": "of NaN and infinities as integers nothing is promised"},
)
entry("Tensor.type", call(x(2)), call(integers(2)), call(x(2), dtype("float64")), without={"values": "as Tensor.to"})
entry(
    "Tensor.type_as",
    call(x(2), integers(3)),
    call(integers(2), x(3)),
    without={"values": "as Tensor.to"},
)
entry("Tensor.cpu", call(x(2)), call(integers(3)))
entry(
    "Tensor.item Tensor.__float__ Tensor.__int__ Tensor.__bool__",
    call(x()),
    call(x(1)),
    call(integers()),
    call(mask(1)),
    rejected=(call(x(2)), call(x(0))),
)
entry(
    "Tensor.tolist",
    call(x(2, 3)),
    call(x()),
    call(integers(3)),
    call(mask(2)),
    call(x(0)),
)
entry("Tensor.numpy", call(x(2, 3)), call(integers(3)))
entry("detach", call(x(2, 3)), call(integers(3)))
of_axes = (call(x(2, 3)), call(x(2, 3), 0), call(x(2, 3), -1), call(x()), call(x(2, 3), dim=1))
entry("Tensor.size", *of_axes, rejected=(call(x(2, 3), 2),))
entry("Tensor.stride", *of_axes, rejected=(call(x(2, 3), 2),), without={"layouts": "that is the question"})
entry("dim numel nelement element_size ndimension Tensor.__len__", call(x(2, 3)), call(x(2)), call(integers(1, 2)))
entry(
    "shape ndim dtype itemsize nbytes is_cuda device is_leaf requires_grad data",
    call(x(2, 3)),
    call(integers(1)),
)
entry("Tensor.is_contiguous", call(x(2, 3)), call(x()), without={"layouts": "that is the question"})
entry(
    "Tensor.copy_",
    call(x(2, 3), x(2, 3, salt=1)),
    call(x(2, 3), x(3)),
    call(x(3), integers(3)),
    call(integers(3), x(3)),
    call(x(3), x()),
    rejected=(call(x(3), x(2)),),
    without={"values": "of NaN and infinities as integers nothing is promised"},
)
entry(
    "Tensor.fill_",
    call(x(2, 3), 1.5),
    call(x(), 2),
    call(integers(3), 2),
    call(x(3), x()),
    call(x(0), 1),
    rejected=(call(x(2), x(2)),),
)
entry("Tensor.zero_", call(x(2, 3)), call(integers(3)), call(x()))
entry("Tensor.fill_diagonal_", call(x(3, 3), 1.5), call(x(2, 4), 0.5))
exclude(
    "Tensor.array Tensor.grad Tensor.grad_fn Tensor.backward "
    "Tensor.register_hook Tensor.retain_grad Tensor.retains_grad Tensor.requires_grad_ Tensor.detach_ "
    "Tensor.register_post_accumulate_grad_hook",
    "autograd: tests/autograd",
)
exclude(
    "tinyconv.Tensor tinyconv.Size tinyconv.device tinyconv.dtype tinyconv.finfo tinyconv.iinfo tinyconv.Generator "
    "tinyconv.no_grad tinyconv.enable_grad tinyconv.inference_mode tinyconv.set_grad_enabled tinyconv.is_grad_enabled "
    "tinyconv.use_kernels tinyconv.get_num_threads tinyconv.set_num_threads",
    "no operations: they have tests of their own",
)
exclude(
    "tinyconv.manual_seed tinyconv.seed tinyconv.initial_seed tinyconv.get_rng_state tinyconv.set_rng_state",
    "tests/test_random.py",
)
exclude(
    "tinyconv.load tinyconv.save tinyconv.get_default_dtype tinyconv.set_default_dtype",
    "tests/serialization/test_serialization.py, tests/test_dtypes.py",
)
entry("is_meta is_nested is_quantized is_sparse", call(x(2)), call(integers(2)))
entry("is_inference is_shared layout", call(x(2)))
entry("Tensor.storage_offset", call(x(2, 3)), call(x()), call(x(0)), without={"layouts": "that is the question"})
exclude(
    "Tensor.apply_ Tensor.map_ Tensor.new Tensor.data_ptr Tensor.storage Tensor.untyped_storage Tensor.resize_ "
    "Tensor.resize_as_ Tensor.share_memory_",
    "memory: tests/ops/test_storage.py",
)
exclude("tinyconv.typename", "a name: tests/ops/test_convert.py")
exclude("tinyconv.from_dlpack tinyconv.to_dlpack", "memory: tests/ops/test_exchange.py")
exclude("tinyconv.layout tinyconv.memory_format", "names: tests/test_layout.py")
entry("is_cpu get_device is_signed", call(x(2)), call(integers(2)), call(integers(2, dtype="uint8")))
exclude(
    "tinyconv.GradScaler tinyconv.autocast tinyconv.get_autocast_dtype tinyconv.is_autocast_enabled "
    "tinyconv.compile tinyconv.get_num_interop_threads tinyconv.set_num_interop_threads tinyconv.is_anomaly_enabled "
    "tinyconv.is_anomaly_check_nan_enabled tinyconv.set_anomaly_enabled tinyconv.set_flush_denormal "
    "tinyconv.get_default_device tinyconv.set_default_device "
    "tinyconv.set_default_tensor_type tinyconv.set_printoptions "
    "tinyconv.get_float32_matmul_precision tinyconv.set_float32_matmul_precision "
    "tinyconv.use_deterministic_algorithms tinyconv.are_deterministic_algorithms_enabled",
    "settings, and what is accepted without effect",
)
exclude("Tensor.cuda Tensor.pin_memory Tensor.is_pinned", "needs a device: tests/kernels/test_opaque.py has one")
