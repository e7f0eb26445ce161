"""tinyconv.cuda, and tensors on the device "cuda", on the simulated GPU."""

from __future__ import annotations

import copy

import numpy as np
import pytest

import tinyconv
from tinyconv import cuda, nn
from tinyconv.kernels.cuda import runtime
from tinyconv.nn import functional as F


@pytest.fixture
def gpu():
    with cuda.simulated() as device:
        yield device


@pytest.fixture
def no_gpu(monkeypatch):
    """A machine without one."""

    def absent():
        raise RuntimeError("no GPU: buy one")

    monkeypatch.setattr(runtime, "_device", None)
    monkeypatch.setattr("tinyconv.kernels.cuda.driver.open_device", absent)


def test_without_a_gpu(no_gpu):
    assert not cuda.is_available()
    assert cuda.device_count() == 0
    assert cuda.why_unavailable() == "no GPU: buy one"
    cuda.empty_cache()
    for attempt in (
        lambda: tinyconv.zeros(2, device="cuda"),
        lambda: tinyconv.ones(2).to("cuda"),
        lambda: tinyconv.ones(2).cuda(),
        lambda: nn.Linear(2, 2).to("cuda"),
        lambda: tinyconv.randn(2, device="cuda"),
        cuda.current_device,
        cuda.synchronize,
        cuda.memory_allocated,
    ):
        with pytest.raises(RuntimeError, match="no GPU: buy one"):
            attempt()


def test_with_one(gpu):
    assert cuda.is_available()
    assert (cuda.device_count(), cuda.current_device(), cuda.get_device_name()) == (1, 0, "simulator")
    cuda.synchronize()
    with cuda.device("cuda:0"):
        pass
    with pytest.raises(ValueError, match="expected cuda:0, the one GPU that tinyconv uses .*, got 1"):
        cuda.set_device(1)
    with pytest.raises(RuntimeError, match="cuda:1: tinyconv uses one device of a kind, cuda:0"):
        tinyconv.zeros(2, device="cuda:1")


def test_there_and_back(gpu):
    x = tinyconv.randn(3, 4).t()
    y = x.to("cuda")
    assert (str(y.device), y.is_cuda, y.shape) == ("cuda:0", True, x.shape)
    assert y.to("cuda") is y and y.cuda() is y and y.to("cuda:0") is y
    np.testing.assert_array_equal(y.cpu().numpy(), x.numpy())
    with pytest.raises(TypeError, match=r"can't convert a cuda:0 tensor to NumPy; use x\.cpu\(\) first"):
        y.numpy()
    with pytest.raises(RuntimeError, match="expected both tensors on one device, got cuda:0 and cpu"):
        y + x
    assert (y[0] + tinyconv.tensor(1.0)).is_cuda  # a 0-d tensor is as good as a number
    assert (tinyconv.tensor(1.0) - y).is_cuda


@pytest.mark.parametrize(
    ("name", "attempt"),
    [
        ("conv2d: input is on cpu, weight on cuda:0", lambda x, g: F.conv2d(x(1, 1, 4, 4), g(1, 1, 3, 3))),
        ("linear: input is on cuda:0, bias on cpu", lambda x, g: F.linear(g(2, 3), g(4, 3), x(4))),
        ("matmul: .* got cpu and cuda:0", lambda x, g: x(2, 3) @ g(3, 4)),
        ("batch_norm: input is on cuda:0, running_mean on cpu", lambda x, g: F.batch_norm(g(2, 3), x(3), x(3))),
        ("cross_entropy: input is on cuda:0, target on cpu", lambda x, g: F.cross_entropy(g(2, 3), x(2).long())),
        ("nll_loss: input is on cuda:0, target on cpu", lambda x, g: F.nll_loss(g(2, 3), x(2).long())),
        ("embedding: input is on cpu, weight on cuda:0", lambda x, g: F.embedding(x(2).long(), g(3, 2))),
        ("cat: .* tensor 1 is on cpu, tensor 0 on cuda:0", lambda x, g: tinyconv.cat([g(2), x(2)])),
        ("where: .* got cpu and cuda:0", lambda x, g: tinyconv.where(g(2) > 0, x(2), g(2))),
        ("add: .* got cuda:0 and cpu", lambda x, g: g(2).add_(x(2))),
        ("mse_loss: .* got cuda:0 and cpu", lambda x, g: F.mse_loss(g(2), x(2))),
        ("conv2d: input is on cpu, weight on cuda:0", lambda x, g: nn.Conv2d(1, 1, 3).to("cuda")(x(1, 1, 8, 8))),
    ],
)
def test_a_tensor_of_another_device_is_refused_by_name(gpu, name, attempt):
    def there(*shape):
        return tinyconv.ones(*shape, device="cuda")

    with pytest.raises(RuntimeError, match=name):
        attempt(tinyconv.ones, there)


