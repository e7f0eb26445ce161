"""Four autoencoders: linear, transposed convolution, upsampling, and one that removes noise.

Run it: python examples/autoencoders.py

What it shows. An autoencoder learns without labels: squeeze an image through a narrow place (the code), unfold it
again, and be content when what comes out is what went in. The four differ in how they unfold:

* linear: one matrix to 32 numbers, one back; what principal component analysis finds, with a sigmoid at the end;
* transposed convolution: each number of the code stamps its kernel on the output, two pixels further than the last one;
* upsampling: enlarge by copying the nearest pixel, then an ordinary convolution; no stamps that overlap unevenly
  (A. Odena et al., "Deconvolution and checkerboard artifacts", Distill, 2016);
* denoising: the same, but what goes in is noisy and what must come out is clean (P. Vincent et al., ICML 2008): the
  network has to learn what digits look like.

The loss is the cross entropy of each pixel's brightness. With the mean squared error of a sigmoid instead, the
denoising one answers black to everything, for ever: most pixels are black, and where a sigmoid is sure its gradient
is gone.
"""

import argparse
import time
from pathlib import Path

import matplotlib.pyplot as plt
from real_data import mnist

import tinyconv as torch
import tinyconv.nn.functional as F
from tinyconv import nn, optim
from tinyconv.utils.data import DataLoader, Subset
from tinyconv.vision import transforms
from tinyconv.vision.utils import make_grid

parser = argparse.ArgumentParser()
parser.add_argument("--epochs", type=int, default=2)
parser.add_argument("--out", type=Path, default=Path("runs/autoencoders.png"))
parser.add_argument("--quick", action="store_true", help="on 500 images, for tests")
args = parser.parse_args()

NOISE = 0.5


def linear():
    return nn.Sequential(
        nn.Flatten(),
        nn.Linear(28 * 28, 32),
        nn.ReLU(),
        nn.Linear(32, 28 * 28),
        nn.Unflatten(1, (1, 28, 28)),
    )


def encoder(channels, code):
    """(N, 1, 28, 28) to (N, code, 7, 7)."""
    return [
        nn.Conv2d(1, channels, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(channels, code, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
    ]


def transposed(channels=16, code=4):
    return nn.Sequential(
        *encoder(channels, code),
        nn.ConvTranspose2d(code, channels, 2, stride=2),
        nn.ReLU(),
        nn.ConvTranspose2d(channels, 1, 2, stride=2),
    )


def upsampling(channels=16, code=4):
    return nn.Sequential(
        *encoder(channels, code),
        nn.Upsample(scale_factor=2, mode="nearest"),
        nn.Conv2d(code, channels, 3, padding=1),
        nn.ReLU(),
        nn.Upsample(scale_factor=2, mode="nearest"),
        nn.Conv2d(channels, 1, 3, padding=1),
    )


def add_noise(x):
    return (x + NOISE * torch.randn_like(x)).clamp(0, 1)


def train(model, loader, damage):
    optimizer = optim.Adam(model.parameters(), lr=2e-3)
    for _ in range(args.epochs):
        for x, _ in loader:
            loss = F.binary_cross_entropy_with_logits(model(damage(x)), x)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()


torch.manual_seed(0)
train_set, test_set = mnist(True, transforms.ToTensor()), mnist(False, transforms.ToTensor())
if args.quick:
    train_set, test_set = Subset(train_set, range(500)), Subset(test_set, range(100))
test, _ = next(iter(DataLoader(test_set, batch_size=min(2000, len(test_set)))))
noisy = add_noise(test)

pictures = [test]
print(f"{'autoencoder':24} {'numbers in the code':>19} {'mean squared error':>18} {'seconds':>8}")
for name, model, size, damage, given in (
    ("linear", linear(), 32, lambda x: x, test),
    ("transposed convolution", transposed(), 4 * 7 * 7, lambda x: x, test),
    ("upsampling", upsampling(), 4 * 7 * 7, lambda x: x, test),
    ("denoising", upsampling(channels=16, code=16), 16 * 7 * 7, add_noise, noisy),
):
    started = time.perf_counter()
    train(model, DataLoader(train_set, batch_size=64, shuffle=True), damage)
    with torch.no_grad():
        made = model(given).sigmoid()
    seconds = time.perf_counter() - started
    print(f"{name:24} {size:19} {F.mse_loss(made, test):18.4f} {seconds:8.0f}", flush=True)
    pictures += [given, made] if given is noisy else [made]
print(f"the noisy images as they are: {F.mse_loss(noisy, test):.4f}")

titles = ["test images", "linear", "transposed", "upsampling", "noisy", "denoised"]
figure, ax = plt.subplots(figsize=(7, 3.4), layout="constrained")
ax.imshow(make_grid(torch.cat([row[:12] for row in pictures]), nrow=12, padding=1, pad_value=0.5).permute(1, 2, 0))
ax.set_yticks([15 + 29 * i for i in range(len(titles))], titles)
ax.set_xticks([])
args.out.parent.mkdir(parents=True, exist_ok=True)
figure.savefig(args.out, dpi=80)
print(f"picture: {args.out}")

# Try next: a code of 2 numbers, drawn as points in the plane with one colour a digit; walk between two codes and look
# at what lies between a 4 and a 9; fill a square of zeros instead of noise; train a classifier on the code, with 100
# labels.
