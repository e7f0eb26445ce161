"""Training in PyTorch, in eager mode, as the benchmarks of whole networks run it: the peer of ``ours.py``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, from_numpy, nn, set_num_threads
from torch.nn import functional as F

__all__ = ["Training", "from_numpy", "set_num_threads"]


class LeNet5(nn.Module):
    """``tinyconv.vision.models.LeNet5``."""

    def __init__(self):
        super().__init__()
        self.c1 = nn.Conv2d(1, 6, kernel_size=5, padding=2)
        self.s2 = nn.MaxPool2d(kernel_size=2)
        self.c3 = nn.Conv2d(6, 16, kernel_size=5)
        self.s4 = nn.MaxPool2d(kernel_size=2)
        self.c5 = nn.Linear(16 * 5 * 5, 120)
        self.f6 = nn.Linear(120, 84)
        self.output = nn.Linear(84, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.s2(F.relu(self.c1(x)))
        x = self.s4(F.relu(self.c3(x)))
        x = F.relu(self.c5(x.flatten(1)))
        return self.output(F.relu(self.f6(x)))


class BasicBlock(nn.Module):
    """``tinyconv.vision.models.cifar_resnet.BasicBlock``."""

    def __init__(self, in_channels: int, channels: int, stride: int = 1):
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, channels, kernel_size=3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, kernel_size=3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.stride, self.more = stride, channels - in_channels

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        if self.more:
            x = F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, self.more // 2, self.more // 2))
        return F.relu(y + x)


class ResNet20(nn.Module):
    """``tinyconv.vision.models.resnet20()``."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, kernel_size=3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        self.layer1 = nn.Sequential(BasicBlock(16, 16), BasicBlock(16, 16), BasicBlock(16, 16))
        self.layer2 = nn.Sequential(BasicBlock(16, 32, stride=2), BasicBlock(32, 32), BasicBlock(32, 32))
        self.layer3 = nn.Sequential(BasicBlock(32, 64, stride=2), BasicBlock(64, 64), BasicBlock(64, 64))
        self.linear = nn.Linear(64, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.bn1(self.conv1(x)))
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.linear(F.adaptive_avg_pool2d(x, 1).flatten(1))


class Training:
    """A network and its optimizer; see ``ours.Training``."""

    def __init__(self, network: str, weights: dict[str, np.ndarray] | None = None, device: str = "cpu", **sgd: Any):
        self.model = {"lenet5": LeNet5, "resnet20": ResNet20}[network]().to(device)
        if weights:
            self.model.load_state_dict({name: torch.tensor(array) for name, array in weights.items()})
        self.optimizer = torch.optim.SGD(self.model.parameters(), **sgd)

    def weights(self) -> dict[str, np.ndarray]:
        """A copy of the network's state."""
        return {name: value.numpy(force=True).copy() for name, value in self.model.state_dict().items()}

    def gradients(self) -> dict[str, np.ndarray]:
        """The parameters' gradients, as the last step has left them."""
        return {name: p.grad.numpy(force=True) for name, p in self.model.named_parameters() if p.grad is not None}

    def step(self, x: Tensor, target: Tensor) -> Tensor:
        """One training step; the loss before it."""
        self.optimizer.zero_grad()
        loss = F.cross_entropy(self.model(x), target)
        loss.backward()
        self.optimizer.step()
        return loss

    def graphed(self, x: Tensor, target: Tensor) -> Callable[[Tensor, Tensor], Tensor]:
        """:meth:`step`, all of it, as a CUDA graph, for batches of these shapes.

        Raises:
            RuntimeError: it cannot be recorded.
        """
        place_x, place_target = x.clone(), target.clone()
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(3):
                self.step(place_x, place_target)
        torch.cuda.current_stream().wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            loss = self.step(place_x, place_target)

        def step(x: Tensor, target: Tensor) -> Tensor:
            place_x.copy_(x)
            place_target.copy_(target)
            graph.replay()
            return loss

        return step

    def correct(self, x: Tensor, target: Tensor) -> int:
        """How many images get their highest score for ``target``."""
        with torch.no_grad():
            return int((self.model(x).argmax(1) == target).sum().item())
