"""Training on the (simulated) GPU: the reference's losses, the CPU's random numbers, no detour through the host."""

from __future__ import annotations

import numpy as np
import pytest

import tinyconv
from tinyconv import cuda, kernels, nn, optim
from tinyconv.cli import main
from tinyconv.nn import functional as F
from tinyconv.optim.lr_scheduler import CosineAnnealingLR
from tinyconv.training import TrainingState, fit, resume
from tinyconv.utils.data import DataLoader, TensorDataset
from tinyconv.vision.datasets import write_idx
from tinyconv.vision.datasets.strokes import draw_digits

SGD = {"lr": 0.05, "momentum": 0.9, "nesterov": True, "weight_decay": 1e-3}


class Net(nn.Module):
    """A LeNet of a few pixels, with all that a training step can contain: batch norm, dropout, both poolings."""

    def __init__(self):
        super().__init__()
        self.c1, self.bn = nn.Conv2d(1, 3, 3, padding=1, bias=False), nn.BatchNorm2d(3)
        self.c2, self.out = nn.Conv2d(3, 4, 3), nn.Linear(4, 5)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.bn(self.c1(x))), 2)
        x = F.avg_pool2d(F.relu(self.c2(x)), 2)
        return self.out(F.dropout(x.flatten(1), 0.25, self.training))


@pytest.fixture
def gpu():
    with cuda.simulated() as device:
        yield device


def batches(count: int, n: int = 3) -> list:
    rng = np.random.default_rng(0)
    return [
        (tinyconv.from_numpy(rng.standard_normal((n, 1, 8, 8), np.float32)), tinyconv.tensor(rng.integers(0, 5, n)))
        for _ in range(count)
    ]


def made(device: str) -> tuple[Net, optim.SGD]:
    tinyconv.manual_seed(1)
    model = Net().to(device)
    return model, optim.SGD(model.parameters(), **SGD)


def step_of(model: nn.Module, optimizer: optim.Optimizer):
    def step(x, y):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        return loss.detach()

    return step


def values(model: nn.Module) -> dict[str, np.ndarray]:
    return {name: value.detach().cpu().numpy().copy() for name, value in model.state_dict().items()}


def assert_equal(a: dict[str, np.ndarray], b: dict[str, np.ndarray]) -> None:
    assert a.keys() == b.keys()
    for name in a:
        np.testing.assert_array_equal(a[name], b[name], err_msg=name)


def test_losses_are_the_references(gpu):
    found = {}
    for device in ("cuda", "cpu"):
        with tinyconv.use_kernels("reference"):
            model, optimizer = made(device)
            step = step_of(model, optimizer)
            losses = [step(x.to(device), y.to(device)).item() for x, y in batches(4)]
        found[device] = losses, values(model)
    assert found["cuda"][0] == pytest.approx(found["cpu"][0], rel=1e-5)
    for name, value in found["cpu"][1].items():
        np.testing.assert_allclose(found["cuda"][1][name], value, rtol=1e-4, atol=1e-5, err_msg=name)
    assert found["cuda"][1]["bn.num_batches_tracked"] == 4


def test_a_step_stays_on_the_device(gpu, monkeypatch):
    """Nothing is computed on the host, and nothing is copied, once inputs are there and addresses have settled."""
    model, optimizer = made("cuda")
    step = step_of(model, optimizer)
    data = [(x.to("cuda"), y.to("cuda")) for x, y in batches(1)]
    monkeypatch.setattr("tinyconv.kernels.cuda.optim.KEPT", 1)  # tables of addresses: each new one moves addresses
    copies: list[str] = []
    for name in ("to_device", "to_host"):
        right = getattr(gpu, name)
        monkeypatch.setattr(gpu, name, lambda *args, name=name, right=right: copies.append(name) or right(*args))
    for _ in range(3):
        step(*data[0])
    assert set(copies) == {"to_device"}  # the optimizer's table of addresses
    copies.clear()
    monkeypatch.setitem(kernels._by_class, np.ndarray, Host())
    monkeypatch.setattr(kernels, "_host", Host())
    step(*data[0])
    assert copies == []


class Host:
    """Kernels that nobody may call."""

    def __getattr__(self, name: str):
        raise AssertionError(f"{name} was computed on the host")