def test_gradients_cross(gpu):
    x = tinyconv.randn(3, requires_grad=True)
    (x.to("cuda") * 2).cpu().backward(tinyconv.ones(3))
    assert x.grad.tolist() == [2, 2, 2]
    assert x.grad.device.type == "cpu"


def test_dropout_draws_the_same_mask_on_both_devices(gpu):
    masks = []
    for device in ("cpu", "cuda"):
        tinyconv.cuda.manual_seed(5)
        masks.append(F.dropout(tinyconv.ones(1000, device=device), 0.3).tolist())
    assert masks[0] == masks[1]


def test_initialization_is_the_same_on_both_devices(gpu):
    weights = []
    for device in ("cpu", "cuda"):
        tinyconv.manual_seed(5)
        weights.append(tinyconv.rand(1000, device=device).tolist())
    assert weights[0] == weights[1]


def test_memory_statistics(gpu):
    before = cuda.memory_allocated()
    x = tinyconv.zeros(1000, device="cuda")
    assert cuda.memory_allocated() - before == 4096
    view = x[10:20]
    del x
    assert cuda.memory_allocated() - before == 4096
    del view
    assert cuda.memory_allocated() == before
    assert cuda.max_memory_allocated() >= before + 4096
    cuda.reset_peak_memory_stats()
    assert cuda.max_memory_allocated() == before
    assert cuda.memory_reserved() > before
    cuda.empty_cache()
    assert cuda.memory_reserved() == before
    free, total = cuda.mem_get_info()
    assert 0 < free <= total


def test_a_bad_index_is_an_index_error_when_the_host_waits(gpu):
    x = tinyconv.arange(5.0, device="cuda")
    y = x[tinyconv.tensor([1, 7], device="cuda")]
    with pytest.raises(IndexError, match="an index on the GPU was out of bounds"):
        y.cpu()
    assert x[tinyconv.tensor([1, -5], device="cuda")].tolist() == [1, 0]
    z = x[tinyconv.tensor([9], device="cuda")]
    with pytest.raises(IndexError, match="out of bounds"):
        cuda.synchronize()
    assert z.shape == (1,)


def test_views_that_repeat_elements_cannot_be_written(gpu):
    x = tinyconv.zeros(3, device="cuda").expand(2, 3)
    with pytest.raises((ValueError, RuntimeError), match="repeats? elements|more than one element"):
        x.add_(1)


def test_checkpoints_move_between_devices(gpu, tmp_path):
    state = {"w": tinyconv.arange(6.0, device="cuda").reshape(2, 3).t(), "n": 3}
    tinyconv.save(state, tmp_path / "x.safetensors")
    here = tinyconv.load(tmp_path / "x.safetensors")
    there = tinyconv.load(tmp_path / "x.safetensors", map_location="cuda")
    assert here["w"].device.type == "cpu" and there["w"].is_cuda
    assert here["w"].tolist() == there["w"].tolist() == state["w"].tolist()

    model = nn.Linear(3, 2).to("cuda")
    model.load_state_dict(nn.Linear(3, 2).state_dict())
    assert model.weight.is_cuda


def test_copies_stay_on_their_device(gpu):
    model = copy.deepcopy(nn.Linear(2, 2).to("cuda"))
    assert all(p.is_cuda for p in model.parameters())
    assert tinyconv.ones(2, device="cuda").clone().is_cuda


def test_a_tensor_prints_its_device(gpu):
    assert repr(tinyconv.ones(2, device="cuda")) == "tensor([1., 1.], device='cuda:0')"


def test_programs_that_would_take_bfloat16_take_another_type():
    assert tinyconv.cuda.is_bf16_supported() is False
