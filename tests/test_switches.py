"""Names that programs call and that change little: they are there, take PyTorch's arguments, and refuse nonsense."""

import inspect

import pytest

import tinyconv
from tinyconv import nn


def test_compile_is_the_identity():
    model = nn.Linear(1, 1)
    assert tinyconv.compile(model, mode="max-autotune", fullgraph=True) is model

    @tinyconv.compile
    def f(x):
        return x + 1

    @tinyconv.compile(dynamic=True)
    def g(x):
        return x + 2

    assert (f(1), g(1)) == (2, 3)
    with pytest.raises(TypeError, match="got int"):
        tinyconv.compile(3)


def test_flags_of_backends():
    cudnn = tinyconv.backends.cudnn
    assert cudnn.deterministic and not cudnn.is_available() and cudnn.version() is None
    cudnn.benchmark = True
    assert cudnn.benchmark
    cudnn.benchmark = False
    assert not tinyconv.backends.mps.is_available() and tinyconv.backends.mkldnn.enabled


def test_backends_are_imported_as_modules():
    import tinyconv.backends.cudnn as cudnn

    from tinyconv.backends import mkldnn

    assert cudnn is tinyconv.backends.cudnn and mkldnn is tinyconv.backends.mkldnn


def test_determinism_and_precision():
    tinyconv.use_deterministic_algorithms(True, warn_only=True)
    assert tinyconv.are_deterministic_algorithms_enabled()
    assert tinyconv.get_float32_matmul_precision() == "highest"
    tinyconv.set_float32_matmul_precision("high")
    assert tinyconv.get_float32_matmul_precision() == "high" and tinyconv.backends.cuda.matmul.allow_tf32
    tinyconv.backends.cuda.matmul.allow_tf32 = False
    assert tinyconv.get_float32_matmul_precision() == "highest" and not tinyconv.backends.cudnn.allow_tf32
    tinyconv.backends.cudnn.allow_tf32 = True
    assert tinyconv.backends.cudnn.allow_tf32 and not tinyconv.backends.cuda.matmul.allow_tf32
    tinyconv.backends.cudnn.allow_tf32 = False
    with pytest.raises(ValueError, match="got 'low'"):
        tinyconv.set_float32_matmul_precision("low")


def test_default_device():
    tinyconv.set_default_device("cpu")
    assert tinyconv.get_default_device() == tinyconv.device("cpu")
    with pytest.raises(NotImplementedError, match="device='cuda'"):
        tinyconv.set_default_device("cuda")
    with tinyconv.device("cpu") as place:
        assert tinyconv.ones(1).device == place
    with pytest.raises(NotImplementedError, match="with device: new tensors are made"), tinyconv.device("cuda"):
        pass


def test_accelerator():
    accelerator = tinyconv.accelerator
    found = accelerator.current_accelerator()
    assert accelerator.is_available() == (found is not None) == (accelerator.device_count() > 0)
    accelerator.synchronize()
    if found is None:
        with pytest.raises(RuntimeError, match="no accelerator"):
            accelerator.current_device_index()


def test_mixed_precision_computes_in_full():
    model = nn.Linear(2, 1)
    optimizer, scaler = tinyconv.optim.SGD(model.parameters(), lr=0.1), tinyconv.amp.GradScaler(enabled=True)
    before = model.bias.item()
    with tinyconv.amp.autocast("cuda", dtype=tinyconv.float16):
        loss = model(tinyconv.ones(1, 2)).sum()
    assert loss.dtype is tinyconv.float32
    scaler.scale(loss).backward()
    scaler.unscale_(optimizer)
    scaler.step(optimizer)
    scaler.update()
    assert model.bias.item() == pytest.approx(before - 0.1) and scaler.get_scale() == 1.0
    scaler.load_state_dict(scaler.state_dict())

    @tinyconv.amp.autocast("cpu")
    def f(x):
        return x * 2

    @tinyconv.amp.custom_fwd(device_type="cuda")
    def g(x):
        return x * 3

    assert (f(1), g(1), tinyconv.amp.custom_bwd(g)(1)) == (2, 3, 3)


def test_mixed_precision_by_its_older_name():
    from tinyconv.cuda.amp import GradScaler, autocast

    assert GradScaler is tinyconv.GradScaler is tinyconv.amp.GradScaler and autocast is tinyconv.autocast
    with autocast(enabled=True, dtype=tinyconv.float16):
        assert (tinyconv.ones(2) * 2).dtype is tinyconv.float32


@pytest.mark.parametrize("name", ["amp.GradScaler", "amp.custom_fwd", "use_deterministic_algorithms"])
def test_arguments_as_pytorchs(name):
    torch = pytest.importorskip("torch")
    ours, theirs = tinyconv, torch
    for part in name.split("."):
        ours, theirs = getattr(ours, part), getattr(theirs, part)
    assert list(inspect.signature(ours).parameters) == list(inspect.signature(theirs).parameters)


def test_the_older_name_of_the_default_type():
    try:
        for kind in (tinyconv.DoubleTensor, "torch.DoubleTensor", "tinyconv.DoubleTensor"):
            tinyconv.set_default_tensor_type(tinyconv.FloatTensor)
            assert tinyconv.zeros(1).dtype is tinyconv.float32
            tinyconv.set_default_tensor_type(kind)
            assert tinyconv.zeros(1).dtype is tinyconv.float64
        with pytest.raises(NotImplementedError, match="device='cuda'"):
            tinyconv.set_default_tensor_type("torch.cuda.FloatTensor")
        for wrong in (tinyconv.LongTensor, "torch.Float", 3):
            with pytest.raises(TypeError, match="floating-point tensors"):
                tinyconv.set_default_tensor_type(wrong)
        assert tinyconv.get_default_dtype() is tinyconv.float64
    finally:
        tinyconv.set_default_dtype(tinyconv.float32)


def test_what_is_accepted():
    tinyconv.set_num_interop_threads(3)
    assert tinyconv.get_num_interop_threads() == 1
    with pytest.raises(RuntimeError, match="expected a positive integer, got 0"):
        tinyconv.set_num_interop_threads(0)
    assert not tinyconv.set_flush_denormal(True)


def test_anomaly_mode_by_function():
    assert not tinyconv.is_anomaly_enabled()
    tinyconv.set_anomaly_enabled(True, check_nan=False)
    assert tinyconv.is_anomaly_enabled() and not tinyconv.is_anomaly_check_nan_enabled()
    tinyconv.set_anomaly_enabled(False)
    assert not tinyconv.autograd.anomaly.is_anomaly_enabled() and tinyconv.is_anomaly_check_nan_enabled()
