"""Transfer learning: a network that knows a thousand things learns two more, from 244 photographs.

Run it: python examples/transfer_learning.py [--data FOLDER]

What it shows. SqueezeNet 1.1 was trained on 1.2 million photographs. What its layers have learned to see, from edges to
parts of animals, serves for ants and bees as well; only the last layer has to be new. Three ways:

1. frozen: the layers stay as they are and are run once for each photograph; only a linear classifier of their 512
   features is trained. Right for little data that resembles ImageNet's, and the fastest by far;
2. fine-tuned: from there on all layers are trained, slowly. Right for more data, or other pictures;
3. from scratch: the same network from random weights. 244 photographs are far too few.

FOLDER has `train` and `val`, and in each a folder for every class; the classes may be others and more.
"""

import argparse
import time
from pathlib import Path

from real_data import ants_and_bees

import tinyconv as torch
from tinyconv import nn, optim, training
from tinyconv.utils.data import DataLoader, TensorDataset
from tinyconv.vision import datasets, models, transforms

parser = argparse.ArgumentParser()
parser.add_argument("--data", type=Path)
parser.add_argument("--epochs", type=int, default=3, help="of fine-tuning and from scratch")
parser.add_argument("--out", type=Path, default=Path("runs/transfer_learning.png"))
parser.add_argument("--quick", action="store_true", help="one epoch, for tests")
args = parser.parse_args()
folder = args.data or ants_and_bees()
epochs = 1 if args.quick else args.epochs

weights = models.SqueezeNet1_1_Weights.DEFAULT
normalize = transforms.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
augment = transforms.Compose(
    [
        transforms.RandomResizedCrop(224, scale=(0.4, 1)),
        transforms.RandomHorizontalFlip(),
        transforms.ToTensor(),
        normalize,
    ]
)
train_set = datasets.ImageFolder(folder / "train", transform=weights.transforms())
val_set = datasets.ImageFolder(folder / "val", transform=weights.transforms())
classes = len(train_set.classes)
val_loader = DataLoader(val_set, batch_size=32, num_workers=2)


def report(name, history, started):
    right, seconds = history[-1]["val_accuracy"], time.perf_counter() - started
    print(f"{name}: {right:.2%} of {len(val_set)} right, {seconds:.0f} seconds", flush=True)


# ------------------------------------------------------------------------------------------------------------------
# 1. Frozen. What never changes is computed once: each photograph becomes 512 numbers, one for each of the last feature
#    maps, its mean. The head sees them standardised, so that one learning rate suits all.

torch.manual_seed(0)
started = time.perf_counter()
model = models.squeezenet1_1(weights=weights).eval()
for p in model.parameters():
    p.requires_grad = False


def features(dataset):
    batches = [(model.features(x).mean((2, 3)), y) for x, y in DataLoader(dataset, batch_size=32, num_workers=2)]
    return torch.cat([x for x, _ in batches]), torch.cat([y for _, y in batches])


(x, y), (val_x, val_y) = features(train_set), features(val_set)
mean, std = x.mean(dim=0), x.std(dim=0) + 1e-6
head_loader = DataLoader(TensorDataset((x - mean) / std, y), batch_size=32, shuffle=True)
head_val = DataLoader(TensorDataset((val_x - mean) / std, val_y), batch_size=256)

head = nn.Linear(512, classes)
optimizer = optim.SGD(head.parameters(), lr=0.003, momentum=0.9, weight_decay=0.05)
frozen = training.fit(head, head_loader, head_val, optimizer=optimizer, epochs=5 if args.quick else 30)
report("frozen features", frozen, started)

# ------------------------------------------------------------------------------------------------------------------
# 2. All layers are trained, slowly, for they are nearly right already. A new head would begin with large gradients that
#    spoil what the layers know; the head of 1. does not. It is told about the standardisation, which nobody does here.


def with_new_head(weights):
    model = models.squeezenet1_1(weights=weights)
    model.classifier = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, classes))
    return model


train_set.transform = augment
train_loader = DataLoader(train_set, batch_size=16, shuffle=True, num_workers=2)
torch.manual_seed(0)
started = time.perf_counter()
model = with_new_head(weights)
with torch.no_grad():
    model.classifier[-1].weight.copy_(head.weight / std)
    model.classifier[-1].bias.copy_(head.bias - (head.weight / std) @ mean)
optimizer = optim.SGD(model.parameters(), lr=1e-4, momentum=0.9)
tuned = training.fit(model, train_loader, val_loader, optimizer=optimizer, epochs=epochs)
report("fine-tuned", tuned, started)

# ------------------------------------------------------------------------------------------------------------------
# 3. The same network from random weights.

torch.manual_seed(0)
started = time.perf_counter()
model = with_new_head(None)
optimizer = optim.Adam(model.parameters(), lr=3e-4)
scratch = training.fit(model, train_loader, val_loader, optimizer=optimizer, epochs=epochs)
report("from scratch", scratch, started)

args.out.parent.mkdir(parents=True, exist_ok=True)
training.pictures.curves(tuned).save(args.out, dpi=70)
print(f"picture of the fine-tuning: {args.out}")

# Try next: your own two folders of photographs; the features of an earlier layer, model.features[:6], and see how much
# less they know of insects; freeze all but the last three Fire modules; --epochs 30 from scratch, overnight;
# what_it_sees.py shows where on the photograph the answer comes from; `tinyconv finetune` does this without a program.
