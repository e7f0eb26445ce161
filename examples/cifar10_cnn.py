"""CIFAR-10: small colour photographs of ten kinds, and the usual means against learning them by heart.

Run it: python examples/cifar10_cnn.py [--epochs 12]

What it shows. A network in VGG's manner: pairs of 3x3 convolutions with batch norm, the maps halved and the channels
doubled after each pair. Random crops and flips, dropout and weight decay keep it from learning the images by heart; the
learning rate rises and falls again once (L. Smith, N. Topin, "Super-convergence", 2018), so that few epochs are enough.
The program trains on those of CIFAR-10's five files that are on the machine, and says which.
"""

import argparse
import time
from pathlib import Path

from real_data import cifar10

import tinyconv as torch
from tinyconv import nn, optim, training
from tinyconv.utils.data import DataLoader, Subset
from tinyconv.vision import transforms

parser = argparse.ArgumentParser()
parser.add_argument("--epochs", type=int, default=12)
parser.add_argument("--out", type=Path, default=Path("runs/cifar10_cnn"), help="folder for the pictures")
parser.add_argument("--quick", action="store_true", help="one epoch on 256 images, for tests")
args = parser.parse_args()
epochs = 1 if args.quick else args.epochs


def pair(channels, more):
    """Two convolutions, and the maps halved."""
    return [
        nn.Conv2d(channels, more, 3, padding=1, bias=False),
        nn.BatchNorm2d(more),
        nn.ReLU(),
        nn.Conv2d(more, more, 3, padding=1, bias=False),
        nn.BatchNorm2d(more),
        nn.ReLU(),
        nn.MaxPool2d(2),
    ]


mean, std = (0.4914, 0.4822, 0.4465), (0.247, 0.2435, 0.2616)
to_input = [transforms.ToTensor(), transforms.Normalize(mean, std)]
augment = transforms.Compose([transforms.RandomCrop(32, padding=4), transforms.RandomHorizontalFlip(), *to_input])
train_set, test_set = cifar10(True, augment), cifar10(False, transforms.Compose(to_input))
classes = test_set.classes
print(f"{len(train_set):,} images to train on ({', '.join(train_set.parts)}), {len(test_set):,} to test on")
if args.quick:
    train_set, test_set = Subset(train_set, range(256)), Subset(test_set, range(100))
train_loader = DataLoader(train_set, batch_size=64, shuffle=True)
test_loader = DataLoader(test_set, batch_size=500)

torch.manual_seed(0)
model = nn.Sequential(
    *pair(3, 32), *pair(32, 64), *pair(64, 128), nn.Flatten(), nn.Dropout(0.3), nn.Linear(128 * 4 * 4, 10)
)
optimizer = optim.SGD(model.parameters(), lr=0.05, momentum=0.9, weight_decay=5e-4, nesterov=True)
scheduler = optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.1, total_steps=epochs * len(train_loader))
started = time.perf_counter()
history = training.fit(
    model,
    train_loader,
    test_loader,
    optimizer=optimizer,
    epochs=epochs,
    scheduler=scheduler,
    schedule="step",
    callbacks=[training.ConsoleProgress()],
)
print(f"{history[-1]['val_accuracy']:.2%} of {len(test_set):,} right after {time.perf_counter() - started:.0f} seconds")

scores, target = training.predict(model, test_loader)
matrix = training.metrics.confusion_matrix(target, scores, 10)
args.out.mkdir(parents=True, exist_ok=True)
training.pictures.curves(history).save(args.out / "curves.png", dpi=70)
training.pictures.confusion(matrix, classes).save(args.out / "confusion.png", dpi=70)
training.pictures.wrongest(test_set, target, scores, classes, mean=mean, std=std).save(
    args.out / "wrongest.png", dpi=70
)
print(f"pictures: {args.out}/curves.png, confusion.png, wrongest.png")

# Try next: all five files and 30 epochs; models.resnet20() with its author's weights gets 91.7% of the test images
# right (`tinyconv eval`); leave out the crops and flips and look at the training curve; look at wrongest.png and
# decide which of them you would have known.
