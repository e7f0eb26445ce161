"""Is it a shirt? How to judge a detector of something rare: sensitivity, specificity, ROC, confusion, calibration.

Run it: python examples/classifier_report.py

What it shows. One garment in ten of Fashion-MNIST is a shirt, as one in ten who are examined may be ill. Who always
says no is right 90% of the time and finds nobody: accuracy is the wrong question. The right ones are

* sensitivity: of the ill, how many are found (of the shirts, how many are called shirts);
* specificity: of the healthy, how many are left in peace.

Which of them matters more is not for the network to say: it gives a probability, and a threshold makes an answer of
it. The ROC curve shows what every threshold would do. Here the threshold is chosen on images set aside for it, so
that 95% of the shirts among them are found, and is then judged on the test images, which nobody has looked at.
Calibration at last asks whether things that get 70% are shirts 70% of the time."""

import argparse
from pathlib import Path

from real_data import fashion_mnist

import tinyconv as torch
import tinyconv.nn.functional as F
from tinyconv import nn, optim, training
from tinyconv.training import metrics, pictures
from tinyconv.utils.data import DataLoader, Subset
from tinyconv.vision import transforms

parser = argparse.ArgumentParser()
parser.add_argument("--epochs", type=int, default=3)
parser.add_argument("--out", type=Path, default=Path("runs/classifier_report"), help="folder for the pictures")
parser.add_argument("--quick", action="store_true", help="on 1,000 images, for tests")
args = parser.parse_args()

SHIRT = 6

to_input = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.286,), (0.353,))])
train_set, test_set = fashion_mnist(True, to_input), fashion_mnist(False, to_input)
for part in (train_set, test_set):
    part.targets = (part.targets == SHIRT).to(torch.int64)  # 1: a shirt, 0: something else
total = 1000 if args.quick else len(train_set)
aside = total // 6
threshold_set, train_set = Subset(train_set, range(aside)), Subset(train_set, range(aside, total))

torch.manual_seed(0)
model = nn.Sequential(
    nn.Conv2d(1, 16, 3, padding=1),
    nn.ReLU(),
    nn.MaxPool2d(2),
    nn.Conv2d(16, 32, 3, padding=1),
    nn.ReLU(),
    nn.MaxPool2d(2),
    nn.Flatten(),
    nn.Linear(32 * 7 * 7, 64),
    nn.ReLU(),
    nn.Linear(64, 2),
)
training.fit(
    model,
    DataLoader(train_set, batch_size=64, shuffle=True),
    DataLoader(threshold_set, batch_size=1000),
    optimizer=optim.Adam(model.parameters()),
    epochs=args.epochs,
    callbacks=[training.ConsoleProgress()],
)


def probabilities(dataset):
    """Of being a shirt; and whether it is one."""
    scores, target = training.predict(model, DataLoader(dataset, batch_size=1000))
    return F.softmax(torch.tensor(scores), dim=1)[:, 1].numpy(), target


# The largest threshold that finds 95% of the shirts among the images set aside.
probability, target = probabilities(threshold_set)
curve = metrics.roc_curve(target, probability)
threshold = float(curve.thresholds[(curve.tpr >= 0.95).argmax()])

probability, target = probabilities(test_set)
print(f"\n{'':32} {'accuracy':>9} {'sensitivity':>12} {'specificity':>12}")
for name, answer in (
    ("always no", 0 * target),
    ("threshold 0.5", (probability >= 0.5).astype(int)),
    (f"threshold {threshold:.3f}, for 95%", (probability >= threshold).astype(int)),
):
    accuracy = metrics.accuracy(target, answer)
    sensitivity, specificity = metrics.sensitivity(target, answer), metrics.specificity(target, answer)
    print(f"{name:32} {accuracy:9.2%} {sensitivity:12.2%} {specificity:12.2%}")
print(f"area under the ROC curve: {metrics.roc_auc(target, probability):.4f}")
print(f"expected calibration error: {metrics.expected_calibration_error(target, probability):.4f}\n")
print(metrics.classification_report(target, answer, names=["other", "shirt"]))

args.out.mkdir(parents=True, exist_ok=True)
pictures.roc(target, probability, ["other", "shirt"]).save(args.out / "roc.png", dpi=60)
pictures.confusion(metrics.confusion_matrix(target, answer), ["other", "shirt"]).save(
    args.out / "confusion.png", dpi=60
)
pictures.calibration(target, probability).save(args.out / "calibration.png", dpi=60)
print(f"pictures: {args.out}/roc.png, confusion.png, calibration.png")

# Try next: nn.CrossEntropyLoss(weight=torch.tensor([1.0, 9.0])) and see what it does to the sensitivity at 0.5, and
# to the calibration; choose the threshold for 99%, and count what it costs; look at the wrongest images
# (pictures.wrongest) and ask whether you would call them shirts; divide the scores by a temperature fitted on the
# images set aside.