def trained(monkeypatch, graphs: bool, epochs: int = 2) -> tuple[dict, list, tuple, list]:
    """By the training loop, with a learning rate that falls at every step, and a smaller batch at the end."""
    model, optimizer = made("cuda")
    replays = []
    if graphs:
        replay = cuda.CUDAGraph.replay
        monkeypatch.setattr(cuda.CUDAGraph, "replay", lambda self: replays.append(replay(self)))
    else:
        monkeypatch.setattr(cuda, "make_graphed_step", lambda step, parameters: step)
    x, y = (tinyconv.cat(parts) for parts in zip(*batches(2, 4)))
    loader = DataLoader(TensorDataset(x, y), batch_size=3, shuffle=True)
    scheduler = CosineAnnealingLR(optimizer, T_max=epochs * len(loader))
    history = fit(model, loader, optimizer=optimizer, epochs=epochs, scheduler=scheduler, schedule="step")
    monkeypatch.undo()
    losses = [(row["train_loss"], row["train_accuracy"]) for row in history]
    return values(model), losses, tinyconv.default_generator.state, replays


def test_with_a_graph_it_is_the_same_to_the_bit(gpu, monkeypatch):
    eager, graphed = trained(monkeypatch, False), trained(monkeypatch, True)
    assert_equal(graphed[0], eager[0])
    assert graphed[1:3] == eager[1:3]
    assert len(graphed[3]) == 2 * 3 - 2  # all steps but the first of either shape


def test_checkpoints_move_between_devices(gpu, tmp_path):
    model, optimizer = made("cuda")
    step = step_of(model, optimizer)
    (x, y), *_ = batches(1)
    step(x.to("cuda"), y.to("cuda"))
    file = tmp_path / "checkpoint.safetensors"
    tinyconv.save({"model": model.state_dict(), "optimizer": optimizer.state_dict()}, file)
    model.eval()
    there = model(x.to("cuda")).tolist()

    saved = tinyconv.load(file, map_location="cpu")
    assert {value.device.type for value in saved["model"].values()} == {"cpu"}
    here, its_optimizer = made("cpu")
    here.load_state_dict(saved["model"])
    its_optimizer.load_state_dict(saved["optimizer"])
    assert {m["momentum_buffer"].device.type for m in its_optimizer.state.values()} == {"cpu"}
    np.testing.assert_allclose(here.eval()(x).tolist(), there, rtol=1e-4, atol=1e-5)

    back, its_optimizer = made("cuda")
    back.load_state_dict(saved["model"])
    its_optimizer.load_state_dict(saved["optimizer"])
    assert {p.device.type for p in back.parameters()} == {"cuda"}
    assert {m["momentum_buffer"].device.type for m in its_optimizer.state.values()} == {"cuda"}
    assert back.eval()(x.to("cuda")).tolist() == there
    assert tinyconv.load(file, map_location="cuda")["model"]["out.weight"].is_cuda


def test_a_run_goes_on_to_the_bit(gpu, tmp_path):
    """Interrupted after an epoch, saved, loaded into another process's objects: the generator's place included."""
    x, y = (tinyconv.cat(parts) for parts in zip(*batches(2, 3)))

    def begun(epochs: int) -> tuple[TrainingState, DataLoader]:
        model, optimizer = made("cuda")
        loader = DataLoader(TensorDataset(x, y), batch_size=3, shuffle=True)
        return TrainingState(model, optimizer, None, epochs), loader

    whole, loader = begun(2)
    resume(whole, loader)
    first, loader = begun(1)
    resume(first, loader)
    tinyconv.save(first.state_dict(), tmp_path / "run.safetensors")
    tinyconv.manual_seed(99)
    second, loader = begun(2)
    second.load_state_dict(tinyconv.load(tmp_path / "run.safetensors"))
    resume(second, loader)
    assert_equal(values(second.model), values(whole.model))


def test_the_command_line_trains_on_it(gpu, tmp_path, capsys):
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for name, split in (("train", 0), ("t10k", 1)):
        images, labels = draw_digits(4, split=split)
        write_idx(raw / f"{name}-images-idx3-ubyte", images)
        write_idx(raw / f"{name}-labels-idx1-ubyte", labels.astype("uint8"))
    command = ["train", "lenet5", "--device", "cuda", "--data", "mnist", "--data-dir", str(tmp_path)]
    assert main([*command, "--batch-size", "2", "--epochs", "2", "--out", str(tmp_path / "run")]) == 0
    printed = capsys.readouterr()
    assert "on simulator" in printed.out
    assert "without a CUDA graph" not in printed.err + printed.out
    assert (tmp_path / "run" / "model.safetensors").exists()
