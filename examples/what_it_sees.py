"""What a network sees: its filters, its feature maps, and which part of a photograph its answer comes from.

Run it: python examples/what_it_sees.py [photo.jpg ...]

What it shows, of SqueezeNet 1.1, trained on ImageNet's thousand kinds of things:

* filters: the first layer's 64 kernels as colour images; edges (see edges_sobel.py) and colours, found by training
  alone;
* feature maps: what the layers make of the first photograph, from edges to places that mean something;
* saliency: how much each pixel would change the score (K. Simonyan et al., 2013); exact, and noisy;
* occlusion: cover a square, see how much less probable the answer becomes, move the square on (M. Zeiler, R. Fergus,
  2013); slow, and nothing has to be believed;
* Grad-CAM: those of the last feature maps that speak for the answer (R. Selvaraju et al., 2017); one backward pass.

If the answer comes from the flower and not from the bee, the network has learned where bees sit, not what they are.
"""

import argparse
from pathlib import Path

from PIL import Image
from real_data import ants_and_bees

import tinyconv as torch
from tinyconv.training import pictures
from tinyconv.vision import models

BEES = ["2321144482_f3785ba7b2.jpg", "1355974687_1341c1face.jpg", "586474709_ae436da045.jpg", "44105569_16720a960c.jpg"]

parser = argparse.ArgumentParser()
parser.add_argument("photos", type=Path, nargs="*")
parser.add_argument("--out", type=Path, default=Path("runs/what_it_sees"), help="folder for the pictures")
parser.add_argument("--quick", action="store_true", help="few squares, for tests")
args = parser.parse_args()
photos = args.photos or [ants_and_bees() / "val" / "bees" / name for name in BEES]

weights = models.SqueezeNet1_1_Weights.DEFAULT
model = models.squeezenet1_1(weights=weights).eval()
prepare = weights.transforms()
x = torch.stack([prepare(Image.open(photo).convert("RGB")) for photo in photos])

with torch.no_grad():
    probability, answer = model(x).softmax(dim=1).max(dim=1)
for photo, p, number in zip(photos, probability.tolist(), answer.tolist()):
    print(f"{photo.name}: class {number} of ImageNet, {p:.1%}")  # 309 is a bee, 310 an ant

args.out.mkdir(parents=True, exist_ok=True)
style = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}
pictures.filters(model).save(args.out / "filters.png", dpi=60)
layers = ["features.0", "features.3", "features.6", "features.9", "features.12"]
pictures.feature_maps(model, x[:1], layers).save(args.out / "feature_maps.png", dpi=60)
pictures.saliency(model, x, answer, **style).save(args.out / "saliency.png", dpi=60)
step = 96 if args.quick else 16
pictures.occlusion(model, x, answer, size=48, stride=step, **style).save(args.out / "occlusion.png", dpi=60)
pictures.grad_cam(model, x, answer, **style).save(args.out / "grad_cam.png", dpi=60)
print(f"pictures: {args.out}/filters.png, feature_maps.png, saliency.png, occlusion.png, grad_cam.png")

# Try next: a photograph of two things, and `answer` set to the second most probable; Grad-CAM of an earlier layer
# (layer="features.6"); the same for your own network of transfer_learning.py; a photograph that it gets wrong, which is
# where these pictures earn their keep.
