"""Dog breeds from a table: a Dataset of one's own, for labels that are in a CSV file and not in folders' names.

Run it: python examples/dog_breeds.py [--labels labels.csv --images FOLDER]

What it shows. Kaggle's dog breeds come as one folder of photographs and a table of two columns, `id,breed`. A class
with `__len__` and `__getitem__` makes a data set of them; all else, loaders, workers, training, takes it as it takes
any other. Part of each class is set aside for validation, classes that have more photographs than others are drawn
less often, and the answers are written as Kaggle wants them: a probability for every class.

By default the table is made of the ants and bees: their names and labels, in an order that tells nothing.
"""

import argparse
import csv
from pathlib import Path

from PIL import Image
from real_data import ants_and_bees

import tinyconv as torch
import tinyconv.nn.functional as F
from tinyconv import nn, optim, training
from tinyconv.utils.data import DataLoader, Dataset, Subset, WeightedRandomSampler
from tinyconv.vision import models

parser = argparse.ArgumentParser()
parser.add_argument("--labels", type=Path, help="CSV file, id and breed")
parser.add_argument("--images", type=Path, help="folder of the photographs, id.jpg")
parser.add_argument("--epochs", type=int, default=3)
parser.add_argument("--out", type=Path, default=Path("runs/dog_breeds"), help="folder for the answers")
parser.add_argument("--quick", action="store_true", help="on 40 photographs, for tests")
args = parser.parse_args()
args.out.mkdir(parents=True, exist_ok=True)


def make_table(folder, path):
    """What Kaggle gives: a table of every photograph in `folder/<class>/`, sorted by name."""
    rows = [(photo.relative_to(folder).with_suffix(""), photo.parent.name) for photo in folder.glob("*/*.jpg")]
    with open(path, "w", newline="") as file:
        csv.writer(file).writerows([("id", "breed"), *sorted(rows, key=lambda row: row[0].name)])


class LabelledPhotographs(Dataset):
    """A CSV file's photographs: ``(image, number of the class)``."""

    def __init__(self, labels, images, transform=None):
        with open(labels, newline="") as file:
            rows = list(csv.DictReader(file))
        self.classes = sorted({row["breed"] for row in rows})
        self.ids = [row["id"] for row in rows]
        self.targets = [self.classes.index(row["breed"]) for row in rows]
        self.images, self.transform = images, transform

    def __len__(self):
        return len(self.ids)

    def __getitem__(self, index):
        image = Image.open(self.images / f"{self.ids[index]}.jpg").convert("RGB")
        return self.transform(image) if self.transform else image, self.targets[index]


if args.labels is None:
    args.images, args.labels = ants_and_bees() / "train", args.out / "labels.csv"
    make_table(args.images, args.labels)

weights = models.SqueezeNet1_1_Weights.DEFAULT
dataset = LabelledPhotographs(args.labels, args.images, weights.transforms())
print(f"{len(dataset)} photographs of {len(dataset.classes)} classes")

# Every fifth of each class is for validation.
by_class = [[i for i, target in enumerate(dataset.targets) if target == c] for c in range(len(dataset.classes))]
if args.quick:
    by_class = [indices[:20] for indices in by_class]
train_set = Subset(dataset, [i for indices in by_class for n, i in enumerate(indices) if n % 5])
val_set = Subset(dataset, [i for indices in by_class for i in indices[::5]])

torch.manual_seed(0)
chance = [1 / len(by_class[dataset.targets[i]]) for i in train_set.indices]
sampler = WeightedRandomSampler(chance, len(train_set))
train_loader = DataLoader(train_set, batch_size=32, sampler=sampler, num_workers=2)
val_loader = DataLoader(val_set, batch_size=32, num_workers=2)

model = models.squeezenet1_1(weights=weights)
model.features.requires_grad_(False)
model.classifier = nn.Sequential(
    nn.AdaptiveAvgPool2d(1),
    nn.Flatten(),
    nn.LayerNorm(512),  # photographs differ in contrast; features are compared with each other
    nn.Dropout(0.5),
    nn.Linear(512, len(dataset.classes)),
)
history = training.fit(
    model,
    train_loader,
    val_loader,
    optimizer=optim.Adam(model.classifier.parameters(), lr=3e-3),
    epochs=1 if args.quick else args.epochs,
    callbacks=[training.ConsoleProgress()],
)
print(f"{history[-1]['val_accuracy']:.2%} of {len(val_set)} right, log loss {history[-1]['val_loss']:.3f}")

scores, _ = training.predict(model, val_loader)
with open(args.out / "submission.csv", "w", newline="") as file:
    table = csv.writer(file)
    table.writerow(["id", *dataset.classes])
    for i, row in zip(val_set.indices, F.softmax(torch.tensor(scores), dim=1).tolist()):
        table.writerow([dataset.ids[i], *(f"{p:.4f}" for p in row)])
print(f"answers: {args.out}/submission.csv")

# Try next: Kaggle's dogs themselves (kaggle.com/c/dog-breed-identification: 120 breeds, 10,222 photographs); features
# computed once and kept, as transfer_learning.py does; five models, each validated on another fifth, and the mean of
# their answers; photographs in other formats, by a third column for the file's name.
