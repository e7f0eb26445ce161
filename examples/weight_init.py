"""How a network starts decides whether it learns: nine ways to draw the first weights.

Run it: python examples/weight_init.py

What it shows. Six layers of ReLUs on Fashion-MNIST, the same in everything but the weights that they start with:

* all 0: nothing flows, forwards or backwards, and nothing ever changes;
* all equal: every neuron of a layer computes the same, gets the same gradient, and stays the same;
* uniform from 0 to 1: all positive, every layer makes its numbers some sixty times larger;
* uniform or normal around 0, of a fixed width: better, but the right width depends on the layer;
* the general rule, uniform within 1/sqrt(n) for n inputs: no layer explodes, but each shrinks its numbers
  (PyTorch's default, kept for its age);
* Xavier: the variance of a layer's output is that of its input, if the layer is linear;
* Kaiming: the same for ReLUs, which set one half of the numbers to 0.

The column "spread" says what becomes of numbers with standard deviation 1 on their way through the six layers before
any training. Where it is near 1 the loss falls at once. Sources: X. Glorot, Y. Bengio, "Understanding the difficulty of
training deep feedforward neural networks", AISTATS 2010; K. He et al., "Delving deep into rectifiers", ICCV 2015.
"""

import argparse
import math
from pathlib import Path

import matplotlib.pyplot as plt
from real_data import fashion_mnist

import tinyconv as torch
import tinyconv.nn.functional as F
from tinyconv import nn, optim
from tinyconv.nn import init
from tinyconv.utils.data import DataLoader, Subset
from tinyconv.vision import transforms

parser = argparse.ArgumentParser()
parser.add_argument("--epochs", type=int, default=2)
parser.add_argument("--out", type=Path, default=Path("runs/weight_init.png"))
parser.add_argument("--quick", action="store_true", help="on 500 images, for tests")
args = parser.parse_args()


def general_rule(weight):
    bound = 1 / math.sqrt(weight.shape[1])
    init.uniform_(weight, -bound, bound)


RULES = {
    "all 0": init.zeros_,
    "all 0.01": lambda weight: init.constant_(weight, 0.01),
    "uniform 0 to 1": lambda weight: init.uniform_(weight, 0, 1),
    "uniform -0.5 to 0.5": lambda weight: init.uniform_(weight, -0.5, 0.5),
    "normal, deviation 0.01": lambda weight: init.normal_(weight, 0, 0.01),
    "normal, deviation 0.1": lambda weight: init.normal_(weight, 0, 0.1),
    "general rule 1/sqrt(n)": general_rule,
    "Xavier": init.xavier_uniform_,
    "Kaiming": lambda weight: init.kaiming_uniform_(weight, nonlinearity="relu"),
}


def network(rule):
    layers = [nn.Flatten(), nn.Linear(28 * 28, 128), nn.ReLU()]
    for _ in range(5):
        layers += [nn.Linear(128, 128), nn.ReLU()]
    model = nn.Sequential(*layers, nn.Linear(128, 10))
    for layer in model:
        if isinstance(layer, nn.Linear):
            rule(layer.weight)
            init.zeros_(layer.bias)
    return model


def train(model, loader):
    optimizer = optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    losses = []
    for _ in range(args.epochs):
        for x, y in loader:
            loss = F.cross_entropy(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    return losses


def accuracy(model, loader):
    with torch.no_grad():
        right = sum((model(x).argmax(dim=1) == y).sum().item() for x, y in loader)
    return right / len(loader.dataset)


to_input = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.286,), (0.353,))])
train_set, test_set = fashion_mnist(True, to_input), fashion_mnist(False, to_input)
if args.quick:
    train_set, test_set = Subset(train_set, range(500)), Subset(test_set, range(100))
test_loader = DataLoader(test_set, batch_size=1000)
x, _ = next(iter(test_loader))

figure, ax = plt.subplots(figsize=(8, 4.2), layout="constrained")
print(f"{'weights':24} {'spread':>9} {'first loss':>10} {'last loss':>10} {'test accuracy':>13}")
for name, rule in RULES.items():
    torch.manual_seed(0)
    model = network(rule)
    with torch.no_grad():
        spread = model[:-1](x).std().item()
    order = torch.Generator().manual_seed(0)  # the same for all
    losses = train(model, DataLoader(train_set, batch_size=64, shuffle=True, generator=order))
    last = sum(losses[-50:]) / len(losses[-50:])
    print(f"{name:24} {spread:9.2g} {losses[0]:10.4g} {last:10.3f} {accuracy(model, test_loader):13.2%}", flush=True)
    smooth = [sum(losses[max(0, i - 24) : i + 1]) / min(i + 1, 25) for i in range(len(losses))]
    ax.plot(smooth, label=name, linewidth=1.2)

ax.set_ylim(0.2, 3.2)
ax.set_xlabel("step")
ax.set_ylabel("loss, mean of 25 steps")
ax.grid(alpha=0.3)
ax.legend(frameon=False, ncols=2, fontsize=8)
args.out.parent.mkdir(parents=True, exist_ok=True)
figure.savefig(args.out, dpi=80)
print(f"picture: {args.out}")

# Try next: put nn.BatchNorm1d(128) behind every Linear and watch the differences go away (batchnorm_and_depth.py does
# it in depth); change nn.ReLU to nn.Tanh, and Xavier becomes the better rule; take twelve layers instead of six; train
# with optim.Adam, which does not care how large a gradient is, only how steady.
