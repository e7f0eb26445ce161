"""Cats and dogs, the classifier that every course builds: three convolutions, folders of photographs, augmentation.

Run it: python examples/cats_and_dogs.py [--data FOLDER]

What it shows. Photographs are streamed from folders, one a class; every time that the network sees one it is sheared,
zoomed and flipped a little differently, for 244 photographs would soon be known by heart; and the training ends by
itself when the validation loss has not improved for some epochs, and puts the best weights back.

FOLDER has `train` and `val`, and in each a folder for every class (`train/cats/1.jpg`, ...). By default these are not
cats and dogs but the ants and bees of PyTorch's tutorial: 244 photographs instead of 2,000 and insects instead of
pets, so expect less than the course's 80%. The network is Keras's (F. Chollet, "Building powerful image
classification models using very little data", 2016)."""

import argparse
import functools
from pathlib import Path

from real_data import ants_and_bees

import tinyconv as torch
from tinyconv import nn, optim, training
from tinyconv.utils.data import DataLoader
from tinyconv.vision import datasets, transforms

parser = argparse.ArgumentParser()
parser.add_argument("--data", type=Path)
parser.add_argument("--epochs", type=int, default=60, help="at most")
parser.add_argument("--out", type=Path, default=Path("runs/cats_and_dogs.png"))
parser.add_argument("--quick", action="store_true", help="two epochs, for tests")
args = parser.parse_args()
folder = args.data or ants_and_bees()

SIZE = 96  # the third convolution's pooled maps have 10x10 pixels then


class ThreeConvolutions(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 32, 3)
        self.conv2 = nn.Conv2d(32, 32, 3)
        self.conv3 = nn.Conv2d(32, 64, 3)
        self.pool = nn.MaxPool2d(2)
        self.relu = nn.ReLU()
        self.flatten = nn.Flatten()
        self.dropout = nn.Dropout(0.5)
        self.fc1 = nn.Linear(64 * 10 * 10, 64)
        self.fc2 = nn.Linear(64, classes)

    def forward(self, x):
        x = self.pool(self.relu(self.conv1(x)))
        x = self.pool(self.relu(self.conv2(x)))
        x = self.pool(self.relu(self.conv3(x)))
        x = self.dropout(self.relu(self.fc1(self.flatten(x))))
        return self.fc2(x)


@functools.cache
def small(path):
    """A photograph, reduced once and kept. With more than memory holds leave the cache out: nothing else changes."""
    return transforms.functional.resize(datasets.folder.pil_loader(path), (SIZE, SIZE))


to_input = [transforms.ToTensor(), transforms.Normalize((0.5, 0.5, 0.5), (0.25, 0.25, 0.25))]
augment = transforms.Compose(
    [
        transforms.RandomAffine(degrees=0, shear=11, scale=(0.8, 1.2)),  # Keras's shear_range=0.2 is 11 degrees
        transforms.RandomHorizontalFlip(),
        *to_input,
    ]
)
train_set = datasets.ImageFolder(folder / "train", transform=augment, loader=small)
val_set = datasets.ImageFolder(folder / "val", transform=transforms.Compose(to_input), loader=small)
train_loader = DataLoader(train_set, batch_size=16, shuffle=True)
val_loader = DataLoader(val_set, batch_size=64)
print(f"{len(train_set)} photographs to train on, {len(val_set)} to validate on, of {', '.join(train_set.classes)}")

torch.manual_seed(0)
model = ThreeConvolutions(len(train_set.classes))
early = training.EarlyStopping("val_loss", patience=12)
history = training.fit(
    model,
    train_loader,
    val_loader,
    optimizer=optim.RMSprop(model.parameters(), lr=5e-4),
    epochs=2 if args.quick else args.epochs,
    callbacks=[early, training.ConsoleProgress()],
)

best = training.evaluate(model, val_loader)
print(f"best epoch: {early.best_epoch} of {len(history)}; {best.accuracy:.2%} of {len(val_set)} right")
args.out.parent.mkdir(parents=True, exist_ok=True)
training.pictures.curves(history).save(args.out, dpi=70)
print(f"picture: {args.out}")

# Try next: leave `augment` out and watch the two curves part; real cats and dogs (the course's 2,000 photographs, in
# folders); transfer_learning.py, which takes a network that has seen photographs before, and gets half as many wrong or
# fewer; batch norm behind each convolution.
