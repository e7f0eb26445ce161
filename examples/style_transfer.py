"""Style transfer: one photograph's content in another one's style, by gradient descent on the pixels.

Run it: python examples/style_transfer.py [--content photo.jpg] [--style painting.jpg]

What it shows. A network that was trained to name things keeps, layer by layer, less of where each pixel is and more
of what is there. Two images have the same content if the features of a deep layer are the same; they have the same
style if the features go together in the same way, wherever they are: if their Gram matrices, all products of two
channels, summed over all places, are the same. Neither needs a training set. The weights stay as they are, and what
is learned is an image.

By default the network is SqueezeNet 1.1 (5 MB), the content a portrait, and the style a photograph of a dahlia.
`--network vgg19` takes the network of the paper, where its weights (548 MB) are or can be downloaded.

Source: L. Gatys, A. Ecker, M. Bethge, "Image style transfer using convolutional neural networks", CVPR 2016.
"""

import argparse
from pathlib import Path

import matplotlib.pyplot as plt
from PIL import Image
from real_data import ants_and_bees, portrait

import tinyconv as torch
import tinyconv.nn.functional as F
from tinyconv import optim
from tinyconv.vision import models, transforms

# Which outputs of `features` to compare. Of VGG-19 those of the paper: conv1_1, conv2_1, ..., and conv4_2.
LAYERS = {"squeezenet1_1": ([1, 3, 6, 8, 10], 7), "vgg19": ([0, 5, 10, 19, 28], 21)}

parser = argparse.ArgumentParser()
parser.add_argument("--content", type=Path, default=portrait())
parser.add_argument("--style", type=Path, help="by default a dahlia, on which there are ants")
parser.add_argument("--network", choices=LAYERS, default="squeezenet1_1")
parser.add_argument("--steps", type=int, default=200)
parser.add_argument("--style-weight", type=float, default=3.0)
parser.add_argument("--out", type=Path, default=Path("runs/style_transfer.png"))
parser.add_argument("--quick", action="store_true", help="10 steps on small images, for tests")
args = parser.parse_args()
style_path = args.style or ants_and_bees() / "val" / "ants" / "892676922_4ab37dce07.jpg"

features = models.get_model(args.network, weights="DEFAULT").features.eval()
for p in features.parameters():
    p.requires_grad_(False)
style_layers, content_layer = LAYERS[args.network]


def activations(x):
    """The outputs of the layers that are compared, by number."""
    outputs = {}
    for number, layer in enumerate(features[: max(*style_layers, content_layer) + 1]):
        x = layer(x)
        if number in style_layers or number == content_layer:
            outputs[number] = x.clone()  # the ReLU that may follow writes in place
    return outputs


def gram(x):
    """Which channels go together: the mean product of each two, (C, C)."""
    _, C, H, W = x.shape
    x = x.reshape(C, H * W)
    return x @ x.T / (H * W)


def roughness(x):
    """Mean squared difference of neighbouring pixels: an image may not be made of noise."""
    return (x[..., 1:] - x[..., :-1]).square().mean() + (x[..., 1:, :] - x[..., :-1, :]).square().mean()


size = 64 if args.quick else 224
prepare = transforms.Compose([transforms.Resize(size), transforms.CenterCrop(size), transforms.ToTensor()])
normalize = transforms.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
content, style = (prepare(Image.open(path).convert("RGB")).unsqueeze(0) for path in (args.content, style_path))

with torch.no_grad():
    wanted_content = activations(normalize(content))[content_layer]
    wanted_style = {number: gram(y) for number, y in activations(normalize(style)).items() if number in style_layers}

image = content.clone().requires_grad_()
optimizer = optim.Adam([image], lr=0.02)
losses = []
for step in range(10 if args.quick else args.steps):
    outputs = activations(normalize(image))
    # Relative to the size of what is wanted: so every layer counts the same, and the weights mean the same everywhere.
    content_loss = F.mse_loss(outputs[content_layer], wanted_content) / wanted_content.square().mean()
    style_loss = sum(
        F.mse_loss(gram(outputs[number]), wanted) / wanted.square().mean() for number, wanted in wanted_style.items()
    ) / len(wanted_style)
    loss = content_loss + args.style_weight * style_loss + 10 * roughness(image)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    with torch.no_grad():
        image.clamp_(0, 1)
    losses.append((content_loss.item(), style_loss.item()))
    if step % 50 == 0:
        print(f"step {step}: content {losses[-1][0]:.4f}, style {losses[-1][1]:.4f}", flush=True)
print(f"in the end: content {losses[-1][0]:.4f}, style {losses[-1][1]:.4f} (at first {losses[0][1]:.4f})")

figure, axes = plt.subplots(1, 3, figsize=(7.5, 2.8), layout="constrained")
for ax, title, picture in zip(
    axes, ("content", "style", "the first in the style of the second"), (content, style, image)
):
    ax.imshow(picture.detach()[0].permute(1, 2, 0))
    ax.set_title(title, fontsize=9)
    ax.axis("off")
args.out.parent.mkdir(parents=True, exist_ok=True)
figure.savefig(args.out, dpi=80)
print(f"picture: {args.out}")

# Try next: --style-weight 30, or 0.3; a painting as the style (Van Gogh's starry night is the usual one); begin with
# noise, torch.rand_like(content), instead of the content; leave the content loss out, and you get the texture alone;
# take a single layer for the style and see what that layer knows.
