"""Why deep networks would not train, and what made them: vanishing gradients, batch norm, residuals.

Run it: python examples/batchnorm_and_depth.py

What it shows. The same kind of network on Fashion-MNIST, once 4 and then 20 layers deep. Going backwards, a gradient
is multiplied by every layer's weights; where a layer shrinks it a little, twenty shrink it to nothing, and the first
layers learn nothing (left, before any training). Batch norm gives every layer's output a mean of 0 and a variance of
1, and the gradient arrives; it even grows on its way. A residual block adds what it computes to what it was given, so
that there is a way back on which nothing is multiplied. Either makes twenty layers train (right); both together bear
40, where either alone fails (--depth 40).

Sources: S. Ioffe, C. Szegedy, "Batch normalization", 2015; K. He et al., "Identity mappings in deep residual networks",
2016.
"""

import argparse
from pathlib import Path

import matplotlib.pyplot as plt
from real_data import fashion_mnist

import tinyconv as torch
import tinyconv.nn.functional as F
from tinyconv import nn, optim
from tinyconv.utils.data import DataLoader, Subset
from tinyconv.vision import transforms

parser = argparse.ArgumentParser()
parser.add_argument("--epochs", type=int, default=2)
parser.add_argument("--depth", type=int, default=20)
parser.add_argument("--out", type=Path, default=Path("runs/batchnorm_and_depth.png"))
parser.add_argument("--quick", action="store_true", help="on 500 images, for tests")
args = parser.parse_args()

WIDTH = 64


class Plain(nn.Module):
    """A layer and a ReLU."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(WIDTH, WIDTH)

    def forward(self, x):
        return F.relu(self.layer(x))


class Normalized(nn.Module):
    """A layer, batch norm, a ReLU."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(WIDTH, WIDTH, bias=False)  # the norm has one, and would take this one away again
        self.norm = nn.BatchNorm1d(WIDTH)

    def forward(self, x):
        return F.relu(self.norm(self.layer(x)))


class Residual(nn.Module):
    """The input, and what a ReLU and a layer have to add to it."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(WIDTH, WIDTH)

    def forward(self, x):
        return x + self.layer(F.relu(x))


class NormalizedResidual(nn.Module):
    """The same, with batch norm before the ReLU."""

    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm1d(WIDTH)
        self.layer = nn.Linear(WIDTH, WIDTH)

    def forward(self, x):
        return x + self.layer(F.relu(self.norm(x)))


def network(block, depth):
    blocks = (block() for _ in range(depth))
    return nn.Sequential(nn.Flatten(), nn.Linear(28 * 28, WIDTH), *blocks, nn.Linear(WIDTH, 10))


def gradients(model, x, y):
    """How long the gradient of each layer's weights is, from the first layer to the last."""
    F.cross_entropy(model(x), y).backward()
    return [p.grad.norm().item() for p in model.parameters() if p.dim() == 2]


def train(model, loader):
    optimizer = optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    losses = []
    model.train()
    for _ in range(args.epochs):
        for x, y in loader:
            loss = F.cross_entropy(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    return losses


def accuracy(model, loader):
    model.eval()
    with torch.no_grad():
        right = sum((model(x).argmax(dim=1) == y).sum().item() for x, y in loader)
    return right / len(loader.dataset)


to_input = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.286,), (0.353,))])
train_set, test_set = fashion_mnist(True, to_input), fashion_mnist(False, to_input)
if args.quick:
    train_set, test_set = Subset(train_set, range(500)), Subset(test_set, range(100))
test_loader = DataLoader(test_set, batch_size=1000)
x, y = next(iter(test_loader))

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
print(f"{'network':26} {'first gradient':>14} {'last gradient':>13} {'last loss':>9} {'test accuracy':>13}")
for name, block, depth in (
    ("plain, 4 layers", Plain, 4),
    (f"plain, {args.depth} layers", Plain, args.depth),
    (f"batch norm, {args.depth} layers", Normalized, args.depth),
    (f"residuals, {args.depth} layers", Residual, args.depth),
    (f"both, {args.depth} layers", NormalizedResidual, args.depth),
):
    torch.manual_seed(0)
    model = network(block, depth)
    norms = gradients(model, x, y)
    losses = train(
        model, DataLoader(train_set, batch_size=64, shuffle=True, generator=torch.Generator().manual_seed(0))
    )
    last = sum(losses[-50:]) / len(losses[-50:])
    tested = accuracy(model, test_loader)
    print(f"{name:26} {norms[0]:14.1e} {norms[-1]:13.1e} {last:9.3f} {tested:13.2%}", flush=True)
    left.semilogy([i / (len(norms) - 1) for i in range(len(norms))], norms, label=name)
    right.plot([sum(losses[max(0, i - 24) : i + 1]) / min(i + 1, 25) for i in range(len(losses))], label=name)

left.set_xlabel("from the first layer (0) to the last (1)")
left.set_ylabel("length of the weights' gradient")
right.set_xlabel("step")
right.set_ylabel("loss, mean of 25 steps")
right.set_ylim(0.2, 2.6)
for ax in (left, right):
    ax.grid(alpha=0.3)
    ax.legend(frameon=False, fontsize=8)
args.out.parent.mkdir(parents=True, exist_ok=True)
figure.savefig(args.out, dpi=80)
print(f"picture: {args.out}")

# Try next: --depth 40; start the plain network with nn.init.kaiming_normal_ (weight_init.py) and see how deep that
# alone will go; let the residual blocks start with weights of zero, so that the network begins as a shallow one; plot
# how the gradients look after training.
