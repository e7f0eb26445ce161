"""Edges by convolution: the Sobel pair, the strength of an edge, and a network that finds the same kernel by itself.

Run it: python examples/edges_sobel.py [--image photo.jpg]

What it shows. A kernel whose numbers add up to 0 answers nothing where the image is flat and much where it changes:
Sobel's first kernel to changes from left to right, his second to changes from top to bottom. Together they are the
image's gradient; its length is the strength of the edge, whichever way it runs. The second half forgets the numbers,
shows a layer nothing but the photograph and the edges, and lets it learn: that is all that a convolutional network
does, only that nobody knows beforehand what its kernels should find.

Source: I. Sobel, G. Feldman, "A 3x3 isotropic gradient operator for image processing", 1968.
"""

import argparse
from pathlib import Path

import matplotlib.pyplot as plt
from PIL import Image
from real_data import portrait

import tinyconv as torch
import tinyconv.nn.functional as F
from tinyconv import nn, optim
from tinyconv.vision import transforms

parser = argparse.ArgumentParser()
parser.add_argument("--image", type=Path, default=portrait())
parser.add_argument("--out", type=Path, default=Path("runs/edges_sobel.png"))
parser.add_argument("--quick", action="store_true", help="on a small image, for tests")
args = parser.parse_args()

prepare = transforms.Compose(
    [transforms.Grayscale(), transforms.Resize(64 if args.quick else 240), transforms.ToTensor()]
)
photo = prepare(Image.open(args.image)).unsqueeze(0)  # (1, 1, H, W), from 0 (black) to 1 (white)

# ------------------------------------------------------------------------------------------------------------------
# 1. Two kernels, one convolution with two output channels.

across = torch.tensor([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]])
down = across.T
pair = torch.stack([across, down]).unsqueeze(1)  # (O, C, KH, KW) = (2, 1, 3, 3)
edges = F.conv2d(photo, pair)
strength = edges.square().sum(dim=1, keepdim=True).sqrt()

print(f"{args.image.name}: the strongest edge is {strength.max():.2f}, that of the median {strength.median():.2f}")

# Each kernel is a column times a row: smooth along the edge (1, 2, 1), take the difference across it (-1, 0, 1). Two
# narrow convolutions do the same with 6 multiplications a pixel instead of 9.
smooth = torch.tensor([1.0, 2.0, 1.0]).reshape(1, 1, 3, 1)
difference = torch.tensor([-1.0, 0.0, 1.0]).reshape(1, 1, 1, 3)
assert torch.allclose(F.conv2d(F.conv2d(photo, smooth), difference), edges[:, :1], atol=1e-5)

# ------------------------------------------------------------------------------------------------------------------
# 2. The same kernel, learned from one example: the photograph and its edges from left to right.

torch.manual_seed(0)
layer = nn.Conv2d(1, 1, 3, bias=False)
optimizer = optim.LBFGS(layer.parameters(), line_search_fn="strong_wolfe")


def closure():
    optimizer.zero_grad()
    loss = F.mse_loss(layer(photo), edges[:, :1])
    loss.backward()
    return loss


for step in range(5):
    loss = optimizer.step(closure)
    print(f"step {step + 1}: mean squared error {loss.item():.2e}")
learned = layer.weight.detach()[0, 0]
print(f"learned kernel:\n{learned.numpy().round(3)}")
print(f"largest difference from Sobel's: {(learned - across).abs().max():.4f}")

# ------------------------------------------------------------------------------------------------------------------

figure, axes = plt.subplots(1, 4, figsize=(9, 3), layout="constrained")
pictures = (
    ("photograph", photo[0, 0], "gray"),
    ("left to right", edges[0, 0], "RdBu"),
    ("top to bottom", edges[0, 1], "RdBu"),
    ("strength", strength[0, 0], "gray_r"),
)
for ax, (title, picture, colours) in zip(axes, pictures):
    top = picture.abs().max().item()
    ax.imshow(picture, cmap=colours, vmin=-top if colours == "RdBu" else 0, vmax=top)
    ax.set_title(title)
    ax.axis("off")
args.out.parent.mkdir(parents=True, exist_ok=True)
figure.savefig(args.out, dpi=72)
print(f"picture: {args.out}")

# Try next: smooth first (transforms.GaussianBlur(5, 2.0)) and see which edges stay; colour the strength by its
# direction, torch.atan2(edges[0, 1], edges[0, 0]); learn a 5x5 kernel from the same example, and ask why it is not zero
# outside its middle 3x3; what_it_sees.py shows kernels that a network has learned from a million photographs.
